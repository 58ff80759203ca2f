"""One hot: a value at each index along a new axis, another elsewhere."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import require_scalar


@op(
    "indices: TI, depth: int32, on_value: T, off_value: T -> output: T",
    T=ANY,
    TI=Types(INDEX | {dtypes.uint8, dtypes.int8}, default=dtypes.int64),
    axis=-1,
)
class OneHot:
    """`on_value` at each index along a new axis of size `depth`, elsewhere `off_value`."""

    def shape(op):
        indices, depth, on_value, off_value = op.inputs
        axis = op.attrs["axis"]
        if axis < -1:
            raise ValueError("axis must be >= -1")
        for scalar in (depth, on_value, off_value):
            require_scalar(scalar)
        count = constant_value(depth)
        if count is not None and count < 0:
            raise ValueError(
                f"Dimension size, given by scalar input 1, must be non-negative but is {int(count)}"
            )
        dims = indices.dims
        if dims is None:
            return None
        axis %= len(dims) + 1
        return (*dims[:axis], None if count is None else int(count), *dims[axis:])

    def kernel(indices, depth, on_value, off_value, *, axis):
        if depth < 0:
            raise errors.invalid_argument(f"depth must be non-negative, got: {int(depth)}")
        if not -1 <= axis <= indices.ndim:
            raise errors.invalid_argument(
                f"Expected axis to be -1 or between [0, {indices.ndim + 1}).  But received: {axis}"
            )
        axis %= indices.ndim + 1
        places = np.arange(int(depth)).reshape((-1,) + (1,) * (indices.ndim - axis))
        return np.where(np.expand_dims(indices, axis) == places, on_value, off_value)

    gradient = NOT_DIFFERENTIABLE


@export("one_hot")
def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """`on_value` (1) at each index along a new axis of size `depth`, elsewhere `off_value` (0).

    Args:
      indices: integers of any shape; one out of range gets no `on_value`.
      depth: the size of the new axis.
      axis: where it is put, by default last.
      dtype: of the values, by default that of those given, or float32.

    Raises:
      TypeError: when the values' dtypes differ.
    """
    parts = [indices, depth, on_value, off_value, axis, dtype]
    with NameScope(name, "one_hot", parts) as scope:
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        given = {}
        for label, value in (("on_value", on_value), ("off_value", off_value)):
            if value is not None:
                given[label] = convert_to_tensor(value, dtype_hint=dtype)
        if dtype is None:
            dtype = next((v.dtype.base_dtype for v in given.values()), dtypes.float32)
        else:
            for label, value in given.items():
                if value.dtype.base_dtype is not dtype:
                    raise TypeError(
                        f"dtype {value.dtype.base_dtype} of {label} does not match "
                        f"dtype parameter {dtype}"
                    )
        for label, default in (("on_value", 1), ("off_value", 0)):
            if label not in given:
                given[label] = convert_to_tensor(default, dtype, name=label)
        on, off = given["on_value"], given["off_value"]
        if on.dtype.base_dtype is not off.dtype.base_dtype:
            raise TypeError(
                f"dtype {on.dtype.base_dtype} of on_value does not match dtype "
                f"{off.dtype.base_dtype} of off_value"
            )
        return OneHot(indices, depth, on, off, axis=-1 if axis is None else axis, name=scope)
