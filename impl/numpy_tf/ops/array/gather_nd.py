"""Elements and slices of tensors: taken from positions, and put or summed there."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX, NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.dims import (
    dims_given_by,
    merge,
    subshape,
    with_rank_at_least,
)
from numpy_tf.ops.array.fill import ones, zeros_like
from numpy_tf.ops.array.positions import add_rows, flat_positions
from numpy_tf.ops.array.shape import rank, reshape, shape, size, squeeze
from numpy_tf.ops.array.stack import concat, stack, unstack
from numpy_tf.ops.array.transpose import tile, transpose

_INDEX = INDEX | {dtypes.int16}


@op(
    "params: Tparams, indices: Tindices -> output: Tparams",
    Tparams=ANY,
    Tindices=_INDEX,
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
            raise errors.invalid_argument("indices must be at least a vector")
        depth = indices.shape[-1]
        if depth > params.ndim:
            raise errors.invalid_argument(
                f"index innermost dimension length must be <= params rank; saw: {depth} vs. "
                f"{params.ndim}"
            )
        result_shape = indices.shape[:-1] + params.shape[depth:]
        ignore = bad_indices_policy == "IGNORE"
        rows, inside = flat_positions(indices, params.shape, "param shape", ignore)
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
            raise errors.invalid_argument(f"{what_is} shape must have rank at least one. Found:[]")
    if (indices.size or updates.size) and not (len(dims) and indices.size and updates.size):
        raise errors.invalid_argument("Indices and updates specified for empty output shape")
    depth, outer = indices.shape[-1], indices.ndim - 1
    shape_of_updates = f"updates[shape={bracket_dims(updates.shape)}]"
    if indices.shape[:-1] != updates.shape[:outer]:
        raise errors.invalid_argument(
            f"Dimensions [0,{outer}) of indices[shape={bracket_dims(indices.shape)}] must match "
            f"dimensions [0,{outer}) of {shape_of_updates}"
        )
    if depth > len(dims) or tuple(dims[depth:]) != updates.shape[outer:]:
        raise errors.invalid_argument(
            f"Dimensions [{depth},{len(dims)}) of {what}[shape={bracket_dims(dims)}] must match "
            f"dimensions [{outer},{updates.ndim}) of {shape_of_updates}"
        )
    rows, _ = flat_positions(indices, dims, "shape")
    return rows, updates.reshape(len(rows), int(np.prod(dims[depth:])))


@op(
    "indices: Tindices, updates: T, shape: Tindices -> output: T",
    T=ANY,
    Tindices=_INDEX,
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
            _, inside = flat_positions(indices, dims, "shape", ignore=True)
            kept = inside.reshape(indices.shape[:-1])
            indices, updates = indices[kept], updates[kept]
        rows, values = _rows_to_update(indices, updates, dims, "input")
        if updates.dtype.kind == "O":
            result = np.full(dims, b"", object)
        else:
            result = np.zeros(dims, updates.dtype)
        add_rows(result.reshape(-1, values.shape[1]), rows, values)
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
        raise errors.invalid_argument(
            f"No OpKernel was registered for elements of type {tensor.dtype}"
        )
    rows, values = _rows_to_update(indices, updates, tensor.shape, "tensor")
    result = np.array(tensor)
    combine(result.reshape(-1, values.shape[1]), rows, values)
    return result


_SCATTER_SIGNATURE = "tensor: T, indices: Tindices, updates: T -> output: T"
_SCATTER_ATTRS = {"T": ANY, "Tindices": INDEX, "bad_indices_policy": ""}


@op(_SCATTER_SIGNATURE, **{**_SCATTER_ATTRS, "Tindices": _INDEX | {dtypes.uint16}})
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
        return scattered(tensor, indices, updates, add_rows, unsupported="b")

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
