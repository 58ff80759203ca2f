"""Products and quotients in which a zero factor wins over infinity and NaN."""

import numpy as np

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import INEXACT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.shape import BroadcastGradientArgs, reshape, shape
from numpy_tf.ops.kernels import in_whole_packets, quotient
from numpy_tf.ops.math.arithmetic import NotEqual
from numpy_tf.ops.math.broadcasting import (
    broadcast_shape,
    equal_full_shapes,
    reduce_gradient_args,
)
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Neg, log1p
from numpy_tf.ops.math.reduction import reduce_sum


def _summed_back(x, y, partial_x, partial_y, grad):
    """Both gradients with broadcast axes summed, which these ops find out at the run."""
    x_shape, y_shape = shape(x), shape(y)
    x_axes, y_axes = BroadcastGradientArgs(x_shape, y_shape)
    return (
        reshape(reduce_sum(partial_x * grad, x_axes), x_shape),
        reshape(reduce_sum(partial_y * grad, y_axes), y_shape),
    )


def _is_not_zero(x):
    return cast(NotEqual(x, cast(0.0, x.dtype)), x.dtype)


def _guarded(x, value):
    """The value, and 0 where x is 0: x itself in whole packets, which keeps the sign of -0.0.

    What is left over at the end is computed one by one, with a 0 of its own.
    """
    in_packets = np.arange(value.size).reshape(value.shape) < in_whole_packets(value)
    return np.where(x == 0, np.where(in_packets, x, value.dtype.type(0)), value)


@op("x: T, y: T -> z: T", T=INEXACT)
class Xlogy:
    """x·log y, and 0 where x is 0."""

    shape = broadcast_shape

    def kernel(x, y):
        return _guarded(x, x * np.log(y))

    def gradient(op, grad):
        x, y = op.inputs
        return _summed_back(x, y, Xlogy(_is_not_zero(x), y), Xdivy(x, y), grad)


@op("x: T, y: T -> z: T", T=INEXACT)
class Xlog1py:
    """x·log(1 + y), and 0 where x is 0."""

    shape = broadcast_shape

    def kernel(x, y):
        value = x * log1p(y)
        if value.dtype.kind == "c":  # never in vectors
            return np.where(x == 0, value.dtype.type(0), value)
        return _guarded(x, value)

    def gradient(op, grad):
        x, y = op.inputs
        return _summed_back(x, y, Xlog1py(_is_not_zero(x), y), Xdivy(x, y + 1.0), grad)


@op("x: T, y: T -> z: T", T=INEXACT)
class Xdivy:
    """x / y, and 0 where x is 0."""

    shape = broadcast_shape

    def kernel(x, y):
        return _guarded(x, quotient(x, y))

    def gradient(op, grad):
        x, y = op.inputs
        return _summed_back(x, y, Xdivy(_is_not_zero(x), y), Xdivy(Neg(x), y**2), grad)


@op("x: T, y: T -> z: T", T=INEXACT)
class MulNoNan:
    """x·y, and 0 where y is 0."""

    shape = broadcast_shape

    def kernel(x, y):
        return np.where(y == 0, y.dtype.type(0), x * y)

    def gradient(op, grad):
        x, y = op.inputs
        gx, gy = MulNoNan(grad, y), MulNoNan(x, grad)
        if equal_full_shapes(x, y, grad):
            return gx, gy
        return reduce_gradient_args(x, y, gx, gy)


@export("math.xlogy")
def xlogy(x, y, name=None):
    """x·log y, and 0 where x is 0, whatever y is."""
    with NameScope(name, "xlogy", [x]):
        return Xlogy(x, y)


@export("math.xlog1py")
def xlog1py(x, y, name=None):
    """x·log(1 + y), and 0 where x is 0, whatever y is."""
    with NameScope(name, "xlog1py", [x]):
        return Xlog1py(x, y)


@export("math.xdivy")
def xdivy(x, y, name=None):
    """x / y, and 0 where x is 0, whatever y is."""
    with NameScope(name, "xdivy", [x]):
        return Xdivy(x, y)


@export("math.multiply_no_nan")
def multiply_no_nan(x, y, name=None):
    """x·y, and 0 where y is 0, whatever x is."""
    with NameScope(name, "multiply_no_nan", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        return MulNoNan(x, y, name=scope)
