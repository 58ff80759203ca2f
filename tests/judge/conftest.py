"""Outcomes and checks made by hand, so that the judge is tested without TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from gradparity.language.check import Case, Check, Position
from gradparity.outcome import DenseResult, Failure, Outcome, SparseResult
from gradparity.program import Program

UNSET = object()


def make_dense(values, dtype="float32", *, static_shape=UNSET, symbolic_dtype=None):
    """A tensor that is `values`; what was known before the run agrees unless it is given."""
    if dtype == "string":
        value = np.array(values, dtype=object)
    elif dtype == "bfloat16":
        import ml_dtypes

        value = np.array(values, dtype=ml_dtypes.bfloat16)
    else:
        value = np.array(values, dtype=dtype)
    return DenseResult(
        dtype=symbolic_dtype or dtype,
        static_shape=value.shape if static_shape is UNSET else static_shape,
        value=value,
    )


def make_sparse(values, indices, dense_shape=None, dtype="float32"):
    return SparseResult(
        values=make_dense(values, dtype),
        indices=make_dense(indices, "int32"),
        dense_shape=None if dense_shape is None else make_dense(dense_shape, "int32"),
    )


@pytest.fixture
def dense():
    return make_dense


@pytest.fixture
def sparse():
    return make_sparse


@pytest.fixture
def answer():
    """An outcome: gradients, and one y unless it is given, of a graph that sums."""

    def make(*gradients, ys=None, op_types=("MatMul",)):
        ys = (make_dense(7.0),) if ys is None else ys
        return Outcome(ys=ys, gradients=gradients, op_types=op_types)

    return make


@pytest.fixture
def error():
    """An outcome that is an error."""

    def make(type="ValueError", stage="gradients", message="no such thing"):
        return Outcome(error=Failure(stage=stage, type=type, message=message))

    return make


@pytest.fixture
def check():
    """A check of y with respect to w1, w2, w3; what matters is given by keyword."""

    def make(*, build="y = tf.square(w1)", gradients="gradients = tf.gradients(ys, xs)", **fields):
        path = Path("cases/a/b.yaml")
        return Check(
            id="a/b::y~w1,w2,w3",
            case=Case(name="a/b", path=path, about="…", source="…", graph=build),
            position=Position(path, 1, 1),
            program=Program("tf1", build, gradients),
            ys=["y"],
            xs=["w1", "w2", "w3"],
            **fields,
        )

    return make
