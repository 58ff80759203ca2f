"""Products and solutions of matrices that are zero but for a few diagonals.

Row by row, as TensorFlow's kernels go, for all batches and columns at once.
"""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import COMPLEX
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import op
from numpy_tf.framework.tensor_shape import broadcast_dims, compatible, format_dims
from numpy_tf.ops.array.diagonal import matrix_diag_part
from numpy_tf.ops.array.dims import merge, merge_dim, with_rank_at_least
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.shape import expand_dims, rank, shape, squeeze
from numpy_tf.ops.array.slicing import pad
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.array.transpose import matrix_transpose
from numpy_tf.ops.linalg.solve import (
    MATRIX,
    grad_of_matrix,
    in_single,
    substituted,
    summed_over_batches,
)
from numpy_tf.ops.math.cast import conj
from numpy_tf.ops.math.reduction import reduce_sum

_FULL = COMPLEX | {dtypes.float32, dtypes.float64}
_UNEQUAL = "Dimensions must be equal, but are {} and {}"


# -- rows above and below ----------------------------------------------------------------


def _paddings(of, before, after, axis=-2):
    """What pads one of the last two axes of a tensor whose rank may be unknown."""
    last = [[0, 0], [0, 0]]
    last[axis] = [before, after]
    others = zeros([rank(of) - 2, 2], dtype=dtypes.int32)
    return concat([others, convert_to_tensor(last)], 0)


def _next_rows(x):
    """At each row the row below it, and zeros at the last."""
    return pad(x[..., 1:, :], _paddings(x, 0, 1))


def _previous_rows(x):
    """At each row the row above it, and zeros at the first."""
    return pad(x[..., :-1, :], _paddings(x, 1, 0))


# -- products ----------------------------------------------------------------------------


def _check_diagonal(diagonal, rhs):
    if diagonal.shape != (*rhs.shape[:-2], 1, rhs.shape[-2]):
        raise errors.invalid_argument(
            f"A diagonal of shape {list(diagonal.shape)} does not fit rhs of shape "
            f"{list(rhs.shape)}"
        )


@op("superdiag: T, maindiag: T, subdiag: T, rhs: T -> output: T", T=_FULL)
class TridiagonalMatMul:
    """Tridiagonal matrices times `rhs`; each diagonal is [..., 1, M], `rhs` [..., M, N].

    The last element of the superdiagonal and the first of the subdiagonal are not used.
    """

    def shape(op):
        *diagonals, rhs = (with_rank_at_least(tensor.dims, 2) for tensor in op.inputs)
        known = None
        for diagonal in diagonals:
            known = merge(diagonal, known)
        if known is not None:
            merge_dim(known[-2], 1)
        if rhs is not None and known is not None:
            merge(known[:-2], rhs[:-2])
            merge_dim(known[-1], rhs[-2], _UNEQUAL)
        return rhs

    def kernel(superdiag, maindiag, subdiag, rhs):
        for diagonal in (superdiag, maindiag, subdiag):
            _check_diagonal(diagonal, rhs)
        above, middle, below = (
            np.swapaxes(diagonal, -1, -2) for diagonal in (superdiag, maindiag, subdiag)
        )
        output = middle * rhs
        output[..., :-1, :] += above[..., :-1, :] * rhs[..., 1:, :]
        output[..., 1:, :] += below[..., 1:, :] * rhs[..., :-1, :]
        return output

    def gradient(op, grad):
        above, middle, below = (matrix_transpose(x, conjugate=True) for x in op.inputs[:3])
        rhs = conj(op.inputs[3])
        grads = [
            reduce_sum(_next_rows(rhs) * grad, axis=-1),
            reduce_sum(rhs * grad, axis=-1),
            reduce_sum(_previous_rows(rhs) * grad, axis=-1),
        ]
        grad_rhs = _previous_rows(above * grad) + middle * grad + _next_rows(below * grad)
        return [*(expand_dims(x, -2) for x in grads), grad_rhs]


# -- tridiagonal systems -----------------------------------------------------------------


