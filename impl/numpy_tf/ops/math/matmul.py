"""Matrix products."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import (
    INEXACT,
    NUMERIC,
    Types,
    bfloat16,
    float32,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.framework.tensor_shape import broadcast_dims
from numpy_tf.ops.array.dims import merge, with_rank_at_least
from numpy_tf.ops.array.shape import BroadcastGradientArgs, reshape, shape
from numpy_tf.ops.math.cast import cast, conj

_MIXED = INEXACT | {int16, int32, int64}


def matrix_product(a, b):
    """np.matmul; half precision is summed in float32 and rounded once."""
    if a.dtype.itemsize > 2 or a.dtype.kind in "iu":
        return np.matmul(a, b)
    return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)


def _dot(a, b):
    """`matrix_product`, of which TensorFlow's kernels do not round bfloat16 but cut it off."""
    if a.dtype.name != "bfloat16":
        return matrix_product(a, b)
    product = np.matmul(a.astype(np.float32), b.astype(np.float32))
    return (product.view(np.uint32) >> 16).astype(np.uint16).view(a.dtype)


def _product_dims(a, b, swap_a, swap_b):
    """The last two dimensions of a product, and whether the inner ones fit."""
    a = a[::-1] if swap_a else a
    b = b[::-1] if swap_b else b
    inner = (a[1], b[0])
    if None not in inner and inner[0] != inner[1]:
        raise ValueError(f"Dimensions must be equal, but are {inner[0]} and {inner[1]}")
    return (a[0], b[1])


@op(
    "a: T, b: T -> product: T",
    T=NUMERIC - {int8, int16},
    transpose_a=False,
    transpose_b=False,
    grad_a=False,
    grad_b=False,
)
class MatMul:
    """The product of two matrices, each transposed first if asked."""

    def shape(op):
        dims = []
        for tensor in op.inputs:
            if tensor.dims is not None and len(tensor.dims) != 2:
                raise ValueError(f"Shape must be rank 2 but is rank {len(tensor.dims)}")
            dims.append(tensor.dims or (None, None))
        return _product_dims(*dims, op.attrs["transpose_a"], op.attrs["transpose_b"])

    def kernel(a, b, *, transpose_a, transpose_b):
        if a.ndim != 2 or b.ndim != 2:
            raise errors.invalid_argument(f"In[{int(a.ndim == 2)}] is not a matrix")
        if transpose_a:
            a = a.T
        if transpose_b:
            b = b.T
        if a.shape[1] != b.shape[0]:
            raise errors.invalid_argument(
                f"Matrix size-incompatible: In[0]: {list(a.shape)}, In[1]: {list(b.shape)}",
            )
        return _dot(a, b)

    def gradient(op, grad):
        a, b = conj(op.inputs[0]), conj(op.inputs[1])
        swap_a, swap_b = op.attrs["transpose_a"], op.attrs["transpose_b"]
        if swap_a:
            grad_a = MatMul(b, grad, transpose_a=swap_b, transpose_b=True)
        else:
            grad_a = MatMul(grad, b, transpose_b=not swap_b)
        if swap_b:
            grad_b = MatMul(grad, a, transpose_a=True, transpose_b=swap_a)
        else:
            grad_b = MatMul(a, grad, transpose_a=not swap_a)
        return grad_a, grad_b


@op(
    "x: T, y: T -> output: T",
    T=NUMERIC - {int8},
    adj_x=False,
    adj_y=False,
    grad_x=False,
    grad_y=False,
)
class BatchMatMulV2:
    """Products of the last two dimensions; the others are broadcast to each other."""

    def shape(op):
        x, y = (tensor.dims for tensor in op.inputs)
        if x is None or y is None:
            return None
        for dims in (x, y):
            if len(dims) < 2:
                raise ValueError(f"Shape must be at least rank 2 but is rank {len(dims)}")
        product = _product_dims(x[-2:], y[-2:], op.attrs["adj_x"], op.attrs["adj_y"])
        return broadcast_dims(x[:-2], y[:-2]) + product

    def kernel(x, y, *, adj_x, adj_y):
        x = np.conjugate(np.swapaxes(x, -1, -2)) if adj_x else x
        y = np.conjugate(np.swapaxes(y, -1, -2)) if adj_y else y
        if x.shape[-1] != y.shape[-2]:
            raise errors.invalid_argument(
                f"Matrix size-incompatible: In[0]: {list(x.shape)}, In[1]: {list(y.shape)}",
            )
        return _dot(x, y)

    def gradient(op, grad):
        return _reduced_to_batches(*op.inputs, *_batch_gradient(op, grad))


