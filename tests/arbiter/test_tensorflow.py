"""The arbiter with TensorFlow itself: programs as cases write them, and its words on them."""

from pathlib import Path

import numpy as np
import pytest

from gradparity import engine
from gradparity.arbiter.arbiter import Arbiter
from gradparity.arbiter.opinion import Opinion
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Case, Check, Position
from gradparity.outcome import DenseResult, Outcome
from gradparity.program import Program
from gradparity.results import CheckResult

GRADIENTS = "gradients = tf.gradients(ys, xs)\n"


@pytest.fixture(scope="module")
def arbiter():
    made = Arbiter(engine.TENSORFLOW)
    yield made
    made.close()


@pytest.fixture
def word(arbiter):
    """The arbiter's word on a program, when both sides answer with these gradients."""

    def ask(build, *gradients, call=GRADIENTS, profile="tf1", implementation=None):
        path = Path("cases/by_hand.yaml")
        case = Case("by_hand", path, "By hand.", "by hand", build)
        program = Program(profile, build + "\nfeeds = {}\n", call)
        check = Check("by_hand::y~x", case, Position(path, 1, 1), program, ys=["y"], xs=["x"])
        oracle = outcome(*gradients)
        other = oracle if implementation is None else outcome(*implementation)
        verdict = Verdict(Word.AGREE if implementation is None else Word.DIFFER, "")
        return arbiter.word(CheckResult(check, oracle, other, verdict))

    return ask


def outcome(*gradients):
    values = [None if g is None else np.asarray(g) for g in gradients]
    values = [g if g is None or g.dtype.kind == "c" else g.astype(np.float32) for g in values]
    return Outcome(
        gradients=[None if g is None else DenseResult(g.dtype.name, g.shape, g) for g in values]
    )


SQUARE = "x = tf.Variable([1.0, -2.0])\ny = x * x\nys, xs = [y], [x]"


@pytest.mark.parametrize("profile", ["tf1", "v2"])
def test_both_sides_agree_with_the_mathematics_of_a_variable(word, profile):
    assert word(SQUARE, [2, -4], profile=profile).word is Opinion.BOTH


def test_a_wrong_implementation_is_told_from_a_right_one(word):
    found = word(SQUARE, [2, -4], implementation=[[2, 4]])
    assert found.word is Opinion.IMPLEMENTATION
    assert found.numbers[0].derivative == ("2", "-4")


def test_a_wrong_gradient_on_both_sides_is_tensorflows_departure(word):
    assert word(SQUARE, [2, 4]).word is Opinion.TENSORFLOW


def test_weights_are_those_of_grad_ys(word):
    call = "gradients = tf.gradients(ys, xs, grad_ys=[tf.constant([3.0, x[0]])])\n"
    build = SQUARE.replace("Variable", "constant")
    assert word(build, [6, -4], call=call.replace("3.0, x[0]", "3.0, 1.0")).word is Opinion.BOTH


def test_an_interior_x_and_one_above_it_are_each_the_total(word):
    build = "x = tf.constant(3.0)\nz = x * x\nys, xs = [z * x], [x, z]"
    assert word(build, 27, 3).word is Opinion.BOTH


def test_stops_of_both_kinds_are_held_fast(word):
    build = "x = tf.constant(3.0)\nz = tf.stop_gradient(x * x)\nys, xs = [z * x], [x]"
    assert word(build, 9).word is Opinion.BOTH
    build = "x = tf.constant(3.0)\nz = x * x\nys, xs = [z * x], [x]"
    call = "gradients = tf.gradients(ys, xs, stop_gradients=[z])\n"
    assert word(build, 9, call=call).word is Opinion.BOTH


def test_a_read_of_a_variable_is_stopped_and_the_variable_is_not(word):
    build = "v = tf.Variable([1.5])\nread = tf.identity(v)\nys, xs = [v * read], [v]"
    for stopped, gradient in (("v", [3]), ("read", [1.5])):
        call = f"gradients = tf.gradients(ys, xs, stop_gradients=[{stopped}])\n"
        assert word(build, gradient, call=call).word is Opinion.BOTH


@pytest.mark.parametrize("profile", ["tf1", "v2"])
def test_control_flow_is_run_again(word, profile):
    build = (
        "x = tf.constant([1.0, 2.0])\n"
        "y = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [0, x])[1]\n"
        "z = tf.cond(y[0] > 0.0, lambda: y * 2.0, lambda: y)\n"
        "ys, xs = [z], [x]"
    )
    assert word(build, [8, 64], profile=profile).word is Opinion.BOTH


