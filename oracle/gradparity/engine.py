"""The engine: asks both sides about every check, judges each as soon as both have answered."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Literal, TypeAlias

from gradparity import nursery
from gradparity.blame.blamer import blame, can_be_blamed
from gradparity.blame.failures import blame_failures
from gradparity.implementations import known_names
from gradparity.judge.judge import crashed, judge, timed_out, unchecked
from gradparity.judge.verdict import Verdict
from gradparity.lane import TIME_LIMIT, Answer, Lane, LaneStopped
from gradparity.language.check import Check
from gradparity.ledger import Ledger
from gradparity.outcome import Outcome
from gradparity.program import Profile, Program
from gradparity.results import CheckResult, RunRecord
from gradparity.workers import (
    DEFAULT_MODE,
    MEMORY_LIMIT,
    InProcess,
    NotRecorded,
    Processes,
    WorkerFailure,
    WorkerSource,
    WorkerStartError,
    WorkerTimedOut,
)

TENSORFLOW = "tensorflow.compat.v1"
PIPELINED = 16  # programs in flight for one worker; it gets others when half are answered
CHECKS_PER_ORACLE = 500  # below, starting another TensorFlow takes longer than it saves
CHECKS_PER_FORK = 50  # the same for one that is forked from another's import
CHECKS_PER_IMPLEMENTATION = 300  # the same for the implementation, when no TensorFlow runs

SideName: TypeAlias = Literal["oracle", "implementation"]
SIDES: tuple[SideName, SideName] = ("oracle", "implementation")
Sides: TypeAlias = Mapping[SideName, WorkerSource]
Described: TypeAlias = dict[SideName, dict[str, Mapping[str, Any]]]  # by profile
# Index of a check, and what each side answered, as soon as all have.
_Dialogue: TypeAlias = Generator[tuple[int, Mapping[SideName, Answer]], None, None]


class StartError(Exception):
    """A side could not be started; the message says why and what to do."""


class OracleStartError(StartError):
    """The oracle could not be started: nothing can be judged."""


class ImplementationStartError(StartError):
    """The implementation under test could not be imported."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run.

    Attributes:
      record: the run as far as it came.
    """

    def __init__(self, record: RunRecord) -> None:
        super().__init__("interrupted")
        self.record = record


def timestamp() -> str:
    """Now: UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def default_jobs() -> int:
    """How many oracle workers run at a time when nobody says: each takes 0.6 GB."""
    return min(2, os.cpu_count() or 1)


def side_source(
    namespace: str,
    paths: Sequence[str] = (),
    in_process: bool = False,
    memory_limit: int | None = MEMORY_LIMIT,
    python: str | None = None,
    mode: str = DEFAULT_MODE,
) -> WorkerSource:
    """Where the workers of a side come from in a live run.

    Args:
      namespace: the module that wears `tensorflow.compat.v1`'s API.
      paths: folders put before the module search path.
      in_process: in this process, for debuggers, rather than in processes of their own.
      memory_limit: bytes for one program in a process of its own; None for no limit.
      python: the interpreter of such processes; by default this one's.
      mode: by which of TensorFlow's own paths programs are asked, one of `worker.MODES`.
    """
    if in_process:
        return InProcess(namespace, tuple(paths), mode)
    # Other namespaces are imported in a moment, and their threads are nobody's business here.
    shared = namespace == TENSORFLOW and nursery.are_possible()
    return Processes(namespace, python or sys.executable, tuple(paths), memory_limit, mode, shared)


