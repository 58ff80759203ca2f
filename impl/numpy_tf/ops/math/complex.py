"""Complex numbers: their parts, how they are put together, their conjugates."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import COMPLEX64_BY_DEFAULT, PARTS_OF_COMPLEX
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.math.broadcasting import broadcast_shape, reduce_gradient_args
from numpy_tf.ops.math.elementwise import Reciprocal


@op(
    "real: T, imag: T -> out: Tout",
    T=PARTS_OF_COMPLEX,
    Tout=COMPLEX64_BY_DEFAULT,
)
class Complex:
    """real + i·imag."""

    shape = broadcast_shape

    def kernel(real, imag, *, dtype):
        result = np.empty(np.broadcast_shapes(real.shape, imag.shape), dtype)
        result.real, result.imag = real, imag
        return result

    def gradient(op, grad):
        return reduce_gradient_args(*op.inputs, real(grad), imag(grad))


@op("input: T -> output: Tout", T=COMPLEX64_BY_DEFAULT, Tout=PARTS_OF_COMPLEX)
class Real:
    """The real part."""

    def kernel(input):
        return np.real(input).copy()

    def gradient(op, grad):
        return complex(grad, constant(0, dtype=grad.dtype))


@op("input: T -> output: Tout", T=COMPLEX64_BY_DEFAULT, Tout=PARTS_OF_COMPLEX)
class Imag:
    """The imaginary part."""

    def kernel(input):
        return np.imag(input).copy()

    def gradient(op, grad):
        return complex(constant(0, dtype=grad.dtype), grad)


@op("input: T -> output: Tout", T=COMPLEX64_BY_DEFAULT, Tout=PARTS_OF_COMPLEX)
class Angle:
    """The argument in radians."""

    kernel = np.angle

    def gradient(op, grad):
        x = op.inputs[0]
        inverse = Reciprocal(complex(imag(x), real(x)))
        return -complex(grad, constant(0, dtype=grad.dtype)) * inverse


@export("complex", "dtypes.complex")
def complex(real, imag, name=None):
    """real + i·imag.

    Raises:
      TypeError: unless both are float32, or both float64.
    """
    real = convert_to_tensor(real, name="real")
    imag = convert_to_tensor(imag, name="imag")
    with NameScope(name, "Complex", [real, imag]) as scope:
        kinds = (real.dtype.base_dtype, imag.dtype.base_dtype)
        wanted = {
            (dtypes.float32, dtypes.float32): dtypes.complex64,
            (dtypes.float64, dtypes.float64): dtypes.complex128,
        }.get(kinds)
        if wanted is None:
            raise TypeError(
                "The `real` and `imag` components have incorrect types: "
                f"{real.dtype.name} {imag.dtype.name}. They must be consistent, and one of "
                f"{[dtypes.float32, dtypes.float64]}"
            )
        return Complex(real, imag, Tout=wanted, name=scope)


@export("real", "math.real")
def real(input, name=None):
    """The real part; a real tensor is its own.

    Raises:
      TypeError: for what is no number.
    """
    with NameScope(name, "Real", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        if input.dtype.is_complex:
            return Real(input, Tout=input.dtype.real_dtype, name=scope)
        if input.dtype.is_floating or input.dtype.is_integer:
            return input
        raise TypeError(f"input must be a numeric tensor, but got tensor with dtype {input.dtype}")


@export("imag", "math.imag")
def imag(input, name=None):
    """The imaginary part; zeros of a real tensor."""
    with NameScope(name, "Imag", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        if input.dtype.is_complex:
            return Imag(input, Tout=input.dtype.real_dtype, name=scope)
        return zeros_like(input)


@export("angle", "math.angle")
def angle(input, name=None):
    """The argument in radians: of real numbers 0, or π where they are negative."""
    with NameScope(name, "Angle", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        if input.dtype.is_complex:
            return Angle(input, Tout=input.dtype.real_dtype, name=scope)
        return where(input < 0, np.pi * ones_like(input), zeros_like(input))
