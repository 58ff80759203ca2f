"""Distance in units in the last place (ulp): how many floating-point numbers lie between two."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REAL_DTYPES = ("float16", "bfloat16", "float32", "float64")
COMPONENT = {"complex64": "float32", "complex128": "float64"}
"""Complex dtype -> the dtype of its real and of its imaginary part."""

UNCOUNTABLE = 2**64 - 1
"""The distance between NaN and anything that is not NaN; larger than any other."""


@cache  # NumPy makes a name anew each time it is asked
def is_floating(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of `dtype` have a distance in ulps: real or complex floating point."""
    return dtype.name in REAL_DTYPES or dtype.name in COMPONENT


def components(array: NDArray[Any]) -> NDArray[Any]:
    """The real numbers of which an array is made, along a new last axis.

    Args:
      array: floating point, shape S.

    Returns:
      Shape S + (1,) for a real array; S + (2,), real and imaginary parts, for a complex one.
    """
    import numpy as np

    if array.dtype.name in COMPONENT:
        return np.stack([array.real, array.imag], axis=-1)
    return array[..., np.newaxis]


def ulp_distance(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.uint64]:
    """How many steps of `nextafter` lead from `a` to `b`, element by element.

    The bits of a float, without its sign, grow with its magnitude by one for each number
    (Bruce Dawson, "Comparing Floating Point Numbers"), so that the distance is a difference
    of integers on one side of zero and a sum across it. Both fit unsigned 64 bits for every
    pair of float64, hence nothing overflows.

    +0 and -0 are 0 apart and an infinity is 1 from the largest finite number: whoever must
    tell these apart looks at signs and infinities as well. NaN is 0 from NaN, whatever the
    payloads and signs, and `UNCOUNTABLE` from everything else. The distance of two complex
    numbers is the larger of those of their parts.

    Args:
      a: floating point, any shape.
      b: the same dtype and shape.

    Raises:
      ValueError: the dtypes or shapes differ.
      TypeError: the dtype has no ulps.
    """
    import numpy as np

    if a.dtype != b.dtype or a.shape != b.shape:
        raise ValueError(
            f"no ulp distance between {a.dtype.name}{list(a.shape)} and "
            f"{b.dtype.name}{list(b.shape)}: dtypes and shapes must be the same"
        )
    if not is_floating(a.dtype):
        raise TypeError(f"{a.dtype.name} has no ulps: it is not floating point")
    if a.dtype.name in COMPONENT:
        parts: NDArray[np.uint64] = ulp_distance(components(a), components(b)).max(axis=-1)
        return parts
    a_negative, a_magnitude = _sign_and_magnitude(a)
    b_negative, b_magnitude = _sign_and_magnitude(b)
    distance = np.where(
        a_negative == b_negative,
        np.maximum(a_magnitude, b_magnitude) - np.minimum(a_magnitude, b_magnitude),
        a_magnitude + b_magnitude,
    )
    with np.errstate(invalid="ignore"):  # signalling NaNs
        a_nan, b_nan = np.isnan(a), np.isnan(b)
    distance[a_nan | b_nan] = UNCOUNTABLE
    distance[a_nan & b_nan] = 0
    return distance


def _sign_and_magnitude(array: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    import numpy as np

    sign_bit = 8 * array.dtype.itemsize - 1
    bits = array.view(f"u{array.dtype.itemsize}").astype(np.uint64)
    return bits >> np.uint64(sign_bit) != 0, bits & np.uint64(2**sign_bit - 1)
