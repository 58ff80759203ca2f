"""The overview: what the first page of the HTML report shows, as plain data for its template."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gradparity.reports.changes import agreement

Json: TypeAlias = dict[str, Any]

NO_FOLDER = "no folder"
SINGLE = "others"
DEPTH = 2  # folders of a case's name that make its family: "ops/math", "tutorial"
NARROWEST = 0.6  # per cent of a bar: one check in ten thousand must still be seen
STEPS = (0.05, 0.25, 0.75)  # shares of a family's checks at which a cell becomes darker


@dataclass(frozen=True)
class Exactness:
    """How a rule of agreement is shown, as `legend.Entry` shows a verdict."""

    symbol: str
    name: str
    meaning: str


EXACTNESS = {
    "bits": Exactness("=", "bit for bit", "every element has the same bits"),
    "ulp": Exactness("≈", "within ulps", "within the ulp budget of the ops"),
    "scale": Exactness("~", "by scale", "within rounding at the scale of the tensor"),
    "meaning": Exactness("≅", "in meaning", "not unique, and equal in what is unique"),
    "nothing": Exactness("–", "no values", "nothing to compare by value: None, or an error"),
}
"""The rules by which checks agree, from the strictest; "nothing": no tensor was compared."""


@dataclass(frozen=True)
class Segment:
    """One part of a stacked bar: what it counts, how many, left edge and width in per cent."""

    name: str
    count: int
    left: float
    width: float


@dataclass
class Family:
    """The checks of all cases below one folder.

    Attributes:
      name: its folder: "ops/math".
      cases: how many.
      verdicts: verdict word -> how many checks.
      rules: rule of agreement -> how many of the checks that agree.
    """

    name: str
    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)

    @property
    def label(self) -> str:
        """Its name below the first folder."""
        return self.name.rpartition("/")[2]

    @property
    def compared(self) -> int:
        """How many checks agree on values."""
        return self.rules.total() - self.rules["nothing"]


def family(name: str) -> str:
    """The family of a case, by its name: its first folders."""
    folders = name.split("/")[:-1]
    return "/".join(folders[:DEPTH]) or NO_FOLDER


def families(document: Json) -> dict[str, list[Family]]:
    """First folder -> the families below it, as the cases come in the run.

    Families that are a first folder themselves stand together at the end, under `SINGLE`.
    """
    found: dict[str, Family] = {}
    for case in document["cases"]:
        name = family(case["name"])
        found.setdefault(name, Family(name)).cases += 1
    for check in document["checks"]:
        one = found[family(check["case"])]
        one.verdicts[check["verdict"]] += 1
        if check["verdict"] == "agree":
            one.rules[agreement(check) or "nothing"] += 1
    groups: dict[str, list[Family]] = {}
    for name, one in sorted(found.items(), key=lambda item: "/" not in item[0]):
        groups.setdefault(name.partition("/")[0] if "/" in name else SINGLE, []).append(one)
    return groups


def columns(groups: Mapping[str, list[Family]]) -> list[dict[str, list[Family]]]:
    """The groups in two columns of about the same height, in the same order."""
    heights = {name: len(rows) + 2 for name, rows in groups.items()}
    half, height = sum(heights.values()) / 2, 0.0
    found: list[dict[str, list[Family]]] = [{}, {}]
    for name, rows in groups.items():
        found[height + heights[name] / 2 > half][name] = rows
        height += heights[name]
    return [column for column in found if column]


def step(count: int, total: int) -> int:
    """How dark a cell is: 0 for none, then 1 to 4 by its share."""
    return 0 if not count else 1 + sum(count / total >= limit for limit in STEPS)


def segments(counts: Mapping[str, int]) -> list[Segment]:
    """A stacked bar of what occurs."""
    occurring = {name: count for name, count in counts.items() if count}
    total = sum(occurring.values())
    widths = {name: max(100 * n / total, NARROWEST) for name, n in occurring.items()}
    scale = 100 / sum(widths.values()) if widths else 0
    bar, left = [], 0.0
    for name, width in widths.items():
        bar.append(Segment(name, occurring[name], round(left, 3), round(width * scale, 3)))
        left += width * scale
    return bar


def exactness(totals: Json) -> list[Segment]:
    """The checks that agree, by the rule by which they do."""
    agreed = totals["agreement"]
    return segments({rule: agreed[rule]["checks"] for rule in EXACTNESS if rule in agreed})


FACETS: Mapping[str, Callable[[Json], str | tuple[str, ...]]] = {
    "verdict": lambda check: check["verdict"],
    "kind": lambda check: check["kind"] or "",
    "rule": lambda check: (agreement(check) or "nothing") if check["verdict"] == "agree" else "",
    "profile": lambda check: check["profile"],
    "dtype": lambda check: _dtypes(check),
    "op": lambda check: _ops(check),
}
"""What checks can be filtered by -> a check's value, or its values as a tuple; "": it has none.

