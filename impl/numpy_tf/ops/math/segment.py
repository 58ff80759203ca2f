"""Sums, products and extremes over groups of rows."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import INDEX, INT32_BY_DEFAULT, NUMERIC, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import merge_prefix
from numpy_tf.ops.array.fill import ones, ones_like, zeros_like
from numpy_tf.ops.array.positions import add_rows
from numpy_tf.ops.array.select import where_v2
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape
from numpy_tf.ops.math.arithmetic import Maximum, divide
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import Equal, Greater, GreaterEqual, LogicalAnd

# -- what both kinds share ---------------------------------------------------------------


def _extreme_of(least):
    """A function (rows, ids, count, empty): the maximum of each group, or the minimum.

    TensorFlow keeps the new row's element unless the old one beats it. So a NaN replaces what
    came before it and is itself replaced, and of two zeros the later one gives its sign.
    """
    better = np.minimum if least else np.maximum

    def extreme(rows, ids, count, empty):
        shape = (count, *rows.shape[1:])
        if rows.dtype.kind in "iu":
            worst = np.iinfo(rows.dtype).max if least else np.iinfo(rows.dtype).min
            result = np.full(shape, worst, rows.dtype)
            better.at(result, ids, rows)
        else:
            result = _last_of_the_best(rows, ids, shape, better, np.inf if least else -np.inf)
        filled = np.zeros(count, bool)
        filled[ids] = True
        result[~filled] = empty
        return result

    return extreme


def _last_of_the_best(rows, ids, shape, better, worst):
    order = np.arange(1, len(rows) + 1).reshape((-1,) + (1,) * (rows.ndim - 1))
    order = np.broadcast_to(order, rows.shape)
    nan = np.isnan(rows)
    usable = rows
    if nan.any():
        last_nan = np.zeros(shape, np.int64)
        np.maximum.at(last_nan, ids, np.where(nan, order, 0))
        usable = np.where(order > last_nan[ids], rows, rows.dtype.type(worst))
    best = np.full(shape, worst, rows.dtype)
    better.at(best, ids, usable)
    # The last place that holds the best; where only a NaN is left, that NaN's.
    place = np.zeros(shape, np.int64)
    np.maximum.at(place, ids, np.where((usable == best[ids]) & (rows == usable), order, 0))
    if nan.any():
        place = np.where(place == 0, last_nan, place)
    flat = np.concatenate([np.full((1, *rows.shape[1:]), worst, rows.dtype), rows])
    return np.take_along_axis(flat, place, axis=0)


_maxima, _minima = _extreme_of(least=False), _extreme_of(least=True)


def _products(rows, ids, count, empty):
    result = np.full((count, *rows.shape[1:]), empty, rows.dtype)
    np.multiply.at(result, ids, rows)
    return result


# -- sorted ids --------------------------------------------------------------------------


def _segment_dims(op):
    data, ids = (tensor.dims for tensor in op.inputs)
    if ids is not None and len(ids) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(ids)}")
    if data is None:
        return None
    if not data:
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    return (None, *data[1:])


def _checked(data, ids):
    """How many segments there are.

    Raises:
      InvalidArgumentError: unless ids are as many as rows, not negative, and sorted.
    """
    complaint = None
    if not data.ndim or ids.ndim != 1 or len(ids) != len(data):
        complaint = "segment_ids should be the same size as dimension 0 of input."
    elif len(ids) and (ids[1:] < ids[:-1]).any():
        complaint = "segment ids are not increasing"
    elif len(ids) and ids[0] < 0:
        complaint = (
            f"Segment id {ids[0]} out of range [0, {ids[-1] + 1}), possibly because "
            "'segment_ids' input is not sorted."
        )
    if complaint:
        raise errors.invalid_argument(complaint)
    return int(ids[-1]) + 1 if len(ids) else 0


def _sums(data, ids):
    """The sum of each segment; a row that is alone passes as it is, -0.0 included."""
    result = np.zeros((_checked(data, ids), *data.shape[1:]), data.dtype)
    if len(ids):
        starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        wide = data.dtype.itemsize == 2 and data.dtype.kind not in "iu"
        rows = data.astype(np.float32) if wide else data
        result[ids[starts]] = np.add.reduceat(rows, starts, axis=0)
    return result


@op(
    "data: T, segment_ids: Tindices -> output: T",
    T=NUMERIC,
    Tindices=INDEX,
    public="segment_sum, math.segment_sum",
)
class SegmentSum:
    """The sum of the rows that share an id; the ids are sorted."""

    shape = _segment_dims
    kernel = staticmethod(_sums)

    def gradient(op, grad):
        return _gather(grad, op.inputs[1]), None


def _gather(params, ids):
    from numpy_tf.ops.array.gather import gather

    return gather(params, ids)


@op(
    "data: T, segment_ids: Tindices -> output: T",
    T=NUMERIC,
    Tindices=INDEX,
    public="segment_mean, math.segment_mean",
)
class SegmentMean:
    """The mean of the rows that share an id; the ids are sorted."""

    shape = _segment_dims

    def kernel(data, segment_ids):
        total = _sums(data, segment_ids)
        counts = np.maximum(np.bincount(segment_ids, minlength=len(total)), 1)
        counts = counts.reshape((-1,) + (1,) * (data.ndim - 1))
        if data.dtype.kind in "iu":
            return np.trunc(total / counts).astype(data.dtype)
        return total / counts.astype(data.dtype)

    def gradient(op, grad):
        from numpy_tf.ops.array.stack import concat

        data, ids = op.inputs
        ids_shape = shape(ids)
        remaining = ones(expand_dims(rank(data) - 1, 0), dtype=ids_shape.dtype)
        each = ones(concat([ids_shape, remaining], 0), dtype=grad.dtype)
        return _gather(divide(grad, SegmentSum(each, ids)), ids), None


@op(
    "data: T, segment_ids: Tindices -> output: T",
    T=NUMERIC,
    Tindices=INDEX,
    public="segment_prod, math.segment_prod",
)
class SegmentProd:
    """The product of the rows that share an id; the ids are sorted."""

    shape = _segment_dims

    def kernel(data, segment_ids):
        return _products(data, segment_ids, _checked(data, segment_ids), 1)

    def gradient(op, grad):
        data, ids = op.inputs
        is_zero, grad, without_zeros, product = _zeros_apart(
            data, grad, lambda x: SegmentSum(x, ids), lambda x: SegmentProd(x, ids)
        )
        divided = _gather(op.outputs[0], ids) / without_zeros
        partial = where_v2(is_zero, _gather(product, ids), divided)
        return _gather(grad, ids) * partial, None


def _zeros_apart(data, grad, total, multiply):
    """For products, whose derivative by division fails at zeros.

    Returns:
      Where data is zero; the gradient, 0 for groups of more than one zero, whose derivatives
      all vanish; data with ones for zeros; and the product of that.
    """
    is_zero = Equal(data, convert_to_tensor(0, data.dtype.base_dtype))
    zeros = total(cast(is_zero, dtypes.int32))
    grad = where_v2(Greater(zeros, 1), zeros_like(grad), grad)
    without_zeros = where_v2(is_zero, ones_like(data), data)
    return is_zero, grad, without_zeros, multiply(without_zeros)


def _segment_extreme_gradient(op, grad):
    """Split evenly among the elements of a segment that are its extreme."""
    data, ids = op.inputs
    nothing = zeros_like(data)
    chosen = Equal(data, _gather(op.outputs[0], ids))
    counts = SegmentSum(cast(chosen, grad.dtype), ids)
    shares = _gather(divide(grad, counts), ids)
    return where_v2(chosen, shares, nothing), None


@op(
    "data: T, segment_ids: Tindices -> output: T",
    T=REAL,
    Tindices=INDEX,
    public="segment_max, math.segment_max",
)
class SegmentMax:
    """The maximum of the rows that share an id, 0 for none; the ids are sorted."""

    shape = _segment_dims

    def kernel(data, segment_ids):
        return _maxima(data, segment_ids, _checked(data, segment_ids), 0)

    gradient = _segment_extreme_gradient


@op(
    "data: T, segment_ids: Tindices -> output: T",
    T=REAL,
    Tindices=INDEX,
    public="segment_min, math.segment_min",
)
class SegmentMin:
    """The minimum of the rows that share an id, 0 for none; the ids are sorted."""

    shape = _segment_dims

    def kernel(data, segment_ids):
        return _minima(data, segment_ids, _checked(data, segment_ids), 0)

    gradient = _segment_extreme_gradient


# -- ids in any order --------------------------------------------------------------------


def _unsorted_dims(op):
    data, ids = (tensor.dims for tensor in op.inputs[:2])
    count = constant_value(op.inputs[2])
    if ids is None:
        return None
    data = merge_prefix(data, ids)
    if count is not None and count < 0:
        raise ValueError(
            f"Dimension size, given by scalar input 2, must be non-negative but is {count}"
        )
    return None if data is None else (None if count is None else int(count), *data[len(ids) :])


def _kept(data, segment_ids, num_segments):
    """The rows with an id that is not negative, and those ids.

    Raises:
      InvalidArgumentError: for shapes that do not fit, or an id out of range.
    """
    if data.shape[: segment_ids.ndim] != segment_ids.shape:
        raise errors.invalid_argument(
            f"data.shape = {bracket_dims(data.shape)} does not start with segment_ids.shape = "
            f"{bracket_dims(segment_ids.shape)}",
        )
    ids = segment_ids.reshape(-1)
    rows = data.reshape((ids.size, *data.shape[segment_ids.ndim :]))
    if ids.size and ids.max() >= num_segments:
        at = int(np.argmax(ids >= num_segments))
        raise errors.invalid_argument(
            f"segment_ids[{at}] = {ids[at]} is out of range [0, {int(num_segments)})",
        )
    kept = ids >= 0
    return (rows, ids) if kept.all() else (rows[kept], ids[kept])


@op(
    "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    T=NUMERIC,
    Tindices=INDEX | {dtypes.int16},
    Tnumsegments=INT32_BY_DEFAULT,
)
class UnsortedSegmentSum:
    """The sum of the rows that share an id; rows with a negative id are dropped."""

    shape = _unsorted_dims

    def kernel(data, segment_ids, num_segments):
        rows, ids = _kept(data, segment_ids, num_segments)
        total = np.zeros((int(num_segments), *rows.shape[1:]), data.dtype)
        add_rows(total, ids, rows)
        return total

    def gradient(op, grad):
        return _gather_but_negative(grad, op.inputs[1])[0], None, None


def _gather_but_negative(params, ids, clipped=None, kept=None):
    """params[ids], and zeros where an id is negative.

    Returns:
      That; and the ids with 0 for negative ones, and where they are not negative, which
      may be given again.
    """
    from numpy_tf.ops.array.stack import concat

    if clipped is None:
        clipped = Maximum(ids, zeros_like(ids))
    gathered = _gather(params, clipped)
    if kept is None:
        kept = GreaterEqual(ids, convert_to_tensor(0, ids.dtype.base_dtype))
        kept_shape = shape(kept)
        tail = ones([rank(gathered) - rank(kept)], dtype=kept_shape.dtype)
        kept = reshape(kept, concat([kept_shape, tail], 0))
        kept = LogicalAnd(kept, ones_like(gathered, dtype="bool"))
    return where_v2(kept, gathered, zeros_like(gathered)), clipped, kept


def _unsorted_extreme_gradient(op, grad):
    """Split evenly among the elements of a group that are its extreme."""
    data, ids, count = op.inputs
    gathered, clipped, kept = _gather_but_negative(op.outputs[0], ids)
    chosen = LogicalAnd(Equal(data, gathered), kept)
    counts = UnsortedSegmentSum(cast(chosen, grad.dtype), ids, count)
    shares, _, _ = _gather_but_negative(divide(grad, counts), None, clipped, kept)
    return where_v2(chosen, shares, zeros_like(shares)), None, None


@op(
    "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    T=REAL,
    Tindices=INDEX,
    Tnumsegments=INT32_BY_DEFAULT,
    public="unsorted_segment_max, math.unsorted_segment_max",
)
class UnsortedSegmentMax:
    """The maximum of the rows that share an id, the dtype's least value for none."""

    shape = _unsorted_dims

    def kernel(data, segment_ids, num_segments):
        rows, ids = _kept(data, segment_ids, num_segments)
        return _maxima(rows, ids, int(num_segments), _limits(data.dtype).min)

    gradient = _unsorted_extreme_gradient


