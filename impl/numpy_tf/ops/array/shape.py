"""Shapes as tensors, and giving a tensor another shape."""

import functools
import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INT32_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.indexed_slices import densify
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import as_dims, bracket_dims, merge_dims
from numpy_tf.ops.array.constant import constant_from_array
from numpy_tf.ops.array.dims import dims_given_by, divide_dim, merge, with_rank


def _invalid(message):
    return errors.invalid_argument(message)


@op("input: T -> output: out_type", T=ANY, out_type=INT32_BY_DEFAULT)
class Shape:
    """The shape of the input, as a vector."""

    def shape(op):
        dims = op.inputs[0].dims
        return (None,) if dims is None else (len(dims),)

    def kernel(input, *, dtype):
        return np.array(input.shape, dtype)

    gradient = NOT_DIFFERENTIABLE


@op("input: N*T -> output: N*out_type", T=ANY, out_type=INT32_BY_DEFAULT, N=None)
class ShapeN:
    """The shapes of the inputs, as vectors."""

    def shape(op):
        return [(None,) if t.dims is None else (len(t.dims),) for t in op.inputs]

    def kernel(*inputs, dtype):
        return tuple(np.array(x.shape, dtype) for x in inputs)

    gradient = NOT_DIFFERENTIABLE


@op("input: T -> output: int32", T=ANY)
class Rank:
    """The number of dimensions of the input."""

    def shape(op):
        return ()

    def kernel(input):
        return np.int32(input.ndim)

    gradient = NOT_DIFFERENTIABLE


@op("input: T -> output: out_type", T=ANY, out_type=INT32_BY_DEFAULT)
class Size:
    """The number of elements of the input."""

    def shape(op):
        return ()

    def kernel(input, *, dtype):
        return dtype.type(input.size)

    gradient = NOT_DIFFERENTIABLE


@export("shape")
def shape(input, name=None, out_type=dtypes.int32, optimize=True):
    """The shape of `input`: a constant when it is fully known."""
    with NameScope(name, "Shape", [input]) as scope:
        input = convert_to_tensor(input)
        if optimize and input.dims is not None and None not in input.dims:
            dims = np.array(input.dims, dtypes.as_dtype(out_type).as_numpy_dtype)
            return constant_from_array(dims, scope)
        return Shape(input, out_type=out_type, name=scope)


@export("shape_n")
def shape_n(input, out_type=dtypes.int32, name=None):
    """The shape of each of `input`."""
    return ShapeN(input, out_type=out_type, name=name)


@export("rank")
def rank(input, name=None):
    """The number of dimensions of `input`: a constant when it is known."""
    with NameScope(name, "Rank", [input]) as scope:
        input = convert_to_tensor(input)
        if input.dims is not None:
            return constant_from_array(np.array(len(input.dims), np.int32), scope)
        return Rank(input, name=scope)


@export("size")
def size(input, name=None, out_type=dtypes.int32):
    """The number of elements of `input`: a constant when it is known."""
    with NameScope(name, "Size", [input]) as scope:
        input = convert_to_tensor(input)
        if input.dims is not None and None not in input.dims:
            count = np.prod(input.dims, dtype=dtypes.as_dtype(out_type).as_numpy_dtype)
            return constant_from_array(np.asarray(count), scope)
        return Size(input, out_type=out_type, name=scope)


def _known_elements(dims):
    """How many elements there are, but for the unknown dimensions."""
    return int(np.prod([d for d in dims if d is not None], dtype=np.int64))


@functools.lru_cache(maxsize=1024)
def _reshaped_dims(before, wanted):
    """The dimensions wanted, with what is left in the place of -1."""
    dims = list(wanted)
    if -1 in dims:
        at = dims.index(-1)
        if -1 in dims[at + 1 :]:
            raise _invalid(
                f"Only one input size may be -1, not both {at} and {dims.index(-1, at + 1)}"
            )
        # Where both are empty, the rest is what is left without the dimensions of size 0.
        counted = [d for d in before if d or 0 not in dims]
        have, need = math.prod(counted), math.prod(d for d in dims if d > 0)
        if len(counted) == len(before) and have % need:
            raise _invalid(
                f"Input to reshape is a tensor with {math.prod(before)} values, but the "
                f"requested shape requires a multiple of {need}"
            )
        dims[at] = have // need
    if dims and min(dims) < 0:
        at = next(i for i, d in enumerate(dims) if d < 0)
        raise _invalid(f"Size {at} must be non-negative, not {dims[at]}")
    if math.prod(before) != math.prod(dims):
        raise _invalid(
            f"Input to reshape is a tensor with {math.prod(before)} values, but the requested "
            f"shape has {math.prod(dims)}"
        )
    return tuple(dims)


