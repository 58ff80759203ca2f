"""Two reports: which checks changed, in which direction, and because of what."""

import pytest

from gradparity.comparison.answers import Kind
from gradparity.comparison.compare import Cause, Turn, compare

OTHER = "fedcba9876543210"


@pytest.fixture
def compared(make, written):
    """Compares a report of one check with another; both can be edited."""

    def run(before, after, versions=("2.20.0", "2.21.0"), **settings):
        reports = [
            written.report(name, make.document(*checks, version=version))
            for name, checks, version in zip(
                ("before", "after"), (before, after), versions, strict=True
            )
        ]
        return compare(*reports, **settings)

    return run


def only(comparison):
    (change,) = comparison.changed
    return change


def test_equal_reports_have_nothing_changed_whatever_the_version(compared, make):
    comparison = compared([make.check()], [make.check()])
    assert (comparison.changed, comparison.same) == ([], 1)
    assert [(s.name, s.before, s.after) for s in comparison.settings] == [
        ("version", "2.20.0", "2.21.0")
    ]


def test_checks_are_new_or_gone(compared, make):
    comparison = compared([make.check("a::1")], [make.check("a::2", verdict="differ")])
    new, gone = comparison.changed
    assert (new.id, new.causes, new.verdicts) == ("a::2", (Cause.NEW,), (None, "differ"))
    assert (gone.id, gone.causes, gone.verdicts) == ("a::1", (Cause.GONE,), ("agree", None))


def test_an_edited_program_explains_all_that_follows_from_it(compared, make):
    edited = make.check(program=OTHER, oracle=make.outcome(None), verdict="differ")
    change = only(compared([make.check()], [edited]))
    assert change.causes == (Cause.EDITED,)
    assert change.turn is Turn.WORSE


def test_reports_without_digests_are_compared_by_their_scripts(compared, make):
    old, new = make.check(), make.check(script="y = tf.identity(x)")
    del old["program"]
    assert only(compared([old], [new])).causes == (Cause.EDITED,)


def test_another_tensorflow_explains_another_answer_of_the_oracle(compared, make):
    after = make.check(oracle=make.outcome(None), verdict="differ")
    change = only(compared([make.check()], [after]))
    assert change.causes == (Cause.ORACLE,)
    assert [one.kind for one in change.oracle] == [Kind.NONE]
    assert change.implementation == ()


def test_an_oracle_that_says_nothing_new_of_itself_leaves_the_cause_unknown(compared, make):
    after = make.check(oracle=make.outcome(None))
    assert only(compared([make.check()], [after], ("2.21.0",) * 2)).causes == (Cause.UNKNOWN,)


def test_the_implementation_explains_its_own_answer(compared, make):
    before = make.check(implementation=make.outcome(None), verdict="differ")
    change = only(compared([before], [make.check()]))
    assert (change.causes, change.turn) == ((Cause.IMPLEMENTATION,), Turn.BETTER)


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        ({"tolerance": {}}, Cause.TOLERANCE),
        ({"expectation": OTHER}, Cause.EXPECTATION),
        ({}, Cause.JUDGE),
    ],
)
def test_a_verdict_that_alone_changes_is_explained_by_what_decides_it(compared, make, edit, cause):
    change = only(compared([make.check()], [make.check(verdict="differ", **edit)]))
    assert (change.causes, change.turn) == ((cause,), Turn.WORSE)


def test_two_verdicts_that_both_fail_are_neither_better_nor_worse(compared, make):
    pair = [make.check(verdict="differ")], [make.check(verdict="crashed")]
    assert only(compared(*pair)).turn is Turn.OTHERWISE


def test_one_side_alone_can_be_compared(compared, make):
    after = make.check(implementation=make.outcome(None), verdict="differ")
    assert compared([make.check()], [after], sides=("oracle",)).changed == []


def test_kinds_can_be_left_out(compared, make):
    after = make.check(oracle=make.outcome(make.tensor(1.0, 2.0000002)))
    assert only(compared([make.check()], [after])).kinds == {Kind.BITS}
    assert compared([make.check()], [after], ignored=frozenset({Kind.BITS})).changed == []


@pytest.mark.parametrize("order", [1, -1], ids=["later", "earlier"])
def test_what_an_interrupted_run_did_not_come_to_is_neither_gone_nor_new(make, written, order):
    whole = written.report("whole", make.document(make.check("a::1"), make.check("a::2")))
    part = written.report("part", make.document(make.check("a::1"), ended=False))
    comparison = compare(*(whole, part)[::order])
    assert (comparison.changed, comparison.same, comparison.unjudged) == ([], 1, 1)
    assert not comparison.is_complete
