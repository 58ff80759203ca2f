"""Setting up a checkout: a Python that fits is found by running it, or its lack is explained."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS_PYTHON = os.path.realpath(sys.executable)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that is the whole PATH: only what a test puts there exists."""
    folder = tmp_path / "path with a space"
    folder.mkdir()
    return folder


def program(path: Path, name: str, script: str) -> None:
    file = path / name
    file.write_text("#!/bin/sh\n" + script + "\n", encoding="utf-8")
    file.chmod(0o755)


def find_python(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "requirements/find_python.sh", *arguments],
        cwd=ROOT,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def python_of_release(release: str) -> str:
    """A script that answers as this Python does, but claims another release."""
    info = f"__import__('sys').version_info = ({release.replace('.', ', ')}, 0)"
    return f'shift; code=$1; shift; exec "{THIS_PYTHON}" -c "{info}$(printf "\\n%s" "$code")" "$@"'


def test_the_first_python_that_fits_is_found(path: Path) -> None:
    program(path, "python3.11", python_of_release("3.11"))

    found = find_python(path)

    assert found.returncode == 0, found.stderr
    assert os.path.realpath(found.stdout.strip()) == THIS_PYTHON


def test_a_shim_that_fails_when_run_is_passed_over(path: Path) -> None:
    program(path, "python3.13", "echo 'shim: no such version' >&2; exit 127")
    program(path, "python3", python_of_release("3.12"))

    assert find_python(path).returncode == 0


def test_without_a_python_that_fits_each_candidate_is_named_with_the_reason(path: Path) -> None:
    program(path, "python3.13", "echo 'shim: no such version' >&2; exit 127")
    program(path, "python3.12", python_of_release("3.9"))
    program(path, "python3", python_of_release("3.14"))

    found = find_python(path)

    assert found.returncode != 0
    assert found.stdout == ""
    assert found.stderr.splitlines()[:8] == [
        "gradparity needs CPython 3.10 or later, below 3.14, and found none that fits:",
        "",
        "  python3.13: does not run: shim: no such version (exit status 127)",
        "  python3.12: is Python 3.9.0",
        "  python3.11: not found",
        "  python3.10: not found",
        "  python3: is Python 3.14.0",
        "",
    ]


def test_a_named_python_is_the_only_candidate(path: Path) -> None:
    program(path, "python3.12", python_of_release("3.12"))
    program(path, "mine", python_of_release("3.9"))

    found = find_python(path, "mine")

    assert found.returncode != 0
    assert "  mine: is Python 3.9.0" in found.stderr
    assert "python3.12:" not in found.stderr


def test_set_up_leaves_an_environment_alone_that_it_did_not_make(tmp_path: Path) -> None:
    theirs = tmp_path / "venv"
    theirs.mkdir()
    (theirs / "precious").touch()

    set_up = subprocess.run(
        ["/bin/sh", "requirements/set_up.sh", str(theirs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert set_up.returncode != 0
    assert "was not made by this Makefile" in set_up.stderr
    assert (theirs / "precious").exists()
