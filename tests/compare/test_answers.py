"""Two answers of one side: in what they differ, and how far."""

import pytest

from gradparity.comparison.answers import Kind, changes
from gradparity.judge.tolerance import Limits

NAMES = {"gradients": ["x"], "ys": ["y"]}
FOUR_ULP = {"float32": Limits(ulp=4, eps_factor=0.0)}


def compared(before, after, program=""):
    return changes(before, after, FOUR_ULP, NAMES, program)


def only(before, after, program=""):
    (change,) = compared(before, after, program)
    return change


def test_equal_answers_have_no_changes(make):
    assert compared(make.outcome(make.tensor(1.0)), make.outcome(make.tensor(1.0))) == []
    assert compared(None, None) == []


def test_a_value_within_the_tolerance_is_bits_only_with_its_distance(make):
    change = only(make.outcome(make.tensor(1.0, 2.0)), make.outcome(make.tensor(1.0, 2.0000005)))
    assert (change.where, change.kind, change.ulp) == ("gradient 0 (x)", Kind.BITS, 2)
    assert (change.before, change.after) == ("2.0", "2.0000005")


def test_a_value_beyond_the_tolerance_is_really_different(make):
    change = only(make.outcome(make.tensor(1.0, 2.0)), make.outcome(make.tensor(1.0, 2.000002)))
    assert (change.kind, change.ulp) == (Kind.VALUE, 8)
    assert "1 of 2 elements differ" in change.detail


@pytest.mark.parametrize(("before", "after"), [("nan", "1.0"), ("inf", "1.0"), ("0.0", "-0.0")])
def test_nan_infinity_and_the_sign_of_zero_are_never_within_a_tolerance(make, before, after):
    change = only(make.outcome(make.tensor(before)), make.outcome(make.tensor(after)))
    assert change.kind is Kind.VALUE


def test_elements_that_a_report_leaves_out_are_told_apart_by_their_digest(make):
    a, b = (make.outcome(make.tensor(1.0, sha256=digest * 64)) for digest in "ab")
    assert only(a, b).kind is Kind.VALUE
    assert "beyond the first 1 elements" in only(a, b).detail


@pytest.mark.parametrize(
    ("after", "kind", "text"),
    [
        (None, Kind.NONE, "None"),
        ("sparse", Kind.SPARSITY, "IndexedSlices of float32 [2]"),
        ("float64", Kind.DTYPE, "float64"),
        ("longer", Kind.SHAPE, "[3]"),
        ("unknown", Kind.SHAPE, "[?]"),
    ],
)
def test_what_a_gradient_is_comes_before_its_values(make, after, kind, text):
    results = {
        None: None,
        "sparse": make.sparse(make.tensor(1.0, 2.0), make.tensor(0, 1, dtype="int32"), None),
        "float64": make.tensor(1.0, 2.0, dtype="float64"),
        "longer": make.tensor(1.0, 2.0, 3.0),
        "unknown": make.tensor(1.0, 2.0, static=[None]),
    }
    change = only(make.outcome(make.tensor(1.0, 2.0)), make.outcome(results[after]))
    assert (change.kind, change.after) == (kind, text)


def test_indexed_slices_are_compared_part_by_part(make):
    a, b = (
        make.outcome(make.sparse(make.tensor(1.0), make.tensor(i, dtype="int32"), None))
        for i in (0, 2)
    )
    change = only(a, b)
    assert (change.where, change.kind) == ("gradient 0 (x), indices", Kind.VALUE)


def test_errors_differ_in_class_then_stage_then_words(make):
    def raised(**what):
        return make.outcome(error=make.error(**what))

    assert only(raised(), make.outcome(make.tensor(1.0))).kind is Kind.ERROR
    assert only(raised(), raised(type="TypeError", stage="run")).kind is Kind.ERROR
    assert only(raised(), raised(stage="run", message="other")).kind is Kind.STAGE
    assert only(raised(), raised(message="other")).kind is Kind.MESSAGE
    assert only(raised(), None).kind is Kind.ANSWER


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("module 'tensorflow.compat.v1.math' has no attribute 'old_name'", "old_name"),
        ("f() got an unexpected keyword argument 'axis'", "axis="),
    ],
)
def test_a_name_that_a_version_lacks_is_a_kind_of_its_own(make, message, name):
    lacking = make.outcome(error=make.error("AttributeError", message, "build"))
    change = only(lacking, make.outcome(make.tensor(1.0)), "tf.old_name(x, axis=0)")
    assert (change.kind, change.detail) == (Kind.NAME, name)


def test_a_name_that_the_program_does_not_ask_for_is_an_error_like_others(make):
    message = "'IndexedSlices' object has no attribute 'value_index'"
    broken = make.outcome(error=make.error("AttributeError", message))
    assert only(broken, make.outcome(make.tensor(1.0)), "tf.gather(x, 0)").kind is Kind.ERROR
