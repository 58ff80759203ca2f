"""The derivative that a check asks for, by evaluating its forward program and nothing else.

What is differentiated is L = Re Σ conj(w)·y over all ys with their weights w; for a real
program that is Σ w·y. Its gradient by a complex x is ∂L/∂Re x + i ∂L/∂Im x, TensorFlow's own
convention. Weights, what `tf.stop_gradient` gives and the tensors of `stop_gradients` are held
at their values at the point. An inner gradient call is differenced anew at every point at
which an outer one needs its value.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradparity.arbiter.analytic import is_analytic, is_safely_analytic
from gradparity.arbiter.differences import CENTRAL_8, Estimates, estimate, steps
from gradparity.arbiter.evaluation import (
    COMPLEX,
    FLOATING,
    Call,
    Description,
    Evaluating,
    EvaluationFailed,
    Tensor,
    Undecidable,
)

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, Any]
    Feeds: TypeAlias = Mapping[str, Array]  # stacked: [points, ...]

ELEMENTS = 48  # of an x that are all judged one by one; of a larger one SAMPLED are
SAMPLED = 8
DIRECTIONS = 4  # random ones, beside those elements
LARGEST = 20_000  # elements of an x, or of all ys together
RUNS = 60_000  # of the forward program for one check
CHUNK = 1_000  # points in one question to the evaluator
NUMBERS = 4_000_000  # in one question and its answer
FEWEST_STEPS = 4  # below, an extrapolation has nothing to be held against
SECONDS = 30.0  # for one check
INNER_STEP = 2.0**-12
INNER_NOISE = 2.0**-40  # relative error of an inner derivative by differences of order 8
IMAGINARY_STEP = 1e-100


@dataclass(frozen=True)
class Derivative:
    """What differencing tells of one gradient of a check.

    Attributes:
      shape: of the gradient.
      directions: `[n, size of x]`, along which it was differentiated.
      estimates: the derivatives along them.
      exact: `[n]`, whether the complex step confirmed them to the last digits.
      elements: for each direction the element that it goes along, or None for a random one.
      scales: `[n]`, the length of the directions.
      rows: how many rows of a Hessian the n directions are repeated for; 1 for a gradient.
      shadowed: `[n]`, whether a part of the ys was left out, because it is not finite and stays
        so all along the direction: it may depend on the direction or not; or whether x itself
        is not finite there.
      finite: whether the ys and their weights are finite at the point.
    """

    shape: tuple[int, ...]
    directions: Array
    estimates: Estimates
    exact: Array
    elements: tuple[int | None, ...]
    scales: Array
    shadowed: Array
    rows: int = 1
    finite: bool = True

    def along(self, gradient: Array) -> Array:
        """A given gradient, of shape `shape`, along each of the directions."""
        rows = gradient.reshape(self.rows, 1, -1).conj()
        # No matrix product: where a direction does not go, a NaN must not count.
        parts = np.where(self.directions == 0, 0, rows * self.directions)
        found: Array = np.real(parts.sum(-1)).ravel()
        return found


@dataclass
class Differentiator:
    """Differentiates one program.

    Args:
      evaluating: who evaluates it; the program is the one that was opened last.
      description: what it said of the program.

    Raises:
      Undecidable: the program cannot be differentiated; so do the methods.
    """

    evaluating: Evaluating
    description: Description
    precision: str = "float64"
    runs: int = 0
    frozen: dict[str, Array] = field(default_factory=dict)
    _inner: dict[str, tuple[Call, int]] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._inner = {
            output: (call, position)
            for call in self.description.calls
            for position, output in enumerate(call.outputs)
            if output is not None
        }
        stops = [stop for stop in self.description.stops if stop.dtype != "string"]
        try:
            self._freeze(stops)
        except EvaluationFailed as failure:
            if any(stop.needs for stop in stops):
                raise Undecidable(f"it cannot be evaluated in float64 ({failure})") from None
            self.precision = "as written"
            self._freeze(stops)

    def _freeze(self, stops: Sequence[Tensor]) -> None:
        found = self._values(stops, {}, 1)
        self.frozen = {stop.name: value for stop, value in zip(stops, found, strict=True)}

    def derivative(self, gradient: int) -> Derivative | None:
        """The derivative that one gradient of the check should be; None for a non-number.

        Raises:
          Undecidable: see there.
        """
        origin = self.description.judged[gradient]
        if origin is None:
            return None
        call, position = self.description.calls[origin[0]], origin[1]
        try:
            return self._outer(call, position)
        except EvaluationFailed as failure:
            if self.precision != "float64" or any(tensor.needs for tensor in call.ys):
                raise Undecidable(f"it cannot be evaluated in float64 ({failure})") from None
        # Some kernels exist in the program's own precision alone.
        self.precision = "as written"
        self._freeze([stop for stop in self.description.stops if stop.dtype != "string"])
        try:
            return self._outer(call, position)
        except EvaluationFailed as failure:
            raise Undecidable(f"the forward program fails: {failure}") from None

    # The gradient that is judged

    def _outer(self, call: Call, position: int) -> Derivative:
        x, bias = call.xs[position], 0.0
        for name in sorted({name for y in call.ys for name in y.needs}):
            inner = self._outer(*self._inner[name])
            if inner.estimates.kinked.any():  # central differences would give the middle
                raise Undecidable("a gradient inside the program is taken at a kink")
            given = self._inner_values(*self._inner[name], {}, 1)[0]
            bias = max(bias, _bias(inner, given))
        point = self._point(call, x, {}, 1)
        epsilon = self._epsilon(call, x, point)
        at = self._contributions(call, point)
        again = self._contributions(call, self._point(call, x, {}, 1))
        if not np.array_equal(at, again, equal_nan=True):
            raise Undecidable("its values are random")
        base = point.x[0]
        if not base.size:
            raise Undecidable("an x has no elements")
        if base.size > LARGEST or at.size > LARGEST:
            raise Undecidable(f"more than {LARGEST:,} elements")
        finite = bool(np.isfinite(at).all())
        directions, elements = _directions(base, x.dtype in COMPLEX)
        scales = np.abs(directions).max(-1, initial=0.0)
        h = steps(epsilon)
        if any(y.needs for y in call.ys):  # smaller ones would only see how inner ones smooth
            h = h[h >= 4 * INNER_STEP]
        if len(h) < FEWEST_STEPS:
            raise Undecidable("its order is too high for differences")
        offsets = np.concatenate([h, -h])
        with np.errstate(invalid="ignore"):  # at infinity there is nowhere to go
            moved = base.ravel() + offsets[None, :, None] * directions[:, None, :]
        parts = self._along(call, x, point, moved.reshape(-1, *base.shape))
        parts = parts.reshape(len(directions), 2, len(h), -1)
        rows = 1
        if call.kind == "jacobian":  # each part is a row of its own
            rows = parts.shape[-1]
            parts = np.moveaxis(parts, -1, 0).reshape(-1, 2, len(h), 1)
            at = np.repeat(at.reshape(rows, 1), len(directions), axis=0)
        parts, at, shadowed = _without_constants(parts, at)
        with np.errstate(invalid="ignore"):
            stuck = ((directions != 0) & ~np.isfinite(base.ravel() + directions)).any(-1)
        shadowed |= np.tile(stuck, rows)
        found = estimate(parts[:, 0], parts[:, 1], at, h, epsilon)
        exact = np.zeros(len(found.value), bool)
        innermost = not any(y.needs for y in call.ys)
        if call.kind == "gradients" and innermost and is_analytic(self.description):
            found, exact = self._by_complex_step(call, x, point, directions, found)
        if bias:
            size = np.maximum(np.abs(found.value), found.magnitude)
            found = replace(found, error=found.error + bias * size)
        shape = base.shape if call.kind == "gradients" else (*point.ys[0].shape[1:], *base.shape)
        return Derivative(
            shape,
            directions,
            found,
            exact,
            elements * rows,
            np.tile(scales, rows),
            shadowed,
            rows,
            finite,
        )

    def _by_complex_step(
        self, call: Call, x: Tensor, point: _Point, directions: Array, found: Estimates
    ) -> tuple[Estimates, Array]:
        """Im f(x + ih)/h (J. N. Lyness and C. B. Moler, 1967), where it confirms `found`."""
        with np.errstate(invalid="ignore"):
            moved = point.x[0].ravel() + 1j * (IMAGINARY_STEP * directions)
        precision, self.precision = self.precision, "complex128"
        try:
            parts = self._along(call, x, point, moved.reshape(-1, *point.x.shape[1:]))
        except EvaluationFailed:
            return found, np.zeros(len(directions), bool)
        finally:
            self.precision = precision
        value = parts.imag.sum(-1) / IMAGINARY_STEP
        with np.errstate(invalid="ignore"):
            off = np.abs(value - found.value)
            exact = ~found.kinked & (off <= 4 * found.error + 1e-6 * np.abs(value))
        error = np.where(exact, 1e-13 * np.abs(value), found.error)
        value = np.where(exact, value, found.value)
        return (
            Estimates(value, error, found.kinked, found.low, found.high, found.magnitude),
            exact,
        )

    def _along(self, call: Call, x: Tensor, point: _Point, moved: Array) -> Array:
        """The contributions to L, `[points, m]`, with x at each of `moved`."""
        seeds = [None if s is None else s[0] for s in point.seeds]
        found = []
        size = sum(y.size for y in point.ys) + moved[0].size
        chunk = max(1, min(CHUNK, NUMBERS // max(1, size)))
        for start in range(0, len(moved), chunk):
            part = moved[start : start + chunk]
            count = len(part)
            held = {name: np.repeat(value, count, axis=0) for name, value in point.held.items()}
            ys = self._values(call.ys, {**held, x.name: part}, count)
            repeated = [None if s is None else np.repeat(s[None], count, axis=0) for s in seeds]
            if any(y.shape[1:] != at.shape[1:] for y, at in zip(ys, point.ys, strict=True)):
                raise Undecidable("the shapes of its ys depend on the values of an x")
            found.append(_weighted(call, ys, repeated, count))
        return np.concatenate(found)

    # The gradients inside

    def _values(self, tensors: Sequence[Tensor], feeds: Feeds, points: int) -> list[Array]:
        """Values of tensors at several points; those of inner gradients are found first."""
        feeds = {
            **{name: np.repeat(value, points, axis=0) for name, value in self.frozen.items()},
            **feeds,
        }
        needed = {name for t in tensors if t.name not in feeds for name in t.needs}
        # Each from what is given alone: one that is found may depend on another's x.
        found = {
            name: self._inner_values(*self._inner[name], feeds, points)
            for name in sorted(needed - feeds.keys())
        }
        feeds = {**feeds, **found}
        self._spend(points)
        names = [tensor.name for tensor in tensors]
        return self.evaluating.evaluate(self.precision, names, feeds) if names else []

    def _inner_values(self, call: Call, position: int, feeds: Feeds, points: int) -> Array:
        """An inner gradient's values at several points, by differences of order 8."""
        x = call.xs[position]
        if self.precision == "as written":
            raise Undecidable("a gradient of a gradient needs float64, which its kernels lack")
        if call.kind == "jacobian" and x.dtype in COMPLEX:
            raise Undecidable("a Hessian by a complex tensor")
        point = self._point(call, x, feeds, points)
        if call.kind == "gradients" and is_safely_analytic(self.description, call):
            with contextlib.suppress(EvaluationFailed):
                return self._inner_by_complex_step(call, x, point, feeds)
        shape, size = point.x.shape[1:], math.prod(point.x.shape[1:])
        units = [1.0, 1j] if x.dtype in COMPLEX else [1.0]
        offsets = INNER_STEP * np.array([1, 2, 3, 4, -1, -2, -3, -4])
        step = _scale(point.x.reshape(points, size))  # [points, size]
        moved = np.repeat(point.x.reshape(points, 1, size), size * len(units) * 8, axis=1)
        moved = moved.astype(np.complex128 if len(units) == 2 else np.float64)
        moved = moved.reshape(points, size, len(units), 8, size)
        each = np.arange(size)
        move = np.array(units)[:, None] * offsets
        moved[:, each, :, :, each] += (step.T[..., None, None] * move).astype(moved.dtype)
        count = size * len(units) * 8
        self._spend(points * count, 0)
        inner = {name: np.repeat(v, count, axis=0) for name, v in {**feeds, **point.held}.items()}
        inner[x.name] = moved.reshape(-1, *shape)
        ys = self._values(call.ys, inner, points * count)
        seeds = [None if s is None else np.repeat(s, count, axis=0) for s in point.seeds]
        parts = _weighted(call, ys, seeds, points * count).reshape(
            points, size, len(units), 2, 4, -1
        )
        change = np.tensordot(parts[:, :, :, 0] - parts[:, :, :, 1], CENTRAL_8, ([3], [0]))
        change /= (INNER_STEP * step)[:, :, None, None]  # [points, size, units, parts]
        if call.kind == "jacobian":
            rows: Array = np.moveaxis(change[:, :, 0], 1, 2)
            return rows.reshape(points, *point.ys[0].shape[1:], *shape)
        found: Array = change.sum(-1)
        found = found[..., 0] + 1j * found[..., 1] if len(units) == 2 else found[..., 0]
        return found.reshape(points, *shape)

    def _inner_by_complex_step(self, call: Call, x: Tensor, point: _Point, feeds: Feeds) -> Array:
        """As `_inner_values`, for a gradient of what is analytic."""
        shape, points = point.x.shape[1:], len(point.x)
        size = math.prod(shape)
        moved = np.repeat(point.x.reshape(points, 1, size), size, axis=1).astype(np.complex128)
        moved[:, np.arange(size), np.arange(size)] += 1j * IMAGINARY_STEP
        inner = {name: np.repeat(v, size, axis=0) for name, v in {**feeds, **point.held}.items()}
        inner[x.name] = moved.reshape(-1, *shape)
        precision, self.precision = self.precision, "complex128"
        try:
            ys = self._values(call.ys, inner, points * size)
        finally:
            self.precision = precision
        seeds = [None if s is None else np.repeat(s, size, axis=0) for s in point.seeds]
        found: Array = _weighted(call, ys, seeds, points * size).imag.sum(-1) / IMAGINARY_STEP
        return found.reshape(point.x.shape)

    def _spend(self, runs: int, count: int | None = None) -> None:
        """Counts runs that are about to be made; `count` of them, or only looks ahead."""
        if self.runs + runs > RUNS:
            raise Undecidable(f"it would take more than {RUNS:,} runs of the forward program")
        if time.monotonic() - self._started > SECONDS:
            raise Undecidable(f"it would take more than {SECONDS:g} s")
        self.runs += runs if count is None else count

    # Points

    def _point(self, call: Call, x: Tensor, feeds: Feeds, points: int) -> _Point:
        """All that a call's derivative by x holds fast at given points, and x itself."""
        held = [t for t in call.stop_gradients if t.name != x.name and not t.variable]
        seeds = [seed for seed in call.grad_ys if seed is not None]
        tensors = [x, *call.ys, *seeds, *held]
        found = iter(self._values(tensors, feeds, points))
        at = next(found)
        ys = [next(found) for _ in call.ys]
        weights = [None if seed is None else next(found) for seed in call.grad_ys]
        for y, weight in zip(ys, weights, strict=True):
            if weight is not None and weight.shape != y.shape:
                raise Undecidable("a weight has another shape than its y")
            if weight is not None and not np.isfinite(weight).all():
                raise Undecidable("a weight is not finite")
        kept = {tensor.name: next(found) for tensor in held}
        return _Point(at, ys, weights, kept)

    def _contributions(self, call: Call, point: _Point) -> Array:
        parts: Array = _weighted(call, point.ys, point.seeds, 1)[0]
        return parts

    def _epsilon(self, call: Call, x: Tensor, point: _Point) -> float:
        """The relative error of what is differenced."""
        depth = max((self._depth(tensor) for tensor in call.ys), default=0)
        if depth:
            return float(INNER_NOISE / INNER_STEP ** (depth - 1))
        kinds = [a.dtype for a in (point.x, *point.ys) if a.dtype.kind in "fc"]
        epsilon = max((float(np.finfo(kind).eps) for kind in kinds), default=0.0)
        half = any(tensor.dtype == "bfloat16" for tensor in (x, *call.ys))
        if epsilon > 1e-4 or (half and self.precision == "as written"):
            raise Undecidable("its kernels compute in half precision alone")
        return epsilon or float(np.finfo(np.float64).eps)

    def _depth(self, tensor: Tensor) -> int:
        """How many inner gradients are taken of one another to compute a tensor."""
        return max(
            (1 + max(map(self._depth, self._inner[name][0].ys)) for name in tensor.needs),
            default=0,
        )


