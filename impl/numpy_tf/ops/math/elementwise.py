"""Elementary functions of one argument, and the kernels that are their gradients."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import (
    COMPLEX64_BY_DEFAULT,
    FLOATING,
    INEXACT,
    NUMERIC,
    PARTS_OF_COMPLEX,
    SIGNED,
)
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.kernels import HALF, ONE, ZERO, over_first, over_second, quotient, with_rest
from numpy_tf.ops.math.arithmetic import Mul
from numpy_tf.ops.math.cast import cast, conj

# -- what kernels share ------------------------------------------------------------------


def _conjugate(x):
    return np.conjugate(x) if x.dtype.kind == "c" else x


def _replaced(value, condition, number=0):
    """`value`, which the kernel made itself, with a number where the condition holds."""
    if value.ndim:
        if condition.any():  # rarely: and looking costs less than writing
            value[condition] = number
        return value
    return value.dtype.type(number) if condition else value


# -- signs and rounding ------------------------------------------------------------------


@op("x: T -> y: T", T=INEXACT | SIGNED)
class Neg:
    """-x."""

    kernel = np.negative

    def gradient(op, grad):
        return -grad


@export("negative", "math.negative")
def negative(x, name=None):
    """-x; of IndexedSlices, of the rows."""
    if isinstance(x, IndexedSlices):
        return IndexedSlices(Neg(x.values, name=name), x.indices, x.dense_shape)
    return Neg(x, name=name)


@op("x: T -> y: T", T=FLOATING | SIGNED)
class Abs:
    """The absolute value of a real number."""

    kernel = np.absolute

    def gradient(op, grad):
        return grad * Sign(op.inputs[0])


@op("x: T -> y: Tout", T=COMPLEX64_BY_DEFAULT, Tout=PARTS_OF_COMPLEX)
class ComplexAbs:
    """The absolute value of a complex number."""

    kernel = np.absolute

    def gradient(op, grad):
        from numpy_tf.ops.math.arithmetic import div_no_nan
        from numpy_tf.ops.math.complex import complex

        x, y = op.inputs[0], op.outputs[0]
        return div_no_nan(complex(grad, zeros_like(grad)) * x, complex(y, zeros_like(y)))


@export("abs", "math.abs")
def abs(x, name=None):
    """The absolute value, of real or complex numbers."""
    with NameScope(name, "Abs", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        if x.dtype.is_complex:
            return ComplexAbs(x, Tout=x.dtype.real_dtype, name=scope)
        return Abs(x, name=scope)


@op("x: T -> y: T", T=INEXACT | SIGNED)
class Sign:
    """-1, 0 or 1; for a complex number x / |x|."""

    elementwise = True

    def kernel(x):
        # The 0 makes 0 of -0.0, which bfloat16's sign would keep.
        return np.sign(x) + x.dtype.type(0) if x.dtype.itemsize == 2 else np.sign(x)

    def gradient(op, grad):
        return zeros_like(op.inputs[0])


@export("sign", "math.sign")
def sign(x, name=None):
    """-1, 0 or 1; for a complex number x / |x|, computed so, and with the gradient of that."""
    from numpy_tf.ops.math.arithmetic import DivNoNan

    x = convert_to_tensor(x)
    if not x.dtype.is_complex:
        return Sign(x, name=name)
    return DivNoNan(x, cast(ComplexAbs(x, Tout=x.dtype.real_dtype), x.dtype), name=name)


@op("x: T -> y: T", T=FLOATING, public="floor, math.floor")
class Floor:
    """The greatest integer not above x."""

    kernel = np.floor

    def gradient(op, grad):
        return None


@op("x: T -> y: T", T=FLOATING)
class Ceil:
    """The least integer not below x."""

    kernel = np.ceil

    def gradient(op, grad):
        return None


@op("x: T -> y: T", T=FLOATING, public="rint, math.rint")
class Rint:
    """The nearest integer, the even one when there are two."""

    runs_in = FLOATING - {dtypes.float16, dtypes.bfloat16}
    kernel = np.rint

    def gradient(op, grad):
        return None


@op("x: T -> y: T", T=INEXACT | SIGNED)
class Round:
    """The nearest integer, the even one when there are two; of integers TensorFlow makes 0."""

    elementwise = True

    def kernel(x):
        return np.zeros_like(x) if x.dtype.kind == "i" else np.rint(x)

    def gradient(op, grad):
        return None


@export("ceil", "math.ceil")
def ceil(x, name=None):
    """The least integer not below x."""
    return Ceil(x, name=name)


@export("round", "math.round")
def round(x, name=None):
    """The nearest integer, the even one when there are two; integers as they are."""
    x = convert_to_tensor(x, name="x")
    return x if x.dtype.is_integer else Round(x, name=name)


# -- powers and roots --------------------------------------------------------------------


@op("x: T -> y: T", T=NUMERIC, public="square, math.square")
class Square:
    """x²."""

    kernel = np.square

    def gradient(op, grad):
        x = conj(op.inputs[0])
        return Mul(grad, Mul(x, constant(2.0, dtype=x.dtype)))


@op("x: T -> y: T", T=INEXACT, public="sqrt, math.sqrt")
class Sqrt:
    """√x."""

    kernel = np.sqrt

    def gradient(op, grad):
        return SqrtGrad(op.outputs[0], grad)


@op("y: T, dy: T -> z: T", T=INEXACT)
class SqrtGrad:
    """dy / (2·conj(y)), where y = √x; 0 wherever dy is 0, even at x = 0."""

    elementwise = True

    def kernel(y, dy):
        # dy·(½/y) in packets and ½·dy/y elsewhere: which is rounded first shows in the last bit.
        half, conjugate = HALF[dy.dtype], _conjugate(y)
        value = over_first(np.multiply, quotient(half, conjugate), dy)
        value = with_rest(value, lambda y, dy: half * dy / y, conjugate, dy)
        return _replaced(value, dy == ZERO[dy.dtype])

    def gradient(op, grad):
        ga = grad / op.inputs[0]
        return -conj(ga) * op.outputs[0], 0.5 * ga


@op("x: T -> y: T", T=INEXACT, public="rsqrt, math.rsqrt")
class Rsqrt:
    """1 / √x."""

    elementwise = True

    def kernel(x):
        return _complex_rsqrt(x) if x.dtype.kind == "c" else x.dtype.type(1) / np.sqrt(x)

    def gradient(op, grad):
        return RsqrtGrad(op.outputs[0], grad)


def _complex_rsqrt(x):
    """1 / √x as Eigen has it, without the square root itself; at 0, ∞ + NaN·i."""
    size = np.hypot(x.real, x.imag)
    root = np.sqrt((np.abs(x.real) + size) * HALF[size.dtype])
    part, rest = root / size, (2 * root * size).astype(size.dtype)
    side = np.where(x.imag < 0, part, -part)
    result = np.empty(x.shape, x.dtype)
    right = x.real > 0
    result.real = np.where(right | (x.real == 0), part, np.abs(x.imag) / rest)
    result.imag = np.where(right, -x.imag / rest, side)
    result = np.where(np.isinf(x), x.dtype.type(0), result)
    return np.where(x == 0, x.dtype.type(complex(np.inf, np.nan)), result)


@op("y: T, dy: T -> z: T", T=INEXACT)
class RsqrtGrad:
    """-½·dy·conj(y)³, where y = 1/√x; 0 wherever dy is 0, and +0 in packets where dy·y is."""

    elementwise = True

    def kernel(y, dy):
        conjugate = _conjugate(y)
        value = _replaced(_minus_half_cube(conjugate, dy), dy * conjugate == 0)
        value = with_rest(value, _minus_half_cube, conjugate, dy)
        return _replaced(value, dy == 0)

    def gradient(op, grad):
        a, b = conj(op.inputs[0]), op.inputs[1]
        grad_a = -1.5 * conj(grad) * b * Square(a)
        return grad_a, RsqrtGrad(a, grad)


def _minus_half_cube(y, dy):
    return dy.dtype.type(-0.5) * ((dy * y) * (y * y))


def _reciprocal(x):
    if x.dtype.kind == "i":
        if not np.all(x):
            raise errors.invalid_argument("Integer division by zero")
        return np.trunc(1 / x).astype(x.dtype)
    return quotient(ONE[x.dtype], x)


@op("x: T -> y: T", T=INEXACT | SIGNED, public="reciprocal, math.reciprocal")
class Reciprocal:
    """1 / x."""

    elementwise = True
    kernel = _reciprocal

    def gradient(op, grad):
        return ReciprocalGrad(op.outputs[0], grad)


@op("x: T -> y: T", T=INEXACT | SIGNED)
class Inv:
    """1 / x, as TensorFlow 1 first called it."""

    elementwise = True
    kernel = _reciprocal

    def gradient(op, grad):
        return ReciprocalGrad(op.outputs[0], grad)


def _reciprocal_grad_gradient(op, grad):
    a, b = conj(op.inputs[0]), op.inputs[1]
    return conj(grad) * -2.0 * b * a, ReciprocalGrad(a, grad)


@op("y: T, dy: T -> z: T", T=INEXACT)
class ReciprocalGrad:
    """-dy·conj(y)², where y = 1/x; 0 wherever dy is 0."""

    elementwise = True

    def kernel(y, dy):
        conjugate = _conjugate(y)
        value = conjugate * conjugate
        return _replaced(over_first(np.multiply, value, -dy), dy == 0)

    gradient = _reciprocal_grad_gradient


@op("y: T, dy: T -> z: T", T=INEXACT)
class InvGrad:
    """`ReciprocalGrad`, as TensorFlow 1 first called it."""

    kernel = ReciprocalGrad.kernel
    gradient = _reciprocal_grad_gradient


# -- exponentials and logarithms ---------------------------------------------------------


@op("x: T -> y: T", T=INEXACT, public="exp, math.exp")
class Exp:
    """e to the power x."""

    kernel = np.exp

    def gradient(op, grad):
        return grad * conj(op.outputs[0])


@op("x: T -> y: T", T=INEXACT, public="expm1, math.expm1")
class Expm1:
    """e to the power x, minus 1, exact near 0."""

    kernel = np.expm1

    def gradient(op, grad):
        return grad * Exp(conj(op.inputs[0]))


@op("x: T -> y: T", T=INEXACT, public="log, math.log")
class Log:
    """The natural logarithm."""

    kernel = np.log

    def gradient(op, grad):
        return grad * Reciprocal(conj(op.inputs[0]))


def log1p(x):
    """log(1 + x); of complex numbers as Eigen corrects it for what 1 + x has lost."""
    if x.dtype.kind != "c":
        return np.log1p(x)
    sum = 1 + x
    value = np.log(sum)
    corrected = np.where(x == -1, x.dtype.type(complex(-np.inf, np.nan)), x * (value / (sum - 1)))
    return np.where((sum == 1) | (sum == value), x, corrected)


@op("x: T -> y: T", T=INEXACT, public="log1p, math.log1p")
class Log1p:
    """The natural logarithm of 1 + x, exact near 0."""

    kernel = staticmethod(log1p)

    def gradient(op, grad):
        return grad * Reciprocal(1 + conj(op.inputs[0]))


# -- trigonometry ------------------------------------------------------------------------


@op("x: T -> y: T", T=INEXACT, public="sin, math.sin")
class Sin:
    """The sine of x radians."""

    kernel = np.sin

    def gradient(op, grad):
        return grad * Cos(conj(op.inputs[0]))


@op("x: T -> y: T", T=INEXACT, public="cos, math.cos")
class Cos:
    """The cosine of x radians."""

    kernel = np.cos

    def gradient(op, grad):
        return -grad * Sin(conj(op.inputs[0]))


# -- squashing ---------------------------------------------------------------------------


@op("x: T -> y: T", T=INEXACT, public="tanh, math.tanh, nn.tanh")
class Tanh:
    """The hyperbolic tangent."""

    kernel = np.tanh

    def gradient(op, grad):
        return TanhGrad(conj(op.outputs[0]), grad)


@op("y: T, dy: T -> z: T", T=INEXACT)
class TanhGrad:
    """dy·(1 - y²), where y = tanh x."""

    elementwise = True

    def kernel(y, dy):
        value = over_second(np.subtract, ONE[y.dtype], y * y)
        return over_first(np.multiply, value, dy)

    def gradient(op, grad):
        a, b = conj(op.inputs[0]), conj(op.inputs[1])
        return grad * -2.0 * b * a, TanhGrad(a, grad)


@op("x: T -> y: T", T=INEXACT)
class Sigmoid:
    """1 / (1 + e to the power -x)."""

    elementwise = True

    def kernel(x):
        # Of e to the power x, as TensorFlow has it, each step rounded; 1 where that overflows.
        one, power = ONE[x.dtype], np.exp(x)
        value = over_second(np.divide, power, power + one)
        return _replaced(value, np.isinf(power), 1)

    def gradient(op, grad):
        return SigmoidGrad(conj(op.outputs[0]), grad)


@export("sigmoid", "math.sigmoid", "nn.sigmoid")
def sigmoid(x, name=None):
    """1 / (1 + e to the power -x)."""
    with NameScope(name, "Sigmoid", [x]) as scope:
        return Sigmoid(convert_to_tensor(x, name="x"), name=scope)


@op("y: T, dy: T -> z: T", T=INEXACT)
class SigmoidGrad:
    """dy·y·(1 - y), where y = sigmoid x."""

    elementwise = True

    def kernel(y, dy):
        value = over_first(np.multiply, ONE[y.dtype] - y, y)
        return over_first(np.multiply, value, dy)

    def gradient(op, grad):
        a, b = conj(op.inputs[0]), conj(op.inputs[1])
        gb = grad * b
        return gb - 2.0 * gb * a, SigmoidGrad(a, grad)
