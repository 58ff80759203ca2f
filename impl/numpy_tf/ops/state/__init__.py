"""Variables, assignment and random numbers."""
