"""Choosing elements by a condition, and finding where one holds."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, NUMERIC, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.tensor_shape import bracket_dims, broadcast_dims
from numpy_tf.ops.array.dims import merge
from numpy_tf.ops.array.fill import zeros, zeros_like


def _invalid(message):
    return errors.invalid_argument(message)


@op("condition: bool, t as x: T, e as y: T -> output: T", T=ANY)
class Select:
    """`x` where the condition holds, else `y`; of one shape, the condition perhaps a vector."""

    def shape(op):
        condition, x, y = (tensor.dims for tensor in op.inputs)
        data = merge(x, y)
        if condition is None or data is None or condition == ():
            return data
        if len(condition) == 1 and data != ():
            merge(condition, data[:1])
            return data
        return merge(data, condition)

    def kernel(condition, x, y):
        if x.shape != y.shape:
            raise _invalid(
                "'then' and 'else' must have the same size.  but received: "
                f"{bracket_dims(x.shape)} vs. {bracket_dims(y.shape)}"
            )
        if condition.ndim == 1 and x.ndim != 1:
            if not x.ndim:
                raise _invalid("'then' must be at least a vector, but saw shape: []")
            if len(condition) != len(x):
                raise _invalid(
                    "Number of batches of 'then' must match size of 'cond', but saw: "
                    f"{len(x)} vs. {len(condition)}"
                )
            condition = condition.reshape((-1,) + (1,) * (x.ndim - 1))
        elif condition.ndim and condition.shape != x.shape:
            raise _invalid(
                "Inputs to operation Select must have the same size and shape.  "
                f"Input 0: {bracket_dims(condition.shape)} != input 1: {bracket_dims(x.shape)}"
            )
        return np.where(condition, x, y)

    def gradient(op, grad):
        condition, x, _ = op.inputs
        nothing = zeros_like(x)
        return None, where(condition, grad, nothing), where(condition, nothing, grad)


@op("condition: bool, t: T, e: T -> output: T", T=ANY)
class SelectV2:
    """`t` where the condition holds, else `e`; all three broadcast together."""

    def shape(op):
        condition, t, e = (tensor.dims for tensor in op.inputs)
        return broadcast_dims(condition, broadcast_dims(t, e))

    def kernel(condition, t, e):
        try:
            return np.where(condition, t, e)
        except ValueError:
            raise _invalid(
                f"condition {bracket_dims(condition.shape)}, then {bracket_dims(t.shape)}, and "
                f"else {bracket_dims(e.shape)} must be broadcastable"
            ) from None

    def gradient(op, grad):
        from numpy_tf.ops.math.broadcasting import reduce_gradient_args

        condition, x, y = op.inputs
        output = op.outputs[0]
        nothing = zeros([], dtype=grad.dtype.base_dtype)
        gx = where_v2(condition, grad, nothing)
        gy = where_v2(condition, nothing, grad)
        gx, _ = reduce_gradient_args(x, output, gx, None)
        gy, _ = reduce_gradient_args(y, output, gy, None)
        return None, gx, gy


@op(
    "input as condition: T -> index: int64", T=Types(NUMERIC | {dtypes.bool_}, default=dtypes.bool_)
)
class Where:
    """[n, rank] positions of the elements that are true, or not zero, in order."""

    def shape(op):
        dims = op.inputs[0].dims
        return (None, None if dims is None else len(dims))

    def kernel(condition):
        if not condition.ndim:
            raise _invalid("WhereOp : Unhandled input dimensions: 0")
        return np.argwhere(condition).astype(np.int64, copy=False)

    gradient = NO_GRADIENT


def _positions(condition, name):
    with NameScope(name, "Where", [condition]) as scope:
        condition = convert_to_tensor(condition, preferred_dtype=dtypes.bool_, name="condition")
        return Where(condition, name=scope)


def _chosen(definition, condition, x, y, name):
    if x is None and y is None:
        return _positions(condition, name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return definition(condition, x, y, name=name)


@export("where")
def where(condition, x=None, y=None, name=None):
    """`x` where the condition holds, else `y`; without them, where it holds.

    Args:
      condition: of the shape of x; or a scalar; or a vector that chooses whole rows.
      x, y: tensors of one shape and dtype.

    Returns:
      A tensor like x; or [n, rank] int64 positions.

    Raises:
      ValueError: when one of x and y is given, or shapes do not fit.
    """
    return _chosen(Select, condition, x, y, name)


@export("where_v2")
def where_v2(condition, x=None, y=None, name=None):
    """`x` where the condition holds, else `y`, broadcast together; without them, where it holds.

    Raises:
      ValueError: when one of x and y is given, or shapes do not fit.
    """
    return _chosen(SelectV2, condition, x, y, name)
