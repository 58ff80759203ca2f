"""Putting tensors together along an axis, and taking them apart."""

import functools
import numbers

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX, INT32_BY_DEFAULT, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, REQUIRED, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import Dimension, bracket_dims
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import (
    add_dims,
    concatenate,
    divide_dim,
    merge,
    merge_dim,
    replace_dim,
    require_scalar,
    static_axis,
    subshape,
    with_rank,
    with_rank_at_least,
)
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.shape import ShapeN, expand_dims, rank, shape, squeeze

_MOST_SLICED = 16  # inputs of a concatenation whose gradient is sliced; above, it is split


def _one_or_all(parts):
    """A kernel's results: an array for one output, a tuple for more."""
    return parts[0] if len(parts) == 1 else tuple(parts)


# -- stack and unstack -------------------------------------------------------------------


def _axis_within(axis, rank_):
    if not -rank_ <= axis < rank_:
        raise ValueError(f"Invalid axis: {axis}; must be in [{-rank_},{rank_})")
    return axis + rank_ if axis < 0 else axis


@op("values: N*T -> output: T", T=ANY, N=None, axis=0)
class Pack:
    """The inputs, all of one shape, along a new axis."""

    def shape(op):
        dims = op.inputs[-1].dims
        for tensor in reversed(op.inputs[:-1]):
            dims = merge(tensor.dims, dims)
        if dims is None:
            return None
        axis = _axis_within(op.attrs["axis"], len(dims) + 1)
        return (*dims[:axis], len(op.inputs), *dims[axis:])

    def kernel(*values, axis):
        first = values[0].shape
        if not -len(first) - 1 <= axis <= len(first):
            raise errors.invalid_argument(
                f"axis = {axis} not in [{-len(first) - 1}, {len(first) + 1})"
            )
        for i, value in enumerate(values):
            if value.shape != first:
                raise errors.invalid_argument(
                    "Shapes of all inputs must match: values[0].shape = "
                    f"{bracket_dims(first)} != values[{i}].shape = {bracket_dims(value.shape)}",
                )
        return np.stack(values, axis)

    def gradient(op, grad):
        return unstack(grad, num=op.attrs["N"], axis=op.attrs["axis"])


@op("value: T -> output: num*T", T=ANY, num=REQUIRED, axis=0)
class Unpack:
    """The slices of the input along an axis, which is left out of them."""

    def shape(op):
        dims, num = op.inputs[0].dims, op.attrs["num"]
        if dims is None:
            return [None] * num
        axis = _axis_within(op.attrs["axis"], len(dims))
        merge_dim(dims[axis], num)
        return [(*dims[:axis], *dims[axis + 1 :])] * num

    def kernel(value, *, num, axis):
        if value.shape[axis] != num:
            raise errors.invalid_argument(
                f"Input shape axis {axis} must equal {num}, got shape {bracket_dims(value.shape)}",
            )
        return _one_or_all(list(np.moveaxis(value, axis, 0)))

    def gradient(op, *grads):
        return stack(grads, axis=op.attrs["axis"])


@export("stack")
def stack(values, axis=0, name="stack"):
    """The tensors of a list, all of one shape, along a new axis.

    Raises:
      ValueError: when `axis` is out of range or shapes differ.
    """
    if axis == 0:
        try:
            return convert_to_tensor(values, name=name)  # a constant, if it can be one
        except (TypeError, ValueError, NotImplementedError):
            pass
    dims = convert_to_tensor(values[0], name=name).dims
    if dims is not None and not -len(dims) - 1 <= axis <= len(dims):
        raise ValueError(
            f"Argument `axis` = {axis} not in range [{-len(dims) - 1}, {len(dims) + 1})"
        )
    return Pack(values, axis=axis, name=name)


