"""DType: TensorFlow's element types and their NumPy counterparts."""

import numpy as np

from numpy_tf.framework.export import export_as


class DType:
    """An element type; one object for each, so `is` compares base types.

    Attributes:
      name: TensorFlow's name, such as "float32" or, for a reference, "float32_ref".
      base_dtype: the type without reference.
    """

    __slots__ = (
        "_numpy",
        "base_dtype",
        "is_bool",
        "is_complex",
        "is_floating",
        "is_integer",
        "is_ref",
        "is_trainable",
        "name",
        "ref",
    )

    def __init__(self, name, numpy_type, base=None):
        kind = "" if numpy_type is None else np.dtype(numpy_type).kind
        self.name = name
        self._numpy = numpy_type
        self.is_ref = base is not None
        self.base_dtype = base or self
        self.is_floating = kind == "f" or name.startswith("bfloat16")
        self.is_integer = kind in "iu" and kind != ""
        self.is_complex = kind == "c"
        self.is_bool = kind == "b"
        # Gradients flow through these alone; a resource carries those of its variable.
        self.is_trainable = (
            self.is_floating
            or self.is_complex
            or name.removesuffix("_ref") in ("resource", "variant")
        )
        self.ref = None

    @property
    def as_numpy_dtype(self):
        """The NumPy scalar type; `object` for strings, resources and variants."""
        if self._numpy is None:
            self._numpy = _ml_dtype(self.base_dtype.name)
        return self._numpy

    @property
    def is_numpy_compatible(self):
        """Whether arrays of this type exist in NumPy."""
        return self.name not in ("resource", "variant")

    @property
    def is_unsigned(self):
        """Whether it is an unsigned integer type."""
        return self.is_integer and np.dtype(self._numpy).kind == "u"

    @property
    def real_dtype(self):
        """The type of the real part: float32 for complex64, itself for real types."""
        return {"complex64": float32, "complex128": float64}.get(
            self.base_dtype.name, self.base_dtype
        )

    @property
    def size(self):
        """Bytes for one element."""
        return np.dtype(self.as_numpy_dtype).itemsize

    @property
    def min(self):
        """The least finite value."""
        return self._limits().min

    @property
    def max(self):
        """The greatest finite value."""
        return self._limits().max

    def _limits(self):
        if self.is_integer:
            return np.iinfo(self.as_numpy_dtype)
        if self.name == "bfloat16":
            import ml_dtypes

            return ml_dtypes.finfo(self.as_numpy_dtype)
        return np.finfo(self.as_numpy_dtype)

    def is_compatible_with(self, other):
        """Whether a tensor of `other` may be used where this is asked: equal but for reference."""
        return self.base_dtype is as_dtype(other).base_dtype

    def __eq__(self, other):
        if self is other:
            return True
        if isinstance(other, DType) or other is None:
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return False

    def __ne__(self, other):
        return not self == other

    __hash__ = object.__hash__  # one object for each type

    def __repr__(self):
        return f"tf.{self.name}"

    def __str__(self):
        return f"<dtype: {self.name!r}>"


def _ml_dtype(name):
    """NumPy has no bfloat16 of its own; ml_dtypes is imported when one is first needed."""
    import ml_dtypes

    return getattr(ml_dtypes, name)


_NUMPY_TYPES = {
    "float16": np.float16,
    "bfloat16": None,
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "bool": np.bool_,
    "string": np.object_,
    "resource": np.object_,
    "variant": np.object_,
}
_BY_NAME = {}
for _name, _type in _NUMPY_TYPES.items():
    _base = _BY_NAME[_name] = DType(_name, _type)
    _base.ref = _BY_NAME[f"{_name}_ref"] = DType(f"{_name}_ref", _type, base=_base)
_BY_NAME.update(half=_BY_NAME["float16"], double=_BY_NAME["float64"])

(float16, bfloat16, float32, float64, complex64, complex128) = (
    _BY_NAME[name]
    for name in ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
)
(int8, int16, int32, int64, uint8, uint16, uint32, uint64) = (
    _BY_NAME[name]
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
)
(bool_, string, resource, variant) = (
    _BY_NAME[name] for name in ("bool", "string", "resource", "variant")
)

_BY_NUMPY = {
    np.dtype(t): _BY_NAME[n]
    for n, t in _NUMPY_TYPES.items()
    if t is not None and t is not np.object_
}
_BY_PYTHON = {float: float32, int: int32, bool: bool_, complex: complex128, str: string}

export_as(DType, "DType", "dtypes.DType")
for _name, _dtype in _BY_NAME.items():
    if not _dtype.is_ref:
        export_as(_dtype, _name, f"dtypes.{_name}")


def as_dtype(value):
    """The DType that `value` names: a DType, a name, a Python type or a NumPy type.

    Raises:
      TypeError: when it names none.
    """
    if isinstance(value, DType):
        return value
    try:
        found = _BY_NAME.get(value) or _BY_PYTHON.get(value)
    except TypeError:  # unhashable
        found = None
    if found is not None:
        return found
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype is not None:
        if dtype in _BY_NUMPY:
            return _BY_NUMPY[dtype]
        if dtype.kind in "SUO":
            return string
        if dtype.name in _BY_NAME:
            return _BY_NAME[dtype.name]
    raise TypeError(f"Cannot convert the argument `type_value`: {value!r} to a TensorFlow DType.")


export_as(as_dtype, "as_dtype", "dtypes.as_dtype")


class Types(frozenset):
    """The dtypes that a type attribute allows, and its default where it has one.

    An attribute that an input settles takes its default for inputs that leave the dtype open,
    such as an empty list; any other takes it when the call does not name a dtype.

    Attributes:
      default: a DType.
    """

    __slots__ = ("default",)

    def __new__(cls, allowed, default):
        types = super().__new__(cls, allowed)
        types.default = default
        return types


FLOATING = frozenset({float16, bfloat16, float32, float64})
COMPLEX = frozenset({complex64, complex128})
SIGNED = frozenset({int8, int16, int32, int64})
UNSIGNED = frozenset({uint8, uint16, uint32, uint64})
INTEGER = SIGNED | UNSIGNED
REAL = FLOATING | INTEGER
INEXACT = FLOATING | COMPLEX
NUMERIC = REAL | COMPLEX
INDEX = frozenset({int32, int64})
INT32_BY_DEFAULT = Types(INDEX, default=int32)
INT64_BY_DEFAULT = Types(INDEX, default=int64)
FLOAT32_BY_DEFAULT = Types(FLOATING, default=float32)
COMPLEX64_BY_DEFAULT = Types(COMPLEX, default=complex64)
PARTS_OF_COMPLEX = Types({float32, float64}, default=float32)
ANY = NUMERIC | {bool_, string, resource, variant}
