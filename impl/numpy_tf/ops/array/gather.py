"""Gather: rows of a tensor by index along one axis, and the functions made of it."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.indexed_slices import IndexedSlices, densify
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import TensorShape
from numpy_tf.ops.array.dims import (
    concatenate,
    merge,
    require_scalar,
    subshape,
    with_rank_at_least,
)
from numpy_tf.ops.array.fill import ones, zeros
from numpy_tf.ops.array.positions import position
from numpy_tf.ops.array.select import where_v2
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape, size, squeeze
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.array.transpose import tile, transpose

_INDEX = INDEX | {dtypes.int16}


def _check_indices(indices, limit):
    outside = (indices < 0) | (indices >= limit)
    if outside.any():
        flat = int(np.argmax(outside))
        raise errors.invalid_argument(
            f"indices{position(indices.shape, flat)} = {indices.reshape(-1)[flat]} "
            f"is not in [0, {limit})"
        )


@op(
    "params: Tparams, indices: Tindices -> output: Tparams",
    Tparams=ANY,
    Tindices=INDEX,
    validate_indices=True,
)
class Gather:
    """The rows of `params` that `indices` name."""

    def shape(op):
        params, indices = (tensor.dims for tensor in op.inputs)
        return concatenate(indices, subshape(with_rank_at_least(params, 1), 1))

    def kernel(params, indices):
        _check_indices(indices, len(params))
        return np.take(params, indices, 0)

    def gradient(op, grad):
        params, indices = op.inputs
        return _row_gradient(params, shape(params), indices, grad), None


def _row_gradient(params, params_shape, indices, grad):
    """The gradient of rows taken: those rows, where the indices say."""
    count = expand_dims(size(indices), 0)
    values = reshape(densify(grad), concat([count, params_shape[1:]], 0))
    return IndexedSlices(values, reshape(indices, count), params_shape)


@op(
    "params: Tparams, indices: Tindices, axis: Taxis -> output: Tparams",
    Tparams=ANY,
    Tindices=_INDEX,
    Taxis=INDEX,
    batch_dims=0,
)
class GatherV2:
    """The slices of `params` along `axis` that `indices` name, for each batch its own."""

    def shape(op):
        params, indices, axis = op.inputs
        params_dims = with_rank_at_least(params.dims, 1)
        batch_dims = op.attrs["batch_dims"]
        require_scalar(axis)
        axis = constant_value(axis)
        if axis is None:
            if params_dims is None or indices.dims is None:
                return None
            return (None,) * (len(params_dims) + len(indices.dims) - 1 - batch_dims)
        axis = int(axis)
        with_rank_at_least(params_dims, -axis if axis < 0 else axis + 1)
        with_rank_at_least(indices.dims, abs(batch_dims))
        if batch_dims < 0 and indices.dims is not None:
            batch_dims += len(indices.dims)
        with_rank_at_least(params_dims, batch_dims + 1)
        outer = subshape(params_dims, 0, axis)
        inner = () if axis == -1 else subshape(params_dims, axis + 1)
        return concatenate(outer, subshape(indices.dims, batch_dims), inner)

    def kernel(params, indices, axis, *, batch_dims):
        axis = int(axis)
        if not -params.ndim <= axis < params.ndim:
            raise errors.invalid_argument(
                f"Expected axis in the range [{-params.ndim}, {params.ndim}), but got {axis}"
            )
        axis %= params.ndim
        if batch_dims < 0:
            batch_dims += indices.ndim
        _check_indices(indices, params.shape[axis])
        if batch_dims == 0:
            return np.take(params, indices, axis)
        return _gathered_batches(params, indices, axis, batch_dims)

    def gradient(op, grad):
        params, indices, axis = op.inputs
        params_shape = shape(params)
        count = expand_dims(size(indices), 0)
        static = constant_value(axis)
        batch_dims = op.attrs["batch_dims"]
        if batch_dims < 0:
            if indices.dims is None:
                raise ValueError(
                    "Currently, it is unsupported to take the gradient of tf.gather when "
                    "batch_dims < 0 and the rank of the indices is unknown. Please pass a "
                    "positive batch_dims or use tf.ensure_shape to update the shape of indices "
                    f"when calling tf.gather. Got batch_dims={batch_dims} and indices={indices}"
                )
            batch_dims += len(indices.dims)
        if static is not None and static == 0:
            values = reshape(densify(grad), concat([count, params_shape[1:]], 0))
            slices = IndexedSlices(values, reshape(indices, count), params_shape)
            return slices, None, None
        dense = _axis_gradient(grad, params_shape, indices, axis, batch_dims)
        return reshape(dense, shape(params)), None, None


def _gathered_batches(params, indices, axis, batch_dims):
    for i in _counted(0, batch_dims):
        if params.shape[i] != indices.shape[i]:
            raise errors.invalid_argument(
                f"params.shape[{i}]: {params.shape[i]} should be equal to "
                f"indices.shape[{i}]: {indices.shape[i]}"
            )
    batch, outer = params.shape[:batch_dims], params.shape[batch_dims:axis]
    inner = params.shape[axis + 1 :]
    count = int(np.prod(batch))
    flat = params.reshape(count, int(np.prod(outer)), params.shape[axis], int(np.prod(inner)))
    chosen = indices.reshape(count, -1)
    taken = flat[np.arange(count)[:, None], :, chosen]  # [batch, index, outer, inner]
    return np.moveaxis(taken, 1, 2).reshape((*batch, *outer, *indices.shape[batch_dims:], *inner))


def _axis_gradient(grad, params_shape, indices, axis, batch_dims):
    """The dense gradient of a gather: its axis is moved to the front, and back again."""
    from numpy_tf.ops.math.sequence import range

    outer, inner = params_shape[:axis], params_shape[axis:][1:]
    values_shape = concat([outer, [-1], inner], 0)
    count, at = size(values_shape), size(outer)
    batch_axes = range(batch_dims)
    outer_axes = range(batch_dims, at)
    inner_axes = range(at + 1, count)
    values = reshape(densify(grad), values_shape)
    forth = concat([batch_axes, [at], outer_axes, inner_axes], 0)
    summed = _batch_gradient(
        gather(params_shape, forth),
        transpose(values, forth),
        indices,
        batch_dims,
        params_shape[axis],
    )
    back = concat([batch_axes, outer_axes + 1, [batch_dims], inner_axes], 0)
    return transpose(summed, back)


def _batch_gradient(params_shape, values, indices, batch_dims, axis_size):
    """The sum of the values for each index, within its batch."""
    from numpy_tf.ops.math.reduction import reduce_prod
    from numpy_tf.ops.math.segment import unsorted_segment_sum

    count = expand_dims(size(indices), 0)
    if batch_dims:
        values_shape = shape(values)
        batch, inner = values_shape[:batch_dims], values_shape[batch_dims:][1:]
        flat_shape = concat([[-1], inner], 0)
        axis_size = axis_size * reduce_prod(batch, [0])
        indices = _offset_by_batch(params_shape, indices, batch_dims)
        values = reshape(densify(values), flat_shape)
    result = unsorted_segment_sum(values, reshape(indices, count), axis_size)
    if batch_dims:
        result = reshape(result, concat([batch, flat_shape], 0))
    return result


def _offset_by_batch(params_shape, indices, batch_dims):
    """Indices into the batches one after the other."""
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.sequence import range

    dtype = indices.dtype.base_dtype
    sizes = cast(params_shape, dtype)
    stride = ones((), dtype=dtype)
    result = indices
    for dim in reversed(_counted(1, batch_dims + 1)):
        count = sizes[dim - 1]
        stride = stride * sizes[dim]
        offsets = range(zeros((), dtype=dtype), count, ones((), dtype=dtype)) * stride
        aligned = concat([tile([1], [dim - 1]), [count], tile([1], [rank(indices) - dim])], axis=0)
        result = result + reshape(offsets, aligned)
    return result


_counted = range  # within functions to which `range` is TensorFlow's


@export("gather")
def gather(params, indices, validate_indices=None, name=None, axis=None, batch_dims=0):
    """The slices of `params` along `axis` that `indices` name.

    Args:
      params: a tensor or variable.
      indices: integers of any shape, in [0, params.shape[axis]).
      validate_indices: has no effect; they always are.
      axis: by default the first that is no batch dimension.
      batch_dims: how many leading dimensions of both stand for batches.

    Returns:
      A tensor of shape params.shape[:axis] + indices.shape[batch_dims:] +
      params.shape[axis + 1:].

    Raises:
      errors.InvalidArgumentError: for an index out of range.
    """
    if axis is None:
        axis = batch_dims
    static = constant_value(axis) if isinstance(axis, Tensor) else axis
    if static is None or static != 0:
        return GatherV2(params, indices, axis, batch_dims=batch_dims, name=name)
    sparse_read = getattr(params, "sparse_read", None)
    if sparse_read is not None:  # a resource variable, which need not be read as a whole
        return sparse_read(indices, name=name)
    return GatherV2(params, indices, axis, name=name)


@export("batch_gather")
def batch_gather(params, indices, name=None):
    """`gather` in which all dimensions of `indices` but the last stand for batches.

    Raises:
      ValueError: when the rank of `indices` is not known.
    """
    with NameScope(name, "BatchGather", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        if indices.dims is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        return _gather_from_flat(params, indices, len(indices.dims) - 1)


def _gather_from_flat(params, indices, batch_dims):
    from numpy_tf.ops.math.reduction import reduce_prod

    if batch_dims < 0:
        raise ValueError(
            f"Argument `batch_dims` = {batch_dims} must be less than rank(`indices`) = "
            f"{len(indices.dims)}"
        )
    if params.dims is not None and batch_dims >= len(params.dims):
        raise ValueError(
            f"Argument `batch_dims` = {batch_dims} must be less than rank(`params`) = "
            f"{len(params.dims)}"
        )
    indices_shape, params_shape = shape(indices), shape(params)
    flat_indices = reshape(_offset_by_batch(params_shape, indices, batch_dims), [-1])
    tail = params_shape[batch_dims + 1 :]
    rows = reduce_prod(params_shape[: batch_dims + 1], [0])
    flat_params = reshape(params, concat([[rows], tail], axis=0))
    result = reshape(gather(flat_params, flat_indices), concat([indices_shape, tail], axis=0))
    batch = merge(
        indices.dims[:batch_dims], None if params.dims is None else params.dims[:batch_dims]
    )
    result.set_shape(
        concatenate(batch, indices.dims[batch_dims:], subshape(params.dims, batch_dims + 1))
    )
    return result


@export("boolean_mask")
def boolean_mask(tensor, mask, name="boolean_mask", axis=None):
    """The slices of `tensor` for which `mask` is true.

    Args:
      tensor: of rank n.
      mask: booleans of a known rank k <= n, k > 0, of the shape of the tensor from `axis` on.
      axis: where the mask begins, by default 0.

    Returns:
      A tensor of rank n - k + 1.

    Raises:
      ValueError: when the mask's rank is unknown or 0, or shapes do not fit.
    """
    from numpy_tf.ops.math.reduction import reduce_prod

    with NameScope(name, None, [tensor, mask]):
        tensor = convert_to_tensor(tensor, name="tensor")
        mask = convert_to_tensor(mask, name="mask")
        if mask.dims == ():
            raise ValueError("mask cannot be scalar.")
        if mask.dims is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  "
                "E.g. shape=[None] is ok, but shape=None is not."
            )
        dims, count = tensor.dims, len(mask.dims)
        axis = 0 if axis is None else axis
        static = constant_value(axis) if isinstance(axis, Tensor) else axis
        if static is not None:
            axis = int(static)
            whole = TensorShape(dims)
            whole[axis : axis + count].assert_is_compatible_with(mask.shape)
        leading = reduce_prod(shape(tensor)[axis : axis + count], [0])
        tensor = reshape(
            tensor,
            concat([shape(tensor)[:axis], [leading], shape(tensor)[axis + count :]], 0),
        )
        if static is not None:
            masked = whole[axis : axis + count].num_elements()
            tensor.set_shape(whole[:axis].concatenate([masked]).concatenate(whole[axis + count :]))
        mask = reshape(mask, [-1])
        indices = squeeze(where_v2(mask), axis=[1])
        return gather(tensor, indices, axis=axis)


# -- one hot -----------------------------------------------------------------------------


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
            raise _invalid(f"depth must be non-negative, got: {int(depth)}")
        if not -1 <= axis <= indices.ndim:
            raise _invalid(
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


# -- elements by position ----------------------------------------------------------------


def _flat_positions(indices, dims, what, ignore=False):
    """The row that each index names in an array of shape `dims`, and which are in range.

    Args:
      indices: [..., depth] integers.
      dims: the shape of what they point into; depth <= len(dims).
      what: how the error names that.
      ignore: whether one out of range is no error.

    Returns:
      [n] rows among prod(dims[:depth]), 0 for what is out of range; [n] booleans.
    """
    depth = indices.shape[-1]
    bounds = np.array(dims[:depth], np.int64)
    each = indices.reshape(int(np.prod(indices.shape[:-1])), depth)
    inside = ((each >= 0) & (each < bounds)).all(1)
    if not inside.all() and not ignore:
        flat = int(np.argmin(inside))
        raise _invalid(
            f"indices{_position(indices.shape[:-1], flat)} = {each[flat].tolist()} "
            f"does not index into {what} {bracket_dims(dims)}"
        )
    strides = np.append(np.cumprod(bounds[:0:-1])[::-1], 1)[:depth].astype(np.int64)
    return np.where(inside, each.astype(np.int64) @ strides, 0), inside


@op(
    "params: Tparams, indices: Tindices -> output: Tparams",
    Tparams=ANY,
    Tindices=_GATHER_INDEX,
    bad_indices_policy="",
)
class GatherNd:
    """params[indices[..., 0], indices[..., 1], …]."""

    def shape(op):
        params, indices = (tensor.dims for tensor in op.inputs)
        indices = with_rank_at_least(indices, 1)
        depth = None if indices is None else indices[-1]
        if params is None or depth is None:
            return None
        if depth > len(params):
            raise ValueError(
                "indices.shape[-1] must be <= params.rank, but saw indices shape: "
                f"{bracket_dims(indices)} and params shape: {bracket_dims(params)}"
            )
        return (*indices[:-1], *params[depth:])

    def kernel(params, indices, *, bad_indices_policy):
        if not indices.ndim:
            raise _invalid("indices must be at least a vector")
        depth = indices.shape[-1]
        if depth > params.ndim:
            raise _invalid(
                f"index innermost dimension length must be <= params rank; saw: {depth} vs. "
                f"{params.ndim}"
            )
        result_shape = indices.shape[:-1] + params.shape[depth:]
        ignore = bad_indices_policy == "IGNORE"
        rows, inside = _flat_positions(indices, params.shape, "param shape", ignore)
        flat = params.reshape(int(np.prod(params.shape[:depth])), -1 if params.size else 0)
        if not flat.size:
            return np.zeros(result_shape, params.dtype)
        result = flat[rows]
        if not inside.all():
            result[~inside] = 0
        return result.reshape(result_shape)

    def gradient(op, grad):
        params, indices = op.inputs
        params_shape = shape(params, out_type=indices.dtype.base_dtype)
        if indices.dims is not None and len(indices.dims) == 2 and indices.dims[-1] == 1:
            return IndexedSlices(grad, squeeze(indices, axis=-1), params_shape), None
        policy = op.attrs["bad_indices_policy"]
        return scatter_nd(indices, grad, params_shape, bad_indices_policy=policy), None


@export("gather_nd", "manip.gather_nd")
def gather_nd(params, indices, name=None, batch_dims=0, bad_indices_policy=""):
    """The elements, or slices, of `params` at the positions that `indices` hold last.

    Args:
      params: a tensor or variable.
      indices: [..., k] integers, k <= rank of params.
      batch_dims: how many leading dimensions of both stand for batches.
      bad_indices_policy: "IGNORE" gives 0 for a position out of range.

    Returns:
      A tensor of shape indices.shape[:-1] + params.shape[batch_dims + k:].

    Raises:
      errors.InvalidArgumentError: for a position out of range.
    """
    if isinstance(batch_dims, Tensor):
        static = constant_value(batch_dims)
        batch_dims = batch_dims if static is None else int(static)
    if not isinstance(batch_dims, int):
        raise TypeError(f"Argument `batch_dims` must be an int; got {batch_dims}")
    if batch_dims:
        return _gather_nd_in_batches(params, indices, batch_dims, name, bad_indices_policy)
    method = getattr(params, "gather_nd", None)
    if method is not None and bad_indices_policy in ("", "DEFAULT"):
        return method(indices, name=name)
    return GatherNd(params, indices, name=name, bad_indices_policy=bad_indices_policy)


def _gather_nd_in_batches(params, indices, batch_dims, name, policy):
    """Each index is preceded by the position of its batch."""
    from numpy_tf.ops.math.reduction import reduce_prod

    with NameScope(name, "BatchGatherND", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        if batch_dims < 0:
            raise ValueError("tf.gather_nd does not allow negative batch_dims.")
        for label, tensor in (("indices", indices), ("params", params)):
            if tensor.dims is not None and batch_dims >= len(tensor.dims):
                raise ValueError(
                    f"Argument `batch_dims` = {batch_dims} must be less than "
                    f"rank(`{label}`) = {len(tensor.dims)}"
                )
        params_shape, indices_shape = shape(params), shape(indices)
        batch = params_shape[:batch_dims]
        places = _batch_places(unstack(batch), indices.dtype.base_dtype)
        places_shape = shape(places)
        between = ones(rank(indices) - batch_dims - 1, dtype=places_shape.dtype)
        places = reshape(places, concat([places_shape[:1], between, places_shape[1:]], axis=0))
        places = tile(places, concat(((1,), indices_shape[batch_dims:-1], (1,)), axis=0))
        flat_shape = concat(([reduce_prod(batch, [0])], indices_shape[batch_dims:]), axis=0)
        full = concat((places, reshape(indices, flat_shape)), axis=-1)
        result = GatherNd(params, full, bad_indices_policy=policy)
        return reshape(result, concat((batch, shape(result)[1:]), axis=0))


def _batch_places(sizes, dtype):
    """[prod(sizes), len(sizes)] positions of all batches, in order."""
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.sequence import range

    axes = [cast(range(count), dtype) for count in sizes]
    whole = ones([size(axis) for axis in axes], dtype=dtype)
    grids = []
    for i, axis in enumerate(axes):
        aligned = [1] * len(axes)
        aligned[i] = -1
        grids.append(reshape(reshape(axis, aligned) * whole, (-1,)))
    return transpose(stack(grids, axis=0))


def check_scatter_dims(indices, updates, output, depth_dims):
    """ValueError when it is known that updates do not fit what indices say."""
    with_rank_at_least(indices, 1)
    with_rank_at_least(updates, 1)
    if indices is None or updates is None or indices[-1] is None:
        return
    depth, count = indices[-1], len(indices) - 1
    prefix, tail = subshape(updates, 0, count), subshape(updates, count)
    try:
        merge(subshape(indices, 0, count), prefix)
    except ValueError as error:
        raise ValueError(
            f"Dimensions [0,{count}) of indices[shape={bracket_dims(indices)}] = "
            f"{bracket_dims(indices[:count])} must match dimensions [0,{count}) of "
            f"updates[shape={bracket_dims(updates)}] = {bracket_dims(prefix)}: {error}"
        ) from None
    try:
        merge(subshape(output, depth), tail)
    except ValueError as error:
        raise ValueError(
            f"Dimensions [{depth},{len(output)}) of {depth_dims}[shape={bracket_dims(output)}] = "
            f"{bracket_dims(output[depth:])} must match dimensions [{count},{len(updates)}) of "
            f"updates[shape={bracket_dims(updates)}] = {bracket_dims(tail)}: {error}"
        ) from None


def _rows_to_update(indices, updates, dims, what):
    """The flat rows and the updates for each, of an array of shape `dims`."""
    for what_is, array in (("Indices", indices), ("Updates", updates)):
        if not array.ndim:
            raise _invalid(f"{what_is} shape must have rank at least one. Found:[]")
    if (indices.size or updates.size) and not (len(dims) and indices.size and updates.size):
        raise _invalid("Indices and updates specified for empty output shape")
    depth, outer = indices.shape[-1], indices.ndim - 1
    shape_of_updates = f"updates[shape={bracket_dims(updates.shape)}]"
    if indices.shape[:-1] != updates.shape[:outer]:
        raise _invalid(
            f"Dimensions [0,{outer}) of indices[shape={bracket_dims(indices.shape)}] must match "
            f"dimensions [0,{outer}) of {shape_of_updates}"
        )
    if depth > len(dims) or tuple(dims[depth:]) != updates.shape[outer:]:
        raise _invalid(
            f"Dimensions [{depth},{len(dims)}) of {what}[shape={bracket_dims(dims)}] must match "
            f"dimensions [{outer},{updates.ndim}) of {shape_of_updates}"
        )
    rows, _ = _flat_positions(indices, dims, "shape")
    return rows, updates.reshape(len(rows), int(np.prod(dims[depth:])))


@op(
    "indices: Tindices, updates: T, shape: Tindices -> output: T",
    T=ANY,
    Tindices=_GATHER_INDEX,
    bad_indices_policy="",
)
class ScatterNd:
    """Zeros of `shape` to which updates are added where the indices say."""

    def shape(op):
        indices, updates, wanted = op.inputs
        output = dims_given_by(wanted)
        check_scatter_dims(indices.dims, updates.dims, output, "input")
        return output

    def kernel(indices, updates, shape, *, bad_indices_policy):
        dims = tuple(shape.tolist())
        if bad_indices_policy == "IGNORE" and indices.size:
            _, inside = _flat_positions(indices, dims, "shape", ignore=True)
            kept = inside.reshape(indices.shape[:-1])
            indices, updates = indices[kept], updates[kept]
        rows, values = _rows_to_update(indices, updates, dims, "input")
        if updates.dtype.kind == "O":
            result = np.full(dims, b"", object)
        else:
            result = np.zeros(dims, updates.dtype)
        np.add.at(result.reshape(-1, values.shape[1]), rows, values)
        return result

    def gradient(op, grad):
        return None, gather_nd(grad, op.inputs[0]), None


@export("scatter_nd", "manip.scatter_nd")
def scatter_nd(indices, updates, shape, bad_indices_policy="", name=None):
    """Zeros of `shape` to which `updates` are added at the positions that `indices` hold last.

    Args:
      indices: [..., k] integers.
      updates: of shape indices.shape[:-1] + shape[k:]; those for one position are summed.
      shape: a vector of the dtype of the indices.
      bad_indices_policy: "IGNORE" leaves out what is out of range.

    Raises:
      ValueError: for shapes that are known not to fit.
      errors.InvalidArgumentError: for a position out of range.
    """
    return ScatterNd(indices, updates, shape, bad_indices_policy=bad_indices_policy, name=name)


def _tensor_scatter_shape(op):
    tensor, indices, updates = (t.dims for t in op.inputs)
    check_scatter_dims(indices, updates, tensor, "tensor")
    return tensor


def scattered(tensor, indices, updates, combine, unsupported=""):
    """A copy of the tensor, changed by `combine(rows of it, which, updates)`.

    Args:
      unsupported: the NumPy kinds of dtype that TensorFlow has no kernel for.
    """
    if tensor.dtype.kind in unsupported:
        raise _invalid(f"No OpKernel was registered for elements of type {tensor.dtype}")
    rows, values = _rows_to_update(indices, updates, tensor.shape, "tensor")
    result = np.array(tensor)
    combine(result.reshape(-1, values.shape[1]), rows, values)
    return result


_SCATTER_SIGNATURE = "tensor: T, indices: Tindices, updates: T -> output: T"
_SCATTER_ATTRS = {"T": ANY, "Tindices": INDEX, "bad_indices_policy": ""}


@op(_SCATTER_SIGNATURE, **{**_SCATTER_ATTRS, "Tindices": _GATHER_INDEX | {dtypes.uint16}})
class TensorScatterUpdate:
    """The tensor with elements replaced where the indices say."""

    shape = _tensor_scatter_shape

    def kernel(tensor, indices, updates):
        return scattered(tensor, indices, updates, np.ndarray.__setitem__)

    def gradient(op, grad):
        indices, updates = op.inputs[1:]
        updates_grad = gather_nd(grad, indices)
        nothing = zeros_like(updates, dtype=grad.dtype)
        return TensorScatterUpdate(identity(grad), indices, nothing), None, updates_grad


@op(_SCATTER_SIGNATURE, **_SCATTER_ATTRS)
class TensorScatterAdd:
    """The tensor with updates added where the indices say."""

    shape = _tensor_scatter_shape

    def kernel(tensor, indices, updates):
        return scattered(tensor, indices, updates, np.add.at, unsupported="b")

    def gradient(op, grad):
        return identity(grad), None, gather_nd(grad, op.inputs[1])


@op(
    "input: T, indices: Tindices, updates: T -> output: T",
    T=NUMERIC | {dtypes.bool_},
    Tindices=INDEX,
    bad_indices_policy="",
)
class ScatterNdNonAliasingAdd:
    """`TensorScatterAdd` that may reuse the memory of its input."""

    shape = _tensor_scatter_shape

    def kernel(input, indices, updates):
        return TensorScatterAdd.kernel(input, indices, updates)

    def gradient(op, grad):
        return grad, None, gather_nd(grad, op.inputs[1])


@op(_SCATTER_SIGNATURE, **_SCATTER_ATTRS)
class TensorScatterSub:
    """The tensor with updates subtracted where the indices say."""

    shape = _tensor_scatter_shape

    def kernel(tensor, indices, updates):
        return scattered(tensor, indices, updates, np.subtract.at, unsupported="bO")

    def gradient(op, grad):
        return identity(grad), None, -gather_nd(grad, op.inputs[1])


def _scattered_extreme(tensor, indices, updates, combine, least):
    """As Eigen compares them: what is equal, or NaN, replaces nothing."""
    if updates.dtype.kind not in "iubcO":
        updates = np.where(np.isnan(updates), updates.dtype.type(least), updates)
    result = scattered(tensor, indices, updates, combine, unsupported="bcO")
    return np.where(result == tensor, tensor, result)


def _extreme_gradient(op, grad):
    """Shared evenly among the equal extremes, of the tensor and of the updates."""
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.comparison import Equal

    tensor, indices, updates = op.inputs
    output = op.outputs[0]
    of_tensor = cast(Equal(tensor, output), grad.dtype)
    of_updates = cast(Equal(updates, gather_nd(output, indices)), grad.dtype)
    spread = scatter_nd(indices, of_updates, shape(tensor, out_type=indices.dtype))
    shares = of_tensor + spread
    tensor_grad = grad * of_tensor / shares
    return tensor_grad, None, gather_nd(grad / shares, indices) * of_updates


@op(_SCATTER_SIGNATURE, **_SCATTER_ATTRS)
class TensorScatterMax:
    """The larger of the tensor's elements and the updates where the indices say."""

    shape = _tensor_scatter_shape

    def kernel(tensor, indices, updates):
        return _scattered_extreme(tensor, indices, updates, np.maximum.at, -np.inf)

    gradient = _extreme_gradient


