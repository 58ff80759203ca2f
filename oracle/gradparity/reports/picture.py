"""Picture: which checks of a run are drawn, how they are observed, and how a picture is read.

A check in report.json may have a key "picture": boxes and edges, or why there is none. It is
plain data, made once when the document is written; whoever draws reads it:

    from gradparity.reports.picture import picture
    found = picture(check)                 # of a check of report.json; None: it has none
    for box in found.boxes: ...            # box.label, box.type, box.kind, box.blamed, ...
    for edge in found.edges:               # values flow from source to target, gradients back
        found.boxes[edge.source], found.boxes[edge.target], edge.kind, edge.label

What the kinds mean is said by `gradparity.explain.picture`. Labels are text of strangers: they
must be escaped. The program is run by numpy_tf, whatever implementation was put under test.
"""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.results import CheckResult

if TYPE_CHECKING:
    from gradparity.explain.picture import Picture

Json: TypeAlias = dict[str, Any]

FEW = 300  # pictures of one run, of which each takes milliseconds and two kilobytes
FAILING = 200  # so many failing checks are drawn before any other
CASES = 1000  # of so many cases the first check is drawn, even beyond `FEW`
SECONDS = 2.0  # of the processor that observing one check may take
SLOW = 1.0  # seconds; a check that took a side longer is not run once more

UNRUNNABLE = frozenset({Word.CRASHED, Word.TIMED_OUT, Word.INVALID})


def picture(check: Json) -> Picture | None:
    """The picture of a check of report.json; None where it has none."""
    from gradparity.explain.picture import Picture

    data = check.get("picture")
    return Picture.from_json(data) if data and "boxes" in data else None


def why_not(check: Json) -> str:
    """Why a check of report.json has no picture; "" where it has one, or was not chosen."""
    return str((check.get("picture") or {}).get("why", ""))


def chosen(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The results whose checks are to be drawn: all of them, when they are at most `FEW`.

    Of more, these are drawn: some that fail, the first check of each case, and then, up to `FEW`,
    those with a placement before the rest.
    """
    failing = [r for r in results if not r.verdict.word.passes][:FAILING]
    firsts = {(r.check.case.path, r.check.case.name): r for r in reversed(results)}
    first = list(firsts.values())[::-1][:CASES]
    once = {id(r): r for r in (*failing, *first)}
    for result in (*(r for r in results if r.check.stopped), *results):
        if len(once) >= FEW:
            break
        once.setdefault(id(result), result)
    return list(once.values())


def pictures(results: Sequence[CheckResult]) -> dict[int, Json]:
    """`id` of each result that is to be drawn -> its picture as data, or why there is none."""
    return {id(result): observed(result) for result in chosen(results)}


def observed(result: CheckResult) -> Json:
    """The picture of one check, from running it in this process with numpy_tf.

    Whatever happens there, the report is written: without a picture, then, that says why.
    """
    sides = [side for side in (result.oracle, result.implementation) if side is not None]
    if result.verdict.word in UNRUNNABLE:
        return {"why": f"A check that is {result.verdict.word.value} is not run once more."}
    if any(sum(side.seconds.values()) > SLOW for side in sides):
        return {"why": "It takes long, and is not run once more."}
    if threading.current_thread() is not threading.main_thread():
        return {"why": "The report was not written in the main thread, which alone has a clock."}
    from gradparity.explain.picture import NoPicture
    from gradparity.explain.picture import picture as painted

    try:
        from gradparity.explain.observing import observe

        with _quiet(), _limited(SECONDS):
            return painted(observe(result.check.program), result.blame).to_json()
    except NoPicture as reason:
        return {"why": str(reason)}
    except OutOfTime:
        return {"why": f"Observing it took more than {SECONDS:g} s."}
    except Exception as error:
        first = str(error).partition("\n")[0]
        return {"why": f"Observing it failed: {type(error).__name__}: {first}"}


class OutOfTime(BaseException):
    """Past every `except Exception` of the program and of the libraries that it runs in."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raises `OutOfTime` in the block when it takes the processor longer."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """What the program prints, and what NumPy warns of, was said when it was judged."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        yield
