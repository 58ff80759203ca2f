"""Arithmetic: sums, products, quotients, powers, extremes; with broadcasting."""

import functools

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, INDEX, INEXACT, INTEGER, NUMERIC, REAL, SIGNED
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.indexed_slices import IndexedSlices, convert_to_tensor_or_indexed_slices
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.tensor_shape import merge_dims
from numpy_tf.framework.variant import Variant, sum_of_values
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.select import where, where_v2
from numpy_tf.ops.kernels import quotient
from numpy_tf.ops.math.broadcasting import (
    broadcast_shape,
    equal_full_shapes,
    reduce_gradient_args,
)
from numpy_tf.ops.math.cast import cast, conj
from numpy_tf.ops.math.comparison import GreaterEqual, LessEqual, NotEqual

_ADDABLE = NUMERIC - {dtypes.uint16, dtypes.uint32, dtypes.uint64} | {dtypes.string}


def _add_gradient(op, grad):
    x, y = op.inputs
    if equal_full_shapes(x, y, grad):
        return grad, grad
    return reduce_gradient_args(x, y, grad, grad)


@op("x: T, y: T -> z: T", T=_ADDABLE)
class Add:
    """x + y, as TensorFlow 1 registered it."""

    shape = broadcast_shape
    kernel = np.add
    gradient = _add_gradient


@op("x: T, y: T -> z: T", T=NUMERIC)
class AddV2:
    """x + y."""

    shape = broadcast_shape
    kernel = np.add
    gradient = _add_gradient


@op("x: T, y: T -> z: T", T=NUMERIC)
class Sub:
    """x - y."""

    shape = broadcast_shape
    kernel = np.subtract

    def gradient(op, grad):
        x, y = op.inputs
        if equal_full_shapes(x, y, grad):
            return grad, -grad
        return reduce_gradient_args(x, y, grad, -grad)


@op("x: T, y: T -> z: T", T=NUMERIC)
class Mul:
    """x · y."""

    shape = broadcast_shape
    kernel = np.multiply

    def gradient(op, grad):
        x, y = op.inputs
        if grad.dtype in (dtypes.float32, dtypes.int32) and equal_full_shapes(x, y, grad):
            return Mul(grad, y), Mul(grad, x)
        return reduce_gradient_args(x, y, Mul(grad, conj(y)), Mul(conj(x), grad))


@op("x: T, y: T -> z: T", T=INEXACT | INTEGER)
class RealDiv:
    """x / y."""

    shape = broadcast_shape
    elementwise = True

    def kernel(x, y, *, dtype):
        return _integer_division(quotient, x, y, dtype)

    def gradient(op, grad):
        x, y = conj(op.inputs[0]), conj(op.inputs[1])
        gx = RealDiv(grad, y)
        gy = grad * RealDiv(RealDiv(-x, y), y)
        return reduce_gradient_args(*op.inputs, gx, gy)


@op("x: T, y: T -> z: T", T=NUMERIC)
class Div:
    """x / y, towards zero for integers."""

    shape = broadcast_shape
    elementwise = True

    def kernel(x, y, *, dtype):
        return _integer_division(quotient, x, y, dtype)

    def gradient(op, grad):
        x, y = conj(op.inputs[0]), conj(op.inputs[1])
        gx = divide(grad, y)
        gy = grad * divide(divide(-x, y), y)
        return reduce_gradient_args(*op.inputs, gx, gy)


@op("x: T, y: T -> z: T", T=INEXACT)
class DivNoNan:
    """x / y, and 0 where y is 0."""

    shape = broadcast_shape
    elementwise = True

    def kernel(x, y, *, dtype):
        nothing = y == 0
        if dtype.kind == "c":
            # The product may underflow where the quotient does not: TensorFlow has 0 there too.
            nothing = nothing | (x * np.conjugate(y) == 0)
        return np.where(nothing, dtype.type(0), quotient(x, y))

    def gradient(op, grad):
        x, y = conj(op.inputs[0]), conj(op.inputs[1])
        gx = DivNoNan(grad, y)
        gy = grad * DivNoNan(DivNoNan(-x, y), y)
        return reduce_gradient_args(*op.inputs, gx, gy)


