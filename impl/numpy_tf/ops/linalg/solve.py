"""Determinants, inverses, and systems of linear equations.

All work on batches of matrices, in the last two dimensions. NumPy's LAPACK does the work;
half precision is computed in float32.
"""

import functools
import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import INEXACT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import op
from numpy_tf.framework.tensor_shape import broadcast_dims
from numpy_tf.ops.array.diagonal import MatrixBandPart, eye, matrix_diag_part
from numpy_tf.ops.array.dims import merge, merge_dim, with_rank_at_least
from numpy_tf.ops.array.shape import BroadcastGradientArgs, reshape, shape
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.array.transpose import matrix_transpose
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_sum

MATRIX = INEXACT - {dtypes.bfloat16}
"""The dtypes of TensorFlow's linear algebra."""


def adjoint(matrix):
    """The conjugate transpose of matrices."""
    return matrix_transpose(matrix, conjugate=True)


def in_single(kernel):
    """A kernel that computes half precision in float32, and rounds what comes out."""

    @functools.wraps(kernel)
    def computed(*inputs, **attrs):
        dtype = inputs[0].dtype
        if dtype.itemsize > 2:
            return kernel(*inputs, **attrs)
        wide = (x.astype(np.float32) if x.dtype == dtype else x for x in inputs)
        found = kernel(*wide, **attrs)
        if isinstance(found, tuple):
            return tuple(part.astype(dtype) for part in found)
        return found.astype(dtype)

    return computed


def square_dims(dims):
    """The shape of matrices that must be square."""
    dims = with_rank_at_least(dims, 2)
    if dims is None:
        return None
    size = merge_dim(dims[-2], dims[-1], "Dimensions must be equal, but are {} and {}")
    return (*dims[:-2], size, size)


def square_shape(op):
    """Shape rule: that of the input, whose matrices must be square."""
    return square_dims(op.inputs[0].dims)


def check_square(matrix):
    """Raises unless an array holds square matrices."""
    if matrix.ndim < 2:
        raise errors.invalid_argument(f"Input tensor 0 must have rank >= 2, got {matrix.ndim}")
    if matrix.shape[-1] != matrix.shape[-2]:
        raise errors.invalid_argument(
            f"Input matrix must be square, got {matrix.shape[-2]} x {matrix.shape[-1]}"
        )


def _adjoint_of(array):
    return np.conjugate(np.swapaxes(array, -1, -2))


# -- determinants ------------------------------------------------------------------------


def _batch_shape(op):
    dims = square_dims(op.inputs[0].dims)
    return None if dims is None else dims[:-2]


def _for_each_matrix(scalars, like):
    """`scalars`, one for each matrix, with two dimensions of 1 behind."""
    return reshape(scalars, concat([shape(like), [1, 1]], 0))


@op("input: T -> output: T", T=MATRIX, public="matrix_determinant, linalg.det")
class MatrixDeterminant:
    """The determinants of square matrices."""

    shape = _batch_shape

    @in_single
    def kernel(input):
        check_square(input)
        return np.linalg.det(input)

    def gradient(op, grad):
        inverse = MatrixInverse(op.inputs[0], adjoint=True)
        # Without a conjugate of the determinant, as TensorFlow 2.21 has it.
        return _for_each_matrix(grad * op.outputs[0], op.outputs[0]) * inverse


@op("input: T -> sign: T, log_abs_determinant: T", T=MATRIX)
class LogMatrixDeterminant:
    """The signs of determinants, and the logarithms of their absolute values."""

    def shape(op):
        return [_batch_shape(op)] * 2

    @in_single
    def kernel(input):
        check_square(input)
        sign, logarithm = np.linalg.slogdet(input)
        return sign, logarithm.astype(input.dtype)

    def gradient(op, _, grad):
        inverse = MatrixInverse(op.inputs[0], adjoint=True)
        return _for_each_matrix(grad, op.outputs[1]) * inverse


