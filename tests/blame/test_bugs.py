"""Implementations with one bug each: blame names the op that has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from gradparity import engine
from gradparity.blame.finding import Fault
from gradparity.judge.verdict import Word
from gradparity.language.loading import load

HERE = Path(__file__).parent
TENSORFLOW, SOUND = engine.TENSORFLOW, "numpy_tf"  # who is the oracle


class Found(NamedTuple):
    """What blame must say: the op, what is wrong with it, and where it is."""

    type: str
    op: str
    fault: Fault
    inside: str | None = None
    gradient_of: str | None = None


BUGS = {
    "mul": {"mul": Found("Mul", "mul", Fault.GRADIENT)},
    "matmul": {"matmul": Found("MatMul", "MatMul", Fault.GRADIENT)},
    "tanh": {"tanh": Found("Tanh", "Tanh", Fault.GRADIENT)},
    "sum_of_axis": {"sum_of_axis": Found("Sum", "Sum", Fault.GRADIENT)},
    "gather": {"gather": Found("GatherV2", "GatherV2_1", Fault.GRADIENT)},
    "concat": {"concat": Found("ConcatV2", "concat", Fault.GRADIENT)},
    "softmax": {"softmax": Found("Softmax", "Softmax", Fault.GRADIENT)},
    "strided_slice": {"strided_slice": Found("StridedSlice", "strided_slice_2", Fault.GRADIENT)},
    "max_pool": {"max_pool": Found("MaxPool", "MaxPool", Fault.GRADIENT)},
    "second_of_tanh": {
        "second_of_tanh": Found(
            "TanhGrad", "gradients/Tanh_1_grad/TanhGrad", Fault.GRADIENT, gradient_of="Tanh_1"
        ),
        "second_of_tanh^2": Found(
            "TanhGrad", "gradients_1/Tanh_2_grad/TanhGrad", Fault.GRADIENT, gradient_of="Tanh_2"
        ),
    },
    "softplus_value": {"softplus_value": Found("Softplus", "Softplus", Fault.VALUE)},
    "log_raises": {"log_raises": Found("Log", "Log", Fault.ERROR)},
    "sin": {"sin[tf1]": Found("Sin", "Sin", Fault.GRADIENT, "cond 'cond'")},
    "exp": {
        "exp[tf1]": Found("Exp", "Exp_2", Fault.GRADIENT, "while_loop 'while'"),
        "exp-nested[tf1]": Found("Exp", "Exp_3", Fault.GRADIENT, "while_loop 'while_1'"),
    },
    "cond_doubles": {"sin[v2]": Found("StatelessIf", "cond", Fault.GRADIENT)},
}
"""A module in bugs/ -> queries in cases/ -> what must be found of them."""

LINES = {"exp[tf1]": "count, last", "exp[v2]": "count, last", "second_of_tanh": "slope"}
"""What the line begins with that blame must point to, where TensorFlow tells it."""


@cache
def checks():
    return load([HERE / "cases"])


def looked_into(bug, queries, oracle):
    """Each query's result with the implementation that has the bug."""
    asked = [check for check in checks() if check.id.partition("::")[2] in queries]
    implementation = engine.side_source(bug, (str(HERE / "bugs"),))
    record = engine.run(asked, implementation, oracle, jobs=1, blamed=len(asked))
    return {result.check.id.partition("::")[2]: result for result in record.results}


def found_by(bug, oracle, queries):
    results = looked_into(bug, queries, oracle)
    assert {r.verdict.word for r in results.values()} == {Word.DIFFER}
    blames = {query: result.blame for query, result in results.items()}
    return {
        query: Found(b.type, b.op, b.fault, b.inside, b.gradient_of) for query, b in blames.items()
    }


@pytest.mark.parametrize("bug", BUGS)
def test_the_op_that_has_the_bug_is_named(bug):
    assert found_by(bug, SOUND, BUGS[bug]) == BUGS[bug]


def test_what_control_flow_itself_does_wrong_is_not_put_on_its_branches():
    blame = looked_into("cond_doubles", {"sin[v2]"}, SOUND)["sin[v2]"].blame
    assert "the sides agree" in blame.sentence


@pytest.mark.parametrize(
    ("bug", "queries"), [("exp", ["exp[tf1]", "exp[v2]"]), ("second_of_tanh", ["second_of_tanh"])]
)
def test_tensorflow_itself_is_asked_and_tells_the_line(bug, queries):
    results = looked_into(bug, queries, TENSORFLOW)
    wanted = next(iter(BUGS[bug].values()))
    for query in queries:
        blame = results[query].blame
        assert (blame.type, blame.op, blame.inside) == (wanted.type, wanted.op, wanted.inside)
        assert blame.code.startswith(LINES[query])
        graph = results[query].check.case.path.read_text("utf-8").split("\n")
        assert graph[blame.file_line - 1].strip() == blame.code


def test_pairs_look_into_a_failure_with_others_under_way():
    asked = [check for check in checks() if check.id.startswith("straight::")][:3]
    sides = {
        "oracle": engine.side_source(SOUND),
        "implementation": engine.side_source("mul", (str(HERE / "bugs"),)),
    }
    pairs = engine.Pairs(sides)
    for check in asked:
        pairs.ask(check)
    results = [pairs.blamed(pairs.result(check)) for check in asked]
    pairs.stop()
    assert [result.check for result in results] == asked
    assert {result.blame.type for result in results if result.blame} == {"Mul"}


def test_results_of_an_interrupted_run_are_looked_into_too():
    asked = [check for check in checks() if check.id == "straight::mul"]
    implementation = engine.side_source("mul", (str(HERE / "bugs"),))
    before = engine.run(asked, implementation, SOUND, jobs=1)
    resumed = engine.run([], implementation, SOUND, restored=before.results, blamed=1)
    assert [result.blame.type for result in resumed.results] == ["Mul"]
