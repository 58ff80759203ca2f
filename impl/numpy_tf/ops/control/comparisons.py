"""tf.assert_less and its like: assertions that a comparison holds of all elements."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.control_flow import NoOp
from numpy_tf.ops.math.comparison import Greater, GreaterEqual, Less, LessEqual, equal, not_equal
from numpy_tf.ops.math.elementwise import abs as absolute
from numpy_tf.ops.math.reduction import reduce_all

# Name -> how the condition is written, the op, and the same on arrays.
_COMPARISONS = {
    "assert_equal": ("==", equal, np.equal),
    "assert_none_equal": ("!=", not_equal, np.not_equal),
    "assert_less": ("<", Less, np.less),
    "assert_less_equal": ("<=", LessEqual, np.less_equal),
    "assert_greater": (">", Greater, np.greater),
    "assert_greater_equal": (">=", GreaterEqual, np.greater_equal),
}
# Name -> how the condition is written, the comparison, and whether zero is its left side.
_WITH_ZERO = {
    "assert_negative": ("x < 0", "assert_less", False),
    "assert_positive": ("x > 0", "assert_less", True),
    "assert_non_negative": ("x >= 0", "assert_less_equal", True),
    "assert_non_positive": ("x <= 0", "assert_less_equal", False),
}


def _compared(name):
    symbol, compare, compare_arrays = _COMPARISONS[name]

    def assertion(x, y, data=None, summarize=None, message=None, name=None):
        with NameScope(name, assertion.__name__, [x, y]):
            if x is y and symbol == "==":
                return NoOp()
            x, y = convert_to_tensor(x, name="x"), convert_to_tensor(y, name="y")
            if data is None:
                data = [f"Condition x {symbol} y did not hold element-wise:"]
                data += [f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
            data = list(data) if message is None else [message, *data]
            condition = reduce_all(compare(x, y))
            known_x, known_y = constant_value(x), constant_value(y)
            if known_x is not None and known_y is not None:
                _refuse(compare_arrays(known_x, known_y), data)
            return assert_that(condition, data, summarize)

    assertion.__doc__ = f"""An operation that fails unless x {symbol} y for all elements.

    Args:
      x, y: tensors of one dtype that can be broadcast.
      data: a list of tensors to show.
      summarize: how many elements of each to show.
      message: what to say first.

    Raises:
      errors.InvalidArgumentError: when it is known that it fails, or a run finds it.
    """
    return assertion


def _refuse(holds, data):
    """Raises what an assertion would, when it is known already."""
    if np.all(holds):
        return
    shown = [constant_value(item) if isinstance(item, Tensor) else item for item in data]
    raise errors.invalid_argument("\n".join(str(item) for item in shown))


def _compared_with_zero(name):
    written, comparison, zero_first = _WITH_ZERO[name]

    def assertion(x, data=None, summarize=None, message=None, name=None):
        with NameScope(name, assertion.__name__, [x]):
            x = convert_to_tensor(x, name="x")
            if data is None:
                prefix = "" if message is None else f"{message}.  "
                data = [prefix, f"Condition {written} did not hold element-wise:"]
                data += [f"x ({x.name}) = ", x]
            zero = convert_to_tensor(0, x.dtype)
            sides = (zero, x) if zero_first else (x, zero)
            return _FUNCTIONS[comparison](*sides, data=data, summarize=summarize)

    assertion.__doc__ = f"""An operation that fails unless {written} for all elements; as
    `assert_less` for the rest.
    """
    return assertion


def _published(make, name):
    function = make(name)
    function.__name__ = function.__qualname__ = name
    return export(name, f"debugging.{name}")(function)


_FUNCTIONS = {}
for _name in _COMPARISONS:
    _FUNCTIONS[_name] = _published(_compared, _name)
for _name in _WITH_ZERO:
    _FUNCTIONS[_name] = _published(_compared_with_zero, _name)


@export("assert_near", "debugging.assert_near")
def assert_near(x, y, rtol=None, atol=None, data=None, summarize=None, message=None, name=None):
    """An operation that fails unless |x - y| < atol + rtol·|y| for all elements.

    Args:
      x, y: tensors of one floating or complex dtype that can be broadcast.
      rtol, atol: by default ten times the dtype's epsilon.
      data, summarize, message: as for `assert_less`.

    Raises:
      errors.InvalidArgumentError: when a run finds that it fails.
    """
    with NameScope(name, "assert_near", [x, y, rtol, atol]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, x.dtype, name="y")
        dtype = x.dtype.real_dtype
        epsilon = np.finfo(dtype.as_numpy_dtype).eps
        rtol = convert_to_tensor(10 * epsilon if rtol is None else rtol, dtype, name="rtol")
        atol = convert_to_tensor(10 * epsilon if atol is None else atol, dtype, name="atol")
        if data is None:
            prefix = "" if message is None else f"{message}.  "
            data = [prefix, f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}"]
            data += [f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        close = Less(absolute(x - y), atol + rtol * absolute(y))
        return assert_that(reduce_all(close), data, summarize)
