"""Workers: who answers programs in one namespace and profile, and the ways in which they fail."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, Protocol

from gradparity import worker as worker_script
from gradparity.nursery import Forked, Nursery, NurseryLost
from gradparity.outcome import Outcome
from gradparity.program import Profile, Program

START_LIMIT = 300.0  # seconds; TensorFlow takes 3 to 8, many times that on a cold, busy disk
END_LIMIT = 5.0  # seconds from the end of its replies to its own, and for its last words
STDERR_LINES = 20  # kept for messages
STDERR_BYTES = 16_384  # kept until then: lines can be long
MEMORY_LIMIT = 4 << 30  # bytes; a check needs megabytes, and two workers' worth fits a laptop
DEFAULT_MODE = worker_script.MODES[0]
REPLY_LIMIT = 1 << 30  # bytes in one reply; more is a flood, not an answer


class WorkerFailure(Exception):
    """A worker that gave no answer.

    Attributes:
      reason: what happened, one line.
      stderr: the last lines that it wrote to stderr.
    """

    def __init__(self, reason: str, stderr: str = "") -> None:
        super().__init__(reason, stderr)
        self.reason = reason
        self.stderr = stderr

    def __str__(self) -> str:
        return f"{self.reason}\n{self.stderr}" if self.stderr else self.reason


class WorkerStartError(WorkerFailure):
    """The worker did not come up: a namespace that cannot be imported, an environment amiss."""


class WorkerDied(WorkerFailure):
    """The worker ended, or wrote what is no reply, while `request` was unanswered."""

    def __init__(self, reason: str, stderr: str, request: int) -> None:
        super().__init__(reason, stderr)
        self.request = request


class WorkerTimedOut(WorkerFailure):
    """The worker did not answer `request` within `seconds`; it was killed."""

    def __init__(self, seconds: float, stderr: str, request: int) -> None:
        super().__init__(f"no answer within {seconds:g} s", stderr)
        self.seconds = seconds
        self.request = request


class NotRecorded(WorkerFailure):
    """There is no recording from which this program could be answered."""


class FinalFailure(Exception):
    """A worker's answer to one program is this failure; the worker itself is well.

    Attributes:
      failure: the answer; to ask again would bring nothing else.
    """

    def __init__(self, failure: WorkerFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class Worker(Protocol):
    """Answers programs in the order in which they were sent."""

    def ready(self) -> Mapping[str, Any]:
        """Waits until it has started; returns its description of itself.

        Raises:
          WorkerStartError: it did not come up.
        """

    def send(self, program: Program) -> None:
        """Hands over a program without waiting for its answer."""

    def receive(self, time_limit: float) -> Outcome:
        """The answer to the oldest program not yet answered.

        Args:
          time_limit: seconds, from the moment at which that program could have begun.

        Raises:
          WorkerStartError: it did not come up.
          WorkerDied: it is of no more use; what it had been sent is lost.
          WorkerTimedOut: the same.
          FinalFailure: this program has no better answer; the next can be received.
        """

    def close(self) -> None:
        """Ends it; anything not yet answered is lost. May be called twice."""


class WorkerSource(Protocol):
    """Where workers of one side come from: processes, this process, or recordings.

    A source whose workers take next to no time says so with `occupies_a_core = False`.
    """

    def start(self, profile: Profile) -> Worker:
        """A new worker. Returns at once: the worker's own start goes on by itself."""


@dataclass(frozen=True)
class Processes:
    """Workers that are processes of their own: what one does, no other feels.

    Attributes:
      namespace: the module that wears `tensorflow.compat.v1`'s API.
      python: the interpreter; another environment's means another TensorFlow.
      paths: folders put before the interpreter's own module search path.
      memory_limit: bytes that a program may take beyond what the worker itself needs; None
        for no limit. On systems that know no such limits it has no effect.
      mode: by which of TensorFlow's own paths programs are asked, one of `worker.MODES`.
      shared_start: whether they are forked from one process that has imported the namespace;
        where that cannot be, each starts anew.
    """

    namespace: str
    python: str = sys.executable
    paths: Sequence[str] = ()
    memory_limit: int | None = MEMORY_LIMIT
    mode: str = DEFAULT_MODE
    shared_start: bool = False
    _nursery: Nursery | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.shared_start:
            object.__setattr__(self, "_nursery", Nursery([*self._command(), "--nursery"]))

    def start(self, profile: Profile) -> Worker:
        """Starts a process and returns without waiting for it."""
        return WorkerProcess(self._command(), profile, self.memory_limit, self._nursery)

    def _command(self) -> list[str]:
        command = [self.python, worker_script.__file__, "--namespace", self.namespace]
        command += ["--mode", self.mode]
        for path in self.paths:
            command += ["--path", path]
        return command