def run(
    checks: Sequence[Check],
    implementation: str | WorkerSource = "numpy_tf",
    oracle: str | WorkerSource = TENSORFLOW,
    *,
    jobs: int | None = None,
    time_limit: float = TIME_LIMIT,
    ledger: Ledger | None = None,
    blamed: int = 0,
    restored: Sequence[CheckResult] = (),
    on_result: Callable[[CheckResult], None] = lambda result: None,
    on_ready: Callable[[SideName, Profile, Mapping[str, Any]], None] = lambda *ready: None,
) -> RunRecord:
    """Runs checks on both sides and judges them.

    Args:
      checks: what to ask, in the order of the record.
      implementation: the module under test, or where its workers come from.
      oracle: the same for the oracle.
      jobs: how many oracle workers, and as many of the implementation, run at a time; by
        default `default_jobs()`. In-process workers are asked one after the other.
      time_limit: seconds for one check on one side.
      ledger: the implementation's known divergences, or None.
      blamed: how many checks that differ are looked into, once all are judged, for the op
        that makes them differ.
      restored: results of a run that was interrupted: in the record they come first, and are
        looked into like the others.
      on_result: called with each result as it is judged, in the calling thread.
      on_ready: called with each side and profile that has come up, and its description of
        itself, in the calling thread.

    Raises:
      OracleStartError: the oracle could not be started.
      ImplementationStartError: the implementation could not be imported.
      Interrupted: Ctrl-C; it carries the record of what was judged until then.
    """
    sides: Sides = {
        "oracle": side_source(oracle) if isinstance(oracle, str) else oracle,
        "implementation": (
            side_source(implementation) if isinstance(implementation, str) else implementation
        ),
    }
    record = RunRecord(started_at=timestamp())
    started = time.perf_counter()
    judged: dict[int, CheckResult] = dict(enumerate(restored, -len(restored)))
    described = _Descriptions(on_ready)
    spare = SpareLanes(sides, time_limit)
    if any(isinstance(source, InProcess) for source in sides.values()):
        dialogue = _in_order(checks, sides, time_limit, described)
    else:
        keeping = spare if blamed else None
        dialogue = _side_by_side(
            checks, sides, jobs or default_jobs(), time_limit, described, keeping
        )
    interrupted = False
    try:
        with contextlib.closing(spare), contextlib.closing(dialogue):
            for index, answers in dialogue:
                result = judge_answers(checks[index], answers)
                if ledger is not None:
                    result = ledger.applied(result, described.of["oracle"])
                judged[index] = result
                on_result(result)
            if blamed:
                record.unblamed = blame_failures(judged, spare.ask, sides["oracle"], blamed)
    except KeyboardInterrupt:
        interrupted = True
    record.results = [judged[index] for index in sorted(judged)]
    record.oracle = dict(sorted(described.of["oracle"].items()))
    record.implementation = dict(sorted(described.of["implementation"].items()))
    record.seconds = time.perf_counter() - started
    record.interrupted = interrupted
    if interrupted:
        raise Interrupted(record)
    return record


def ask_oracle(
    checks: Sequence[Check],
    oracle: str | WorkerSource = TENSORFLOW,
    *,
    jobs: int | None = None,
    time_limit: float = TIME_LIMIT,
    on_answer: Callable[[Check, Answer], None] = lambda check, answer: None,
) -> tuple[dict[str, Answer], Mapping[str, Mapping[str, Any]]]:
    """Asks the oracle alone.

    Args:
      checks: what to ask.
      oracle: the module that knows the truth, or where its workers come from.
      jobs: how many workers run at a time; by default `default_jobs()`.
      time_limit: seconds for one check.
      on_answer: called with each check as it is answered, in the calling thread.

    Returns:
      Check id -> its answer, and profile -> who answered.

    Raises:
      OracleStartError: the oracle could not be started.
    """
    source = side_source(oracle) if isinstance(oracle, str) else oracle
    described = _Descriptions()
    sides: Sides = {"oracle": source}
    if isinstance(source, InProcess):
        dialogue = _in_order(checks, sides, time_limit, described)
    else:
        dialogue = _side_by_side(checks, sides, jobs or default_jobs(), time_limit, described)
    found: dict[str, Answer] = {}
    with contextlib.closing(dialogue):
        for index, answers in dialogue:
            found[checks[index].id] = answers["oracle"]
            on_answer(checks[index], answers["oracle"])
    return found, described.of["oracle"]


