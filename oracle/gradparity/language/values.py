"""Literal values and seeded generators as source code: checked, sized, never computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gradparity.language.problems import nearest
from gradparity.language.yaml_source import DataPath

MAX_ELEMENTS = 10_000_000

FLOATS = {  # dtype -> the largest finite value, with the half unit that still rounds to it
    "float16": 65519.99,
    "bfloat16": 3.3961775292304e38,
    "float32": 3.4028235677973362e38,
    "float64": math.inf,
}
COMPLEXES = ("complex64", "complex128")
INTEGERS = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
DTYPES = (*FLOATS, *COMPLEXES, *INTEGERS, "bool", "string")


@dataclass(frozen=True)
class Value:
    """A value as source code.

    Attributes:
      source: a Python expression: a literal, or a NumPy call.
      shape: its shape.
      family: "bool", "int", "float", "complex" or "string"; None when there is no element.
    """

    source: str
    shape: tuple[int, ...]
    family: str | None

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


class BadValue(Exception):
    """A value is malformed; `path` leads to the part of it that is wrong."""

    def __init__(self, path: DataPath, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


def check_dtype(dtype: Any, path: DataPath) -> str:
    """Returns `dtype` if it names a dtype. Raises BadValue."""
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    hint = nearest(str(dtype), DTYPES) or f"known: {', '.join(DTYPES)}"
    raise BadValue(path, f"{dtype!r} is not a dtype", hint)


def default_dtype(data: Any) -> str:
    """The dtype of an input that names none: float32 for every number, else bool or string."""
    while isinstance(data, list | dict):
        data = data.get("value") if isinstance(data, dict) else (data or [0])[0]
    return {bool: "bool", str: "string"}.get(type(data), "float32")


def render(data: Any, dtype: str | None, path: DataPath) -> Value:
    """A literal or generator as source code.

    Args:
      data: a number, boolean or text, nested lists of them, or a generator's mapping.
      dtype: the dtype it is to be converted to; None leaves every number as it is written.
      path: where it stands, for problems.

    Raises:
      BadValue: it is ragged, mixes kinds, does not fit `dtype` or is too large.
    """
    if isinstance(data, dict):
        value = _generated(data, dtype, path)
        _check_cast(value, dtype, path)
    else:
        value = _literal(data, dtype, path)
    if value.elements > MAX_ELEMENTS:
        raise too_large(path, value.elements)
    return value


def too_large(path: DataPath, elements: int) -> BadValue:
    """The problem that a value, or all values of a file, have too many elements."""
    return BadValue(path, f"{elements:,} elements are too many; at most {MAX_ELEMENTS:,}")


# Literals


def _literal(data: Any, dtype: str | None, path: DataPath) -> Value:
    shape = _literal_shape(data, path)
    leaves = list(_leaves(data, path))
    texts = [leaf for leaf, _ in leaves if isinstance(leaf, str)]
    complex_texts = dtype in COMPLEXES or (dtype is None and _are_complex(texts))
    family = _family(leaves, complex_texts)
    return Value(_literal_source(data, dtype, complex_texts, path), shape, family)


def _leaves(data: Any, path: DataPath) -> Iterator[tuple[Any, DataPath]]:
    if isinstance(data, list):
        for i, item in enumerate(data):
            yield from _leaves(item, (*path, i))
    else:
        yield data, path


def _literal_shape(data: Any, path: DataPath) -> tuple[int, ...]:
    if not isinstance(data, list):
        return ()
    if not data:
        return (0,)
    first = _literal_shape(data[0], (*path, 0))
    for i, item in enumerate(data[1:], 1):
        shape = _literal_shape(item, (*path, i))
        if shape != first:
            raise BadValue(
                (*path, i),
                f"ragged list: this entry has shape {list(shape)}, the first {list(first)}",
            )
    return (len(data), *first)


_FAMILIES = {bool: "bool", int: "int", float: "float", str: "string"}


def _family(leaves: list[tuple[Any, DataPath]], complex_texts: bool) -> str | None:
    families = {**_FAMILIES, str: "complex"} if complex_texts else _FAMILIES
    found: set[str] = set()
    for leaf, path in leaves:
        family = families.get(type(leaf))
        if family is None:
            what = "null" if leaf is None else "a mapping"
            raise BadValue(path, f"{what} is not a value", "a value is a number, boolean or text")
        found.add(family)
        kinds = sorted({_PLURALS.get(f, "numbers") for f in found})
        if len(kinds) > 1:
            hint = "complex numbers want `dtype: complex64` or `complex128`"
            raise BadValue(
                path, f"{' and '.join(kinds)} in one value", hint if "texts" in kinds else ""
            )
    return next((f for f in ("complex", "float", "int", "bool", "string") if f in found), None)


_PLURALS = {"bool": "booleans", "string": "texts"}


def _are_complex(texts: list[str]) -> bool:
    """Whether texts are meant as complex numbers where no dtype says so."""
    return any("j" in text for text in texts) and all(_complex(text) is not None for text in texts)


def _complex(text: str) -> complex | None:
    try:
        return complex(text.replace(" ", ""))
    except ValueError:
        return None


def _literal_source(data: Any, dtype: str | None, complex_texts: bool, path: DataPath) -> str:
    if isinstance(data, list):
        items = [_literal_source(x, dtype, complex_texts, (*path, i)) for i, x in enumerate(data)]
        return f"[{', '.join(items)}]"
    if isinstance(data, str) and complex_texts:
        return _complex_source(data, path)
    return _scalar_source(data, dtype, path)


def _scalar_source(data: Any, dtype: str | None, path: DataPath) -> str:
    """One number, boolean or text as a Python literal of `dtype`'s kind."""
    if isinstance(data, str):
        if dtype not in (None, "string"):
            raise BadValue(path, f"the text {data!r} in a value of dtype {dtype}")
        return repr(data)
    if isinstance(data, bool):
        if dtype not in (None, "bool"):
            raise BadValue(path, f"the boolean {str(data).lower()} in a value of dtype {dtype}")
        return repr(data)
    if dtype == "string":
        raise BadValue(path, f"the number {data} in a value of dtype string", "put it in quotes")
    if dtype == "bool":
        raise BadValue(path, f"the number {data} in a value of dtype bool", "write true or false")
    if dtype in INTEGERS:
        return _integer_source(data, dtype, path)
    if isinstance(data, int) and dtype is None:
        if not -(2**63) <= data < 2**64:
            raise BadValue(path, f"{data} does not fit in 64 bits")
        return repr(data)
    return _float_source(data, dtype, path)


