"""The operators of tensors and variables: `a + b`, `a[0]`, `a < b`."""

from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.ops.array.constant import constant_from_array, to_array
from numpy_tf.ops.array.slicing import getitem
from numpy_tf.ops.math import arithmetic, comparison
from numpy_tf.ops.math.elementwise import Neg, abs
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.ragged.ragged_tensor import RaggedTensor, elementwise
from numpy_tf.variables import overload_operators

_PYTHON_NUMBERS = (int, float)


def _binary(function, name, direct=None):
    """The two methods of a binary operator.

    Args:
      function: (x, y, name) -> tensor, for anything.
      name: the name scope that TensorFlow gives to the operator.
      direct: the op itself, when that is all that `function` makes of two tensors of one
        dtype; it spares them the detour.
    """

    def operate(x, y):
        with NameScope(None, name, [x, y]) as scope:
            x = convert_to_tensor(x, name="x")
            try:
                y = convert_to_tensor(y, dtype_hint=x.dtype.base_dtype, name="y")
            except (TypeError, ValueError):
                if hasattr(type(y), f"__r{name}__"):
                    return NotImplemented
                raise
            return function(x, y, name=scope)

    def forward(x, y):
        if direct is not None and x.__class__ is Tensor:
            if y.__class__ is Tensor and y.dtype is x.dtype:
                return direct(x, y, name=name)
            if y.__class__ in _PYTHON_NUMBERS and not x.dtype.is_ref and _is_default(x.graph):
                scope = x.graph.unique_name(name) + "/"
                return direct(x, _number(y, x, scope + "y"), name=scope)
        return operate(x, y)

    def reflected(y, x):
        if (
            direct is not None
            and y.__class__ is Tensor
            and x.__class__ in _PYTHON_NUMBERS
            and _is_default(y.graph)
        ):
            scope = y.graph.unique_name(name) + "/"
            return direct(_number(x, y, scope + "x"), y, name=scope)
        with NameScope(None, name, [x, y]) as scope:
            y = convert_to_tensor(y, name="y")
            x = convert_to_tensor(x, dtype=y.dtype.base_dtype, name="x")
            return function(x, y, name=scope)

    return forward, reflected


def _is_default(graph):
    return graph is get_default_graph()


def _number(value, tensor, name):
    """A Python number as a constant of a tensor's dtype, or of its own if it does not fit."""
    try:
        array = to_array(value, tensor.dtype)
    except TypeError:
        array = to_array(value)
    return constant_from_array(array, name + "/", tensor.graph)


def _add(x, y, name):
    return arithmetic.add(x, y, name=name)


_BINARY = {
    "add": _binary(_add, "add"),
    "sub": _binary(arithmetic.Sub, "sub", arithmetic.Sub),
    "mul": _binary(arithmetic.Mul, "mul", arithmetic.Mul),
    "truediv": _binary(arithmetic.truediv, "truediv"),
    "floordiv": _binary(arithmetic.FloorDiv, "floordiv"),
    "mod": _binary(arithmetic.FloorMod, "mod"),
    "pow": _binary(arithmetic.Pow, "pow", arithmetic.Pow),
    "matmul": _binary(matmul, "matmul"),
    "and": _binary(comparison.LogicalAnd, "and"),
    "or": _binary(comparison.LogicalOr, "or"),
    "xor": _binary(comparison.logical_xor, "xor"),
}
_COMPARISONS = {
    "lt": comparison.Less,
    "le": comparison.LessEqual,
    "gt": comparison.Greater,
    "ge": comparison.GreaterEqual,
}


def _add_tensors(x, y):
    # The most frequent operator: numbers go to AddV2 at once, texts the long way to Add.
    if x.__class__ is Tensor and x.dtype.is_trainable:
        return _ADD_NUMBERS[0](x, y)
    return _BINARY["add"][0](x, y)


def _add_tensors_reflected(y, x):
    if y.__class__ is Tensor and y.dtype.is_trainable:
        return _ADD_NUMBERS[1](y, x)
    return _BINARY["add"][1](y, x)


_ADD_NUMBERS = _binary(_add, "add", arithmetic.AddV2)


def _comparison(definition, name):
    def compare(x, y):
        with NameScope(None, definition.name, [x, y]) as scope:
            x = convert_to_tensor(x, name="x")
            return definition(x, y, name=scope)

    compare.__name__ = f"__{name}__"
    return compare


def _equal(x, y):
    if not _compares_elements(x, y):
        return x is y
    return comparison.equal(x, y)


def _not_equal(x, y):
    if not _compares_elements(x, y):
        return x is not y
    return comparison.not_equal(x, y)


def _compares_elements(x, y):
    return behavior.tensor_equality and y is not None and not isinstance(y, IndexedSlices)


def _hash(x):
    return id(x)


def _negated(x):
    return Neg(convert_to_tensor(x))


def _methods():
    methods = {
        "__neg__": _negated,
        "__abs__": lambda x: abs(x),
        "__invert__": lambda x: comparison.LogicalNot(convert_to_tensor(x)),
        "__getitem__": lambda x, key: getitem(x, key),
        "__eq__": _equal,
        "__ne__": _not_equal,
        "__hash__": _hash,
    }
    for name, (forward, reflected) in _BINARY.items():
        methods[f"__{name}__"] = forward
        methods[f"__r{name}__"] = reflected
    for name, definition in _COMPARISONS.items():
        methods[f"__{name}__"] = _comparison(definition, name)
    methods["__add__"], methods["__radd__"] = _add_tensors, _add_tensors_reflected
    return methods


_OF_RAGGED_TENSORS = (
    "__neg__",
    "__abs__",
    *(f"__{name}__" for name in _COMPARISONS),
    *(f"__{side}{name}__" for name in _BINARY if name != "matmul" for side in ("", "r")),
)


def _attach():
    methods = _methods()
    for name in _OF_RAGGED_TENSORS:
        setattr(RaggedTensor, name, elementwise(methods[name]))
    for name, method in methods.items():
        setattr(Tensor, name, method)
    overload_operators(methods)


_attach()
