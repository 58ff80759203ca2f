"""Wrong implementations are told from sound ones, and each of ours is caught as intended."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import gradparity
from gradparity import engine, mutants
from gradparity.cli import main
from gradparity.judge.verdict import Kind, Verdict, Word
from gradparity.language.check import Case, Check, Position
from gradparity.language.loading import load
from gradparity.language.problems import CaseErrors
from gradparity.mutants import Answers, Mutant
from gradparity.outcome import Outcome
from gradparity.program import Program
from gradparity.results import CheckResult, RunRecord

TESTS = Path(__file__).parents[1]
OURS = TESTS / "mutants"
CASES = TESTS.parent / "cases"
NAMESPACES = TESTS / "engine" / "namespaces"

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {constant: 2.0}
graph: |
  y = tf.identity(x) * 3.0
gradients:
  - {id: first, ys: y, xs: [x]}
  - {id: second, ys: y, xs: [x]}
"""


def a_check(id):
    path = Path("cases/a.yaml")
    program = Program("tf1", id, "")
    case = Case("a", path, "…", "…", "…")
    return Check(id, case, Position(path, 1, 1), program, ys=["y"], xs=["x"])


def a_result(id, word, kind=None):
    return CheckResult(a_check(id), Outcome(), Outcome(), Verdict(word, "…", kind))


def trial(*results, expected):
    return mutants.judged(Mutant("m", "It is wrong.", expected), results)


def test_a_mutant_that_differs_as_the_table_says_is_caught_as_intended():
    found = trial(
        a_result("a::1", Word.DIFFER, Kind.VALUE),
        a_result("a::2", Word.AGREE),
        a_result("a::3", Word.DIFFER, Kind.ERROR),
        expected={"a::1": Kind.VALUE},
    )
    assert found.as_intended
    assert not found.survives
    assert [kill.check for kill in found.kills] == ["a::1", "a::3"]
    assert found.kinds() == {Kind.ERROR: 1, Kind.VALUE: 1}


def test_a_mutant_with_which_everything_agrees_survives():
    found = trial(a_result("a::1", Word.AGREE), expected={"a::1": Kind.VALUE})
    assert found.survives
    assert not found.as_intended
    assert "SURVIVES" in mutants.summary(found)
    assert "a::1 should find value; found: agree" in mutants.summary(found)


@pytest.mark.parametrize(
    ("word", "kind", "told"),
    [(Word.DIFFER, Kind.ERROR, "differ (error)"), (Word.AGREE, None, "agree")],
)
def test_another_kind_than_the_intended_is_a_miss(word, kind, told):
    other = a_result("a::2", Word.DIFFER, Kind.VALUE)
    found = trial(a_result("a::1", word, kind), other, expected={"a::1": Kind.VALUE})
    assert not found.survives
    assert not found.as_intended
    assert [miss.found for miss in found.misses] == [told]


def test_a_check_that_was_not_asked_is_a_miss():
    found = trial(a_result("a::2", Word.DIFFER, Kind.VALUE), expected={"a::1": Kind.VALUE})
    assert [miss.found for miss in found.misses] == ["no such check was asked"]


def test_a_crash_is_an_accident_and_no_proof():
    found = trial(
        a_result("a::1", Word.DIFFER, Kind.VALUE),
        a_result("a::2", Word.CRASHED),
        expected={"a::1": Kind.VALUE},
    )
    assert not found.as_intended
    assert "by accident: a::2 is crashed" in mutants.summary(found)
    assert trial(a_result("a::2", Word.CRASHED), expected={}).survives


def test_a_matrix_without_mutants_proves_nothing():
    assert not mutants.Matrix(RunRecord()).passes


