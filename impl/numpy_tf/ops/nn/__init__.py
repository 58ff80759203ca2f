"""What neural networks add: activations."""