@op(_SCATTER_SIGNATURE, **_SCATTER_ATTRS)
class TensorScatterMin:
    """The smaller of the tensor's elements and the updates where the indices say."""

    shape = _tensor_scatter_shape

    def kernel(tensor, indices, updates):
        return _scattered_extreme(tensor, indices, updates, np.minimum.at, np.inf)

    gradient = _extreme_gradient


@export("tensor_scatter_nd_update", "tensor_scatter_update")
def tensor_scatter_update(tensor, indices, updates, name=None):
    """`tensor` with `updates` in place of what is at the positions `indices`."""
    return TensorScatterUpdate(tensor, indices, updates, name=name)


def _tensor_scatter(definition, *public):
    def scatter(tensor, indices, updates, bad_indices_policy="", name=None):
        return definition(
            tensor, indices, updates, bad_indices_policy=bad_indices_policy, name=name
        )

    scatter.__name__ = public[0]
    scatter.__doc__ = definition.__doc__
    return export(*public)(scatter)


_tensor_scatter(TensorScatterAdd, "tensor_scatter_nd_add", "tensor_scatter_add")
_tensor_scatter(TensorScatterSub, "tensor_scatter_nd_sub", "tensor_scatter_sub")
_tensor_scatter(TensorScatterMax, "tensor_scatter_nd_max")
_tensor_scatter(TensorScatterMin, "tensor_scatter_nd_min")


