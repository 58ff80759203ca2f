"""Exact text: array elements as readable text from which the same bits can be read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def element_texts(array: Array, limit: int) -> list[str]:
    """The first `limit` elements in row-major order.

    Floats are the shortest decimal that reads back to the same number in the array's own
    dtype, always with a point or an exponent; "nan", "inf", "-inf" and "-0.0" are
    themselves. Complex numbers are the same twice: "-0.0+1.5j". Strings are Python's bytes
    literals.
    """
    elements = array.reshape(-1)[:limit]
    if array.dtype.char in "efd":  # NumPy's own: by far the commonest
        return list(map(str, elements))
    if array.dtype.kind == "c":
        text = _complex_text
    elif array.dtype.name.startswith(("bfloat", "float8")):
        text = _narrow_float_text
    else:
        text = _plain_text
    return [text(element) for element in elements]


def digest(array: Array) -> str:
    """SHA-256 of the elements: little-endian bytes in row-major order.

    Of strings: their bytes literals joined by line feeds.
    """
    if array.dtype.kind == "O":
        data = "\n".join(element_texts(array, array.size)).encode()
    else:
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return hashlib.sha256(data).hexdigest()


def _plain_text(element: Any) -> str:
    return repr(element) if isinstance(element, bytes) else str(element)


def _complex_text(element: Any) -> str:
    real, imaginary = str(element.real), str(element.imag)
    sign = "" if imaginary.startswith("-") else "+"
    return f"{real}{sign}{imaginary}j"


def _narrow_float_text(element: Any) -> str:
    """Of bfloat16 and float8 kinds, whose own `str` does not always read back."""
    number = float(element)
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        if float(element.dtype.type(float(text))) == number:
            break
    return text if not text.lstrip("-").isdigit() else text + ".0"


def layout(shape: Sequence[int], count: int) -> Iterator[str | int]:
    """How an array is written: brackets, commas and line breaks, and element numbers.

    Args:
      shape: the array's shape.
      count: how many of its elements are written, in row-major order.

    Yields:
      Punctuation as text, and the flat index of each element where it stands.
    """
    blocks = [1]  # how many elements a bracket pair at each depth, from the inside, holds
    for size in reversed(shape):
        blocks.append(blocks[-1] * size)
    total, rank = blocks[-1], len(shape)
    if total == 0:
        yield "[]"
        return
    for index in range(count):
        opened = sum(index % block == 0 for block in blocks[1:])
        if index:
            closed = opened
            yield "]" * closed
            yield "," + "\n" * min(closed, 2) + " " * (rank - opened if closed else 1)
        yield "[" * opened
        yield index
    if count < total:
        yield f", ... {total - count} more"
    yield "]" * rank
