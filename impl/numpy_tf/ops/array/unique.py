"""Unique: the distinct elements of a vector, in the order of their first appearance."""

import collections

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import ANY, INT32_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.ops.array.dims import with_rank


def _first_appearances(x):
    """Distinct elements by first appearance, where each element is among them, their counts."""
    if x.ndim != 1:
        raise errors.invalid_argument("unique expects a 1D vector.")
    _, first, inverse, counts = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return x[first[order]], place[inverse], counts[order]


def _vector_length(op):
    dims = op.inputs[0].dims
    if dims is not None and len(dims) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(dims)}")
    return None if dims is None else dims[0]


@op("x: T -> y: T, idx: out_idx", T=ANY, out_idx=INT32_BY_DEFAULT)
class Unique:
    """The distinct elements, and for each element which of them it is."""

    def shape(op):
        return [(None,), (_vector_length(op),)]

    def kernel(x, *, out_idx):
        distinct, positions, _ = _first_appearances(x)
        return distinct, positions.astype(out_idx.as_numpy_dtype)

    gradient = NO_GRADIENT


@op("x: T -> y: T, idx: out_idx, count: out_idx", T=ANY, out_idx=INT32_BY_DEFAULT)
class UniqueWithCounts:
    """The distinct elements, for each element which of them it is, and how often each comes."""

    def shape(op):
        return [(None,), (_vector_length(op),), (None,)]

    def kernel(x, *, out_idx):
        distinct, positions, counts = _first_appearances(x)
        index = out_idx.as_numpy_dtype
        return distinct, positions.astype(index), counts.astype(index)

    gradient = NO_GRADIENT


_Unique = collections.namedtuple("_Unique", ["y", "idx"])
_UniqueWithCounts = collections.namedtuple("_UniqueWithCounts", ["y", "idx", "count"])


@export("unique")
def unique(x, out_idx=dtypes.int32, name=None):
    """The distinct elements of a vector, and for each element which of them it is."""
    return _Unique(*Unique(x, out_idx=dtypes.as_dtype(out_idx), name=name))


@export("unique_with_counts")
def unique_with_counts(x, out_idx=dtypes.int32, name=None):
    """As `unique`, and how often each distinct element comes."""
    return _UniqueWithCounts(*UniqueWithCounts(x, out_idx=dtypes.as_dtype(out_idx), name=name))


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