class _Descriptions:
    """What the workers of a run say of themselves, kept and passed on."""

    def __init__(
        self,
        on_ready: Callable[[SideName, Profile, Mapping[str, Any]], None] = lambda *ready: None,
    ) -> None:
        self.of: Described = {side: {} for side in SIDES}
        self._on_ready = on_ready

    def add(self, side: SideName, profile: Profile, description: Mapping[str, Any]) -> None:
        self.of[side][profile] = description
        self._on_ready(side, profile, description)


def _in_order(
    checks: Sequence[Check],
    sides: Sides,
    time_limit: float,
    described: _Descriptions,
) -> _Dialogue:
    """All in the calling thread, profile after profile."""
    for profile, indices in _by_profile(checks).items():
        lanes = {side: Lane(source, profile, time_limit) for side, source in sides.items()}
        try:
            for side in SIDES[::-1]:  # the implementation's mistakes show sooner
                if side in lanes:
                    try:
                        described.add(side, profile, lanes[side].ready())
                    except WorkerStartError as error:
                        raise _start_error(side, sides[side], error) from error
            for index in indices:
                for lane in lanes.values():
                    lane.send(checks[index].program)
                yield index, {side: lane.receive() for side, lane in lanes.items()}
        finally:
            for lane in lanes.values():
                lane.stop()


class SpareLanes:
    """A lane for each profile and side, for questions that come up later.

    Args:
      sides: where workers come from when none is there to be used again.
      time_limit: seconds for one program.
    """

    def __init__(self, sides: Sides, time_limit: float) -> None:
        self._sides = sides
        self._time_limit = time_limit
        self._lanes: dict[tuple[Profile, SideName], Lane] = {}

    def take(self, lanes: Mapping[tuple[Profile, SideName], Lane]) -> None:
        """Lanes with nothing under way, to be used and, at last, stopped."""
        self._lanes.update(lanes)

    def ask(self, side: SideName, program: Program) -> Answer:
        """One side's answer to one program."""
        key = program.profile, side
        if key not in self._lanes:
            self._lanes[key] = Lane(self._sides[side], program.profile, self._time_limit)
        self._lanes[key].send(program)
        return self._lanes[key].receive()

    def close(self) -> None:
        """Ends the workers."""
        _all_at_once(lane.stop for lane in self._lanes.values())


class Pairs:
    """For each profile a lane to either side, asked check by check: for pytest and debuggers.

    Args:
      sides: where the workers of both sides come from.
      time_limit: seconds for one check on one side.

    Attributes:
      described: side -> profile -> the description that the worker gave of itself.
    """

    def __init__(self, sides: Sides, time_limit: float = TIME_LIMIT) -> None:
        self._sides = sides
        self._time_limit = time_limit
        self._lanes: dict[Profile, dict[SideName, Lane]] = {}
        self._asked: dict[Profile, deque[str]] = {}
        self._results: dict[str, CheckResult] = {}
        self._checks: dict[str, Check] = {}
        self._start_errors: dict[Profile, StartError] = {}
        self.described: Described = {side: {} for side in SIDES}

    def ask(self, check: Check) -> None:
        """Hands a check to both sides, which begin with it as soon as they are free."""
        profile = check.program.profile
        if profile in self._start_errors or check.id in self._checks:
            return
        if profile not in self._lanes:
            self._asked[profile] = deque()
            self._lanes[profile] = {
                side: Lane(source, profile, self._time_limit)
                for side, source in self._sides.items()
            }
            for lane in self._lanes[profile].values():
                lane.start()
        self._checks[check.id] = check
        self._asked[profile].append(check.id)
        for lane in self._lanes[profile].values():
            lane.send(check.program)

    def result(self, check: Check) -> CheckResult:
        """The result of a check, which is asked now if that was not done before.

        Raises:
          OracleStartError: the oracle could not be started.
          ImplementationStartError: the implementation could not be imported.
        """
        self.ask(check)
        profile = check.program.profile
        if profile in self._start_errors:
            raise self._start_errors[profile]
        for side in SIDES[::-1]:  # the implementation's mistakes show sooner
            if profile not in self.described[side]:
                self.described[side][profile] = self._ready(side, profile)
        while check.id not in self._results:
            self._judge_oldest(profile)
        del self._checks[check.id]
        return self._results.pop(check.id)

    def blamed(self, result: CheckResult) -> CheckResult:
        """The same with what makes it differ, if it does; what is under way is ended first."""
        profile = result.check.program.profile
        while self._asked[profile]:
            self._judge_oldest(profile)

        def ask(side: SideName, program: Program) -> Answer:
            lane = self._lanes[profile][side]
            lane.send(program)
            return lane.receive()

        return replace(result, blame=blame(result, ask)) if can_be_blamed(result) else result

    def stop(self) -> None:
        """Ends all workers."""
        for pair in self._lanes.values():
            for lane in pair.values():
                lane.stop()
        self._lanes.clear()

    def _judge_oldest(self, profile: Profile) -> None:
        """Waits for both sides' answers to the check of a profile that was asked first."""
        oldest = self._checks[self._asked[profile].popleft()]
        answers = {side: self._lanes[profile][side].receive() for side in SIDES}
        self._results[oldest.id] = judge_answers(oldest, answers)

    def _ready(self, side: SideName, profile: Profile) -> Mapping[str, Any]:
        try:
            return self._lanes[profile][side].ready()
        except WorkerStartError as error:
            self._start_errors[profile] = _start_error(side, self._sides[side], error)
            raise self._start_errors[profile] from error


