"""How far apart two floating-point values may be: one table by dtype, one by op type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gradparity.judge.ulp import COMPONENT
from gradparity.language.check import Tolerance


@dataclass(frozen=True)
class Precision:
    """The "scale" rule of a dtype: |a - b| <= factor * eps * scale is excused.

    `scale` is the largest finite magnitude in the tensor. The rule is for sums whose terms
    cancel: what is left may be tiny, but its error is that of the terms.

    Attributes:
      eps: the distance from 1 to the next larger number.
      factor: how many of them.
      why: what was measured to justify the factor.
    """

    eps: float
    factor: float
    why: str


PRECISIONS: Mapping[str, Precision] = {
    "float16": Precision(
        2.0**-10, 8, "Sum and Mean accumulate in float16: up to 7.7 from NumPy's, 128 terms"
    ),
    "bfloat16": Precision(
        2.0**-7, 1, "sums accumulate in float32 and are rounded once: MatMul up to 0.98"
    ),
    "float32": Precision(2.0**-23, 8, "MatMul over 256 terms up to 6.8, Mean over 128 up to 7.0"),
    "float64": Precision(2.0**-52, 8, "MatMul over 256 terms up to 6.1, Mean over 128 up to 5.5"),
}


@dataclass(frozen=True)
class UlpBudget:
    """How many ulps a sound implementation of an op may be away from TensorFlow's.

    Attributes:
      float16: the budget in float16; the other dtypes likewise.
      why: where the distance comes from.
    """

    float16: int
    bfloat16: int
    float32: int
    float64: int
    why: str


# All figures: the largest distance seen between TensorFlow 2.21 and NumPy 2.4 on x86-64, one
# thread, over 200,000 points an op. TensorFlow is as far from itself: equal values in one
# vector give different results in its vector lanes and in its scalar tail.
_POLYNOMIAL = "Eigen's vectorised polynomial, no correctly rounded libm"
_DIVISION = "vectorised approximation with one Newton step in float32"
_COMPOSED = "composed of exp and log1p in the tensor's own dtype"
_ORDER = "another order of the terms: blocks and vector lanes against NumPy's pairs"

ULP_BUDGETS: Mapping[str, UlpBudget] = {
    "Acos": UlpBudget(1, 1, 5, 1, _POLYNOMIAL),
    "Asin": UlpBudget(1, 1, 4, 1, _POLYNOMIAL),
    "Atan": UlpBudget(1, 1, 3, 4, _POLYNOMIAL),
    "Cos": UlpBudget(1, 1, 1, 0, _POLYNOMIAL),
    "Cosh": UlpBudget(1, 1, 2, 1, _POLYNOMIAL),
    "Erf": UlpBudget(1, 1, 6, 4, "Eigen's rational approximation"),
    "Exp": UlpBudget(1, 1, 3, 2, _POLYNOMIAL),
    "Expm1": UlpBudget(1, 1, 5, 3, "composed of exp and log with a correction near 0"),
    "Log": UlpBudget(1, 1, 5, 1, _POLYNOMIAL),
    "Log1p": UlpBudget(1, 1, 4, 2, "composed of log with a correction near 0"),
    "Mean": UlpBudget(8, 1, 8, 10, _ORDER),
    "Pow": UlpBudget(1, 1, 2, 2, "Eigen's double-word exp and log"),
    "Prod": UlpBudget(7, 6, 9, 9, _ORDER),
    "Reciprocal": UlpBudget(1, 1, 3, 0, _DIVISION),
    "Rsqrt": UlpBudget(1, 1, 4, 0, _DIVISION),
    "Sigmoid": UlpBudget(3, 2, 7, 3, "composed of exp and a division"),
    "Sin": UlpBudget(1, 1, 1, 0, _POLYNOMIAL),
    "Sinh": UlpBudget(1, 1, 2, 2, _POLYNOMIAL),
    "Softplus": UlpBudget(1, 7, 4, 3, _COMPOSED),
    "Sum": UlpBudget(8, 1, 8, 9, _ORDER),
    "Tan": UlpBudget(1, 1, 3, 1, _POLYNOMIAL),
    "Tanh": UlpBudget(1, 1, 5, 5, "Eigen's rational approximation"),
}


@dataclass(frozen=True)
class Limits:
    """What two floating-point tensors of one dtype are allowed.

    Two elements are equal within `ulp`, else within atol + rtol * the smaller magnitude.

    Attributes:
      ulp: the largest distance in units in the last place.
      eps_factor: atol is this many eps of the dtype times the tensor's scale, unless `atol`
        is given.
      atol: an absolute tolerance in place of that by scale, or None.
      rtol: relative to the smaller of the two magnitudes.
    """

    ulp: int
    eps_factor: float
    atol: float | None = None
    rtol: float = 0.0

    def absolute(self, scale: float) -> float:
        """The absolute tolerance in a tensor whose largest finite magnitude is `scale`."""
        return self.eps_factor * scale if self.atol is None else self.atol


def limits(dtype: str, op_types: Iterable[str], override: Tolerance | None = None) -> Limits:
    """The limits of a check for tensors of one dtype.

    The ulp budget of a check is the sum over the op types in its graph, because relative
    errors add along a path, to first order, and the longest path can meet each type. A type
    that is met twice counts once: the budget grows with the kinds of approximation in a
    graph and not with its size, so that a long chain of Exp cannot hide an error. A type
    that is not in the table counts nothing: TensorFlow's result is the correctly rounded one
    (+, -, *, /, sqrt) or is not known to be any other.

    Args:
      dtype: floating point, real or complex; a complex one has the limits of its parts.
      op_types: of all ops in the oracle's graph; repetitions count nothing.
      override: replaces what it names; naming `atol` also replaces the rule by scale.
    """
    real = COMPONENT.get(dtype, dtype)
    precision = PRECISIONS[real]
    budgets = (ULP_BUDGETS[op] for op in set(op_types) if op in ULP_BUDGETS)
    budget: int = sum(getattr(budget, real) for budget in budgets)
    eps_factor = precision.factor * precision.eps
    if override is None:
        return Limits(budget, eps_factor)
    return Limits(
        ulp=budget if override.ulp is None else override.ulp,
        eps_factor=eps_factor,
        atol=override.atol,
        rtol=override.rtol or 0.0,
    )


LEAST_DOCUMENTED_ULP = 4
"""A documented value is what mathematics says, rounded once; a program of a few correctly
rounded ops has rounded a few times."""


def documented_limits(
    dtype: str, op_types: Iterable[str], override: Tolerance | None = None
) -> Limits:
    """The limits for a result against the value that a case documents (`expect`).

    The ulp budget is the check's own, but at least `LEAST_DOCUMENTED_ULP`, and there is no
    rule by scale: a document is held to the digits that it prints. An `override` counts here
    as it does between the sides, so that one with `atol` serves documents that print few.
    """
    between_sides = limits(dtype, op_types, override)
    ulp = between_sides.ulp
    if override is None or override.ulp is None:
        ulp = max(ulp, LEAST_DOCUMENTED_ULP)
    return replace(between_sides, ulp=ulp, eps_factor=0.0)
