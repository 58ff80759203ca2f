"""Diagonals of matrices: taken out, put in, and the identity matrix.

A band of diagonals lies in [..., count, length] with the topmost first; a diagonal shorter
than the longest is filled up at the side that `align` says.
"""

import math
import numbers

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, COMPLEX, FLOATING, INT64_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import (
    merge,
    replace_dim,
    require_scalar,
    subshape,
    with_rank,
    with_rank_at_least,
)
from numpy_tf.ops.array.fill import ones, zeros, zeros_like
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.array.stack import concat


def _bounds(k):
    """The lowest and the highest diagonal that `k`, one number or two, stands for."""
    flat = np.asarray(k).reshape(-1)
    low, high = int(flat[0]), int(flat[-1])
    if low > high:
        raise errors.invalid_argument(
            f"lower_diag_index must not be larger than upper_diag_index: {low} > {high}"
        )
    return low, high


def _length(rows, columns, low, high):
    """How long the longest of the diagonals from `low` to `high` is."""
    return min(rows + min(high, 0), columns - max(low, 0))


def _places(rows, columns, low, high, align):
    """Where the elements of a band are: (which diagonal, where in it, row, column)."""
    longest = _length(rows, columns, low, high)
    parts = []
    for diagonal in range(high, low - 1, -1):
        length = _length(rows, columns, diagonal, diagonal)
        upper, lower = align.split("_")
        right = (diagonal >= 0 and upper == "RIGHT") or (diagonal <= 0 and lower == "RIGHT")
        at = np.arange(max(length, 0))
        parts.append(
            (
                np.full(len(at), high - diagonal),
                at + (longest - length if right else 0),
                at - min(diagonal, 0),
                at + max(diagonal, 0),
            )
        )
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _as_band(diagonal, low, high):
    """A diagonal, or a band of them, with its two last dimensions."""
    return diagonal[..., np.newaxis, :] if low == high else diagonal


def _static_bounds(k, dims=()):
    """The bounds that are known while the graph is built; None, also for `dims` unknown."""
    if k.dims is not None and len(k.dims) > 1:
        raise ValueError(f"Shape must be at most rank 1 but is rank {len(k.dims)}")
    value = None if dims is None else constant_value(k)
    if value is None:
        return None
    flat = value.reshape(-1)
    if not 1 <= flat.size <= 2:
        raise ValueError(
            f"diag_index must be a vector with one or two elements. It has {flat.size} elements."
        )
    low, high = int(flat[0]), int(flat[-1])
    if low > high:
        raise ValueError("lower_diag_index is greater than upper_diag_index")
    return low, high


def _require_within(dims, low, high):
    """ValueError for a diagonal that matrices of the shape, as far as it is known, have not."""
    rows, columns = dims[-2:]
    if rows is None or columns is None:
        return
    for name, diagonal in (("lower", low), ("upper", high)):
        if diagonal and not -rows < diagonal < columns:
            raise ValueError(f"{name}_diag_index is out of bound.")


