"""Adjoints, traces, and products of matrices with vectors and of tensors along axes."""

import math

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.diagonal import matrix_diag_part
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape, squeeze
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.array.transpose import matrix_transpose, transpose
from numpy_tf.ops.array.unique import setdiff1d
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_prod, reduce_sum
from numpy_tf.ops.math.sequence import range as range_of


@export("linalg.adjoint")
def adjoint(matrix, name=None):
    """The conjugate transpose of matrices."""
    with NameScope(name, "adjoint", [matrix]):
        matrix = convert_to_tensor(matrix, name="matrix")
        return matrix_transpose(matrix, conjugate=True)


@export("trace", "linalg.trace")
def trace(x, name=None):
    """The sums of the diagonals of matrices."""
    with NameScope(name, "Trace", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return reduce_sum(matrix_diag_part(x), [-1], name=scope)


@export("linalg.matvec")
def matvec(
    a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False, name=None
):
    """Matrices [..., M, N] times vectors [..., N]; the flags are those of `tf.matmul`."""
    with NameScope(name, "MatVec", [a, b]):
        column = expand_dims(b, axis=-1)
        product = matmul(a, column, transpose_a=transpose_a, adjoint_a=adjoint_a)
        return squeeze(product, axis=-1)


# -- tensordot ---------------------------------------------------------------------------


def _axes_of_both(a, axes):
    """The axes of each side along which a tensordot sums."""
    if isinstance(axes, int):
        if axes < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        if a.dims is None:
            count = rank(a)
            return range_of(count - axes, count, dtype="int32"), range_of(axes, dtype="int32")
        if axes > len(a.dims):
            raise ValueError(
                f"`axes` must not be larger than the number of dimensions of tensor {a}.  "
                f"Received {axes}, vs tensor dimensions {len(a.dims)}."
            )
        return list(range(len(a.dims) - axes, len(a.dims))), list(range(axes))
    if not isinstance(axes, (list, tuple)):
        axes = convert_to_tensor(axes, name="axes", dtype=dtypes.int32)
        return axes[0], axes[1]
    if len(axes) != 2:
        raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
    of_a, of_b = axes
    if isinstance(of_a, int) and isinstance(of_b, int):
        return [of_a], [of_b]
    if len(of_a) != len(of_b):
        raise ValueError(
            f"Different number of contraction axes `a` and `b`, {len(of_a)} != {len(of_b)}."
        )
    return of_a, of_b


def _as_matrix(tensor, axes, summed_first):
    """The tensor as a matrix, of the axes that are summed and the rest.

    Returns:
      It; the sizes of the rest, a list or a tensor; and what is statically known of them.
    """
    listed = isinstance(axes, (list, tuple)) and tensor.dims is not None
    if listed:
        count = len(tensor.dims)
        axes = [axis + count if axis < 0 else axis for axis in axes]
        free = [axis for axis in range(count) if axis not in axes]
        static = [tensor.dims[axis] for axis in free]
        if None not in tensor.dims:
            order = [*axes, *free] if summed_first else [*free, *axes]
            sizes = [math.prod(static), math.prod(tensor.dims[axis] for axis in axes)]
            sizes = tuple(reversed(sizes) if summed_first else sizes)
            if order != list(range(count)):
                tensor = transpose(tensor, order)
            return (reshape(tensor, sizes) if tensor.dims != sizes else tensor), static, static
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        free = convert_to_tensor(free, dtype=dtypes.int32, name="free")
        whole = shape(tensor)
    else:
        static = None
        whole, count = shape(tensor), rank(tensor)
        axes = convert_to_tensor(axes, dtype=dtypes.int32, name="axes")
        axes = where(axes >= 0, axes, axes + count)
        free, _ = setdiff1d(range_of(count), axes)
    free_sizes, summed_sizes = gather(whole, free), gather(whole, axes)
    of_free, of_summed = reduce_prod(free_sizes), reduce_prod(summed_sizes)
    if summed_first:
        order, sizes = concat([axes, free], 0), stack([of_summed, of_free])
    else:
        order, sizes = concat([free, axes], 0), stack([of_free, of_summed])
    return reshape(transpose(tensor, order), sizes), free_sizes, static


@export("tensordot", "linalg.tensordot")
def tensordot(a, b, axes, name=None):
    """The sum of products of two tensors along axes of each.

    Args:
      axes: how many of the last of `a` and the first of `b`; or a list (or tensor) of those
        of `a` and those of `b`.

    Raises:
      ValueError: for axes that are not as many on both sides, or more than there are.
    """
    with NameScope(name, "Tensordot", [a, b, axes]) as scope:
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, name="b")
        a_axes, b_axes = _axes_of_both(a, axes)
        left, a_sizes, a_static = _as_matrix(a, a_axes, summed_first=False)
        right, b_sizes, b_static = _as_matrix(b, b_axes, summed_first=True)
        product = matmul(left, right)
        if isinstance(a_sizes, list) and isinstance(b_sizes, list):
            if product.dims == (*a_sizes, *b_sizes):
                return product
            return reshape(product, a_sizes + b_sizes, name=scope)
        a_sizes = convert_to_tensor(a_sizes, dtype=dtypes.int32)
        b_sizes = convert_to_tensor(b_sizes, dtype=dtypes.int32)
        result = reshape(product, concat([a_sizes, b_sizes], 0), name=scope)
        if a_static is not None and b_static is not None:
            result.set_shape(a_static + b_static)
        return result
