"""The greatest elements of each row, and what is sorted by them."""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import INDEX, REAL, Types
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.gather_nd import TensorScatterUpdate, scatter_nd
from numpy_tf.ops.array.shape import BroadcastTo, expand_dims, rank, reshape, shape, size
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.math.arithmetic import divide
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import Equal
from numpy_tf.ops.math.reduction import reduce_prod, reduce_sum
from numpy_tf.ops.math.sequence import range as range_of

_COUNTS = Types(INDEX | {dtypes.int16}, default=dtypes.int32)


def _greatest(rows, count, index_dtype):
    """The `count` greatest of each row in descending order, equal ones by position.

    One alone is found past any NaN. A row to be sorted has no order when there is a NaN in
    it: here NaN comes first; where it comes in TensorFlow is up to its sorting algorithm.
    """
    if count == 1 and rows.shape[-1]:
        at = np.argmax(np.where(rows != rows, -np.inf, rows) if _has_nan(rows) else rows, axis=-1)
        at = at[..., np.newaxis]
    else:
        at = _descending_places(rows)[..., :count]
    return np.take_along_axis(rows, at, axis=-1), at.astype(index_dtype)


def _descending_places(rows):
    """Where in each row its elements are, in descending order, equal ones by position."""
    at = np.argsort(rows, axis=-1)
    ordered = np.take_along_axis(rows, at, axis=-1)
    if (ordered[..., 1:] > ordered[..., :-1]).all():
        return at[..., ::-1]
    # There are equal ones, or NaN. A stable ascending sort of the reversed row, read backwards,
    # which takes three times as long.
    return rows.shape[-1] - 1 - np.argsort(rows[..., ::-1], axis=-1, kind="stable")[..., ::-1]


def _has_nan(rows):
    return rows.dtype.kind not in "iu" and bool(np.isnan(rows).any())


def _top_dims(dims, count):
    if dims is None:
        return [None, None]
    if not dims:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    if count is not None and dims[-1] is not None and dims[-1] < count:
        raise ValueError(f"input must have last dimension >= k = {count} but is {dims[-1]}")
    return [(*dims[:-1], count)] * 2


def _check_count(rows, count):
    if count < 0:
        raise errors.invalid_argument(f"Need k >= 0, got {count}")
    if rows.shape[-1] < count:
        raise errors.invalid_argument(
            f"input must have at least k columns. Had {rows.shape[-1]}, needed {count}"
        )


def _top_gradient(op, grad, _):
    input_shape, index_shape = shape(op.inputs[0]), shape(op.outputs[1])
    width = gather(cast(index_shape, dtypes.int64), size(index_shape) - 1)
    columns = reshape(op.outputs[1], stack([-1, width]))
    input_width = gather(cast(input_shape, dtypes.int64), size(input_shape) - 1)
    rows = shape(columns)[0]
    starts = range_of(0, cast(rows, dtypes.int64) * input_width, input_width)
    flat = reshape(columns + cast(expand_dims(starts, -1), dtypes.int32), [-1])
    spread = scatter_nd(expand_dims(flat, -1), reshape(grad, [-1]), [reduce_prod(input_shape)])
    return [reshape(spread, input_shape), zeros([], dtype=dtypes.int32)][: len(op.inputs)]


@op("input: T -> values: T, indices: int32", T=REAL, k=REQUIRED, sorted=True)
class TopK:
    """The k greatest elements of each row and their positions, as TensorFlow first had it."""

    def shape(op):
        return _top_dims(op.inputs[0].dims, op.attrs["k"])

    def kernel(input, *, k):
        _check_count(input, k)
        return _greatest(input, k, np.int32)

    gradient = _top_gradient


