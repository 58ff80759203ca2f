"""`{subsets: [a, b]}`: every combination is asked, under an id that says which."""

import json
from importlib import resources

import jsonschema
import pytest
import yaml

CASE = """\
about: Combinations.
inputs:
  a: {variable: 1.0}
  b: {variable: 2.0}
graph: |
  c = a * b
  d = c + a
gradients:
  - QUERY
"""


@pytest.fixture
def query(checks_of):
    """The checks of one query."""
    return lambda text: checks_of(CASE.replace("QUERY", text))


@pytest.fixture
def refusal(problem_of):
    """The problem of a query that must not load."""
    return lambda text: problem_of(CASE.replace("QUERY", text))


def test_each_combination_of_xs_is_asked_from_none_to_all(query):
    checks = query("{ys: d, xs: {subsets: [a, b]}}")
    assert [check.xs for check in checks] == [(), ("a",), ("b",), ("a", "b")]
    assert [check.id for check in checks] == ["demo::d~", "demo::d~a", "demo::d~b", "demo::d~a,b"]
    assert "xs = [b]\n" in checks[2].program.build


def test_no_x_at_all_is_meant_to_have_no_gradient(query):
    checks = query("{ys: d, xs: {subsets: [a, b]}}")
    assert [check.expect for check in checks] == [(), None, None, None]


def test_stops_by_the_argument_are_in_the_call_and_in_the_id(query):
    checks = query("{ys: d, xs: [a, b], stop_gradients: {subsets: [c, a * 2]}}")
    assert [check.id for check in checks] == [
        "demo::d~a,b",
        "demo::d~a,b@stop_gradients=c",
        "demo::d~a,b@stop_gradients=a*2",
        "demo::d~a,b@stop_gradients=c,a*2",
    ]
    assert [check.program.gradients for check in checks] == [
        "gradients = tf.gradients(ys, xs, stop_gradients=[])\n",
        "gradients = tf.gradients(ys, xs, stop_gradients=[c])\n",
        "gradients = tf.gradients(ys, xs, stop_gradients=[a * 2])\n",
        "gradients = tf.gradients(ys, xs, stop_gradients=[c, a * 2])\n",
    ]


def test_placements_may_be_chosen_from_a_list(query):
    checks = query("{ys: d, xs: [a, b], stop_gradient_at: {subsets: [c, a -> c]}}")
    assert [check.stopped for check in checks] == [(), ("c",), ("a->c",), ("c", "a->c")]
    assert [check.id.partition("@")[2] for check in checks] == ["", "c", "a->c", "c,a->c"]


def test_several_subsets_are_combined(query):
    checks = query(
        "{ys: d, xs: {subsets: [a, b]}, stop_gradients: {subsets: [a]},"
        " stop_gradient_at: {subsets: [c]}, id: all}"
    )
    assert len(checks) == len({check.id for check in checks}) == 16
    assert checks[-1].id == "demo::all~a,b@stop_gradients=a@c"


def test_values_of_the_matrix_may_be_members(checks_of):
    text = "matrix: {one: [a, b]}\n" + CASE.replace("QUERY", "{ys: d, xs: {subsets: [$one, c]}}")
    assert [check.xs for check in checks_of(text)][1::4] == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("query_text", "message"),
    [
        ("{ys: d, xs: {subset: [a]}}", "unknown key 'subset'"),
        ("{ys: d, xs: {}}", "'subsets' must be a list, and not empty"),
        ("{ys: d, xs: {subsets: []}}", "'subsets' must be a list, and not empty"),
        ("{ys: d, xs: {subsets: a}}", "'subsets' must be a list, and not empty"),
        ("{ys: d, xs: {subsets: [a, b, a]}}", "a stands here twice"),
        ("{ys: d, xs: {subsets: [a, q]}}", "unknown name 'q'"),
        ("{ys: d, xs: a, stop_gradients: {subsets: [c, q]}}", "unknown name 'q'"),
        ("{ys: d, xs: a, stop_gradient_at: {subsets: [c, q]}}", "unknown tensor 'q'"),
        ("{ys: d, xs: {subsets: [a, b]}, expect: [1, 2]}", "cannot stand beside `subsets`"),
        ("{ys: d, xs: {subsets: [0,1,2,3,4,5,6,7,8]}}", "subsets of 9 members; at most 8"),
        (
            "{ys: d, xs: {subsets: [0,1,2,3,4,5,6]}, stop_gradients: {subsets: [0,1,2,3,4,5,6]}}",
            "the subsets of this query are 16,384 checks; at most 10,000",
        ),
        ("{ys: {subsets: [c, d]}, xs: a}", "an expression is text"),
    ],
)
def test_a_mistake_is_said_once(refusal, query_text, message):
    assert message in refusal(query_text).message


def test_a_mistake_in_a_member_is_found_at_the_member(refusal):
    line = "{ys: d, xs: {subsets: [a, q]}}"
    problem = refusal(line)
    assert (problem.line, problem.column) == (9, 5 + line.index("q"))


@pytest.mark.parametrize("key", ["xs", "stop_gradients", "stop_gradient_at"])
def test_editors_know_it(key):
    text = resources.files("gradparity").joinpath("schemas/case.schema.json").read_text("utf-8")
    schema = json.loads(text)
    case = yaml.safe_load(CASE.replace("QUERY", "{ys: d, xs: a}"))
    case["gradients"][0][key] = {"subsets": ["a"]}
    jsonschema.validate(case, schema)
    case["gradients"][0][key] = {"subset": ["a"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(case, schema)