@op("tensor: T, shape: Tshape -> output: T", T=ANY, Tshape=INT32_BY_DEFAULT)
class Reshape:
    """The input's elements in another shape; -1 stands for what is left."""

    def shape(op):
        tensor, wanted = op.inputs
        with_rank(wanted.dims, 1)
        dims, before = dims_given_by(wanted), tensor.dims
        if dims is None or before is None:
            return dims
        have, need = _known_elements(before), _known_elements(dims)
        unknown_before = 0 if 0 in before else before.count(None)
        unknown = 0 if 0 in dims else dims.count(None)
        if unknown > 1 or unknown_before > 1:
            return dims
        if not unknown and not unknown_before:
            if have != need:
                raise ValueError(
                    f"Cannot reshape a tensor with {have} elements to shape "
                    f"{bracket_dims(dims)} ({need} elements)"
                )
        elif not unknown_before:
            if need:
                rest = divide_dim(have, need)
                return tuple(rest if d is None else d for d in dims)
        elif not unknown and have:
            divide_dim(need, have)
        return dims

    def kernel(tensor, shape):
        if shape.ndim != 1:
            raise _invalid(f"sizes input must be 1-D, not {bracket_dims(shape.shape)}")
        return tensor.reshape(_reshaped_dims(tensor.shape, tuple(shape.tolist())))

    def gradient(op, grad):
        dims = op.inputs[0].dims
        grad = densify(grad)
        if dims is not None and dims.count(None) == 1 and 0 not in dims:
            return [reshape(grad, [-1 if d is None else d for d in dims]), None]
        return [reshape(grad, shape(op.inputs[0])), None]


@export("reshape", "manip.reshape")
def reshape(tensor, shape, name=None):
    """`tensor`'s elements in the shape `shape`; one -1 stands for what is left.

    Raises:
      ValueError: when the elements are statically known not to fit.
      errors.InvalidArgumentError: when the run finds that.
    """
    result = Reshape(tensor, shape, name=name)
    known = constant_value(result.op.inputs[1])
    if known is not None:
        result.dims = merge_dims(
            result.dims, tuple(None if d < 0 else int(d) for d in known.reshape(-1))
        )
    return result


@op("input: T, dim as axis: Tdim -> output: T", T=ANY, Tdim=INT32_BY_DEFAULT)
class ExpandDims:
    """The input with a dimension of size 1 put in at `dim`."""

    def shape(op):
        dims, at = op.inputs[0].dims, constant_value(op.inputs[1])
        if at is None:
            return None
        if at.size != 1:
            raise ValueError("'dim' input must be a tensor with a single value")
        if dims is None:
            return None
        at = int(at.reshape(-1)[0])
        if not -len(dims) - 1 <= at <= len(dims):
            raise ValueError(f"dim {at} not in the interval [{-len(dims) - 1}, {len(dims)}].")
        at = at + len(dims) + 1 if at < 0 else at
        return (*dims[:at], 1, *dims[at:])

    def kernel(input, axis):
        return np.expand_dims(input, int(np.asarray(axis).reshape(-1)[0]))

    def gradient(op, grad):
        return [reshape(grad, shape(op.inputs[0])), None]


@export("expand_dims")
def expand_dims(input, axis=None, name=None, dim=None):
    """`input` with a dimension of size 1 put in at `axis`.

    Raises:
      ValueError: when `axis` is out of range or not given.
    """
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return ExpandDims(input, axis, name=name)


@op("input: T -> output: T", T=ANY, axis=())
class Squeeze:
    """The input without dimensions of size 1: those named, or all."""

    def shape(op):
        dims = op.inputs[0].dims
        if dims is None:
            return None
        for i, axis in enumerate(op.attrs["axis"]):
            if not -len(dims) <= axis < len(dims):
                raise ValueError(f"squeeze_dims[{i}] not in [{-len(dims)},{len(dims)}).")
        axes = {axis % len(dims) for axis in op.attrs["axis"]}
        if not axes:
            return None if None in dims else tuple(d for d in dims if d != 1)
        for axis in axes:
            if dims[axis] not in (1, None):
                raise ValueError(
                    f"Can not squeeze dim[{axis}], expected a dimension of 1, got {dims[axis]}"
                )
        return tuple(d for axis, d in enumerate(dims) if axis not in axes)

    def kernel(input, *, axis):
        for at in axis:
            if not -input.ndim <= at < input.ndim:
                raise _invalid(
                    f"Tried to squeeze dim index {at} for tensor with {input.ndim} dimensions."
                )
            if input.shape[at] != 1:
                raise _invalid(
                    f"Can not squeeze dim[{at % input.ndim}], expected a dimension of 1, "
                    f"got {input.shape[at]}"
                )
        return np.squeeze(input, tuple({at % input.ndim for at in axis}) or None)

    def gradient(op, grad):
        return reshape(grad, shape(op.inputs[0]))