def _integer_source(data: Any, dtype: str, path: DataPath) -> str:
    if isinstance(data, float):
        raise BadValue(path, f"the real number {data} in a value of dtype {dtype}")
    low, high = INTEGERS[dtype]
    if not low <= data <= high:
        raise BadValue(path, f"{data} does not fit in {dtype} ({low} to {high})")
    return repr(data)


def _float_source(data: Any, dtype: str | None, path: DataPath) -> str:
    try:
        number = float(data)
    except OverflowError:
        raise BadValue(path, f"{data} is larger than any float64") from None
    if isinstance(data, int) and int(number) != data:
        raise BadValue(path, f"{data} is not exactly a float64 (nearest: {int(number)})")
    if math.isfinite(number) and abs(number) > FLOATS.get(dtype or "", math.inf):
        raise BadValue(
            path, f"{data} is larger than any {dtype}", "write .inf if infinity is meant"
        )
    return float_source(number)


def float_source(number: float) -> str:
    """A float as source that gives the very same float."""
    if math.isnan(number):
        return "np.nan"
    if math.isinf(number):
        return "np.inf" if number > 0 else "-np.inf"
    return repr(number)


def _complex_source(text: str, path: DataPath) -> str:
    number = _complex(text)
    if number is None:
        raise BadValue(path, f"{text!r} is not a complex number", 'for example "1+2j"')
    return f"complex({float_source(number.real)}, {float_source(number.imag)})"


