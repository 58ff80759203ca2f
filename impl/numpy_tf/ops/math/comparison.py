"""Comparisons and logic: none of them differentiable."""

import numpy as np

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, FLOATING, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.ops.math.broadcasting import broadcast_shape


@op("x: T, y: T -> z: bool", T=REAL, public="greater, math.greater")
class Greater:
    """x > y."""

    shape = broadcast_shape
    kernel = np.greater
    gradient = NOT_DIFFERENTIABLE


@op("x: T, y: T -> z: bool", T=REAL, public="greater_equal, math.greater_equal")
class GreaterEqual:
    """x >= y."""

    shape = broadcast_shape
    kernel = np.greater_equal
    gradient = NOT_DIFFERENTIABLE


@op("x: T, y: T -> z: bool", T=REAL, public="less, math.less")
class Less:
    """x < y."""

    shape = broadcast_shape
    kernel = np.less
    gradient = NOT_DIFFERENTIABLE


@op("x: T, y: T -> z: bool", T=REAL, public="less_equal, math.less_equal")
class LessEqual:
    """x <= y."""

    shape = broadcast_shape
    kernel = np.less_equal
    gradient = NOT_DIFFERENTIABLE


@op("x: T, y: T -> z: bool", T=ANY, incompatible_shape_error=True)
class Equal:
    """x == y."""

    shape = broadcast_shape

    def kernel(x, y):
        return np.asarray(np.equal(x, y), bool)

    gradient = NOT_DIFFERENTIABLE


@op("x: T, y: T -> z: bool", T=ANY, incompatible_shape_error=True)
class NotEqual:
    """x != y."""

    shape = broadcast_shape

    def kernel(x, y):
        return np.asarray(np.not_equal(x, y), bool)

    gradient = NOT_DIFFERENTIABLE


@export("equal", "math.equal")
def equal(x, y, name=None):
    """x == y."""
    return Equal(x, y, name=name)


@export("not_equal", "math.not_equal")
def not_equal(x, y, name=None):
    """x != y."""
    return NotEqual(x, y, name=name)


@op("x: T -> y: bool", T=FLOATING, public="is_finite, math.is_finite, debugging.is_finite")
class IsFinite:
    """Whether x is neither infinite nor NaN."""

    kernel = np.isfinite
    gradient = NO_GRADIENT


@op("x: T -> y: bool", T=FLOATING, public="is_inf, math.is_inf, debugging.is_inf")
class IsInf:
    """Whether x is infinite."""

    kernel = np.isinf
    gradient = NO_GRADIENT


@op("x: T -> y: bool", T=FLOATING, public="is_nan, math.is_nan, debugging.is_nan")
class IsNan:
    """Whether x is NaN."""

    kernel = np.isnan
    gradient = NO_GRADIENT


@op("x: bool, y: bool -> z: bool", public="logical_and, math.logical_and")
class LogicalAnd:
    """x and y."""

    shape = broadcast_shape
    kernel = np.logical_and
    gradient = NOT_DIFFERENTIABLE


@op("x: bool, y: bool -> z: bool", public="logical_or, math.logical_or")
class LogicalOr:
    """x or y."""

    shape = broadcast_shape
    kernel = np.logical_or
    gradient = NOT_DIFFERENTIABLE


@op("x: bool -> y: bool", public="logical_not, math.logical_not")
class LogicalNot:
    """Not x."""

    kernel = np.logical_not
    gradient = NOT_DIFFERENTIABLE


@export("logical_xor", "math.logical_xor")
def logical_xor(x, y, name="LogicalXor"):
    """Either x or y."""
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    return LogicalAnd(LogicalOr(x, y), LogicalNot(LogicalAnd(x, y)), name=name)