@op(
    "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T -> output: T",
    T=ANY,
    align="RIGHT_LEFT",
)
class MatrixDiagV3:
    """Matrices with the given diagonals, elsewhere `padding_value`."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 1)
        k, rows, columns = op.inputs[1:4]
        require_scalar(rows)
        require_scalar(columns)
        bounds = _static_bounds(k, dims)
        if bounds is None:
            return None
        low, high = bounds
        if low < high and dims[len(dims) - 2] != high - low + 1:
            raise ValueError(
                "The number of rows of `diagonal` doesn't match the number of diagonals implied "
                f"from `d_lower` and `d_upper`.\nnum_diags = {_or_unsaid(dims[len(dims) - 2])}, "
                f"d_lower = {low}, d_upper = {high}"
            )
        # TensorFlow counts on with the -1 that stands for an unknown length and an unknown size.
        sizes = _static_matrix_sizes(
            _or_unsaid(dims[-1]),
            low,
            high,
            *(_or_unsaid(constant_value(size)) for size in (rows, columns)),
        )
        rows, columns = (None if size == _UNSAID else size for size in sizes)
        if low == high:
            return (*dims[:-1], rows, columns)
        return replace_dim(replace_dim(dims, len(dims) - 2, rows), len(dims) - 1, columns)

    def kernel(diagonal, k, num_rows, num_cols, padding_value, *, align):
        low, high = _bounds(k)
        sizes = _matrix_sizes(diagonal.shape[-1], low, high, int(num_rows), int(num_cols))
        band = _as_band(diagonal, low, high)
        out = np.full((*band.shape[:-2], *sizes), padding_value, diagonal.dtype)
        which, at, row, column = _places(*sizes, low, high, align)
        out[..., row, column] = band[..., which, at]
        return out

    def gradient(op, grad):
        part = matrix_diag_part(grad, k=op.inputs[1], align=op.attrs["align"])
        return part, None, None, None, None


_UNSAID = -1


def _or_unsaid(size):
    return _UNSAID if size is None else int(size)


def _static_matrix_sizes(length, low, high, rows, columns):
    """As `_matrix_sizes`, in the words of TensorFlow's shape function."""
    least_rows, least_columns = length - min(high, 0), length + max(low, 0)
    if rows == columns == _UNSAID:
        rows = columns = max(least_rows, least_columns)
    rows = least_rows if rows == _UNSAID else rows
    columns = least_columns if columns == _UNSAID else columns
    if rows < least_rows:
        raise ValueError("num_rows is too small")
    if columns < least_columns:
        raise ValueError("num_cols is too small.")
    if rows != least_rows and columns != least_columns:
        raise ValueError(
            "num_rows and num_cols are not consistent with lower_diag_index, upper_diag_index, "
            "and the length of the given diagonals."
        )
    return rows, columns


def _matrix_sizes(length, low, high, rows, columns):
    """Rows and columns of the smallest matrix that has such diagonals; -1 is for unsaid."""
    least_rows, least_columns = length - min(high, 0), length + max(low, 0)
    if rows == -1 and columns == -1:
        return (max(least_rows, least_columns),) * 2
    rows = least_rows if rows == -1 else rows
    columns = least_columns if columns == -1 else columns
    if (
        rows < least_rows
        or columns < least_columns
        or (rows != least_rows and columns != least_columns)
    ):
        raise errors.invalid_argument(
            "The number of rows or columns is not consistent with the specified d_lower, "
            "d_upper, and diagonal.",
        )
    return rows, columns


@op("input: T, k: int32, padding_value: T -> diagonal: T", T=ANY, align="RIGHT_LEFT")
class MatrixDiagPartV3:
    """Diagonals of matrices, filled up with `padding_value` where they are shorter."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        bounds = _static_bounds(op.inputs[1], dims)
        if bounds is None:
            return None
        low, high = bounds
        _require_within(dims, low, high)
        length = None if None in dims[-2:] else _length(*dims[-2:], low, high)
        return (*dims[:-2], *(() if low == high else (high - low + 1,)), length)

    def kernel(input, k, padding_value, *, align):
        low, high = _bounds(k)
        rows, columns = input.shape[-2:]
        length = _length(rows, columns, low, high)
        band = np.full((*input.shape[:-2], high - low + 1, length), padding_value, input.dtype)
        which, at, row, column = _places(rows, columns, low, high, align)
        band[..., which, at] = input[..., row, column]
        return band[..., 0, :] if low == high else band

    def gradient(op, grad):
        return _part_gradient(op, grad, op.attrs["align"]), None, None


def _part_gradient(op, grad, align):
    """Put back where it was taken from, by the shape if that is known."""
    matrix, k = op.inputs[:2]
    sizes = None if matrix.dims is None else matrix.dims[-2:]
    if sizes is not None and None not in sizes:
        rows, columns = sizes
        return matrix_diag(grad, k=k, num_rows=rows, num_cols=columns, align=align)
    return matrix_set_diag(zeros_like(matrix), grad, k=k, align=align)


def _require_rank_between(dims, least, most):
    if least == most:
        with_rank(dims, least)
    with_rank_at_least(dims, least)
    if dims is not None and len(dims) > most:
        raise ValueError(f"Shape must be at most rank {most} but is rank {len(dims)}")


@op("input: T, diagonal: T, k: int32 -> output: T", T=ANY, align="RIGHT_LEFT")
class MatrixSetDiagV3:
    """Matrices with diagonals replaced."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        diagonal = with_rank_at_least(op.inputs[1].dims, 1)
        low, high = _static_bounds(op.inputs[2]) or (None, None)
        if dims is not None:
            least = len(dims) - 1 if low is None or low == high else len(dims)
            most = least if low is not None else len(dims)
            _require_rank_between(diagonal, least, most)
            _require_within(dims, low or 0, high or 0)
        if diagonal is None or (dims is not None and None not in dims):
            return dims
        # For an input of known rank TensorFlow 2.21 takes a band's rows for batches, and then
        # refuses its rank.
        is_band = dims is None and low != high
        return merge(dims, (*subshape(diagonal, 0, -2 if is_band else -1), None, None))

    def kernel(input, diagonal, k, *, align):
        low, high = _bounds(k)
        out = np.array(input)
        which, at, row, column = _places(*input.shape[-2:], low, high, align)
        out[..., row, column] = _as_band(diagonal, low, high)[..., which, at]
        return out

    def gradient(op, grad):
        return _set_gradient(op, grad, op.attrs["align"])


