"""Vector products in three dimensions, and the next number that a dtype has."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import REAL, Types, float32, float64
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.dims import merge, with_rank_at_least
from numpy_tf.ops.array.fill import ones, zeros
from numpy_tf.ops.array.shape import BroadcastGradientArgs, reshape, shape
from numpy_tf.ops.math.broadcasting import broadcast_shape
from numpy_tf.ops.math.reduction import reduce_sum


@op("a: T, b: T -> product: T", T=REAL, public="cross, linalg.cross")
class Cross:
    """The cross products of the vectors of three along the last axis."""

    def shape(op):
        a, b = (with_rank_at_least(tensor.dims, 1) for tensor in op.inputs)
        dims = merge(a, b)
        if dims is not None and dims[-1] not in (3, None):
            raise ValueError(f"Dimension must be 3 but is {dims[-1]}")
        return dims

    def kernel(a, b):
        if a.shape != b.shape:
            raise errors.invalid_argument(
                f"Both inputs must be of same shape: {list(a.shape)} vs. {list(b.shape)}"
            )
        if a.shape[-1] != 3:
            raise errors.invalid_argument(
                f"Cross-products are only defined for 3-element vectors, not {a.shape[-1]}"
            )
        result = np.empty_like(a)
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            result[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
        return result

    def gradient(op, grad):
        u, v = op.inputs
        return Cross(v, grad), Cross(grad, u)


@op(
    "x1: T, x2: T -> output: T",
    T=Types({float32, float64}, default=float32),
    public="nextafter, math.nextafter",
)
class NextAfter:
    """The neighbour of x1 in the direction of x2."""

    shape = broadcast_shape
    kernel = np.nextafter

    def gradient(op, grad):
        shapes = [shape(x) for x in op.inputs]
        axes = BroadcastGradientArgs(*shapes)
        # To first order the neighbour moves with x1, and x2 only says in which direction.
        partials = ones(shapes[0], dtype=grad.dtype), zeros(shapes[1], dtype=grad.dtype)
        return [
            reshape(reduce_sum(partial * grad, axis), size)
            for partial, axis, size in zip(partials, axes, shapes, strict=True)
        ]