def _limits(dtype):
    return dtypes.as_dtype(dtype)


@op(
    "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    T=REAL,
    Tindices=INDEX,
    Tnumsegments=INT32_BY_DEFAULT,
    public="unsorted_segment_min, math.unsorted_segment_min",
)
class UnsortedSegmentMin:
    """The minimum of the rows that share an id, the dtype's greatest value for none."""

    shape = _unsorted_dims

    def kernel(data, segment_ids, num_segments):
        rows, ids = _kept(data, segment_ids, num_segments)
        return _minima(rows, ids, int(num_segments), _limits(data.dtype).max)

    gradient = _unsorted_extreme_gradient


@op(
    "data: T, segment_ids: Tindices, num_segments: Tnumsegments -> output: T",
    T=NUMERIC,
    Tindices=INDEX,
    Tnumsegments=INT32_BY_DEFAULT,
    public="unsorted_segment_prod, math.unsorted_segment_prod",
)
class UnsortedSegmentProd:
    """The product of the rows that share an id; rows with a negative id are dropped."""

    shape = _unsorted_dims

    def kernel(data, segment_ids, num_segments):
        rows, ids = _kept(data, segment_ids, num_segments)
        return _products(rows, ids, int(num_segments), 1)

    def gradient(op, grad):
        data, ids, count = op.inputs
        is_zero, grad, _, product = _zeros_apart(
            data,
            grad,
            lambda x: UnsortedSegmentSum(x, ids, count),
            lambda x: UnsortedSegmentProd(x, ids, count),
        )
        clipped = Maximum(ids, zeros_like(ids))
        divided = _gather(op.outputs[0], clipped) / data
        partial = where_v2(is_zero, _gather(product, clipped), divided)
        return _gather_but_negative(grad, ids, clipped)[0] * partial, None, None


