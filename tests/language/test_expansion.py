"""Queries become programs, and checks get ids that stay."""

import math

import pytest

CASE = """\
about: A query.
source: a page
inputs:
  w: {variable: [1.0, 2.0]}
  x: {placeholder: [null], feed: [3, 4]}
  u: {constant: 5.0}
graph: |
  z1 = w * x
  z2 = tf.square(w) + u
gradients:
  - QUERY
"""


@pytest.fixture
def query(check_of):
    """The check of one query."""
    return lambda text: check_of(CASE.replace("QUERY", text))


def test_a_program_is_the_inputs_the_graph_and_the_query(query):
    check = query("{ys: [z1, z2], xs: [w, x], grad_ys: [[2, 2.5], null]}")
    assert check.program.build == (
        "w = tf.Variable([1.0, 2.0], dtype=tf.float32, name='w')\n"
        "x = tf.placeholder(tf.float32, [None], name='x')\n"
        "u = tf.constant(5.0, dtype=tf.float32, name='u')\n"
        "z1 = w * x\n"
        "z2 = tf.square(w) + u\n"
        "ys = [z1, z2]\n"
        "xs = [w, x]\n"
        "feeds = {x: [3.0, 4.0]}\n"
    )
    assert check.program.gradients == (
        "gradients = tf.gradients(\n"
        "    ys,\n"
        "    xs,\n"
        "    grad_ys=[tf.constant([2, 2.5], dtype=ys[0].dtype.base_dtype), None],\n"
        ")\n"
    )
    assert check.program.profile == "tf1"
    assert check.build_offset == 3
    assert (check.case.name, check.case.about, check.case.source) == ("demo", "A query.", "a page")
    assert (check.position.line, check.position.column) == (11, 5)


@pytest.mark.parametrize(
    ("query_text", "arguments"),
    [
        ("{ys: z1, xs: w}", ""),
        ("{ys: z1, xs: w, grad_ys: z2}", ", grad_ys=[z2]"),
        ("{ys: z1, xs: w, grad_ys: [2 * z2]}", ", grad_ys=[2 * z2]"),
        ("{ys: z1, xs: w, grad_ys: null}", ", grad_ys=None"),
        ("{ys: z1, xs: w, grad_ys: [null]}", ", grad_ys=[None]"),
        ("{ys: z1, xs: w, grad_ys: 'np.array([1., 2.])'}", ", grad_ys=[np.array([1., 2.])]"),
        ("{ys: z1, xs: w, grad_ys: 2}", ", grad_ys=[tf.constant(2, dtype=ys[0].dtype.base_dtype)]"),
        (
            "{ys: z1, xs: w, grad_ys: {ones: [2]}}",
            ", grad_ys=[tf.constant(np.ones([2]), dtype=ys[0].dtype.base_dtype)]",
        ),
        (
            "{ys: z1, xs: w, grad_ys: [{value: [1, 2], dtype: float64}]}",
            ", grad_ys=[tf.constant([1.0, 2.0], dtype=tf.float64)]",
        ),
        (
            "{ys: z1, xs: w, grad_ys: [[-0.0, .nan]]}",
            ", grad_ys=[tf.constant([-0.0, np.nan], dtype=ys[0].dtype.base_dtype)]",
        ),
        ("{ys: z1, xs: w, stop_gradients: z1}", ", stop_gradients=[z1]"),
        ("{ys: z1, xs: w, stop_gradients: [z1, w + 1]}", ", stop_gradients=[z1, w + 1]"),
        ("{ys: z1, xs: w, stop_gradients: []}", ", stop_gradients=[]"),
        (
            "{ys: z1, xs: w, unconnected_gradients: zero}",
            ", unconnected_gradients=tf.UnconnectedGradients.ZERO",
        ),
        (
            "{ys: z1, xs: w, unconnected_gradients: none}",
            ", unconnected_gradients=tf.UnconnectedGradients.NONE",
        ),
        ("{ys: z1, xs: w, unconnected_gradients: nil}", ", unconnected_gradients='nil'"),
        ("{ys: z1, xs: w, gate_gradients: true}", ", gate_gradients=True"),
        ("{ys: z1, xs: w, name: g}", ", name='g'"),
        (
            "{ys: z1, xs: w, colocate_gradients_with_ops: false}",
            ", colocate_gradients_with_ops=False",
        ),
        (
            "{ys: z1, xs: w, aggregation_method: EXPERIMENTAL_TREE}",
            ", aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE",
        ),
        ("{ys: z1, xs: w, aggregation_method: 7}", ", aggregation_method=7"),
    ],
)
def test_only_the_arguments_that_are_given_are_passed(query, query_text, arguments):
    source = query(query_text).program.gradients
    flat = source.replace("(\n    ", "(").replace(",\n    ", ", ").replace(",\n)", ")")
    assert flat == f"gradients = tf.gradients(ys, xs{arguments})\n"


