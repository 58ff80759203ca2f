"""Blame: which op it is whose gradient (or value) makes a check differ."""
