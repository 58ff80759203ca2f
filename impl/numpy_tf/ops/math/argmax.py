"""Where along an axis the greatest or least element is."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import INDEX, INT32_BY_DEFAULT, INT64_BY_DEFAULT, REAL, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.dims import static_axis


def _without_axis(op):
    dims = op.inputs[0].dims
    if dims is None:
        return None
    axis = static_axis(op.inputs[1], dims)
    if axis is None:
        return (None,) * max(len(dims) - 1, 0)
    return tuple(dim for at, dim in enumerate(dims) if at != axis)


def _first(choose, ignored):
    """A kernel: the first position that `choose` finds; NaNs count as `ignored`."""

    def kernel(input, dimension, *, dtype):
        axis = int(dimension)
        if not -input.ndim <= axis < input.ndim:
            raise errors.invalid_argument(
                f"Expected dimension in the range [{-input.ndim}, {input.ndim}), but got {axis}",
            )
        if input.shape[axis] == 0:
            raise errors.invalid_argument(
                f"Reduction axis {axis} is empty in shape {list(input.shape)}"
            )
        if input.dtype.kind not in "iub":
            input = np.where(np.isnan(input), input.dtype.type(ignored), input)
        return choose(input, axis).astype(dtype)

    return kernel


def _no_gradient(op, grad):
    return None, None


_SIGNATURE = "input: T, dimension: Tidx -> output: output_type"


@op(
    _SIGNATURE,
    T=REAL | {dtypes.bool_},
    Tidx=Types(INDEX | {dtypes.int16}, default=dtypes.int32),
    output_type=Types(INDEX | {dtypes.int16, dtypes.uint16}, default=dtypes.int64),
)
class ArgMax:
    """The position of the greatest element along an axis, the first if there are several."""

    shape = _without_axis
    kernel = _first(np.argmax, -np.inf)
    gradient = _no_gradient


@op(_SIGNATURE, T=REAL | {dtypes.bool_}, Tidx=INT32_BY_DEFAULT, output_type=INT64_BY_DEFAULT)
class ArgMin:
    """The position of the least element along an axis, the first if there are several."""

    shape = _without_axis
    kernel = _first(np.argmin, np.inf)
    gradient = _no_gradient


@export("argmax", "math.argmax")
def argmax(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """The position of the greatest element along `axis` (0 by default)."""
    return _position(ArgMax, input, axis, name, dimension, output_type)


@export("argmin", "math.argmin")
def argmin(input, axis=None, name=None, dimension=None, output_type=dtypes.int64):
    """The position of the least element along `axis` (0 by default)."""
    return _position(ArgMin, input, axis, name, dimension, output_type)


def _position(definition, input, axis, name, dimension, output_type):
    axis = dimension if axis is None else axis
    return definition(input, 0 if axis is None else axis, output_type=output_type, name=name)
