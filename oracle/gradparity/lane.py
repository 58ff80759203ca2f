"""Lane: one side in one profile, whose worker is replaced when it fails."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

from gradparity.outcome import Outcome
from gradparity.program import Profile, Program
from gradparity.workers import (
    FinalFailure,
    Worker,
    WorkerFailure,
    WorkerSource,
    WorkerStartError,
)

Answer: TypeAlias = Outcome | WorkerFailure

TIME_LIMIT = 60.0  # seconds for one check on one side


class LaneStopped(Exception):
    """The lane was stopped from outside while it was being asked."""


class Lane:
    """Answers programs in order and loses none to another program's misdeeds.

    A program on which the worker fails is tried once more, alone in a fresh worker, since
    what came before it may be to blame; if that fails too, the failure is its answer. The
    programs sent after it are sent again.

    Args:
      source: where workers come from.
      profile: the flags under which they run.
      time_limit: seconds for one program.
    """

    def __init__(
        self, source: WorkerSource, profile: Profile, time_limit: float = TIME_LIMIT
    ) -> None:
        self._source = source
        self._profile = profile
        self._time_limit = time_limit
        self._in_flight: deque[Program] = deque()
        self._worker: Worker | None = None
        self._lost: WorkerStartError | None = None  # why no further worker can be had
        self._stopped = False
        self._changing_worker = threading.Lock()

    def __len__(self) -> int:
        """How many programs have been sent and not yet answered."""
        return len(self._in_flight)

    def start(self) -> None:
        """Starts the first worker without waiting for it; `ready` tells of a failure."""
        with contextlib.suppress(WorkerStartError):
            self._current()

    def ready(self) -> Mapping[str, Any]:
        """Waits for the worker; returns its description of itself.

        Raises:
          WorkerStartError: the worker did not come up; it is the answer to all programs.
          LaneStopped: see `stop`.
        """
        try:
            return self._current().ready()
        except WorkerStartError as error:
            self._check_stopped()
            self._lost = error
            raise

    def send(self, program: Program) -> None:
        """Hands over a program without waiting for its answer."""
        worker = self._worker
        self._in_flight.append(program)
        if worker is not None:
            worker.send(program)

    def receive(self) -> Answer:
        """The answer to the oldest program not yet answered.

        Raises:
          LaneStopped: see `stop`.
        """
        program = self._in_flight[0]
        answer: Answer
        if self._lost is not None:
            answer = self._lost
        else:
            try:
                answer = self._current().receive(self._time_limit)
            except FinalFailure as final:
                answer = final.failure
            except WorkerFailure as failure:
                self._check_stopped()
                answer = self._answer_alone(program, failure)
        self._in_flight.popleft()
        return answer

    def _answer_alone(self, program: Program, first: WorkerFailure) -> Answer:
        """The answer of a fresh worker that is asked nothing else before."""
        self._discard()
        try:
            worker = self._new_worker()
            worker.ready()
        except WorkerStartError as error:
            self._check_stopped()
            self._discard()
            self._lost = error
            return first
        worker.send(program)
        try:
            answer = worker.receive(self._time_limit)
        except WorkerFailure as second:
            self._check_stopped()
            self._discard()
            return second
        for waiting in list(self._in_flight)[1:]:
            worker.send(waiting)
        return answer

    def stop(self) -> None:
        """Ends the worker for good; may be called from another thread."""
        with self._changing_worker:
            self._stopped = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _current(self) -> Worker:
        """The worker, which has been sent all that is in flight."""
        worker = self._worker
        if worker is not None:
            return worker
        worker = self._new_worker()
        for program in self._in_flight:
            worker.send(program)
        return worker

    def _new_worker(self) -> Worker:
        with self._changing_worker:
            self._check_stopped()
            self._worker = self._source.start(self._profile)
            return self._worker

    def _discard(self) -> None:
        with self._changing_worker:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _check_stopped(self) -> None:
        if self._stopped:
            raise LaneStopped
