"""Decompositions of matrices: Cholesky, QR, eigenvalues and singular values.

All work on batches of matrices, in the last two dimensions. Signs and phases of eigenvectors,
singular vectors and the columns of Q are not unique, and another library's may be others.
"""

import contextlib

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.dtypes import COMPLEX
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.diagonal import (
    MatrixBandPart,
    eye,
    matrix_diag,
    matrix_diag_part,
    matrix_set_diag,
)
from numpy_tf.ops.array.dims import merge_dim, with_rank_at_least
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.shape import expand_dims, shape
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.linalg.solve import (
    MATRIX,
    MatrixTriangularSolve,
    adjoint,
    check_square,
    in_single,
    matrix_solve,
    square_dims,
    square_shape,
)
from numpy_tf.ops.math.cast import cast, conj
from numpy_tf.ops.math.complex import real
from numpy_tf.ops.math.elementwise import Reciprocal, Square
from numpy_tf.ops.math.matmul import matmul

# -- Cholesky ----------------------------------------------------------------------------


@op("input: T -> output: T", T=MATRIX, public="cholesky, linalg.cholesky")
class Cholesky:
    """The lower triangular matrices L with L·Lᴴ the input, of which the lower half is read."""

    shape = square_shape

    @in_single
    def kernel(input):
        check_square(input)
        try:
            return np.linalg.cholesky(input)
        except np.linalg.LinAlgError:
            return _each_factor(input)

    def gradient(op, grad):
        lower = op.outputs[0]
        sizes = shape(lower)
        identity = eye(sizes[-1], batch_shape=sizes[:-2], dtype=lower.dtype)
        inverse = MatrixTriangularSolve(lower, identity)
        middle = matmul(lower, grad, adjoint_a=True)
        middle = matrix_set_diag(middle, 0.5 * matrix_diag_part(middle))
        middle = MatrixBandPart(middle, -1, 0)
        grad_input = matmul(matmul(inverse, middle, adjoint_a=True), inverse)
        grad_input += adjoint(grad_input)
        return grad_input * 0.5


def _each_factor(matrices):
    """Factors of those that have one, and NaN for the others: TensorFlow raises no error."""
    factors = np.full_like(matrices, np.nan)
    for place in np.ndindex(matrices.shape[:-2]):
        with contextlib.suppress(np.linalg.LinAlgError):
            factors[place] = np.linalg.cholesky(matrices[place])
    return factors


# -- QR ----------------------------------------------------------------------------------


def _times_inverse_adjoint(x, upper):
    """x · upper⁻ᴴ, for an upper triangular matrix."""
    return adjoint(MatrixTriangularSolve(upper, adjoint(x), lower=False, adjoint=False))


def _tall_qr_gradient(q, r, dq, dr):
    """For as many rows as columns, or more."""
    qdq = matmul(q, dq, adjoint_a=True)
    rdr = matmul(r, dr, adjoint_b=True)
    skew = (qdq - adjoint(qdq)) + (rdr - adjoint(rdr))
    lower = MatrixBandPart(skew, -1, 0)
    within = matmul(q, dr + _times_inverse_adjoint(lower, r))
    across = _times_inverse_adjoint(dq - matmul(q, qdq), r)
    result = within + across
    if q.dtype.is_complex:
        m = rdr - adjoint(qdq)
        diagonal = matrix_set_diag(zeros_like(m), matrix_diag_part(m))
        phases = diagonal - cast(real(diagonal), q.dtype)
        result = result + _times_inverse_adjoint(matmul(q, adjoint(phases)), r)
    return result


@op("input: T -> q: T, r: T", T=MATRIX, full_matrices=False, public="qr, linalg.qr")
class Qr:
    """A matrix with orthonormal columns, and an upper triangular one, whose product is the input.

    Args:
      full_matrices: whether Q is square, and R has zeros below.
    """

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        if dims is None:
            return [None, None]
        *batch, rows, columns = dims
        if op.attrs["full_matrices"]:
            return [(*batch, rows, rows), (*batch, rows, columns)]
        least = None if None in (rows, columns) else min(rows, columns)
        return [(*batch, rows, least), (*batch, least, columns)]

    @in_single
    def kernel(input, *, full_matrices):
        return tuple(np.linalg.qr(input, "complete" if full_matrices else "reduced"))

    def gradient(op, dq, dr):
        q, r = op.outputs
        if r.dims is None or None in r.dims[-2:]:
            raise NotImplementedError(
                f"QrGrad not implemented with dynamic shapes. Received r.shape: {r.shape}"
            )
        if r.dims[-2] > r.dims[-1] and q.dims[-2] == q.dims[-1]:
            raise NotImplementedError(
                "QrGrad not implemented when nrows > ncols and full_matrices is true. "
                f"Received r.shape={r.shape} with nrows={r.dims[-2]}and ncols={r.dims[-1]}."
            )
        rows, columns = q.dims[-2], r.dims[-1]
        if rows >= columns:
            return _tall_qr_gradient(q, r, dq, dr)
        # The first columns are a square matrix; the rest is only multiplied by Q.
        rest = op.inputs[0][..., :, rows:]
        by_rest = dr[..., :, rows:]
        dq = dq + matmul(rest, by_rest, adjoint_b=True)
        square = _tall_qr_gradient(q, r[..., :, :rows], dq, dr[..., :, :rows])
        return concat([square, matmul(q, by_rest)], axis=-1)