@export("linalg.slogdet")
def slogdet(input, name=None):
    """The sign and the logarithm of the absolute value of determinants."""
    return LogMatrixDeterminant(input, name=name)


@export("linalg.logdet")
def logdet(matrix, name=None):
    """The logarithm of the determinant of Hermitian positive definite matrices."""
    from numpy_tf.ops.linalg.decomposition import Cholesky
    from numpy_tf.ops.math.complex import real
    from numpy_tf.ops.math.elementwise import Log

    with NameScope(name, "logdet", [matrix]):
        diagonal = real(matrix_diag_part(Cholesky(matrix)))
        return 2.0 * reduce_sum(Log(diagonal), axis=[-1])


# -- inverses ----------------------------------------------------------------------------


@op("input: T -> output: T", T=MATRIX, adjoint=False)
class MatrixInverse:
    """The inverses of square matrices, or of their adjoints."""

    shape = square_shape

    @in_single
    def kernel(input, *, adjoint):
        check_square(input)
        try:
            return np.linalg.inv(_adjoint_of(input) if adjoint else input)
        except np.linalg.LinAlgError:
            raise errors.invalid_argument("Input is not invertible.") from None

    def gradient(op, grad):
        inverse, flipped = op.outputs[0], op.attrs["adjoint"]
        inner = matmul(grad, inverse, adjoint_a=flipped, adjoint_b=not flipped)
        return -matmul(inverse, inner, adjoint_a=not flipped)


@export("matrix_inverse", "linalg.inv")
def matrix_inverse(input, adjoint=False, name=None):
    """The inverses of square matrices, or of their adjoints."""
    return MatrixInverse(input, adjoint=adjoint, name=name)


# -- square systems ----------------------------------------------------------------------


def _solution_dims(op, square):
    """The static shape of what solves matrix · output = rhs."""
    matrix, rhs = (with_rank_at_least(tensor.dims, 2) for tensor in op.inputs[:2])
    unequal = "Dimensions must be equal, but are {} and {}"
    rows, columns = (None, None) if matrix is None else matrix[-2:]
    if square:
        rows = columns = merge_dim(rows, columns, unequal)
    rows = merge_dim(rows, None if rhs is None else rhs[-2], unequal)
    batch = merge(*(None if dims is None else dims[:-2] for dims in (matrix, rhs)))
    if batch is None:
        return None
    return (*batch, rows if square else columns, None if rhs is None else rhs[-1])


@op("matrix: T, rhs: T -> output: T", T=MATRIX, adjoint=False)
class MatrixSolve:
    """What the matrices, or their adjoints, take to `rhs`."""

    def shape(op):
        return _solution_dims(op, square=True)

    @in_single
    def kernel(matrix, rhs, *, adjoint):
        check_square(matrix)
        if matrix.shape[-2] != rhs.shape[-2] or matrix.shape[:-2] != rhs.shape[:-2]:
            raise errors.invalid_argument(
                f"Input matrix and rhs are incompatible: {list(matrix.shape)} vs. {list(rhs.shape)}"
            )
        try:
            return np.linalg.solve(_adjoint_of(matrix) if adjoint else matrix, rhs)
        except np.linalg.LinAlgError:
            raise errors.invalid_argument("Input matrix is not invertible.") from None

    def gradient(op, grad):
        matrix, solution = op.inputs[0], op.outputs[0]
        flipped = op.attrs["adjoint"]
        grad_rhs = MatrixSolve(matrix, grad, adjoint=not flipped)
        return grad_of_matrix(solution, grad_rhs, flipped), grad_rhs


def grad_of_matrix(solution, grad_rhs, flipped):
    """The gradient for the matrix, or its adjoint, of a system with this solution."""
    if flipped:
        return -matmul(solution, grad_rhs, adjoint_b=True)
    return -matmul(grad_rhs, solution, adjoint_b=True)