def _eliminated(above, middle, below, rhs):
    """Gaussian elimination; two rows change places where the lower pivot is larger.

    Args:
      above, middle, below: [B, M], the diagonals; below[:, i] and middle[:, i] share a row.
      rhs: [B, M, N]

    Returns:
      [B, M, N], of NaN where a matrix is singular.
    """
    size = middle.shape[-1]
    x = rhs.copy()
    singular = np.zeros(len(x), bool)
    # Of each row of the upper triangle what is on the diagonal, next to it, and next to that.
    pivot, first, second = middle.copy(), above.copy(), np.zeros_like(middle)
    for i in range(size - 1):
        swap = np.abs(pivot[:, i]) < np.abs(below[:, i + 1])
        singular |= ~swap & (pivot[:, i] == 0)
        upper, lower = pivot[:, i].copy(), below[:, i + 1]
        factor = np.where(swap, upper, lower) / np.where(swap, lower, upper)
        beside, under, beyond = first[:, i].copy(), middle[:, i + 1], above[:, i + 1]
        pivot[:, i] = np.where(swap, lower, upper)
        pivot[:, i + 1] = np.where(swap, beside - factor * under, under - factor * beside)
        first[:, i] = np.where(swap, under, beside)
        if i < size - 2:
            second[:, i] = np.where(swap, beyond, 0)
            first[:, i + 1] = np.where(swap, -factor * beyond, beyond)
        rows, below_rows = x[:, i].copy(), rhs[:, i + 1]
        swap, factor = swap[:, np.newaxis], factor[:, np.newaxis]
        x[:, i] = np.where(swap, below_rows, rows)
        x[:, i + 1] = np.where(swap, rows - factor * below_rows, below_rows - factor * rows)
    singular |= pivot[:, -1] == 0
    for i in range(size - 1, -1, -1):
        for part, row in ((first, i + 1), (second, i + 2)):
            if row < size:
                x[:, i] -= part[:, i, np.newaxis] * x[:, row]
        x[:, i] /= pivot[:, i, np.newaxis]
    x[singular] = np.nan
    return x


def _swept(above, middle, below, rhs):
    """Thomas's algorithm, which changes no rows; for the arguments see `_eliminated`."""
    size = middle.shape[-1]
    ratio, x = np.empty_like(above), np.empty_like(rhs)
    singular = np.zeros(len(x), bool)
    for i in range(size):
        pivot, row = middle[:, i], rhs[:, i]
        if i:
            pivot = pivot - below[:, i] * ratio[:, i - 1]
            row = row - below[:, i, np.newaxis] * x[:, i - 1]
        singular |= pivot == 0
        ratio[:, i] = above[:, i] / pivot
        x[:, i] = row / pivot[:, np.newaxis]
    for i in range(size - 2, -1, -1):
        x[:, i] -= ratio[:, i, np.newaxis] * x[:, i + 1]
    x[singular] = np.nan
    return x


@op(
    "diagonals: T, rhs: T -> output: T",
    T=_FULL,
    partial_pivoting=True,
    perturb_singular=False,
)
class TridiagonalSolve:
    """What tridiagonal matrices take to `rhs`.

    `diagonals` is [..., 3, M]: the diagonal above, the main one, the one below, each with
    its elements in the rows where they stand in the matrix.
    """

    def shape(op):
        diagonals, rhs = (with_rank_at_least(tensor.dims, 2) for tensor in op.inputs)
        if diagonals is not None:
            merge_dim(diagonals[-2], 3)
        if rhs is not None and diagonals is not None:
            merge(diagonals[:-2], rhs[:-2])
            merge_dim(diagonals[-1], rhs[-2], _UNEQUAL)
        return rhs

    def kernel(diagonals, rhs, *, partial_pivoting, perturb_singular):
        if perturb_singular:
            raise errors.UnsupportedOpError("TridiagonalSolve with perturb_singular")
        if diagonals.shape[-2] != 3:
            raise errors.invalid_argument(f"Expected 3 diagonals got {diagonals.shape[-2]}")
        if diagonals.shape[:-2] != rhs.shape[:-2] or diagonals.shape[-1] != rhs.shape[-2]:
            raise errors.invalid_argument(
                "Expected number of left-hand sided and right-hand sides to be equal: "
                f"{list(diagonals.shape)} vs. {list(rhs.shape)}"
            )
        if not rhs.size:
            return rhs.copy()
        solve = _eliminated if partial_pivoting else _swept
        above, middle, below = np.moveaxis(diagonals.reshape(-1, *diagonals.shape[-2:]), -2, 0)
        return solve(above, middle, below, rhs.reshape(-1, *rhs.shape[-2:])).reshape(rhs.shape)

    def gradient(op, grad):
        grad_rhs = TridiagonalSolve(
            _transposed(op.inputs[0]),
            grad,
            partial_pivoting=op.attrs["partial_pivoting"],
            perturb_singular=op.attrs["perturb_singular"],
        )
        return -_diagonals_of_product(grad_rhs, op.outputs[0]), grad_rhs


