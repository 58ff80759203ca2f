"""What a graph is made of: dtypes, shapes, operations and tensors, and how an op is defined."""