@op("x: T, y: T -> z: T", T=NUMERIC)
class FloorDiv:
    """x / y, towards minus infinity."""

    shape = broadcast_shape

    def kernel(x, y, *, dtype):
        return _integer_division(_floor_divide, x, y, dtype)

    def gradient(op, grad):
        return None, None


@op("x: T, y: T -> z: T", T=REAL)
class FloorMod:
    """What FloorDiv leaves; it has the sign of y."""

    shape = broadcast_shape

    def kernel(x, y, *, dtype):
        return _integer_division(_floor_modulus, x, y, dtype)

    def gradient(op, grad):
        x, y = conj(op.inputs[0]), conj(op.inputs[1])
        return reduce_gradient_args(*op.inputs, grad, grad * -FloorDiv(x, y))


@op("x: T, y: T -> z: T", T=NUMERIC, public="truncatediv")
class TruncateDiv:
    """x / y, towards zero."""

    shape = broadcast_shape

    def kernel(x, y, *, dtype):
        return _integer_division(_truncated_quotient, x, y, dtype)

    def gradient(op, grad):
        return None, None


@op("x: T, y: T -> z: T", T=FLOATING | {dtypes.int32, dtypes.int64}, public="truncatemod")
class TruncateMod:
    """What TruncateDiv leaves; it has the sign of x."""

    shape = broadcast_shape

    def kernel(x, y, *, dtype):
        return _integer_division(np.fmod, x, y, dtype)

    gradient = NO_GRADIENT


def _truncated_quotient(x, y):
    if x.dtype.kind in "iu":
        down = np.floor_divide(x, y)
        return down + ((down < 0) & (down * y != x))
    return np.trunc(np.divide(x, y))


def _floor_divide(x, y):
    # NumPy's floor_divide gives NaN for x / 0; TensorFlow's the infinity of the quotient.
    if x.dtype.kind in "iu":
        return np.floor_divide(x, y)
    return np.floor(np.divide(x, y))


def _floor_modulus(x, y):
    # NumPy's mod gives a zero the sign of y; TensorFlow's leaves it that of x.
    if x.dtype.kind in "iu":
        return np.mod(x, y)
    rest = np.fmod(x, y)
    return np.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)


def _integer_division(divide, x, y, dtype):
    """A division, refused by zero for integers; what is no integer is truncated to one."""
    if dtype.kind in "iu":
        if not np.all(y):
            raise errors.invalid_argument("Integer division by zero")
        return np.trunc(divide(x, y)).astype(dtype)
    return divide(x, y)


@op("x: T, y: T -> z: T", T=INEXACT | SIGNED)
class Pow:
    """x to the power y."""

    shape = broadcast_shape
    elementwise = True

    def kernel(x, y):
        if x.dtype.kind == "i" and np.any(y < 0):
            raise errors.invalid_argument("Integers to negative integer powers are not allowed")
        if x.dtype.kind == "c":
            # As the C library has it: NumPy treats integers among y, and 0, by themselves.
            return np.exp(y * np.log(x))
        return np.power(x, y)

    def gradient(op, grad):
        x, y = op.inputs
        cx, cy = conj(x), conj(y)
        gx = grad * cy * pow(cx, cy - 1)
        # Where x <= 0 there is no real logarithm to return, and at 0 it would be infinite.
        mask = NotEqual(cx, _zero(cx)) if x.dtype.is_complex else cx > 0
        safe_x = where(mask, cx, ones_like(x))
        log_x = where(mask, _log(safe_x), zeros_like(x))
        gy = grad * conj(op.outputs[0]) * log_x
        return reduce_gradient_args(x, y, gx, gy)


def _zero(tensor):
    return convert_to_tensor(0, tensor.dtype.base_dtype)


def _log(x):
    from numpy_tf.ops.math.elementwise import Log

    return Log(x)


@op("x: T, y: T -> z: T", T=INEXACT | INDEX)
class SquaredDifference:
    """(x - y)², times its own conjugate's worth for complex numbers."""

    shape = broadcast_shape
    elementwise = True

    def kernel(x, y):
        difference = np.subtract(x, y)
        if difference.dtype.kind == "c":
            return np.conjugate(difference) * difference
        return difference * difference

    def gradient(op, grad):
        x, y = op.inputs
        x_grad = scalar_mul(2.0, grad) * (x - y)
        if equal_full_shapes(x, y, grad):
            return x_grad, -x_grad
        return reduce_gradient_args(x, y, x_grad, -x_grad)