class HeadStart:
    """A source one of whose workers starts before anybody knows what to ask it.

    Args:
      source: where workers come from; what else there is to know of it, this one says too.
      profile: of the worker that starts now.

    Attributes:
      source: the same.
    """

    def __init__(self, source: WorkerSource, profile: Profile) -> None:
        self.source = source
        self._waiting = {profile: source.start(profile)}

    def start(self, profile: Profile) -> Worker:
        """The worker that has been started already, once; then new ones."""
        return self._waiting.pop(profile, None) or self.source.start(profile)

    def close(self) -> None:
        """Ends the worker, if nobody took it."""
        for worker in self._waiting.values():
            worker.close()
        self._waiting.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


@dataclass(frozen=True)
class InProcess:
    """Workers that live in this process, for debuggers: no isolation, no time limit.

    Attributes:
      namespace: the module that wears `tensorflow.compat.v1`'s API.
      paths: folders put before the module search path.
      mode: as for `Processes`.
    """

    namespace: str
    paths: Sequence[str] = ()
    mode: str = DEFAULT_MODE

    def start(self, profile: Profile) -> Worker:
        """A worker that does nothing until it is asked."""
        return _WorkerHere(self.namespace, profile, self.paths, self.mode)


class _WorkerHere:
    def __init__(self, namespace: str, profile: Profile, paths: Sequence[str], mode: str) -> None:
        self._namespace = namespace
        self._mode = mode
        self._profile = profile
        self._paths = paths
        self._side: worker_script.Side | None = None
        self._waiting: deque[Program] = deque()

    def ready(self) -> Mapping[str, Any]:
        return self._started().description  # type: ignore[no-any-return]

    def _started(self) -> worker_script.Side:
        if self._side is None:
            sys.path[:0] = [path for path in self._paths if path not in sys.path]
            try:
                self._side = worker_script.Side(self._namespace, self._profile, self._mode)
            except Exception as error:
                raise WorkerStartError(f"{type(error).__name__}: {error}") from error
        return self._side

    def send(self, program: Program) -> None:
        self._waiting.append(program)

    def receive(self, time_limit: float) -> Outcome:
        return Outcome.from_json(self._started().run(_payload(self._waiting.popleft())))

    def close(self) -> None:
        self._waiting.clear()


def _payload(program: Program) -> dict[str, str]:
    return {
        "profile": program.profile,
        "build": program.build,
        "gradients": program.gradients,
    }


class _End:
    """In place of a reply: the stream of replies has ended."""


@dataclass(frozen=True)
class _Garbage:
    """In place of a reply: a line that is none."""

    line: bytes


