"""Derivatives from samples: extrapolated differences, with detectors of kinks and of noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    Reals: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

LARGEST_STEP = 2.0**-2
RATIO = 4.0  # of one step to the next
EXTRAPOLATIONS = 4  # columns of Neville's scheme: beyond, noise grows faster than order helps
NOISE_FACTOR = 16.0  # ulps that a forward computation may be wrong by
CLEAR = 0.01  # a larger part of noise blurs how far one-sided derivatives are apart
KINK_SPAN = 2  # steps over which one-sided derivatives must approach each other
# Of the central difference of order 8, at 1, 2, 3 and 4 steps: the weights of f(+) - f(-).
CENTRAL_8 = np.array([4 / 5, -1 / 5, 4 / 105, -1 / 280])


@dataclass(frozen=True)
class Estimates:
    """Directional derivatives, as well as samples tell them.

    Attributes:
      value: `[n]`, NaN where nothing converges.
      error: `[n]`, how far they may be off; infinite where nothing converges.
      kinked: `[n]`, whether the derivatives from the two sides differ.
      low: `[n]`, at a kink the least that is made of one-sided derivatives.
      high: `[n]`, the largest.
      magnitude: `[n]`, the sum of the magnitudes of what was summed up in the function.
    """

    value: Reals
    error: Reals
    kinked: Flags
    low: Reals
    high: Reals
    magnitude: Reals


def steps(epsilon: float) -> Reals:
    """The steps at which to sample: from large ones to where rounding takes half of the digits.

    Args:
      epsilon: of the precision in which the function is evaluated.
    """
    count = int(-np.log2(epsilon) * 0.4 / np.log2(RATIO))
    return np.asarray(LARGEST_STEP / RATIO ** np.arange(count), np.float64)


def estimate(above: Reals, below: Reals, at: Reals, h: Reals, epsilon: float) -> Estimates:
    """Derivatives at 0 of n functions, each the sum of m parts.

    Central differences at all steps are extrapolated to step 0 (C. J. F. Ridders, "Accurate
    computation of F'(x) and F'(x)F''(x)", 1982); where several extrapolations tell of one
    value, the one with the smallest error is taken, if no smaller step contradicts it.

    Args:
      above: `[n, k, m]`, the parts at each of the k steps.
      below: the same at the negative steps.
      at: `[m]` or `[n, m]`, the parts at 0.
      h: `[k]`, the steps, each `RATIO` times smaller than the one before.
      epsilon: relative error of the parts.
    """
    at = np.broadcast_to(at, (above.shape[0], above.shape[2]))
    with np.errstate(all="ignore"):
        magnitude = np.abs(at).sum(-1)
        samples = np.maximum(np.abs(above).sum(-1), np.abs(below).sum(-1))
        noise = NOISE_FACTOR * epsilon * np.maximum(samples, magnitude[:, None]) / h
        central = (above - below).sum(-1) / (2 * h)
        value, error = _extrapolated(central, noise)
        forward = (above - at[:, None]) / h[:, None]
        backward = (at[:, None] - below) / h[:, None]
        kinked, low, high = _kinks(forward, backward, noise)
    return Estimates(value, error, kinked, low, high, magnitude)


def _extrapolated(central: Reals, noise: Reals) -> tuple[Reals, Reals]:
    """The best extrapolation of `[n, k]` differences to step 0, and its error."""
    n = len(central)
    value, error = np.full(n, np.nan), np.full(n, np.inf)
    column = central
    for order in range(1, EXTRAPOLATIONS + 1):
        weight = RATIO ** (2 * order)
        coarser, finer = column[:, :-1], column[:, 1:]
        following = (weight * finer - coarser) / (weight - 1)
        change = np.maximum(np.abs(following - finer), np.abs(following - coarser))
        for i in range(following.shape[1]):
            level = i + order
            found = following[:, i]
            bound = change[:, i] + noise[:, level]
            # What is found from large steps must not be contradicted by smaller ones.
            off = np.abs(central[:, level:] - found[:, None])
            allowed = off[:, :1] + 2 * noise[:, level:]
            better = (bound < error) & (off <= allowed).all(-1)
            value = np.where(better, found, value)
            error = np.where(better, bound, error)
        column = following
    return value, error


def _kinks(forward: Reals, backward: Reals, noise: Reals) -> tuple[Flags, Reals, Reals]:
    """Where one-sided derivatives `[n, k, m]` do not approach each other, and their range."""
    apart = np.abs(forward - backward).sum(-1)  # [n, k]; shrinks with the step if smooth
    n = len(forward)
    kinked = np.zeros(n, bool)
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    for row in range(n):
        clear = np.flatnonzero(noise[row] < CLEAR * apart[row])
        clear = clear[clear >= KINK_SPAN]
        if not clear.size:
            continue
        level = clear[-1]
        before = apart[row, level - KINK_SPAN]
        # Smaller steps that see the two sides meet tell of a kink beside the point, not at it.
        meet = apart[row, level:] + 2 * noise[row, level:] < 0.5 * apart[row, level]
        kinked[row] = bool(apart[row, level] > 0.5 * before and not meet.any())
        pair = forward[row, level], backward[row, level]
        slack = 2 * noise[row, level] + abs(apart[row, level] - apart[row, level - 1])
        low[row], high[row] = np.minimum(*pair).sum() - slack, np.maximum(*pair).sum() + slack
        if apart[row, level] > 1.5 * before:  # they part without bound
            low[row], high[row] = -np.inf, np.inf
    return kinked, low, high