def maximum(x, y):
    """np.maximum, which in bfloat16 would give the second of two zeros instead of the first."""
    return np.maximum(y, x) if x.dtype.kind == "V" else np.maximum(x, y)


def minimum(x, y):
    """np.minimum, which in bfloat16 would give the second of two zeros instead of the first."""
    return np.minimum(y, x) if x.dtype.kind == "V" else np.minimum(x, y)


def _extreme_gradient(op, grad, chosen):
    """All to the chosen input; `chosen` decides ties, and is false where there is a NaN."""
    x, y = op.inputs
    zeros = zeros_like(grad)
    mask = chosen(x, y)
    return reduce_gradient_args(x, y, where_v2(mask, grad, zeros), where_v2(mask, zeros, grad))


@op("x: T, y: T -> z: T", T=REAL, public="maximum, math.maximum")
class Maximum:
    """The greater of x and y."""

    shape = broadcast_shape
    elementwise = True
    kernel = staticmethod(maximum)

    def gradient(op, grad):
        return _extreme_gradient(op, grad, GreaterEqual)


@op("x: T, y: T -> z: T", T=REAL, public="minimum, math.minimum")
class Minimum:
    """The lesser of x and y."""

    shape = broadcast_shape
    elementwise = True
    kernel = staticmethod(minimum)

    def gradient(op, grad):
        return _extreme_gradient(op, grad, LessEqual)


@op("inputs: N*T -> sum: T", T=NUMERIC | {dtypes.variant}, N=None)
class AddN:
    """The sum of all inputs, which have one shape.

    The order of summation is that of TensorFlow's CPU kernel, so that float32 sums are equal
    bit for bit: first N mod 8 terms (8 for 0, 9 for 1), then eight at a time.
    """

    elementwise = True

    def shape(op):
        dims = op.inputs[0].dims
        for tensor in op.inputs[1:]:
            if tensor.dims is dims:
                continue
            try:
                dims = merge_dims(dims, tensor.dims)
            except ValueError:
                raise ValueError(
                    f"Shapes must be equal rank, but are {len(dims)} and {len(tensor.dims)}"
                    if len(dims) != len(tensor.dims)
                    else f"Dimension 0 in both shapes must be equal, but are {list(dims)} and "
                    f"{list(tensor.dims)}"
                ) from None
        return dims

    def kernel(*inputs):
        if isinstance(inputs[0], Variant):
            return functools.reduce(sum_of_values, inputs)
        _check_same_shapes(inputs)
        count = len(inputs)
        first = {0: 8, 1: 9}.get(count % 8, count % 8)
        total = _left_fold(inputs[:first])
        for start in range(first, count, 8):
            total = _added(total, _left_fold(inputs[start : start + 8]))
        return total

    def gradient(op, grad):
        return [grad] * len(op.inputs)


def _check_same_shapes(inputs):
    shape = inputs[0].shape
    for i, item in enumerate(inputs):
        if item.shape != shape:
            raise errors.invalid_argument(
                f"Inputs to operation AddN must have the same size and shape. "
                f"Input 0: {list(shape)} != input {i}: {list(item.shape)}",
            )


def _left_fold(arrays):
    if len(arrays) == 1:
        return arrays[0]
    total = arrays[0] + arrays[1]
    for item in arrays[2:]:
        total = _added(total, item)
    return total


def _added(total, item):
    """total + item, over the buffer of `total`."""
    return np.add(total, item, total) if total.ndim else total + item