def test_answers_are_those_of_the_oracle_in_the_order_in_which_they_are_asked():
    results = [a_result(id, Word.AGREE) for id in ("a::1", "a::2")]
    results[0] = CheckResult(a_check("a::1"), Outcome(op_types=("Mul",)), None, results[0].verdict)
    worker = Answers(results, {"tf1": {"version": "2.21.0"}}).start("tf1")
    assert worker.ready() == {"version": "2.21.0"}
    for id in ("a::2", "a::1"):
        worker.send(a_check(id).program)
    assert worker.receive(1.0).op_types == ()
    assert worker.receive(1.0).op_types == ("Mul",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("- wrong\n", "the table must be a mapping"),
        ("wrnog: {'a::1': value}\n", "there is no module wrnog.py"),
        ("wrong: {'a::1': vale}\n", "did you mean 'value'?"),
        ("wrong: {}\n", "at least one check"),
        ("wrong:\n", "at least one check"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_its_place(tmp_path, table, message):
    (tmp_path / "wrong.py").write_text('"""It is wrong."""\n')
    (tmp_path / mutants.TABLE).write_text(table)
    with pytest.raises(CaseErrors, match=r"mutants\.yaml:1:"):
        mutants.read_table(tmp_path)
    with pytest.raises(CaseErrors) as caught:
        mutants.read_table(tmp_path)
    assert message in str(caught.value)


def test_a_module_that_the_table_forgets_is_a_problem(tmp_path):
    for name in ("wrong", "forgotten"):
        (tmp_path / f"{name}.py").write_text('"""It is wrong."""\n')
    (tmp_path / mutants.TABLE).write_text("wrong: {'a::1': value}\n")
    with pytest.raises(CaseErrors, match="the mutant 'forgotten' is not in the table"):
        mutants.read_table(tmp_path)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A corpus that tame_tf answers, and a folder of mutants: one wrong, one harmless."""
    monkeypatch.chdir(tmp_path)
    package = Path(gradparity.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", f"{NAMESPACES}{os.pathsep}{package}")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "triple.yaml").write_text(CASE)
    folder = tmp_path / "tests" / "mutants"
    folder.mkdir(parents=True)
    (folder / "doubled.py").write_text('"""Twice too much."""\nfrom wrong_tf import *\n')
    (folder / "harmless.py").write_text('"""Nothing is wrong."""\nfrom tame_tf import *\n')
    (folder / mutants.TABLE).write_text(
        "doubled: {'triple::first': value}\nharmless: {'triple::first': value}\n"
    )
    return tmp_path


def call(*arguments):
    sides = ("--impl", "tame_tf", "--oracle", "tame_tf")
    return CliRunner().invoke(main, ["mutants", *sides, *arguments])


def test_the_command_fails_on_a_survivor_and_names_it(project):
    result = call()
    assert result.exit_code == 1, result.output
    assert "harmless survived: a case is missing" in result.output


@pytest.mark.parametrize(("mode", "kills"), [((), "2"), (("--quick",), "1")])
def test_the_command_passes_when_all_are_caught(project, mode, kills):
    result = call("--only", "doubled", "--markdown", "matrix.md", *mode)
    assert result.exit_code == 0, result.output
    assert "all caught as intended" in result.output
    page = (project / "matrix.md").read_text()
    assert f"| `doubled` | Twice too much. | {kills} |  |  |  |  |  | **{kills}** | yes |" in page


def test_the_command_says_which_mutant_there_is_none_of(project):
    result = call("--only", "doubeld")
    assert result.exit_code == 2
    assert "did you mean 'doubled'?" in result.output


def test_a_check_that_the_sound_implementation_fails_proves_nothing(project):
    result = CliRunner().invoke(
        main, ["mutants", "--impl", "wrong_tf", "--oracle", "tame_tf", "--only", "doubled"]
    )
    assert result.exit_code == 1
    assert "the sound implementation fails it: differ" in result.output


def test_each_of_our_mutants_is_caught_by_the_checks_of_the_table():
    """The quick matrix, with the sound numpy_tf in TensorFlow's place: what is at stake here is
    whether corpus and judge notice; `gradparity mutants` asks TensorFlow.
    """
    table = mutants.read_table(OURS)
    assert len(table) >= 25
    assert all(mutant.breaks for mutant in table)
    assert {kind for mutant in table for kind in mutant.expected.values()} == set(Kind)
    numpy_tf = engine.side_source("numpy_tf")
    matrix = mutants.run(table, OURS, load([CASES]), numpy_tf, numpy_tf, quick=True)
    assert [mutants.summary(trial) for trial in matrix.trials if not trial.as_intended] == []
    assert len(matrix.trials) == len(table)
