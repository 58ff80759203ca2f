"""`{subsets: [a, b]}`: one query for each combination of the members of a list."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradparity.language.matrix import spelled
from gradparity.language.model import QueryModel
from gradparity.language.placement import MAX_SUBSETS
from gradparity.language.problems import nearest
from gradparity.language.yaml_source import DataPath

KEYS = ("xs", "stop_gradients", "stop_gradient_at")
MAX_CHOICES = 10_000  # of one query


class SubsetsError(Exception):
    """A `subsets` that makes no sense; `path` leads to it from the query."""

    def __init__(self, path: DataPath, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Choice:
    """One combination.

    Attributes:
      query: the query, with the chosen members in place of each `subsets`.
      label: what tells its id from those of the others, beside what an id has anyway.
    """

    query: QueryModel
    label: str = ""


def choices(query: QueryModel) -> list[Choice]:
    """The combinations of a query: with all members first, then from none of them on.

    A query without `subsets` is its own single choice. The empty list of xs has the empty
    list of gradients, which is then the documented value.

    Raises:
      SubsetsError: a mapping is no `subsets`, or there are too many combinations.
    """
    given = {key: getattr(query, key) for key in KEYS}
    members = {key: _members(key, value) for key, value in given.items() if isinstance(value, dict)}
    if not members:
        return [Choice(query)]
    if "xs" in members and query.expect is not None:
        raise SubsetsError(("expect",), "`expect` cannot stand beside `subsets` of xs")
    count = math.prod(2 ** len(names) for names in members.values())
    if count > MAX_CHOICES:
        message = f"the subsets of this query are {count:,} checks; at most {MAX_CHOICES:,}"
        raise SubsetsError((next(iter(members)),), message)
    chosen = [
        dict(zip(members, combination, strict=True))
        for combination in itertools.product(*(list(_subsets(m)) for m in members.values()))
    ]
    return [_choice(query, each) for each in (chosen[-1], *chosen[:-1])]


def _members(key: str, value: Mapping[str, Any]) -> list[Any]:
    for name in value:
        if name != "subsets":
            hint = nearest(name, ["subsets"]) or "for example {subsets: [a, b]}"
            raise SubsetsError((key, name), f"unknown key {name!r}", hint)
    members = value.get("subsets")
    path: DataPath = (key, "subsets") if "subsets" in value else (key,)
    if not isinstance(members, list) or not members:
        raise SubsetsError(path, "'subsets' must be a list, and not empty", "{subsets: [a, b]}")
    for i, member in enumerate(members):
        if member in members[:i]:
            raise SubsetsError((*path, i), f"{spelled(member)} stands here twice")
    if len(members) > MAX_SUBSETS:
        message = f"subsets of {len(members)} members; at most {MAX_SUBSETS}"
        raise SubsetsError(path, message, "list the combinations that matter as queries")
    return members


def _subsets(members: list[Any]) -> Iterator[list[Any]]:
    for count in range(len(members) + 1):
        for chosen in itertools.combinations(members, count):
            yield list(chosen)


def _choice(query: QueryModel, chosen: Mapping[str, list[Any]]) -> Choice:
    values: dict[str, Any] = dict(chosen)
    if values.get("xs") == []:
        values["expect"] = []
    label = ""
    if "xs" in chosen and query.id is not None:
        label += "~" + _listed(chosen["xs"])
    if chosen.get("stop_gradients"):
        label += "@stop_gradients=" + _listed(chosen["stop_gradients"])
    return Choice(dataclasses.replace(query, **values), label)


def _listed(members: list[Any]) -> str:
    return "".join(",".join(map(spelled, members)).split())
