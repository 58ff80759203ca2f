"""Progress of a run on a terminal: how far it is, how long it takes, what it waits for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from gradparity.language.check import Check
    from gradparity.results import CheckResult

LONG = 3.0  # seconds for one check: from then on they are counted out


class UnderWay:
    """Which check a run waits for, as far as that can be told from the results.

    Each worker asks about its checks in their order, and the workers of a profile share them in
    this order too: the earliest check of a profile without a result is one that is being
    asked about.

    Args:
      checks: of the run, in its order.
      clock: seconds that pass.
    """

    def __init__(
        self, checks: Sequence[Check], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # results come in one thread, and another draws
        self._done: set[str] = set()
        self._queues: dict[str, Iterator[str]] = {}
        self._first: dict[str, tuple[str, float]] = {}
        orders: dict[str, list[str]] = {}
        for check in checks:
            orders.setdefault(check.program.profile, []).append(check.id)
        for profile, order in orders.items():
            self._queues[profile] = iter(order)
            self._first[profile] = (next(self._queues[profile]), clock())

    def done(self, check: Check) -> None:
        """A check has its result."""
        profile = check.program.profile
        with self._lock:
            self._done.add(check.id)
            waiting = self._first.get(profile)
            if waiting is None or waiting[0] != check.id:
                return
            following = next((id for id in self._queues[profile] if id not in self._done), None)
            if following is None:
                del self._first[profile]
            else:
                self._first[profile] = (following, self._clock())

    def waited(self) -> tuple[str, float] | None:
        """The check that has been waited for longest, and for how many seconds; None: none is."""
        with self._lock:
            if not self._first:
                return None
            id, since = min(self._first.values(), key=lambda first: first[1])
            return id, self._clock() - since


@contextmanager
def progress(
    console: Console, checks: Sequence[Check], quiet: bool
) -> Iterator[Callable[[CheckResult], None]]:
    """Shows a run on a terminal while it lasts; into a file or a pipe, nothing.

    A bar, the time that is left, the counts of verdicts and the check that is waited for; each
    failure as it comes.

    Args:
      console: where to.
      checks: of the run, in its order.
      quiet: show nothing.

    Yields:
      What to call with each result.
    """
    if quiet or not console.file.isatty():
        yield lambda result: None
        return
    from rich.live import Live
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    from gradparity.reports.wording import printable

    bar = Progress(
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
    )
    task = bar.add_task("", total=len(checks))
    counts: Counter[str] = Counter()
    under_way = UnderWay(checks)

    class Shown:
        """The bar with a line below it, made anew whenever it is drawn."""

        def __rich__(self) -> RenderableType:
            from rich.console import Group

            line = Text(
                status(counts, under_way.waited()), "dim", no_wrap=True, overflow="ellipsis"
            )
            return Group(bar.get_renderable(), line)

    with Live(Shown(), console=console, transient=True, refresh_per_second=4) as live:

        def on_result(result: CheckResult) -> None:
            word = result.verdict.word
            counts[word.value] += 1
            under_way.done(result.check)
            bar.advance(task)
            if not word.passes:
                live.console.print(
                    Text.assemble((f"{word.value:<15} ", "red"), printable(result.check.id)),
                    soft_wrap=True,
                )

        yield on_result


def status(counts: Counter[str], waited: tuple[str, float] | None) -> str:
    """The line below the bar: counts of verdicts, and what is waited for."""
    if waited is None:
        told = "all are judged; looking into those that fail"
    elif not counts:
        told = f"starting both sides: {waited[1]:.0f} s"
    else:
        told = waited[0] if waited[1] < LONG else f"{waited[1]:.0f} s on {waited[0]}"
    return "; ".join([", ".join(f"{n:,} {word}" for word, n in counts.items()), told]).lstrip("; ")
