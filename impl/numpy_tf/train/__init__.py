"""tf.train: optimizers, learning rates that decay, and the global step."""
