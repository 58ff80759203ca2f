"""Number sequences."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, INT32_BY_DEFAULT, REAL, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import require_scalar
from numpy_tf.ops.math.cast import Cast, cast


def _count(start, limit, delta):
    if delta == 0:
        raise ValueError("Requires delta != 0")
    if delta > 0 and start > limit:
        raise ValueError(f"Requires start <= limit when delta > 0: {start}/{limit}")
    if delta < 0 and start < limit:
        raise ValueError(f"Requires start >= limit when delta < 0: {start}/{limit}")
    return max(0, int(np.ceil((limit - start) / delta)))


@op(
    "start: Tidx, limit: Tidx, delta: Tidx -> output: Tidx",
    Tidx=Types(REAL - {dtypes.uint8}, default=dtypes.int32),
)
class Range:
    """start, start + delta, … short of limit."""

    def shape(op):
        bounds = [constant_value(t) for t in op.inputs]
        if any(b is None for b in bounds):
            return (None,)
        return (_count(*(b.item() for b in bounds)),)

    def kernel(start, limit, delta, *, Tidx):
        dtype = Tidx.as_numpy_dtype
        count = _count(start.item(), limit.item(), delta.item())
        if dtype is not None and np.dtype(dtype).kind in "iu":
            return (start + delta * np.arange(count, dtype=dtype)).astype(dtype)
        # As TensorFlow's kernel does it: one sum after the other, with its rounding.
        steps = np.full(count, delta, dtype)
        if count:
            steps[0] = start
        return np.add.accumulate(steps, dtype=dtype)

    gradient = NOT_DIFFERENTIABLE


@op("start: T, stop: T, num: Tidx -> output: T", T=FLOATING, Tidx=INT32_BY_DEFAULT)
class LinSpace:
    """`num` numbers from start to stop, evenly spaced; both are among them."""

    def shape(op):
        for tensor in op.inputs:
            require_scalar(tensor)
        count = constant_value(op.inputs[2])
        if count is not None and count <= 0:
            raise ValueError(f"Requires num > 0: {int(count)}")
        return (None if count is None else int(count),)

    def kernel(start, stop, num):
        count, dtype = int(num), start.dtype.type
        if count <= 0:
            raise errors.invalid_argument(f"Requires num > 0: {count}")
        if count == 1:
            return np.array([start])
        step = (stop - start) / dtype(count - 1)
        return np.append(start + step * np.arange(count - 1).astype(dtype), stop)

    gradient = NOT_DIFFERENTIABLE


@export("linspace", "lin_space")
def linspace(start, stop, num, name=None, axis=0):
    """`num` numbers from `start` to `stop` along a new `axis`, evenly spaced.

    Gradients flow to both ends, for it is composed of other operations.

    Args:
      start, stop: floating tensors, broadcast to each other.
      num: how many, an integer or an integer tensor.
      axis: where the new axis is put.

    Raises:
      TypeError: when `num` is no integer.
    """
    from numpy_tf.ops.array.fill import zeros_like
    from numpy_tf.ops.array.select import where_v2
    from numpy_tf.ops.array.shape import (
        BroadcastTo,
        broadcast_dynamic_shape,
        expand_dims,
        reshape,
        shape,
    )
    from numpy_tf.ops.array.slicing import slice
    from numpy_tf.ops.array.stack import concat
    from numpy_tf.ops.math.arithmetic import Maximum
    from numpy_tf.ops.math.comparison import Equal

    with NameScope(name, "linspace", [start, stop]):
        start = convert_to_tensor(start, name="start")
        stop = convert_to_tensor(stop, name="stop", dtype=start.dtype)
        count = convert_to_tensor(num, name="num", preferred_dtype=dtypes.int32)
        if not count.dtype.is_integer:
            raise TypeError(
                f"Argument `tensor` (name: num) must be of type integer. Received `tensor` = "
                f"{count} of dtype: {count.dtype}"
            )
        count = Cast(count, DstT=dtypes.int32)
        whole = broadcast_dynamic_shape(shape(start), shape(stop))
        start = expand_dims(BroadcastTo(start, whole), axis=axis)
        stop = expand_dims(BroadcastTo(stop, whole), axis=axis)
        dims = shape(start)
        rank = shape(dims)[0]
        axis = where_v2(axis >= 0, axis, rank + axis)
        between = Maximum(count - 2, 0)
        steps = Maximum(count - 1, 1)
        delta = (stop - start) / cast(steps, stop.dtype)
        start, stop = cast(start, delta.dtype), cast(stop, delta.dtype)
        end = where_v2(count >= 0, steps, -1)
        inner = cast(range(1, end, dtype=dtypes.int64), delta.dtype)
        aligned = where_v2(Equal(axis, range(rank)), between, 1)
        points = start + delta * reshape(inner, aligned)
        joined = concat((start, points, stop), axis=axis)
        size = concat((dims[0:axis], reshape(count, [1]), dims[axis + 1 :]), axis=0)
        return slice(joined, zeros_like(dims), size)


_HIERARCHY = (dtypes.int32, dtypes.int64, dtypes.float16, dtypes.float32, dtypes.float64)


@export("range")
def range(start, limit=None, delta=1, dtype=None, name="range"):
    """start, start + delta, … short of limit; one argument counts from 0.

    Without `dtype` it is the widest of the arguments'.
    """
    if limit is None:
        start, limit = 0, start
    with NameScope(name, "Range", [start, limit, delta]) as scope:
        bounds = [
            value
            if isinstance(value, Tensor)
            else convert_to_tensor(value, dtype=dtype, name=label)
            for value, label in ((start, "start"), (limit, "limit"), (delta, "delta"))
        ]
        if dtype is None:
            found = [b.dtype.base_dtype for b in bounds]
            dtype = max(found, key=lambda d: _HIERARCHY.index(d) if d in _HIERARCHY else -1)
        return Range(*[cast(b, dtype) for b in bounds], name=scope)