@export("unstack")
def unstack(value, num=None, axis=0, name="unstack"):
    """A list of the slices of `value` along `axis`, which is left out of them.

    Args:
      value: a tensor.
      num: how many they are; by default as many as the static shape says.
      axis: along which axis.

    Raises:
      ValueError: when `axis` is out of range, or `num` is not given and not known.
    """
    if num is None:
        value = convert_to_tensor(value)
        dims = value.dims
        if dims is not None:
            if not -len(dims) <= axis < len(dims):
                raise ValueError(
                    f"Argument `axis` = {axis} not in range [{-len(dims)}, {len(dims)})"
                )
            num = dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {value.shape}")
    return Unpack(value, num=num, axis=axis, name=name)


def stack_nested(value, dtype=None, name=None):
    """The tensor that a nested list becomes when it holds tensors, or variables.

    Args:
      value: nested lists of tensors and of what can become constants.
      dtype: the dtype wanted; tensors of another are cast. By default that of the first
        tensor, and then all must have it.
      name: the name of the outermost Pack.

    Raises:
      TypeError: when tensors differ in dtype and none is wanted.
    """
    found = _first_dtype(value)
    if dtype is None:
        dtype = found
    elif dtype.base_dtype is not found:
        value = _cast_nested(value, dtype.base_dtype)
    return _packed(value, dtype.base_dtype, name or "packed")


def _is_tensor(item):
    return isinstance(item, Tensor) or hasattr(item, "_as_graph_element")


def _first_dtype(value):
    for item in value:
        if isinstance(item, (list, tuple)):
            found = _first_dtype(item)
            if found is not None:
                return found
        elif _is_tensor(item):
            return item.dtype.base_dtype
    return None


def _cast_nested(value, dtype):
    from numpy_tf.ops.math.cast import cast

    if isinstance(value, (list, tuple)):
        return [_cast_nested(item, dtype) for item in value]
    return cast(value, dtype) if _is_tensor(value) else value


def _packed(value, dtype, name):
    """The Pack of a list, or the list itself if nothing in it is a tensor."""
    with NameScope(name) as scope:
        items, holds_tensor = [], False
        for i, item in enumerate(value):
            if isinstance(item, (list, tuple)):
                item = _packed(item, dtype, str(i))
            elif _is_tensor(item) and item.dtype.base_dtype is not dtype:
                raise TypeError(
                    f"Cannot convert a list containing a tensor of dtype {item.dtype} to "
                    f"{dtype} (Tensor is: {item!r})"
                )
            holds_tensor = holds_tensor or _is_tensor(item)
            items.append(item)
        if not holds_tensor:
            return items
        return Pack(
            [
                convert_to_tensor(item) if _is_tensor(item) else constant(item, dtype, name=str(i))
                for i, item in enumerate(items)
            ],
            name=scope,
        )


# -- concat ------------------------------------------------------------------------------


@op(
    "concat_dim: int32, shape: N*shape_type -> offset: N*shape_type",
    shape_type=INT32_BY_DEFAULT,
    N=None,
)
class ConcatOffset:
    """Where each input of a concatenation begins in its output, given their shapes."""

    def shape(op):
        return [tensor.dims for tensor in op.inputs[1:]]

    def kernel(concat_dim, *shapes):
        axis, rank_ = int(concat_dim), len(shapes[0])
        if not -rank_ <= axis < rank_:
            raise errors.invalid_argument(f"Concat dim is out of range: {axis} vs. {rank_}")
        sizes = np.stack(shapes)
        unlike = sizes != sizes[0]
        unlike[:, axis] = False
        if unlike.any():
            i = int(np.argwhere(unlike)[0, 0])
            raise errors.invalid_argument(
                f"All dimensions except {axis % rank_} must match. Input {i} has shape "
                f"{shapes[i].tolist()} and doesn't match input 0 with shape {shapes[0].tolist()}.",
            )
        offsets = np.zeros_like(sizes)
        offsets[1:, axis] = np.cumsum(sizes[:-1, axis])
        return _one_or_all(list(offsets))

    gradient = NOT_DIFFERENTIABLE


def _concat_shape(op):
    *values, axis = op.inputs
    return _concatenated_dims(values, axis)


