"""stop_gradient_at: where tf.stop_gradient is put, and that nothing else changes."""

import textwrap

import pytest

CASE = """\
about: Where gradients stop.
inputs:
  a: {variable: 1.0}
  b: {variable: 2.0}
graph: |
GRAPH
gradients:
  - QUERY
"""

DIAMOND = """\
c = tf.add(a, b)
d = tf.add(2 * a, b)
e = c * d
"""


def case(graph: str, query: str) -> str:
    return CASE.replace("GRAPH\n", textwrap.indent(graph, "  ")).replace("QUERY", query)


@pytest.fixture
def woven(check_of):
    """The build stage between the inputs and the ys, with a tensor stopped."""

    def weave(graph: str, at: str, ys: str = "a * b") -> str:
        check = check_of(case(graph, f"{{ys: '{ys}', xs: a, stop_gradient_at: {at}}}"))
        lines = check.program.build.splitlines()
        return "\n".join(lines[2:-3]) + "\n"

    return weave


@pytest.fixture
def stopped_by(checks_of):
    """What is stopped in each variant of a query."""

    def variants(graph: str, query: str) -> list[str]:
        return ["".join(check.stopped) for check in checks_of(case(graph, query))]

    return variants


def test_all_consumers_of_a_tensor_see_it_stopped(woven):
    assert woven(DIAMOND, "[c]") == (
        "c = tf.add(a, b)\n"
        "c_stopped = tf.stop_gradient(c)\n"
        "d = tf.add(2 * a, b)\n"
        "e = c_stopped * d\n"
    )


def test_a_stopped_input_is_stopped_before_the_graph(woven):
    assert woven(DIAMOND, "[a]", ys="e + 1") == (
        "a_stopped = tf.stop_gradient(a)\n"
        "c = tf.add(a_stopped, b)\n"
        "d = tf.add(2 * a_stopped, b)\n"
        "e = c * d\n"
    )


def test_one_edge_is_stopped_alone(woven):
    assert woven(DIAMOND, '["a -> d"]') == (
        "a_stopped = tf.stop_gradient(a)\n"
        "c = tf.add(a, b)\n"
        "d = tf.add(2 * a_stopped, b)\n"
        "e = c * d\n"
    )