# Generators


@dataclass(frozen=True)
class _Parameters:
    """The keys of a generator, read one by one."""

    data: Mapping[str, Any]
    path: DataPath
    dtype: str | None

    def main(self) -> tuple[Any, DataPath]:
        name = next(iter(key for key in self.data if key in GENERATORS))
        return self.data[name], (*self.path, name)

    def shape(self) -> tuple[int, ...]:
        data, path = self.main()
        sizes = [data] if _is_int(data) else data
        if not isinstance(sizes, list):
            raise BadValue(path, "a shape is a list of sizes", "for example [2, 3]")
        for i, size in enumerate(sizes):
            if not _is_int(size) or size < 0:
                raise BadValue((*path, i), f"{size!r} is not a size", "a shape is like [2, 3]")
        return tuple(sizes)

    def numbers(self, least: int, most: int, form: str) -> list[Any]:
        data, path = self.main()
        if not isinstance(data, list) or not least <= len(data) <= most:
            raise BadValue(path, f"expected {form}")
        return [self._number(item, (*path, i)) for i, item in enumerate(data)]

    def number(self, name: str, default: float) -> str:
        return float_source(float(self._number(self.data.get(name, default), (*self.path, name))))

    def integer(self, name: str, low: int, high: int) -> int:
        if name not in self.data:
            raise BadValue(self.path, f"missing {name!r}", _usage(self.main()[1][-1]))
        value = self.data[name]
        if not _is_int(value) or not low <= value <= high:
            raise BadValue(
                (*self.path, name), f"{name!r} must be a whole number from {low} to {high}"
            )
        return int(value)

    def random(self) -> str:
        return f"np.random.RandomState({self.integer('seed', 0, 2**32 - 1)})"

    @staticmethod
    def _number(value: Any, path: DataPath) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadValue(path, f"{value!r} is not a number")
        if not abs(value) < 2**63:  # true of NaN too
            raise BadValue(path, f"{value} is not a finite number below 2**63")
        return value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _normal(p: _Parameters) -> Value:
    shape = p.shape()
    mean, stddev = p.number("mean", 0.0), p.number("stddev", 1.0)
    if stddev.startswith("-"):
        raise BadValue((*p.path, "stddev"), "'stddev' must not be negative")
    return Value(f"{p.random()}.normal({mean}, {stddev}, {list(shape)})", shape, "float")


def _uniform(p: _Parameters) -> Value:
    shape = p.shape()
    low, high = p.number("low", 0.0), p.number("high", 1.0)
    return Value(f"{p.random()}.uniform({low}, {high}, {list(shape)})", shape, "float")


def _integers(p: _Parameters) -> Value:
    shape = p.shape()
    low = p.integer("low", -(2**63), 2**63 - 1)
    high = p.integer("high", -(2**63), 2**63 - 1)
    if high <= low:
        raise BadValue((*p.path, "high"), "'high' must be larger than 'low'; it is not reached")
    # The dtype is named because RandomState's default is the platform's C long.
    source = f"{p.random()}.randint({low}, {high}, {list(shape)}, dtype='int64')"
    return Value(source, shape, "int")