@dataclass(frozen=True)
class _Ready:
    """A lane to the judging thread: its worker has come up."""

    side: SideName
    profile: Profile
    description: Mapping[str, Any]


@dataclass(frozen=True)
class _Answered:
    """A lane to the judging thread: one check is done on this side."""

    side: SideName
    index: int
    answer: Answer


@dataclass(frozen=True)
class _Failed:
    """A lane to the judging thread: its worker did not come up, or the lane itself is broken."""

    side: SideName
    error: BaseException


_Inbox: TypeAlias = "queue.SimpleQueue[_Ready | _Answered | _Failed]"


def _side_by_side(
    checks: Sequence[Check],
    sides: Sides,
    jobs: int,
    time_limit: float,
    described: _Descriptions,
    spare: SpareLanes | None = None,
) -> _Dialogue:
    """All sides at once, a thread for each lane; yields in the order of completion.

    At the end a lane of each side and profile goes to `spare`, if that is given.
    """
    inbox: _Inbox = queue.SimpleQueue()
    answers: dict[int, dict[SideName, Answer]] = {}
    groups = _by_profile(checks)
    lanes: list[Lane] = []
    kept: dict[tuple[Profile, SideName], Lane] = {}
    pools = {side: ThreadPoolExecutor(jobs, thread_name_prefix=side) for side in sides}
    checks_per_lane = _checks_per_lane(sides)
    try:
        for profile, indices in groups.items():
            for side in sides:
                count = _lane_count(len(indices), jobs, checks_per_lane.get(side))
                shared = _Shared(indices)
                for _ in range(count):
                    lane = Lane(sides[side], profile, time_limit)
                    lanes.append(lane)
                    keep = spare is not None and kept.setdefault((profile, side), lane) is lane
                    pools[side].submit(_converse, lane, side, profile, checks, shared, inbox, keep)
        missing = len(checks)
        while missing:
            mail = inbox.get()
            if isinstance(mail, _Ready):
                described.add(mail.side, mail.profile, mail.description)
            elif isinstance(mail, _Failed):
                if not isinstance(mail.error, WorkerStartError):
                    raise mail.error
                # A side that never came up ends the run; if another of its workers did,
                # this one's checks are answered by the failure.
                if not described.of[mail.side]:
                    raise _start_error(mail.side, sides[mail.side], mail.error) from mail.error
            else:
                both = answers.setdefault(mail.index, {})
                both[mail.side] = mail.answer
                if len(both) == len(sides):
                    del answers[mail.index]
                    missing -= 1
                    yield mail.index, both
        if spare is not None:
            spare.take(kept)
            lanes = [lane for lane in lanes if lane not in kept.values()]
    finally:
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        _all_at_once(lane.stop for lane in lanes)
        for pool in pools.values():
            pool.shutdown()