def _concatenated_dims(tensors, axis):
    require_scalar(axis)
    axis = constant_value(axis)
    rank_ = next((len(t.dims) for t in tensors if t.dims is not None), None)
    if rank_ == 0:
        raise ValueError("Can't concatenate scalars (use tf.stack instead)")
    if rank_ is not None:
        for tensor in tensors:
            with_rank(tensor.dims, rank_)
    if axis is None:
        return None if rank_ is None else (None,) * rank_
    axis = int(axis)
    least = -axis if axis < 0 else axis + 1
    before = middle = after = None
    for i, tensor in enumerate(reversed(tensors)):
        dims = with_rank_at_least(tensor.dims, least)
        head = subshape(dims, 0, axis)
        size = None if dims is None else dims[axis]
        tail = () if axis == -1 else subshape(dims, axis + 1)
        before = merge(head, before)
        middle = size if i == 0 else add_dims(middle, size)
        after = merge(tail, after)
    return concatenate(before, (middle,), after)


@op("values: N*T, axis: Tidx -> output: T", T=ANY, Tidx=INT32_BY_DEFAULT, N=None)
class ConcatV2:
    """The inputs one after the other along an axis; they agree in all others."""

    shape = _concat_shape

    def kernel(*inputs):
        *values, axis = inputs
        try:
            return np.concatenate(values, int(axis))
        except ValueError:
            raise errors.invalid_argument(_concat_complaint(values, int(axis))) from None

    def gradient(op, grad):
        *values, axis = op.inputs
        if len(values) == 1:
            # TensorFlow 2.21 adds a list to a tensor here; only a raw ConcatV2 gets this far.
            return grad + [None]  # noqa: RUF005
        return [*_taken_apart(values, axis, grad), None]


@op("concat_dim: int32, values: N*T -> output: T", T=ANY, N=None)
class Concat:
    """`ConcatV2` with the axis first, as TensorFlow 1 first had it."""

    def shape(op):
        axis, *values = op.inputs
        return _concatenated_dims(values, axis)

    def kernel(axis, *values):
        return ConcatV2.kernel(*values, axis)

    def gradient(op, grad):
        axis, *values = op.inputs
        if len(values) == 1:
            return [None] + grad  # noqa: RUF005
        return [None, *_taken_apart(values, axis, grad)]


def _taken_apart(values, axis, grad):
    """The gradient of a concatenation for each of `values`."""
    from numpy_tf.ops.array.slicing import slice

    if isinstance(grad, IndexedSlices):
        return _concat_slices_gradient(values, axis, grad)
    axis = axis % rank(values[0])
    sizes = _shapes(values)
    if len(sizes) > _MOST_SLICED:
        along = squeeze(slice(stack(sizes, axis=1), [axis, 0], [1, -1]))
        return split(grad, along, axis)
    offsets = ConcatOffset(axis, sizes)
    return [slice(grad, begin, size) for begin, size in zip(offsets, sizes, strict=True)]


def _concat_complaint(values, axis):
    """What TensorFlow says of inputs that cannot be concatenated."""
    first = values[0].shape
    if not -len(first) <= axis < len(first):
        return (
            "ConcatOp : Expected concatenating dimensions in the range "
            f"[{-len(first)}, {len(first)}), but got {axis}"
        )
    for i, value in enumerate(values):
        shapes = f"shape[0] = {bracket_dims(first)} vs. shape[{i}] = {bracket_dims(value.shape)}"
        if value.ndim != len(first):
            return f"ConcatOp : Ranks of all input tensors should match: {shapes}"
        for at, (a, b) in enumerate(zip(first, value.shape, strict=True)):
            if a != b and at != axis % len(first):
                return f"ConcatOp : Dimension {at} in both shapes must be equal: {shapes}"
    return "ConcatOp : inputs do not fit"


def _shapes(tensors):
    """The shape of each: constants when all are fully known, else by one operation."""
    known = []
    for tensor in tensors:
        known.append(shape(tensor))
        if known[-1].op.type != "Const":
            return ShapeN(tensors, out_type=dtypes.int32)
    return known


