"""matrix: a file once for each combination of its values."""

import pytest

CASE = """\
about: The same in several dtypes.
matrix: {dtype: [float32, float64], n: [1, 2.5]}
inputs:
  w: {variable: [$n, 3], dtype: $dtype}
graph: |
  z = w * tf.constant(${n}, tf.$dtype) + tf.cast($n, w.dtype)
gradients:
  - {ys: z, xs: w, grad_ys: [[$n, 1]], expect: [[$n, 0]], tolerance: {rtol: $n, why: "$dtype"}}
"""


def test_every_combination_is_a_check_and_named_in_its_id(checks_of):
    checks = checks_of(CASE)
    assert [check.id for check in checks] == [
        "demo::z~w[float32,1]",
        "demo::z~w[float32,2.5]",
        "demo::z~w[float64,1]",
        "demo::z~w[float64,2.5]",
    ]


def test_a_value_is_put_in_with_its_type_and_into_code_as_text(checks_of):
    check = checks_of(CASE)[3]
    assert check.program.build.splitlines()[:2] == [
        "w = tf.Variable([2.5, 3.0], dtype=tf.float64, name='w')",
        "z = w * tf.constant(2.5, tf.float64) + tf.cast(2.5, w.dtype)",
    ]
    assert "tf.constant([2.5, 1]," in check.program.gradients
    assert check.expect == ([2.5, 0],)
    assert (check.tolerance.rtol, check.tolerance.why) == (2.5, "float64")


def test_the_profile_comes_last_in_the_id(checks_of):
    text = CASE.replace("inputs:", "profile: [tf1, v2]\ninputs:", 1)
    checks = checks_of(text)
    assert checks[0].id == "demo::z~w[float32,1,tf1]"
    assert checks[1].id == "demo::z~w[float32,1,v2]"
    assert [check.program.profile for check in checks[:2]] == ["tf1", "v2"]


def test_the_case_keeps_the_graph_as_written(checks_of):
    assert "tf.$dtype" in checks_of(CASE)[0].case.graph


def test_an_unknown_name_is_refused_where_it_stands(problem_of):
    problem = problem_of(CASE.replace("tf.$dtype", "tf.$dtyp"))
    assert (problem.line, problem.column) == (6, 32)
    assert problem.message == "$dtyp is not in the matrix"
    assert problem.hint == "did you mean '$dtype'?"


def test_a_name_in_a_file_without_a_matrix_is_refused(problem_of):
    problem = problem_of("about: a\ngraph: z = $n\ngradients: [{ys: z, xs: z}]\n")
    assert (problem.line, problem.column) == (2, 12)
    assert problem.hint == "the file has no `matrix`"


def test_code_after_a_value_is_still_found_in_the_file(problem_of):
    text = CASE.replace("w.dtype)", "w.dtype) + zz")
    problem = problem_of(text)
    assert (problem.line, problem.column) == (6, text.splitlines()[5].index("zz") + 1)


def test_a_mistake_is_reported_once_however_many_entries_have_it(problems_of):
    assert len(problems_of(CASE.replace("xs: w", "xs: ww"))) == 1


@pytest.mark.parametrize(
    ("matrix", "place", "message"),
    [
        ("[a]", (2, 9), "'matrix' must map names to lists of values"),
        ("{dtype: float32}", (2, 17), "'dtype' must be a list of values"),
        ("{dtype: []}", (2, 17), "'dtype' must be a list of values"),
        ("{dtype: [[float32]]}", (2, 18), "one word, number or boolean"),
        ("{dtype: [float32, float32]}", (2, 27), "float32 stands here twice"),
        ("{d-type: [float32]}", (2, 10), "'d-type' is not a name"),
        (
            "{" + ", ".join(f"a{i}: [0, 1]" for i in range(30)) + "}",
            (2, 9),
            "1,073,741,824 combinations",
        ),
    ],
)
def test_a_malformed_matrix_is_refused(problems_of, matrix, place, message):
    text = CASE.replace("{dtype: [float32, float64], n: [1, 2.5]}", matrix)
    problem = problems_of(text)[0]
    assert message in problem.message
    assert (problem.line, problem.column) == place
