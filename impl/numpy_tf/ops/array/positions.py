"""Positions: what rows of indices point to in an array, what is outside, and adding there."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.tensor_shape import bracket_dims

WIDE = 16  # elements in a row; of narrower ones `np.add.at` makes as good a job
FEWEST = 1 / 8  # of what is left, added in one round; below, `np.add.at` is faster, too


def position(array_shape, flat_index):
    """Where in an array of indices the bad one is: "[1,0]", and "[0]" for a scalar."""
    at = np.unravel_index(flat_index, array_shape or (1,))
    return f"[{','.join(str(int(i)) for i in at)}]"


def flat_positions(indices, dims, what, ignore=False):
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
        raise errors.invalid_argument(
            f"indices{position(indices.shape[:-1], flat)} = {each[flat].tolist()} "
            f"does not index into {what} {bracket_dims(dims)}"
        )
    strides = np.append(np.cumprod(bounds[:0:-1])[::-1], 1)[:depth].astype(np.int64)
    return np.where(inside, each.astype(np.int64) @ strides, 0), inside


def add_rows(result, places, rows):
    """Adds each row to `result` at its place, one after the other where places repeat.

    As `np.add.at` does, to the bit: in rounds of the first row for each place, the second of
    those that have one, and so on, each of which is one sum of many rows.

    Args:
      result: [m, ...], changed in place.
      places: [n] integers from 0 to m - 1.
      rows: [n, ...].
    """
    first = np.empty(len(result), np.intp)  # place -> the number of its first row
    while rows.size > WIDE * len(places):
        numbers = np.arange(len(places))
        first[places[::-1]] = numbers[::-1]  # of several the last is kept
        chosen = first[places] == numbers
        count = np.count_nonzero(chosen)
        if count == len(places):
            result[places] += rows
            return
        if count < FEWEST * len(places):
            break
        result[places[chosen]] += rows[chosen]
        places, rows = places[~chosen], rows[~chosen]
    np.add.at(result, places, rows)