def _set_gradient(op, grad, align):
    """To the matrix all but the diagonals, to these what is there."""
    diagonal, k = op.inputs[1:]
    nothing = zeros(shape(diagonal), dtype=grad.dtype)
    return (
        matrix_set_diag(grad, nothing, k=k, align=align),
        matrix_diag_part(grad, k=k, align=align),
        None,
    )


# -- the same, as TensorFlow had them before: subdiagonals at the left, or the main one alone --

_EARLIER = "LEFT_LEFT"  # how versions 2 align, and what their gradients, of version 3, are given
_CURRENT = "RIGHT_LEFT"


@op(
    "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T -> output: T",
    T=ANY,
)
class MatrixDiagV2:
    """`MatrixDiagV3` whose bands stand at the left."""

    shape = MatrixDiagV3.shape

    def kernel(diagonal, k, num_rows, num_cols, padding_value):
        return MatrixDiagV3.kernel(diagonal, k, num_rows, num_cols, padding_value, align=_EARLIER)

    def gradient(op, grad):
        # Aligned as version 3 is by default: TensorFlow 2.21 does not pass on how this one is.
        return matrix_diag_part(grad, k=op.inputs[1]), None, None, None, None


@op("input: T, k: int32, padding_value: T -> diagonal: T", T=ANY)
class MatrixDiagPartV2:
    """`MatrixDiagPartV3` whose bands stand at the left."""

    shape = MatrixDiagPartV3.shape

    def kernel(input, k, padding_value):
        return MatrixDiagPartV3.kernel(input, k, padding_value, align=_EARLIER)

    def gradient(op, grad):
        return _part_gradient(op, grad, _CURRENT), None, None


@op("input: T, diagonal: T, k: int32 -> output: T", T=ANY)
class MatrixSetDiagV2:
    """`MatrixSetDiagV3` whose bands stand at the left."""

    shape = MatrixSetDiagV3.shape

    def kernel(input, diagonal, k):
        return MatrixSetDiagV3.kernel(input, diagonal, k, align=_EARLIER)

    def gradient(op, grad):
        return _set_gradient(op, grad, _CURRENT)


@op("diagonal: T -> output: T", T=ANY)
class MatrixDiag:
    """Square matrices with the given main diagonals, elsewhere 0."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 1)
        return None if dims is None else (*dims, dims[-1])

    def kernel(diagonal):
        return _from_main(diagonal)

    def gradient(op, grad):
        return matrix_diag_part(grad)


@op("input: T -> diagonal: T", T=ANY)
class MatrixDiagPart:
    """The main diagonals of matrices."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        if dims is None:
            return None
        return (*dims[:-2], None if None in dims[-2:] else min(dims[-2:]))

    def kernel(input):
        return np.diagonal(input, axis1=-2, axis2=-1).copy()

    def gradient(op, grad):
        matrix = op.inputs[0]
        sizes = None if matrix.dims is None else matrix.dims[-2:]
        if sizes is not None and None not in sizes and sizes[0] == sizes[1]:
            return matrix_diag(grad)
        return matrix_set_diag(zeros_like(matrix), grad)


