"""The console: where commands print with colour, as the user wants it."""

from __future__ import annotations

from rich.console import Console


def console(color: str) -> Console:
    """A console on the standard output.

    Args:
      color: "always", also into a file or a pipe; "never", not even bold; "auto": on a
        terminal, less the colours where NO_COLOR is set, and always where FORCE_COLOR is.
    """
    if color == "never":
        return Console(color_system=None, highlight=False)
    if color == "always":
        return Console(force_terminal=True, no_color=False, highlight=False)
    return Console(highlight=False)
