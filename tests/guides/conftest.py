"""Follows a guide: what its blocks tell the reader to write and to run, in their order.

In the Markdown of a guide

- a block after `<!-- file: PATH -->` is a file that the reader writes,
- a `console` block is commands, each after `$ `, with the output that follows it,
- every other block is only shown.

In expected output `...` stands for any text within a line, and alone on a line for any lines.
Nothing that is not shown may be printed, and nothing shown may be missing.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import gradparity

ROOT = Path(__file__).parents[2]

FENCE = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
TIME_LIMIT = 300.0  # seconds; a guide may start TensorFlow on a busy machine


@dataclass(frozen=True)
class File:
    """A file that the reader writes."""

    path: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that the reader runs, and what the guide says it prints."""

    line: str
    expected: str


def steps(guide: str) -> Iterator[File | Command]:
    """What a guide tells its reader to do."""
    for block in FENCE.finditer(guide):
        if block["file"]:
            yield File(block["file"], block["text"])
        elif block["language"] == "console":
            for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                line, _, expected = part.partition("\n")
                yield Command(line, expected)


def followed(guide: str, folder: Path, environment: Mapping[str, str]) -> list[tuple[Command, str]]:
    """Does what a guide says in one shell, and returns each command with what it printed."""
    commands: list[Command] = []
    script = ["status=0"]
    for step in steps(guide):
        if isinstance(step, File):
            path = shlex.quote(step.path)
            script.append(f'mkdir -p "$(dirname {path})"')
            script.append(f"cat > {path} <<'END OF FILE'\n{step.text}END OF FILE")
        else:
            commands.append(step)
            # The status is kept for a reader who asks for it with `echo $?`.
            script.append(f"(exit $status)\n{step.line}\nstatus=$?\nprintf '\\0'")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIME_LIMIT,
    )
    printed = done.stdout.split("\0")
    assert len(printed) == len(commands) + 1, done.stdout
    return list(zip(commands, printed, strict=False))


def unlike(expected: str, printed: str) -> str:
    """In what printed text is not as expected, for people; "" when it is as expected."""
    pattern = "".join(map(_pattern, expected.splitlines()))
    if printed and not printed.endswith("\n"):
        printed += "\n"
    if re.fullmatch(pattern, printed):
        return ""
    return f"expected:\n{expected}\nprinted:\n{printed}"


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:.*\n)*"
    return ".*".join(map(re.escape, line.split("..."))) + r"\n"


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell in which gradparity is installed, whether or not it is where the tests run."""
    commands = tmp_path_factory.mktemp("bin")
    for module in ("gradparity", "pip", "pytest"):
        command = commands / module
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        command.chmod(0o755)
    sources = str(Path(gradparity.__file__).parents[1]), str(ROOT / "impl")
    return {
        "PATH": os.pathsep.join([str(commands), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(sources),
        "HOME": str(commands),
    }


@pytest.fixture
def follow(environment: dict[str, str]) -> Callable[[str, Path], list[str]]:
    """Follows a guide of docs/ in a folder; returns what was not as it says."""

    def follow(guide: str, folder: Path) -> list[str]:
        text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
        done = followed(text, folder, environment)
        assert done, "the guide has no commands"
        found = ((command.line, unlike(command.expected, printed)) for command, printed in done)
        return [f"$ {line}\n{difference}" for line, difference in found if difference]

    return follow


@pytest.fixture
def following() -> SimpleNamespace:
    """The functions by which guides are followed."""
    return SimpleNamespace(steps=steps, followed=followed, unlike=unlike, File=File)
