"""Norms and normalisation."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.shape import squeeze
from numpy_tf.ops.math.arithmetic import Maximum, multiply, squared_difference
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.complex import complex, imag, real
from numpy_tf.ops.math.elementwise import Rsqrt, Square
from numpy_tf.ops.math.reduction import reduce_mean, reduce_sum


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
        if not keep:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        if narrow:
            return cast(mean, dtypes.float16), cast(variance, dtypes.float16)
        return mean, variance


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