# -- eigenvalues -------------------------------------------------------------------------


def _safe_reciprocal(x):
    """1 / x, which stays finite where x is 0, as it is for values that occur twice."""
    return x * Reciprocal(x * x + 1e-20)


def _gaps(values):
    """1 / (e_j - e_i) for each pair of values, with zeros on the diagonal."""
    differences = expand_dims(values, -2) - expand_dims(values, -1)
    return matrix_set_diag(_safe_reciprocal(differences), zeros_like(values))


def _eigen_dims(op):
    dims = square_dims(op.inputs[0].dims)
    vectors = dims if op.attrs["compute_v"] else (0,)
    return [None if dims is None else dims[:-1], vectors]


@op("input: T -> e: T, v: T", T=MATRIX, compute_v=True)
class SelfAdjointEigV2:
    """Eigenvalues of self-adjoint matrices in ascending order, and eigenvectors as columns.

    The lower half of the input is read.
    """

    shape = _eigen_dims

    @in_single
    def kernel(input, *, compute_v):
        check_square(input)
        if not compute_v:
            return np.linalg.eigvalsh(input).astype(input.dtype), np.zeros((0,), input.dtype)
        values, vectors = np.linalg.eigh(input)
        return values.astype(input.dtype), vectors

    def gradient(op, grad_e, grad_v):
        if op.attrs["compute_v"]:
            values, v = op.outputs
            turned = _gaps(values) * matmul(v, grad_v, adjoint_a=True)
            middle = matrix_diag(grad_e) + turned
        else:
            v = SelfAdjointEigV2(op.inputs[0])[1]
            middle = matrix_diag(grad_e)
        whole = matmul(v, matmul(middle, v, adjoint_b=True))
        lower = MatrixBandPart(whole + adjoint(whole), -1, 0)
        return matrix_set_diag(lower, 0.5 * matrix_diag_part(lower))


@export("self_adjoint_eig", "linalg.eigh")
def self_adjoint_eig(tensor, name=None):
    """Eigenvalues in ascending order and eigenvectors of self-adjoint matrices."""
    return SelfAdjointEigV2(tensor, compute_v=True, name=name)


@export("self_adjoint_eigvals", "linalg.eigvalsh")
def self_adjoint_eigvals(tensor, name=None):
    """Eigenvalues of self-adjoint matrices in ascending order."""
    return SelfAdjointEigV2(tensor, compute_v=False, name=name)[0]


@op(
    "input: T -> e: Tout, v: Tout",
    T=MATRIX - {dtypes.float16},
    Tout=COMPLEX,
    compute_v=True,
)
class Eig:
    """Eigenvalues of square matrices, and eigenvectors of length 1 as columns."""

    shape = _eigen_dims

    def kernel(input, *, compute_v, Tout):
        check_square(input)
        dtype = Tout.as_numpy_dtype
        if not compute_v:
            return np.linalg.eigvals(input).astype(dtype), np.zeros((0,), dtype)
        values, vectors = np.linalg.eig(input)
        return values.astype(dtype), vectors.astype(dtype)

    def gradient(op, grad_e, grad_v):
        if op.attrs["compute_v"]:
            values, v = op.outputs
            vt = adjoint(v)
            vgv = matmul(vt, grad_v)
            middle = matrix_diag(grad_e)
            along = matrix_diag(matrix_diag_part(cast(real(vgv), vgv.dtype)))
            middle += conj(_gaps(values)) * (vgv - matmul(matmul(vt, v), along))
        else:
            vt = adjoint(Eig(op.inputs[0], Tout=op.outputs[0].dtype)[1])
            middle = matrix_diag(grad_e)
        return cast(matrix_solve(vt, matmul(middle, vt)), op.inputs[0].dtype)


