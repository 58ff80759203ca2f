"""tame_tf, but for what it does when a program asks it to misbehave."""

import os
import sys
import time

import tame_tf
from tame_tf import *  # noqa: F403

programs_seen = 0


def disable_v2_behavior():
    print("wild_tf is here", file=sys.stderr)


def misbehave(how):
    MISDEEDS[how]()


def sin(x):
    abort()


def cos(x):
    hang()
    return x


def abort():
    print("last words", file=sys.stderr, flush=True)
    os.abort()


def hang():
    if "TELL_OF_HANGING" in os.environ:
        open(os.environ["TELL_OF_HANGING"], "w").close()
    time.sleep(float(os.environ.get("HANG_SECONDS", "3600")))


NOBODYS_ANSWER = (
    b'{"id": 99, "outcome": '
    b'{"ys": [], "gradients": [], "error": null, "op_types": [], "seconds": {}}}'
)


def write_among_the_replies(line):
    for descriptor in range(3, 12):
        try:
            os.write(descriptor, line + b"\n")
        except OSError:
            continue


def shout():
    """Floods stderr with far more than a pipe holds, and lives on."""
    for _ in range(200_000):
        print("noise", file=sys.stderr)


def abort_unless_alone():
    if programs_seen > 1:
        os.abort()


MISDEEDS = {
    "abort": abort,
    "hang": hang,
    "garbage": lambda: write_among_the_replies(b"Traceback: not JSON"),
    "nobody's answer": lambda: write_among_the_replies(NOBODYS_ANSWER),
    "shout": shout,
    "abort unless alone": abort_unless_alone,
    "devour": lambda: bytearray(100 << 30),
    "exit": lambda: os._exit(7),
}


class Graph(tame_tf.Graph):
    """Made once for each program."""

    def __init__(self):
        global programs_seen
        programs_seen += 1