def _concat_slices_gradient(values, axis, grad):
    """Gradients of a concatenation's inputs, each with the rows that fall to it."""
    from numpy_tf.ops.array.slicing import slice

    counted = axis % rank(values[0])
    static = constant_value(axis)
    if static is None:
        raise ValueError("Can only compute IndexedSlices gradient with statically-known concat_dim")
    static = int(static)
    if static < 0:
        rank_ = constant_value(rank(values[0]))
        if rank_ is None:
            raise ValueError(
                "Can only compute IndexedSlices gradient with negative concat_dim when first "
                "value rank is statically-known."
            )
        static %= int(rank_)
    sizes = [shape(value) for value in values]
    if static == 0:
        return _rows_of_each(grad, sizes, counted)
    # Every input has all the rows, with its own columns of them.
    rank_vector = shape(sizes[0])
    mask = concat(
        [
            zeros(expand_dims(counted, 0), dtype=dtypes.int32),
            [1],
            zeros(rank_vector - counted - 1, dtype=dtypes.int32),
        ],
        0,
    )
    begin = zeros(rank_vector, dtype=dtypes.int32)
    result = []
    for size in sizes:
        rows = slice(grad.values, begin, concat([[-1], slice(size, [1], [-1])], 0))
        result.append(IndexedSlices(rows, grad.indices, size))
        begin = begin + size * mask
    return result


def _rows_of_each(grad, sizes, axis):
    """The rows of a gradient along axis 0, dealt out by index."""
    from numpy_tf.ops.array.gather import gather
    from numpy_tf.ops.array.select import where
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.comparison import LogicalAnd

    indices = grad.indices
    start = constant(0, dtype=indices.dtype)
    result = []
    for size in sizes:
        end = start + cast(gather(size, axis), indices.dtype)
        own = squeeze(where(LogicalAnd(indices >= start, indices < end)), axis=[1])
        result.append(IndexedSlices(gather(grad.values, own), gather(indices, own) - start, size))
        start = end
    return result


@export("concat")
def concat(values, axis, name="concat"):
    """The tensors of a list one after the other along `axis`.

    Raises:
      ValueError: when their shapes differ in another axis.
      errors.InvalidArgumentError: when only the run finds that.
    """
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        with NameScope(name):
            axis = convert_to_tensor(axis, dtype=dtypes.int32, name="concat_dim")
            if axis.dims is not None and len(axis.dims) != 0:
                raise ValueError(f"Shape {axis.shape} must have rank 0")
            return identity(values[0], name=name)
    return ConcatV2(values, axis, name=name)


# -- split -------------------------------------------------------------------------------