@dataclass(frozen=True)
class _Point:
    """Values at some points, stacked: of x, the ys, their weights, and what is held fast."""

    x: Array
    ys: Sequence[Array]
    seeds: Sequence[Array | None]
    held: Mapping[str, Array]


def _bias(inner: Derivative, given: Array) -> float:
    """By how much of itself an inner gradient may be off, for extrapolation finds another one.

    Differences of order 8 are that exact where seven derivatives are continuous; a second one
    that jumps at the point, as that of elu, costs them most of their digits.
    """
    with np.errstate(invalid="ignore"):
        off = np.abs(inner.along(given) - inner.estimates.value)
        size = np.abs(inner.estimates.value)
    known = np.isfinite(off) & np.isfinite(size)
    largest = np.max(size, where=known, initial=0.0)
    return float(np.max(off, where=known, initial=0.0) / largest) if largest else 0.0


def _weighted(call: Call, ys: Sequence[Array], seeds: Sequence[Array | None], points: int) -> Array:
    """The parts of L at several points: `[points, m]`. Integers and texts contribute nothing."""
    parts = []
    for tensor, y, seed in zip(call.ys, ys, seeds, strict=True):
        if tensor.dtype not in FLOATING + COMPLEX:
            continue
        with np.errstate(all="ignore"):
            weighted = y if seed is None else np.conj(seed) * y
        if tensor.dtype in COMPLEX:
            weighted = weighted.real
        parts.append(weighted.reshape(points, -1))
    return np.concatenate(parts, axis=1) if parts else np.zeros((points, 1))


