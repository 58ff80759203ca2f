"""What cases declare of the truth, held against the arbiter's words."""

from pathlib import Path

import pytest

from gradparity.arbiter.opinion import Arbitration, Numbers, Opinion
from gradparity.arbiter.truth import problems
from gradparity.judge.verdict import Verdict, Word
from gradparity.language.check import Case, Check, Position, Truth
from gradparity.program import Program
from gradparity.results import CheckResult

PATH = Path("cases/defect.yaml")
DEFECT = Truth("defect", "It skips what follows a zero.")


def judged(word, truth, *, derivative=("1", "8"), line=4):
    case = Case("defect", PATH, "It skips.", "by hand", "y = tf.cumprod(x)")
    program = Program("tf1", "", "")
    check = Check(
        "defect::y~x", case, Position(PATH, line, 3), program, ys=["y"], xs=["x"], truth=truth
    )
    numbers = Numbers(
        0, "gradient 0 (x)", derivative, True, (len(derivative),), "departs", "departs", ""
    )
    arbitration = Arbitration(word, "because", (numbers,))
    return CheckResult(check, None, None, Verdict(Word.AGREE, ""), arbitration=arbitration)


def test_a_defect_that_the_arbiter_confirms_is_no_problem():
    assert problems([judged(Opinion.TENSORFLOW, DEFECT)]) == []


def test_a_defect_that_is_gone_is_a_problem():
    (line,) = problems([judged(Opinion.BOTH, DEFECT)])
    assert line == (
        "defect::y~x: a defect of TensorFlow is declared, and the arbiter says: "
        "both agree with the mathematics (because)"
    )


@pytest.mark.parametrize("word", [Opinion.UNCLEAR, Opinion.NONE])
def test_a_defect_must_be_confirmed_and_a_convention_only_not_denied(word):
    assert problems([judged(word, DEFECT)])
    assert not problems([judged(word, Truth("convention", "At ties, the first."))])


def test_a_convention_that_is_the_derivative_is_none():
    assert problems([judged(Opinion.BOTH, Truth("convention", "At ties, the first."))])


def test_what_is_so_in_some_checks_must_be_so_in_one_of_them():
    some = Truth("defect", "At zeros.", some=True)
    both, departs = judged(Opinion.BOTH, some), judged(Opinion.TENSORFLOW, some)
    assert problems([both, departs]) == []
    assert len(problems([both, both])) == 1


def test_a_query_is_not_excused_by_another():
    some = Truth("defect", "At zeros.", some=True)
    found = problems([judged(Opinion.BOTH, some), judged(Opinion.TENSORFLOW, some, line=9)])
    assert len(found) == 1


def test_declared_values_must_be_what_the_arbiter_finds():
    right = Truth("defect", "It skips.", [[1, 8]])
    assert problems([judged(Opinion.TENSORFLOW, right)]) == []
    wrong = Truth("defect", "It skips.", [[1, 9]])
    (line,) = problems([judged(Opinion.TENSORFLOW, wrong)])
    assert line.endswith("gradient 0 (x) is declared to be [1, 9], and the arbiter finds 1, 8")


def test_a_check_that_declares_nothing_is_no_problem():
    assert problems([judged(Opinion.TENSORFLOW, None)]) == []