@export("matrix_solve", "linalg.solve")
def matrix_solve(matrix, rhs, adjoint=False, name=None):
    """What square matrices, or their adjoints, take to `rhs`."""
    return MatrixSolve(matrix, rhs, adjoint=adjoint, name=name)


@op(
    "matrix: T, rhs: T -> output: T",
    T=INEXACT,
    lower=True,
    adjoint=False,
)
class MatrixTriangularSolve:
    """What triangular matrices take to `rhs`; batches are broadcast to each other."""

    def shape(op):
        matrix = square_dims(op.inputs[0].dims)
        rhs = with_rank_at_least(op.inputs[1].dims, 2)
        if matrix is None or rhs is None:
            return None
        merge_dim(matrix[-2], rhs[-2], "Dimensions must be equal, but are {} and {}")
        return (*broadcast_dims(matrix[:-2], rhs[:-2]), *rhs[-2:])

    @in_single
    def kernel(matrix, rhs, *, lower, adjoint):
        check_square(matrix)
        if matrix.shape[-1] != rhs.shape[-2]:
            raise errors.invalid_argument(
                f"Input matrix and rhs are incompatible: {list(matrix.shape)} vs. {list(rhs.shape)}"
            )
        if adjoint:
            matrix, lower = _adjoint_of(matrix), not lower
        return substituted(matrix, rhs, lower)

    def gradient(op, grad):
        matrix, rhs = op.inputs
        lower, flipped = op.attrs["lower"], op.attrs["adjoint"]
        grad_rhs = MatrixTriangularSolve(matrix, grad, lower=lower, adjoint=not flipped)
        grad_matrix = grad_of_matrix(op.outputs[0], grad_rhs, flipped)
        triangle = (-1, 0) if lower else (0, -1)
        grad_matrix = MatrixBandPart(grad_matrix, *triangle)
        return summed_over_batches(matrix, rhs, grad_matrix, grad_rhs)


def substituted(matrix, rhs, lower, bands=None):
    """Forward or backward substitution, row by row for all batches at once.

    With `bands`, only so many diagonals are looked at.
    Row by row as Eigen does it: a zero on the diagonal makes infinities and no error.
    """
    batch = np.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    solution = np.broadcast_to(rhs, (*batch, *rhs.shape[-2:])).copy()
    size = matrix.shape[-1]
    bands = size if bands is None else bands
    for row in range(size) if lower else range(size - 1, -1, -1):
        known = slice(max(0, row - bands + 1), row) if lower else slice(row + 1, row + bands)
        before = matrix[..., row : row + 1, known] @ solution[..., known, :]
        solution[..., row, :] -= before[..., 0, :]
        solution[..., row, :] /= matrix[..., row, row, np.newaxis]
    return solution


def summed_over_batches(a, b, grad_a, grad_b):
    """Each gradient summed over the batch dimensions along which its input was broadcast."""
    known = a.dims is not None and b.dims is not None and None not in (*a.dims, *b.dims)
    if known and a.dims[:-2] == b.dims[:-2]:
        return grad_a, grad_b
    a_shape, b_shape = shape(a), shape(b)
    a_axes, b_axes = BroadcastGradientArgs(a_shape[:-2], b_shape[:-2])
    return (
        reshape(reduce_sum(grad_a, a_axes), a_shape),
        reshape(reduce_sum(grad_b, b_axes), b_shape),
    )


@export("matrix_triangular_solve", "linalg.triangular_solve")
def matrix_triangular_solve(matrix, rhs, lower=True, adjoint=False, name=None):
    """What triangular matrices, or their adjoints, take to `rhs`."""
    return MatrixTriangularSolve(matrix, rhs, lower=lower, adjoint=adjoint, name=name)


