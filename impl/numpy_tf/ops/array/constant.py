"""Const, and the tensors that Python and NumPy values become."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import register_tensor_conversion_function
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import Operation, Tensor, get_default_graph
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, REQUIRED, op
from numpy_tf.framework.tensor_shape import Dimension, TensorShape, as_dims


@op("-> output: dtype", dtype=ANY, value=REQUIRED)
class Const:
    """A value that is part of the graph."""

    def shape(op):
        return op.attrs["value"].shape

    def kernel(*, value):
        return value

    gradient = NOT_DIFFERENTIABLE


@export("constant")
def constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
    """A constant tensor.

    Args:
      value: a number, text, array or nested list of those.
      dtype: its element type; by default float32 for Python floats, int32 for ints, and
        an array's own.
      shape: its shape; where values are too few, the last one fills it up.
      name: the operation's name.
      verify_shape: whether values may not be filled up.

    Raises:
      TypeError: when the value does not fit the dtype.
      ValueError: when it does not fit the shape, or is ragged.
    """
    array = to_array(value, dtype)
    if shape is not None:
        array = _with_shape(array, as_dims(shape), verify_shape)
    return constant_from_array(array, name)


def constant_from_array(array, name=None, graph=None):
    """A constant tensor of an array that nobody else will change."""
    dtype = dtypes.as_dtype(array.dtype)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    tensor = Const._add(
        graph or get_default_graph(), (), {"value": array, "dtype": dtype}, (dtype,), name
    )
    tensor.static_value = array
    return tensor


def _with_shape(array, shape, verify_shape):
    if array.shape == shape:
        return array
    size = int(np.prod(shape, dtype=np.int64))
    if array.size == size:
        if verify_shape:
            raise TypeError(f"Expected Tensor's shape: {shape}, but got {array.shape}.")
        return array.reshape(shape)
    if array.size > size or verify_shape or not array.size:
        raise ValueError(
            f"Too many elements provided. Needed at most {size}, but received {array.size}"
            if array.size > size
            else f"Cannot fill a shape {shape} of {size} elements with {array.size} elements"
        )
    filled = np.full(size, array.reshape(-1)[-1], array.dtype)
    filled[: array.size] = array.reshape(-1)
    return filled.reshape(shape)


_PYTHON_SCALARS = {float: dtypes.float32, int: dtypes.int32, bool: dtypes.bool_}
_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


def to_array(value, dtype=None):
    """The array of a Python or NumPy value, with TensorFlow's choice of dtype.

    Raises:
      TypeError: when a value does not fit `dtype`: a float where integers are wanted, a
        bool or text where numbers are.
      ValueError: when the value is ragged.
    """
    if dtype is None:
        inferred = _PYTHON_SCALARS.get(value.__class__)
        if inferred is not None:
            if inferred is not dtypes.int32 or _INT32_MIN <= value <= _INT32_MAX:
                return np.array(value, inferred.as_numpy_dtype)
            return np.array(value, np.int64)
    else:
        dtype = dtypes.as_dtype(dtype).base_dtype
        if value.__class__ is float and dtype.is_floating:
            return np.array(value, dtype.as_numpy_dtype)
    if isinstance(value, (np.ndarray, np.generic)):
        if dtype is None:
            dtype = dtypes.as_dtype(value.dtype)
        if value.dtype.kind in "SUO" or dtype is dtypes.string:
            return _string_array(value)
        return np.array(value, dtype.as_numpy_dtype)
    return _from_python(value, dtype)


def _from_python(value, dtype):
    value = _plain_python(value)
    try:
        array = np.array(value)
    except ValueError:
        raise ValueError("Can't convert non-rectangular Python sequence to Tensor.") from None
    kind = array.dtype.kind
    if kind in "SU" or (kind == "O" and array.size and isinstance(array.flat[0], (bytes, str))):
        if dtype not in (None, dtypes.string):
            raise _unfit(value, dtype, "str")
        return _string_array(value)
    if kind == "O":
        if isinstance(value, dict) and _holds_tensor([*value.values()]):
            raise _tensor_within()
        raise TypeError(
            f"Failed to convert elements of {value!r} to Tensor. Consider casting elements to a "
            "supported type."
        )
    if dtype is None:
        return array.astype(_default_type(array))
    if dtype is dtypes.string or not _fits(kind, array, dtype):
        raise _unfit(value, dtype, {"f": "float", "c": "complex", "b": "bool"}.get(kind, "int"))
    if kind == "i" and dtype.is_integer:
        limits = np.iinfo(dtype.as_numpy_dtype)
        if array.size and (array.min() < limits.min or array.max() > limits.max):
            raise _unfit(value, dtype, "int")
    return array.astype(dtype.as_numpy_dtype)


def _default_type(array):
    """Of a list: float64 becomes float32, and int64 int32 where the values fit."""
    if array.dtype == np.float64:
        return np.float32
    if array.dtype == np.int64 and (
        not array.size or (array.min() >= _INT32_MIN and array.max() <= _INT32_MAX)
    ):
        return np.int32
    return array.dtype


def _fits(kind, array, dtype):
    if not array.size:
        return True
    if kind == "b" or dtype.is_bool:
        return kind == "b" and dtype.is_bool
    if dtype.is_integer:
        return kind in "iu"
    if dtype.is_floating:
        return kind in "iuf"
    return dtype.is_complex


def _unfit(value, dtype, found):
    return TypeError(f"Expected {dtype.name}, but got {value!r} of type '{found}'.")


def _plain_python(value):
    """Shapes and dimensions as lists and ints."""
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor.")
        return value.as_list()
    if isinstance(value, Dimension):
        if value.value is None:
            raise ValueError("Cannot convert an unknown Dimension to a Tensor: ?")
        return value.value
    if isinstance(value, (list, tuple)):
        return [_plain_python(item) for item in value]
    return value


def _string_array(value):
    """Text as TensorFlow holds it: an object array of bytes."""
    source = np.array(value, dtype=object)
    array = np.empty(source.shape, dtype=object)
    array.reshape(-1)[:] = [
        item.encode() if isinstance(item, str) else bytes(item) for item in source.ravel()
    ]
    return array


def _constant_conversion(value, dtype, name, as_ref):
    if value is None:
        raise ValueError("None values not supported.")
    if isinstance(value, (TensorShape, Dimension)) and dtype is None:
        dtype = dtypes.int32
    return constant_from_array(to_array(value, dtype), name)


def _tensor_within():
    return TypeError("Expected any non-tensor type, but got a tensor instead.")


def _list_conversion(value, dtype, name, as_ref):
    """A list that holds tensors is stacked; one that does not is a constant."""
    if not _holds_tensor(value):
        return NotImplemented
    if as_ref:  # a stack is no reference to any of its parts
        raise _tensor_within()
    from numpy_tf.ops.array.stack import stack_nested

    return stack_nested(value, dtype, name)


def _holds_tensor(value):
    if isinstance(value, (list, tuple)):
        return any(_holds_tensor(item) for item in value)
    return isinstance(value, Tensor) or hasattr(value, "_as_graph_element")


def _operation_conversion(value, dtype, name, as_ref):
    raise TypeError(f"can't convert Operation '{value.name}' to Tensor")


register_tensor_conversion_function((list, tuple), _list_conversion, 99)
register_tensor_conversion_function(Operation, _operation_conversion)
register_tensor_conversion_function(object, _constant_conversion, 200)