# -- the public functions ----------------------------------------------------------------


@export("unsorted_segment_sum", "math.unsorted_segment_sum")
def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """The sum of the rows of `data` that share an id, for ids 0 to num_segments - 1."""
    return UnsortedSegmentSum(data, segment_ids, num_segments, name=name)


def _group_sizes(data, ids, count):
    """How many rows each group has, at least 1, shaped to divide the groups' sums."""
    from numpy_tf.ops.array.stack import concat

    count = convert_to_tensor(count)
    sizes = UnsortedSegmentSum(ones(shape(ids), dtype=data.dtype), ids, count)
    tail = ones([rank(data) - rank(ids)], dtype=count.dtype)
    sizes = reshape(sizes, concat([expand_dims(count, 0), tail], axis=0))
    return Maximum(sizes, convert_to_tensor(1, data.dtype.base_dtype))


@export("unsorted_segment_mean", "math.unsorted_segment_mean")
def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    """The mean of the rows of `data` that share an id; 0 for none."""
    with NameScope(name, "UnsortedSegmentMean"):
        data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sizes = _group_sizes(data, ids, num_segments)
        return UnsortedSegmentSum(data, ids, num_segments) / sizes


@export("unsorted_segment_sqrt_n", "math.unsorted_segment_sqrt_n")
def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    """The sum of the rows of `data` that share an id, divided by the root of their number."""
    from numpy_tf.ops.math.elementwise import Sqrt

    with NameScope(name, "UnsortedSegmentSqrtN"):
        data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
        sizes = _group_sizes(data, ids, num_segments)
        return UnsortedSegmentSum(data, ids, num_segments) / Sqrt(sizes)
