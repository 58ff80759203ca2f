"""Comparison: what changed between the reports of two runs, and why."""
