"""Arithmetic, elementary functions, comparisons, reductions and matrix products."""
