"""Checks built by hand, and tiny namespaces that stand in for TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import gradparity
from gradparity.language.check import Case, Check, Position
from gradparity.program import Program
from gradparity.workers import Processes

NAMESPACES = Path(__file__).parent / "namespaces"


def tripled(misdeed=None, profile="tf1", factor="3.0"):
    """y = 3 x, and what one of the namespaces does besides."""
    act = f"tf.misbehave({misdeed!r})\n" if misdeed else ""
    return Program(
        profile,
        f"{act}x = tf.constant(2.0)\nys = [x * {factor}]\nxs = [x]\nfeeds = {{}}\n",
        "gradients = tf.gradients(ys, xs)\n",
    )


@pytest.fixture
def program():
    return tripled


@pytest.fixture
def check():
    def make(id, misdeed=None, profile="tf1", factor="3.0"):
        path = Path("cases") / f"{id.partition('::')[0]}.yaml"
        case = Case(id.partition("::")[0], path, "It triples.", "by hand", "y = x * 3")
        program = tripled(misdeed, profile, factor)
        return Check(id, case, Position(path, 4, 3), program, ys=["y"], xs=["x"])

    return make


@pytest.fixture
def shared_start():
    """Whether workers are forked from a process that has imported their namespace."""
    return False


@pytest.fixture
def namespace(shared_start):
    """The source of workers for one of the namespaces beside this file."""

    def source(name, **settings):
        return Processes(name, paths=(str(NAMESPACES),), shared_start=shared_start, **settings)

    return source


@pytest.fixture
def namespaces():
    return NAMESPACES


@pytest.fixture
def found_by_children(monkeypatch):
    """Child processes find the namespaces and gradparity, in whatever folder they start."""
    package = Path(gradparity.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{NAMESPACES}{os.pathsep}{package}")
