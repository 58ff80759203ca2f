"""A tensor's line reads back to the same bits, and reads well."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradparity.outcome import DenseResult
from gradparity.recordings.tensor_text import TensorTextError, from_text, to_text


def dense(array, static_shape="known", dtype=None):
    array = np.asarray(array)
    name = "string" if array.dtype.kind == "O" else array.dtype.name
    return DenseResult(
        dtype or name, array.shape if static_shape == "known" else static_shape, array
    )


def objects(*texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


LINES = {
    "float32 [] 3.0": dense(np.float32(3)),
    "float32 [3] 0.1 -0.0 1e-45": dense(np.array([0.1, -0.0, 1e-45], np.float32)),
    "float32 [4] nan -nan inf -inf": dense(
        np.array([np.nan, -np.nan, np.inf, -np.inf], np.float32)
    ),
    "float64 [2, 2] 0.1 2.0, 3.0 4.0": dense([[0.1, 2.0], [3.0, 4.0]]),
    "float32 [2, 5] 1.0*5, 0.0*4 2.0": dense(np.array([[1] * 5, [0, 0, 0, 0, 2]], np.float32)),
    "float32 [2] static [?] 1.0 2.0": dense(np.array([1, 2], np.float32), (None,)),
    "float32 [1, 2] static [?, 2] 1.0 2.0": dense(np.array([[1, 2]], np.float32), (None, 2)),
    "float32 [] static unknown 1.0": dense(np.float32(1), None),
    "float32 [0, 3]": dense(np.empty((0, 3), np.float32)),
    "float32 [0, 3] static unknown": dense(np.empty((0, 3), np.float32), None),
    "float16 [2] 0.1 6e-08": dense(np.array([0.1, 6e-8], np.float16)),
    "bfloat16 [3] 0.1 3.39e+38 -nan": dense(np.array([0.1, 3.39e38, -np.nan], ml_dtypes.bfloat16)),
    "complex64 [2] 1.0-0.0j nan+infj": dense(
        np.array([complex(1, -0.0), complex(np.nan, np.inf)], np.complex64)
    ),
    "int64 [2] -9223372036854775808 7": dense(np.array([-(2**63), 7])),
    "uint64 [1] 18446744073709551615": dense(np.array([2**64 - 1], np.uint64)),
    "bool [3] True False True": dense([True, False, True]),
    r"string [3] [b'a, b', b'\xff\n', b'']": dense(objects(b"a, b", b"\xff\n", b"")),
    "qint8 as int8 [1] -3": dense(np.array([-3], np.int8), dtype="qint8"),
}


def same(left, right):
    assert (left.dtype, left.static_shape) == (right.dtype, right.static_shape)
    assert left.value.dtype == right.value.dtype
    assert left.value.shape == right.value.shape
    if left.value.dtype.kind == "O":
        assert left.value.tolist() == right.value.tolist()
    else:
        assert left.value.tobytes() == right.value.tobytes()


@pytest.mark.parametrize("line", LINES)
def test_a_tensor_is_written_like_this(line):
    assert to_text(LINES[line]) == line


@pytest.mark.parametrize("line", LINES)
def test_a_line_reads_back_to_the_same_bits(line):
    same(from_text(line), LINES[line])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=8))
def test_any_bits_of_float32_read_back(bits):
    tensor = dense(np.array(bits, np.uint32).view(np.float32))
    same(from_text(to_text(tensor)), tensor)


@given(st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=8))
def test_any_bits_of_bfloat16_read_back(bits):
    tensor = dense(np.array(bits, np.uint16).view(ml_dtypes.bfloat16))
    same(from_text(to_text(tensor)), tensor)


def test_a_nan_with_a_payload_is_packed_behind_what_people_read():
    tensor = dense(np.array([1.5, 0], np.float32).view(np.uint32) | np.uint32([0, 0x7FC00001]))
    tensor = dense(tensor.value.view(np.float32))
    line = to_text(tensor)
    assert line.startswith("float32 [2] 1.5 nan ... zlib:")
    same(from_text(line), tensor)


def test_a_large_tensor_is_packed():
    random = dense(np.random.default_rng(1).normal(size=(100, 10)))
    line = to_text(random)
    same(from_text(line), random)
    assert line.startswith("float64 [100, 10] 0.345584192064786 ")
    assert len(line) < 12_000


def test_a_large_tensor_of_equal_elements_is_one_of_them_and_how_many():
    zeros = dense(np.zeros((1000, 100)))
    assert to_text(zeros) == "float64 [1000, 100] 0.0*100000"
    same(from_text(to_text(zeros)), zeros)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "float32",
        "float32 [2] 1.0",
        "float32 [2] 1.0 two",
        "floot32 [1] 1.0",
        "bool [1] Yes",
        "string [1] [b'a'",
        "float32 [1] 1.0 ... zlib:AAAA",
        "int8 [1] 300",
    ],
)
def test_a_line_that_describes_no_tensor_is_refused(line):
    with pytest.raises(TensorTextError):
        from_text(line)