def test_a_wrong_number_of_weights_reaches_tensorflow(query):
    check = query("{ys: z1, xs: w, grad_ys: [1, 2], raises: ValueError}")
    assert "[tf.constant(1, dtype=ys[0].dtype.base_dtype), tf.constant(2, dtype=tf.float32)]" in (
        check.program.gradients.replace("\n    ", " ")
    )


def test_higher_orders_differentiate_what_was_given(query):
    check = query("{ys: z1, xs: w, order: 3, stop_gradients: [x], grad_ys: z2}")
    again = (
        "gradients = tf.gradients(\n"
        "    [tf.convert_to_tensor(g) for g in gradients if g is not None],\n"
        "    xs,\n"
        "    stop_gradients=[x],\n"
        ")\n"
    )
    assert check.program.gradients == (
        "gradients = tf.gradients(ys, xs, grad_ys=[z2], stop_gradients=[x])\n" + again + again
    )
    assert check.id == "demo::z1~w^3"


def test_hessians_are_asked_with_the_arguments_they_take(query):
    check = query("{ys: z1, xs: [w], call: hessians, gate_gradients: true, name: h}")
    assert (
        check.program.gradients
        == "gradients = tf.hessians(ys, xs, gate_gradients=True, name='h')\n"
    )
    assert check.id == "demo::H(z1)~w"


@pytest.mark.parametrize(
    ("query_text", "identifier"),
    [
        ("{ys: [z1, z2], xs: [w, x]}", "z1,z2~w,x"),
        ("{ys: z1 + 2 * z2, xs: 'tf.identity(w)'}", "z1+2*z2~tf.identity(w)"),
        ("{ys: z1, xs: w, id: by-name}", "by-name"),
        ("{ys: z1, xs: w, order: 2}", "z1~w^2"),
        ("{ys: 2 * z1, xs: w, order: 2, stop_gradient_at: [z1, 'w -> z2']}", "2*z1~w^2@z1,w->z2"),
        ("{ys: [], xs: []}", "~"),
    ],
)
def test_an_id_says_what_is_asked(query, query_text, identifier):
    assert query(query_text).id == f"demo::{identifier}"


def test_numbers_nothing_and_texts_can_be_ys_and_xs(query):
    check = query("""{ys: [z1, 5.0, null, true, .inf], xs: [w, "'w:0'", null]}""")
    assert check.program.build.splitlines()[-3:-1] == [
        "ys = [z1, 5.0, None, True, np.inf]",
        "xs = [w, 'w:0', None]",
    ]


def test_two_checks_of_one_id_are_refused_at_the_second(problem_of):
    problem = problem_of(
        CASE.replace(
            "QUERY", "{ys: z1, xs: w}\n  - {ys: z2, xs: w}\n  - {ys: z1, xs: [w], grad_ys: z1}"
        )
    )
    assert (problem.line, problem.column) == (13, 5)
    assert problem.message == "a second check with the id 'demo::z1~w'; the first is on line 11"
    assert "`id`" in problem.hint