@export("cholesky_solve", "linalg.cholesky_solve")
def cholesky_solve(chol, rhs, name=None):
    """What the matrices whose Cholesky factors are given take to `rhs`."""
    with NameScope(name, "cholesky_solve", [chol, rhs]):
        half = MatrixTriangularSolve(chol, rhs, adjoint=False, lower=True)
        return MatrixTriangularSolve(chol, half, adjoint=True, lower=True)


# -- least squares -----------------------------------------------------------------------


def _gramian_cholesky(matrix, penalty, first_kind):
    """The Cholesky factors of AᴴA + λ (of the first kind) or AAᴴ + λ."""
    from numpy_tf.ops.linalg.decomposition import Cholesky

    gramian = matmul(matrix, matrix, adjoint_a=first_kind, adjoint_b=not first_kind)
    if isinstance(penalty, Tensor) or penalty != 0:
        axis = -1 if first_kind else -2
        sizes = shape(matrix)
        identity = eye(sizes[axis], batch_shape=sizes[:-2], dtype=matrix.dtype)
        if matrix.dims is not None:
            identity.set_shape((*matrix.dims[:-2], matrix.dims[axis], matrix.dims[axis]))
        gramian += penalty * identity
    return Cholesky(gramian)


def _overdetermined_gradient(op, grad):
    a, b, regularizer = op.inputs
    x = op.outputs[0]
    factors = _gramian_cholesky(a, cast(regularizer, a.dtype), first_kind=True)
    z = cholesky_solve(factors, grad)
    outer = matmul(x, z, adjoint_b=True)
    symmetric = outer + matrix_transpose(outer)
    grad_a = -matmul(a, symmetric) + matmul(b, z, adjoint_b=True)
    return grad_a, matmul(a, z), None


def _underdetermined_gradient(op, grad):
    a, b, regularizer = op.inputs
    factors = _gramian_cholesky(a, cast(regularizer, a.dtype), first_kind=False)
    grad_b = cholesky_solve(factors, matmul(a, grad))
    solution = cholesky_solve(factors, b)
    by_b = -matmul(grad_b, matmul(solution, a, adjoint_a=True))
    by_grad = matmul(solution, grad - matmul(a, grad_b, adjoint_a=True), adjoint_b=True)
    return by_b + by_grad, grad_b, None


@op("matrix: T, rhs: T, l2_regularizer: float64 -> output: T", T=MATRIX, fast=True)
class MatrixSolveLs:
    """The least squares solutions of matrix · output = rhs, with a penalty on their size."""

    def shape(op):
        return _solution_dims(op, square=False)

    @in_single
    def kernel(matrix, rhs, l2_regularizer, *, fast):
        if matrix.shape[:-1] != rhs.shape[:-1]:
            raise errors.invalid_argument("Input matrix and rhs are incompatible.")
        rows, columns = matrix.shape[-2:]
        if not fast:
            return np.linalg.pinv(matrix) @ rhs
        flipped = _adjoint_of(matrix)
        tall = rows >= columns
        gramian = flipped @ matrix if tall else matrix @ flipped
        gramian = gramian + gramian.dtype.type(l2_regularizer) * np.eye(
            gramian.shape[-1], dtype=gramian.dtype
        )
        try:
            if tall:
                return np.linalg.solve(gramian, flipped @ rhs)
            return flipped @ np.linalg.solve(gramian, rhs)
        except np.linalg.LinAlgError:
            raise errors.invalid_argument(
                "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or "
                "provide a larger l2_regularizer > 0."
            ) from None

    def gradient(op, grad):
        if not op.attrs["fast"]:
            raise ValueError("Gradient not defined for fast=False")
        return _by_height(
            op.inputs[0],
            lambda: _overdetermined_gradient(op, grad),
            lambda: _underdetermined_gradient(op, grad),
        )


_CACHE = 256_000  # bytes above which TensorFlow asks whether many small systems are solved