def test_several_stops_are_made_together(woven):
    assert woven(DIAMOND, '[c, "b -> d"]') == (
        "b_stopped = tf.stop_gradient(b)\n"
        "c = tf.add(a, b)\n"
        "c_stopped = tf.stop_gradient(c)\n"
        "d = tf.add(2 * a, b_stopped)\n"
        "e = c_stopped * d\n"
    )


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (  # comments, layout and text stay
            "c = a   # c and a\nd = 'c' + c.name\ne = (c +\n     b)  # c\n",
            "c = a   # c and a\nc_stopped = tf.stop_gradient(c)\nd = 'c' + c.name\n"
            "e = (c_stopped +\n     b)  # c\n",
        ),
        (  # a tensor that is bound again
            "c = a\nc = c * b\ne = c\n",
            "c = a\nc_stopped = tf.stop_gradient(c)\nc = c_stopped * b\n"
            "c_stopped = tf.stop_gradient(c)\ne = c_stopped\n",
        ),
        (  # within a loop
            "c = a\nfor i in range(3):\n    c = c * b\ne = c\n",
            "c = a\nc_stopped = tf.stop_gradient(c)\nfor i in range(3):\n    c = c_stopped * b\n"
            "    c_stopped = tf.stop_gradient(c)\ne = c_stopped\n",
        ),
        (  # on one line
            "c = a\nfor i in range(3): c = c * b\ne = c\n",
            "c = a\nc_stopped = tf.stop_gradient(c)\n"
            "for i in range(3): c = c_stopped * b; c_stopped = tf.stop_gradient(c)\n"
            "e = c_stopped\n",
        ),
        (
            "c = a * b; e = c\n",
            "c = a * b; c_stopped = tf.stop_gradient(c); e = c_stopped\n",
        ),
        (  # augmented assignment reads and binds
            "c = a * b\nc *= (b + 1)  # twice\ne = c\n",
            "c = a * b\nc_stopped = tf.stop_gradient(c)\nc = c_stopped * ((b + 1))  # twice\n"
            "c_stopped = tf.stop_gradient(c)\ne = c_stopped\n",
        ),
        (  # several names at once
            "c, d = tf.split(a, 2)\ne = c + d\n",
            "c, d = tf.split(a, 2)\nc_stopped = tf.stop_gradient(c)\ne = c_stopped + d\n",
        ),
        (  # a function's own names are its own
            "c = a * b\ndef f(c, d):\n    return c * d\ne = f(c, [c for c in [1, 2]])\n",
            "c = a * b\nc_stopped = tf.stop_gradient(c)\ndef f(c, d):\n    return c * d\n"
            "e = f(c_stopped, [c for c in [1, 2]])\n",
        ),
        (
            "c = a * b\ndef f(v):\n    c = v * 2\n    return c\ne = f(c)\n",
            "c = a * b\nc_stopped = tf.stop_gradient(c)\ndef f(v):\n    c = v * 2\n    return c\n"
            "e = f(c_stopped)\n",
        ),
        (  # what a function reads from outside is read
            "c = a * b\nf = lambda v: v * c\ndef g(v):\n    w = c\n    return w\ne = f(b)\n",
            "c = a * b\nc_stopped = tf.stop_gradient(c)\nf = lambda v: v * c_stopped\n"
            "def g(v):\n    w = c_stopped\n    return w\ne = f(b)\n",
        ),
        (  # the tensor itself is meant in a gradient call and by its attributes
            "c = a * b\nd = c * c\ne = tf.gradients(d, [c])[0] + c.shape.ndims\n",
            "c = a * b\nc_stopped = tf.stop_gradient(c)\nd = c_stopped * c_stopped\n"
            "e = tf.gradients(d, [c])[0] + c.shape.ndims\n",
        ),
        (
            "with tf.name_scope('s'):\n    c = a * b\ne = c\n",
            "with tf.name_scope('s'):\n    c = a * b\n    c_stopped = tf.stop_gradient(c)\n"
            "e = c_stopped\n",
        ),
        (
            "c_stopped = b\nc = a * b\ne = c * c_stopped\n",
            "c_stopped = b\nc = a * b\nc_stopped_ = tf.stop_gradient(c)\n"
            "e = c_stopped_ * c_stopped\n",
        ),
        (
            "é = 'é'; c = a  # é\ne = tf.identity(c, name='é') + c\n",
            "é = 'é'; c = a; c_stopped = tf.stop_gradient(c)  # é\n"
            "e = tf.identity(c_stopped, name='é') + c_stopped\n",
        ),
    ],
)
def test_only_the_names_that_are_read_are_replaced(woven, graph, expected):
    assert woven(graph, "[c]") == expected


def test_a_variable_that_is_assigned_to_stays_itself(woven):
    graph = "c = tf.assign(a, a * b)\nd = a.assign_add(a)\n"
    assert woven(graph, "[a]") == (
        "a_stopped = tf.stop_gradient(a)\n"
        "c = tf.assign(a, a_stopped * b)\n"
        "d = a.assign_add(a_stopped)\n"
    )


def test_a_y_that_is_an_expression_is_a_consumer_and_a_bare_name_is_the_tensor(checks_of):
    query = '{ys: ["c", "c * 2 + [c for c in [1]][0]", "(c)"], xs: [c, a], stop_gradient_at: [c]}'
    (check,) = checks_of(case(DIAMOND, query))
    lines = check.program.build.splitlines()
    assert "ys = [c, c_stopped * 2 + [c for c in [1]][0], (c)]" in lines
    assert "xs = [c, a]" in lines


def test_each_gives_a_variant_for_each_tensor_with_a_consumer(stopped_by):
    assert stopped_by(DIAMOND, "{ys: e, xs: a, stop_gradient_at: each}") == ["a", "b", "c", "d"]
    assert stopped_by(DIAMOND, "{ys: 2 * e, xs: a, stop_gradient_at: each}") == list("abcde")


