"""What kernels share: small numbers as arrays of a dtype, and results over a buffer."""

import numpy as np


class Number(dict):
    """One number in every dtype: NumPy dtype -> read-only array of shape ().

    NumPy takes such an array as the partner of another array faster than a Python number or
    a NumPy scalar, which it would make an array of first.
    """

    def __init__(self, number):
        super().__init__()
        self._number = number

    def __missing__(self, dtype):
        value = self[dtype] = np.array(self._number, dtype)
        value.flags.writeable = False
        return value


ZERO, ONE, HALF = Number(0), Number(1), Number(0.5)


def over_first(ufunc, value, other):
    """ufunc(value, other) over the buffer of `value`, which the kernel made itself.

    Args:
      ufunc: elementwise, of two arguments.
      value: an array of the result's shape, or a scalar.
      other: an array or scalar that broadcasts to it.
    """
    return ufunc(value, other, value) if value.ndim else ufunc(value, other)


def over_second(ufunc, other, value):
    """As `over_first`, for ufunc(other, value)."""
    return ufunc(other, value, value) if value.ndim else ufunc(other, value)


_PACKET_BYTES = 32  # what TensorFlow's kernels compute at a time, on processors with AVX


def in_whole_packets(array):
    """How many elements TensorFlow computes in packets; it takes those left over one by one.

    A packet is 32 bytes of elements, but 8 elements in half precision.
    """
    return array.size - array.size % min(8, _PACKET_BYTES // array.dtype.itemsize)


def with_rest(value, compute, *inputs):
    """`value`, which the kernel made itself, where the last elements fill no packet: compute's.

    Args:
      value: of the shape of the inputs.
      compute: of the ends of the inputs, as vectors.
    """
    packed = in_whole_packets(value)
    if packed == value.size:
        return value
    if not value.ndim:
        return compute(*inputs)
    value.reshape(-1)[packed:] = compute(*(x.reshape(-1)[packed:] for x in inputs))
    return value


def quotient(x, y):
    """x / y. Complex numbers are divided as Eigen does it, to the bit.

    Eigen scales the divisor by the larger of its parts, four complex64 or two complex128 at a
    time; the rest of a tensor is divided one by one, as NumPy does.
    """
    whole = np.divide(x, y)
    if whole.dtype.kind != "c":
        return whole
    packed = in_whole_packets(whole)
    if not packed:
        return whole
    scale = np.maximum(np.abs(y.real), np.abs(y.imag))
    real, imaginary = y.real / scale, y.imag / scale
    size = real * real + imaginary * imaginary
    result = np.empty(whole.shape, whole.dtype)
    result.real = (x.real * real + x.imag * imaginary) / size / scale
    result.imag = (x.imag * real - x.real * imaginary) / size / scale
    result.reshape(-1)[packed:] = whole.reshape(-1)[packed:]
    return result


_LANES = 8  # of float16 or bfloat16, side by side in a packet of Eigen's
_LONGEST = {"float16": 200 * _LANES, "bfloat16": 128 * _LANES}  # longer rows are halved first


def rows_summed_in_half(rows):
    """The sums of rows in half precision, in the order of Eigen's `InnerMostDimReducer`.

    Eight lanes go along a row side by side, rounding at each step, 4 packets at a time as
    long as there are so many; then the lanes are added up in float32, and at last what did not
    fill a packet. NumPy would add up float16 in float32 all the way.

    Args:
      rows: [count, size] float16 or bfloat16, size > 0.

    Returns:
      [count] of the same dtype.
    """
    count, size = rows.shape
    if size > _LONGEST[rows.dtype.name]:
        middle = -(-((size + 1) // 2) // _LANES) * _LANES
        return rows_summed_in_half(rows[:, :middle]) + rows_summed_in_half(rows[:, middle:])
    by_fours = size // (4 * _LANES) * (4 * _LANES)
    by_packets = size // _LANES * _LANES
    packets = np.concatenate(
        [
            np.add.reduce(rows[:, :by_fours].reshape(count, -1, 4, _LANES), axis=1),
            rows[:, by_fours:by_packets].reshape(count, -1, _LANES),
        ],
        axis=1,
    )
    lanes = np.add.reduce(packets, axis=1).astype(np.float32)
    lanes = lanes[:, :4] + lanes[:, 4:]
    lanes = lanes[:, :2] + lanes[:, 2:]
    total = (lanes[:, 0] + lanes[:, 1]).astype(rows.dtype)
    if by_packets < size:
        total += np.add.accumulate(rows[:, by_packets:], axis=1)[:, -1]
    return total
