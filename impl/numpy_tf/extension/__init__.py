"""What a program may say itself about gradients: new functions, other functions, Python."""
