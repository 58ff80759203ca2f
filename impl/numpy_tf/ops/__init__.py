"""The ops, a folder for each of TensorFlow's families."""