# -- several tensors at once -------------------------------------------------------------


def _stitched_shape(op):
    count = op.attrs["N"]
    largest, tail = -1, None
    for indices, data in zip(op.inputs[:count], op.inputs[count:], strict=True):
        value = constant_value(indices)
        if value is None:
            largest = None
        elif largest is not None and value.size:
            largest = max(largest, int(value.max()))
        if indices.dims is not None:
            tail = merge(tail, subshape(merge_prefix(data.dims, indices.dims), len(indices.dims)))
    return concatenate((None if largest is None else largest + 1,), tail)


def _stitched(*inputs):
    count = len(inputs) // 2
    indices, data = inputs[:count], inputs[count:]
    largest = max((int(i.max()) for i in indices if i.size), default=-1)
    tail = data[0].shape[indices[0].ndim :]
    for k, (at, part) in enumerate(zip(indices, data, strict=True)):
        if part.shape[: at.ndim] != at.shape:
            raise _invalid(
                f"data[{k}].shape = {bracket_dims(part.shape)} does not start with "
                f"indices[{k}].shape = {bracket_dims(at.shape)}"
            )
        if part.shape[at.ndim :] != tail:
            raise _invalid(
                f"Need data[0].shape[{indices[0].ndim}:] = data[{k}].shape[{at.ndim}:], got "
                f"data[0].shape = {bracket_dims(data[0].shape)}, data[{k}].shape = "
                f"{bracket_dims(part.shape)}, indices[0].shape = "
                f"{bracket_dims(indices[0].shape)}, indices[{k}].shape = {bracket_dims(at.shape)}"
            )
        if (at < 0).any():
            raise _invalid(f"indices[{int(np.argmax(at < 0))}] is out of range")
    result = np.zeros((largest + 1, *tail), data[0].dtype)
    for at, part in zip(indices, data, strict=True):
        result[at.reshape(-1)] = part.reshape(at.size, *tail)
    return result


