"""A tensor as one line of text: exact to the bit, and readable in a diff."""

from __future__ import annotations

import ast
import base64
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gradparity.outcome import DenseResult, StaticShape, numpy_dtype
from gradparity.reports.exact import element_texts

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SPELLED_OUT = 256  # elements; of a larger tensor a few for people, and all of them packed
SHOWN = 4  # elements before the packed bytes
RUN = 4  # equal neighbours in a row from which on they are counted: "0.0*12"
PACKED = "... zlib:"

_HEAD = re.compile(
    r"(?P<dtype>\w+)(?: as (?P<stored>\w+))? (?P<shape>\[[\d, ]*\])"
    r"(?: static (?P<static>unknown|\[[\d?, ]*\]))?(?: |$)"
)


_UNREADABLE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    OverflowError,
    zlib.error,
)


class TensorTextError(ValueError):
    """A line that describes no tensor."""


def to_text(tensor: DenseResult) -> str:
    """A tensor as one line.

    Dtype and shape come first, then the static shape where it says less than the shape, and
    the elements in row-major order with a comma after each row of the last axis:
    "float32 [2, 2] static [?, 2] 1.0 -0.0, nan inf". Floats are the shortest decimals that
    read back to the same bits; "0.0*12" stands for twelve equal neighbours; strings are a
    list of bytes literals. Tensors of more than 256 elements that are not all equal, and
    NaNs with a payload, end in "... zlib:" and the packed little-endian bytes; the elements
    before are for people.
    """
    array = tensor.value
    stored = "string" if array.dtype.kind == "O" else array.dtype.name
    head = tensor.dtype if stored == tensor.dtype else f"{tensor.dtype} as {stored}"
    head += f" {list(array.shape)}"
    if tensor.static_shape != array.shape:
        head += f" static {_static_text(tensor.static_shape)}"
    if array.dtype.kind == "O":
        return f"{head} [{', '.join(element_texts(array, array.size))}]"
    if array.size == 0:
        return head
    if array.size <= SPELLED_OUT or _is_constant(array):
        line = f"{head} {_spelled_out(array)}"
        if _same_bits(from_text(line).value, array):
            return line
    shown = " ".join(_texts(array.reshape(-1)[:SHOWN]))
    packed = base64.b64encode(zlib.compress(_little_endian(array).tobytes(), 9)).decode("ascii")
    return f"{head} {shown} {PACKED}{packed}"


def from_text(line: str) -> DenseResult:
    """The inverse of `to_text`, bit for bit.

    Raises:
      TensorTextError: the line is none that `to_text` writes.
    """
    head = _HEAD.match(line)
    if head is None:
        raise TensorTextError(f"no dtype and shape at the start of {line[:80]!r}")
    shape = tuple(ast.literal_eval(head["shape"]))
    static = shape if head["static"] is None else _static_shape(head["static"])
    dtype = head["stored"] or head["dtype"]
    try:
        value = _elements(line[head.end() :], dtype).reshape(shape)
    except _UNREADABLE as error:
        raise TensorTextError(f"{error} in {line[:80]!r}") from error
    return DenseResult(head["dtype"], static, value)


def _is_constant(array: Array) -> bool:
    data = _little_endian(array).tobytes()
    return data == data[: array.itemsize] * array.size


def _spelled_out(array: Array) -> str:
    if array.size > SPELLED_OUT:
        return " ".join(f"{text}*{array.size}" for text in _texts(array.reshape(-1)[:1]))
    texts = _texts(array.reshape(-1))
    width = array.shape[-1] if array.ndim else 1
    rows = (texts[start : start + width] for start in range(0, len(texts), width))
    return ", ".join(" ".join(_counted(row)) for row in rows)


def _texts(flat: Array) -> list[str]:
    texts = element_texts(flat, flat.size)
    if flat.dtype.kind != "c" and "nan" in texts:
        import numpy as np

        # Hardware makes NaNs with the sign set: different bits, and the commonest NaN of all.
        negative = np.signbit(flat)
        texts = [
            "-nan" if text == "nan" and sign else text
            for text, sign in zip(texts, negative, strict=True)
        ]
    return texts


def _counted(row: Iterable[str]) -> Iterator[str]:
    for text, group in groupby(row):
        count = sum(1 for _ in group)
        if count >= RUN:
            yield f"{text}*{count}"
        else:
            yield from [text] * count


def _elements(text: str, dtype_name: str) -> Array:
    import numpy as np

    if dtype_name == "string":
        found = ast.literal_eval(text)
        texts = np.empty(len(found), dtype=object)
        texts[:] = found
        return texts
    _, is_packed, packed = text.partition(PACKED)
    if is_packed:
        dtype = numpy_dtype(dtype_name)
        data = zlib.decompress(base64.b64decode(packed, validate=True))
        return np.frombuffer(data, dtype=dtype.newbyteorder("<")).astype(dtype, copy=False)
    tokens: list[str] = []
    for token in text.replace(",", "").split():
        element, _, count = token.partition("*")
        tokens += [element] * (int(count) if count else 1)
    return from_element_texts(tokens, dtype_name)


def from_element_texts(texts: Sequence[str], dtype_name: str) -> Array:
    """The inverse of `gradparity.reports.exact.element_texts`, as an array of rank 1.

    Raises:
      ValueError, SyntaxError, KeyError, TypeError, AttributeError, OverflowError: a text is none
        of the dtype, or the dtype none at all.
    """
    import numpy as np

    if dtype_name == "string":
        strings = np.empty(len(texts), dtype=object)
        strings[:] = [ast.literal_eval(text) for text in texts]
        return strings
    dtype = numpy_dtype(dtype_name)
    read = _READERS.get(dtype.kind, float)
    return np.array([read(text) for text in texts], dtype=dtype)


def _truth(text: str) -> bool:
    return {"True": True, "False": False}[text]


_READERS: dict[str, Any] = {"b": _truth, "i": int, "u": int, "c": complex}


def _same_bits(left: Array, right: Array) -> bool:
    return _little_endian(left).tobytes() == _little_endian(right).tobytes()


def _little_endian(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _static_text(shape: StaticShape) -> str:
    if shape is None:
        return "unknown"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _static_shape(text: str) -> StaticShape:
    if text == "unknown":
        return None
    sizes = text[1:-1].replace(",", " ").split()
    return tuple(None if size == "?" else int(size) for size in sizes)
