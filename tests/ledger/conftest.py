"""Checks and results built by hand, and a corpus that two tiny namespaces answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import gradparity
from gradparity import engine
from gradparity.judge.verdict import Difference, Kind, Verdict, Word
from gradparity.language.check import Case, Check, Position
from gradparity.program import Program
from gradparity.results import CheckResult

NAMESPACES = Path(__file__).parents[1] / "engine" / "namespaces"

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {constant: 2.0}
graph: |
  y = tf.identity(x) * 3.0
gradients:
  - {id: first, ys: y, xs: [x]}
  - {id: second, ys: y, xs: [x]}
"""


def a_check(id, profile="tf1"):
    path = Path("cases") / f"{id.partition('::')[0]}.yaml"
    case = Case(id.partition("::")[0], path, "It triples.", "by hand", "y = x * 3")
    return Check(id, case, Position(path, 4, 3), Program(profile, "", ""), ys=["y"], xs=["x"])


def a_result(id, word=Word.DIFFER, kinds=("value",), profile="tf1", reason="3.0 and 4.0"):
    """The result of a check, which differs in value unless something else is said."""
    differences = [Difference("gradient 0 (x)", Kind(kind), "a", "b") for kind in kinds]
    if word is not Word.DIFFER:
        differences = []
    kind = differences[0].kind if differences else None
    verdict = Verdict(word, reason, kind, differences)
    return CheckResult(a_check(id, profile), None, None, verdict)


@pytest.fixture
def check():
    return a_check


@pytest.fixture
def result():
    return a_result


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two checks, of which tame_tf is the oracle and wrong_tf gets both wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "TENSORFLOW", "tame_tf")
    package = Path(gradparity.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{NAMESPACES}{os.pathsep}{package}")
    monkeypatch.syspath_prepend(str(NAMESPACES))
    case = tmp_path / "cases" / "triple.yaml"
    case.parent.mkdir()
    case.write_text(CASE)
    return case
