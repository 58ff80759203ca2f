"""tf.losses: TensorFlow 1's losses, weighted, reduced, and kept in a collection of the graph."""
