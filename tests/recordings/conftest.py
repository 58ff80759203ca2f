"""A folder with cases in which tame_tf is the oracle, and what the command line says to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import gradparity
from gradparity import engine
from gradparity.cli import main

NAMESPACES = Path(__file__).parents[1] / "engine" / "namespaces"

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {{constant: 2.0}}
graph: |
  y = tf.{op}(x) * {factor}
gradients:
  - {{id: once, ys: y, xs: [x]}}
  - {{id: twice, ys: [y, y * 2.0], xs: [x]}}
"""


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Writes a case; the current folder holds `cases`, and an oracle is there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "TENSORFLOW", "tame_tf")
    package = Path(gradparity.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{NAMESPACES}{os.pathsep}{package}")

    def add(name, op="identity", factor="3.0"):
        path = tmp_path / "cases" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(CASE.format(op=op, factor=factor))
        return path

    add("first/triple")
    return add


@pytest.fixture
def no_oracle(monkeypatch):
    """From now on no oracle can be started."""
    return lambda: monkeypatch.setattr(engine, "TENSORFLOW", "nowhere_tf")


@pytest.fixture
def call():
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


@pytest.fixture
def report(tmp_path):
    """Reads a report, without what varies between runs with equal results."""

    def read(folder="reports/latest"):
        return without_times(json.loads((tmp_path / folder / "report.json").read_text()))

    return read


def without_times(item):
    if isinstance(item, dict):
        return {
            key: without_times(value)
            for key, value in item.items()
            if key not in ("seconds", "started_at")
        }
    return [without_times(entry) for entry in item] if isinstance(item, list) else item
