"""`generate`: seeded cases that are like written ones, and the same everywhere."""

import hashlib
import json
import random
from importlib import resources

import jsonschema
import pytest
import yaml

from gradparity.language import random_graphs

CASE = """\
about: Random graphs.
source: a generator
generate: GENERATE
"""
SMALL = "{random_graphs: 12, seed: 1}"


@pytest.fixture
def generated(checks_of):
    """The checks of a `generate`."""
    return lambda text: checks_of(CASE.replace("GENERATE", text))


@pytest.fixture
def refusal(problem_of):
    """The problem of a `generate` that must not load."""
    return lambda text: problem_of(CASE.replace("GENERATE", text))


def programs(checks):
    return [(check.id, check.program.build, check.program.gradients) for check in checks]


def test_each_graph_is_a_case_below_the_file(generated):
    checks = generated(SMALL)
    assert len(checks) == 36
    names = list(dict.fromkeys(check.case.name for check in checks))
    assert (names[0], names[-1], len(names)) == ("demo/graph-01", "demo/graph-12", 12)
    assert checks[0].id.startswith("demo/graph-01::query-1")
    assert len({check.id for check in checks}) == 36


def test_a_case_shows_its_own_graph(generated):
    for check in generated(SMALL):
        assert "tf.stop_gradient" in check.program.build or check.case.graph in check.program.build
        assert check.case.graph.count("\n") == 12


def test_its_checks_stand_where_generate_does(generated):
    for check in generated(SMALL):
        assert (check.position.line, check.position.column) == (3, 1)
        assert set(check.build_lines) == {3}


def test_the_same_seed_gives_the_same_programs(generated):
    assert programs(generated(SMALL)) == programs(generated(SMALL))
    assert programs(generated(SMALL)) != programs(generated(SMALL.replace("seed: 1", "seed: 2")))


def test_the_graphs_are_those_of_every_python():
    given = {"seed": 1, "operations": 12, "queries": 3}
    text = json.dumps([random_graphs.random_graph(given, number) for number in range(1, 41)])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "7b594064ccd1803f"


def test_the_state_of_the_random_module_plays_no_part(generated):
    random.seed(5)
    first = programs(generated(SMALL))
    random.seed(6)
    assert first == programs(generated(SMALL))


def test_more_graphs_leave_the_earlier_ones_as_they_are(generated):
    few = [check.program for check in generated("{random_graphs: 3, seed: 1}")]
    many = [check.program for check in generated("{random_graphs: 30, seed: 1}")]
    assert many[:9] == few


def test_the_numbers_of_operations_and_queries_can_be_given(generated):
    checks = generated("{random_graphs: 1, seed: 1, operations: 30, queries: 5}")
    assert len(checks) == 5
    assert checks[0].case.graph.count("\n") == 30


def test_every_query_asks_for_a_weighted_y_twice_over_by_itself(generated):
    """So that no check is trivial, whatever the gradients of its other xs are."""
    for check in generated("{random_graphs: 40, seed: 3}"):
        assert check.ys[0].removeprefix("2.0 * ") in check.xs
        assert check.ys[0].startswith("2.0 * ")
        assert check.ys[0].removeprefix("2.0 * ") not in check.stopped
        assert "grad_ys=[tf.constant(" in check.program.gradients.replace("\n    ", "")


def test_all_forms_and_all_kinds_of_queries_occur(generated):
    checks = generated("{random_graphs: 40, seed: 2}")
    graphs = "".join({check.case.name: check.case.graph for check in checks}.values())
    for form in random_graphs._FORMS:
        call = form.code.partition("(")[0] if "tf." in form.code else form.code[4:5]
        assert call in graphs, form.code
    calls = "".join(check.program.gradients for check in checks)
    for argument in ("stop_gradients=", "unconnected_gradients=", "None]"):
        assert argument in calls
    assert any(check.stopped for check in checks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "'generate' must be a mapping"),
        ("7", "'generate' must be a mapping"),
        ("{random_graph: 3, seed: 1}", "there is no generator 'random_graph'"),
        ("{seed: 1}", "there is no generator 'seed'"),
        ("{random_graphs: 3}", "missing 'seed'"),
        ("{random_graphs: 3, sead: 1}", "'random_graphs' takes no 'sead'"),
        ("{random_graphs: 0, seed: 1}", "must be a whole number from 1 to 1,000"),
        ("{random_graphs: many, seed: 1}", "must be a whole number from 1 to 1,000"),
        ("{random_graphs: true, seed: 1}", "must be a whole number from 1 to 1,000"),
        ("{random_graphs: 3, seed: null}", "must be a whole number from 0 to"),
        ("{random_graphs: 3, seed: 1, operations: 101}", "must be a whole number from 1 to 100"),
        ("{random_graphs: 1000, seed: 1, queries: 20}", "20,000 queries; at most 10,000"),
    ],
)
def test_a_mistake_is_said(refusal, text, message):
    assert message in refusal(text).message


def test_the_nearest_spelling_is_given(refusal):
    assert refusal("{random_graph: 3, seed: 1}").hint == "did you mean 'random_graphs'?"
    assert refusal("{random_graphs: 3, sead: 1}").hint == "did you mean 'seed'?"


@pytest.mark.parametrize("key", ["inputs: {}", "graph: z = 1", "gradients: [{ys: a, xs: a}]"])
def test_what_is_generated_is_not_written_too(problem_of, key):
    problem = problem_of(CASE.replace("GENERATE", SMALL) + key + "\n")
    assert (problem.line, problem.column) == (4, 1)
    assert problem.message.endswith("is what `generate` writes: give one or the other")


def test_editors_know_it():
    text = resources.files("gradparity").joinpath("schemas/case.schema.json").read_text("utf-8")
    schema = json.loads(text)
    jsonschema.validate(yaml.safe_load(CASE.replace("GENERATE", SMALL)), schema)
    for wrong in ("{random_graphs: 0, seed: 1}", "{random_graphs: 3}", "{random: 3}"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(CASE.replace("GENERATE", wrong)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"about": "neither queries nor a generator"}, schema)
