"""Explain: how the gradient flows through one check, step by step, for people to read."""
