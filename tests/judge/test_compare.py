"""Two results are the same, or the comparison says in what they are not."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradparity.judge.compare import compare, compare_values
from gradparity.judge.tolerance import Limits, limits
from gradparity.judge.ulp import REAL_DTYPES, ulp_distance
from gradparity.judge.verdict import Comparison, Kind, Rule

EXACT = Limits(ulp=0, eps_factor=0.0)


def by_default(dtype):
    return limits(dtype, op_types=("MatMul",))


def exactly(dtype):
    return EXACT


def kinds(compared):
    return [difference.kind for difference in compared.differences]


def one_difference(oracle, implementation, limits_of=by_default):
    (difference,) = compare("gradient 0 (x)", oracle, implementation, limits_of).differences
    return difference


def test_no_gradient_on_both_sides_is_equal():
    assert compare("gradient 0", None, None, by_default).differences == ()


@pytest.mark.parametrize("zeros", [[0.0, 0.0], []])
def test_none_is_not_zeros(dense, zeros):
    assert one_difference(None, dense(zeros)).kind is Kind.NONE
    difference = one_difference(dense(zeros), None)
    assert difference.kind is Kind.NONE
    assert difference.oracle == f"a float32 tensor of shape [{len(zeros)}]"
    assert difference.implementation == "None"


def test_slices_are_not_a_tensor_even_of_equal_numbers(dense, sparse):
    slices, tensor = sparse([[1.0]], [0], [1, 1]), dense([[1.0]])
    assert one_difference(slices, tensor).kind is Kind.SPARSITY
    assert one_difference(tensor, slices).kind is Kind.SPARSITY


def test_the_symbolic_dtype_and_that_of_the_value_are_both_compared(dense):
    difference = one_difference(dense([1.0]), dense([1.0], "float64"))
    assert (difference.kind, difference.oracle, difference.detail) == (
        Kind.DTYPE,
        "float32",
        "dtype",
    )
    as_claimed = dense([1.0])
    not_as_claimed = dense([1.0], "float64", symbolic_dtype="float32")
    difference = one_difference(as_claimed, not_as_claimed)
    assert (difference.kind, difference.implementation) == (Kind.DTYPE, "float64")
    assert difference.detail == "dtype of the value"
    claims_another = dense([1.0], symbolic_dtype="float64")
    assert one_difference(as_claimed, claims_another).kind is Kind.DTYPE


def test_a_static_shape_that_knows_less_is_a_difference_of_shape(dense):
    for static_shape, text in (((None,), "[?]"), (None, "unknown")):
        difference = one_difference(dense([1.0]), dense([1.0], static_shape=static_shape))
        assert (difference.kind, difference.detail) == (Kind.SHAPE, "static shape")
        assert (difference.oracle, difference.implementation) == ("[1]", text)


def test_shapes_are_not_broadcast(dense):
    for other in ([[1.0]], 1.0, [1.0, 1.0], []):
        difference = one_difference(dense([1.0]), dense(other))
        assert (difference.kind, difference.detail) == (Kind.SHAPE, "shape")


def test_all_that_differs_is_said_not_only_the_first(dense):
    compared = compare(
        "y 0", dense([1.0]), dense([2.0], static_shape=(None,), symbolic_dtype="int32"), by_default
    )
    assert kinds(compared) == [Kind.DTYPE, Kind.SHAPE, Kind.VALUE]


@pytest.mark.parametrize("dtype", [*REAL_DTYPES, "complex64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(0,), (2, 0, 3)])
def test_empty_tensors_are_equal(dense, dtype, shape):
    compared = compare(
        "y 0", dense(np.zeros(shape), dtype), dense(np.zeros(shape), dtype), by_default
    )
    assert compared.differences == []
    assert compared.comparisons[0].rule is Rule.BITS


def test_slices_are_compared_part_by_part_in_order(sparse):
    oracle = sparse([[1.0], [2.0]], [0, 3], [4, 1])
    assert compare("g", oracle, sparse([[1.0], [2.0]], [0, 3], [4, 1]), by_default).comparisons == [
        Comparison("g, values", Rule.BITS, 0),
        Comparison("g, indices", Rule.BITS, None),
        Comparison("g, dense_shape", Rule.BITS, None),
    ]
    reordered = compare("g", oracle, sparse([[2.0], [1.0]], [3, 0], [4, 1]), by_default)
    assert [d.where for d in reordered.differences] == ["g, values", "g, indices"]
    other_shape = compare("g", oracle, sparse([[1.0], [2.0]], [0, 3], [5, 1]), by_default)
    assert [d.where for d in other_shape.differences] == ["g, dense_shape"]


def test_a_missing_dense_shape_is_a_difference(sparse):
    with_shape, without = sparse([[1.0]], [0], [4, 1]), sparse([[1.0]], [0])
    difference = one_difference(with_shape, without)
    assert (difference.where, difference.kind) == ("gradient 0 (x), dense_shape", Kind.NONE)
    assert one_difference(without, with_shape).kind is Kind.NONE
    assert compare("g", without, without, by_default).differences == []


@pytest.mark.parametrize(
    ("dtype", "oracle", "implementation"),
    [
        ("int32", [1, 2, 3], [1, 2, 4]),
        ("uint64", [2**64 - 1], [2**64 - 2]),
        ("bool", [True, False], [True, True]),
        ("string", [b"a", b"b"], [b"a", b""]),
    ],
)
def test_what_is_not_floating_point_is_exactly_equal_or_differs(
    dense, dtype, oracle, implementation
):
    def generous(_):
        return Limits(ulp=10**9, eps_factor=1e9)

    assert not compare("y", dense(oracle, dtype), dense(oracle, dtype), generous).differences
    compared = compare("y", dense(oracle, dtype), dense(implementation, dtype), generous)
    assert kinds(compared) == [Kind.VALUE]
    assert compared.differences[0].index == (len(oracle) - 1,)
    assert compared.comparisons == [Comparison("y", None, None)]


def test_float8_is_compared_by_its_bits():
    a = np.array([1.0, -0.0], ml_dtypes.float8_e5m2)
    b = np.array([1.0, 0.0], ml_dtypes.float8_e5m2)
    assert compare_values("y", a, a.copy(), by_default)[1] is None
    assert compare_values("y", a, b, by_default)[1].index == (1,)


def test_the_strictest_rule_that_finds_all_elements_equal_is_reported():
    one = np.float32(1)
    after = np.nextafter(one, np.float32(2))
    three_ulp = lambda dtype: limits(dtype, ["Exp", "MatMul"])  # noqa: E731
    a = np.array([1.0, 100.0, 0.0], np.float32)
    by_bits, _ = compare_values("y", a, a.copy(), three_ulp)
    by_ulp, _ = compare_values("y", a, np.array([after, 100.0, 0.0], np.float32), three_ulp)
    by_scale, _ = compare_values("y", a, np.array([after, 100.0, 1e-7], np.float32), three_ulp)
    assert (by_bits.rule, by_bits.max_ulp) == (Rule.BITS, 0)
    assert (by_ulp.rule, by_ulp.max_ulp) == (Rule.ULP, 1)
    assert (by_scale.rule, by_scale.max_ulp) == (Rule.SCALE, 0x33D6BF95)


def test_the_scale_excuses_eight_eps_and_no_more():
    scale, eps = 100.0, 2.0**-23
    a = np.array([scale, 0.0])
    for excused, rest in ((True, 8 * eps * scale), (False, 8.01 * eps * scale)):
        b = np.array([scale, rest])
        _, difference = compare_values("y", *(x.astype(np.float32) for x in (a, b)), by_default)
        assert (difference is None) is excused


def test_a_wrong_value_does_not_widen_its_own_tolerance():
    right, wrong = np.float32([1.0, 2.0]), np.float32([1.001, 1e30])
    _, difference = compare_values("y", right, wrong, by_default)
    assert difference.count == 2


def test_a_value_difference_tells_where_how_many_and_how_far(dense):
    difference = one_difference(dense([[1.0, 2.0], [4.0, 5.0]]), dense([[1.0, 2.0], [5.0, 7.0]]))
    assert (difference.oracle, difference.implementation) == ("4.0", "5.0")
    assert (difference.index, difference.count, difference.total) == ((1, 0), 2, 4)
    assert difference.detail == "worst 4194304 ulp at [1, 1]; allowed 0 ulp or ±4.8e-06"


def test_each_kind_of_misplacement_is_counted(dense):
    difference = one_difference(
        dense([np.nan, 1.0, np.inf, -np.inf, 0.0, 3.0]),
        dense([1.0, np.nan, -np.inf, -3.4e38, -0.0, 3.0]),
    )
    assert difference.detail == (
        "NaN differ in 2; infinities differ in 2; signs of zero differ in 1"
    )
    assert difference.count == 5


SPECIAL = {
    "NaN and a number": (np.nan, 1.0),
    "NaN and an infinity": (np.nan, np.inf),
    "the two infinities": (np.inf, -np.inf),
    "the two zeros": (0.0, -0.0),
}


@pytest.mark.parametrize("dtype", [*REAL_DTYPES, "complex64", "complex128"])
@pytest.mark.parametrize("pair", SPECIAL.values(), ids=SPECIAL)
def test_no_tolerance_moves_nan_infinities_or_the_sign_of_zero(dense, dtype, pair):
    def generous(_):
        return Limits(ulp=2**64 - 1, eps_factor=1e300, atol=1e308, rtol=1e300)

    a, b = (dense([1.0, element], dtype) for element in pair)
    assert kinds(compare("y", a, b, generous)) == [Kind.VALUE]
    assert kinds(compare("y", b, a, generous)) == [Kind.VALUE]


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_infinity_is_not_the_largest_number_though_one_ulp_away(dense, dtype):
    largest = dense([float(ml_dtypes.finfo(dtype).max)], dtype)
    compared = compare("y", largest, dense([np.inf], dtype), lambda _: Limits(10**6, 1.0))
    assert kinds(compared) == [Kind.VALUE]
    assert compared.comparisons[0].max_ulp is None


def test_a_complex_element_differs_when_a_part_does():
    a = np.array([1 + 1j, 2 + 0j, 3 + 3j], np.complex64)
    b = np.array([1 + 1j, 2 - 0j, 3 + 4j], np.complex64)
    b.imag[1] = -0.0
    _, difference = compare_values("y", a, b, by_default)
    assert (difference.index, difference.count, difference.total) == ((1,), 2, 3)


def test_the_small_part_of_a_complex_number_is_excused_by_the_scale_of_the_tensor():
    a, b = np.complex64([1 + 1e-9j]), np.complex64([1 + 0j])
    comparison, difference = compare_values("y", a, b, by_default)
    assert difference is None
    assert comparison.rule is Rule.SCALE


def test_payload_and_sign_of_nan_do_not_count():
    a = np.array([0x7FC00000, 0x3F800000], np.uint32).view(np.float32)
    b = np.array([0xFFC00001, 0x3F800000], np.uint32).view(np.float32)
    assert compare_values("y", a, b, exactly) == (Comparison("y", Rule.BITS, 0), None)


def test_relative_tolerance_counts_from_the_smaller_of_the_two():
    def loose(_):
        return Limits(ulp=0, eps_factor=0.0, atol=0.0, rtol=0.1)

    a = np.float64([10.0])
    assert compare_values("y", a, np.float64([10.9]), loose)[1] is None
    assert compare_values("y", a, np.float64([11.1]), loose)[1] is not None
    assert compare_values("y", a, np.float64([9.0]), loose)[1] is not None


@st.composite
def pairs(draw):
    """Two arrays of one dtype, element by element far apart, a few steps apart, or special."""
    dtype = draw(st.sampled_from(REAL_DTYPES))
    numpy_dtype = np.dtype(getattr(np, dtype, None) or ml_dtypes.bfloat16)
    width = 8 * numpy_dtype.itemsize
    sign = 2 ** (width - 1)
    infinity = int(np.array(np.inf, numpy_dtype).view(f"u{numpy_dtype.itemsize}"))
    special = [0, 1, infinity - 1, infinity, infinity + 1, sign - 1]
    pattern = st.one_of(
        st.integers(0, 2**width - 1),
        st.sampled_from(special + [sign + bits for bits in special]),
    )
    a_bits, b_bits = [], []
    for _ in range(draw(st.integers(1, 4))):
        bits = draw(pattern)
        near = st.integers(-5, 5).map(lambda step, bits=bits: (bits + step) % 2**width)
        flipped = st.just(bits ^ sign)
        a_bits.append(bits)
        b_bits.append(draw(st.one_of(st.just(bits), near, flipped, pattern)))
    unsigned = f"u{numpy_dtype.itemsize}"
    return tuple(np.array(bits, unsigned).view(numpy_dtype) for bits in (a_bits, b_bits))


quietly = np.errstate(invalid="ignore")  # NumPy warns of signalling NaNs


LIMITS = st.sampled_from(
    [EXACT, Limits(3, 0.0), Limits(0, 1e-3), Limits(3, 0.0, atol=0.5), Limits(1, 0.0, rtol=0.1)]
)


@given(pairs(), LIMITS)
def test_comparison_is_symmetric(pair, allowed):
    a, b = pair
    forth, difference_forth = compare_values("y", a, b, lambda _: allowed)
    back, difference_back = compare_values("y", b, a, lambda _: allowed)
    assert forth == back
    assert (difference_forth is None) == (difference_back is None)
    if difference_forth is not None:
        assert difference_forth.index == difference_back.index
        assert difference_forth.count == difference_back.count


@settings(max_examples=1000)
@given(pairs(), st.integers(0, 6))
@quietly
def test_different_bits_beyond_the_budget_are_never_found_equal(pair, budget):
    """The judge against a definition of equality written another way: number by number."""
    a, b = pair

    def equal(x, y):
        if np.isnan(x) or np.isnan(y):
            return bool(np.isnan(x) and np.isnan(y))
        if np.isinf(x) or np.isinf(y) or (x == 0 and y == 0):
            return x.tobytes() == y.tobytes()
        return int(ulp_distance(x, y)) <= budget

    wrong = [
        i for i in range(a.size) if not equal(a[i : i + 1].reshape(()), b[i : i + 1].reshape(()))
    ]
    comparison, difference = compare_values("y", a, b, lambda _: Limits(budget, 0.0))
    if wrong:
        assert comparison.rule is None
        assert (difference.index, difference.count) == ((wrong[0],), len(wrong))
    else:
        assert difference is None
        assert comparison.rule in (Rule.BITS, Rule.ULP)


@given(pairs())
@quietly
def test_bits_are_claimed_only_of_equal_bits_or_nan(pair):
    a, b = pair
    comparison, _ = compare_values("y", a, b, lambda _: Limits(10**6, 1.0))
    same = [
        x.tobytes() == y.tobytes() or bool(np.isnan(x) & np.isnan(y))
        for x, y in zip(a, b, strict=True)
    ]
    assert (comparison.rule is Rule.BITS) == all(same)