def _stitch_gradient(op, grad):
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.segment import unsorted_segment_sum

    count = op.attrs["N"]
    indices = [cast(tensor, dtypes.int32) for tensor in op.inputs[:count]]
    if isinstance(grad, IndexedSlices):
        rows = shape(op.outputs[0])[0]
        grad = unsorted_segment_sum(grad.values, grad.indices, rows)
    return [None] * count + [gather(grad, at) for at in indices]


@op("indices: N*int32, data: N*T -> merged: T", T=ANY, N=None)
class DynamicStitch:
    """The rows of several tensors, each where its index says; a later one wins."""

    shape = _stitched_shape
    kernel = staticmethod(_stitched)
    gradient = _stitch_gradient


@op("indices: N*int32, data: N*T -> merged: T", T=ANY, N=None)
class ParallelDynamicStitch:
    """The rows of several tensors, each where its index says."""

    shape = _stitched_shape
    kernel = staticmethod(_stitched)
    gradient = _stitch_gradient


@export("dynamic_stitch")
def dynamic_stitch(indices, data, name=None):
    """The rows of the tensors in `data`, each where its index says; a later one wins.

    Args:
      indices: a list of integer tensors.
      data: a list of tensors, each of shape indices[k].shape + one shape for all.

    Returns:
      A tensor of as many rows as the largest index asks for.
    """
    return DynamicStitch(indices, data, name=name)


