"""Hostile checks by the whole command: each gets its verdict, and all others are judged."""

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from gradparity.nursery import SWITCH

HOSTILE = Path(__file__).parent / "hostile" / "cases"
TIME_LIMIT = 4.0
TENSORFLOWS_START = 20.0  # seconds, with room for a busy machine

# Check -> its verdict, and what its reason says.
VERDICTS = {
    "implementation::aborts": ("crashed", "the implementation crashed: killed by SIGABRT"),
    "implementation::garbage": ("crashed", "wrote what is not a reply: b'Traceback: not JSON"),
    "implementation::exits": ("crashed", "the implementation crashed: ended with exit status 7"),
    "implementation::hangs": ("timed-out", "the implementation did not answer within 4 s"),
    "tensorflow::aborts": ("crashed", "TensorFlow crashed: killed by SIGABRT"),
    "tensorflow::endless": ("timed-out", "TensorFlow did not answer within 4 s"),
    "tensorflow::a-hundred-gigabytes": ("agree", "both raise ResourceExhaustedError"),
}


@pytest.fixture(params=["0", "1"], ids=["anew", "forked"])
def run(found_by_children, tmp_path, request):
    """Runs the hostile cases in a process of its own."""
    numpy_tf = Path(find_spec("numpy_tf").origin).parents[1]
    path = f"{os.environ['PYTHONPATH']}{os.pathsep}{numpy_tf}"

    def run(*options):
        command = [sys.executable, "-m", "gradparity", "run", HOSTILE, "--report", tmp_path]
        return subprocess.run(
            [str(word) for word in (*command, *options)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, SWITCH: request.param},
        )

    return run


def test_every_hostile_check_gets_its_verdict_and_every_other_is_judged(run, tmp_path):
    began = time.monotonic()
    ended = run("--impl", "hostile_tf", "--time-limit", TIME_LIMIT)
    assert ended.returncode == 1, ended.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["end"]["checks"] == len(report["checks"]) == 14
    found = {check["id"]: (check["verdict"], check["reason"]) for check in report["checks"]}
    for check, (verdict, reason) in VERDICTS.items():
        assert found[check][0] == verdict
        assert reason in found.pop(check)[1]
    assert len(found) == 7
    assert {verdict for verdict, _ in found.values()} == {"agree"}
    # TensorFlow fails on two checks, each asked twice, and starts anew after each failure.
    assert time.monotonic() - began < 5 * TENSORFLOWS_START + 4 * TIME_LIMIT


def test_an_implementation_that_dies_at_its_start_ends_the_run_with_2(run):
    ended = run("--impl", "stillborn_tf")
    assert ended.returncode == 2
    assert "no such instruction on this machine" in ended.stderr