@export("squeeze")
def squeeze(input, axis=None, name=None, squeeze_dims=None):
    """`input` without dimensions of size 1: those in `axis`, or all."""
    axis = squeeze_dims if axis is None else axis
    if axis is None:
        axis = ()
    elif isinstance(axis, int):
        axis = (axis,)
    return Squeeze(input, axis=tuple(axis), name=name)


@op("s0: T, s1: T -> r0: T", T=INT32_BY_DEFAULT)
class BroadcastArgs:
    """The shape that two shapes broadcast to."""

    def shape(op):
        first, second = (tensor.dims for tensor in op.inputs)
        if not first or not second or None in (*first, *second):
            return (None,)
        return (max(first[0], second[0]),)

    def kernel(s0, s1):
        try:
            dims = np.broadcast_shapes(tuple(s0.tolist()), tuple(s1.tolist()))
        except ValueError:
            raise errors.invalid_argument(
                f"Incompatible shapes: {s0.tolist()} vs. {s1.tolist()}"
            ) from None
        return np.array(dims, s0.dtype)

    gradient = NO_GRADIENT


@export("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x, shape_y):
    """The shape, as a vector, that two shapes broadcast to."""
    return BroadcastArgs(
        convert_to_tensor(shape_x, name="shape_x"), convert_to_tensor(shape_y, name="shape_y")
    )


@op("s0: T, s1: T -> r0: T, r1: T", T=INT32_BY_DEFAULT)
class BroadcastGradientArgs:
    """The axes along which each of two shapes was broadcast to the other.

    Those of size 1 in both count for both, unless the shapes are equal.
    """

    def shape(op):
        return [(None,), (None,)]

    def kernel(s0, s1):
        rank = max(len(s0), len(s1))
        first = np.concatenate([np.ones(rank - len(s0), s0.dtype), s0])
        second = np.concatenate([np.ones(rank - len(s1), s1.dtype), s1])
        if ((first != second) & (first != 1) & (second != 1)).any():
            raise _invalid(f"Incompatible shapes: {bracket_dims(s0)} vs. {bracket_dims(s1)}")
        axes = np.arange(rank, dtype=s0.dtype)
        if np.array_equal(s0, s1):
            return axes[:0], axes[:0]
        return axes[first == 1], axes[second == 1]

    gradient = NOT_DIFFERENTIABLE


@op("input: T, shape: Tidx -> output: T", T=ANY, Tidx=INT32_BY_DEFAULT)
class BroadcastTo:
    """The input, repeated along dimensions of size 1 to a larger shape."""

    def shape(op):
        own, target = op.inputs[0].dims, dims_given_by(op.inputs[1])
        if own is None or target is None:
            return target
        if len(own) > len(target):
            raise ValueError(f"Shape must be at most rank {len(target)} but is rank {len(own)}")
        known = tuple(dim if dim is not None and dim > 1 else None for dim in own)
        first = len(target) - len(own)
        return (*target[:first], *merge(known, target[first:]))

    def kernel(input, shape):
        dims = tuple(shape.tolist())
        try:
            return np.broadcast_to(input, dims)
        except ValueError:
            raise _invalid(
                f"Incompatible shapes: {bracket_dims(input.shape)} vs. {bracket_dims(dims)}"
            ) from None

    def gradient(op, grad):
        from numpy_tf.ops.math.reduction import reduce_sum

        input_value, target = op.inputs
        known = constant_value(target)
        if known is not None:
            as_dims(known.tolist())  # a negative dimension is an error here
            target = constant_from_array(known)
        own_shape = shape(input_value, out_type=target.dtype.base_dtype)
        _, axes = BroadcastGradientArgs(target, own_shape)
        summed = reduce_sum(grad, axes, keepdims=True)
        return [reshape(summed, own_shape), None]


@export("broadcast_to")
def broadcast_to(input, shape, name=None):
    """`input`, repeated along dimensions of size 1 to the shape `shape`.

    Raises:
      ValueError: when that is known not to fit.
      errors.InvalidArgumentError: when the run finds that.
    """
    return BroadcastTo(input, shape, name=name)
