"""Heat map: a large tensor of both sides and their difference, as small pictures.

Each cell stands for a block of elements. What report.json keeps is a character for each cell;
the picture is an indexed PNG in a data URI, so that a page needs no other file.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.ulp import is_floating
from gradparity.reports.elements import distances

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json: TypeAlias = dict[str, Any]
Colour: TypeAlias = tuple[int, int, int]

SIDE = 32  # cells along a side, at most
LEVELS = "0123456789abcdefghijklmnopqrstu"  # of a value, from the lowest to the highest
SAME, NAN, INFINITE, NEGATIVE_INFINITE = ".", "N", "P", "M"
OBLONG = 8  # a matrix so many times as long as wide is wrapped, as vectors are

SCALES: Mapping[str, Sequence[Colour]] = {
    "signed": ((33, 76, 150), (122, 165, 216), (243, 241, 237), (226, 148, 104), (158, 44, 33)),
    "rising": ((247, 243, 226), (173, 213, 178), (84, 163, 162), (43, 98, 137), (40, 38, 84)),
    "difference": ((253, 226, 190), (244, 154, 96), (212, 75, 55), (140, 16, 40)),
}
"""What is shown -> its colours, to be interpolated; case.css has them, too."""

SPECIAL: Mapping[str, Colour] = {
    SAME: (232, 236, 240),
    NAN: (214, 0, 200),
    INFINITE: (20, 20, 20),
    NEGATIVE_INFINITE: (120, 120, 120),
}


def heat_map(one: NDArray[Any], other: NDArray[Any]) -> Json | None:
    """Both sides of a tensor and how far apart they are.

    Args:
      one: the oracle's.
      other: the implementation's, of the same dtype and shape.

    Returns:
      rows, columns: of cells.
      shape: of the matrix that is shown: all axes but the last are its rows, and a tensor that
        is no such matrix, or an oblong one, is wrapped in row-major order.
      low, high: the values of the first and the last level.
      oracle, implementation: a character for each cell, in row-major order: the level of the
        mean of its finite elements, or "N", "P", "M" where one is NaN, infinity, minus infinity.
      difference: the same of the largest distance in it: "." for none, else a level, of the
        logarithm of ulps where there are any; "N" where one side alone is NaN or infinite.
      None for strings and for an empty tensor.
    """
    import numpy as np

    if one.dtype.kind == "O" or one.size == 0:
        return None
    sides = [_numbers(side) for side in (one, other)]
    finite = np.concatenate([side[np.isfinite(side)] for side in sides])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low < 0 < high:
        low, high = -max(-low, high), max(-low, high)
    shape = _matrix_shape(one.shape)
    rows, columns = (min(size, SIDE) for size in shape)
    row, column = np.divmod(np.arange(one.size), shape[1])
    cells = row * rows // shape[0] * columns + column * columns // shape[1]
    apart = np.zeros(rows * columns)
    np.maximum.at(apart, cells, distances(one, other).reshape(-1))
    return {
        "rows": rows,
        "columns": columns,
        "shape": list(shape),
        "low": f"{low:.4g}",
        "high": f"{high:.4g}",
        "oracle": _values(sides[0], cells, len(apart), (low, high)),
        "implementation": _values(sides[1], cells, len(apart), (low, high)),
        "difference": _differences(apart, is_floating(one.dtype)),
    }


def _numbers(array: NDArray[Any]) -> NDArray[np.float64]:
    """Real numbers to be coloured, in row-major order: of complex ones the magnitude."""
    import numpy as np

    with np.errstate(all="ignore"):
        real = np.abs(array) if array.dtype.kind == "c" else array
        return np.asarray(real, np.float64).reshape(-1)


def _matrix_shape(shape: Sequence[int]) -> tuple[int, int]:
    """Rows and columns of the matrix as which a tensor is shown."""
    size = math.prod(shape)
    columns = shape[-1] if len(shape) > 1 else 1
    if not 1 / OBLONG <= size / columns**2 <= OBLONG:
        columns = math.isqrt(size - 1) + 1
    return -(-size // columns), columns


def _values(
    array: NDArray[np.float64],
    cells: NDArray[np.int64],
    count: int,
    limits: tuple[float, float],
) -> str:
    import numpy as np

    low, high = limits
    finite = np.isfinite(array)
    filled = np.bincount(cells, minlength=count) > 0  # the end of what is wrapped is not
    numbers = np.maximum(np.bincount(cells[finite], minlength=count), 1)
    half_range = (high / 2 - low / 2) or 1.0
    shares = (np.where(finite, array, low) / 2 - low / 2) / half_range  # no overflow
    if high == low:
        shares[:] = 0.5
    means = np.bincount(cells[finite], shares[finite], count) / numbers
    marks = np.where(filled, _levels(means), SAME)
    kinds = ((NEGATIVE_INFINITE, np.isneginf), (INFINITE, np.isposinf), (NAN, np.isnan))
    for mark, found in kinds:
        marks[cells[found(array)]] = mark
    return "".join(marks)


def _differences(apart: NDArray[np.float64], in_ulps: bool) -> str:
    import numpy as np

    finite = np.where(np.isfinite(apart), apart, 0.0)
    shares = np.log2(1 + finite) / 64 if in_ulps else finite / (finite.max() or 1.0)
    marks = np.where(apart > 0, _levels(shares), SAME)
    return "".join(np.where(np.isinf(apart), NAN, marks))


def _levels(shares: NDArray[np.float64]) -> NDArray[np.str_]:
    import numpy as np

    places = np.rint(np.clip(shares, 0.0, 1.0) * (len(LEVELS) - 1)).astype(int)
    return np.take(np.array(list(LEVELS)), places)


def picture(cells: str, columns: int, scale: str) -> str:
    """Cells as a PNG in a data URI, one pixel for each.

    Args:
      cells: as in `heat_map`, row by row.
      columns: how many of them make a row.
      scale: of `SCALES`.
    """
    places = {mark: place for place, mark in enumerate((*LEVELS, *SPECIAL))}
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    data = b"".join(b"\0" + bytes(places[cell] for cell in row) for row in rows)
    header = struct.pack(">IIBBBBB", columns, len(rows), 8, 3, 0, 0, 0)  # 8 bits, a palette
    parts = (
        (b"IHDR", header),
        (b"PLTE", _palette(scale)),
        (b"IDAT", zlib.compress(data, 9)),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


@cache
def _palette(scale: str) -> bytes:
    """The colours of all levels, and of the marks that are none, three bytes each."""
    levels = (_mixed(SCALES[scale], n / (len(LEVELS) - 1)) for n in range(len(LEVELS)))
    return b"".join(map(bytes, (*levels, *SPECIAL.values())))


def _mixed(colours: Sequence[Colour], share: float) -> Colour:
    place = share * (len(colours) - 1)
    first = min(int(place), len(colours) - 2)
    one, other, part = colours[first], colours[first + 1], place - first
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def pictures(data: Json) -> list[Json]:
    """What a page shows of a heat map.

    Returns:
      side: "oracle", "implementation" or "difference".
      src: a data URI.
      width, height: in pixels of the screen.
      scale: "signed", "rising" or "difference": how its colours are to be read.
      marks: which of the marks that are not levels occur in it.
    """
    scale = "signed" if float(data["low"]) < 0 < float(data["high"]) else "rising"
    scales = {"oracle": scale, "implementation": scale, "difference": "difference"}
    cell = max(256 // max(data["rows"], data["columns"]), 4)
    return [
        {
            "side": side,
            "src": picture(data[side], data["columns"], scale),
            "width": data["columns"] * cell,
            "height": data["rows"] * cell,
            "scale": scale,
            "marks": sorted(set(data[side]) - set(LEVELS) - {SAME}),
        }
        for side, scale in scales.items()
    ]
