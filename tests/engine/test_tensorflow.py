"""TensorFlow itself on both sides, started once for all tests of this module."""

from pathlib import Path

import pytest

from gradparity import engine
from gradparity.language.check import Case, Check, Position
from gradparity.program import Program

WEIGHTED = Program(
    "tf1",
    "w = tf.Variable([1.0, 2.0], dtype=tf.float32, name='w')\n"
    "p = tf.placeholder(tf.float32, [None], name='p')\n"
    "y = w * p\n"
    "ys = [y]\n"
    "xs = [w, p]\n"
    "feeds = {p: [3.0, 4.0]}\n",
    "gradients = tf.gradients(ys, xs, grad_ys=[tf.constant([1.0, 10.0])])\n",
)
SPARSE = Program(
    "tf1",
    "w = tf.Variable([1.0, 2.0, 3.0], name='w')\n"
    "ys = [tf.gather(w, [2, 0, 2]) * 5.0]\nxs = [w]\nfeeds = {}\n",
    "gradients = tf.gradients(ys, xs)\n",
)
REGISTERING = Program(
    "tf1",
    "@tf.RegisterGradient('SevenTimes')\n"
    "def seven_times(op, grad): return 7.0 * grad\n"
    "x = tf.constant([1.0, 2.0])\n"
    "with tf.get_default_graph().gradient_override_map({'Identity': 'SevenTimes'}):\n"
    "    y = tf.identity(tf.custom_gradient(lambda x: (x, lambda dy: dy))(x))\n"
    "ys = [y]\nxs = [x]\nfeeds = {}\n",
    "gradients = tf.gradients(ys, xs)\n",
)
WRONG = Program(
    "tf1",
    "x = tf.constant([1.0, 2.0])\nys = [x + [1.0, 2.0, 3.0]]\nxs = [x]\nfeeds = {}\n",
    "gradients = tf.gradients(ys, xs)\n",
)


@pytest.fixture(scope="module")
def record():
    path = Path("cases/by_hand.yaml")
    case = Case("by_hand", path, "About.", "by hand", "graph")
    checks = [
        Check(f"by_hand::{name}", case, Position(path, 1, 1), program, ["y"], ["w", "p"])
        for name, program in {
            "weighted": WEIGHTED,
            "sparse": SPARSE,
            "wrong": WRONG,
            "registering": REGISTERING,
            "registering-again": REGISTERING,
        }.items()
    ]
    return engine.run(checks, implementation=engine.TENSORFLOW)


def test_tensorflow_agrees_with_itself_bit_for_bit(record):
    weighted, sparse, *_ = record.results
    assert weighted.verdict.bit_equal, weighted.verdict.reason
    assert sparse.verdict.bit_equal, sparse.verdict.reason
    assert [g.value.tolist() for g in weighted.oracle.gradients] == [[3.0, 40.0], [1.0, 20.0]]
    assert sparse.oracle.gradients[0].indices.value.tolist() == [2, 0, 2]


def test_the_gradient_functions_that_were_called_are_known(record):
    weighted, sparse, *_ = record.results
    assert "Mul" in weighted.oracle.gradient_functions
    assert "GatherV2" in sparse.oracle.gradient_functions


def test_an_error_of_tensorflow_has_its_stage_and_line(record):
    error = record.results[2].oracle.error
    assert (error.stage, error.type, error.line) == ("build", "ValueError", 2)


def test_version_and_configuration_are_on_record(record):
    description = record.oracle["tf1"]
    assert description["version"].startswith("2.")
    assert description["environment"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert description["session"]["disable_meta_optimizer"] is True


def test_what_a_program_registers_is_forgotten_after_it(record):
    for result in record.results[3:]:
        assert result.verdict.bit_equal, result.verdict.reason
        assert result.oracle.gradients[0].value.tolist() == [7.0, 7.0]


def calls(build, gradients="gradients = tf.gradients(ys, xs)\n", profile="tf1"):
    program = Program(profile, build + "ys = [y]\nxs = [x]\nfeeds = {}\n", gradients)
    worker = engine.side_source(engine.TENSORFLOW).start(profile)
    try:
        worker.send(program)
        outcome = worker.receive(60.0)
    finally:
        worker.close()
    assert outcome.error is None, outcome.error
    return outcome.gradient_calls


TWICE = "first = tf.gradients(ys, xs)\ngradients = tf.gradients(first, xs)\n"


def test_each_call_is_known_by_order_and_dtype():
    build = "x = tf.constant([1.0, 2.0])\ny = tf.tanh(tf.cast(x, tf.float64)) * 3.0\n"
    assert calls(build, TWICE) == {
        "1 float32": "Cast",
        "1 float64": "Cast Mul Tanh",
        "2 float32": "Cast",
        "2 float64": "Cast TanhGrad",
    }


def test_sums_of_gradients_are_of_the_order_of_what_they_sum():
    build = "x = tf.constant([1.0, 2.0])\ny = tf.sin(x) + x * x\n"
    assert calls(build, TWICE) == {
        "1 float32": "AddV2 Mul Sin",
        "2 float32": "AddN Cos Mul",
    }


@pytest.mark.parametrize("profile", ["tf1", "v2"])
def test_the_bodies_of_branches_have_the_order_of_what_is_differentiated(profile):
    build = "x = tf.constant(2.0)\ny = tf.cond(x > 1.0, lambda: tf.sin(x), lambda: x)\n"
    by_order = {
        order: set(ops.split())
        for order, ops in calls(build, TWICE, profile).items()
        if order.endswith("float32")
    }
    assert "Sin" in by_order["1 float32"] and "Cos" not in by_order["1 float32"]
    assert "Cos" in by_order["2 float32"] and "Sin" not in by_order["2 float32"]


def test_a_custom_gradient_is_no_call_of_the_op_that_carries_it():
    build = (
        "x = tf.constant([1.0, 2.0])\n"
        "y = tf.custom_gradient(lambda x: (tf.sin(x), lambda dy: dy * 7.0))(x)\n"
    )
    assert calls(build) == {}
