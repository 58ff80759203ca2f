"""Norms and normalisation."""

import math

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.shape import rank, shape, squeeze
from numpy_tf.ops.math.arithmetic import (
    Maximum,
    add,
    div_no_nan,
    multiply,
    squared_difference,
    subtract,
)
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.complex import complex, imag, real
from numpy_tf.ops.math.elementwise import Reciprocal, Rsqrt, Square
from numpy_tf.ops.math.reduction import reduce_mean, reduce_prod, reduce_sum


@op("t: T -> output: T", T=FLOATING, public="nn.l2_loss")
class L2Loss:
    """Half the sum of squares."""

    def shape(op):
        return ()

    def kernel(t):
        return np.add.reduce((t * t * t.dtype.type(0.5)).reshape(-1), dtype=t.dtype)

    def gradient(op, grad):
        return op.inputs[0] * grad


@export("nn.l2_normalize", "math.l2_normalize", "linalg.l2_normalize")
def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """`x` divided by its norm along `axis`, or by √epsilon when the norm is below that."""
    axis = dim if axis is None else axis
    with NameScope(name, "l2_normalize", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex:
            squares = Square(real(x)) + Square(imag(x))
            total = real(reduce_sum(squares, axis, keepdims=True))
            inverse = Rsqrt(Maximum(total, epsilon))
            return complex(multiply(real(x), inverse), multiply(imag(x), inverse), name=scope)
        total = reduce_sum(Square(x), axis, keepdims=True)
        inverse = Rsqrt(Maximum(total, epsilon))
        return multiply(x, inverse, name=scope)


def _as_asked(moment, axes, keep, narrow):
    """Without the axes unless they are to be kept, and in float16 again if it was."""
    if not keep:
        moment = squeeze(moment, axes)
    return cast(moment, dtypes.float16) if narrow else moment


@export("nn.moments")
def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """The mean and the variance of `x` along `axes`; float16 is computed in float32."""
    keep = bool(keep_dims if keepdims is None else keepdims)
    with NameScope(name, "moments", [x, axes]):
        x = convert_to_tensor(x)
        narrow = x.dtype.base_dtype is dtypes.float16
        y = cast(x, dtypes.float32) if narrow else x
        mean = reduce_mean(y, axes, keepdims=True, name="mean")
        # The mean's own part in the variance's derivative sums to 0, so it is stopped.
        deviations = squared_difference(y, stop_gradient(mean))
        variance = reduce_mean(deviations, axes, keepdims=True, name="variance")
        return tuple(_as_asked(moment, axes, keep, narrow) for moment in (mean, variance))


@export("nn.weighted_moments")
def weighted_moments(x, axes, frequency_weights, name=None, keep_dims=None, keepdims=None):
    """The mean and the variance of `x` along `axes`, each element counted by its weight.

    Unlike in `moments`, the mean's own part in the variance's derivative is not stopped. float16
    is computed in float32.
    """
    keep = bool(keep_dims if keepdims is None else keepdims)
    with NameScope(name, "weighted_moments", [x, frequency_weights, axes]):
        x = convert_to_tensor(x, name="x")
        weights = convert_to_tensor(frequency_weights, name="frequency_weights")
        narrow = x.dtype.base_dtype is dtypes.float16
        if narrow:
            x = cast(x, dtypes.float32)
        weights = cast(weights, x.dtype)
        total = reduce_sum(weights * x, axes, keepdims=True, name="weighted_input_sum")
        weight = reduce_sum(weights + zeros_like(x), axes, keepdims=True, name="sum_of_weights")
        mean = div_no_nan(total, weight)
        squares = weights * squared_difference(x, mean)
        squares = reduce_sum(squares, axes, keepdims=True, name="weighted_distsq")
        variance = div_no_nan(squares, weight)
        return tuple(_as_asked(moment, axes, keep, narrow) for moment in (mean, variance))


@export("nn.sufficient_statistics")
def sufficient_statistics(x, axes, shift=None, keep_dims=None, name=None, keepdims=None):
    """How many elements lie along `axes`, their sum and the sum of their squares.

    Args:
      x: a tensor.
      axes: a list of axes.
      shift: what is taken from each element first; None for nothing.

    Returns:
      The count as a scalar of x's dtype, the two sums, and the shift.
    """
    keep = bool(keep_dims if keepdims is None else keepdims)
    axes = list(set(axes))
    with NameScope(name, "sufficient_statistics", [x, shift]):
        x = convert_to_tensor(x, name="x")
        sizes = [None] if x.dims is None else [x.dims[axis] for axis in axes]
        if None in sizes:
            positive = [axis + rank(x) if axis < 0 else axis for axis in axes]
            count = reduce_prod(gather(cast(shape(x), x.dtype), positive), name="count")
        else:
            count = constant(math.prod(sizes), x.dtype)
        shifted, squares = x, Square(x) if shift is None else None
        if shift is not None:
            shift = convert_to_tensor(shift, name="shift")
            shifted, squares = x - shift, squared_difference(x, shift)
        total = reduce_sum(shifted, axes, keepdims=keep, name="mean_ss")
        return count, total, reduce_sum(squares, axes, keepdims=keep, name="var_ss"), shift


@export("nn.normalize_moments")
def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """The mean and the variance of what `sufficient_statistics` counted and summed."""
    with NameScope(name, "normalize", [counts, mean_ss, variance_ss, shift]):
        divisor = Reciprocal(counts, name="divisor")
        shifted = multiply(mean_ss, divisor, name="mean" if shift is None else "shifted_mean")
        mean = shifted if shift is None else add(shifted, shift, name="mean")
        squares = multiply(variance_ss, divisor)
        return mean, subtract(squares, Square(shifted), name="variance")


@export("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean)·scale / √(variance + epsilon) + offset; scale and offset may be None."""
    given = [t for t in (x, mean, variance, scale, offset) if t is not None]
    with NameScope(name, "batchnorm", given):
        inverse = Rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        shift = offset - mean * inverse if offset is not None else -mean * inverse
        return x * cast(inverse, x.dtype) + cast(shift, x.dtype)
