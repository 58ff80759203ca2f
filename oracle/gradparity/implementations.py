"""Which module an implementation's name means: one that an installed package gave, or itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "gradparity.implementations"
"""The group of entry points by which packages name the implementations that they bring."""

OWN = "numpy_tf"
"""The implementation that comes with gradparity: no other package can take its name."""


class ImplementationNameError(ValueError):
    """A name that is no module's, or that packages give to several."""


def module_named(name: str) -> str:
    """The module under test that a name means.

    Args:
      name: of an entry point in `GROUP`, or else the dotted name of a module.

    Returns:
      The dotted name of a module, which may or may not be there.

    Raises:
      ImplementationNameError: packages give the name to several modules, or to what is none.
    """
    if name == OWN:
        return name
    modules = {entry.value for entry in _entry_points() if entry.name == name}
    if len(modules) > 1:
        raise ImplementationNameError(
            f"Several packages call an implementation {name!r}: {', '.join(sorted(modules))}. "
            "Say which module is meant."
        )
    module = next(iter(modules), name)
    if not all(part.isidentifier() for part in module.split(".")):
        raise ImplementationNameError(f"{name!r} stands for {module!r}, which is no module.")
    return module


def known_names() -> list[str]:
    """The names that installed packages give to implementations, sorted."""
    return sorted({OWN, *(entry.name for entry in _entry_points())})


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # it takes longer than `gradparity check`

    return entry_points(group=GROUP)
