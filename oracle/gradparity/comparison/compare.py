"""Compares two reports check by check: what changed, in which direction, and by which cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

from gradparity.comparison.answers import Change, Kind, changes
from gradparity.comparison.report import Report
from gradparity.judge.tolerance import Limits, limits
from gradparity.judge.ulp import COMPONENT, REAL_DTYPES
from gradparity.judge.verdict import Word

Json: TypeAlias = dict[str, Any]

SIDES = ("oracle", "implementation")
UNTOLD = ("profile",)  # of a side's description: it says of which profile the rest is said


class Cause(str, Enum):
    """Why a check's result is not what it was, as far as the reports can tell."""

    NEW = "new"  # the check was not asked before
    GONE = "gone"  # it is not asked any more
    EDITED = "edited"  # its program is another one
    ORACLE = "oracle"  # another TensorFlow answered, or one under other settings
    IMPLEMENTATION = "implementation"  # what is under test answers otherwise
    TOLERANCE = "tolerance"  # what the judge allows its tensors
    EXPECTATION = "expectation"  # what the case demands: expect, raises, intent
    JUDGE = "judge"  # the answers and demands are the same: the judge or the ledger changed
    UNKNOWN = "unknown"  # nothing known of the oracle changed, and yet it answers otherwise


class Turn(str, Enum):
    """Where a verdict went."""

    WORSE = "worse"
    BETTER = "better"
    OTHERWISE = "otherwise"
    SAME = "same"


@dataclass(frozen=True)
class CheckChange:
    """One check whose result is not what it was.

    Attributes:
      id: of the check.
      place: where its query stands: file and line.
      causes: why, as far as the reports can tell.
      verdicts: the verdict before and after; None where the check was not there.
      reasons: the sentences that go with them.
      turn: where the verdict went.
      oracle: in what the oracle's answer changed.
      implementation: in what the implementation's did.
    """

    id: str
    place: str
    causes: tuple[Cause, ...]
    verdicts: tuple[str | None, str | None]
    reasons: tuple[str, str] = ("", "")
    turn: Turn = Turn.SAME
    oracle: tuple[Change, ...] = ()
    implementation: tuple[Change, ...] = ()

    @property
    def kinds(self) -> frozenset[Kind]:
        """In what the answers of either side changed."""
        return frozenset(change.kind for change in (*self.oracle, *self.implementation))