@op("split_dim as axis: int32, value: T -> output: num_split*T", T=ANY, num_split=REQUIRED)
class Split:
    """The input in equal parts along an axis."""

    def shape(op):
        split_dim, value = op.inputs
        num, dims = op.attrs["num_split"], value.dims
        axis = static_axis(split_dim, dims)
        if dims is None or axis is None:
            return [None if dims is None else (None,) * len(dims)] * num
        try:
            part = divide_dim(dims[axis], num)
        except ValueError as error:
            raise ValueError(
                f"{error}\n\tNumber of ways to split should evenly divide the split dimension"
            ) from None
        return [replace_dim(dims, axis, part)] * num

    def kernel(axis, value, *, num_split):
        axis = _run_axis(int(axis), value)
        if value.shape[axis] % num_split:
            raise errors.invalid_argument(
                f"Number of ways to split should evenly divide the split dimension, but got "
                f"split_dim {axis} (size = {value.shape[axis]}) and num_split {num_split}",
            )
        keys = _parts(axis, value.shape[axis] // num_split, num_split)
        return _one_or_all([value[key] for key in keys])

    def gradient(op, *grads):
        return None, concat(list(grads), op.inputs[0])


@functools.lru_cache(maxsize=1024)
def _parts(axis, size, count):
    """The keys of equal parts along an axis."""
    before = (slice(None),) * axis
    return [(*before, slice(i * size, (i + 1) * size)) for i in range(count)]


def _run_axis(axis, value):
    if not -value.ndim <= axis < value.ndim:
        raise errors.invalid_argument(
            f"-input rank(-{value.ndim}) <= split_dim < input rank ({value.ndim}), but got {axis}",
        )
    return axis % value.ndim


@op(
    "value: T, size_splits: Tlen, split_dim as axis: int32 -> output: num_split*T",
    T=ANY,
    Tlen=Types(INDEX | {dtypes.int8}, default=dtypes.int64),
    num_split=REQUIRED,
)
class SplitV:
    """The input in parts of given sizes along an axis; one size may be -1, for the rest."""

    def shape(op):
        value, size_splits, split_dim = op.inputs
        num, dims = op.attrs["num_split"], value.dims
        axis = static_axis(split_dim, dims)
        if dims is None:
            return [None] * num
        if not dims:
            raise ValueError("Can't split scalars")
        sizes = constant_value(size_splits)
        if sizes is None:
            return [(None,) * len(dims) if axis is None else replace_dim(dims, axis, None)] * num
        if axis is None:
            axis = -1  # TensorFlow 2.21 takes an axis that it does not know for the last one
        sizes = sizes.reshape(-1).tolist()
        if len(sizes) != num:
            raise ValueError("Length of size_splits should be equal to num_outputs")
        if sizes.count(-1) > 1:
            raise ValueError("size_splits can only have one -1")
        return [replace_dim(dims, axis, size) for size in _static_sizes(sizes, dims[axis])]

    def kernel(value, size_splits, axis, *, num_split):
        axis = _run_axis(int(axis), value)
        if size_splits.shape != (num_split,):
            raise errors.invalid_argument(
                "size of the split_tensor must be 1-D and have the same elements as outputs got "
                f"{size_splits.ndim} -D and {size_splits.size} elements",
            )
        sizes, whole = size_splits.tolist(), value.shape[axis]
        if sizes.count(-1) > 1:
            raise errors.invalid_argument("There can only be one -1 in the input.")
        for i, size in enumerate(sizes):
            if size < -1:
                raise errors.invalid_argument(f"Split size at index {i} must be >= 0. Got: {size}")
        rest = whole - sum(size for size in sizes if size != -1)
        given = [rest if size == -1 else size for size in sizes]
        if min(given) < 0 or sum(given) != whole:
            raise errors.invalid_argument(
                "Determined shape must either match input shape along split_dim exactly if fully "
                "specified, or be less than the size of the input along split_dim if not fully "
                f"specified.  Got: {whole - rest}",
            )
        return _one_or_all(np.split(value, np.cumsum(given)[:-1], axis))

    def gradient(op, *grads):
        return [concat(list(grads), op.inputs[2]), None, None]


def _static_sizes(sizes, whole):
    """The sizes of the parts with -1 replaced: by what is left, or by None."""
    given = sum(size for size in sizes if size != -1)
    result = []
    for i, size in enumerate(sizes):
        if size == -1:
            size = None if whole is None else whole - given
        if size is not None and size < 0:
            raise ValueError(f"Split size at index {i} must be >= 0. Got: {size}")
        result.append(size)
    if whole is not None and (given > whole if -1 in sizes else given != whole):
        raise ValueError(
            f"can't split axis of size {whole} into pieces of size {bracket_dims(sizes)}"
        )
    return result


@export("split")
def split(value, num_or_size_splits, axis=0, num=None, name="split"):
    """The parts of `value` along `axis`, as a list.

    Args:
      value: a tensor.
      num_or_size_splits: how many equal parts, or a vector of their sizes, of which one may
        be -1 for what is left.
      axis: along which axis.
      num: how many sizes there are, where that is not known.

    Raises:
      ValueError: when the parts do not fit, or their number is not known.
    """
    if isinstance(num_or_size_splits, (numbers.Integral, Dimension)):
        num = int(num_or_size_splits)
        return Split(axis, value, num_split=num, name=name)
    sizes = convert_to_tensor(num_or_size_splits)
    if sizes.dims == ():
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. "
            f"Argument provided: {num_or_size_splits}"
        )
    if num is None:
        num = sizes.dims[0] if sizes.dims else None
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {num_or_size_splits}")
    return SplitV(value, sizes, axis, num_split=num, name=name)


__all__ = ["concat", "split", "stack", "stack_nested", "unstack"]
