"""Freshness: whether recordings say what a live TensorFlow has just answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from textwrap import shorten
from typing import Any

from gradparity.judge.judge import compare_outcomes
from gradparity.language.check import Check
from gradparity.recordings.answer import Answer, to_outcome
from gradparity.recordings.lookup import Found, State, look_up, mending
from gradparity.recordings.store import Store, versions
from gradparity.recordings.tensor_text import TensorTextError

SHOWN = 100  # characters of each side of a difference
LISTED = 10  # stale recordings named one by one

PHRASES = {
    State.NEW: "not recorded",
    State.EDITED: "edited since",
    State.OTHER_VERSION: "recorded from another TensorFlow",
    State.OTHER_SETTINGS: "recorded under other settings",
    State.OTHER_BITS: "other bits within the tolerance, as another processor may give",
    State.DIFFERS: "recorded otherwise than TensorFlow answers now",
}


@dataclass
class Freshness:
    """What the live answers of a run say about the recordings.

    Attributes:
      store: the recordings of the TensorFlow that answers.
      counts: how many checks are in which state.
      stale: each check whose recording is not fresh, with the reason. Where several operations
        of a run fail, it is chance which of them TensorFlow starts first: another error of the
        same class is as fresh as the recorded one.
    """

    store: Store
    counts: Counter[State] = field(default_factory=Counter)
    stale: list[tuple[Check, Found]] = field(default_factory=list)

    @property
    def is_fresh(self) -> bool:
        """Whether every answer was recorded, and as it is to the bit."""
        return not self.stale

    @property
    def contradicts(self) -> bool:
        """Whether a recording says what TensorFlow does not answer on any processor."""
        return self.counts[State.DIFFERS] > 0

    def compare(self, check: Check, live: Answer) -> None:
        """Holds a live answer against its recording.

        Raises:
          RecordingError: the recording cannot be read.
        """
        found = look_up(check, self.store)
        if found.answer is not None and found.answer != live:
            differences = "; ".join(differing(found.answer, live))
            found = Found(
                _state(check, found.answer, live),
                reason=f"TensorFlow now answers otherwise: {differences}. "
                f"If that is right, {mending(check)}",
            )
        self.counts[found.state] += 1
        if found.state not in (State.FRESH, State.OTHER_ERROR):
            self.stale.append((check, found))

    def lines(self) -> list[str]:
        """The state of the recordings for people: a count, and the stale ones by name."""
        total = self.counts.total()
        where = f"TensorFlow {self.store.version} in {self.store.folder.as_posix()}"
        if not total:
            return ["recordings: TensorFlow answered nothing that could be compared"]
        if self.counts[State.NEW] + self.counts[State.OTHER_VERSION] == total:
            others = [name for name in versions(self.store.folder) if name != self.store.version]
            there = f", only from {', '.join(others)}" if others else ""
            return [f"recordings: none of these {total:,} checks from {where}{there}"]
        if self.is_fresh:
            alike = self.counts[State.OTHER_ERROR]
            by_chance = f" ({alike:,} with another of several errors)" if alike else ""
            return [f"recordings: all {total:,} fresh{by_chance}, {where}"]
        kinds = ", ".join(
            f"{self.counts[state]:,} {phrase}"
            for state, phrase in PHRASES.items()
            if self.counts[state]
        )
        worst_first = sorted(self.stale, key=lambda stale: stale[1].state is not State.DIFFERS)
        named = [f"  {check.id}: {found.reason}" for check, found in worst_first[:LISTED]]
        more = len(self.stale) - LISTED
        return [
            f"recordings: {len(self.stale):,} of {total:,} stale, {where}: {kinds}",
            *named,
            *([f"  ... and {more:,} more"] if more > 0 else []),
        ]


def _state(check: Check, recorded: Answer, live: Answer) -> State:
    """How a recording stands to another live answer."""
    then, now = recorded.results.get("error"), live.results.get("error")
    if then and now and then["stage"] == now["stage"] == "run" and then["type"] == now["type"]:
        return State.OTHER_ERROR
    return State.OTHER_BITS if _differ_in_bits_alone(check, recorded, live) else State.DIFFERS


def _differ_in_bits_alone(check: Check, recorded: Answer, live: Answer) -> bool:
    """Whether two answers that are not equal are, by the tolerance between two sides."""
    if (recorded.op_types, recorded.gradient_calls) != (live.op_types, live.gradient_calls):
        return False
    if not all("gradients" in answer.results for answer in (recorded, live)):
        return False
    try:
        then, now = to_outcome(recorded), to_outcome(live)
    except (TensorTextError, KeyError, TypeError):  # it says nothing that could be compared
        return False
    return not compare_outcomes(check, then, now).differences


def differing(recorded: Answer, live: Answer) -> Iterator[str]:
    """In what two answers differ, a phrase for each tensor or part."""
    for part in dict.fromkeys([*recorded.results, *live.results]):
        then, now = recorded.results.get(part), live.results.get(part)
        if isinstance(then, list) and isinstance(now, list):
            noun = "y" if part == "ys" else "gradient"
            for number, (left, right) in enumerate(zip_longest(then, now, fillvalue="nothing")):
                if left != right:
                    yield f"{noun} {number} was {_shown(left)}, is {_shown(right)}"
        elif then != now:
            yield f"{part} was {_shown(then)}, is {_shown(now)}"
    for noun, left, right in (
        ("ops", recorded.op_types, live.op_types),
        ("differentiated ops", _calls(recorded), _calls(live)),
    ):
        if left != right:
            gone, come = sorted(set(left) - set(right)), sorted(set(right) - set(left))
            yield f"{noun}: {' '.join([*(f'-{op}' for op in gone), *(f'+{op}' for op in come)])}"


def _calls(answer: Answer) -> list[str]:
    return [f"{op} ({group})" for group, ops in answer.gradient_calls.items() for op in ops.split()]


def _shown(item: Any) -> str:
    text = "None" if item is None else item if isinstance(item, str) else str(item)
    return shorten(text, SHOWN, placeholder=" ...")