def _known(tensor):
    return tensor.dims is not None and None not in tensor.dims


def _transposed(diagonals):
    """The three diagonals of the transposed matrix."""
    above, middle, below = (diagonals[..., i, :] for i in range(3))
    if _known(diagonals):
        edge = zeros([*diagonals.dims[:-2], 1], dtype=diagonals.dtype)
        rows = concat([below[..., 1:], edge], -1), concat([edge, above[..., :-1]], -1)
    else:
        none = zeros([rank(diagonals) - 2, 2], dtype=dtypes.int32)
        rows = (
            pad(below[..., 1:], concat([none, convert_to_tensor([[0, 1]])], 0)),
            pad(above[..., :-1], concat([none, convert_to_tensor([[1, 0]])], 0)),
        )
    return stack([rows[0], middle, rows[1]], axis=-2)


def _diagonals_of_product(x, y):
    """The three diagonals of x · yᵀ."""
    if _known(y):
        edge = zeros([*x.dims[:-2], 1, x.dims[-1]], dtype=x.dtype)
        after, before = concat([y[..., 1:, :], edge], -2), concat([edge, y[..., :-1, :]], -2)
    else:
        after, before = _next_rows(y), _previous_rows(y)
    return stack([reduce_sum(x * rows, axis=-1) for rows in (after, y, before)], axis=-2)


# -- triangular systems of a few diagonals -----------------------------------------------


@op("matrix: T, rhs: T -> output: T", T=MATRIX, lower=True, adjoint=False)
class BandedTriangularSolve:
    """What triangular matrices of a few diagonals take to `rhs`; batches are broadcast.

    `matrix` is [..., K, M]: the diagonals from the upper right to the lower left, those of
    an upper triangle with their elements at the left, those of a lower one at the right.
    """

    def shape(op):
        matrix, rhs = (with_rank_at_least(tensor.dims, 2) for tensor in op.inputs)
        if matrix is not None and None not in matrix[-2:] and matrix[-2] > matrix[-1]:
            raise ValueError(
                f"Number of bands {matrix[-2]} cannot exceed the size of the matrix {matrix[-1]}"
            )
        if matrix is None or rhs is None:
            return None
        size = merge_dim(matrix[-1], rhs[-2], _UNEQUAL)
        return (*broadcast_dims(matrix[:-2], rhs[:-2]), size, rhs[-1])

    @in_single
    def kernel(matrix, rhs, *, lower, adjoint):
        bands, size = matrix.shape[-2:]
        if bands > size or size != rhs.shape[-2]:
            raise errors.invalid_argument(
                f"Bands {list(matrix.shape)} and rhs {list(rhs.shape)} do not fit"
            )
        full = np.zeros((*matrix.shape[:-2], size, size), matrix.dtype)
        for band in range(bands):
            offset = -band if lower else bands - 1 - band
            rows = np.arange(max(0, -offset), size - max(0, offset))
            full[..., rows, rows + offset] = matrix[..., band, rows]
        if (np.diagonal(full, axis1=-2, axis2=-1) == 0).any():
            raise errors.invalid_argument("Input matrix is not invertible.")
        if adjoint:
            full, lower = np.conjugate(np.swapaxes(full, -1, -2)), not lower
        return substituted(full, rhs, lower, bands)

    def gradient(op, grad):
        matrix, rhs = op.inputs
        lower, flipped = op.attrs["lower"], op.attrs["adjoint"]
        above = shape(matrix)[-2]
        grad_rhs = BandedTriangularSolve(matrix, grad, lower=lower, adjoint=not flipped)
        grad_matrix = grad_of_matrix(op.outputs[0], grad_rhs, flipped)
        diagonals = stack([-(above - 1), 0] if lower else [0, above - 1])
        grad_matrix = matrix_diag_part(grad_matrix, k=diagonals, align="LEFT_RIGHT")
        return summed_over_batches(matrix, rhs, grad_matrix, grad_rhs)


# -- tf.linalg ---------------------------------------------------------------------------


def _diagonals_of(matrix):
    """The three diagonals, [..., 3, M], of square matrices."""
    rows, columns = matrix.dims[-2:]
    if rows and columns and rows != columns:
        raise ValueError(
            f"Expected last two dimensions of diagonals to be same, got {columns} and {rows}"
        )
    return matrix_diag_part(matrix, k=(-1, 1), padding_value=0.0, align="LEFT_RIGHT")


