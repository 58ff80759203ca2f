"""The judge: compares two outcomes and decides one verdict."""
