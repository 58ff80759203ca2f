"""RecordedOracle: a source of workers that answer from recordings, without TensorFlow."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradparity.language.check import Check
from gradparity.outcome import Outcome
from gradparity.program import Profile, Program
from gradparity.recordings.answer import Answer, to_outcome
from gradparity.recordings.file import RecordingError
from gradparity.recordings.lookup import Found, described, look_up
from gradparity.recordings.store import Store, versions
from gradparity.recordings.tensor_text import TensorTextError
from gradparity.workers import (
    FinalFailure,
    NotRecorded,
    WorkerDied,
    WorkerFailure,
    WorkerTimedOut,
)

CRASHED, TIMED_OUT = "crashed", "timed out"  # keys of an answer that is none


class NoRecordingsError(Exception):
    """There are no recordings at all, or none from the version asked for."""


def open_store(folder: Path, version: str | None = None) -> Store:
    """The recordings of one TensorFlow version.

    Args:
      folder: where those of all versions are.
      version: which of them; by default the newest.

    Raises:
      NoRecordingsError: there are none.
    """
    there = versions(folder)
    if not there:
        raise NoRecordingsError(
            f"There are no recordings in {folder}.\n"
            "Make them, where TensorFlow is installed, with: gradparity record"
        )
    if version is None:
        return Store(folder, there[-1])
    if version not in there:
        raise NoRecordingsError(
            f"There are no recordings from TensorFlow {version} in {folder}, only from "
            f"{', '.join(there)}."
        )
    return Store(folder, version)


class RecordedOracle:
    """Answers checks from a store; those that it does not know are answered by the reason.

    Args:
      checks: all that will be asked.
      store: the recordings.

    Raises:
      RecordingError: a file cannot be read.
    """

    occupies_a_core = False
    only_recorded = True  # what was not asked before cannot be asked now

    def __init__(self, checks: Sequence[Check], store: Store) -> None:
        self._found: dict[Program, Found] = {}
        for check in checks:
            found = look_up(check, store)
            # The same program may stand in two files, of which one alone is recorded.
            if found.answer is not None or check.program not in self._found:
                self._found[check.program] = found
        self._description = {**described(checks, store), "recorded": True}

    def start(self, profile: Profile) -> RecordedWorker:
        """A worker; it has nothing to start."""
        description: dict[str, Any] = {}
        for key, value in self._description.items():
            description[key] = value
            if key == "namespace":  # where a worker says it: reports are equal to the byte
                description["profile"] = profile
        return RecordedWorker(self._found, description)


class RecordedWorker:
    """Answers programs by what was recorded of them; see `workers.Worker`."""

    def __init__(self, found: Mapping[Program, Found], description: Mapping[str, Any]) -> None:
        self._found = found
        self._description = description
        self._waiting: deque[Program] = deque()

    def ready(self) -> Mapping[str, Any]:
        """What the worker said of itself that was recorded."""
        return self._description

    def send(self, program: Program) -> None:
        """See `Worker.send`."""
        self._waiting.append(program)

    def receive(self, time_limit: float) -> Outcome:
        """See `Worker.receive`.

        Raises:
          FinalFailure: TensorFlow crashed or hung when it was recorded, or nothing was.
        """
        found = self._found[self._waiting.popleft()]
        if found.answer is None:
            raise FinalFailure(NotRecorded(found.reason))
        failure = failure_of(found.answer)
        if failure is not None:
            raise FinalFailure(failure)
        try:
            return to_outcome(found.answer)
        except (TensorTextError, KeyError, TypeError) as error:
            raise FinalFailure(NotRecorded(f"the recording cannot be read: {error}")) from error

    def close(self) -> None:
        """See `Worker.close`."""
        self._waiting.clear()


def failure_answer(failure: WorkerFailure) -> Answer:
    """How a worker's failure on a program is recorded: without the words of its stderr.

    Raises:
      RecordingError: it did not fail on the program, but never came up.
    """
    if isinstance(failure, WorkerTimedOut):
        return Answer({TIMED_OUT: failure.seconds})
    if isinstance(failure, WorkerDied):
        return Answer({CRASHED: failure.reason})
    raise RecordingError(f"TensorFlow could not be asked: {failure}")


def failure_of(answer: Answer) -> WorkerFailure | None:
    """The inverse of `failure_answer`; None of the answer to a program that ended."""
    if TIMED_OUT in answer.results:
        return WorkerTimedOut(float(answer.results[TIMED_OUT]), "", 0)
    if CRASHED in answer.results:
        return WorkerDied(str(answer.results[CRASHED]), "", 0)
    return None
