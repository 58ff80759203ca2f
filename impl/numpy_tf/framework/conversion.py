"""convert_to_tensor: which function makes a tensor of which Python type."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import Tensor

_functions = []  # (priority, order of registration, types, function), sorted
_by_type = {}  # type -> the functions that apply to it, in order


@export("register_tensor_conversion_function")
def register_tensor_conversion_function(base_type, conversion_func, priority=100):
    """Makes `conversion_func(value, dtype, name, as_ref)` convert values of `base_type`.

    Functions of lower priority are asked first; one that returns NotImplemented passes the
    question on.
    """
    _functions.append((priority, len(_functions), base_type, conversion_func))
    _functions.sort(key=lambda entry: entry[:2])
    _by_type.clear()


@export("convert_to_tensor")
def convert_to_tensor(
    value, dtype=None, name=None, preferred_dtype=None, dtype_hint=None, as_ref=False
):
    """A tensor of `value`: itself, a variable's value, a constant, or a stack of tensors.

    Args:
      value: a tensor, variable, IndexedSlices, array, number or nested list.
      dtype: the dtype that it must have, or None.
      name: of the operation that is made, if one is.
      preferred_dtype, dtype_hint: a dtype to try first when `dtype` is None.
      as_ref: whether a variable's reference is wanted rather than its value.

    Raises:
      TypeError: when no tensor can be made of it.
      ValueError: when it is a tensor of another dtype.
    """
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    if isinstance(value, Tensor):
        if dtype is not None and dtype.base_dtype is not value.dtype.base_dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
                f"{value.dtype.name}: {value!r}"
            )
        return value
    hint = dtype_hint if preferred_dtype is None else preferred_dtype
    if dtype is None and hint is not None:
        try:
            return _convert(value, dtypes.as_dtype(hint), name, as_ref)
        except (TypeError, ValueError):
            pass  # a hint is no demand
    return _convert(value, dtype, name, as_ref)


def _convert(value, dtype, name, as_ref):
    functions = _by_type.get(type(value))
    if functions is None:
        functions = _by_type[type(value)] = [
            function for _, _, types, function in _functions if issubclass(type(value), types)
        ]
    for function in functions:
        tensor = function(value, dtype, name, as_ref)
        if tensor is not NotImplemented:
            return tensor
    raise TypeError(
        f"Cannot convert {value!r} with type {type(value)} to Tensor: "
        "no conversion function registered."
    )