def test_what_is_expected_is_kept(query):
    check = query(
        "{ys: z1, xs: [w, x, u], intent: zero, "
        "expect: [[-0.0, .inf], null, {values: [1], indices: [0], dense_shape: [2]}], "
        "tolerance: {ulp: 4, why: measured}}"
    )
    assert math.copysign(1, check.expect[0][0]) == -1
    assert check.expect[1:] == (None, {"values": [1], "indices": [0], "dense_shape": [2]})
    assert (check.tolerance.ulp, check.tolerance.rtol, check.tolerance.why) == (4, None, "measured")
    assert check.intent == "zero"
    assert check.raises is None


@pytest.mark.parametrize(
    ("raises", "expected"),
    [
        ("ValueError", ("ValueError", None, None)),
        ("InvalidArgumentError", ("InvalidArgumentError", None, None)),
        (
            "{type: TypeError, stage: build, match: 'a|b$'}",
            ("TypeError", "build", "a|b$"),
        ),
    ],
)
def test_an_expected_error_is_kept(query, raises, expected):
    found = query(f"{{ys: z1, xs: w, raises: {raises}}}").raises
    assert (found.type, found.stage, found.match) == expected


def test_the_tolerance_of_the_file_holds_where_a_query_has_none(checks_of):
    text = CASE.replace(
        "QUERY", "{ys: z1, xs: w}\n  - {ys: z2, xs: w, tolerance: {atol: 1, why: b}}"
    )
    first, second = checks_of(text + "tolerance: {rtol: 0.5, why: a}\n")
    assert (first.tolerance.rtol, first.tolerance.why) == (0.5, "a")
    assert (second.tolerance.rtol, second.tolerance.why) == (None, "b")


def test_a_file_without_inputs_or_graph_is_a_case(check_of):
    check = check_of("about: a\ngradients: [{ys: 'tf.constant(1.0)', xs: []}]\n")
    assert check.program.build == "ys = [tf.constant(1.0)]\nxs = []\nfeeds = {}\n"


def test_a_program_is_python(checks_of):
    for check in checks_of(CASE.replace("QUERY", "{ys: 2 * z1, xs: w, stop_gradient_at: subsets}")):
        compile(check.program.build + check.program.gradients, "<check>", "exec")


def test_too_many_checks_are_refused(problem_of):
    queries = "".join(
        f"  - {{ys: z1, xs: w, id: q{i}, stop_gradient_at: subsets}}\n" for i in range(400)
    )
    graph = "".join(f"  a{i} = w * {i}\n" for i in range(1, 5))
    text = CASE.replace("  - QUERY\n", queries).replace(
        "  z2 =", graph + "  z2 = a1 + a2 + a3 + a4 +"
    )
    assert "more than 10,000 checks" in problem_of(text).message


def test_errors_may_be_left_to_the_oracle(query):
    check = query("{ys: z1, xs: w, may_raise: [TypeError, ValueError]}")
    assert check.may_raise == ("TypeError", "ValueError")
    assert check.raises is None


@pytest.mark.parametrize(
    ("may_raise", "message"),
    [
        ("[ValueEror]", "unknown error 'ValueEror'"),
        ("[7]", "the class of an error is text"),
        ("[]", "'may_raise' must not be empty"),
        ("ValueError", "'may_raise' must be a list"),
        ("[TypeError], raises: TypeError", "a query has `raises` or `may_raise`, not both"),
        ("[TypeError], expect: [1]", "a query has `expect` or `may_raise`, not both"),
    ],
)
def test_errors_left_to_the_oracle_have_names(problem_of, may_raise, message):
    text = CASE.replace("QUERY", f"{{ys: z1, xs: w, may_raise: {may_raise}}}")
    assert message in problem_of(text).message
