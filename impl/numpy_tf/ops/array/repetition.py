"""Repetition: elements as often as is said, masks of so many, grids of coordinates."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.gather import boolean_mask
from numpy_tf.ops.array.shape import broadcast_to, expand_dims, rank, reshape, shape, size
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.array.transpose import tile
from numpy_tf.ops.math.arithmetic import Maximum
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import Less
from numpy_tf.ops.math.reduction import reduce_max, reduce_sum
from numpy_tf.ops.math.sequence import range as range_of


@export("meshgrid")
def meshgrid(*args, **kwargs):
    """For each vector a tensor with its elements along an axis of its own, the same along others.

    Args:
      *args: vectors.
      indexing: "xy", where the first two axes change places, or "ij".
      name: the name scope.

    Raises:
      TypeError: for another keyword.
      ValueError: for another `indexing`.
    """
    indexing, name = kwargs.pop("indexing", "xy"), kwargs.pop("name", "meshgrid")
    for key in kwargs:
        raise TypeError(f"'{key}' is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError(
            f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'"
        )
    with NameScope(name, "meshgrid", args):
        count = len(args)
        axes = list(range(count))
        if indexing == "xy":
            axes[:2] = reversed(axes[:2])
        vectors = [
            reshape(stack(vector), [-1 if at == axis else 1 for at in range(count)])
            for vector, axis in zip(args, axes, strict=True)
        ]
        if not vectors:
            return []
        sizes = [size(vector) for vector in args]
        whole = ones([sizes[axis] for axis in axes], vectors[0].dtype.base_dtype)
        return [vector * whole for vector in vectors]


@export("sequence_mask")
def sequence_mask(lengths, maxlen=None, dtype=dtypes.bool_, name=None):
    """For each length so many times True, then False.

    Args:
      lengths: integers of any shape.
      maxlen: how long the masks are; by default the greatest length.
      dtype: what the booleans are cast to.

    Raises:
      ValueError: `maxlen` is no scalar.
    """
    with NameScope(name, "SequenceMask", [lengths, maxlen]):
        lengths = convert_to_tensor(lengths)
        if maxlen is None:
            longest = reduce_max(lengths)
            maxlen = Maximum(constant(0, longest.dtype), longest)
        else:
            maxlen = convert_to_tensor(maxlen)
        if maxlen.dims:
            raise ValueError(
                f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = "
                f"{maxlen} with shape '{maxlen.shape}' instead"
            )
        row = range_of(constant(0, maxlen.dtype), maxlen, constant(1, maxlen.dtype))
        mask = Less(row, cast(expand_dims(lengths, -1), maxlen.dtype))
        return mask if dtype is None else cast(mask, dtype)


@export("repeat")
def repeat(input, repeats, axis=None, name=None):
    """Each slice along an axis as often as is said.

    Args:
      input: a tensor.
      repeats: an integer, or one for each slice.
      axis: an int; by default the input is taken as one row.

    Raises:
      TypeError: the axis is no int.
      ValueError: the axis is out of range, or the number of repeats does not fit.
    """
    if axis is None:
        input, axis = reshape(input, [-1]), 0
    if not isinstance(axis, int):
        raise TypeError(
            f"Argument `axis` must be an int. Received `axis` = {axis} of type "
            f"{type(axis).__name__}"
        )
    with NameScope(name, "Repeat", [input, repeats]):
        data = convert_to_tensor(input, name="data")
        repeats = _as_counts(repeats)
        if data.dims == ():
            data = stack([data])
        axis = _from_the_first(axis, data.dims)
        if repeats.shape.num_elements() == 1:
            return _repeated_evenly(data, reshape(repeats, []), axis)
        if repeats.dims is not None and len(repeats.dims) == 1:
            data.shape[axis : axis + 1].assert_is_compatible_with(repeats.shape)
        return _repeated(data, repeats, axis)


def _as_counts(repeats):
    counts = convert_to_tensor(repeats, name="repeats", preferred_dtype=dtypes.int32)
    if not counts.dtype.is_integer:
        raise TypeError(f"repeats must be of an integer type; got {counts.dtype.name}")
    if counts.dims is not None and len(counts.dims) > 1:
        raise ValueError(f"Shape {counts.shape} must have rank at most 1")
    return cast(counts, dtypes.int32)


def _from_the_first(axis, dims):
    if dims is None:
        if axis < 0:
            raise ValueError("axis may only be negative if rank(data) is statically known.")
        return axis
    if not -len(dims) <= axis < len(dims):
        raise ValueError(f"axis={axis} out of bounds: expected {-len(dims)}<=axis<{len(dims)}")
    return axis % len(dims)


def _tiled(data, axis, count):
    """The data `count` times along a new axis after `axis`."""
    expanded = expand_dims(data, axis + 1)
    if expanded.dims is not None:
        multiples = [1] * len(expanded.dims)
        multiples[axis + 1] = count
        return tile(expanded, stack(multiples))
    before, after = ones([axis + 1], dtypes.int32), ones([rank(expanded) - axis - 2], dtypes.int32)
    return tile(expanded, concat([before, [count], after], 0))


def _repeated_evenly(data, count, axis):
    dims = shape(data)
    whole = concat([dims[:axis], [count * dims[axis]], dims[axis + 1 :]], axis=0)
    return reshape(_tiled(data, axis, count), whole)


def _repeated(data, counts, axis):
    """By repeating each slice as often as the most, and masking what is too much."""
    dims, static = shape(data), data.shape
    counts = broadcast_to(counts, [dims[axis]])
    total = reduce_sum(counts)
    if axis:
        counts = broadcast_to(counts, concat([dims[:axis], shape(counts)], 0))
        counts.set_shape([None] * (axis + 1))
    most = Maximum(constant(0), reduce_max(counts))
    result = boolean_mask(_tiled(data, axis, most), sequence_mask(counts, most))
    if axis:
        result = reshape(result, concat([dims[:axis], [total], dims[axis + 1 :]], 0))
    if data.dims is not None:
        new = 0 if data.dims[axis] == 0 else None
        result.set_shape(static[:axis].concatenate([new]).concatenate(static[axis + 1 :]))
    return result
