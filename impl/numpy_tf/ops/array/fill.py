"""Tensors of one value: zeros, ones and fill."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INT32_BY_DEFAULT, NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import TensorShape
from numpy_tf.framework.variant import Variant
from numpy_tf.ops.array.constant import constant, constant_from_array
from numpy_tf.ops.array.dims import dims_given_by, with_rank
from numpy_tf.ops.array.shape import Shape
from numpy_tf.ops.array.shape import shape as shape_of


@op("dims: index_type, value: T -> output: T", T=ANY, index_type=INT32_BY_DEFAULT)
class Fill:
    """A tensor of shape `dims`, each element `value`."""

    def shape(op):
        dims, value = op.inputs
        with_rank(dims.dims, 1)
        with_rank(value.dims, 0)
        known = constant_value(dims)
        if known is not None and known.size and known.min() == -1:
            raise ValueError("Fill dimensions must be >= 0")
        return dims_given_by(dims)

    def kernel(dims, value):
        if (dims < 0).any():
            raise errors.invalid_argument(f"Dimension {int(dims.min())} must be >= 0")
        return np.full(dims, value, value.dtype)

    def gradient(op, grad):
        from numpy_tf.ops.math.reduction import reduce_sum

        return None, reduce_sum(grad)


@export("fill")
def fill(dims, value, name=None):
    """A tensor of shape `dims`, each element `value`."""
    return Fill(_shape_tensor(dims), value, name=name)


@op("x: T -> y: T", T=ANY)
class ZerosLike:
    """Zeros of the shape and dtype of `x`."""

    def kernel(x, *, dtype):
        return x.zeros_like() if isinstance(x, Variant) else _zeros(x.shape, dtype)

    gradient = NOT_DIFFERENTIABLE


@op("x: T -> y: T", T=NUMERIC | {dtypes.bool_})
class OnesLike:
    """Ones of the shape and dtype of `x`."""

    def kernel(x, *, dtype):
        return np.ones(x.shape, dtype)

    gradient = NOT_DIFFERENTIABLE


def _zeros(shape, dtype):
    if dtype.kind == "O":
        return np.full(shape, b"", object)
    return np.zeros(shape, dtype)


def _shape_tensor(shape):
    if isinstance(shape, Tensor):
        return shape
    if isinstance(shape, TensorShape) or not hasattr(shape, "dtype"):
        return (
            convert_to_tensor(shape, dtypes.int32) if _is_flat(shape) else convert_to_tensor(shape)
        )
    return convert_to_tensor(shape)


def _is_flat(shape):
    return not isinstance(shape, (list, tuple)) or not any(isinstance(d, Tensor) for d in shape)


def _filled(shape, value, dtype, name, default_name):
    dtype = dtypes.as_dtype(dtype).base_dtype
    with NameScope(name, default_name, [shape]) as scope:
        if not isinstance(shape, Tensor):
            known = _known_dims(shape)
            if known is not None and int(np.prod(known, dtype=np.int64)) < 1000:
                return constant_from_array(_array(known, value, dtype), scope)
            if known is None:
                shape = _shape_tensor(shape)
            else:
                wide = any(dim > np.iinfo(np.int32).max for dim in known)
                array = np.array(known, np.int64 if wide else np.int32)
                shape = constant_from_array(array, "shape_as_tensor")
        if not shape.dims:  # a single number, perhaps
            from numpy_tf.ops.array.shape import reshape

            shape = reshape(shape, [-1])
        return Fill(shape, constant(_scalar(value, dtype), dtype=dtype), name=scope)


def _array(dims, value, dtype):
    if dtype is dtypes.string:
        array = np.empty(dims, object)
        array.fill(b"")
        return array
    return np.full(dims, value, dtype.as_numpy_dtype)


def _scalar(value, dtype):
    if dtype is dtypes.string:
        return ""
    return bool(value) if dtype.is_bool else value


def _known_dims(shape):
    try:
        dims = TensorShape(shape)
    except (TypeError, ValueError):
        return None
    return tuple(dims.as_list()) if dims.is_fully_defined() else None


@export("zeros")
def zeros(shape, dtype=dtypes.float32, name=None):
    """A tensor of zeros (empty texts for strings, False for bools)."""
    return _filled(shape, 0, dtype, name, "zeros")


@export("ones")
def ones(shape, dtype=dtypes.float32, name=None):
    """A tensor of ones.

    Raises:
      TypeError: for strings.
    """
    if dtypes.as_dtype(dtype).base_dtype is dtypes.string:
        raise TypeError("Expected string, but got 1 of type 'int'.")
    return _filled(shape, 1, dtype, name, "ones")


@export("zeros_like")
def zeros_like(tensor, dtype=None, name=None, optimize=True):
    """Zeros of the shape of `tensor`, and of its dtype unless another is given."""
    return _like(tensor, dtype, name, optimize, "zeros_like", zeros, ZerosLike)


@export("ones_like")
def ones_like(tensor, dtype=None, name=None, optimize=True):
    """Ones of the shape of `tensor`, and of its dtype unless another is given."""
    with NameScope(name, "ones_like", [tensor]) as scope:
        tensor = convert_to_tensor(tensor, name="tensor")
        filled = ones(
            shape_of(tensor, optimize=optimize),
            tensor.dtype.base_dtype if dtype is None else dtype,
            name=scope,
        )
        filled.set_shape(tensor.dims)
        return filled


def _like(tensor, dtype, name, optimize, default_name, make, like):
    with NameScope(name, default_name, [tensor]) as scope:
        if not isinstance(tensor, Tensor) and not hasattr(tensor, "_as_graph_element"):
            tensor = convert_to_tensor(tensor, name="tensor")
        dims = tuple(tensor.shape.as_list()) if tensor.shape.is_fully_defined() else None
        base = tensor.dtype.base_dtype
        wanted = base if dtype is None else dtypes.as_dtype(dtype).base_dtype
        if optimize and dims is not None and base is not dtypes.variant:
            return make(dims, wanted, name=scope)
        if wanted is not base and base is not dtypes.variant:
            return make(Shape(tensor, out_type=dtypes.int32), wanted, name=scope)
        return like(tensor, name=scope)
