"""The samples for CI and the pre-commit hook: they parse, and what they call exists and works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import yaml

from gradparity.cli import main

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / "examples" / "ci" / "github-actions.yml"
GITLAB = ROOT / "examples" / "ci" / "gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
GUIDE = ROOT / "docs" / "ci.md"


def scripts(data: Any) -> Iterator[str]:
    """What a sample gives to a shell."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("run", "script", "entry"):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from scripts(value)
    elif isinstance(data, list):
        for item in data:
            yield from scripts(item)


def shell_text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return "\n".join(re.findall(r"^\$ (.*)$", text, re.MULTILINE))
    return "\n".join(scripts(yaml.safe_load(text)))


def calls(text: str) -> list[list[str]]:
    """The calls of gradparity in a script, word by word."""
    joined = text.replace("\\\n", " ")
    lines = re.findall(r"(?:^|&& |; )gradparity (.*)$", joined, re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("path", [GITHUB, GITLAB, HOOKS, GUIDE], ids=lambda path: path.name)
def test_each_command_and_option_exists(path: Path) -> None:
    found = calls(shell_text(path))

    assert found
    for name, *words in found:
        command = main.get_command(click.Context(main), name)
        assert command is not None, name
        options = {option for parameter in command.params for option in parameter.opts}
        used = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
        assert used <= options, f"gradparity {name}: {sorted(used - options)}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with cases and recordings, in which `gradparity` is a command."""
    shutil.copytree(ROOT / "cases" / "tutorial", tmp_path / "cases" / "tutorial")
    (tmp_path / "recordings").symlink_to(ROOT / "recordings")
    program = tmp_path / "bin" / "gradparity"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gradparity "$@"\n')
    program.chmod(0o755)
    settings = {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "oracle"), str(ROOT / "impl")]),
        "IMPL": "numpy_tf",
        "CASES": "cases",
        "ORACLE": "recorded",
        "CI_PROJECT_URL": "https://example.org/group/project",
        "CI_JOB_ID": "1",
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.parametrize(
    ("sample", "shell", "baseline", "badge"),
    [
        (GITHUB, "bash", "baseline/report.json", "report/badge.json"),
        (GITLAB, "sh", "baseline.json", "report/badge.svg"),
    ],
    ids=["github", "gitlab"],
)
def test_its_script_runs_as_it_stands(
    project: Path, sample: Path, shell: str, baseline: str, badge: str
) -> None:
    (script,) = (
        text
        for text in scripts(yaml.safe_load(sample.read_text(encoding="utf-8")))
        if "gradparity run" in text
    )

    def run() -> str:
        step = subprocess.run(
            [shell, "-e", "-c", script], cwd=project, capture_output=True, text=True, timeout=120
        )
        assert step.returncode == 0, step.stdout + step.stderr
        return step.stdout

    assert "since the baseline" not in run()
    (project / baseline).parent.mkdir(exist_ok=True)
    (project / "report" / "report.json").rename(project / baseline)
    assert f"Nothing changed since the baseline {baseline}" in run()
    assert (project / badge).exists()
    assert len(ElementTree.parse(project / "junit.xml").getroot()) > 1
    assert "### gradparity: All" in (project / "summary.md").read_text(encoding="utf-8")
    if sample is GITLAB:
        assert json.loads((project / "code-quality.json").read_text(encoding="utf-8")) == []


def test_the_hook_finds_case_files_and_no_others() -> None:
    (hook,) = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    pattern = re.compile(hook["files"])

    assert hook["id"] == "gradparity-check"
    assert hook["types"] == ["yaml"]
    corpus = [path.relative_to(ROOT).as_posix() for path in (ROOT / "cases").rglob("*.yaml")]
    assert all(map(pattern.search, corpus))
    others = ["impl/numpy_tf/known_divergences.yaml", "showcases/a.yaml", "cases/README.md"]
    assert not any(map(pattern.search, others))
