"""The case language: from YAML text to checks that are ready to run."""
