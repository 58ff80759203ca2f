"""How many failures are looked into, and which."""

from dataclasses import replace
from pathlib import Path

import pytest

from gradparity.blame import failures
from gradparity.blame.failures import blame_failures
from gradparity.blame.finding import Blame, Fault
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Case, Check, Position
from gradparity.outcome import Outcome
from gradparity.program import Program
from gradparity.results import CheckResult


class Recorded:
    only_recorded = True


def a_result(file, word=Word.DIFFER):
    path = Path(f"cases/{file}.yaml")
    check = Check(
        f"{file}::y~x", Case(file, path, "…", "…", "…"), Position(path, 1, 1),
        Program("tf1", "", ""), ["y"], ["x"],
    )  # fmt: skip
    return CheckResult(check, Outcome(), Outcome(), Verdict(word, "…"))


@pytest.fixture
def results():
    made = [a_result("a"), a_result("a"), a_result("b"), a_result("c", Word.AGREE), a_result("b")]
    return dict(enumerate(made))


@pytest.fixture(autouse=True)
def found(monkeypatch):
    """Instead of a search, what it is asked for."""
    blame = Blame(Fault.GRADIENT, "Mul 'mul': …")
    monkeypatch.setattr(failures, "blame", lambda result, ask: blame)
    return blame


def blamed(results):
    return [index for index, result in results.items() if result.blame is not None]


def test_what_differs_is_looked_into_and_nothing_else(results):
    assert blame_failures(results, None, None, 10) == 0
    assert blamed(results) == [0, 1, 2, 4]


def test_the_first_of_each_file_comes_first(results):
    assert blame_failures(results, None, None, 2) == 2
    assert blamed(results) == [0, 2]


def test_time_is_bounded(results, monkeypatch):
    monkeypatch.setattr(failures, "SECONDS", -1.0)
    assert blame_failures(results, None, None, 10) == 4
    assert blamed(results) == []


def test_recordings_cannot_be_asked_for_more(results):
    assert blame_failures(results, None, Recorded(), 10) == 0
    assert "live oracle" in results[0].blame.sentence


def test_a_side_without_an_answer_is_not_looked_into(results):
    results[0] = replace(results[0], implementation=None)
    blame_failures(results, None, None, 10)
    assert blamed(results) == [1, 2, 4]
