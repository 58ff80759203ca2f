"""Opinion: the arbiter's word on one check, from numbers and what both sides answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradparity.arbiter.derivative import Derivative
from gradparity.outcome import DenseResult, Outcome, Result

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, Any]

SHOWN = 100  # elements of a derivative


class Opinion(str, Enum):
    """What the numbers say of a check."""

    BOTH = "both agree with the mathematics"
    IMPLEMENTATION = "implementation wrong"
    TENSORFLOW = "TensorFlow departs from the mathematics"
    ALL_DIFFER = "all three differ"
    UNCLEAR = "kink or ill-conditioned"
    NONE = "no opinion"


@dataclass(frozen=True)
class Closeness:
    """How near a gradient of some dtype must come to be the derivative.

    Attributes:
      relative: of the derivative itself. Wide: the judge compares to the last bit; the arbiter
        tells a wrong derivative from a right one that was computed in this dtype.
      epsilon: of the dtype.
      tiny: its smallest normal number; below, TensorFlow's kernels may give zero.
    """

    relative: float
    epsilon: float
    tiny: float


CLOSENESS: Mapping[str, Closeness] = {
    "bfloat16": Closeness(1e-1, 2.0**-7, 2.0**-126),
    "float16": Closeness(2e-2, 2.0**-10, 2.0**-14),
    "float32": Closeness(1e-3, 2.0**-23, 2.0**-126),
    "complex64": Closeness(1e-3, 2.0**-23, 2.0**-126),
    "float64": Closeness(1e-6, 2.0**-52, 2.0**-1022),
    "complex128": Closeness(1e-6, 2.0**-52, 2.0**-1022),
}
ROUNDING = 64.0  # how many epsilons of what was added up may be lost in a gradient
UNSURE = 0.05  # an error that is a larger part of the derivative decides nothing


@dataclass(frozen=True)
class Numbers:
    """What was found for one gradient.

    Attributes:
      position: of the gradient.
      where: which, as verdicts say it: "gradient 0 (x)".
      derivative: elements in row-major order as texts, at most `SHOWN`; "?" where nothing
        converges.
      exact: whether the complex step confirmed all of them to the last digits.
      shape: of the gradient; None when only some elements and random directions were taken.
      tensorflow: "agrees", "departs" or "unclear".
      implementation: the same; None when it gave no answer.
      detail: the element that decided, in words.
    """

    position: int
    where: str
    derivative: tuple[str, ...]
    exact: bool
    shape: tuple[int, ...] | None
    tensorflow: str
    implementation: str | None
    detail: str


@dataclass(frozen=True)
class Arbitration:
    """The arbiter's word on one check.

    Attributes:
      word: what it came to.
      reason: one sentence.
      numbers: one for each gradient that has a derivative.
    """

    word: Opinion
    reason: str
    numbers: Sequence[Numbers] = ()


def no_opinion(reason: str) -> Arbitration:
    """The arbiter has none, for this reason."""
    return Arbitration(Opinion.NONE, reason)


class NotComparable(Exception):
    """A gradient that is not one number for each element of x."""


def arbitrate(
    derivatives: Sequence[Derivative | None],
    oracle: Outcome,
    implementation: Outcome | None,
    names: Sequence[str],
    dtypes: Collection[str],
    *,
    same: bool,
) -> Arbitration:
    """The word, from the derivatives that the gradients should be.

    Args:
      derivatives: one for each gradient; None for an x that is no number.
      oracle: TensorFlow's answer, without an error.
      implementation: the other's; None when it gave none.
      names: of the xs.
      dtypes: of the tensors on the way: a gradient is no better than the coarsest of them.
      same: whether the judge found both answers alike in value.
    """
    known = [CLOSENESS[dtype] for dtype in dtypes if dtype in CLOSENESS]
    coarsest = max(known, key=lambda closeness: closeness.epsilon, default=CLOSENESS["float64"])
    found = []
    for position, derivative in enumerate(derivatives):
        if derivative is None:
            continue
        where = f"gradient {position}" + (f" ({names[position]})" if position < len(names) else "")
        try:
            found.append(_numbers(where, derivative, position, oracle, implementation, coarsest))
        except NotComparable as reason:
            return no_opinion(f"{where} {reason}")
    overflows = not all(map(_is_finite, oracle.ys))
    if overflows and all(d is None or d.finite for d in derivatives):
        return Arbitration(Opinion.UNCLEAR, "a y overflows in its own dtype", tuple(found))
    if not found:
        return no_opinion("none of the xs is a number")
    return Arbitration(*_word(found, implementation, same), tuple(found))


def _is_finite(y: Result) -> bool:
    value = y.value if isinstance(y, DenseResult) else None
    return value is None or value.dtype.kind not in "fc" or bool(np.isfinite(value).all())


def _word(
    found: Sequence[Numbers], implementation: Outcome | None, same: bool
) -> tuple[Opinion, str]:
    failed = implementation is None or implementation.error is not None
    wrong = next((n for n in found if n.tensorflow == "departs"), None)
    other = next((n for n in found if n.implementation == "departs"), None)
    unclear = next((n for n in found if "unclear" in (n.tensorflow, n.implementation)), None)
    if wrong is not None:
        third = not failed and not same and other is not None
        word = Opinion.ALL_DIFFER if third else Opinion.TENSORFLOW
        return word, f"{wrong.where}: {wrong.detail}"
    if other is not None:
        return Opinion.IMPLEMENTATION, f"{other.where}: {other.detail}"
    if unclear is not None:
        return Opinion.UNCLEAR, f"{unclear.where}: {unclear.detail}"
    if failed:
        return (
            Opinion.IMPLEMENTATION,
            "TensorFlow agrees with it, the other gave no answer",
        )
    return Opinion.BOTH, "as far as numbers tell"


def _numbers(
    where: str,
    derivative: Derivative,
    position: int,
    oracle: Outcome,
    implementation: Outcome | None,
    coarsest: Closeness,
) -> Numbers:
    texts = _texts(derivative)
    tensorflow, detail = _compared(derivative, oracle.gradients[position], "TensorFlow", coarsest)
    other: str | None = None
    if implementation is not None and implementation.error is None:
        result = _at(implementation.gradients, position)
        other, said = _compared(derivative, result, "the implementation", coarsest)
        detail = detail or said
    whole = derivative.shape if None not in derivative.elements else None
    exact = bool(derivative.exact.all())
    return Numbers(position, where, tuple(texts[:SHOWN]), exact, whole, tensorflow, other, detail)


def _texts(derivative: Derivative) -> list[str]:
    """The derivative by each element that was taken; of a complex one both parts in one."""
    known = np.array([element is not None for element in derivative.elements])
    values = (derivative.estimates.value / derivative.scales)[known]
    if np.iscomplexobj(derivative.directions):
        pairs = values.reshape(-1, 2)
        return [f"{a:.6g}{b:+.6g}j" if np.isfinite(a + b) else "?" for a, b in pairs]
    return [f"{value:.6g}" if np.isfinite(value) else "?" for value in values]


def _at(results: Sequence[Result], position: int) -> Result:
    return results[position] if position < len(results) else None


def _compared(
    derivative: Derivative, result: Result, side: str, coarsest: Closeness
) -> tuple[str, str]:
    """How a side's gradient stands to the derivative, and the element that decided it."""
    dtype, gradient = _dense(result, derivative.shape)
    if dtype not in CLOSENESS:
        raise NotComparable(f"is of dtype {dtype}")
    closeness = max(CLOSENESS[dtype], coarsest, key=lambda closeness: closeness.epsilon)
    with np.errstate(all="ignore"):
        along = derivative.along(gradient)
        estimates = derivative.estimates
        off = np.abs(along - estimates.value)
        size = np.abs(estimates.value)
        sizes = size / derivative.scales
        # A jump's differences are large for nothing, and excuse no rounding.
        known = np.isfinite(sizes) & (estimates.error <= UNSURE * size)
        largest = np.max(sizes, where=known, initial=0.0)
        # In float64 a derivative that is known to the last digits excuses no rounding: whoever
        # asks for float64 has no finer dtype to turn to.
        rounding = np.where(derivative.exact & (closeness.epsilon < 1e-9), 0.0, ROUNDING)
        rounding *= closeness.epsilon
        near = closeness.relative * size + rounding * largest * derivative.scales
        near += closeness.tiny * derivative.scales
        margin = near + 10 * estimates.error
        agrees = off <= margin
        # What rounding alone may do to a gradient that adds such numbers up.
        lost = rounding * estimates.magnitude
        between = (along >= estimates.low - margin) & (along <= estimates.high + margin)
        # An infinite answer is far from any: what is small beside the function is sure enough.
        distance = np.where(
            np.isfinite(off), off, np.maximum(estimates.magnitude, derivative.scales)
        )
        vague = ~(estimates.error <= UNSURE * np.maximum(size, distance)) & ~estimates.kinked
        vague |= ~np.isfinite(estimates.value) | derivative.shadowed
        unbounded = ~np.isfinite(estimates.low) | ~np.isfinite(estimates.high)
        unclear = ~agrees & (vague | (off <= lost) | (estimates.kinked & (between | unbounded)))
        # Whatever lies within such an error agrees with it: that says nothing.
        wide = np.maximum(np.abs(along), np.maximum(estimates.magnitude, derivative.scales))
        unclear |= agrees & ~(estimates.error <= UNSURE * wide)
    departs = ~agrees & ~unclear
    for state, chosen in (("departs", departs), ("unclear", unclear)):
        if chosen.any():
            return state, _detail(derivative, along, int(np.argmax(chosen)), side)
    return "agrees", ""