# -- singular values ---------------------------------------------------------------------


@op("input: T -> s: T, u: T, v: T", T=MATRIX, compute_uv=True, full_matrices=False)
class Svd:
    """Singular values in descending order, and the left and right singular vectors as columns."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        if dims is None:
            return [None, *([None] * 2 if op.attrs["compute_uv"] else [(0,)] * 2)]
        *batch, rows, columns = dims
        least = None if None in (rows, columns) else min(rows, columns)
        if not op.attrs["compute_uv"]:
            return [(*batch, least), (0,), (0,)]
        u, v = (rows, columns) if op.attrs["full_matrices"] else (least, least)
        return [(*batch, least), (*batch, rows, u), (*batch, columns, v)]

    @in_single
    def kernel(input, *, compute_uv, full_matrices):
        nothing = np.zeros((0,), input.dtype)
        if not compute_uv:
            values = np.linalg.svd(input, compute_uv=False)
            return values.astype(input.dtype), nothing, nothing
        u, values, vh = np.linalg.svd(input, full_matrices=full_matrices)
        return values.astype(input.dtype), u, np.conjugate(np.swapaxes(vh, -1, -2))

    def gradient(op, grad_s, grad_u, grad_v):
        a = op.inputs[0]
        by_values = matrix_diag(cast(grad_s, a.dtype))
        if not op.attrs["compute_uv"]:
            _, u, v = Svd(a, compute_uv=True)
            return matmul(u, matmul(by_values, v, adjoint_b=True))
        return _svd_gradient(op, by_values, grad_u, grad_v)


def _svd_gradient(op, by_values, grad_u, grad_v):
    """The gradient through values and vectors; of more rows than columns, by the adjoint."""
    a = op.inputs[0]
    s, u, v = op.outputs
    if a.dims is None:
        # TensorFlow 2.21 means the error below, and stumbles on its way there.
        raise TypeError("'NoneType' object is not subscriptable")
    rows, columns = with_rank_at_least(a.dims, 2)[-2:]
    for side, of in ((0, grad_u), (1, grad_v)):
        known = None if of.dims is None else of.dims[-2]
        size = merge_dim((rows, columns)[side], known, "Dimensions {} and {} are not compatible")
        rows, columns = (size, columns) if side == 0 else (rows, size)
    if rows is None or columns is None:
        raise NotImplementedError(
            "SVD gradient has not been implemented for input with unknown inner matrix shape."
        )
    full = op.attrs["full_matrices"]
    tall = rows > columns
    if tall:
        rows, columns, u, v, grad_u, grad_v = columns, rows, v, u, grad_v, grad_u
    if full and columns - rows > 1:
        raise NotImplementedError(
            "svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True. "
            f"Received: m={rows} and n={columns} from op input={a} with shape={a.shape}."
        )
    s = cast(s, a.dtype)
    values, gaps = matrix_diag(s), _gaps(Square(s))
    inverse_values = matrix_diag(_safe_reciprocal(s))
    v1, grad_v1 = v[..., :, :rows], grad_v[..., :, :rows]
    v_gv = matmul(v1, grad_v1, adjoint_a=True)
    by_u = gaps * matmul(u, grad_u, adjoint_a=True)
    by_v = gaps * v_gv
    middle = by_values + matmul(by_u + adjoint(by_u), values) + matmul(values, by_v + adjoint(by_v))
    result = matmul(u, matmul(middle, v1, adjoint_b=True))
    if rows != columns:
        turned = adjoint(grad_v1)
        outside = turned - matmul(matmul(turned, v1), v1, adjoint_b=True)
        if full:
            v2, grad_v2 = v[..., :, rows:columns], grad_v[..., :, rows:columns]
            outside -= matmul(matmul(v1, grad_v2, adjoint_a=True), v2, adjoint_b=True)
        result = result + matmul(matmul(u, inverse_values), outside)
    if a.dtype.is_complex:
        sizes = shape(s)
        identity = eye(sizes[-1], batch_shape=sizes[:-1], dtype=a.dtype)
        phases = identity * v_gv
        by_phases = matmul(inverse_values, adjoint(phases) - phases)
        result = result + 1 / 2.0 * matmul(u, matmul(by_phases, v1, adjoint_b=True))
    return adjoint(result) if tall else result


@export("svd", "linalg.svd")
def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """Singular values, and with `compute_uv` the left and right singular vectors.

    Returns:
      (s, u, v), or s alone.
    """
    s, u, v = Svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (real(s), u, v) if compute_uv else real(s)
