"""Python values known exactly or only by their size, and arithmetic on them that stays small.

Every operation here is refused before it is done when its result could grow large: a number
of too many bits, a text or list of too many items. What would raise when it runs is left to
raise then.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

MAX_BITS = 4_096  # of a whole number
MAX_ITEMS = 100_000  # of a list, or characters of a text
MAX_ARRAY = 10_000  # elements of a NumPy array written in code


# Stand-ins for values


class Tensor:
    """A tensor, or any object of TensorFlow's whose arithmetic is not Python's."""


class Shape:
    """A static shape, or a list of sizes."""


class Sealed:
    """A constant of an API class: to be passed on, not computed with."""


@dataclass(frozen=True)
class Known:
    """A Python value that is known exactly: a number, text, boolean, None or `...`."""

    value: Any


@dataclass(frozen=True)
class Number:
    """A Python number of which only the size is known."""

    bits: int


@dataclass(frozen=True)
class Run:
    """A Python list or text of which only a bound on the length is known."""

    length: int


@dataclass(frozen=True)
class Items:
    """A list or tuple whose items are known.

    Attributes:
      items: the stand-ins of its items.
      size: how many items there are, those of nested lists counted one by one.
      functions: the functions of the case among them, at any depth.
    """

    items: tuple[Any, ...]
    size: int
    functions: tuple[Any, ...] = ()


Value: TypeAlias = Any
TENSOR, SHAPE, SEALED = Tensor(), Shape(), Sealed()
INT64 = Number(64)
FLOAT64 = Number(1100)  # what int(x) of a float64 may have
FLAG = Number(1)

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "Pow": operator.pow,
    "LShift": operator.lshift,
    "RShift": operator.rshift,
    "BitAnd": operator.and_,
    "BitOr": operator.or_,
    "BitXor": operator.xor,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
    "Is": operator.is_,
    "IsNot": operator.is_not,
    "In": lambda a, b: a in b,
    "NotIn": lambda a, b: a not in b,
}
UNARY: Mapping[str, Callable[[Any], Any]] = {
    "UAdd": operator.pos,
    "USub": operator.neg,
    "Invert": operator.invert,
    "Not": operator.not_,
}


class Unbounded(Exception):
    """The code cannot be shown to end soon and stay small."""

    def __init__(self, node: ast.AST, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


def too_long(node: ast.AST, length: int) -> Unbounded:
    """The refusal of a list or text of that many items."""
    return Unbounded(node, f"{length:,} items are too many; at most {MAX_ITEMS:,}")


def bits_of(value: Value) -> int | None:
    """How many bits a number has at most; None when it is not a number."""
    if isinstance(value, Number):
        return value.bits
    if isinstance(value, Known) and isinstance(value.value, int):
        return value.value.bit_length()
    if isinstance(value, Known) and isinstance(value.value, float | complex):
        return 64
    return None


def length_of(value: Value) -> int | None:
    """How many items a list or text has at most; None when it is neither."""
    if isinstance(value, Run):
        return value.length
    if isinstance(value, Items):
        return value.size
    if isinstance(value, Known) and isinstance(value.value, str | bytes):
        return len(value.value)
    return None


def bits_of_result(node: ast.AST, name: str, left: Value, right: Value) -> int:
    """How many bits the result may have, where one side is a number that is not known."""
    real = any(isinstance(v, Known) and isinstance(v.value, float | complex) for v in (left, right))
    left_bits, right_bits = bits_of(left), bits_of(right)
    if real or name == "Div":
        return 64
    if left_bits is None or right_bits is None:
        length = length_of(left) or length_of(right)
        if length is not None:
            raise Unbounded(node, "how long this becomes cannot be known before it runs")
        return 64
    if name in ("Pow", "LShift"):
        if not isinstance(right, Known):
            raise Unbounded(node, "how large this number becomes cannot be known before it runs")
        exponent = max(right.value, 0)
        bits = left_bits * exponent if name == "Pow" else left_bits + exponent
    elif name == "Mult":
        bits = left_bits + right_bits
    else:
        bits = max(left_bits, right_bits) + 1
    return _checked_bits(node, bits)


def _checked_bits(node: ast.AST, bits: int) -> int:
    if bits > MAX_BITS:
        raise Unbounded(node, f"this number may have more than {MAX_BITS:,} bits")
    return bits


def known_result(node: ast.AST, name: str, left: Any, right: Any) -> Value:
    """The result of an operation on two known values, refused before it grows large."""
    if isinstance(left, str | bytes) or isinstance(right, str | bytes):
        if name == "Mod":
            return formatted(node, left, [right])
        length = _text_length(name, left, right)
        if length > MAX_ITEMS:
            raise too_long(node, length)
    elif isinstance(left, int) and isinstance(right, int):
        if name == "Pow" and right > 0 and abs(left) > 1:
            _checked_bits(node, left.bit_length() * right)
        elif name == "LShift" and right > 0 and left:
            _checked_bits(node, left.bit_length() + right)
        elif name == "Mult":
            _checked_bits(node, left.bit_length() + right.bit_length())
    operation = _ARITHMETIC.get(name)
    if operation is None:
        return TENSOR
    try:
        result = operation(left, right)
    except (ArithmeticError, TypeError, ValueError):
        return TENSOR  # the same error when it runs
    if isinstance(result, int):
        _checked_bits(node, result.bit_length())
    return Known(result)


def _text_length(name: str, left: Any, right: Any) -> int:
    text, other = (left, right) if isinstance(left, str | bytes) else (right, left)
    if name == "Mult" and isinstance(other, int):
        return len(text) * max(other, 0)
    return len(text) + (len(other) if isinstance(other, str | bytes) else 0)


def formatted(node: ast.AST, text: Any, values: Sequence[Any]) -> Value:
    """`text % values`, for the plain formats only: a width could make it any length."""
    if not isinstance(text, str):
        return TENSOR
    if not re.fullmatch(r"([^%]|%[%dsirf])*", text):
        raise Unbounded(node, "only %d, %s, %i, %r and %f are allowed in a text")
    length = len(text) + sum(len(str(value)) for value in values)
    if length > MAX_ITEMS:
        raise too_long(node, length)
    return Run(length)


def check_array_argument(node: ast.AST, value: Value) -> None:
    """Whole numbers beyond 64 bits would make an array of Python objects."""
    bits = bits_of(value)
    if bits is not None and bits > 64:
        raise Unbounded(node, "a number that does not fit in 64 bits in an array")
    if isinstance(value, Items):
        if value.size > MAX_ARRAY:
            raise Unbounded(node, f"an array of more than {MAX_ARRAY:,} elements; use `inputs`")
        for item in value.items:
            check_array_argument(node, item)


def check_array_size(node: ast.AST, name: str, values: Sequence[Value]) -> None:
    """Refuses an array of np.zeros and its kind whose size is large or not written out."""
    numbers: list[Any] = []
    counted = values[:3] if name in ("arange", "linspace", "eye") else values[:1]
    for value in counted:
        for item in value.items if isinstance(value, Items) else (value,):
            if isinstance(item, Known) and item.value is None:
                continue
            if not isinstance(item, Known) or not isinstance(item.value, int | float):
                if isinstance(item, Tensor) and name == "eye":
                    continue  # a dtype
                raise Unbounded(node, f"the size of np.{name} must be written out as numbers")
            numbers.append(item.value)
    if _array_elements(name, numbers) > MAX_ARRAY:
        raise Unbounded(node, f"an array of more than {MAX_ARRAY:,} elements; use `inputs`")


def _array_elements(name: str, numbers: Sequence[float]) -> float:
    if name == "arange":
        start, stop, step = {
            0: (0, 0, 1),
            1: (0, *numbers, 1),
            2: (*numbers, 1),
        }.get(len(numbers), tuple(numbers))  # fmt: skip
        return (stop - start) / step if step else 0.0
    if name == "linspace":
        return numbers[2] if len(numbers) > 2 else 50.0
    if name == "eye":
        return math.prod(numbers[:2]) if len(numbers) > 1 else sum(numbers) ** 2
    return math.prod(numbers)