@op(
    "x: T, y: T -> output: T",
    T=INEXACT | {int32, int64},
    adj_x=False,
    adj_y=False,
    grad_x=False,
    grad_y=False,
)
class BatchMatMul:
    """Products of the last two dimensions of batches of one shape."""

    def shape(op):
        x, y = (with_rank_at_least(tensor.dims, 2) for tensor in op.inputs)
        unknown = (None, None)
        product = _product_dims(
            x[-2:] if x else unknown,
            y[-2:] if y else unknown,
            op.attrs["adj_x"],
            op.attrs["adj_y"],
        )
        batches = merge(x and x[:-2], y and y[:-2])
        return None if batches is None else batches + product

    def kernel(x, y, *, adj_x, adj_y):
        if x.shape[:-2] != y.shape[:-2]:
            raise errors.invalid_argument(
                "In[0] and In[1] must have compatible batch dimensions: "
                f"{list(x.shape)} vs. {list(y.shape)}"
            )
        return BatchMatMulV2.kernel(x, y, adj_x=adj_x, adj_y=adj_y)

    def gradient(op, grad):
        return _batch_gradient(op, grad)


@op(
    "x: Ta, y: Tb -> output: Tout",
    Ta=_MIXED | {uint8, int8},
    Tb=_MIXED | {uint8, int8},
    Tout=_MIXED,
    adj_x=False,
    adj_y=False,
    grad_x=False,
    grad_y=False,
)
class BatchMatMulV3:
    """`BatchMatMulV2` of two dtypes into a third."""

    shape = BatchMatMulV2.shape

    def kernel(x, y, *, dtype, adj_x, adj_y):
        return BatchMatMulV2.kernel(x.astype(dtype), y.astype(dtype), adj_x=adj_x, adj_y=adj_y)

    def gradient(op, grad):
        return _reduced_to_batches(*op.inputs, *_batch_gradient(op, grad))


_SPARSE = Types({float32, bfloat16}, default=float32)


@op(
    "a: Ta, b: Tb -> product: float32",
    Ta=_SPARSE,
    Tb=_SPARSE,
    transpose_a=False,
    transpose_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
)
class SparseMatMul:
    """The product in float32 of two matrices of which one is said to be zero for the most part.

    The gradient is computed by it again, where an operand is said to be so.
    """

    shape = MatMul.shape

    def kernel(a, b, *, transpose_a, transpose_b):
        a, b = a.astype(np.float32), b.astype(np.float32)
        return MatMul.kernel(a, b, transpose_a=transpose_a, transpose_b=transpose_b)

    def gradient(op, grad):
        from numpy_tf.ops.array.transpose import transpose

        a, b = op.inputs
        attrs = op.attrs
        # By identity, and the later wins, as TensorFlow notes it.
        sparse = {
            a: attrs["a_is_sparse"],
            b: attrs["b_is_sparse"],
            grad: grad.op.type == "ReluGrad",
        }

        def product(x, y, dtype, swap_x=False, swap_y=False):
            y_sparse = sparse[y]
            y = transpose(y) if swap_y else y
            result = matmul(x, y, transpose_a=swap_x, a_is_sparse=sparse[x], b_is_sparse=y_sparse)
            return result if result.dtype == dtype else cast(result, dtype)

        swap_a, swap_b = attrs["transpose_a"], attrs["transpose_b"]
        if swap_a:
            grad_a = product(b, grad, a.dtype, swap_x=swap_b, swap_y=True)
        else:
            grad_a = product(grad, b, a.dtype, swap_y=not swap_b)
        if swap_b:
            grad_b = product(grad, a, b.dtype, swap_x=True, swap_y=swap_a)
        else:
            grad_b = product(a, grad, b.dtype, swap_x=not swap_a)
        return grad_a, grad_b


