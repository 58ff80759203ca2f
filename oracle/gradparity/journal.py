"""The journal: each result as it comes, so that a run cut short can be read and resumed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeAlias

from gradparity.engine import SIDES, SideName, StartError, judge_answers
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Check
from gradparity.outcome import Outcome
from gradparity.program import Profile
from gradparity.recordings.answer import program_key
from gradparity.reports.changes import set_aside
from gradparity.results import CheckResult, RunRecord

Json: TypeAlias = dict[str, Any]

NAME = "report.jsonl"
FORMAT = "gradparity-journal"
VERSION = 1


class ResumeError(StartError):
    """What was interrupted cannot be continued by this run; the message says why."""


@dataclass
class Past:
    """What a journal tells of the run that it was written by.

    Attributes:
      settings: what that run was asked to do.
      started_at: when it started, UTC, ISO 8601.
      seconds: how long it had run at its last result.
      described: side -> profile -> what its worker said of itself.
      lines: check id -> the line that holds its result.
    """

    settings: Json
    started_at: str
    seconds: float = 0.0
    described: dict[str, dict[str, Json]] = field(
        default_factory=lambda: {side: {} for side in SIDES}
    )
    lines: dict[str, Json] = field(default_factory=dict)

    def results(self, checks: Sequence[Check]) -> dict[str, CheckResult]:
        """Check id -> its result, for the checks that have not been edited since."""
        restored = ((check, self.lines.get(check.id)) for check in checks)
        return {
            check.id: _result(check, line)
            for check, line in restored
            if line is not None and line["program"] == program_key(check.program)
        }


def read(folder: Path) -> Past | None:
    """The journal in a report folder, or None when there is none to go on from.

    The end of the file may be torn, since nothing ends a run as kill -9 does.

    Raises:
      ResumeError: the file there is no journal of this version.
      OSError: it cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return None
    past = None
    for text in path.read_text("utf-8", "replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            break
        if past is None:
            if line.get("format") != FORMAT or line.get("version") != VERSION:
                break
            past = Past(line["settings"], line["started_at"])
        elif "side" in line:
            past.described[line["side"]][line["profile"]] = line["description"]
        else:
            past.lines[line["check"]] = line
            past.seconds = max(past.seconds, line["at"])
    if past is None and path.stat().st_size:
        raise ResumeError(f"{path} is not a journal of this version; run without --resume.")
    return past


class Journal:
    """Writes the journal of a run, one line for each thing that happens.

    The file is begun with the first result: a run that cannot start destroys nothing.

    Args:
      folder: of the reports; those of an earlier run in it are removed or set aside at the
        beginning, lest they be taken for this one's.
      settings: what the run is asked to do, as far as its results depend on it.
      started_at: UTC, ISO 8601.
      past: what a run before it has done already.
    """

    def __init__(
        self, folder: Path, settings: Json, started_at: str, past: Past | None = None
    ) -> None:
        self._folder = folder
        self._past = past or Past(settings, started_at)
        self._file: IO[str] | None = None

    def ready(self, side: SideName, profile: Profile, description: Mapping[str, Any]) -> None:
        """A worker has come up.

        Raises:
          ResumeError: it is another than the one that gave the results so far.
          OSError: the file cannot be written.
        """
        before = self._past.described[side].get(profile)
        now = json.loads(json.dumps(description))
        if before is not None:
            if before != now:
                raise ResumeError(
                    f"The interrupted run cannot be resumed: {_change(before, now)} for its "
                    f"{side} ({profile}). Run without --resume."
                )
            return
        self._past.described[side][profile] = now
        if self._file is not None:
            self._write(_described(side, profile, now))

    def add(self, result: CheckResult, seconds: float) -> None:
        """A check was judged, so many seconds after the start. Raises OSError."""
        if self._file is None:
            self._file = self._begun()
        self._write(_line(result, self._past.seconds + seconds))

    def finish(self) -> None:
        """The run has ended and its reports are written: the journal is of no more use."""
        self.close()
        (self._folder / NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Leaves the journal as it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, line: Json) -> None:
        assert self._file is not None
        # One write for a whole line, so that only the very last can be torn.
        self._file.write(_text(line))
        self._file.flush()

    def _begun(self) -> IO[str]:
        past, path = self._past, self._folder / NAME
        set_aside(self._folder)
        for name in ("report.md", "report.html"):
            (self._folder / name).unlink(missing_ok=True)
        lines: list[Json] = [
            {
                "format": FORMAT,
                "version": VERSION,
                "started_at": past.started_at,
                "settings": past.settings,
            },
            *(
                _described(side, profile, description)
                for side, profiles in past.described.items()
                for profile, description in profiles.items()
            ),
            *past.lines.values(),
        ]
        new = path.with_suffix(".jsonl.new")
        new.write_text("".join(map(_text, lines)), "utf-8", "backslashreplace")
        os.replace(new, path)
        return path.open("a", encoding="utf-8", errors="backslashreplace")


def merged(checks: Sequence[Check], past: Past, done: RunRecord) -> RunRecord:
    """The record of a run that was interrupted and of the one that resumed it, as of one run."""
    results = {**past.results(checks), **{result.check.id: result for result in done.results}}
    return RunRecord(
        results=[results[check.id] for check in checks if check.id in results],
        oracle=dict(sorted({**past.described["oracle"], **done.oracle}.items())),
        implementation=dict(
            sorted({**past.described["implementation"], **done.implementation}.items())
        ),
        started_at=past.started_at,
        seconds=past.seconds + done.seconds,
        interrupted=done.interrupted,
        unblamed=done.unblamed,
    )


def _described(side: str, profile: str, description: Json) -> Json:
    return {"side": side, "profile": profile, "description": description}


def _line(result: CheckResult, at: float) -> Json:
    return {
        "check": result.check.id,
        "verdict": result.verdict.word.value,
        "reason": result.verdict.reason,
        "at": round(at, 3),
        "program": program_key(result.check.program),
        "oracle": None if result.oracle is None else result.oracle.to_json(),
        "implementation": (
            None if result.implementation is None else result.implementation.to_json()
        ),
    }


def _result(check: Check, line: Json) -> CheckResult:
    """A result; the verdict is found anew, since the case may have other expectations by now."""
    outcomes = {side: _outcome(line[side]) for side in SIDES}
    oracle, implementation = outcomes["oracle"], outcomes["implementation"]
    if oracle is not None and implementation is not None:
        return judge_answers(check, {"oracle": oracle, "implementation": implementation})
    verdict = Verdict(Word(line["verdict"]), line["reason"])
    return CheckResult(check, oracle, implementation, verdict)


def _outcome(side: Json | None) -> Outcome | None:
    return None if side is None else Outcome.from_json(side)


def _change(before: Json, now: Json) -> str:
    key = next(key for key in {**before, **now} if before.get(key) != now.get(key))
    return f"{key} was {before.get(key)!r} and is {now.get(key)!r}"


def _text(line: Json) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