class WorkerProcess:
    """A child that runs worker.py and answers over JSON lines.

    Three threads move its bytes, so that neither process ever waits for the other to read:
    requests are pipelined, replies decoded as they come, stderr drained to a bounded tail.

    Args:
      command: what runs worker.py for a namespace.
      profile: the flags under which it runs.
      memory_limit: see `Processes`.
      nursery: what forks it; without one, or when that cannot be, it starts anew.

    Raises:
      WorkerStartError: there is no such interpreter.
    """

    def __init__(
        self,
        command: Sequence[str],
        profile: Profile,
        memory_limit: int | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self._command = [*command, "--profile", profile]
        if memory_limit is not None:
            self._command += ["--memory-limit", str(memory_limit)]
        self._description: Mapping[str, Any] | None = None
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[tuple[float, dict[str, Any] | _Garbage | _End]] = (
            queue.SimpleQueue()
        )
        self._unanswered: deque[tuple[int, float]] = deque()  # request and when it was sent
        self._next_request = 0
        self._free_since = time.monotonic()
        self._stderr = b""
        self._threads: list[threading.Thread] = []
        self._process: subprocess.Popen[bytes] | Forked | None = None  # None: to come, or never
        self._unwanted = False
        self._nursery = nursery  # lives as long as any of its workers is in use
        self._beginning = threading.Lock()
        try:
            if nursery is None:
                self._begin(self._started_anew())
            else:
                nursery.start()
                _daemon(partial(self._begin_forked, nursery, profile, memory_limit))
        except OSError as error:
            raise WorkerStartError(f"cannot start {command[0]}: {error}") from error

    def _begin_forked(self, nursery: Nursery, profile: Profile, memory_limit: int | None) -> None:
        """Waits for the nursery's import; nobody else need wait until then."""
        try:
            try:
                self._begin(nursery.fork(profile, memory_limit, START_LIMIT))
            except NurseryLost:
                if not self._unwanted:
                    self._begin(self._started_anew())
        except OSError as error:  # too many open files, for one
            self._stderr = str(error).encode()
            self._replies.put((time.monotonic(), _End()))

    def _started_anew(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches this process alone, which then ends its workers.
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _begin(self, process: subprocess.Popen[bytes] | Forked) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with self._beginning:
            self._process = process
            for move in (
                partial(self._move_requests, process.stdin),
                partial(self._move_replies, process.stdout),
                partial(self._move_stderr, process.stderr),
            ):
                self._threads.append(_daemon(move))
        if self._unwanted:
            self._kill()

    def ready(self) -> Mapping[str, Any]:
        """See `Worker.ready`."""
        if self._description is None:
            try:
                arrived, message = self._replies.get(timeout=START_LIMIT)
            except queue.Empty:
                self._kill()
                raise WorkerStartError(
                    f"not ready within {START_LIMIT:g} s", self._stderr_tail()
                ) from None
            description = message.get("ready") if isinstance(message, dict) else None
            if not isinstance(description, dict):
                raise WorkerStartError(self._death(message), self._stderr_tail())
            self._description = description
            self._free_since = arrived
        return self._description

    def send(self, program: Program) -> None:
        """See `Worker.send`."""
        request = {"run": self._next_request, "program": _payload(program)}
        self._unanswered.append((self._next_request, time.monotonic()))
        self._next_request += 1
        self._requests.put(json.dumps(request).encode("utf-8") + b"\n")

    def receive(self, time_limit: float) -> Outcome:
        """See `Worker.receive`."""
        self.ready()
        request, sent = self._unanswered[0]
        deadline = max(sent, self._free_since) + time_limit
        try:
            arrived, message = self._replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self._kill()
            raise WorkerTimedOut(time_limit, self._stderr_tail(), request) from None
        self._free_since = arrived
        self._unanswered.popleft()
        if isinstance(message, dict) and message.get("id") == request:
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return Outcome.from_json(message["outcome"])
        raise WorkerDied(self._death(message), self._stderr_tail(), request)

    def close(self) -> None:
        """See `Worker.close`."""
        # Killed even when idle: it has nothing to save, and TensorFlow takes a second to end.
        self._kill()

    def _kill(self) -> None:
        """Ends the process, if it still runs, and reaps it and the threads."""
        with self._beginning:
            self._unwanted = True
            process = self._process
        if process is None:  # where it begins it will be ended; nobody need wait for that
            self._replies.put((time.monotonic(), _End()))
            return
        if process.poll() is None:
            process.kill()
        process.wait()
        self._requests.put(None)
        for thread in self._threads:
            thread.join(END_LIMIT)  # in vain only when a grandchild holds the pipes

    def _death(self, message: dict[str, Any] | _Garbage | _End) -> str:
        """Why `message` came in place of a reply; the process has ended afterwards."""
        if isinstance(message, _End):
            if self._process is None:
                return "could not be started"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_LIMIT)  # its last words may still be on their way
            returncode = self._process.poll()
            self._kill()
            if returncode is not None:
                return _ending(returncode)
            return "closed its replies without ending"
        self._kill()
        shown = message.line if isinstance(message, _Garbage) else json.dumps(message).encode()
        return f"wrote what is not a reply: {shown[:80]!r}"

    def _stderr_tail(self) -> str:
        lines = self._stderr.decode("utf-8", errors="replace").rstrip().splitlines()
        return "\n".join(lines[-STDERR_LINES:])

    def _move_requests(self, pipe: IO[bytes]) -> None:
        # A broken pipe needs no word here: the end of the replies tells of it.
        with contextlib.suppress(OSError), pipe:
            while (line := self._requests.get()) is not None:
                pipe.write(line)
                if self._requests.empty():
                    pipe.flush()

    def _move_replies(self, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(REPLY_LIMIT):
                try:
                    message = json.loads(line)
                except ValueError:
                    message = None
                if not isinstance(message, dict):
                    self._replies.put((time.monotonic(), _Garbage(line[:200])))
                    return  # nothing that follows can be trusted, nor need it be stored
                self._replies.put((time.monotonic(), message))
        self._replies.put((time.monotonic(), _End()))

    def _move_stderr(self, pipe: IO[bytes]) -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), STDERR_BYTES):
                self._stderr = (self._stderr + chunk)[-STDERR_BYTES:]


def _daemon(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


def _ending(returncode: int) -> str:
    """An exit status for people."""
    if returncode >= 0:
        return f"ended with exit status {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
