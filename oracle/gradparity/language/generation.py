"""`generate`: one file as many cases, whose graphs and queries a seeded generator writes.

A generated case is an ordinary one: its text passes the same checks as a written one, and it
is shown as code wherever a written one is. The same file gives the same cases on every
machine and with every Python, and more of them leave the earlier ones as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradparity.language.keys import Schema
from gradparity.language.problems import CaseErrors, nearest
from gradparity.language.random_graphs import random_graph
from gradparity.language.yaml_source import DataPath, Document, Place

MADE = ("inputs", "graph", "gradients")  # the keys of a case that a generator writes


@dataclass(frozen=True)
class Bounds:
    """A whole number that a generator takes; without `default` it must be given."""

    low: int
    high: int
    default: int | None = None


@dataclass(frozen=True)
class Family:
    """A kind of generated cases.

    Attributes:
      one: what one member is called in names, e.g. "graph" of "graph-07".
      takes: its parameters; the first, called as the family is, says how many members.
      make: from the parameters and the member's number, from 1, its inputs, graph and queries.
      queries: the parameter that says how many queries each member has.
      usage: an example.
    """

    one: str
    takes: Mapping[str, Bounds]
    make: Callable[[Mapping[str, int], int], dict[str, Any]]
    queries: str
    usage: str


FAMILIES: Mapping[str, Family] = {
    "random_graphs": Family(
        "graph",
        {
            "random_graphs": Bounds(1, 1_000),
            "seed": Bounds(0, 2**32 - 1),
            "operations": Bounds(1, 100, 12),
            "queries": Bounds(1, 20, 3),
        },
        random_graph,
        "queries",
        "{random_graphs: 40, seed: 1, operations: 12, queries: 3}",
    ),
}


def members(document: Document, name: str, limit: int) -> Iterator[tuple[Document, str]]:
    """The cases of a file, each with its name; a file without `generate` is its own one.

    Args:
      document: the file.
      name: the file's name; a generated case is named below it: `name/graph-07`.
      limit: how many queries may be generated.

    Raises:
      CaseErrors: `generate` makes no sense.
    """
    data = document.data
    if not isinstance(data, dict) or "generate" not in data:
        yield document, name
        return
    family, given = _parameters(document)
    count = given[next(iter(family.takes))]
    if count * given[family.queries] > limit:
        message = f"{count * given[family.queries]:,} queries; at most {limit:,}"
        raise CaseErrors([document.problem(("generate",), message)])
    place = document.keys[("generate",)]
    kept = {key: value for key, value in data.items() if key != "generate"}
    for number in range(1, count + 1):
        made = family.make(given, number)
        places = {**document.places, **dict(_places((), made, place))}
        member = replace(document, data={**kept, **made}, places=places)
        yield member, f"{name}/{family.one}-{number:0{len(str(count))}}"


def _parameters(document: Document) -> tuple[Family, Mapping[str, int]]:
    """The family and its parameters. Raises CaseErrors."""

    def refused(path: DataPath, message: str, hint: str = "", *, key: bool = False) -> CaseErrors:
        return CaseErrors([document.problem(("generate", *path), message, hint, key=key)])

    data, usage = document.data["generate"], "; ".join(f.usage for f in FAMILIES.values())
    if not isinstance(data, dict) or not data:
        raise refused((), "'generate' must be a mapping", f"for example {usage}")
    for key in MADE:
        if key in document.data:
            message = f"{key!r} is what `generate` writes: give one or the other"
            raise CaseErrors([document.problem((key,), message, key=True)])
    name = next((key for key in data if key in FAMILIES), None)
    if name is None:
        key = next(iter(data))
        hint = nearest(key, FAMILIES) or f"there are: {', '.join(FAMILIES)}"
        raise refused((key,), f"there is no generator {key!r}", hint, key=True)
    family = FAMILIES[name]
    for key in data:
        if key not in family.takes:
            hint = nearest(key, family.takes) or f"for example {family.usage}"
            raise refused((key,), f"{name!r} takes no {key!r}", hint, key=True)
    given: dict[str, int] = {}
    for key, bounds in family.takes.items():
        value: Any = data.get(key, bounds.default)
        if key not in data and value is None:
            raise refused((), f"missing {key!r}", f"for example {family.usage}")
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not bounds.low <= value <= bounds.high:
            message = f"{key!r} must be a whole number from {bounds.low} to {bounds.high:,}"
            raise refused((key,), message)
        given[key] = value
    return family, given


def _places(path: DataPath, data: Any, place: Place) -> Iterator[tuple[DataPath, Place]]:
    """Everything that is generated stands where `generate` does."""
    if path:
        yield path, Place(place.line, place.column)
    items: Any = ()
    if isinstance(data, dict):
        items = data.items()
    elif isinstance(data, list):
        items = enumerate(data)
    for key, value in items:
        yield from _places((*path, key), value, place)


def schema() -> Schema:
    """What editors need to know of `generate`."""
    return {
        "anyOf": [
            {
                "type": "object",
                "description": family.usage,
                "properties": {
                    key: {"type": "integer", "minimum": bounds.low, "maximum": bounds.high}
                    for key, bounds in family.takes.items()
                },
                "required": [key for key, b in family.takes.items() if b.default is None],
                "additionalProperties": False,
            }
            for family in FAMILIES.values()
        ]
    }
