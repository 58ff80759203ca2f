"""The keys of a case: what is wrong with one is said where it stands."""

import json
from importlib import resources

import jsonschema
import pytest
import yaml

from gradparity.language import model

VALID = """\
about: The gradient of a square.
inputs:
  w: {variable: [1.0, 2.0]}
graph: |
  z = tf.square(w)
gradients:
  - {ys: z, xs: [w]}
"""


def test_a_typo_in_a_key_gives_its_place_and_the_nearest_key(problem_of):
    problem = problem_of(VALID.replace("inputs:", "imputs:"))
    assert (problem.line, problem.column) == (2, 1)
    assert problem.message == "unknown key 'imputs'"
    assert problem.hint == "did you mean 'inputs'?"


def test_a_typo_in_a_key_of_an_input_or_query_is_found(problems_of):
    text = VALID.replace("variable:", "varable:").replace("ys: z,", "ys: z, grad_y: [1],")
    found = problems_of(text)
    assert [(p.line, p.column, p.hint) for p in found] == [
        (3, 7, "did you mean 'variable'?"),
        (7, 13, "did you mean 'grad_ys'?"),
    ]


def test_a_key_like_no_other_gets_the_list_of_keys(problem_of):
    assert "known keys: about, source, inputs" in problem_of(VALID + "zzz: 1\n").hint


def test_a_missing_key_is_named_with_its_meaning(problem_of):
    problem = problem_of(VALID.replace("about: The gradient of a square.\n", ""))
    assert problem.message == "missing key 'about'"
    assert "one sentence" in problem.hint


def test_a_query_without_xs_is_found_at_the_query(problem_of):
    problem = problem_of(VALID.replace(", xs: [w]", ""))
    assert (problem.line, problem.column, problem.message) == (7, 5, "missing key 'xs'")