def _detail(derivative: Derivative, along: Array, row: int, side: str) -> str:
    element, scale = derivative.elements[row], derivative.scales[row]
    estimates = derivative.estimates
    place = "along a random direction"
    if element is not None:
        size = derivative.directions.shape[1]
        flat = row // len(derivative.directions) * size + element
        place = f"element {[int(i) for i in np.unravel_index(flat, derivative.shape)]}"
        if not derivative.shape:
            place = "it"
    given = f"{side} says {along[row] / scale:.6g}"
    value = f"{estimates.value[row] / scale:.6g}"
    if estimates.kinked[row]:
        low, high = estimates.low[row] / scale, estimates.high[row] / scale
        if not np.isfinite(low):
            return f"{place} is at a jump, or the slope is infinite there; {given}"
        return f"{place} is at a kink, between {low:.6g} and {high:.6g}; {given}"
    if derivative.shadowed[row]:
        return f"{place}: x or a y is not finite there; {given}"
    if not np.isfinite(estimates.value[row]):
        return f"{place}: differences converge to nothing; {given}"
    error = f" ± {estimates.error[row] / scale:.1g}"
    return f"{place} is {value}{error}; {given}"


def _dense(result: Result, shape: tuple[int, ...]) -> tuple[str, Array]:
    """A gradient's dtype and value as float64 or complex128; None is 0.

    Raises:
      NotComparable: its shape is another.
    """
    if result is None:
        return "float64", np.zeros(shape)
    if isinstance(result, DenseResult):
        dtype, value = result.dtype, result.value
    else:
        dtype, rows = result.values.dtype, result.values.value
        value = np.zeros(shape, rows.dtype)
        indices = result.indices.value
        if rows.shape[1:] != shape[1:] or (indices >= len(value)).any():
            raise NotComparable("has rows that x does not have")
        np.add.at(value, indices[indices >= 0], rows[indices >= 0])
    if value.shape != shape:
        raise NotComparable(f"has shape {list(value.shape)}, and its x {list(shape)}")
    if dtype not in CLOSENESS:
        return dtype, value
    return dtype, value.astype(np.complex128 if "complex" in dtype else np.float64)
