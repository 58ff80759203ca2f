"""Norms of vectors and matrices."""

import numpy as np

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.shape import squeeze
from numpy_tf.ops.math.arithmetic import pow
from numpy_tf.ops.math.cast import conj
from numpy_tf.ops.math.elementwise import Sqrt
from numpy_tf.ops.math.elementwise import abs as absolute
from numpy_tf.ops.math.reduction import reduce_max, reduce_sum


def _check(ord, axis, of_matrices):
    if of_matrices:
        if not all(isinstance(a, int) for a in axis) or axis[0] == axis[1]:
            raise ValueError(
                f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}"
            )
        supported = ["euclidean", "fro", 1, 2, np.inf]
        if ord not in supported:
            raise ValueError(f"'ord' must be a supported matrix norm in {supported}, got {ord}")
        return
    if not (isinstance(axis, int) or axis is None):
        raise ValueError(
            f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}"
        )
    supported = ["euclidean", 1, 2, np.inf]
    if (not np.isreal(ord) or ord <= 0) and ord not in supported:
        raise ValueError(f"'ord' must be a supported vector norm, got {ord}")


@export("norm", "linalg.norm")
def norm(tensor, ord="euclidean", axis=None, keepdims=None, name=None, keep_dims=None):
    """The norm of vectors along one axis, of matrices along two, or of all elements.

    Args:
      ord: "euclidean", a positive number or infinity; for matrices "euclidean" or "fro",
        1 or infinity.

    Raises:
      ValueError: for another `ord` or `axis`.
      NotImplementedError: for the spectral norm, `ord=2` of matrices.
    """
    keep = bool(keep_dims if keepdims is None else keepdims)
    of_matrices = isinstance(axis, (tuple, list)) and len(axis) == 2
    if of_matrices:
        axis = tuple(axis)
    _check(ord, axis, of_matrices)
    if axis is not None and not of_matrices:
        axis = (axis,)
    with NameScope(name, "norm", [tensor]):
        tensor = convert_to_tensor(tensor)
        if ord in ("fro", "euclidean", 2, 2.0):
            if of_matrices and ord in (2, 2.0):
                raise NotImplementedError("tf.norm with ord=2 of matrices needs Svd")
            result = Sqrt(reduce_sum(tensor * conj(tensor), axis, keepdims=True))
        else:
            result = _of_sizes(absolute(tensor), ord, axis, of_matrices)
        return result if keep else squeeze(result, axis)


def _of_sizes(sizes, ord, axis, of_matrices):
    first = None if axis is None else axis[0]
    if ord == 1:
        result = reduce_sum(sizes, first, keepdims=True)
        return reduce_max(result, axis[-1], keepdims=True) if of_matrices else result
    if ord == np.inf:
        if of_matrices:
            sizes = reduce_sum(sizes, axis[1], keepdims=True)
        return reduce_max(sizes, first, keepdims=True)
    return pow(reduce_sum(pow(sizes, ord), axis, keepdims=True), 1.0 / ord)


@export("linalg.normalize")
def normalize(tensor, ord="euclidean", axis=None, name=None):
    """The tensor divided by its norm, and that norm; see `norm` for the arguments."""
    with NameScope(name, "normalize", [tensor]):
        tensor = convert_to_tensor(tensor)
        size = norm(tensor, ord, axis, keepdims=True)
        return tensor / size, size
