"""Circular and hyperbolic functions and their inverses."""

import numpy as np

from numpy_tf.framework.dtypes import FLOATING, INEXACT
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.math.arithmetic import Sub, add
from numpy_tf.ops.math.broadcasting import broadcast_shape, reduce_gradient_args
from numpy_tf.ops.math.cast import conj
from numpy_tf.ops.math.elementwise import Cos, Reciprocal, Sqrt, Square


@op("x: T -> y: T", T=INEXACT, public="tan, math.tan")
class Tan:
    """The tangent of x radians."""

    kernel = np.tan

    def gradient(op, grad):
        secant = Reciprocal(Cos(conj(op.inputs[0])))
        return Square(secant) * grad


def _one(grad):
    return constant(1, dtype=grad.dtype)


@op("x: T -> y: T", T=INEXACT, public="asin, math.asin")
class Asin:
    """The angle in radians whose sine is x."""

    kernel = np.arcsin

    def gradient(op, grad):
        root = Sqrt(Sub(_one(grad), Square(conj(op.inputs[0]))))
        return grad * Reciprocal(root)


@op("x: T -> y: T", T=INEXACT, public="acos, math.acos")
class Acos:
    """The angle in radians whose cosine is x."""

    kernel = np.arccos

    def gradient(op, grad):
        root = Sqrt(Sub(_one(grad), Square(conj(op.inputs[0]))))
        return -grad * Reciprocal(root)


@op("x: T -> y: T", T=INEXACT, public="atan, math.atan")
class Atan:
    """The angle in radians whose tangent is x."""

    kernel = np.arctan

    def gradient(op, grad):
        return grad * Reciprocal(add(_one(grad), Square(conj(op.inputs[0]))))


@op("y: T, x: T -> z: T", T=FLOATING, public="atan2, math.atan2")
class Atan2:
    """The angle in radians of the point (x, y)."""

    shape = broadcast_shape
    kernel = np.arctan2

    def gradient(op, grad):
        y, x = op.inputs
        shared = grad / (Square(y) + Square(x))
        return reduce_gradient_args(y, x, x * shared, -y * shared)


@op("x: T -> y: T", T=INEXACT, public="sinh, math.sinh")
class Sinh:
    """The hyperbolic sine."""

    kernel = np.sinh

    def gradient(op, grad):
        return grad * Cosh(conj(op.inputs[0]))


@op("x: T -> y: T", T=INEXACT, public="cosh, math.cosh")
class Cosh:
    """The hyperbolic cosine."""

    kernel = np.cosh

    def gradient(op, grad):
        return grad * Sinh(conj(op.inputs[0]))


@op("x: T -> y: T", T=INEXACT, public="asinh, math.asinh")
class Asinh:
    """The number whose hyperbolic sine is x."""

    kernel = np.arcsinh

    def gradient(op, grad):
        return grad / Cosh(conj(op.outputs[0]))


@op("x: T -> y: T", T=INEXACT, public="acosh, math.acosh")
class Acosh:
    """The number, not below 0, whose hyperbolic cosine is x."""

    kernel = np.arccosh

    def gradient(op, grad):
        return grad / Sinh(conj(op.outputs[0]))


@op("x: T -> y: T", T=INEXACT, public="atanh, math.atanh")
class Atanh:
    """The number whose hyperbolic tangent is x."""

    kernel = np.arctanh

    def gradient(op, grad):
        return grad * Reciprocal(Sub(_one(grad), Square(conj(op.inputs[0]))))
