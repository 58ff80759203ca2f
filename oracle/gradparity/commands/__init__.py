"""The commands, one module each, which holds it as `command`."""
