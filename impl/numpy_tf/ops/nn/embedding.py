"""Embeddings: rows of a table by ids; the table may be cut into parts, and rows be combined."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.data_flow import dynamic_partition, parallel_dynamic_stitch
from numpy_tf.ops.array.dims import concatenate, merge, subshape
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape, size
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.array.unique import unique
from numpy_tf.ops.math.arithmetic import Maximum, Pow, div_no_nan
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.clip import clip_by_norm
from numpy_tf.ops.math.elementwise import Sqrt
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.segment import SegmentSum
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.math.sparse_segment import (
    sparse_segment_mean,
    sparse_segment_sqrt_n,
    sparse_segment_sum,
)
from numpy_tf.ops.sparse.sparse_tensor import SparseTensor

COMBINERS = ("mean", "sqrtn", "sum")
PARTITIONS = ("mod", "div")


@export("nn.embedding_lookup")
def embedding_lookup(
    params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None
):
    """The rows that `ids` name.

    Args:
      params: [rows, ...], a tensor or variable; or a list of such parts, over which the rows are
        spread.
      ids: integers of any shape.
      partition_strategy: "mod": row i is in part i % parts; "div": the parts follow each other,
        the first ones a row longer where the number of rows demands it.
      validate_indices: for TensorFlow's signature.
      max_norm: rows of a greater norm are scaled down to it; None for no limit.

    Returns:
      [ids' shape, ...].

    Raises:
      ValueError: when there are no params, or for another strategy.
      errors.InvalidArgumentError: for an id that is in no part.
    """
    if params is None:
        raise ValueError("params must be specified")
    parts = list(params) if isinstance(params, (list, tuple)) else [params]
    if not parts:
        raise ValueError("Length of params is currently 0. Need at least one param.")
    with NameScope(name, "embedding_lookup", [*parts, ids]) as scope:
        if not any(hasattr(part, "sparse_read") for part in parts):
            parts = [convert_to_tensor(part, name=f"params_{i}") for i, part in enumerate(parts)]
        ids = convert_to_tensor(ids, name="ids")
        if len(parts) == 1:
            return identity(_limited(gather(parts[0], ids, name=scope), ids, max_norm))
        rows = _rows_of_parts(parts, reshape(ids, [-1]), partition_strategy, scope)
        dims = _row_dims(parts)
        tail = shape(parts[0])[1:] if dims is None or None in dims else list(dims)
        rows = reshape(rows, concat([shape(ids), tail], 0))
        rows.set_shape(concatenate(ids.dims, dims))
        return _limited(rows, ids, max_norm)


def _rows_of_parts(parts, ids, strategy, name):
    """[ids, ...] rows, each from the part that has it."""
    place = range_of(size(ids))
    part_of, row_of = _places(parts, ids, strategy)
    part_of = cast(part_of, dtypes.int32)
    rows = dynamic_partition(row_of, part_of, len(parts))
    places = dynamic_partition(place, part_of, len(parts))
    found = [gather(part, wanted) for part, wanted in zip(parts, rows, strict=True)]
    return parallel_dynamic_stitch(places, found, name=name)


def _places(parts, ids, strategy):
    """In which part each row is, and where in it.

    Raises:
      ValueError: for an unknown strategy.
    """
    count = len(parts)
    if strategy == "mod":
        return ids % count, ids // count
    if strategy != "div":
        raise ValueError(
            f"Unrecognized partition strategy: {strategy}.Must be one of either `mod` or `div`."
        )
    total = _row_count(parts, ids.dtype)
    each, longer = total // count, total % count
    part_of = Maximum(ids // (each + 1), (ids - longer) // each)
    return part_of, where(part_of < longer, ids % (each + 1), (ids - longer) % each)


def _row_count(parts, dtype):
    counts = [part.shape.as_list()[0] for part in parts]
    if None not in counts:
        return constant(sum(counts), dtype)
    counts = [
        shape(part)[0] if count is None else count
        for part, count in zip(parts, counts, strict=True)
    ]
    return reduce_sum(cast(stack(counts), dtype))


def _row_dims(parts):
    dims = None
    for part in parts:
        known = None if part.shape.ndims is None else tuple(part.shape.as_list())
        dims = merge(dims, subshape(known, 1))
    return dims


def _limited(rows, ids, max_norm):
    """Rows whose norm, over all dimensions that ids do not have, is at most `max_norm`."""
    if max_norm is None:
        return rows
    if ids.dims and rows.dims:
        axes = list(range(len(ids.dims), len(rows.dims)))
    else:
        axes = range_of(rank(ids), rank(rows))
    return clip_by_norm(rows, max_norm, axes=axes)


@export("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(
    params,
    sp_ids,
    sp_weights,
    partition_strategy="mod",
    name=None,
    combiner=None,
    max_norm=None,
    allow_fast_lookup=False,
):
    """For each row of a sparse matrix of ids, the rows that these name, as one.

    Args:
      params: as for `embedding_lookup`.
      sp_ids: a SparseTensor of ids, [n, any].
      sp_weights: a SparseTensor of their weights, at the same positions; None for ones.
      partition_strategy: as for `embedding_lookup`.
      combiner: "sum" of the weighted rows; "mean", divided by the sum of the weights (the
        default); or "sqrtn", divided by the root of the sum of their squares.
      max_norm: as for `embedding_lookup`.
      allow_fast_lookup: whether rows are taken where they stand, without naming each once.

    Raises:
      ValueError: for another combiner.
      TypeError: for ids or weights that are no SparseTensor.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in COMBINERS:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    parts = list(params) if isinstance(params, list) else [params]
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, got {type(sp_ids)}")
    if sp_weights is not None and not isinstance(sp_weights, SparseTensor):
        raise TypeError(f"sp_weights must be either None or SparseTensor,got {type(sp_weights)}")
    with NameScope(name, "embedding_lookup_sparse", [*parts, sp_ids.values]) as scope:
        segments, ids = sp_ids.indices[:, 0], sp_ids.values
        direct = len(parts) == 1 and max_norm is None
        if direct and (allow_fast_lookup or sp_weights is None):
            table, at = convert_to_tensor(parts[0], name="params"), ids
        else:
            once, at = unique(ids)
            table = embedding_lookup(parts, once, partition_strategy, max_norm=max_norm)
        if sp_weights is not None:
            return _weighted(gather(table, at), sp_weights.values, segments, combiner, scope)
        combine = _COMBINED[combiner]
        slices = direct and not allow_fast_lookup
        return combine(table, at, segments, name=scope, sparse_gradient=slices)


_COMBINED = {
    "sum": sparse_segment_sum,
    "mean": sparse_segment_mean,
    "sqrtn": sparse_segment_sqrt_n,
}


def _weighted(rows, weights, segments, combiner, name):
    """Segments of weighted rows as one row each; half precision is computed in float32."""
    segments = cast(segments, dtypes.int32)
    given = rows.dtype
    if given in (dtypes.float16, dtypes.bfloat16):
        rows = cast(rows, dtypes.float32)
    weights = cast(weights, rows.dtype)
    dims = weights.dims
    ones_shape = expand_dims(rank(rows) - 1, 0)
    weights = reshape(weights, concat([shape(weights), ones(ones_shape, dtypes.int32)], 0))
    if rows.dims is not None:
        weights.set_shape(concatenate(dims, (1,) * (len(rows.dims) - 1)))
    total = SegmentSum(rows * weights, segments)
    if combiner == "mean":
        total = div_no_nan(total, SegmentSum(weights, segments), name=name)
    elif combiner == "sqrtn":
        squares = SegmentSum(Pow(weights, 2.0), segments)
        total = div_no_nan(total, Sqrt(squares), name=name)
    return cast(total, given)
