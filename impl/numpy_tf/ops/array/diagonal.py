"""Diagonals of matrices: taken out, put in, and the identity matrix.

A band of diagonals lies in [..., count, length] with the topmost first; a diagonal shorter
than the longest is filled up at the side that `align` says.
"""

import numbers

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import merge, with_rank_at_least
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


def _static_bounds(k):
    value = constant_value(k)
    return (None, None) if value is None else _bounds(value)


@op(
    "diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T -> output: T",
    T=ANY,
    align="RIGHT_LEFT",
)
class MatrixDiagV3:
    """Matrices with the given diagonals, elsewhere `padding_value`."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 1)
        if dims is None:
            return None
        low, high = _static_bounds(op.inputs[1])
        rows, columns = (constant_value(t) for t in op.inputs[2:4])
        if low is None:
            return None
        batch = dims[:-1] if low == high else dims[:-2]
        if rows is None or columns is None or dims[-1] is None:
            return (*batch, None, None)
        return (*batch, *_matrix_sizes(dims[-1], low, high, int(rows), int(columns)))

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
        low, high = _static_bounds(op.inputs[1])
        if dims is None or low is None:
            return None
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
        matrix, k = op.inputs[:2]
        align = op.attrs["align"]
        sizes = None if matrix.dims is None else matrix.dims[-2:]
        if sizes is not None and None not in sizes:
            rows, columns = sizes
            dense = matrix_diag(grad, k=k, num_rows=rows, num_cols=columns, align=align)
        else:
            dense = matrix_set_diag(zeros_like(matrix), grad, k=k, align=align)
        return dense, None, None


@op("input: T, diagonal: T, k: int32 -> output: T", T=ANY, align="RIGHT_LEFT")
class MatrixSetDiagV3:
    """Matrices with diagonals replaced."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 2)
        diagonal = op.inputs[1].dims
        if diagonal is None or (dims is not None and None not in dims):
            return dims
        # TensorFlow 2.21 takes a band's rows for batches here, and then refuses its rank.
        return merge(dims, (*diagonal[:-1], None, None))

    def kernel(input, diagonal, k, *, align):
        low, high = _bounds(k)
        out = np.array(input)
        which, at, row, column = _places(*input.shape[-2:], low, high, align)
        out[..., row, column] = _as_band(diagonal, low, high)[..., which, at]
        return out

    def gradient(op, grad):
        diagonal, k = op.inputs[1:]
        align = op.attrs["align"]
        nothing = zeros(shape(diagonal), dtype=grad.dtype)
        return (
            matrix_set_diag(grad, nothing, k=k, align=align),
            matrix_diag_part(grad, k=k, align=align),
            None,
        )


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
