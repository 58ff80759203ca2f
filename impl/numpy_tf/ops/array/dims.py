"""What shape functions compute with: partial shapes, and dimensions that may be unknown.

A shape is None or a tuple, a dimension an int or None, as in `framework.tensor_shape`. The
rules and the wording of the errors (ValueError throughout) are those of TensorFlow's shape
inference.
"""

from numpy_tf.framework.static_value import constant_value, shape_value
from numpy_tf.framework.tensor_shape import bracket_dims

# -- shapes ------------------------------------------------------------------------------


def with_rank(dims, rank):
    """`dims`, known to have `rank` dimensions."""
    if dims is None:
        return (None,) * rank
    if len(dims) != rank:
        raise ValueError(f"Shape must be rank {rank} but is rank {len(dims)}")
    return dims


def with_rank_at_least(dims, rank):
    """`dims`, checked to have `rank` dimensions or more if its rank is known."""
    if dims is not None and len(dims) < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {len(dims)}")
    return dims


def merge(a, b):
    """The shape that knows what either knows."""
    if a is None or a == b:
        return b
    if b is None:
        return a
    if len(a) != len(b):
        raise ValueError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    for axis, (x, y) in enumerate(zip(a, b, strict=True)):
        if x is not None and y is not None and x != y:
            raise ValueError(
                f"Dimension {axis} in both shapes must be equal, but are {x} and {y}. "
                f"Shapes are {bracket_dims(a)} and {bracket_dims(b)}."
            )
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def merge_prefix(dims, prefix):
    """`dims` with its first dimensions merged with `prefix`."""
    if dims is None or prefix is None:
        return dims
    with_rank_at_least(dims, len(prefix))
    merged = [
        merge_dim(dim, at, "Dimensions must be equal, but are {} and {}")
        for dim, at in zip(dims, prefix, strict=False)
    ]
    return (*merged, *dims[len(prefix) :])


def subshape(dims, start, end=None):
    """dims[start:end], where the bounds must be within the rank but for the upper ones."""
    if dims is None:
        return None
    rank = len(dims)
    end = rank if end is None else end
    for bound in (start, end):
        if bound < -rank:
            raise ValueError(
                f"Subshape must have computed start >= 0, but is {bound + rank} "
                f"(computed from start {bound} over shape with rank {rank})"
            )
    return dims[start:end]


def concatenate(*parts):
    """The dimensions of all parts, one after the other; None when a rank is unknown."""
    if any(part is None for part in parts):
        return None
    return tuple(dim for part in parts for dim in part)


def replace_dim(dims, axis, dim):
    """`dims` with another dimension at `axis`."""
    axis = axis + len(dims) if axis < 0 else axis
    return (*dims[:axis], dim, *dims[axis + 1 :])


def require_scalar(tensor):
    """ValueError unless the tensor may be a scalar."""
    with_rank(tensor.dims, 0)


# -- dimensions --------------------------------------------------------------------------


def add_dims(a, b):
    """a + b."""
    return None if a is None or b is None else a + b


def subtract_dims(a, b):
    """a - b, which may not be negative."""
    if a is None or b is None:
        return a if b == 0 else None
    if a < b:
        raise ValueError(f"Negative dimension size caused by subtracting {b} from {a}")
    return a - b


def multiply_dims(a, b):
    """a * b; nothing times the unknown is nothing."""
    if a == 0 or b == 0:
        return 0
    return None if a is None or b is None else a * b


def divide_dim(a, count):
    """a / count, which must come out even."""
    if a is None or count == 1:
        return a
    if count <= 0 or a % count:
        raise ValueError(f"Dimension size must be evenly divisible by {count} but is {a}")
    return a // count


def merge_dim(a, b, complaint="Dimension must be {1} but is {0}"):
    """The dimension that either knows."""
    if a is None or b is None or a == b:
        return b if a is None else a
    raise ValueError(complaint.format(a, b))


def dims_given_by(tensor):
    """The static shape that a vector of dimensions stands for; -1 is unknown.

    Raises:
      ValueError: when a dimension is known to be less than -1.
    """
    value = constant_value(tensor)
    if value is not None and value.size and value.min() < -1:
        raise ValueError(f"Invalid value in tensor used for shape: {value.min()}")
    return shape_value(tensor)


def static_axis(tensor, dims):
    """The axis that a scalar tensor names, counted from the front, or None when unknown.

    Args:
      tensor: scalar integer tensor, in [-rank, rank).
      dims: the shape that the axis is of.
    """
    require_scalar(tensor)
    value = constant_value(tensor)
    if value is None:
        return None
    axis = int(value)
    if dims is None:
        return None if axis < 0 else axis
    if not -len(dims) <= axis < len(dims):
        raise ValueError(
            f"Dimension size, given by scalar input {axis} must be in range "
            f"[{-len(dims)}, {len(dims)})"
        )
    return axis + len(dims) if axis < 0 else axis