"family" is a case's, and not here."""


def _dtypes(check: Json) -> tuple[str, ...]:
    """The dtypes of the gradients and ys that the sides gave."""
    answers = [check[side] for side in ("oracle", "implementation") if check[side]]
    results = [one for answer in answers for one in (*answer["gradients"], *answer["ys"]) if one]
    return tuple(sorted({(r["values"] if r["kind"] == "sparse" else r)["dtype"] for r in results}))


def _ops(check: Json) -> tuple[str, ...]:
    """The op types of the oracle's graph, and those whose gradient functions it called."""
    oracle = check["oracle"] or {}
    return tuple(sorted({*oracle.get("op_types", ()), *oracle.get("gradient_functions", ())}))


def index(cases: Sequence[Json], place: Callable[[Json], str]) -> str:
    """What the page's script filters by, as JSON in which no tag can begin.

    Ten thousand checks have few different properties: each combination stands there once, and
    a check is its number.

    Args:
      cases: as their rows stand on the page, each with its "checks".
      place: a check -> its anchor on its case's page.

    Returns:
      "values": facet -> its values, sorted; "sets": facet with several values a check -> the
      sets of them that occur, as positions among the values; "combinations": for each facet
      of `FACETS` the position of a value, or of a set; "cases": for each the position of its
      family, the combinations of its checks, and their anchors.
    """
    rows = [
        [tuple(value(check) for value in FACETS.values()) for check in c["checks"]] for c in cases
    ]
    values: dict[str, list[str]] = {"family": _sorted(family(case["name"]) for case in cases)}
    sets: dict[str, list[list[int]]] = {}
    codes: list[dict[Any, int]] = []
    for column, name in enumerate(FACETS):
        occurring = dict.fromkeys(row[column] for checks in rows for row in checks)
        if any(isinstance(value, tuple) for value in occurring):
            values[name] = _sorted(one for value in occurring for one in value)
            positions = {one: i for i, one in enumerate(values[name])}
            sets[name] = [[positions[one] for one in value] for value in occurring]
            codes.append({value: i for i, value in enumerate(occurring)})
        else:
            values[name] = _sorted(occurring)
            codes.append({value: i for i, value in enumerate(values[name])})
    combinations: dict[tuple[int, ...], int] = {}
    listed = []
    for case, checks in zip(cases, rows, strict=True):
        coded = [tuple(code[v] for code, v in zip(codes, row, strict=True)) for row in checks]
        listed.append(
            [
                values["family"].index(family(case["name"])),
                [combinations.setdefault(one, len(combinations)) for one in coded],
                [place(check) for check in case["checks"]],
            ]
        )
    data = {
        "facets": list(FACETS),
        "values": values,
        "sets": sets,
        "combinations": list(combinations),
        "cases": listed,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _sorted(values: Iterable[Any]) -> list[str]:
    return sorted(set(values))