@export("linalg.tridiagonal_matmul")
def tridiagonal_matmul(diagonals, rhs, diagonals_format="compact", name=None):
    """Tridiagonal matrices times `rhs`.

    Args:
      diagonals: for "compact" [..., 3, M], for "sequence" three of [..., M], for "matrix"
        [..., M, M]; above, main, below.
      rhs: [..., M, N].

    Raises:
      ValueError: for another `diagonals_format`, or matrices that are not square.
    """
    if diagonals_format == "sequence":
        parts = diagonals
    elif diagonals_format in ("compact", "matrix"):
        if diagonals_format == "matrix":
            diagonals = _diagonals_of(diagonals)
        parts = [diagonals[..., i, :] for i in range(3)]
    else:
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    return TridiagonalMatMul(*(expand_dims(part, -2) for part in parts), rhs, name=name)


@export("linalg.tridiagonal_solve")
def tridiagonal_solve(
    diagonals,
    rhs,
    diagonals_format="compact",
    transpose_rhs=False,
    conjugate_rhs=False,
    name=None,
    partial_pivoting=True,
    perturb_singular=False,
):
    """What tridiagonal matrices take to `rhs`, [..., M, N] or [..., M].

    Args:
      diagonals, diagonals_format: as for `tridiagonal_matmul`; in a "sequence" the outer
        diagonals may also be one element shorter.
      transpose_rhs, conjugate_rhs: what is done to rhs before.
      partial_pivoting: whether rows may change places, which is more accurate.

    Raises:
      ValueError: for shapes that do not fit, or another format.
    """
    if perturb_singular and not partial_pivoting:
        raise ValueError("partial_pivoting must be True if perturb_singular is.")
    if diagonals_format == "sequence":
        diagonals = _stacked(diagonals)
    elif diagonals_format == "matrix":
        diagonals = _diagonals_of(diagonals)
    elif diagonals_format != "compact":
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    of_vector = _check_system(diagonals.dims, rhs.dims)
    if of_vector:
        rhs = expand_dims(conj(rhs) if conjugate_rhs else rhs, -1)
    elif transpose_rhs:
        rhs = matrix_transpose(rhs, conjugate=conjugate_rhs)
    elif conjugate_rhs:
        rhs = conj(rhs)
    solution = TridiagonalSolve(
        diagonals,
        rhs,
        partial_pivoting=partial_pivoting,
        perturb_singular=perturb_singular,
        name=name,
    )
    return squeeze(solution, -1) if of_vector else solution


def _stacked(diagonals):
    if not isinstance(diagonals, (tuple, list)) or len(diagonals) != 3:
        raise ValueError("Expected diagonals to be a sequence of length 3.")
    above, middle, below = diagonals
    if not all(compatible(d.dims[:-1], middle.dims[:-1]) for d in (above, below)):
        raise ValueError(
            "Tensors representing the three diagonals must have the same shape,"
            "except for the last dimension, got "
            f"{format_dims(below.dims)}, {format_dims(middle.dims)}, {format_dims(above.dims)}"
        )
    below = _lengthened(below, "subdiagonal", middle.dims[-1], [1, 0])
    above = _lengthened(above, "superdiagonal", middle.dims[-1], [0, 1])
    return stack([above, middle, below], axis=-2)


def _lengthened(diagonal, called, size, padding):
    length = diagonal.dims[-1]
    if not length or length == size:
        return diagonal
    if length != size - 1:
        raise ValueError(f"Expected {called} to be have length {size} or {size - 1}, got {length}.")
    return pad(diagonal, [[0, 0]] * (len(diagonal.dims) - 1) + [padding])


def _check_system(diagonals, rhs):
    """Whether the right side is a vector, as far as static shapes tell.

    Raises:
      ValueError: when they tell that the two do not fit.
    """
    if not diagonals:
        return False
    if len(diagonals) < 2:
        raise ValueError(f"Expected diagonals to have rank at least 2, got {len(diagonals)}")
    if diagonals[-2] not in (None, 3):
        raise ValueError(f"Expected 3 diagonals got {diagonals[-2]}")
    if not rhs:
        return False
    if len(rhs) not in (len(diagonals) - 1, len(diagonals)):
        raise ValueError(
            f"Expected the rank of rhs to be {len(diagonals) - 1} or {len(diagonals)}, "
            f"got {len(rhs)}"
        )
    if not compatible(diagonals[:-2], rhs[: len(diagonals) - 2]):
        raise ValueError(
            f"Batch shapes {format_dims(diagonals[:-2])} and "
            f"{format_dims(rhs[: len(diagonals) - 2])} are incompatible"
        )
    return len(rhs) == len(diagonals) - 1