@export("parallel_dynamic_stitch")
def parallel_dynamic_stitch(indices, data, name=None):
    """As `dynamic_stitch`, for indices that do not repeat."""
    return ParallelDynamicStitch(indices, data, name=name)


@op("data: T, partitions: int32 -> outputs: num_partitions*T", T=ANY, num_partitions=REQUIRED)
class DynamicPartition:
    """The rows of the input, dealt out by number."""

    def shape(op):
        data, partitions = (tensor.dims for tensor in op.inputs)
        count = op.attrs["num_partitions"]
        data = merge_prefix(data, partitions)
        if partitions is None or data is None:
            return [None] * count
        return [(None, *data[len(partitions) :])] * count

    def kernel(data, partitions, *, num_partitions):
        if data.shape[: partitions.ndim] != partitions.shape:
            raise _invalid(
                "data.shape must start with partitions.shape, got data.shape = "
                f"{bracket_dims(data.shape)}, partitions.shape = {bracket_dims(partitions.shape)}"
            )
        outside = (partitions < 0) | (partitions >= num_partitions)
        if outside.any():
            flat = int(np.argmax(outside))
            raise _invalid(
                f"partitions{_position(partitions.shape, flat)} = "
                f"{partitions.reshape(-1)[flat]} is not in [0, {num_partitions})"
            )
        parts = [data[partitions == number] for number in _counted(0, num_partitions)]
        return parts[0] if len(parts) == 1 else tuple(parts)

    def gradient(op, *grads):
        from numpy_tf.ops.math.reduction import reduce_prod
        from numpy_tf.ops.math.sequence import range

        data, partitions = op.inputs
        prefix = shape(partitions)
        original = reshape(range(reduce_prod(prefix)), prefix)
        places = dynamic_partition(original, partitions, op.attrs["num_partitions"])
        merged = ParallelDynamicStitch(places, list(grads))
        return reshape(merged, shape(data)), None


@export("dynamic_partition")
def dynamic_partition(data, partitions, num_partitions, name=None):
    """A list of `num_partitions` tensors: the rows of `data` that have that number.

    Args:
      data: a tensor.
      partitions: int32 numbers, of the shape of `data` but for its last dimensions.

    Raises:
      errors.InvalidArgumentError: for a number that is not in [0, num_partitions).
    """
    return DynamicPartition(data, partitions, num_partitions=num_partitions, name=name)


@op("x: T, y: T -> out: T, idx: out_idx", T=ANY, out_idx=INT32_BY_DEFAULT)
class ListDiff:
    """The elements of x that are not in y, and where in x they are."""

    def shape(op):
        for tensor in op.inputs:
            with_rank(tensor.dims, 1)
        return [(None,), (None,)]

    def kernel(x, y, *, out_idx):
        kept = np.nonzero(~np.isin(x, y))[0]
        return x[kept], kept.astype(out_idx.as_numpy_dtype)

    gradient = NO_GRADIENT


@export("setdiff1d")
def setdiff1d(x, y, index_dtype=dtypes.int32, name=None):
    """The elements of the vector `x` that are not in `y`, and where in x they are."""
    return ListDiff(x, y, out_idx=index_dtype, name=name)
