"""The tutorial's four programs print the tutorial's numbers, with one import changed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).with_name("tutorial_programs")
PRINTED = {
    "sum_of_two": ["[5.0, 1.0]", "[1.0, 1.0]", "[3.0, 4.0]"],
    "weighted_sum": [
        "[array([2., 2., 3.], dtype=float32), array([2., 2., 3.], dtype=float32), "
        "array([5., 4., 7.], dtype=float32), array([3., 2., 4.], dtype=float32)]"
    ],
    "stopped": ["[2.0, 1.0]", "5.0"],
    "not_stopped": ["[3.0, 2.0]", "5.0"],
}


@pytest.mark.parametrize("program", sorted(PRINTED))
def test_prints_the_tutorials_numbers(program):
    run = subprocess.run(
        [sys.executable, PROGRAMS / f"{program}.py"], capture_output=True, text=True, timeout=60
    )
    assert run.stderr == ""
    # NumPy 2 prints a scalar inside a list as np.float32(5.0), where NumPy 1 printed 5.0.
    lines = [re.sub(r"np\.float32\(([^)]*)\)", r"\1", line) for line in run.stdout.splitlines()]
    assert lines == PRINTED[program]
