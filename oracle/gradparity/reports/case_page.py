"""Case page: what the template of a case's page asks of a check, beyond what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from gradparity.explain import drawing
from gradparity.reports import code, heat_map, wording
from gradparity.reports.picture import picture, why_not
from gradparity.reports.tensors import tensor_rows

Json: TypeAlias = dict[str, Any]

OPEN = 20  # failing checks of a case that are unfolded at once
STAGES = ("build", "gradients", "run")
EXACTNESS = {
    "bits": "bit for bit",
    "ulp": "within the ulp budget",
    "scale": "by scale",
    "meaning": "in what is unique",
}
"""Rule -> what is said of a check whose loosest rule it is."""


def with_neighbours(cases: Sequence[Json]) -> Iterator[tuple[Json | None, Json, Json | None]]:
    """Each case with the one before it and the one after it."""
    for number, case in enumerate(cases):
        before = cases[number - 1] if number else None
        yield before, case, cases[number + 1] if number + 1 < len(cases) else None


def unfolded(checks: Sequence[Json]) -> set[str]:
    """The ids of the checks that are open at once: the first that fail, or the only one."""
    if len(checks) == 1:
        return {checks[0]["id"]}
    return {check["id"] for check in [c for c in checks if wording.fails(c)][:OPEN]}


def gist(check: Json) -> str:
    """In how far the sides agree or differ, in a few words for a list."""
    if check["kind"]:
        return f"in {check['kind']}" if check["kind"] != "none" else "None on one side"
    rules = [c["rule"] for c in check["comparisons"] if c["rule"]]
    loosest = max(rules, key=list(EXACTNESS).index, default=None)
    if loosest is None or wording.fails(check):
        return ""
    ulps = max((c["max_ulp"] or 0 for c in check["comparisons"]), default=0)
    return EXACTNESS[loosest] + (f", {ulps:,} ulp" if ulps else "")


def timings(check: Json) -> list[Json]:
    """How long each side took, by stage.

    Returns:
      For each side that was timed: side, total in seconds, and for each stage its name, its
      seconds and its share of the longer side's total in per cent.
    """
    taken = {side: check[side]["seconds"] for side in wording.SIDES if check[side]}
    longest = max((sum(seconds.values()) for seconds in taken.values()), default=0.0)
    return [
        {
            "side": side,
            "total": sum(seconds.values()),
            "stages": [
                (stage, seconds[stage], round(100 * seconds[stage] / longest, 2))
                for stage in STAGES
                if stage in seconds
            ],
        }
        for side, seconds in taken.items()
        if seconds and longest
    ]


def environment(document: Json, profiles: Sequence[str]) -> Iterator[tuple[str, str, Json]]:
    """Side, profile and how that side described itself, of the profiles of a case."""
    for side in wording.SIDES:
        for profile in profiles:
            if profile in document[side]:
                yield side, profile, document[side][profile]


NAMES = {
    "rows": tensor_rows,
    "picture_of": picture,
    "why_no_picture": why_not,
    "maps": heat_map.pictures,
    "scripts": code.scripts,
    "query": code.query,
    "unfolded": unfolded,
    "gist": gist,
    "timings": timings,
    "environment": environment,
    **drawing.NAMES,
}
"""What the templates case.html and picture.html use."""
