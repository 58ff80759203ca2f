"""Discrete cosine transforms over the last axis, by way of the Fourier transform."""

import math

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.shape import expand_dims, shape
from numpy_tf.ops.array.slicing import pad
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.complex import complex as complex_of
from numpy_tf.ops.math.complex import real
from numpy_tf.ops.math.elementwise import Exp, Rsqrt, Sqrt
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.signal.fourier import irfft, rfft

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


@export("signal.dct", "spectral.dct")
def dct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """The discrete cosine transform of type 1, 2, 3 or 4.

    Args:
      input: float32 or float64 [..., samples].
      type: of the transform.
      n: how many samples are taken; missing ones are zeros.
      axis: -1.
      norm: None, or "ortho" for an orthonormal transform (not of type 1).

    Raises:
      NotImplementedError: for another axis.
      ValueError: for another type, `norm` or `n`, or less than two samples for type 1.
    """
    _check_arguments(input, type, n, axis, norm)
    return _transform(input, type, n, norm, name)


@export("signal.idct", "spectral.idct")
def idct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """What undoes `dct` of that type, but for a factor unless `norm` is "ortho"."""
    _check_arguments(input, type, n, axis, norm)
    return _transform(input, _INVERSE[type], n, norm, name)


def _check_arguments(input, type, n, axis, norm):
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if type not in _INVERSE:
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    if type == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        if input.shape[-1] is not None and input.shape[-1] < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def _length(tensor):
    """Of the last axis: a number where it is known."""
    return (tensor.dims[-1] if tensor.dims is not None else None) or shape(tensor)[-1]


def _transform(input, type, n, norm, name=None):
    with NameScope(name, "dct", [input]):
        tensor = convert_to_tensor(input)
        if n is not None:
            tensor = _of_length(tensor, n)
        count = _length(tensor)
        return _BY_TYPE[type](tensor, count, cast(count, tensor.dtype), norm)


def _of_length(tensor, n):
    """The first `n` elements, or all and zeros."""
    count = _length(tensor)

    def lengthened():
        outer = [[0, 0]] * (len(tensor.dims) - 1)
        return pad(tensor, convert_to_tensor([*outer, [0, n - count]], dtypes.int32))

    def shortened():
        return tensor[..., 0:n]

    if isinstance(n, int) and isinstance(count, int):
        return shortened() if n <= count else lengthened()
    return cond(n <= count, shortened, lengthened)


def _first_type(tensor, count, size, norm):
    return real(rfft(concat([tensor, tensor[..., -2:0:-1]], axis=-1)))


def _turns(sign, tensor, size):
    """2·exp(±iπk/2n) for each k."""
    zero = convert_to_tensor(0.0, tensor.dtype)
    return 2.0 * Exp(complex_of(zero, sign(range_of(size)) * math.pi * 0.5 / size))


def _weights(first, others, count):
    return pad(expand_dims(first, 0), [[0, count - 1]], constant_values=others)


def _second_type(tensor, count, size, norm):
    turns = _turns(lambda k: -k, tensor, size)
    result = real(rfft(tensor, fft_length=[2 * count])[..., :count] * turns)
    if norm == "ortho":
        first = 0.5 * Rsqrt(size)
        result *= _weights(first, first * math.sqrt(2.0), count)
    return result


def _third_type(tensor, count, size, norm):
    if norm == "ortho":
        first = Sqrt(size)
        tensor *= _weights(first, first * math.sqrt(0.5), count)
    else:
        tensor *= size
    turns = _turns(lambda k: k, tensor, size)
    zero = convert_to_tensor(0.0, tensor.dtype)
    return real(irfft(turns * complex_of(tensor, zero), fft_length=[2 * count]))[..., :count]


def _fourth_type(tensor, count, size, norm):
    result = _transform(tensor, 2, 2 * count, None)[..., 1::2]
    if norm == "ortho":
        result *= math.sqrt(0.5) * Rsqrt(size)
    return result


_BY_TYPE = {1: _first_type, 2: _second_type, 3: _third_type, 4: _fourth_type}
