"""What reference and resource variables' updates have in common: shapes and scattered rows."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array import gather_nd


def same_dims(a, b):
    """The static shape that two equal shapes have; ValueError in the runtime's words."""
    if a is None or a == b:
        return b
    if b is None:
        return a
    if len(a) != len(b):
        raise ValueError(
            f"Shapes must be equal rank, but are {len(a)} and {len(b)}. "
            f"Shapes are {bracket_dims(a)} and {bracket_dims(b)}."
        )
    for axis, (x, y) in enumerate(zip(a, b, strict=True)):
        if x is not None and y is not None and x != y:
            raise ValueError(
                f"Dimension {axis} in both shapes must be equal, but are {x} and {y}. "
                f"Shapes are {bracket_dims(a)} and {bracket_dims(b)}."
            )
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def scatter_dims(variable, indices, updates):
    """Checks that each index has one row of updates; a scalar update is for all.

    Args:
      variable, indices, updates: static shapes.

    Raises:
      ValueError: when they do not fit.
    """
    if updates and variable is not None and indices is not None:
        same_dims(updates, (*indices, *variable[1:]))


def _set_rows(rows, indices, updates):
    rows[indices] = updates


# One index may come more than once, and then counts each time, in order.
ROW_UPDATES = {
    "update": _set_rows,
    "add": np.add.at,
    "sub": np.subtract.at,
    "mul": np.multiply.at,
    "div": np.divide.at,
    "min": np.minimum.at,
    "max": np.maximum.at,
}


def scattered(value, indices, updates, how):
    """A copy of `value` with rows updated, as `how` of `ROW_UPDATES` says.

    Raises:
      errors.InvalidArgumentError: for an index that is out of range.
    """
    outside = (indices < 0) | (indices >= len(value))
    if outside.any():
        at = np.unravel_index(int(np.argmax(outside)), indices.shape)
        position = ",".join(map(str, at))
        raise errors.invalid_argument(
            f"indices[{position}] = {indices[at]} is not in [0, {len(value)})"
        )
    rows = value.copy()
    ROW_UPDATES[how](rows, indices, updates)
    return rows


def check_scatter_nd_dims(indices, updates, variable):
    """Checks that each position has one slice of updates.

    Args:
      indices, updates, variable: static shapes.

    Raises:
      ValueError: when they do not fit.
    """
    gather_nd.check_scatter_dims(indices, updates, variable, "input")


def scattered_nd(value, indices, updates, how):
    """A copy of `value` with slices at positions updated, as `how` of `ROW_UPDATES` says.

    Raises:
      errors.InvalidArgumentError: for a position that is out of range, or shapes that do not
        fit.
    """
    return gather_nd.scattered(value, indices, updates, ROW_UPDATES[how])