def _as_one_op(matrix, fast):
    """Whether TensorFlow solves by the op rather than by a composition of others."""
    if not fast:
        return True
    dims = matrix.dims
    if dims is None or None in dims:
        return False
    size = math.prod(dims) * np.dtype(matrix.dtype.as_numpy_dtype).itemsize
    return size > _CACHE and math.prod(dims[:-2]) > min(dims[-2:])


def _tall_solution(matrix, rhs, penalty):
    factors = _gramian_cholesky(matrix, penalty, first_kind=True)
    return cholesky_solve(factors, matmul(matrix, rhs, adjoint_a=True))


def _wide_solution(matrix, rhs, penalty):
    factors = _gramian_cholesky(matrix, penalty, first_kind=False)
    return matmul(matrix, cholesky_solve(factors, rhs), adjoint_a=True)


def _by_height(matrix, tall, wide):
    """What `tall` or `wide` returns; where only the run knows the sizes, by a conditional."""
    dims = matrix.dims
    if dims is not None and None not in dims[-2:]:
        return tall() if dims[-2] >= dims[-1] else wide()
    sizes = shape(matrix)[-2:]
    return cond(sizes[-2] >= sizes[-1], tall, wide)


@export("matrix_solve_ls", "linalg.lstsq")
def matrix_solve_ls(matrix, rhs, l2_regularizer=0.0, fast=True, name=None):
    """The least squares solutions of matrix · output = rhs.

    Args:
      matrix: [..., rows, columns].
      rhs: [..., rows, right sides].
      l2_regularizer: a penalty on the squares of the solution.
      fast: by Cholesky's decomposition of the normal equations; otherwise by an orthogonal
        decomposition, without `l2_regularizer` and without a gradient.
      name: a name for the operation.

    Raises:
      NotImplementedError: for complex128 with a penalty, as in TensorFlow.
    """
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.dtype is dtypes.complex128 and l2_regularizer != 0:
        raise NotImplementedError(
            "matrix_solve_ls is currently disabled for complex128 and l2_regularizer != 0 due "
            "to poor accuracy."
        )
    if _as_one_op(matrix, fast):
        return MatrixSolveLs(matrix, rhs, l2_regularizer, fast=fast, name=name)
    with NameScope(name, "matrix_solve_ls", [matrix, rhs, l2_regularizer]):
        return _by_height(
            matrix,
            lambda: _tall_solution(matrix, rhs, l2_regularizer),
            lambda: _wide_solution(matrix, rhs, l2_regularizer),
        )


# -- square roots ------------------------------------------------------------------------


def _kronecker(a, b):
    """The Kronecker products of two batches of square matrices."""
    a_shape, b_shape = shape(a), shape(b)
    batch, m, n = a_shape[:-2], a_shape[-1], b_shape[-1]
    spread = reshape(a, concat([batch, [m], [1], [m], [1]], 0))
    inner = reshape(b, concat([batch, [1], [n], [1], [n]], 0))
    return reshape(spread * inner, concat([batch, [m * n], [m * n]], 0))


@op("input: T -> output: T", T=MATRIX, public="linalg.sqrtm, matrix_square_root")
class MatrixSquareRoot:
    """The matrices whose squares are the input."""

    shape = square_shape

    @in_single
    def kernel(input):
        check_square(input)
        from scipy.linalg import sqrtm

        if not input.size:
            return input
        roots = sqrtm(input)
        return (roots if input.dtype.kind == "c" else roots.real).astype(input.dtype)

    def gradient(op, grad):
        # R·dR + dR·R = dA, solved for dR with all elements in one vector.
        root = op.outputs[0]
        sizes = shape(root)
        batch, order = sizes[:-2], sizes[-1]
        identity = eye(order, batch_shape=batch, dtype=root.dtype)
        system = _kronecker(identity, matrix_transpose(root)) + _kronecker(root, identity)
        flat = reshape(matrix_transpose(grad), concat([batch, [order * order], [1]], 0))
        return matrix_transpose(reshape(MatrixSolve(system, flat), sizes))
