"""On which results of a run the arbiter is asked, and what becomes of its words."""

from dataclasses import replace
from pathlib import Path

import pytest

from gradparity.arbiter.arbiter import add_words, own_gradients
from gradparity.arbiter.opinion import Arbitration, Opinion
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Case, Check, Position, Truth
from gradparity.program import Program
from gradparity.results import CheckResult, RunRecord


class Oracular:
    """Says one word of everything."""

    closed = False

    def __init__(self, word=Opinion.BOTH):
        self.word = word

    def applied(self, result):
        return replace(result, arbitration=Arbitration(self.word, "so it is"))

    def close(self):
        self.closed = True


def result(word, profile="tf1", truth=None):
    path = Path("cases/by_hand.yaml")
    case = Case("by_hand", path, "By hand.", "by hand", "")
    check = Check(
        f"by_hand::{word.value}[{profile}]",
        case,
        Position(path, 1, 1),
        Program(profile, "", ""),
        ys=["y"],
        xs=["x"],
        truth=truth,
    )
    return CheckResult(check, None, None, Verdict(word, ""))


@pytest.mark.parametrize(
    ("asked", "judged"),
    [
        ("none", []),
        ("failing", ["differ", "known"]),
        ("all", ["agree", "differ", "known", "crashed"]),
    ],
)
def test_it_is_asked_about_what_was_wanted(asked, judged):
    words = [Word.AGREE, Word.DIFFER, Word.KNOWN, Word.CRASHED]
    record, arbiter = RunRecord([result(word) for word in words]), Oracular()
    assert add_words(record, arbiter, asked) == 0
    assert [r.verdict.word.value for r in record.results if r.arbitration] == judged
    assert [r.verdict.word for r in record.results] == words
    assert arbiter.closed or not judged


def test_both_profiles_are_judged():
    record = RunRecord([result(Word.DIFFER, "tf1"), result(Word.DIFFER, "v2")])
    add_words(record, Oracular(), "failing")
    assert all(r.arbitration for r in record.results)


def test_where_everything_differs_only_the_first_are_asked_about(monkeypatch):
    monkeypatch.setattr("gradparity.arbiter.arbiter.MOST_FAILING", 1)
    record = RunRecord([result(Word.DIFFER, "tf1"), result(Word.DIFFER, "v2")])
    add_words(record, Oracular(), "failing")
    first, second = (r.arbitration for r in record.results)
    assert first.word is Opinion.BOTH
    assert second.word is Opinion.NONE
    assert "not asked" in second.reason


def test_an_interrupt_leaves_the_rest_without_an_opinion_and_denies_no_declaration():
    class Interrupted(Oracular):
        def applied(self, result):
            if result.verdict.word is Word.AGREE:
                return super().applied(result)
            raise KeyboardInterrupt

    truth = Truth("defect", "It skips.")
    record = RunRecord([result(Word.AGREE, truth=truth), result(Word.DIFFER, truth=truth)])
    assert add_words(record, Interrupted(), "all") == 1
    first, second = (r.arbitration for r in record.results)
    assert first.word is Opinion.BOTH
    assert second.word is Opinion.NONE
    assert "interrupted" in second.reason
    assert not record.truth_problems


def test_declarations_are_held_against_the_words_when_all_are_asked():
    record = RunRecord([result(Word.AGREE, truth=Truth("defect", "It skips."))])
    add_words(record, Oracular(Opinion.TENSORFLOW), "all")
    assert record.truth_problems == []
    add_words(record, Oracular(Opinion.BOTH), "all")
    assert len(record.truth_problems) == 1


def program(build):
    return Program("tf1", build, "gradients = tf.gradients(ys, xs)\n")


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        ("y = tf.custom_gradient(f)(x)", "tf.custom_gradient"),
        ("y = opt.minimize(x)", "an optimizer"),
        ("g = tf.gradients(y, x)[0]\nz = 1.0 if g is None else g", "as objects"),
        ("g = tf.gradients(y, x)[0]\nz = g.values", "as objects"),
    ],
)
def test_a_program_may_mean_something_else_than_a_derivative(build, reason):
    assert reason in own_gradients(program(build))


@pytest.mark.parametrize("build", ["y = x * x", "g = tf.gradients(x * x, x)[0] * 2.0"])
def test_most_programs_mean_the_derivative(build):
    assert own_gradients(program(build)) == ""
