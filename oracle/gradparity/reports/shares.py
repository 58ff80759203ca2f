"""Shares: work that is cut into parts and done by as many processes as there are cores."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


def cores() -> int:
    """How many processes can work at a time; 1 where this one cannot be forked safely.

    A fork has only the thread that made it, so that locks of others would be held for ever;
    and systems other than Linux have libraries that do not survive one.
    """
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


def in_shares(work: Callable[[int, int], None], parts: int) -> None:
    """Does all parts of some work: work(number, parts) for each number from 0.

    The first part is this process's own, each other that of a fork. What a fork fails at is
    done again here, so that errors are raised as if there were no forks.

    Args:
      work: does a part for its effects on files: a fork's memory is lost.
      parts: how many there are, at least 1.
    """
    forks = {_fork(work, number, parts): number for number in range(1, parts)}
    try:
        work(0, parts)
    finally:
        failed = [forks[pid] for pid in forks if os.waitpid(pid, 0)[1]]
    for number in failed:
        work(number, parts)


def _fork(work: Callable[[int, int], None], number: int, parts: int) -> int:
    """Starts a part in a fork; gives its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        work(number, parts)
        status = 0
    finally:
        os._exit(status)  # past whatever the parent has to clean up, and its traceback
