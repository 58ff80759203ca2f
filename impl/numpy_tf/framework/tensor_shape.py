"""Static shapes: plain tuples inside, `TensorShape` for the public.

Inside numpy_tf a static shape is `None` (the rank is unknown) or a tuple of ints and
Nones (dimensions that are unknown); the functions here combine those.
"""

from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.export import export


@export("Dimension")
class Dimension:
    """One dimension, with TensorFlow 1's arithmetic: unknown is contagious."""

    __slots__ = ("_value",)

    def __init__(self, value):
        self._value = None if value is None else int(getattr(value, "value", value))
        if self._value is not None and self._value < 0:
            raise ValueError(f"Dimension {self._value} must be >= 0")

    @property
    def value(self):
        """The size, or None when unknown."""
        return self._value

    def is_compatible_with(self, other):
        """Whether both can be the same size."""
        other = Dimension(other)._value
        return self._value is None or other is None or self._value == other

    def merge_with(self, other):
        """The dimension that both agree on; ValueError when they cannot."""
        return Dimension(merge_dims((self._value,), (Dimension(other)._value,))[0])

    def _combine(self, other, compute):
        try:
            other = Dimension(other)._value
        except (TypeError, ValueError):
            return NotImplemented
        known = self._value is not None and other is not None
        return Dimension(compute(self._value, other) if known else None)

    def __add__(self, other):
        return self._combine(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._combine(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._combine(other, lambda a, b: a * b)

    def __floordiv__(self, other):
        return self._combine(other, lambda a, b: a // b)

    def __mod__(self, other):
        return self._combine(other, lambda a, b: a % b)

    def __rsub__(self, other):
        return self._combine(other, lambda a, b: b - a)

    def __rfloordiv__(self, other):
        return self._combine(other, lambda a, b: b // a)

    def __rmod__(self, other):
        return self._combine(other, lambda a, b: b % a)

    __radd__ = __add__
    __rmul__ = __mul__
    __div__ = __floordiv__

    def __eq__(self, other):
        try:
            other = Dimension(other)._value
        except (TypeError, ValueError):
            return NotImplemented
        return None if self._value is None or other is None else self._value == other

    def __ne__(self, other):
        equal = self == other
        return equal if equal is None or equal is NotImplemented else not equal

    def __lt__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value < other

    def __le__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value <= other

    def __gt__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value > other

    def __ge__(self, other):
        other = Dimension(other)._value
        return None if self._value is None or other is None else self._value >= other

    def __hash__(self):
        return hash(self._value)

    def __int__(self):
        return self._value

    def __index__(self):
        return self._value

    def __str__(self):
        return "?" if self._value is None else str(self._value)

    def __repr__(self):
        return f"Dimension({self._value})"


@export("TensorShape")
class TensorShape:
    """A possibly partial shape.

    Args:
      dims: None (unknown rank), a number, or an iterable of ints, Nones and Dimensions.
    """

    __slots__ = ("_dims",)

    def __init__(self, dims):
        self._dims = as_dims(dims)

    @property
    def rank(self):
        """The number of dimensions, or None."""
        return None if self._dims is None else len(self._dims)

    ndims = rank

    @property
    def dims(self):
        """A list of Dimensions, or None."""
        return None if self._dims is None else [Dimension(d) for d in self._dims]

    def as_list(self):
        """A list of ints and Nones; ValueError when the rank is unknown."""
        if self._dims is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._dims)

    def is_fully_defined(self):
        """Whether every dimension is known."""
        return self._dims is not None and None not in self._dims

    def assert_is_fully_defined(self):
        """ValueError unless every dimension is known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def num_elements(self):
        """The number of elements, or None."""
        if not self.is_fully_defined():
            return None
        count = 1
        for dim in self._dims:
            count *= dim
        return count

    def is_compatible_with(self, other):
        """Whether some full shape fits both."""
        return compatible(self._dims, as_dims(other))

    def assert_is_compatible_with(self, other):
        """ValueError unless some full shape fits both."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def merge_with(self, other):
        """The shape that knows what either knows; ValueError when they contradict."""
        return TensorShape(merge_dims(self._dims, as_dims(other)))

    def concatenate(self, other):
        """This shape's dimensions, then the other's."""
        other = as_dims(other)
        known = self._dims is not None and other is not None
        return TensorShape(self._dims + other if known else None)

    def with_rank(self, rank):
        """This shape with its rank known; ValueError when it has another."""
        return self.merge_with((None,) * rank)

    def __bool__(self):
        return self._dims is not None

    def __len__(self):
        if self._dims is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._dims)

    def __iter__(self):
        if self._dims is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self._dims if behavior.tensor_shape_v2 else self.dims)

    def __getitem__(self, key):
        if isinstance(key, slice):
            if self._dims is None:
                return TensorShape(None)
            return TensorShape(self._dims[key])
        dim = None if self._dims is None else self._dims[key]
        return dim if behavior.tensor_shape_v2 else Dimension(dim)

    def __add__(self, other):
        return self.concatenate(other)

    def __eq__(self, other):
        try:
            return self._dims == as_dims(other)
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self):
        return hash(self._dims)

    def __str__(self):
        return format_dims(self._dims)

    def __repr__(self):
        return f"TensorShape({None if self._dims is None else list(self._dims)})"


def as_dims(value):
    """The tuple form of anything that names a shape.

    Raises:
      TypeError, ValueError: when it names none.
    """
    if value is None:
        return None
    if isinstance(value, TensorShape):
        return value._dims
    if isinstance(value, (int, Dimension)) or not hasattr(value, "__iter__"):
        value = (value,)
    return tuple(Dimension(d).value for d in value)


def format_dims(dims):
    """As TensorFlow prints a shape: "(2, ?)" or, with v2 behaviour, "(2, None)"."""
    if dims is None:
        return "<unknown>"
    unknown = "None" if behavior.tensor_shape_v2 else "?"
    inner = ", ".join(unknown if d is None else str(d) for d in dims)
    return f"({inner},)" if len(dims) == 1 else f"({inner})"


def bracket_dims(dims):
    """As TensorFlow's kernels print a shape: "[2,?]"."""
    return "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"


def compatible(a, b):
    """Whether some full shape fits both."""
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(
        x is None or y is None or x == y for x, y in zip(a, b, strict=True)
    )


def merge_dims(a, b):
    """The shape that knows what either knows.

    Raises:
      ValueError: when they contradict each other.
    """
    if a is None or a == b:
        return b
    if b is None:
        return a
    if not compatible(a, b):
        raise ValueError(f"Shapes {format_dims(a)} and {format_dims(b)} are not compatible")
    return tuple(y if x is None else x for x, y in zip(a, b, strict=True))


def broadcast_dims(a, b):
    """The static shape of a broadcast of two static shapes.

    An unknown dimension against a known one above 1 must turn out to be that or 1, so the
    known one is the answer; against 1 it stays unknown, and against 0 as well, though it can
    only be 0.

    Raises:
      ValueError: when they cannot be broadcast together.
    """
    if a == b and a is not None and None not in a:
        return a
    if a is None or b is None:
        return None
    result = []
    for i in range(-max(len(a), len(b)), 0):
        x = a[i] if -i <= len(a) else 1
        y = b[i] if -i <= len(b) else 1
        if x == 1:
            result.append(y)
        elif y == 1 or x == y:
            result.append(x)
        elif x is None or y is None:
            result.append((y if x is None else x) or None)
        else:
            raise ValueError(
                f"Dimensions must be equal, but are {x} and {y} "
                f"with input shapes: {bracket_dims(a)}, {bracket_dims(b)}."
            )
    return tuple(result)