@op("input: T, diagonal: T -> output: T", T=ANY)
class MatrixSetDiag:
    """Matrices with their main diagonals replaced."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        diagonal = with_rank_at_least(op.inputs[1].dims, 1)
        if dims is not None and None not in dims[-2:] and diagonal is not None:
            merge((min(dims[-2:]),), diagonal[-1:])
        if diagonal is None:
            return dims
        return merge(dims, (*diagonal[:-1], None, None))

    def kernel(input, diagonal):
        return MatrixSetDiagV3.kernel(input, diagonal, 0, align=_CURRENT)

    def gradient(op, grad):
        dims = merge(op.inputs[0].dims, grad.dims)
        if dims is not None and None not in dims:
            sizes = [*dims[:-2], min(dims[-2:])]
        else:
            from numpy_tf.ops.array.shape import rank
            from numpy_tf.ops.array.slicing import slice
            from numpy_tf.ops.math.reduction import reduce_min

            of_grad, batches = shape(grad), rank(grad) - 2
            least = reduce_min(slice(of_grad, [batches], [2]))
            sizes = concat([slice(of_grad, [0], [batches]), [least]], 0)
        return matrix_set_diag(grad, zeros(sizes, dtype=grad.dtype)), matrix_diag_part(grad)


def _from_main(diagonal):
    out = np.zeros((*diagonal.shape, diagonal.shape[-1]), diagonal.dtype)
    at = np.arange(diagonal.shape[-1])
    out[..., at, at] = diagonal
    return out


# -- diagonals of tensors of any rank ----------------------------------------------------

_DIAGONAL = FLOATING | COMPLEX | {dtypes.int32, dtypes.int64}


@op("diagonal: T -> output: T", T=_DIAGONAL, public="diag, linalg.tensor_diag")
class Diag:
    """Of the shape twice over, with the input where both halves of the index are equal."""

    def shape(op):
        dims = op.inputs[0].dims
        return None if dims is None else (*with_rank_at_least(dims, 1), *dims)

    def kernel(diagonal):
        return np.diag(diagonal.reshape(-1)).reshape(diagonal.shape * 2)

    def gradient(op, grad):
        return DiagPart(grad)


@op("input: T -> diagonal: T", T=_DIAGONAL, public="diag_part, linalg.tensor_diag_part")
class DiagPart:
    """The elements where both halves of the index are equal."""

    def shape(op):
        dims = op.inputs[0].dims
        if dims is None:
            return None
        if len(dims) % 2 or not dims:
            raise ValueError(f"Input must have even and non-zero rank, input rank is {len(dims)}")
        half = len(dims) // 2
        return merge(dims[:half], dims[half:])

    def kernel(input):
        half = input.ndim // 2
        if input.ndim % 2 or not half:
            raise errors.invalid_argument(
                f"The rank of the tensor should be even and positive, got shape {list(input.shape)}"
            )
        sizes = input.shape[:half]
        if sizes != input.shape[half:]:
            raise errors.invalid_argument(
                f"Invalid shape {list(input.shape)}: dimensions {half} apart do not match"
            )
        count = math.prod(sizes)
        return np.diagonal(input.reshape(count, count)).reshape(sizes).copy()

    def gradient(op, grad):
        return Diag(grad)


@op(
    "input: T, num_lower: Tindex, num_upper: Tindex -> band: T",
    T=ANY,
    Tindex=INT64_BY_DEFAULT,
    public="matrix_band_part, linalg.band_part",
)
class MatrixBandPart:
    """Matrices with zeros outside a band about the main diagonal; -1 keeps a whole triangle."""

    def kernel(input, num_lower, num_upper):
        if input.ndim < 2:
            raise errors.invalid_argument(
                f"input must be at least 2-dim, received shape: {list(input.shape)}"
            )
        rows, columns = input.shape[-2:]
        lower, upper = int(num_lower), int(num_upper)
        for name, count, most in (("num_lower", lower, rows), ("num_upper", upper, columns)):
            if count > most:
                raise errors.invalid_argument(
                    f"{name} must be negative or less or equal to number of "
                    f"{'rows' if most == rows else 'columns'} ({most}) got: {count}"
                )
        below = np.arange(rows)[:, np.newaxis] - np.arange(columns)
        inside = ((lower < 0) | (below <= lower)) & ((upper < 0) | (-below <= upper))
        return np.where(inside, input, np.zeros((), input.dtype))

    def gradient(op, grad):
        return MatrixBandPart(grad, *op.inputs[1:]), None, None


def _padding(value, tensor):
    dtype = getattr(tensor, "dtype", None)
    return bool(value) if isinstance(dtype, dtypes.DType) and dtype.is_bool else value


@export("matrix_diag", "linalg.diag")
def matrix_diag(
    diagonal,
    name="diag",
    k=0,
    num_rows=-1,
    num_cols=-1,
    padding_value=0,
    align="RIGHT_LEFT",
):
    """Matrices with the given diagonals, elsewhere `padding_value`.

    Args:
      diagonal: [..., length], or [..., count, length] for a band.
      k: which diagonal, 0 for the main one; or the lowest and the highest of a band.
      num_rows, num_cols: the matrices' sizes; by default the smallest square ones.
      align: at which sides superdiagonals and subdiagonals stand in a band.
    """
    padding_value = _padding(padding_value, diagonal)
    return MatrixDiagV3(diagonal, k, num_rows, num_cols, padding_value, align=align, name=name)


@export("matrix_diag_part", "linalg.diag_part")
def matrix_diag_part(input, name="diag_part", k=0, padding_value=0, align="RIGHT_LEFT"):
    """The diagonals of matrices; see `matrix_diag` for the arguments."""
    return MatrixDiagPartV3(input, k, _padding(padding_value, input), align=align, name=name)


@export("matrix_set_diag", "linalg.set_diag")
def matrix_set_diag(input, diagonal, name="set_diag", k=0, align="RIGHT_LEFT"):
    """Matrices with diagonals replaced; see `matrix_diag` for the arguments."""
    return MatrixSetDiagV3(input, diagonal, k, align=align, name=name)


@export("eye", "linalg.eye")
def eye(num_rows, num_columns=None, batch_shape=None, dtype=dtypes.float32, name=None):
    """The identity matrix, or a batch of them.

    Args:
      num_rows, num_columns: integers or integer tensors; by default it is square.
      batch_shape: a list of integers, or a tensor.

    Raises:
      TypeError: when a size is neither an integer nor a tensor.
    """
    with NameScope(name, "eye", [t for t in (num_rows, num_columns) if isinstance(t, Tensor)]):
        square = num_columns is None
        columns = num_rows if num_columns is None else num_columns
        batch_shape = [] if batch_shape is None else batch_shape
        if isinstance(num_rows, Tensor) or isinstance(columns, Tensor):
            from numpy_tf.ops.math.arithmetic import Minimum

            length = Minimum(num_rows, columns)
        elif isinstance(num_rows, numbers.Integral) and isinstance(columns, numbers.Integral):
            square = num_rows == columns
            length = min(num_rows, columns)
        else:
            raise TypeError(
                "Arguments `num_rows` and `num_columns` must be positive integer values. "
                f"Received: num_rows={num_rows}, num_columns={columns}"
            )
        if isinstance(batch_shape, Tensor) or isinstance(length, Tensor):
            batch = convert_to_tensor(batch_shape, name="shape", dtype=dtypes.int32)
            diagonal_shape = concat((batch, [length]), axis=0)
            whole = None if square else concat((batch, [num_rows, columns]), axis=0)
        else:
            diagonal_shape = [*batch_shape, length]
            whole = None if square else [*batch_shape, num_rows, columns]
        diagonal = ones(diagonal_shape, dtype=dtype)
        if square:
            return matrix_diag(diagonal)
        return matrix_set_diag(zeros(whole, dtype=dtype), diagonal)
