"""Elements: where two tensors differ and by how much, element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.ulp import components, is_floating, ulp_distance
from gradparity.reports.exact import element_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json: TypeAlias = dict[str, Any]

WORST = 8  # elements that are listed of a tensor


def distances(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """How far apart two tensors are, element by element.

    Args:
      one: any dtype, any shape.
      other: the same dtype and shape.

    Returns:
      float64 of that shape. Of floating point: ulps, and infinity where one alone is NaN or
      infinite, or signs of zero differ. Of integers and truth values the difference, of
      strings 1. Zero only where elements are the same, but for NaN's payload.
    """
    import numpy as np

    if one.dtype.kind == "O":
        return np.asarray(one != other, np.float64).reshape(one.shape)
    if not is_floating(one.dtype):
        return np.abs(one.astype(np.float64) - other.astype(np.float64))
    with np.errstate(invalid="ignore"):
        ulps = ulp_distance(one, other).astype(np.float64)
        finite = np.isfinite(one) & np.isfinite(other)
        same = (ulps == 0) & (_signs(one) == _signs(other)).all(axis=-1)
    return np.where(finite & (ulps > 0) | same, ulps, np.inf)


def _signs(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Which parts are negative, zeros included, along a new last axis; of NaN none."""
    import numpy as np

    parts = components(array)
    negative: NDArray[np.bool_] = np.signbit(parts) & ~np.isnan(parts)
    return negative


def ulps_or_none(array: NDArray[Any], distance: float) -> int | None:
    """A distance in ulps; None where it has no meaning."""
    return int(distance) if is_floating(array.dtype) and distance != float("inf") else None


def worst(one: NDArray[Any], other: NDArray[Any]) -> list[Json]:
    """The elements that are furthest apart, the furthest first; at most `WORST` of them.

    Args:
      one: the oracle's.
      other: the implementation's, of the same dtype and shape.

    Returns:
      index, both values as exact text, and their distance in ulps, None where it has none.
    """
    import numpy as np

    apart = distances(one, other).reshape(-1)
    chosen = np.argsort(-apart, kind="stable")[:WORST]
    return [
        {
            "index": [int(i) for i in np.unravel_index(flat, one.shape)],
            "oracle": element_texts(one.reshape(-1)[flat : flat + 1], 1)[0],
            "implementation": element_texts(other.reshape(-1)[flat : flat + 1], 1)[0],
            "ulp": ulps_or_none(one, apart[flat]),
        }
        for flat in chosen
        if apart[flat]
    ]