@export("add_n", "math.add_n")
def add_n(inputs, name=None):
    """The sum of tensors (or IndexedSlices) of one shape.

    Raises:
      ValueError: when `inputs` is no list, is empty, or does not fit together.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError(
            "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same "
            "dtype and shape."
        )
    inputs = [convert_to_tensor_or_indexed_slices(item) for item in inputs]
    if len(inputs) == 1:
        if isinstance(inputs[0], IndexedSlices):
            return convert_to_tensor(inputs[0])
        if name is None:
            return inputs[0]
        from numpy_tf.ops.array.basic import identity

        return identity(inputs[0], name=name)
    return AddN([convert_to_tensor(item) for item in inputs], name=name)


# -- the public functions ----------------------------------------------------------------


@export("add", "math.add")
def add(x, y, name=None):
    """x + y; `Add` for strings, `AddV2` for numbers."""
    with NameScope(name, "Add", [x, y]) as scope:
        x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None), name="x")
        y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
        kind = Add if x.dtype.base_dtype is dtypes.string else AddV2
        return kind(x, y, name=scope)


@export("subtract", "math.subtract")
def subtract(x, y, name=None):
    """x - y."""
    return Sub(x, y, name=name)


@export("multiply", "math.multiply")
def multiply(x, y, name=None):
    """x · y, element by element."""
    return Mul(x, y, name=name)


@export("scalar_mul", "math.scalar_mul")
def scalar_mul(scalar, x, name=None):
    """A scalar times a tensor, or times the rows of IndexedSlices.

    Raises:
      ValueError: when `scalar` has dimensions.
    """
    base = x.dtype.base_dtype
    scalar = convert_to_tensor(scalar, base, name="scalar")
    if scalar.dims not in (None, ()):
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(Mul(scalar, x.values, name=name), x.indices, x.dense_shape)
    return Mul(scalar, x, name=name)


_TRUE_DIVISION = {
    dtypes.uint8: dtypes.float32,
    dtypes.int8: dtypes.float32,
    dtypes.uint16: dtypes.float32,
    dtypes.int16: dtypes.float32,
    dtypes.int32: dtypes.float64,
    dtypes.uint32: dtypes.float64,
    dtypes.int64: dtypes.float64,
    dtypes.uint64: dtypes.float64,
}


@export("truediv", "math.truediv")
def truediv(x, y, name=None):
    """x / y; integers become floats first.

    Raises:
      TypeError: when the dtypes differ.
    """
    with NameScope(name, "truediv", [x, y]) as scope:
        x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None), name="x")
        y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
        x_dtype, y_dtype = x.dtype.base_dtype, y.dtype.base_dtype
        if x_dtype is not y_dtype:
            raise TypeError(
                f"`x` and `y` must have the same dtype, got {x_dtype!r} != {y_dtype!r}."
            )
        wanted = _TRUE_DIVISION.get(x_dtype)
        if wanted is not None:
            x, y = cast(x, wanted), cast(y, wanted)
        return RealDiv(x, y, name=scope)


@export("divide", "math.divide")
def divide(x, y, name=None):
    """x / y as Python divides."""
    if name is not None:
        return truediv(x, y, name)
    x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None))
    return x / y


@export("realdiv")
def realdiv(x, y, name=None):
    """x / y without a change of dtype."""
    return RealDiv(x, y, name=name)


@export("div")
def div(x, y, name=None):
    """x / y as Python 2 divided: integers towards minus infinity."""
    with NameScope(name, "div", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        kind = FloorDiv if x.dtype.is_integer else RealDiv
        return kind(x, y, name=scope)


@export("div_no_nan", "math.divide_no_nan")
def div_no_nan(x, y, name=None):
    """x / y, and 0 where y is 0."""
    with NameScope(name, "div_no_nan", [x, y]) as scope:
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype_hint=x.dtype.base_dtype)
        return DivNoNan(x, y, name=scope)


@export("floordiv", "floor_div", "math.floordiv")
def floordiv(x, y, name=None):
    """x / y, towards minus infinity."""
    with NameScope(name, "floordiv", [x, y]) as scope:
        return FloorDiv(x, y, name=scope)


@export("floormod", "mod", "math.floormod", "math.mod")
def floormod(x, y, name=None):
    """What `floordiv` leaves."""
    with NameScope(name, "FloorMod", [x, y]) as scope:
        return FloorMod(x, y, name=scope)


@export("pow", "math.pow")
def pow(x, y, name=None):
    """x to the power y."""
    with NameScope(name, "Pow", [x]) as scope:
        x = convert_to_tensor(x, dtype_hint=getattr(y, "dtype", None), name="x")
        y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
        return Pow(x, y, name=scope)


@export("squared_difference", "math.squared_difference")
def squared_difference(x, y, name=None):
    """(x - y)²."""
    return SquaredDifference(x, y, name=name)
