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