@op(
    "input: T, k: Tk -> values: T, indices: index_type",
    T=REAL,
    Tk=_COUNTS,
    index_type=_COUNTS,
    sorted=True,
)
class TopKV2:
    """The k greatest elements of each row and their positions."""

    def shape(op):
        count = constant_value(op.inputs[1])
        return _top_dims(op.inputs[0].dims, None if count is None else int(count))

    def kernel(input, k, *, index_type):
        _check_count(input, int(k))
        return _greatest(input, int(k), index_type.as_numpy_dtype)

    gradient = _top_gradient


@op(
    "input: T -> values: T, indices: int32",
    T={dtypes.float16, dtypes.bfloat16, dtypes.float32},
    k=REQUIRED,
    reduction_dimension=-1,
    recall_target=0.95,
    is_max_k=True,
    reduction_input_size_override=-1,
    aggregate_to_topk=True,
)
class ApproxTopK:
    """The k greatest elements along a dimension; on a CPU the exact ones, of the last alone."""

    def shape(op):
        attrs, dims = op.attrs, op.inputs[0].dims
        if dims == ():
            raise ValueError("Shape must be at least rank 1 but is rank 0")
        # TensorFlow takes an unknown rank for -1.
        rank, axis = -1 if dims is None else len(dims), attrs["reduction_dimension"]
        if not -rank <= axis < rank:
            raise ValueError(
                f"Invalid reduction dimension: {axis}. Must be within the range of "
                f"[{-rank}, {rank - 1}]"
            )
        if not attrs["aggregate_to_topk"]:
            raise errors.UnsupportedOpError("ApproxTopK with aggregate_to_topk=False")
        size, count = dims[axis], attrs["k"]
        if size is not None and size < count:
            raise ValueError(f"input must have last dimension >= k = {count} but was {size}")
        result = list(dims)
        result[axis] = count
        return [tuple(result)] * 2

    def kernel(input, *, k, reduction_dimension, is_max_k, op):
        if reduction_dimension != -1 or not is_max_k:
            raise errors.no_kernel(op)
        _check_count(input, k)
        return _greatest(input, k, np.int32)

    def gradient(op, grad, _):
        indices, dims = op.outputs[1], op.outputs[1].shape.as_list()
        if None in dims:
            raise ValueError("Cannot convert unknown Dimension ? to a Tensor.")
        axis, count = op.attrs["reduction_dimension"] % len(dims), math.prod(dims)
        lifted = []
        for dimension, length in enumerate(dims):
            if dimension == axis:
                lifted.append(reshape(indices, [*dims, 1]))
                continue
            spread = [1] * (len(dims) + 1)
            spread[dimension] = length
            lifted.append(BroadcastTo(reshape(range_of(length), spread), [*dims, 1]))
        places = reshape(concat(lifted, len(dims)), [count, len(dims)])
        return scatter_nd(places, reshape(grad, [count]), op.inputs[0].dims)


@op("input: T, n: int32 -> values: T", T=REAL, reverse=False)
class NthElement:
    """The n-th smallest element of each row; the n-th greatest under `reverse`."""

    def shape(op):
        dims, place = op.inputs[0].dims, constant_value(op.inputs[1])
        if dims is None:
            return None
        if not dims:
            raise ValueError("Shape must be at least rank 1 but is rank 0")
        if place is not None and dims[-1] is not None and dims[-1] <= place:
            raise ValueError(f"Input must have last dimension > n = {place} but is {dims[-1]}")
        return dims[:-1]

    def kernel(input, n, *, reverse):
        count = input.shape[-1]
        if n < 0 or n >= count:
            raise errors.invalid_argument(f"Need 0 <= n < {count}, got {int(n)}")
        return np.sort(input, axis=-1)[..., count - 1 - n if reverse else n]

    def gradient(op, grad):
        input, output = op.inputs[0], op.outputs[0]
        chosen = cast(Equal(expand_dims(output, -1), input), grad.dtype)
        grad = expand_dims(grad, -1)
        count = expand_dims(reduce_sum(chosen, -1), -1)
        return [divide(chosen, count) * grad, None]


