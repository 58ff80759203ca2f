"""Windows: weights for the samples of a frame, as functions of its length."""

import math

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import require_scalar
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.arithmetic import Pow
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import equal
from numpy_tf.ops.math.cumulative import cumsum
from numpy_tf.ops.math.elementwise import Cos, Exp, Sin, Sqrt, Square
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.math.special import BesselI0e
from numpy_tf.ops.nn.activation import Relu


def _length_tensor(window_length, dtype):
    """The length as an int32 scalar.

    Raises:
      ValueError: the dtype of the window is not floating, or the length no scalar.
    """
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {dtype}")
    length = convert_to_tensor(window_length, dtypes.int32, name="window_length")
    require_scalar(length)
    return length


@export("signal.hann_window")
def hann_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """A raised cosine that begins with 0.

    Args:
      window_length: an int32 scalar.
      periodic: whether it is made for frames that follow each other; else it is symmetric.
    """
    return _raised_cosine("hann_window", window_length, periodic, dtype, 0.5, 0.5, name)


@export("signal.hamming_window")
def hamming_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """As `hann_window`, but it begins with 0.08."""
    return _raised_cosine("hamming_window", window_length, periodic, dtype, 0.54, 0.46, name)


def _raised_cosine(kind, window_length, periodic, dtype, middle, swing, name):
    with NameScope(name, kind, [window_length, periodic]):
        length = _length_tensor(window_length, dtype)
        known = constant_value(length)
        if known == 1:
            return ones([1], dtype)
        periodic = cast(convert_to_tensor(periodic, dtypes.bool_, name="periodic"), dtypes.int32)
        even = 1 - length % 2
        period = cast(length + periodic * even - 1, dtype)
        angle = constant(2 * math.pi, dtype) * cast(range_of(length), dtype) / period

        def window():
            return cast(middle - swing * Cos(angle), dtype)

        if known is not None:
            return window()
        return cond(equal(length, 1), lambda: ones([length], dtype), window)


@export("signal.vorbis_window")
def vorbis_window(window_length, dtype=dtypes.float32, name=None):
    """sin(π/2·sin²(π·(i + 1/2)/length)): its squares, half a frame apart, add up to 1."""
    with NameScope(name, "vorbis_window"):
        length = _length_tensor(window_length, dtype)
        position = cast(range_of(length), dtype)
        inner = Sin(math.pi / cast(length, dtype) * (position + 0.5))
        return Sin(math.pi / 2.0 * Pow(inner, 2.0))


@export("signal.kaiser_window")
def kaiser_window(window_length, beta=12.0, dtype=dtypes.float32, name=None):
    """I0(beta·√(1 - r²)) / I0(beta), where r goes from -1 to 1."""
    with NameScope(name, "kaiser_window"):
        length = _length_tensor(window_length, dtype)
        if constant_value(length) == 1:
            return ones([1], dtype)
        half = (cast(length, dtypes.float32) - 1.0) / 2.0
        position = cast(range_of(-half, half + 0.1, dtype=dtypes.float32), dtype)
        beta, one, half = cast(beta, dtype), cast(1.0, dtype), cast(half, dtype)
        argument = beta * Sqrt(Relu(one - Square(position / half)))
        return Exp(argument - beta) * (BesselI0e(argument) / BesselI0e(beta))


@export("signal.kaiser_bessel_derived_window")
def kaiser_bessel_derived_window(window_length, beta=12.0, dtype=dtypes.float32, name=None):
    """The roots of the sums of a Kaiser window of half the length, and the same backwards."""
    with NameScope(name, "kaiser_bessel_derived_window"):
        length = _length_tensor(window_length, dtype)
        sums = cumsum(kaiser_window(length // 2 + 1, beta, dtype))
        half = Sqrt(sums[:-1] / sums[-1])
        return concat((half, half[::-1]), axis=0)
