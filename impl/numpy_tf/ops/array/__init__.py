"""Constants, shapes and the moving of elements."""
