"""Sums and means over groups of rows that are first looked up by their indices."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import FLOATING, INT32_BY_DEFAULT, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import merge, with_rank, with_rank_at_least
from numpy_tf.ops.array.positions import add_rows
from numpy_tf.ops.array.shape import shape

_AT_ONCE = 8  # rows that TensorFlow adds to each other before it adds them to a sum
_SHORT = 10  # fewer rows than this are multiplied by a reciprocal, not divided

_ROWS = "data: T, indices: Tidx, segment_ids: Tsegmentids -> output: T"
_ROWS_AND_COUNT = (
    "data: T, indices: Tidx, segment_ids: Tsegmentids, num_segments: Tnumsegments -> output: T"
)
_IDS = {"Tidx": INT32_BY_DEFAULT, "Tsegmentids": INT32_BY_DEFAULT}
_ATTRS = {**_IDS, "sparse_gradient": False}
_COUNT = {**_ATTRS, "Tnumsegments": INT32_BY_DEFAULT}
_GRAD = "grad: T, indices: Tidx, segment_ids: Tsegmentids, output_dim0: int32 -> output: T"
_GRAD_V2 = (
    "grad: T, indices: Tidx, segment_ids: Tsegmentids, dense_output_dim0: int32 "
    "-> output: T, sorted_unique_indices: Tidx"
)


# -- sums of segments --------------------------------------------------------------------


def _dims(op):
    data, indices, ids = (tensor.dims for tensor in op.inputs[:3])
    merge(with_rank(ids, 1), with_rank(indices, 1))
    data = with_rank_at_least(data, 1)
    count = constant_value(op.inputs[3]) if len(op.inputs) > 3 else None
    return None if data is None else (None if count is None else int(count), *data[1:])


def _checked(data, indices, ids, count):
    """How many segments there are.

    Raises:
      InvalidArgumentError: for ids that are not sorted, or an id or index out of range.
    """
    if ids.shape != indices.shape:
        raise errors.invalid_argument("segment_ids and indices should have same size.")
    if count is not None and count < 0:
        raise errors.invalid_argument("segment ids must be >= 0")
    if not len(ids):
        return 0 if count is None else int(count)
    total = int(ids[-1]) + 1
    if count is not None:
        if total > count:
            raise errors.invalid_argument("segment ids must be < num_segments")
        total = int(count)
    if (ids[1:] < ids[:-1]).any():
        raise errors.invalid_argument("segment ids are not increasing")
    if ids[0] < 0:
        raise errors.invalid_argument(
            f"Segment id {ids[0]} out of range [0, {total}), possibly because 'segment_ids' "
            "input is not sorted."
        )
    _check_within(indices, len(data))
    return total


def _check_within(indices, size):
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        at = int(np.argmax(outside))
        raise errors.invalid_argument(
            f"Bad: indices[{at}] == {indices[at]} out of range [0, {size})"
        )


def _sums(rows, counts):
    """The sums of runs of rows, each as long as `counts` says (1 or more).

    TensorFlow adds eight rows to each other, then the next eight, and these sums to the sum
    of the first, of which there are as many as make the rest come out even (nine for one).
    """
    first = counts % _AT_ONCE
    first[first == 0] = _AT_ONCE
    first[first == 1] = _AT_ONCE + 1
    first = np.minimum(first, counts)
    groups = 1 + (counts - first) // _AT_ONCE
    leading = np.cumsum(groups) - groups
    sizes = np.full(groups.sum(), _AT_ONCE)
    sizes[leading] = first
    starts = np.cumsum(sizes) - sizes
    sums = rows[starts]
    for place in range(1, _AT_ONCE + 1):
        reaching = sizes > place
        sums[reaching] += rows[starts[reaching] + place]
    later = np.ones(len(sizes), bool)
    later[leading] = False
    result = sums[leading]
    np.add.at(result, np.repeat(np.arange(len(counts)), groups)[later], sums[later])
    return result


def _reduced(data, indices, ids, count=None, divisor=None):
    """The sum of each segment, divided by `divisor(its length)`; zero for none.

    Half precision is summed and divided in float32.
    """
    total = _checked(data, indices, ids, count)
    result = np.zeros((total, *data.shape[1:]), data.dtype)
    if not len(ids):
        return result
    half = data.dtype.itemsize == 2 and data.dtype.kind not in "iu"
    rows = data[indices]
    rows = rows.astype(np.float32) if half else rows
    found, counts = np.unique(ids, return_counts=True)
    sums = _sums(rows, counts)
    if divisor is not None:
        by = divisor(counts).astype(rows.dtype).reshape((-1,) + (1,) * (rows.ndim - 1))
        sums = sums / by if half else np.where(_long(counts, by), sums / by, sums * (1 / by))
    result[found] = sums
    return result


def _long(counts, like):
    return (counts >= _SHORT).reshape(like.shape)


def _gradient_by(dense, sparse):
    """A gradient function, of what makes dense gradients and what makes IndexedSlices."""

    def gradient(op, grad):
        data, indices, ids = op.inputs[:3]
        others = [None] * (len(op.inputs) - 1)
        if not op.attrs["sparse_gradient"]:
            return [dense()(grad, indices, ids, shape(data)[0]), *others]
        size = shape(data)
        values, rows = sparse()(grad, indices, ids, size[0])
        return [IndexedSlices(values, rows, size), *others]

    return gradient


_sum_gradient = _gradient_by(lambda: SparseSegmentSumGrad, lambda: SparseSegmentSumGradV2)
_mean_gradient = _gradient_by(lambda: SparseSegmentMeanGrad, lambda: SparseSegmentMeanGradV2)
_sqrt_n_gradient = _gradient_by(lambda: SparseSegmentSqrtNGrad, lambda: SparseSegmentSqrtNGradV2)


@op(_ROWS, T=REAL, **_ATTRS)
class SparseSegmentSum:
    """The sum of data[indices] over those that share an id; the ids are sorted."""

    shape = _dims

    def kernel(data, indices, segment_ids):
        return _reduced(data, indices, segment_ids)

    gradient = _sum_gradient


@op(_ROWS_AND_COUNT, T=REAL, **_COUNT)
class SparseSegmentSumWithNumSegments:
    """`SparseSegmentSum` with zeros for missing segments up to a number."""

    shape = _dims

    def kernel(data, indices, segment_ids, num_segments):
        return _reduced(data, indices, segment_ids, num_segments)

    gradient = _sum_gradient


@op(_ROWS, T=FLOATING, **_ATTRS)
class SparseSegmentMean:
    """The mean of data[indices] over those that share an id; the ids are sorted."""

    shape = _dims

    def kernel(data, indices, segment_ids):
        return _reduced(data, indices, segment_ids, divisor=np.float64)

    gradient = _mean_gradient


@op(_ROWS_AND_COUNT, T=FLOATING, **_COUNT)
class SparseSegmentMeanWithNumSegments:
    """`SparseSegmentMean` with zeros for missing segments up to a number."""

    shape = _dims

    def kernel(data, indices, segment_ids, num_segments):
        return _reduced(data, indices, segment_ids, num_segments, divisor=np.float64)

    gradient = _mean_gradient


@op(_ROWS, T=FLOATING, **_ATTRS)
class SparseSegmentSqrtN:
    """`SparseSegmentSum` divided by the root of how many each segment has."""

    shape = _dims

    def kernel(data, indices, segment_ids):
        return _reduced(data, indices, segment_ids, divisor=np.sqrt)

    gradient = _sqrt_n_gradient


@op(_ROWS_AND_COUNT, T=FLOATING, **_COUNT)
class SparseSegmentSqrtNWithNumSegments:
    """`SparseSegmentSqrtN` with zeros for missing segments up to a number."""

    shape = _dims

    def kernel(data, indices, segment_ids, num_segments):
        return _reduced(data, indices, segment_ids, num_segments, divisor=np.sqrt)

    gradient = _sqrt_n_gradient


# -- their gradients ---------------------------------------------------------------------


def _grad_dims(op):
    grad, indices, ids, size = op.inputs
    merge(with_rank(ids.dims, 1), with_rank(indices.dims, 1))
    count = constant_value(size)
    dims = with_rank_at_least(grad.dims, 1)
    return None if dims is None else (None if count is None else int(count), *dims[1:])


def _grad_v2_dims(op):
    dims = _grad_dims(op)
    return [None if dims is None else (None, *dims[1:]), (None,)]


def _spread(grad, indices, ids, size, divisor=None):
    """grad[ids], divided by `divisor(how many share the id)`, summed at the indices."""
    if ids.shape != indices.shape:
        raise errors.invalid_argument("segment_ids and indices should have same size.")
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        raise errors.invalid_argument(f"Index {indices[outside][0]} out of range [0, {size}).")
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < len(grad):
        raise errors.invalid_argument("Invalid number of segments")
    wide = grad.astype(np.float32) if grad.dtype.itemsize == 2 else grad
    rows = wide[ids]
    if divisor is not None:
        counts = np.bincount(ids, minlength=1)[ids] if len(ids) else ids
        scale = (1 / divisor(counts)).astype(wide.dtype)
        rows = rows * scale.reshape((-1,) + (1,) * (grad.ndim - 1))
    result = np.zeros((int(size), *grad.shape[1:]), wide.dtype)
    add_rows(result, indices, rows)
    return result.astype(grad.dtype)


def _spread_to_found(grad, indices, ids, size, divisor=None):
    """`_spread` for the indices that occur, and these."""
    outside = (indices < 0) | (indices >= size)
    if outside.any():
        raise errors.invalid_argument(f"Index {indices[outside][0]} out of range [0, {size}).")
    found, places = np.unique(indices, return_inverse=True)
    return _spread(grad, places, ids, len(found), divisor), found


@op(_GRAD, T=FLOATING, **_IDS)
class SparseSegmentSumGrad:
    """The gradient of `SparseSegmentSum` for its data."""

    shape = _grad_dims

    def kernel(grad, indices, segment_ids, output_dim0):
        return _spread(grad, indices, segment_ids, output_dim0)

    gradient = NO_GRADIENT


@op(_GRAD, T=FLOATING, **_IDS)
class SparseSegmentMeanGrad:
    """The gradient of `SparseSegmentMean` for its data."""

    shape = _grad_dims

    def kernel(grad, indices, segment_ids, output_dim0):
        return _spread(grad, indices, segment_ids, output_dim0, np.float64)

    gradient = NO_GRADIENT


@op(_GRAD, T=FLOATING, **_IDS)
class SparseSegmentSqrtNGrad:
    """The gradient of `SparseSegmentSqrtN` for its data."""

    shape = _grad_dims

    def kernel(grad, indices, segment_ids, output_dim0):
        return _spread(grad, indices, segment_ids, output_dim0, np.sqrt)

    gradient = NO_GRADIENT


@op(_GRAD_V2, T=FLOATING, **_IDS)
class SparseSegmentSumGradV2:
    """The rows of `SparseSegmentSumGrad` that are summed at all, and their indices."""

    shape = _grad_v2_dims

    def kernel(grad, indices, segment_ids, dense_output_dim0):
        return _spread_to_found(grad, indices, segment_ids, dense_output_dim0)

    gradient = NO_GRADIENT


@op(_GRAD_V2, T=FLOATING, **_IDS)
class SparseSegmentMeanGradV2:
    """The rows of `SparseSegmentMeanGrad` that are summed at all, and their indices."""

    shape = _grad_v2_dims

    def kernel(grad, indices, segment_ids, dense_output_dim0):
        return _spread_to_found(grad, indices, segment_ids, dense_output_dim0, np.float64)

    gradient = NO_GRADIENT


@op(_GRAD_V2, T=FLOATING, **_IDS)
class SparseSegmentSqrtNGradV2:
    """The rows of `SparseSegmentSqrtNGrad` that are summed at all, and their indices."""

    shape = _grad_v2_dims

    def kernel(grad, indices, segment_ids, dense_output_dim0):
        return _spread_to_found(grad, indices, segment_ids, dense_output_dim0, np.sqrt)

    gradient = NO_GRADIENT


# -- tf.sparse.segment_* -----------------------------------------------------------------


def _public(plain, counted, data, indices, segment_ids, num_segments, **others):
    if num_segments is None:
        return plain(data, indices, segment_ids, **others)
    return counted(data, indices, segment_ids, num_segments, **others)


@export("sparse_segment_sum", "sparse.segment_sum")
def sparse_segment_sum(
    data, indices, segment_ids, name=None, num_segments=None, sparse_gradient=False
):
    """The sum of data[indices] over those that share an id.

    Args:
      segment_ids: sorted, as many as indices.
      num_segments: how many sums to return, or None for the last id plus one.
      sparse_gradient: whether the gradient is IndexedSlices.
    """
    return _public(
        SparseSegmentSum,
        SparseSegmentSumWithNumSegments,
        data,
        indices,
        segment_ids,
        num_segments,
        sparse_gradient=sparse_gradient,
        name=name,
    )


@export("sparse_segment_mean", "sparse.segment_mean")
def sparse_segment_mean(
    data, indices, segment_ids, name=None, num_segments=None, sparse_gradient=False
):
    """The mean of data[indices] over those that share an id; see `sparse_segment_sum`."""
    return _public(
        SparseSegmentMean,
        SparseSegmentMeanWithNumSegments,
        data,
        indices,
        segment_ids,
        num_segments,
        sparse_gradient=sparse_gradient,
        name=name,
    )


@export("sparse_segment_sqrt_n", "sparse.segment_sqrt_n")
def sparse_segment_sqrt_n(
    data, indices, segment_ids, name=None, num_segments=None, sparse_gradient=False
):
    """Sums as `sparse_segment_sum`, divided by the root of how many each has."""
    return _public(
        SparseSegmentSqrtN,
        SparseSegmentSqrtNWithNumSegments,
        data,
        indices,
        segment_ids,
        num_segments,
        sparse_gradient=sparse_gradient,
        name=name,
    )
