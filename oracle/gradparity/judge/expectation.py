"""Compares a result with the value that a case documents for it (`expect`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gradparity.judge.compare import (
    LimitsOf,
    compare_values,
    describe,
    element_text,
    shape_text,
)
from gradparity.judge.ulp import REAL_DTYPES, is_floating
from gradparity.outcome import DenseResult, Result, SparseResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


READABLE: Mapping[str, str] = {"b": "b", "c": "iufcU", "O": "SU"}
"""Kind of a result's dtype -> the kinds of literals that can be read as it; others: numbers."""


class BadExpectationError(ValueError):
    """A documented value that cannot be read as an array of the result's dtype."""


def departure(where: str, expected: Any, actual: Result, limits_of: LimitsOf) -> str | None:
    """In what a result departs from its documented value, or None when it does not.

    The literal is rounded to the dtype of the result and compared as any two values are, by
    `limits_of`. Shapes are equal or not: nothing is broadcast. None means: no gradient. Signs
    of zeros count, as they do everywhere, and the integer 0 is +0.

    Args:
      where: which tensor, for people.
      expected: None; nested lists of numbers, booleans or strings; or, for IndexedSlices, a
        mapping with `values`, `indices` and, optionally, `dense_shape`.
      actual: what one side answered.
      limits_of: the check's limits by dtype.
      override: the check's `tolerance`.

    Raises:
      BadExpectationError: `expected` is no such thing.
    """
    if expected is None or actual is None:
        if expected is None and actual is None:
            return None
        return f"{where} is {describe(actual)}, documented is {_summary(expected)}"
    if isinstance(expected, Mapping):
        if not isinstance(actual, SparseResult):
            return f"{where} is {describe(actual)}, documented is {_summary(expected)}"
        return _sparse_departure(where, expected, actual, limits_of)
    if isinstance(actual, SparseResult):
        return (
            f"{where} is {describe(actual)}, documented is {_summary(expected)} "
            "(IndexedSlices are written {values: …, indices: …, dense_shape: …})"
        )
    return _dense_departure(where, expected, actual, limits_of)


def _summary(expected: Any) -> str:
    if expected is None:
        return "None"
    return "IndexedSlices" if isinstance(expected, Mapping) else "a dense value"


def _sparse_departure(
    where: str,
    expected: Mapping[str, Any],
    actual: SparseResult,
    limits_of: LimitsOf,
) -> str | None:
    unknown = sorted(set(expected) - {"values", "indices", "dense_shape"})
    missing = sorted({"values", "indices"} - set(expected))
    if unknown or missing:
        raise BadExpectationError(
            f"expect for {where} must have `values` and `indices` and may have `dense_shape`; "
            f"it has {sorted(expected)}"
        )
    parts: Mapping[str, Result] = {
        "values": actual.values,
        "indices": actual.indices,
        "dense_shape": actual.dense_shape,
    }
    found = (
        departure(f"{where}, {name}", expected[name], part, limits_of)
        for name, part in parts.items()
        if name in expected
    )
    return next((text for text in found if text is not None), None)


def _dense_departure(
    where: str,
    expected: Any,
    actual: DenseResult,
    limits_of: LimitsOf,
) -> str | None:
    import numpy as np

    value = actual.value
    literal = _as_array(where, expected, value.dtype)
    if literal.shape != value.shape:
        return (
            f"{where} has shape {shape_text(value.shape)}, documented is "
            f"{shape_text(literal.shape)}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = literal.astype(value.dtype)
    changed = _change_beyond_rounding(literal, rounded)
    if changed is not None:
        return (
            f"{_place(where, changed)} is {element_text(value[changed])}, documented is "
            f"{literal[changed]}, which is no {value.dtype.name}"
        )
    _, difference = compare_values(where, rounded, value, limits_of)
    if difference is None:
        return None
    count = f" ({difference.count} of {difference.total} elements depart)" if value.ndim else ""
    return (
        f"{_place(where, difference.index)} is {difference.implementation}, "
        f"documented is {difference.oracle}{count}"
    )


def _place(where: str, index: tuple[int, ...] | None) -> str:
    return f"{where}: element {list(index)}" if index else where


def _as_array(where: str, expected: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The literal as an array that may be rounded to `dtype`, in NumPy's natural dtype for it.

    Strings become the bytes that TensorFlow gives; where the result is complex they are
    complex numbers, "1+2j", which YAML cannot write otherwise.
    """
    import numpy as np

    try:
        literal = np.asarray(expected)
    except ValueError as error:
        raise BadExpectationError(
            f"expect for {where} is no array: its lists have different lengths"
        ) from error
    if literal.size == 0:
        return literal.astype(dtype)
    if literal.dtype.kind == "O":  # NumPy would read a None among numbers as NaN
        raise BadExpectationError(
            f"expect for {where} must hold numbers, booleans or strings alone, and None only "
            "in place of a whole gradient"
        )
    kind = "f" if dtype.name in REAL_DTYPES else dtype.kind
    if literal.dtype.kind not in READABLE.get(kind, "iuf"):
        raise BadExpectationError(
            f"expect for {where} holds {literal.dtype.name}, and the result is "
            f"{'string' if kind == 'O' else dtype.name}"
        )
    if literal.dtype.kind != "U":
        return literal
    read = _complex_number if kind == "c" else str.encode
    texts = np.empty(literal.size, dtype=np.complex128 if kind == "c" else object)
    try:
        texts[:] = [read(str(text)) for text in literal.flat]
    except ValueError as error:
        raise BadExpectationError(f"expect for {where}: {error}, such as '1+2j'") from error
    return texts.reshape(literal.shape)


def _complex_number(text: str) -> complex:
    try:
        return complex(text.replace(" ", ""))
    except ValueError:
        raise ValueError(f"{text!r} is not a complex number") from None


def _change_beyond_rounding(literal: NDArray[Any], rounded: NDArray[Any]) -> tuple[int, ...] | None:
    """Where reading `literal` as another dtype did more than round; None when nowhere.

    For example 1.5 as an integer, or 1e40 as a float32, which is infinite.
    """
    import numpy as np

    if is_floating(rounded.dtype):
        lost = np.isinf(rounded.astype(np.complex128)) & ~np.isinf(literal.astype(np.complex128))
    else:
        lost = np.asarray(rounded != literal)
    if not lost.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(lost.argmax()), lost.shape))
