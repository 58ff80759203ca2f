"""The distance in ulps is the number of steps of `nextafter`, in every dtype."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradparity.judge.ulp import REAL_DTYPES, UNCOUNTABLE, ulp_distance

NUMPY_DTYPES = {
    name: np.dtype(getattr(np, name, None) or ml_dtypes.bfloat16) for name in REAL_DTYPES
}


def from_bits(dtype, bits):
    return np.array(bits, dtype=f"u{NUMPY_DTYPES[dtype].itemsize}").view(NUMPY_DTYPES[dtype])


@st.composite
def floats(draw, count, nan=False):
    """`count` floats of one dtype, each bit pattern as likely as any other."""
    dtype = draw(st.sampled_from(REAL_DTYPES))
    width = 8 * NUMPY_DTYPES[dtype].itemsize
    any_bits = st.integers(0, 2**width - 1)
    values = []
    while len(values) < count:
        value = from_bits(dtype, draw(any_bits))
        if nan or not np.isnan(value):
            values.append(value)
    return values


def distance(a, b):
    return int(ulp_distance(a, b))


def finite_numbers(dtype):
    """Every finite number of a 16-bit dtype, in order, with one zero."""
    values = from_bits(dtype, np.arange(2**16))
    with np.errstate(invalid="ignore"):
        values = np.unique(values[np.isfinite(values)].astype(np.float64))
    return values.astype(NUMPY_DTYPES[dtype])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_all_neighbours_are_one_apart_and_the_ends_as_many_as_there_are_numbers(dtype):
    numbers = finite_numbers(dtype)
    assert (ulp_distance(numbers[:-1], numbers[1:]) == 1).all()
    first = np.broadcast_to(numbers[:1], numbers.shape)
    assert (ulp_distance(first, numbers) == np.arange(numbers.size)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("start", [0.0, -0.0, 1.0, -1.0, 1e-300, 3e-45, 65504.0, 1 - 2**-24])
@pytest.mark.parametrize("towards", [-np.inf, np.inf])
def test_steps_of_nextafter_are_counted_across_binades_and_zero(dtype, start, towards):
    start = np.array(start, dtype=dtype)
    position = start
    for steps in range(1, 40):
        position = np.nextafter(position, np.array(towards, dtype=dtype))
        assert distance(start, position) == steps


@pytest.mark.parametrize(
    ("dtype", "numbers"), [("float32", 2**32 - 2**24), ("float64", 2**64 - 2**53)]
)
def test_the_extremes_of_opposite_sign_do_not_overflow(dtype, numbers):
    largest = np.finfo(dtype).max
    # Of all finite bit patterns two are zero, and the distance is one less than the count.
    assert distance(np.array(-largest), np.array(largest)) == numbers - 2
    assert distance(np.array(-np.inf, dtype), np.array(np.inf, dtype)) == numbers


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_zeros_are_no_distance_apart_and_infinity_is_one_from_the_largest_number(dtype):
    sign = 2 ** (8 * NUMPY_DTYPES[dtype].itemsize - 1)
    infinity = int(np.array(np.inf, NUMPY_DTYPES[dtype]).view(f"u{sign.bit_length() // 8}"))
    assert distance(from_bits(dtype, 0), from_bits(dtype, sign)) == 0
    assert distance(from_bits(dtype, infinity), from_bits(dtype, infinity - 1)) == 1
    assert distance(from_bits(dtype, 1), from_bits(dtype, sign + 1)) == 2


@pytest.mark.parametrize("dtype", REAL_DTYPES)
def test_nan_is_near_nan_and_far_from_all_else(dtype):
    nan = np.array(np.nan, NUMPY_DTYPES[dtype])
    assert distance(nan, -nan) == 0
    assert distance(nan, np.array(np.inf, NUMPY_DTYPES[dtype])) == UNCOUNTABLE


@given(floats(3))
def test_distance_is_a_metric(three):
    a, b, c = three
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)
    assert (distance(a, b) == 0) == bool(a == b)


@given(floats(3))
def test_distance_grows_along_the_line_and_adds_up(three):
    a, b, c = sorted(three, key=float)
    assert distance(a, b) + distance(b, c) == distance(a, c)


def test_of_complex_numbers_the_larger_distance_of_the_parts_counts():
    one, next_one = np.float32(1), np.nextafter(np.float32(1), np.float32(2))
    after_next = np.nextafter(next_one, np.float32(2))
    a = np.array([complex(one, one), complex(one, one)], np.complex64)
    b = np.array([complex(one, next_one), complex(after_next, next_one)], np.complex64)
    assert ulp_distance(a, b).tolist() == [1, 2]


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_the_shape_is_kept(shape):
    ones = np.ones(shape, np.float64)
    assert ulp_distance(ones, ones).shape == shape


def test_dtypes_and_shapes_must_match_and_integers_have_no_ulps():
    with pytest.raises(ValueError, match=r"float32\[2\] and float64\[2\]"):
        ulp_distance(np.ones(2, np.float32), np.ones(2, np.float64))
    with pytest.raises(ValueError, match="must be the same"):
        ulp_distance(np.ones(2), np.ones(1))
    with pytest.raises(TypeError, match="int32 has no ulps"):
        ulp_distance(np.ones(2, np.int32), np.ones(2, np.int32))