def _without_constants(parts: Array, at: Array) -> tuple[Array, Array, Array]:
    """Parts that are not finite, and no other anywhere along a direction, as zeros.

    What does not depend on an x takes nothing from its derivative, infinite or not.

    Args:
      parts: `[n, 2, k, m]`, the samples.
      at: `[m]` or `[n, m]`, the parts at the point.

    Returns:
      Both without these parts, and `[n]`, which directions had any.
    """
    at = np.broadcast_to(at, (parts.shape[0], parts.shape[3]))
    around = at[:, None, None]
    same = (parts == around) | (np.isnan(parts) & np.isnan(around))
    constant = ~np.isfinite(at) & same.all((1, 2))
    parts = np.where(constant[:, None, None], 0.0, parts)
    return parts, np.where(constant, 0.0, at), constant.any(-1)


def _scale(x: Array) -> Array:
    """How far one may go from x to learn of a function there: within reach of zero, not far."""
    size = np.where(np.isfinite(x), np.abs(x), 1.0)
    return np.where(size < 2.0**16, np.clip(size, 1 / 16, 4.0), size)


def _directions(x: Array, is_complex: bool) -> tuple[Array, tuple[int | None, ...]]:
    """Along what to differentiate: `[n, size]`, each as long as `_scale` allows."""
    size, scale = x.size, _scale(x.ravel())
    units = np.array([1.0, 1j]) if is_complex else np.array([1.0])
    chosen = np.arange(size)
    if size > ELEMENTS:
        chosen = np.unique(np.linspace(0, size - 1, SAMPLED).astype(int))
    single = np.zeros((len(chosen), len(units), size), units.dtype)
    single[np.arange(len(chosen)), :, chosen] = scale[chosen, None] * units
    directions = single.reshape(-1, size)
    elements: list[int | None] = [int(i) for i in np.repeat(chosen, len(units))]
    if size > ELEMENTS:
        random = np.random.default_rng(20260601)
        mixed = scale * random.choice([-1.0, 1.0], (DIRECTIONS, size))
        directions = np.concatenate([directions, mixed * units[-1:]])
        elements += [None] * DIRECTIONS
    return directions, tuple(elements)
