"""Ranks and pseudo-inverses, by singular values."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.select import where_v2
from numpy_tf.ops.array.shape import expand_dims, shape
from numpy_tf.ops.linalg.decomposition import svd
from numpy_tf.ops.math.arithmetic import Maximum
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_max, reduce_sum


def _matrix(a, **conversion):
    a = convert_to_tensor(a, name="a", **conversion)
    if not a.dtype.is_floating:
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {a.dtype.name}).")
    if a.dims is not None and len(a.dims) < 2:
        raise ValueError(f"Input `a` must have at least 2 dimensions (saw: {len(a.dims)}).")
    return a


@export("linalg.matrix_rank")
def matrix_rank(a, tol=None, validate_args=False, name=None):
    """How many singular values exceed `tol`, by default what rounding may leave of zeros."""
    with NameScope(name, "matrix_rank"):
        a = _matrix(a, dtype_hint=dtypes.float32)
        values = svd(a, compute_uv=False)
        if tol is None:
            known = a.dims is not None and None not in a.dims[-2:]
            size = max(a.dims[-2:]) if known else reduce_max(shape(a)[-2:])
            eps = np.finfo(a.dtype.as_numpy_dtype).eps
            tol = eps * cast(size, a.dtype) * reduce_max(values, axis=-1, keepdims=True)
        return reduce_sum(cast(values > tol, dtypes.int32), axis=-1)


@export("linalg.pinv")
def pinv(a, rcond=None, validate_args=False, name=None):
    """The pseudo-inverses of matrices.

    Args:
      rcond: singular values up to this much of the largest count as zero.
    """
    with NameScope(name, "pinv"):
        a = _matrix(a)
        dtype = a.dtype.as_numpy_dtype
        if rcond is None:
            rcond = 10.0 * _longer_side(a) * np.finfo(dtype).eps
        rcond = convert_to_tensor(rcond, dtype=a.dtype, name="rcond")
        s, u, v = svd(a)
        cutoff = rcond * reduce_max(s, axis=-1)
        # Infinity rather than zero: its reciprocal is 0, and so is the gradient of that.
        s = where_v2(s > expand_dims(cutoff, -1), s, np.array(np.inf, dtype))
        inverse = matmul(v / expand_dims(s, -2), u, adjoint_b=True)
        if a.dims is not None:
            inverse.set_shape([*a.dims[:-2], a.dims[-1], a.dims[-2]])
        return inverse


def _longer_side(a):
    known = (None, None) if a.dims is None else a.dims[-2:]
    rows, columns = (
        shape(a)[axis] if size is None else size for axis, size in zip((-2, -1), known, strict=True)
    )
    if isinstance(rows, int) and isinstance(columns, int):
        return float(max(rows, columns))
    return cast(Maximum(rows, columns), a.dtype)
