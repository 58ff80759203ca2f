"""The failures of a run, blamed: the most telling ones, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import replace

from gradparity.blame.blamer import Ask, blame, can_be_blamed
from gradparity.blame.finding import Blame, Fault
from gradparity.results import CheckResult
from gradparity.workers import WorkerSource

SECONDS = 60.0  # after which no further check is looked into

NEEDS_LIVE_ORACLE = Blame(
    Fault.NOWHERE, "needs a live oracle: a recording answers what was once asked, and no more"
)


def blame_failures(
    results: MutableMapping[int, CheckResult], ask: Ask, oracle: WorkerSource, limit: int
) -> int:
    """Adds to results that differ what makes them so.

    Args:
      results: by position in the run; those that are looked into are replaced.
      ask: how both sides are asked.
      oracle: where the oracle's answers come from.
      limit: how many are looked into: the first of each case file, then the others.

    Returns:
      How many differ and were not looked into.
    """
    differing = [index for index in sorted(results) if can_be_blamed(results[index])]
    if getattr(oracle, "only_recorded", False):
        for index in differing:
            results[index] = replace(results[index], blame=NEEDS_LIVE_ORACLE)
        return 0
    started = time.monotonic()
    done = 0
    for index in _telling_first(differing, results):
        if done == limit or time.monotonic() - started > SECONDS:
            break
        results[index] = replace(results[index], blame=blame(results[index], ask))
        done += 1
    return len(differing) - done


def _telling_first(
    indices: Iterable[int], results: MutableMapping[int, CheckResult]
) -> Iterator[int]:
    """The first of each case file, then the others: one file's checks often fail alike."""
    seen, others = set(), []
    for index in indices:
        path = results[index].check.case.path
        if path in seen:
            others.append(index)
        else:
            seen.add(path)
            yield index
    yield from others
