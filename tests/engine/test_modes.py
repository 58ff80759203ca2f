"""TensorFlow's other paths answer the same checks, or say what they cannot be asked."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from gradparity import engine, worker
from gradparity.cli import main
from gradparity.commands import options
from gradparity.language.check import Case, Check, Position
from gradparity.program import Program

PRODUCT = (
    "w = tf.Variable([1.0, 2.0], name='w')\np = tf.placeholder(tf.float32, [None], name='p')\n"
    "ys = [w * p]\nxs = [w, p]\nfeeds = {p: [3.0, 4.0]}\n"
)
SWALLOWED = (
    "p = tf.placeholder(tf.float32, [2], name='p')\nys = [(p + 1e8) - 1e8]\nxs = [p]\n"
    "feeds = {p: [3.0, 4.0]}\n"
)
SELECTED = (
    "x = tf.constant([3.0, 1.0, 2.0])\nys = [tf.raw_ops.NthElement(input=x, n=1)]\n"
    "xs = [x]\nfeeds = {}\n"
)
CALLED = (
    "x = tf.Variable([1.0, 2.0], use_resource=False)\ncall = tf.function(lambda a: a * a)\n"
    "ys = [call(x)]\nxs = [x]\nfeeds = {}\n"
)
UNUSED = (
    "x = tf.Variable([1.0, 2.0], use_resource=True)\nunused = tf.Variable(3.0)\n"
    "ys = [x * x]\nxs = [x, unused]\nfeeds = {}\n"
)
WEIGHTED = "gradients = tf.gradients(ys, xs, grad_ys=[tf.constant([1.0, 10.0])])\n"
PLAIN = "gradients = tf.gradients(ys, xs)\n"
STOPPED = "gradients = tf.gradients(ys, xs, stop_gradients=[ys[0]])\n"
AS_ZERO = "gradients = tf.gradients(ys, xs, unconnected_gradients='zero')\n"
SECOND = "gradients = tf.gradients(tf.gradients(ys, xs), xs)\n"

PROGRAMS = {
    "product-tf1": Program("tf1", PRODUCT, WEIGHTED),
    "product-v2": Program("v2", PRODUCT, WEIGHTED),
    "second-order": Program("tf1", PRODUCT.replace("w * p", "w * p ** 3"), SECOND),
    "swallowed": Program("tf1", SWALLOWED, WEIGHTED),
    "selected": Program("tf1", SELECTED, PLAIN),
    "stopped": Program("tf1", PRODUCT, STOPPED),
    "called": Program("tf1", CALLED, PLAIN),
    "unused": Program("v2", UNUSED, AS_ZERO),
}


def checks(names):
    path = Path("cases/by_hand.yaml")
    case = Case("by_hand", path, "About.", "by hand", "graph")
    return [
        Check(f"by_hand::{name}", case, Position(path, 1, 1), PROGRAMS[name], ["y"], ["w", "p"])
        for name in names
    ]


def against_itself(mode, *names):
    """Name -> verdict of a mode, judged by the default one; and what the mode says of itself."""
    source = engine.side_source(engine.TENSORFLOW, mode=mode)
    record = engine.run(checks(names), implementation=source, jobs=1)
    verdicts = [result.verdict for result in record.results]
    return dict(zip(names, verdicts, strict=True)), record.implementation["tf1"]


def test_the_commands_know_the_workers_modes():
    assert options.MODES == worker.MODES


def test_grappler_takes_out_a_sum_that_swallows_digits():
    verdicts, description = against_itself("grappler", "product-tf1", "swallowed")
    assert verdicts["product-tf1"].bit_equal
    assert verdicts["swallowed"].kind == "value"
    assert verdicts["swallowed"].differences[0].where == "y 0 (y)"
    assert description["mode"] == "grappler"
    assert description["session"]["disable_meta_optimizer"] is False


def test_xla_answers_what_it_compiles_and_names_what_it_does_not():
    verdicts, description = against_itself("xla", "product-tf1", "product-v2", "selected")
    assert verdicts["product-tf1"].bit_equal
    assert verdicts["product-v2"].bit_equal
    assert verdicts["selected"].word == "unsupported"
    assert "XLA was not given: NthElement" in verdicts["selected"].reason
    assert description["session"]["global_jit_level"] == "ON_2"


def test_a_tape_answers_in_both_profiles_and_at_second_order_and_knows_no_stop_gradients():
    verdicts, description = against_itself(
        "tape", "product-tf1", "product-v2", "second-order", "stopped"
    )
    for name in ("product-tf1", "product-v2", "second-order"):
        assert verdicts[name].bit_equal, verdicts[name].reason
    assert verdicts["stopped"].word == "unsupported"
    assert "no stop_gradients" in verdicts["stopped"].reason
    assert description["mode"] == "tape"


def test_a_tape_sees_a_variable_that_a_function_is_called_with_and_one_that_nothing_uses():
    verdicts, _ = against_itself("tape", "called", "unused")
    assert verdicts["called"].bit_equal, verdicts["called"].reason
    assert verdicts["unused"].bit_equal, verdicts["unused"].reason


def test_an_oracle_that_cannot_be_asked_in_its_mode_leaves_a_check_unchecked():
    oracle = engine.side_source(engine.TENSORFLOW, mode="tape")
    record = engine.run(checks(["product-tf1", "stopped"]), engine.TENSORFLOW, oracle, jobs=1)
    assert [result.verdict.word for result in record.results] == ["agree", "unchecked"]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (["--oracle", "recorded", "--oracle-mode", "xla"], "recordings are of the default mode"),
        (["--impl-mode", "xla"], "add --impl tensorflow.compat.v1"),
        (["--check-recordings", "--oracle-mode", "tape"], "needs the default mode"),
        (
            ["--in-process", "--impl", engine.TENSORFLOW, "--impl-mode", "onednn"],
            "drop --in-process",
        ),
    ],
)
def test_a_mode_in_which_nobody_could_answer_is_refused(given, answer):
    result = CliRunner().invoke(main, ["run", *given])
    assert result.exit_code == 2
    assert answer in " ".join(result.output.split())