@dataclass(frozen=True)
class Setting:
    """Something that a side says of itself and that is not what it was."""

    side: str
    profiles: tuple[str, ...]
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs.

    Attributes:
      before: the earlier report.
      after: the later one.
      settings: in what those who answered describe themselves otherwise.
      changed: the checks whose results are not what they were, in the order of the later
        report; those that are gone come last.
      same: how many checks are in both reports with the same result.
      unjudged: how many checks are in one report alone because the other's run did not end.
    """

    before: Report
    after: Report
    settings: Sequence[Setting]
    changed: Sequence[CheckChange]
    same: int
    unjudged: int

    @property
    def is_complete(self) -> bool:
        """Whether both runs came to their end: else nothing can be said of the rest."""
        return self.before.is_whole and self.after.is_whole


def compare(
    before: Report,
    after: Report,
    sides: Sequence[str] = SIDES,
    ignored: frozenset[Kind] = frozenset(),
) -> Comparison:
    """Compares two reports.

    Args:
      before: the earlier report.
      after: the later one.
      sides: whose answers to compare; verdicts are, where both sides are.
      ignored: kinds of changes of answers that count as none.
    """
    settings = list(_settings(before.document, after.document, sides))
    old, new = before.checks, after.checks
    changed: list[CheckChange] = []
    same = unjudged = 0
    for id, check in new.items():
        if id in old:
            found = _changed(old[id], check, settings, sides, ignored)
            same += found is None
            changed += [] if found is None else [found]
        elif before.is_whole:
            changed.append(_alone(check, Cause.NEW))
        else:
            unjudged += 1
    for id, check in old.items():
        if id not in new:
            if after.is_whole:
                changed.append(_alone(check, Cause.GONE))
            else:
                unjudged += 1
    return Comparison(before, after, settings, changed, same, unjudged)


def _alone(check: Json, cause: Cause) -> CheckChange:
    verdict, reason = check["verdict"], check.get("reason", "")
    is_new = cause is Cause.NEW
    return CheckChange(
        check["id"],
        _place(check),
        (cause,),
        (None, verdict) if is_new else (verdict, None),
        ("", reason) if is_new else (reason, ""),
    )


def _place(check: Json) -> str:
    return f"{check['file']}:{check['line']}"


def _changed(
    old: Json,
    new: Json,
    settings: Sequence[Setting],
    sides: Sequence[str],
    ignored: frozenset[Kind],
) -> CheckChange | None:
    tolerance = _tolerance(new)
    names = {"gradients": new["xs"], "ys": new["ys"]}
    found = {
        side: tuple(
            change
            for change in changes(old[side], new[side], tolerance, names, new.get("script", ""))
            if change.kind not in ignored
        )
        for side in sides
    }
    edited = _differ(old, new, "program" if "program" in old and "program" in new else "script")
    verdicts = old["verdict"], new["verdict"]
    turn = _turn(*verdicts) if len(sides) == len(SIDES) else Turn.SAME
    if not edited and turn is Turn.SAME and not any(found.values()):
        return None
    change = CheckChange(
        new["id"],
        _place(new),
        (),
        verdicts,
        (old.get("reason", ""), new.get("reason", "")),
        turn,
        found.get("oracle", ()),
        found.get("implementation", ()),
    )
    return replace(change, causes=tuple(_causes(change, old, new, edited, settings)))


def _causes(
    change: CheckChange, old: Json, new: Json, edited: bool, settings: Sequence[Setting]
) -> Iterator[Cause]:
    if edited:
        yield Cause.EDITED  # what the answers have become follows from it
        return
    if change.oracle:
        told = any(s.side == "oracle" and new["profile"] in s.profiles for s in settings)
        yield Cause.ORACLE if told else Cause.UNKNOWN
    if change.implementation:
        yield Cause.IMPLEMENTATION
    if change.turn is Turn.SAME:
        return
    demands = [
        cause
        for cause in (Cause.TOLERANCE, Cause.EXPECTATION)
        if _differ(old, new, cause.value)
        # Another graph of the oracle's own has other ops, and with them other budgets.
        and not (cause is Cause.TOLERANCE and change.oracle)
    ]
    yield from demands
    if not demands and not change.oracle and not change.implementation:
        yield Cause.JUDGE


def _differ(old: Json, new: Json, key: str) -> bool:
    return key in old and key in new and old[key] != new[key]


def _turn(before: str, after: str) -> Turn:
    if before == after:
        return Turn.SAME
    passed, passes = Word(before).passes, Word(after).passes
    if passed == passes:
        return Turn.OTHERWISE
    return Turn.BETTER if passes else Turn.WORSE


def _tolerance(check: Json) -> Mapping[str, Limits]:
    """What a check's tensors are allowed; reports written before it was told have defaults."""
    if "tolerance" in check:
        return {dtype: Limits(**allowed) for dtype, allowed in check["tolerance"].items()}
    return {dtype: limits(dtype, ()) for dtype in (*REAL_DTYPES, *COMPONENT)}


def _settings(before: Json, after: Json, sides: Sequence[str]) -> Iterator[Setting]:
    """What either side says of itself otherwise, each setting once for all its profiles."""
    for side in sides:
        profiles: dict[tuple[str, str, str], list[str]] = {}
        for profile in sorted(set(before[side]) & set(after[side])):
            old, new = (dict(_flat(one[side][profile])) for one in (before, after))
            for name in dict.fromkeys([*old, *new]):
                was, is_ = (str(one.get(name, "not told")) for one in (old, new))
                if was != is_:
                    profiles.setdefault((name, was, is_), []).append(profile)
        for (name, was, is_), of in profiles.items():
            yield Setting(side, tuple(of), name, was, is_)


def _flat(description: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in description.items():
        if isinstance(value, Mapping):
            yield from value.items()
        elif name not in UNTOLD:
            yield name, value
