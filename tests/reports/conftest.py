"""Runs built by hand, so that reports are tested without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gradparity.judge.verdict import Comparison, Difference, Kind, Rule, Verdict, Word
from gradparity.language.check import Case, Check, Position
from gradparity.outcome import DenseResult, Failure, Outcome, SparseResult
from gradparity.program import Program
from gradparity.reports.document import case_data, check_data
from gradparity.reports.failure import failure_text
from gradparity.results import CheckResult, RunRecord

DESCRIPTION = {"protocol": 1, "python": "3.11.9", "numpy": "2.4.6", "machine": "x86_64"}
ORACLE = {
    profile: {
        **DESCRIPTION,
        "namespace": "tensorflow.compat.v1",
        "profile": profile,
        "version": "2.21.0",
        "environment": {"TF_ENABLE_ONEDNN_OPTS": "0"},
        "session": {"do_constant_folding": False},
    }
    for profile in ("tf1", "v2")
}
IMPLEMENTATION = {
    "tf1": {
        **DESCRIPTION,
        "namespace": "numpy_tf",
        "profile": "tf1",
        "version": "0.1.0",
        "environment": {},
        "session": {},
    }
}


def dense(value, static_shape="known", dtype=None):
    array = np.asarray(value)
    return DenseResult(
        dtype or ("string" if array.dtype.kind == "O" else array.dtype.name),
        array.shape if static_shape == "known" else static_shape,
        array,
    )


def sparse(values, indices, dense_shape):
    return SparseResult(
        dense(values), dense(indices), None if dense_shape is None else dense(dense_shape)
    )


def outcome(*gradients, ys=(), error=None, **more):
    return Outcome(
        ys=ys,
        gradients=gradients,
        error=error,
        seconds={"build": 0.0012, "gradients": 0.0034, "run": 0.0056},
        **more,
    )


def case(name="tutorial/weighted_sum", **changed):
    settings = {
        "path": Path("cases") / f"{name}.yaml",
        "about": "grad_ys weights each y before the sum over ys is differentiated.",
        "source": "TensorFlow API documentation, tf.gradients",
        "graph": "z1 = w1 * w2  # weighted\nz2 = tf.stop_gradient(z1)\n",
    }
    return Case(name=name, **{**settings, **changed})


def result(
    word=Word.AGREE,
    reason="Both sides agree bit for bit.",
    oracle=None,
    implementation=None,
    *,
    of=None,
    query="z1~w1",
    xs=("w1",),
    line=14,
    **verdict,
):
    of = of or case()
    program = Program("tf1", of.graph + "ys = [z1]\nxs = [w1]\nfeeds = {}\n", "gradients = []\n")
    check = Check(f"{of.name}::{query}", of, Position(of.path, line, 5), program, ys=("z1",), xs=xs)
    return CheckResult(check, oracle, implementation, Verdict(word, reason, **verdict))


def agreeing(**more):
    w1 = dense(np.float32([1, 2, 3]))
    return result(
        oracle=outcome(w1, gradient_calls={"1 float32": "Mul"}, op_types=("Mul",)),
        implementation=outcome(w1),
        comparisons=[Comparison("gradient 0 (w1)", Rule.BITS, 0)],
        **more,
    )


def differing(**more):
    return result(
        Word.DIFFER,
        more.pop("reason", "gradient 0 (w1) differs in 1 of 3 values."),
        outcome(dense(np.float32([1, 2, 3])), ys=[dense(np.float32(6))]),
        outcome(dense(np.float32([1, 2, 4])), ys=[dense(np.float32(6))]),
        kind=Kind.VALUE,
        differences=[
            Difference("gradient 0 (w1)", Kind.VALUE, "3.0", "4.0", (2,), 1, 3, "worst 4194304 ulp")
        ],
        comparisons=[
            Comparison("gradient 0 (w1)", None, 4194304),
            Comparison("y 0 (z1)", Rule.BITS, 0),
        ],
        **more,
    )


def raising(**more):
    error = Failure("gradients", "ValueError", "Shapes must be equal", 1)
    return result(
        Word.DIFFER,
        "TensorFlow raises ValueError, the implementation answers.",
        outcome(error=error),
        outcome(dense(np.float32([1, 2, 4]))),
        kind=Kind.ERROR,
        **more,
    )


def run(*results):
    return RunRecord(results, ORACLE, IMPLEMENTATION, "2026-01-02T03:04:05+00:00", 12.3456789)


def every_word():
    """A run in which each verdict word occurs once, each in a case of its own."""
    results = [
        result(word, f"A reason for {word.value}.", of=case(f"words/{word.value}")) for word in Word
    ]
    return run(agreeing(), differing(), raising(of=case("tutorial/raises")), *results)


def many(checks=10_000, per_case=14, failing_every=40):
    """A run as large as they come: `checks` checks in some seven hundred files."""
    cases = [case(f"family{n % 20}/behaviour_{n}") for n in range(-(-checks // per_case))]
    return run(
        *(
            (differing if n % failing_every == 0 else agreeing)(
                of=cases[n // per_case], query=f"z1~w1,w2[float32,{n}]", line=n % per_case + 10
            )
            for n in range(checks)
        )
    )


@pytest.fixture
def make():
    """The builders above, by name."""
    return SimpleNamespace(
        **{
            builder.__name__: builder
            for builder in (
                agreeing, case, dense, differing, every_word, many, outcome, raising, result, run,
                sparse,
            )
        }
    )  # fmt: skip


@pytest.fixture
def told():
    """The text of a failing result, from data that has been through a file."""

    def text(result, *names):
        check, case = json.loads(json.dumps([check_data(result), case_data(result.check.case)]))
        return failure_text(check, case, *names)

    return text


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    """The current directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
