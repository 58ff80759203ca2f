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