def test_each_passes_over_what_is_not_a_tensor(stopped_by):
    graph = (
        "n = 3\nt = 'x'\ndtype = tf.float32\nf = lambda v: v\ndef g(v): return v\n"
        "shape = a.get_shape().as_list()\nparts = tf.split(b, 2)\nk = [1, 2]\n"
        "init = tf.zeros_initializer()\n"
        "c = g(f(tf.cast(a, dtype))) * n * k[0] + parts[0] + len(shape)\n"
        "for i in range(3): c = c * i\nd = c + tf.identity(c, name=t)\n"
    )
    assert stopped_by(graph, "{ys: d, xs: a, stop_gradient_at: each}") == ["a", "b", "c"]


def test_subsets_are_all_combinations_and_the_empty_one(checks_of):
    checks = checks_of(case(DIAMOND, "{ys: e, xs: a, stop_gradient_at: subsets}"))
    assert len(checks) == 16
    assert [check.id for check in checks[:7]] == [
        "demo::e~a",
        "demo::e~a@a",
        "demo::e~a@b",
        "demo::e~a@c",
        "demo::e~a@d",
        "demo::e~a@a,b",
        "demo::e~a@a,c",
    ]
    assert checks[0].stopped == ()
    assert checks[-1].stopped == ("a", "b", "c", "d")


def test_subsets_of_more_than_eight_tensors_are_refused(problem_of):
    graph = "c = a * b\n" + "".join(f"c{i} = c * {i}\n" for i in range(8)) + "d = c0"
    graph += "".join(f" + c{i}" for i in range(1, 8)) + "\n"
    problem = problem_of(case(graph, "{ys: d, xs: a, stop_gradient_at: subsets}"))
    assert "2,048 variants" in problem.message
    assert "list the placements" in problem.hint


@pytest.mark.parametrize(
    ("at", "column", "message", "hint"),
    [
        ("[cc]", 39, "unknown tensor 'cc'", "did you mean 'c'?"),
        ("[c, sub]", 42, "unknown tensor 'sub'", ""),
        ("eech", 38, "unknown tensor 'eech'", "did you mean 'each'?"),
        ('["c -> f"]', 39, "unknown tensor 'f'", "names: a, b, c, d, e"),
        ('["c -> d"]', 39, "'d' does not read 'c'", "it is read by: e"),
        ("[e]", 39, "nothing consumes 'e'", "a bare name among the ys is the tensor itself"),
        ("[c, c]", 38, "stands here twice", ""),
    ],
)
def test_a_placement_that_cannot_be_made_is_refused(problem_of, at, column, message, hint):
    problem = problem_of(case(DIAMOND, f"{{ys: e, xs: a, stop_gradient_at: {at}}}"))
    assert message in problem.message
    assert hint in problem.hint
    assert (problem.line, problem.column) == (10, column)


def test_a_python_value_cannot_be_stopped(problem_of):
    problem = problem_of(case("n = 3\nc = a * n\n", "{ys: c, xs: a, stop_gradient_at: [n]}"))
    assert problem.message == "'n' is not a tensor: nothing flows through it"


def test_a_graph_without_a_consumer_has_nothing_to_stop(problem_of):
    problem = problem_of(case("pass\n", "{ys: a, xs: a, stop_gradient_at: each}"))
    assert "no tensor of this graph has a consumer" in problem.message


def test_lines_of_the_program_lead_back_to_the_file(check_of):
    graph = "c = tf.add(a, b)\n\nd = c * a  # three\ne = c * d\n"
    check = check_of(case(graph, "{ys: 2 * e, xs: a, stop_gradient_at: [b, c]}"))
    lines = check.program.build.splitlines()
    found = {line: check.line_in_file("build", number) for number, line in enumerate(lines, 1)}
    assert found == {
        "a = tf.Variable(1.0, dtype=tf.float32, name='a')": 3,
        "b = tf.Variable(2.0, dtype=tf.float32, name='b')": 4,
        "b_stopped = tf.stop_gradient(b)": 4,
        "c = tf.add(a, b_stopped)": 6,
        "c_stopped = tf.stop_gradient(c)": 6,
        "": 7,
        "d = c_stopped * a  # three": 8,
        "e = c_stopped * d": 9,
        "ys = [2 * e]": 11,
        "xs = [a]": 11,
        "feeds = {}": 11,
    }
    assert check.build_offset == 3
    assert check.line_in_file("gradients", 1) == 11
    assert check.line_in_file("build", None) == 11
