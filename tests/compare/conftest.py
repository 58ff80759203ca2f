"""Reports built by hand, as a run writes them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.comparison.report import read

KEY = "0123456789abcdef"
EXACT = {"ulp": 0, "eps_factor": 0.0, "atol": None, "rtol": 0.0}


def tensor(*values, dtype="float32", static="known", **more):
    shape = [len(values)]
    return {
        "kind": "dense",
        "dtype": dtype,
        "static_shape": shape if static == "known" else static,
        "shape": shape,
        "values": [str(value) for value in values],
        **more,
    }


def sparse(values, indices, dense_shape):
    def part(result):
        return None if result is None else {k: v for k, v in result.items() if k != "kind"}

    return {
        "kind": "sparse",
        "values": part(values),
        "indices": part(indices),
        "dense_shape": part(dense_shape),
    }


def outcome(*gradients, ys=(), error=None):
    return {
        "ys": list(ys),
        "gradients": list(gradients),
        "error": error,
        "gradient_functions": [],
        "seconds": {},
    }


def error(type="ValueError", message="no", stage="gradients"):
    return {"stage": stage, "type": type, "message": message, "line": None}


def check(id="a::y~x", oracle=None, implementation=None, verdict="agree", **more):
    answer = outcome(tensor(1.0, 2.0))
    return {
        "id": id,
        "case": id.partition("::")[0],
        "file": f"cases/{id.partition('::')[0]}.yaml",
        "line": 7,
        "column": 5,
        "profile": "tf1",
        "ys": ["y"],
        "xs": ["x"],
        "stopped": [],
        "program": KEY,
        "expectation": KEY,
        "tolerance": {"float32": {**EXACT, "ulp": 4}},
        "verdict": verdict,
        "reason": f"the reason of {verdict}",
        "oracle": oracle or answer,
        "implementation": implementation or answer,
        "script": "y = tf.old_name(x)",
        **more,
    }


def document(*checks, version="2.21.0", ended=True, **more):
    end = {"end": {"checks": len(checks), "seconds": 1.0}} if ended else {}
    return {
        "format": "gradparity-report",
        "version": 1,
        "started_at": "2026-01-02T03:04:05+00:00",
        "oracle": {"tf1": {"namespace": "tensorflow.compat.v1", "version": version}},
        "implementation": {"tf1": {"namespace": "numpy_tf", "version": "0.1.0"}},
        "checks": list(checks),
        **more,
        **end,
    }


@pytest.fixture
def make():
    """The builders above, by name."""
    return SimpleNamespace(
        check=check, document=document, error=error, outcome=outcome, sparse=sparse, tensor=tensor
    )


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes documents as files of the current folder, and reads them back as reports."""
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    return SimpleNamespace(
        write=write, report=lambda name, content: read(write(name, content)), folder=tmp_path
    )


@pytest.fixture
def call():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