def test_all_problems_of_a_file_are_reported_in_its_order(problems_of):
    found = problems_of(
        """\
        about: [a]
        inputs: {w: {varible: 1}}
        gradients:
          - {ys: z, xs: w, order: two}
          - {ys: z, xs: w, call: hesians}
        """
    )
    assert [(p.line, p.message) for p in found] == [
        (1, "'about' must be text, and not empty, not a list"),
        (2, "unknown key 'varible'"),
        (4, "'order' must be a whole number from 1 to 6, not 'two'"),
        (5, "'call' must be one of gradients, hessians, not 'hesians'"),
    ]
    assert found[-1].hint == "did you mean 'hessians'?"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "gradients:\n  - {ys: z, xs: [w]}",
            "gradients: []",
            "'gradients' must be a list, and not empty",
        ),
        ("about: The gradient of a square.", "about: ''", "'about' must be text, and not empty"),
        (
            "about: The gradient of a square.",
            "about: 7",
            "'about' must be text, and not empty, not 7",
        ),
        ("xs: [w]", "xs: [w], gate_gradients: 1", "'gate_gradients' must be true or false"),
        ("xs: [w]", "xs: [w], order: 7", "'order'"),
        ("xs: [w]", "xs: [w], intent: zeros", "'intent' must be one of zero, ones, pass_through"),
        ("xs: [w]", "xs: [w], tolerance: {rtol: 1}", "missing key 'why'"),
        ("xs: [w]", "xs: [w], tolerance: {why: so}", "a tolerance without a number"),
        ("xs: [w]", "xs: [w], raises: {typ: ValueError}", "unknown key 'typ'"),
        (
            "xs: [w]",
            "xs: [w], raises: {type: ValueError, stage: builds}",
            "'stage' must be one of build, gradients, run",
        ),
        ("xs: [w]", "xs: [w], raises: ValueEror", "unknown error 'ValueEror'"),
        ("xs: [w]", "xs: [w], raises: {type: ValueError, match: '(a'}", "not a regular expression"),
        ("xs: [w]", "xs: [w], raises: ValueError, expect: [1]", "`expect` or `raises`, not both"),
        ("xs: [w]", "xs: [w], expect: [1, 2]", "2 expected values for 1 xs"),
        ("xs: [w]", "xs: [w], expect: [[1, [2]]]", "ragged list"),
        ("xs: [w]", "xs: [w], expect: [{vals: [1], indices: [0]}]", "unknown key 'vals'"),
        ("xs: [w]", "xs: [w], id: 'a b'", "'a b' is not an id"),
        ("xs: [w]", "xs: [w], aggregation_method: ADDN", "'ADDN' is no aggregation method"),
        ("xs: [w]", "xs: [w], call: hessians, grad_ys: [1]", "tf.hessians takes no 'grad_ys'"),
        ("xs: [w]", "xs: [w], call: hessians, order: 2", "tf.hessians takes no 'order'"),
        ("graph:", "profile: v3\ngraph:", "'v3' is not a profile"),
        ("graph:", "profile: [v2, v2]\ngraph:", "'v2' stands here twice"),
        ("{variable: [1.0, 2.0]}", "{}", "'w' is none"),
        ("{variable: [1.0, 2.0]}", "{variable: 1, constant: 2}", "'w' is variable and constant"),
        ("{variable: [1.0, 2.0]}", "{variable: 1, feed: 2}", "'feed' belongs to a placeholder"),
        ("{variable: [1.0, 2.0]}", "{constant: 1, trainable: false}", "belongs to a variable"),
        ("{variable: [1.0, 2.0]}", "{placeholder: [2]}", "the placeholder 'w' needs `feed`"),
        ("{variable: [1.0, 2.0]}", "{placeholder: 2, feed: 1}", "wants its static shape"),
        ("{variable: [1.0, 2.0]}", "{placeholder: [-1], feed: [1]}", "-1 is not a size"),
        ("  w: {", "  lambda: {variable: 1}\n  w: {", "'lambda' is not a Python name"),
        ("  w: {", "  tf: {variable: 1}\n  w: {", "'tf' has a meaning of its own"),
        ("  w: {", "  _a: {variable: 1}\n  w: {", "not a name that TensorFlow takes"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(problems_of, old, new, message):
    assert old in VALID
    found = problems_of(VALID.replace(old, new, 1))
    assert any(message in problem.message for problem in found), found


def test_a_file_that_is_a_list_is_refused(problem_of):
    assert "a case is a mapping" in problem_of("- about: a\n").message


def test_a_problem_shows_the_line_with_a_caret_below_it(errors_of):
    (problem,) = errors_of(VALID + "abuot: b\n")
    assert problem.render() == (
        "cases/demo.yaml:8:1: error: unknown key 'abuot'\n"
        "    abuot: b\n"
        "    ^\n"
        "    did you mean 'about'?"
    )


# The published schema


@pytest.fixture(scope="module")
def schema():
    text = resources.files("gradparity").joinpath("schemas/case.schema.json").read_text("utf-8")
    return json.loads(text)


def test_the_committed_schema_is_the_models(schema):
    assert schema == model.json_schema(), "run tools/write_case_schema.py"


def test_the_schema_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_key_has_a_description_for_editors(schema):
    models = ("InputModel", "QueryModel", "RaisesModel", "ToleranceModel")
    for definition in [schema, *(schema["$defs"][name] for name in models)]:
        assert all(key.get("description") for key in definition["properties"].values())


FULL = """\
about: a
source: b
profile: [tf1, v2]
matrix: {dtype: [float32, float64]}
tolerance: {rtol: 1.0e-5, why: because}
inputs:
  w: {variable: {normal: [3], seed: 1}, dtype: $dtype, trainable: false}
  p: {placeholder: [null, 3], feed: [[1, 2, 3]]}
  q: {placeholder: unknown, feed: null}
  c: {constant: [[true, false]]}
graph: z = w
gradients:
  - {ys: z, xs: [w, p], grad_ys: [[1, 2, 3]], expect: [[1, 2, 3], null]}
  - {ys: [z, 5], xs: w, grad_ys: [null, {value: 1, dtype: int32}], raises: ValueError}
  - {ys: z, xs: w, stop_gradient_at: each, order: 2, id: b, tolerance: {ulp: 4, why: c}}
  - {ys: z, xs: w, raises: {type: ValueError, stage: run, match: m}, unconnected_gradients: zero}
  - {ys: z, xs: w, call: hessians, expect: [{values: [1], indices: [0]}], intent: zero}
"""


def test_the_schema_accepts_everything_the_language_can_say(schema):
    jsonschema.validate(yaml.safe_load(FULL), schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [("about:", "abuot:"), ("seed: 1", "sead: 1"), ("order: 2", "order: 9"), ("feed:", "fed:")],
)
def test_the_schema_refuses_what_the_loader_refuses(schema, old, new):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FULL.replace(old, new, 1)), schema)