def _checks_per_lane(sides: Sides) -> Mapping[SideName, int]:
    """Side -> how many checks make another of its workers worth its start; one for the rest."""
    if getattr(sides["oracle"], "occupies_a_core", True):
        forked = getattr(sides["oracle"], "shared_start", False)
        return {"oracle": CHECKS_PER_FORK if forked else CHECKS_PER_ORACLE}
    return {"implementation": CHECKS_PER_IMPLEMENTATION}


def _lane_count(checks: int, jobs: int, checks_per_lane: int | None) -> int:
    """How many workers of a side share the checks of one profile."""
    return 1 if checks_per_lane is None else max(1, min(jobs, checks // checks_per_lane))


@dataclass
class _Shared:
    """Indices of checks that several lanes draw from."""

    indices: Iterable[int]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._rest = iter(self.indices)

    def next(self) -> int | None:
        with self.lock:
            return next(self._rest, None)


def _converse(
    lane: Lane,
    side: SideName,
    profile: Profile,
    checks: Sequence[Check],
    shared: _Shared,
    inbox: _Inbox,
    keep: bool,
) -> None:
    """Feeds one lane until nothing is left, posts what it answers, and ends it unless kept."""
    try:
        try:
            inbox.put(_Ready(side, profile, lane.ready()))
        except WorkerStartError as error:
            inbox.put(_Failed(side, error))
        asked: deque[int] = deque()
        while True:
            if len(asked) <= PIPELINED // 2:
                while len(asked) < PIPELINED and (index := shared.next()) is not None:
                    lane.send(checks[index].program)
                    asked.append(index)
            if not asked:
                break
            inbox.put(_Answered(side, asked.popleft(), lane.receive()))
        if not keep:
            lane.stop()
    except LaneStopped:
        pass
    except BaseException as error:  # whatever it is, the judging thread must hear of it
        inbox.put(_Failed(side, error))


def _all_at_once(steps: Iterable[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _by_profile(checks: Sequence[Check]) -> dict[Profile, list[int]]:
    groups: dict[Profile, list[int]] = {}
    for index, check in enumerate(checks):
        groups.setdefault(check.program.profile, []).append(index)
    return groups


def judge_answers(check: Check, answers: Mapping[SideName, Answer]) -> CheckResult:
    """The result of a check, from what each side answered or how its worker failed on it."""
    outcomes = {
        side: answer if isinstance(answer, Outcome) else None for side, answer in answers.items()
    }
    oracle, implementation = outcomes["oracle"], outcomes["implementation"]
    if oracle is not None and implementation is not None:
        verdict = judge(check, oracle, implementation)
    else:
        side = next(side for side in SIDES if outcomes[side] is None)
        verdict = _verdict_on_failure(side, answers[side])
    return CheckResult(check, oracle, implementation, verdict)


def _verdict_on_failure(side: SideName, failure: Answer) -> Verdict:
    if isinstance(failure, WorkerTimedOut):
        return timed_out(side, failure.seconds)
    if isinstance(failure, NotRecorded):
        return unchecked(failure.reason)
    if isinstance(failure, WorkerStartError) and side == "oracle":
        return unchecked(str(failure))
    return crashed(side, str(failure))


def _start_error(side: SideName, source: WorkerSource, failure: WorkerFailure) -> StartError:
    """What to tell people who cannot start a side."""
    namespace = str(getattr(source, "namespace", side))
    python = str(getattr(source, "python", sys.executable))
    package = namespace.partition(".")[0]
    if f"No module named '{package}'" in str(failure):
        if side == "oracle":
            return OracleStartError(
                f"TensorFlow is not installed for {python}.\n"
                "Install it with: pip install 'gradparity[tensorflow]'"
            )
        return ImplementationStartError(
            f"The implementation cannot be imported: no module named '{package}' for {python}.\n"
            "Install it, or put the folder that holds it on PYTHONPATH. "
            f"Implementations that are installed by name: {', '.join(known_names())}."
        )
    if side == "oracle":
        return OracleStartError(f"The oracle could not be started: {failure}")
    return ImplementationStartError(f"The implementation {namespace} cannot be started: {failure}")
