"""The arbiter's words."""

import numpy as np
import pytest

from gradparity.arbiter.opinion import Opinion, arbitrate
from gradparity.outcome import DenseResult, Failure, Outcome, SparseResult


def dense(values, dtype="float32"):
    value = np.asarray(values, dtype)
    return DenseResult(dtype, value.shape, value)


def answer(*gradients, ys=(), dtype="float32"):
    results = [
        g if isinstance(g, SparseResult) or g is None else dense(g, dtype) for g in gradients
    ]
    return Outcome(ys=[dense(y) for y in ys], gradients=results)


def word(derivative, oracle, implementation, *, same=False, dtypes=("float32",)):
    return arbitrate([derivative], oracle, implementation, ["x"], dtypes, same=same).word


def test_both_sides_may_agree_with_the_mathematics(derivative):
    assert word(derivative([1, 2]), answer([1, 2]), answer([1, 2])) is Opinion.BOTH


def test_a_wrong_implementation_is_named(derivative):
    found = arbitrate(
        [derivative([1, 2])], answer([1, 2]), answer([1, 3]), ["x"], ["float32"], same=False
    )
    assert found.word is Opinion.IMPLEMENTATION
    assert found.reason == "gradient 0 (x): element [1] is 2 ± 1e-12; the implementation says 3"


def test_an_implementation_that_gave_no_answer_is_wrong_where_tensorflow_is_right(derivative):
    failed = Outcome(error=Failure("run", "ValueError", "no"))
    assert word(derivative([1, 2]), answer([1, 2]), failed) is Opinion.IMPLEMENTATION


def test_tensorflow_departs_when_it_alone_is_off(derivative):
    assert word(derivative([1, 2]), answer([1, 0]), answer([1, 2])) is Opinion.TENSORFLOW


def test_tensorflow_departs_when_the_implementation_imitates_it(derivative):
    assert word(derivative([1, 2]), answer([1, 0]), answer([1, 0]), same=True) is Opinion.TENSORFLOW


def test_all_three_may_differ(derivative):
    assert word(derivative([1, 2]), answer([1, 0]), answer([1, 7])) is Opinion.ALL_DIFFER


def test_a_nan_is_a_departure_where_there_is_a_derivative(derivative):
    assert word(derivative([0]), answer([np.nan]), answer([0])) is Opinion.TENSORFLOW


def test_a_nan_in_one_element_says_nothing_of_the_others(derivative):
    given = derivative([1, np.nan], error=[1e-12, np.inf])
    assert word(given, answer([1, np.nan]), answer([1, np.nan])) is Opinion.UNCLEAR
    assert word(given, answer([7, np.nan]), answer([1, np.nan])) is Opinion.TENSORFLOW


def test_none_counts_as_zero(derivative):
    assert word(derivative([0, 0]), answer(None), answer([0, 0])) is Opinion.BOTH
    assert word(derivative([0, 3]), answer(None), answer([0, 3])) is Opinion.TENSORFLOW


def test_indexed_slices_are_added_up(derivative):
    slices = SparseResult(
        dense([[1.0], [2.0], [4.0]]), dense([2, 0, 2], "int32"), dense([3, 1], "int32")
    )
    assert word(derivative([[2], [0], [5]]), answer(slices), answer(slices)) is Opinion.BOTH


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (0.0, Opinion.UNCLEAR),
        (0.5, Opinion.BOTH),
        (1.0, Opinion.UNCLEAR),
        (2.0, Opinion.TENSORFLOW),
        (np.nan, Opinion.TENSORFLOW),
    ],
)
def test_at_a_kink_anything_between_the_two_sides_is_a_convention(derivative, given, said):
    at_kink = derivative([0.5], kinks=[(0.0, 1.0)])
    assert word(at_kink, answer([given]), answer([given]), same=True) is said


@pytest.mark.parametrize("given", [0.0, np.inf, np.nan])
def test_where_the_two_sides_part_without_bound_nothing_is_wrong(derivative, given):
    at_pole = derivative([0.0], kinks=[(-np.inf, np.inf)])
    assert word(at_pole, answer([given]), answer([given]), same=True) in (
        Opinion.UNCLEAR,
        Opinion.BOTH,
    )


def test_a_jump_is_called_so(derivative):
    at_jump, given = derivative([1e7], kinks=[(-np.inf, np.inf)]), answer([-40.0])
    found = arbitrate([at_jump], given, given, ["x"], ["float32"], same=True)
    assert found.word is Opinion.UNCLEAR
    assert "at a jump" in found.reason


def test_an_error_as_large_as_the_derivative_decides_nothing(derivative):
    assert word(derivative([1.0], error=0.5), answer([9.0]), answer([9.0])) is Opinion.UNCLEAR


@pytest.mark.parametrize("given", [0.0, 1e7, 3e7])
def test_an_error_that_holds_any_answer_is_no_agreement(derivative, given):
    at_jump = derivative([3.5e7], error=1e8)
    assert word(at_jump, answer([given]), answer([given]), same=True) is Opinion.UNCLEAR


def test_the_differences_of_a_jump_excuse_no_rounding_elsewhere(derivative):
    beside_a_jump = derivative([-0.064, 3.5e7], error=[1e-12, 1e8])
    forgotten = answer([0.0, 0.0])
    assert word(beside_a_jump, forgotten, forgotten, same=True) is Opinion.TENSORFLOW


@pytest.mark.parametrize(
    ("dtype", "close", "far"), [("float16", 1.01, 1.1), ("float32", 1.0003, 1.01)]
)
def test_each_dtype_has_its_own_closeness(derivative, dtype, close, far):
    def said(value):
        given = answer([value], dtype=dtype)
        return word(derivative([1.0]), given, given, dtypes=[dtype], same=True)

    assert said(close) is Opinion.BOTH
    assert said(far) is Opinion.TENSORFLOW


def test_a_gradient_is_no_better_than_the_coarsest_dtype_on_its_way(derivative):
    given = answer([1.01])
    assert word(derivative([1.0]), given, given, dtypes=["float32", "bfloat16"]) is Opinion.BOTH


def test_in_float64_an_exact_derivative_excuses_no_loss_of_digits(derivative):
    lost = answer([1.00001e-13], dtype="float64")
    given = derivative([1e-13], error=1e-26, exact=True)
    assert word(given, lost, lost, dtypes=["float64"], same=True) is Opinion.TENSORFLOW


def test_an_overflow_in_the_programs_own_dtype_is_nobodys_mistake(derivative):
    overflown = answer([np.nan], ys=[np.inf])
    assert word(derivative([1.0]), overflown, overflown, same=True) is Opinion.UNCLEAR


def test_a_gradient_of_another_shape_is_not_compared(derivative):
    assert word(derivative([1.0, 2.0]), answer([1.0]), answer([1.0])) is Opinion.NONE


def test_xs_that_are_no_numbers_have_no_derivative():
    found = arbitrate([None], answer([1]), answer([1]), ["x"], ["int32"], same=True)
    assert found.word is Opinion.NONE