def _arange(p: _Parameters) -> Value:
    numbers = p.numbers(1, 3, "[stop], [start, stop] or [start, stop, step]")
    start, stop, step = {1: [0, *numbers, 1], 2: [*numbers, 1], 3: numbers}[len(numbers)]
    if step == 0:
        raise BadValue((*p.main()[1], 2), "the step must not be zero")
    whole = all(isinstance(number, int) for number in numbers)
    size = -((start - stop) // step) if whole else math.ceil((stop - start) / step)
    written = ", ".join(repr(number) for number in numbers)
    return Value(f"np.arange({written})", (max(size, 0),), "int" if whole else "float")


def _linspace(p: _Parameters) -> Value:
    start, stop, count = p.numbers(3, 3, "[start, stop, number of values]")
    if not _is_int(count) or count < 0:
        raise BadValue((*p.main()[1], 2), "the number of values must be a whole number")
    return Value(f"np.linspace({start!r}, {stop!r}, {count})", (count,), "float")


def _zeros(p: _Parameters) -> Value:
    return Value(f"np.zeros({list(p.shape())})", p.shape(), "int")


def _ones(p: _Parameters) -> Value:
    return Value(f"np.ones({list(p.shape())})", p.shape(), "int")


def _full(p: _Parameters) -> Value:
    if "value" not in p.data:
        raise BadValue(p.path, "missing 'value'", _usage("full"))
    path = (*p.path, "value")
    if isinstance(p.data["value"], list | dict):
        raise BadValue(path, "'value' must be one number, boolean or text")
    filling = _literal(p.data["value"], p.dtype, path)
    return Value(f"np.full({list(p.shape())}, {filling.source})", p.shape(), filling.family)


@dataclass(frozen=True)
class Generator:
    """A way to make a value: the keys it takes beside its own, and an example."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    make: Callable[[_Parameters], Value]
    usage: str

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that it takes beside its own."""
        return (*self.required, *self.optional)


GENERATORS: Mapping[str, Generator] = {
    "normal": Generator(
        ("seed",), ("mean", "stddev"), _normal, "{normal: [2, 3], seed: 1, mean: 0, stddev: 1}"
    ),
    "uniform": Generator(
        ("seed",), ("low", "high"), _uniform, "{uniform: [2, 3], seed: 1, low: -1, high: 1}"
    ),
    "integers": Generator(
        ("seed", "low", "high"), (), _integers, "{integers: [4], seed: 1, low: 0, high: 10}"
    ),
    "arange": Generator((), (), _arange, "{arange: [0, 6, 1]}"),
    "linspace": Generator((), (), _linspace, "{linspace: [-1, 1, 5]}"),
    "zeros": Generator((), (), _zeros, "{zeros: [2, 3]}"),
    "ones": Generator((), (), _ones, "{ones: [2, 3]}"),
    "full": Generator(("value",), (), _full, "{full: [2, 3], value: 0.5}"),
}


def _usage(name: str | int) -> str:
    return f"for example {GENERATORS[str(name)].usage}"


def _generated(data: Mapping[str, Any], dtype: str | None, path: DataPath) -> Value:
    names = [key for key in data if key in GENERATORS]
    if len(names) != 1:
        unknown = next((key for key in data if key not in GENERATORS), "")
        hint = nearest(unknown, GENERATORS) or f"generators: {', '.join(GENERATORS)}"
        message = (
            f"one value with two generators: {' and '.join(names)}"
            if names
            else "a mapping that names no generator"
        )
        raise BadValue((*path, unknown) if unknown and not names else path, message, hint)
    generator = GENERATORS[names[0]]
    for key in data:
        if key != names[0] and key not in generator.keys:
            hint = nearest(key, generator.keys) or _usage(names[0])
            raise BadValue((*path, key), f"{names[0]!r} takes no {key!r}", hint)
    return generator.make(_Parameters(data, path, dtype))


def _check_cast(value: Value, dtype: str | None, path: DataPath) -> None:
    """Refuses a generator whose values NumPy would silently bend to fit `dtype`."""
    if dtype is None:
        return
    bends = (
        (dtype in INTEGERS and value.family in ("float", "complex", "bool"))
        or (dtype in FLOATS and value.family in ("complex", "bool"))
        or (dtype in COMPLEXES and value.family == "bool")
        or (dtype == "bool" and value.family in ("float", "complex"))
        or (dtype == "string") is not (value.family == "string")
    )
    if bends:
        raise BadValue(path, f"the generator makes {value.family} values, not {dtype}")
