"""Interpreter: whether another environment's Python can start an oracle, and if not, why."""

from __future__ import annotations

import ast
import os
import subprocess

from gradparity.engine import OracleStartError

OLDEST = (3, 7)
"""The oldest Python on which worker.py runs: TensorFlow 1.15 has none newer."""

PROBE_LIMIT = 60.0  # seconds; an interpreter starts in 0.05, from a cold network disk in many
WORDS = 300  # characters that are repeated of what something else said in place of an answer

# For any Python since 2.7; TensorFlow is looked for and not imported, which takes seconds.
PROBE = """
import sys
found = True
if sys.version_info >= (3, 4):
    import importlib.util
    found = importlib.util.find_spec("tensorflow") is not None
print(repr(("gradparity", list(sys.version_info[:3]), found)))
"""


def examine(python: str) -> None:
    """Asks an interpreter what it is, for a fraction of a second.

    Args:
      python: the path of its executable, or a name on the PATH.

    Raises:
      OracleStartError: it is not there, is no Python, is too old or has no TensorFlow; the
        message says what to do.
    """
    if os.path.isdir(python):
        raise _unfit(
            python, f"is a folder. Name the interpreter in it: {os.path.join(python, 'bin/python')}"
        )
    try:
        done = subprocess.run(
            [python, "-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_LIMIT,
            check=False,
        )
    except FileNotFoundError:
        raise _unfit(
            python, "is not there. Name the bin/python of an environment that has TensorFlow."
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unfit(python, f"cannot be run: {error}. Name a Python interpreter.") from None
    version, has_tensorflow = _answer(python, done)
    if version < OLDEST:
        raise _unfit(
            python,
            f"is Python {_dotted(version)}: the oracle needs {_dotted(OLDEST)} or later. For "
            "TensorFlow 1.15 make the environment with Python 3.7.",
        )
    if not has_tensorflow:
        packages = "'tensorflow==1.15.*' 'protobuf<3.21'" if version < (3, 8) else "tensorflow"
        raise _unfit(
            python,
            f"is Python {_dotted(version)} without TensorFlow.\n"
            f"Install it with: {python} -m pip install {packages}",
        )


def _answer(python: str, done: subprocess.CompletedProcess[bytes]) -> tuple[tuple[int, ...], bool]:
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    try:
        word, version, has_tensorflow = ast.literal_eval(lines[-1])
        if word == "gradparity":
            return tuple(version), bool(has_tensorflow)
    except (IndexError, ValueError, TypeError, SyntaxError):
        pass
    said = done.stderr.decode("utf-8", "replace").strip()[-WORDS:]
    raise _unfit(
        python,
        f"does not answer as a Python interpreter does (exit status {done.returncode})."
        + (f"\n{said}" if said else ""),
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _unfit(python: str, problem: str) -> OracleStartError:
    return OracleStartError(f"--oracle-python: {python} {problem}")
