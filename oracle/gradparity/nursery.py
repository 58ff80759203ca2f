"""Nursery: a process that has imported a namespace once, and forks workers that begin with it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import IO

from gradparity.worker import ORPHANED

WORD = 32  # bytes in a word of a nursery's
SWITCH = "GRADPARITY_SHARED_START"  # this environment variable's "0" has every worker start anew


class NurseryLost(Exception):
    """The nursery has ended, or never came up, or cannot fork: workers have to start anew."""


def are_possible() -> bool:
    """Whether processes can be forked here with what they have imported, and nobody objects."""
    # Elsewhere nobody says how many threads there are; macOS's own libraries forbid it, too.
    return sys.platform == "linux" and os.environ.get(SWITCH) != "0"


class Nursery:
    """Starts its process with the first order, and ends it when nobody holds it any more.

    Args:
      command: what runs worker.py with `--nursery`.

    Attributes:
      process: its process, once it was started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._command = command
        self._orders: socket.socket | None = None
        self._starting = threading.Lock()

    def start(self) -> None:
        """Starts its process, if that was not done before, without waiting for it.

        Raises:
          OSError: there is no such interpreter.
        """
        with self._starting:
            if self._orders is not None:
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                # Whatever is wrong with the namespace, a worker that starts anew will tell.
                self.process = subprocess.Popen(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._orders = ours
            weakref.finalize(self, _end, ours, self.process)

    def fork(self, profile: str, memory_limit: int | None, seconds: float) -> Forked:
        """A new worker, which has imported the namespace.

        Args:
          profile: the flags under which it runs.
          memory_limit: see `workers.Processes`.
          seconds: how long the import may still take.

        Raises:
          NurseryLost: there can be none.
          OSError: there is no such interpreter.
        """
        self.start()
        assert self._orders is not None
        order = {"profile": profile, "memory_limit": memory_limit}
        stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        worker = Forked(
            line, os.fdopen(stdin[1], "wb"), os.fdopen(stdout[0], "rb"), os.fdopen(stderr[0], "rb")
        )
        given = [stdin[0], stdout[1], stderr[1], theirs.detach()]
        try:
            socket.send_fds(self._orders, [json.dumps(order).encode()], given)
        except OSError:
            pass  # it has ended: so does the line, now that nobody else holds its other end
        finally:
            for descriptor in given:
                os.close(descriptor)
        worker.begin(seconds)
        return worker


def _end(orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
    orders.close()
    process.kill()
    process.wait()


class Forked:
    """A worker that a nursery has forked: as much of `subprocess.Popen` as its parent needs.

    Args:
      line: on which the nursery tells of it, see `worker.nurse`.
      stdin: what the worker reads.
      stdout: what it replies.
      stderr: what else it writes.

    Attributes:
      pid: its process id.
      returncode: its exit status, or minus the signal that killed it; None while it runs. Of
        one whose nursery has ended, which ends soon after, it is the status that it ends with.
    """

    def __init__(
        self, line: socket.socket, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]
    ) -> None:
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.pid = 0
        self.returncode: int | None = None
        self._line = line
        self._waiting = threading.Lock()

    def begin(self, seconds: float) -> None:
        """Waits for the fork.

        Raises:
          NurseryLost: there will be none.
        """
        told = self._next_word(seconds)
        if not told:
            for end in (self.stdin, self.stdout, self.stderr, self._line):
                end.close()
            raise NurseryLost
        self.pid = int(told)

    def poll(self) -> int | None:
        """Its `returncode`, without waiting for it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its `returncode`, once it has ended.

        Raises:
          TimeoutExpired: it has not, after so many seconds.
        """
        with self._waiting:
            if self.returncode is None:
                told = self._next_word(timeout)
                if told is None:
                    raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0)
                self.returncode = int(told or ORPHANED)
                self._line.close()
            return self.returncode

    def kill(self) -> None:
        """Has it killed; `wait` for its end."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)

    def _next_word(self, seconds: float | None) -> bytes | None:
        """What the nursery says next; nothing when it has ended, None when it is silent."""
        self._line.settimeout(seconds)
        try:
            return self._line.recv(WORD)
        except (BlockingIOError, TimeoutError):
            return None
        except OSError:
            return b""
