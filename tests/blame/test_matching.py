"""Which tensors of two sides are the same, and which operations are suspected."""

import pytest

from gradparity.blame.graph import Graph, matched, that_matter
from gradparity.blame.search import suspects_by_gradient, suspects_by_value


def graph(*ops, ys, xs, labels=None, results=(), error=None):
    """A graph from lines "name = Type(input, ...)", all between and of one output."""
    described = []
    for line in ops:
        name, _, call = line.partition(" = ")
        type, _, inputs = call.rstrip(")").partition("(")
        described.append(
            {
                "name": name,
                "type": type,
                "inputs": [f"{each.strip()}:0" for each in inputs.split(",") if each.strip()],
                "outputs": [[f"{name}:0", "float32"]],
                "between": True,
                "region": name if type == "While" else "",
                "fetchable": True,
                "line": None,
            }
        )
    call = {
        "ys": [f"{y}:0" for y in ys],
        "xs": [f"{x}:0" for x in xs],
        "results": [f"{result}:0" for result in results],
        "error": error,
        "ops": described,
    }
    return Graph.from_json(call, {label: f"{op}:0" for label, op in (labels or {}).items()})


DIAMOND = graph(
    "x = Placeholder()", "a = Sin(x)", "b = Cos(x)", "y = Mul(a, b)", ys=["y"], xs=["x"]
)


def names(tensors):
    return {tensor.removesuffix(":0") for tensor in tensors}


def test_a_constant_more_does_not_shift_what_is_matched():
    one = graph("x = P()", "c = Const()", "mul = Mul(x, c)", ys=["mul"], xs=["x"])
    other = graph(
        "x = P()", "c = Const()", "c_1 = Const()", "mul_1 = Mul(x, c_1)", ys=["mul_1"], xs=["x"]
    )
    assert matched(one, other) == {"x:0": "x:0", "mul:0": "mul_1:0", "c:0": "c_1:0"}


def test_loops_built_in_different_ways_match_at_what_the_program_names():
    one = graph(
        "x = P()", "s = Sin(x)", "while = Exit(s)", "while/Exit_1 = Exit(s)",
        "y = Exp(while/Exit_1)", ys=["y"], xs=["x"], labels={"w": "while/Exit_1"},
    )  # fmt: skip
    other = graph(
        "x = P()", "s = Sin(x)", "while = While(s)", "while/Identity_3 = Identity(while)",
        "y = Exp(while/Identity_3)", ys=["y"], xs=["x"], labels={"w": "while/Identity_3"},
    )  # fmt: skip
    pairs = matched(one, other)
    assert pairs["while/Exit_1:0"] == "while/Identity_3:0"
    assert pairs["s:0"] == "s:0"  # below the loop: by its type, its name and its inputs
    assert "while:0" not in pairs


def test_ops_of_one_name_and_other_inputs_do_not_match():
    one = graph("x = P()", "w = P()", "s = Sin(x)", "y = A(s)", ys=["y"], xs=["x", "w"])
    other = graph("x = P()", "w = P()", "s = Sin(w)", "y = B(s)", ys=["y"], xs=["x", "w"])
    assert names(matched(one, other)) == {"x", "w", "y"}


def test_the_op_is_suspected_that_passes_on_what_differs():
    tensors = {"x:0", "a:0", "b:0", "y:0"}
    found = suspects_by_gradient(DIAMOND, tensors, {"a:0", "x:0"})
    assert [(s.ops[0].name, s.differing) for s in found] == [("y", ["a:0"]), ("b", ["x:0"])]


def test_values_suspect_the_first_op_whose_inputs_agree():
    found = suspects_by_value(DIAMOND, {"x:0", "a:0", "b:0", "y:0"}, {"a:0", "y:0"})
    assert [suspect.ops[0].name for suspect in found] == ["a"]


def test_ops_between_which_nothing_is_known_are_suspected_together():
    chain = graph("x = P()", "a = Sin(x)", "b = Cos(a)", "y = Exp(b)", ys=["y"], xs=["x"])
    (found,) = suspects_by_gradient(chain, {"x:0", "b:0", "y:0"}, {"x:0"})
    assert [op.name for op in found.ops] == ["a", "b"]
    assert found.arriving == ["b:0"]


@pytest.mark.parametrize(("result", "calls"), [("a", [0, 1]), ("unrelated", [1])])
def test_a_call_matters_when_the_last_one_depends_on_it(result, calls):
    first = graph("x = P()", "y = Sin(x)", ys=["y"], xs=["x"], results=[result])
    assert that_matter([first, DIAMOND]) == calls


def test_a_call_that_raised_matters():
    first = graph("x = P()", "y = Sin(x)", ys=["y"], xs=["x"], error={"type": "E", "op": None})
    assert that_matter([first, DIAMOND]) == [0, 1]