def _batch_gradient(op, grad):
    x, y = op.inputs
    adj_x, adj_y = op.attrs["adj_x"], op.attrs["adj_y"]
    if adj_x:
        grad_x = matmul(y, grad, adjoint_a=adj_y, adjoint_b=True)
    else:
        grad_x = matmul(grad, y, adjoint_b=not adj_y)
    if adj_y:
        grad_y = matmul(grad, x, adjoint_a=True, adjoint_b=adj_x)
    else:
        grad_y = matmul(x, grad, adjoint_a=not adj_x)
    return grad_x, grad_y


def _reduced_to_batches(x, y, grad_x, grad_y):
    """Each gradient summed over the batch dimensions along which its input was broadcast."""
    from numpy_tf.ops.math.reduction import reduce_sum

    ranks = [None if t.dims is None else len(t.dims) for t in (x, y)]
    if ranks == [2, 2]:
        return grad_x, grad_y
    if None not in ranks and x.dims[:-2] == y.dims[:-2] and None not in x.dims[:-2]:
        return grad_x, grad_y
    x_shape, y_shape = shape(x), shape(y)
    x_axes, y_axes = BroadcastGradientArgs(x_shape[:-2], y_shape[:-2])
    return (
        reshape(reduce_sum(grad_x, x_axes), x_shape),
        reshape(reduce_sum(grad_y, y_axes), y_shape),
    )


@export("matmul", "linalg.matmul")
def matmul(
    a,
    b,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    output_type=None,
    grad_a=False,
    grad_b=False,
    name=None,
):
    """The product of matrices, or of batches of them when there are more dimensions.

    Args:
      a, b: tensors of rank 2 or more.
      transpose_a, transpose_b: whether to swap the last two dimensions first.
      adjoint_a, adjoint_b: the same, and conjugate.
      a_is_sparse, b_is_sparse: whether many elements are zero; of float32 and bfloat16 this
        makes a `SparseMatMul`.
      grad_a, grad_b: hints to TensorFlow, without effect.
      output_type: None or the inputs' dtype.

    Raises:
      ValueError: when both transpose and adjoint are asked, or shapes do not fit.
      TypeError: when dtypes differ.
    """
    with NameScope(name, "MatMul", [a, b]) as scope:
        for which, transpose, adjoint in (
            ("a", transpose_a, adjoint_a),
            ("b", transpose_b, adjoint_b),
        ):
            if transpose and adjoint:
                raise ValueError(
                    f"Only one of `transpose_{which}` and `adjoint_{which}` can be True. "
                    f"Received `transpose_{which}`={transpose}, `adjoint_{which}`={adjoint}."
                )
        a = convert_to_tensor(a, name="a")
        b = convert_to_tensor(b, dtype_hint=a.dtype.base_dtype, name="b")
        hinted = a_is_sparse or b_is_sparse
        if not hinted and any(t.dims is None or len(t.dims) > 2 for t in (a, b)):
            # Only an adjoint exists here, so transposing conjugates twice.
            a, b = conj(a) if transpose_a else a, conj(b) if transpose_b else b
            adjoints = {"adj_x": transpose_a or adjoint_a, "adj_y": transpose_b or adjoint_b}
            return BatchMatMulV2(a, b, **adjoints, name=scope)
        a, b = conj(a) if adjoint_a else a, conj(b) if adjoint_b else b
        flips = {"transpose_a": transpose_a or adjoint_a, "transpose_b": transpose_b or adjoint_b}
        types = {a.dtype.base_dtype, b.dtype.base_dtype}
        if types == _SPARSE or (hinted and types <= _SPARSE):
            product = SparseMatMul(
                a, b, **flips, a_is_sparse=a_is_sparse, b_is_sparse=b_is_sparse, name=scope
            )
            return cast(product, bfloat16) if types == {bfloat16} else product
        return MatMul(a, b, **flips, name=scope)