def test_higher_orders_are_differences_of_differences(word):
    build = "x = tf.constant([1.0, 2.0])\nys, xs = [x * x * x], [x]"
    again = "gradients = tf.gradients([tf.convert_to_tensor(g) for g in gradients], xs)\n"
    assert word(build, [6, 12], call=GRADIENTS + again).word is Opinion.BOTH
    assert word(build, [6, 6], call=GRADIENTS + again * 2).word is Opinion.BOTH
    hessians = "gradients = tf.hessians(ys, xs)\n"
    assert word(build, [[6, 0], [0, 12]], call=hessians).word is Opinion.BOTH


def test_a_gradient_in_the_graph_is_differenced_too(word):
    build = (
        "x = tf.constant([1.0, 2.0])\nw = tf.constant([3.0, 5.0])\n"
        "g = tf.gradients(x * x * w, x)[0]\nys, xs = [g * x], [x, w]"
    )
    assert word(build, [12, 40], [2, 8]).word is Opinion.BOTH


def test_no_gradient_of_tensorflow_is_asked(word):
    # The registered gradient of this Identity is wrong; differencing does not see it.
    build = "x = tf.constant([2.0, 0.0, 3.0])\nys, xs = [tf.cumprod(x)], [x]"
    found = word(build, [1, 0, 0])
    assert found.word is Opinion.TENSORFLOW
    assert found.numbers[0].derivative == ("1", "8", "0")


def test_a_tie_is_a_kink(word):
    build = "x = tf.constant([1.0])\nys, xs = [tf.maximum(x, 1.0)], [x]"
    assert word(build, [1]).word is Opinion.UNCLEAR


def test_a_complex_gradient_is_conjugate(word):
    build = "x = tf.constant([1 + 2j], tf.complex64)\nys, xs = [x * x], [x]"
    call = "gradients = tf.gradients(ys, xs, grad_ys=[tf.constant([1 + 0j], tf.complex64)])\n"
    assert word(build, np.array([2 - 4j], np.complex64), call=call).word is Opinion.BOTH


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        ("x = tf.constant([1])\nys, xs = [x], [x]", "none of the xs is a number"),
        ("x = tf.constant(1.0)\nys, xs = [x * tf.random.uniform([])], [x]", "random"),
        (
            "x = tf.Variable(1.0)\nwith tf.control_dependencies([x.assign(2.0)]):\n"
            "    y = tf.identity(x)\nys, xs = [y], [x]",
            "changes variables",
        ),
        (
            "x = tf.constant(1.0)\n"
            "y = tf.custom_gradient(lambda x: (x, lambda dy: 7.0 * dy))(x)\nys, xs = [y], [x]",
            "gradients of its own",
        ),
        (
            "x = tf.constant(1.0)\ny = tf.cond(x > 0.0, lambda: tf.stop_gradient(x), lambda: x)\n"
            "ys, xs = [y * x], [x]",
            "inside a branch",
        ),
    ],
)
def test_where_there_is_no_derivative_to_find_there_is_no_opinion(word, build, reason):
    found = word(build, 1)
    assert found.word is Opinion.NONE
    assert reason in found.reason


@pytest.fixture
def check_of_square():
    path = Path("cases/by_hand.yaml")
    case = Case("by_hand", path, "By hand.", "by hand", SQUARE)
    program = Program("tf1", SQUARE + "\nfeeds = {}\n", GRADIENTS)
    check = Check("by_hand::y~x", case, Position(path, 1, 1), program, ["y"], ["x"])
    return CheckResult(check, outcome([2]), outcome([3]), Verdict(Word.DIFFER, ""))


def test_without_a_tensorflow_that_runs_there_is_no_opinion(check_of_square):
    found = Arbiter(None).word(check_of_square)
    assert found.word is Opinion.NONE
    assert "recordings" in found.reason


def test_an_evaluator_that_does_not_start_is_asked_once(check_of_square):
    arbiter = Arbiter("no_such_module")
    for _ in range(2):
        found = arbiter.word(check_of_square)
        assert found.word is Opinion.NONE
        assert "evaluator" in found.reason
    arbiter.close()