def _approximate(is_max_k):
    def top(
        operand,
        k,
        reduction_dimension=-1,
        recall_target=0.95,
        reduction_input_size_override=-1,
        aggregate_to_topk=True,
        name=None,
    ):
        return ApproxTopK(
            operand,
            k=k,
            reduction_dimension=reduction_dimension,
            recall_target=recall_target,
            is_max_k=is_max_k,
            reduction_input_size_override=reduction_input_size_override,
            aggregate_to_topk=aggregate_to_topk,
            name=name,
        )

    return top


export_as(_approximate(True), "nn.approx_max_k", "math.approx_max_k")
export_as(_approximate(False), "nn.approx_min_k", "math.approx_min_k")


class TopKResult(tuple):
    """The pair (values, indices), also by these names."""

    __slots__ = ()
    values = property(lambda pair: pair[0])
    indices = property(lambda pair: pair[1])


@export("nn.top_k", "math.top_k")
def top_k(input, k=1, sorted=True, index_type=dtypes.int32, name=None):
    """The `k` greatest elements of each row in descending order, and their positions.

    Returns:
      (values, indices), each of the shape of `input` with `k` as last dimension; of equal
      elements the first comes first.
    """
    pair = TopKV2(input, k, sorted=sorted, index_type=index_type, name=name)
    return TopKResult(pair)


def _descending(values, axis, by_position):
    dims = values.dims
    count = shape(values)[axis]
    if axis == -1 or (dims is not None and axis + 1 == len(dims)):
        values, indices = top_k(values, count)
        return indices if by_position else values
    # The axis changes places with the last one, there and back.
    swap = _swap(dims, axis, rank(values))
    values, indices = top_k(transpose(values, swap), count)
    return transpose(indices if by_position else values, swap)


def _swap(dims, axis, count):
    if dims is not None:
        axes = list(range(len(dims)))
        axes[axis], axes[-1] = axes[-1], axes[axis]
        return constant(np.array(axes), name="transposition")
    if axis < 0:
        axis = axis + count
    return TensorScatterUpdate(range_of(count), [[axis], [count - 1]], [count - 1, axis])


def _ascending(values, axis, by_position):
    # TensorFlow sorts what is negated, so that equal elements keep their order.
    if values.dtype.is_unsigned:
        offset = values.dtype.max
        found = _descending(offset - values, axis, by_position)
        return found if by_position else offset - found
    if values.dtype.is_integer:
        found = _descending(-values - 1, axis, by_position)
        return found if by_position else -found - 1
    found = _descending(-values, axis, by_position)
    return found if by_position else -found


_DIRECTIONS = {"ASCENDING": _ascending, "DESCENDING": _descending}


def _sorted(values, axis, direction, by_position):
    if direction not in _DIRECTIONS:
        raise ValueError(
            f"Argument `direction` should be one of {', '.join(sorted(_DIRECTIONS))}. "
            f"Received: direction={direction}"
        )
    axis = convert_to_tensor(axis, name="axis")
    known = constant_value(axis)
    if axis.dims not in (None, ()) or known is None:
        raise ValueError(f"Argument `axis` must be a constant scalar. Received: axis={axis}.")
    values = convert_to_tensor(values, name="values")
    return _DIRECTIONS[direction](values, int(known), by_position)


@export("sort")
def sort(values, axis=-1, direction="ASCENDING", name=None):
    """`values` sorted along `axis`, "ASCENDING" or "DESCENDING".

    Raises:
      ValueError: for another direction, or an axis that is no constant.
    """
    with NameScope(name, "sort"):
        return _sorted(values, axis, direction, by_position=False)


@export("argsort")
def argsort(values, axis=-1, direction="ASCENDING", stable=False, name=None):
    """The int32 positions that sort `values` along `axis`; equal elements keep their order.

    Raises:
      ValueError: for another direction, or an axis that is no constant.
    """
    with NameScope(name, "argsort"):
        return _sorted(values, axis, direction, by_position=True)
