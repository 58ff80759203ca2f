"""Values are written as text from which the same bits can be read back."""

import ml_dtypes
import numpy as np
import pytest

from gradparity.reports.exact import digest, element_texts, layout


def written(shape, texts, count=None):
    pieces = layout(shape, len(texts) if count is None else count)
    return "".join(piece if isinstance(piece, str) else texts[piece] for piece in pieces)


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (np.float32([0.1, 1, -0.0]), ["0.1", "1.0", "-0.0"]),
        (np.float64([0.1 + 0.2, 5e-324]), ["0.30000000000000004", "5e-324"]),
        (np.float32([np.nan, np.inf, -np.inf]), ["nan", "inf", "-inf"]),
        (np.array([3.140625, -0.0, np.nan], ml_dtypes.bfloat16), ["3.14", "-0.0", "nan"]),
        (np.array([1.0078125, 1e30], ml_dtypes.bfloat16), ["1.01", "1e+30"]),
        (np.complex64([1 - 0.5j, complex(-0.0, np.nan)]), ["1.0-0.5j", "-0.0+nanj"]),
        (np.int64([-(2**63)]), ["-9223372036854775808"]),
        (np.bool_([True, False]), ["True", "False"]),
        (np.array([b"caf\xc3\xa9", b"\xff"], object), [r"b'caf\xc3\xa9'", r"b'\xff'"]),
        (np.float32(2.5), ["2.5"]),
        (np.zeros((0, 3), np.float32), []),
    ],
)
def test_elements_read_as_themselves(array, texts):
    assert element_texts(np.asarray(array), 1000) == texts


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        (np.float16, np.uint16),
        (ml_dtypes.bfloat16, np.uint16),
        (np.float32, np.uint32),
        (np.float64, np.uint64),
    ],
)
def test_a_float_reads_back_to_the_same_bits(dtype, bits):
    size = np.dtype(bits).itemsize
    numbers = np.frombuffer(np.random.default_rng(1).bytes(2000 * size), bits).view(dtype)
    with np.errstate(invalid="ignore"):  # some of the random bits are signalling NaNs
        numbers = numbers[~np.isnan(numbers)]
    back = np.array([float(text) for text in element_texts(numbers, 2000)]).astype(dtype)
    assert (back.view(bits) == numbers.view(bits)).all()


def test_arrays_are_written_in_nested_brackets():
    assert written((), ["7"]) == "7"
    assert written((3,), ["1", "2", "3"]) == "[1, 2, 3]"
    assert written((2, 2), ["1", "2", "3", "4"]) == "[[1, 2],\n [3, 4]]"
    assert written((2, 1, 2), ["1", "2", "3", "4"]) == "[[[1, 2]],\n\n [[3, 4]]]"
    assert written((2, 0), []) == "[]"


def test_what_is_left_out_of_an_array_is_counted():
    assert written((2, 3), ["1", "2"]) == "[[1, 2, ... 4 more]]"


def test_a_digest_tells_arrays_apart_that_begin_alike():
    zeros = np.zeros(2000, np.float32)
    other = zeros.copy()
    other[-1] = -0.0
    assert digest(zeros) == digest(zeros.astype(">f4")) != digest(other)
    assert digest(np.array([b"a", b"b"], object)) != digest(np.array([b"ab"], object))
