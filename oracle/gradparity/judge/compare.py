"""Compares one result of the oracle with one of the implementation: classes, then values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.tolerance import Limits
from gradparity.judge.ulp import components, is_floating, ulp_distance
from gradparity.judge.verdict import Comparison, Difference, Kind, Rule
from gradparity.outcome import DenseResult, Result, SparseResult, StaticShape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LimitsOf: TypeAlias = Callable[[str], Limits]
"""Floating-point dtype -> what its tensors are allowed; asked only when bits differ."""


@dataclass(frozen=True)
class Compared:
    """What was found in one result: every difference, and each comparison by value."""

    differences: Sequence[Difference] = ()
    comparisons: Sequence[Comparison] = ()


def compare(where: str, oracle: Result, implementation: Result, limits_of: LimitsOf) -> Compared:
    """Compares two results: None-ness, sparsity, dtype, shapes, and then values.

    Nothing of the first four is ever tolerated. Values are compared where dtype and shape
    allow it. Of IndexedSlices the values, the indices and dense_shape are compared as they
    are: in order, not sorted, not summed, not densified.

    Args:
      where: which tensor, for people: "gradient 1 (w2)".
      oracle: TensorFlow's answer.
      implementation: the other.
      limits_of: see `LimitsOf`.
    """
    if oracle is None and implementation is None:
        return Compared()
    if oracle is None or implementation is None:
        return _of_another_kind(where, Kind.NONE, oracle, implementation)
    if isinstance(oracle, SparseResult):
        if isinstance(implementation, DenseResult):
            return _of_another_kind(where, Kind.SPARSITY, oracle, implementation)
        return _join(
            [
                compare(f"{where}, values", oracle.values, implementation.values, limits_of),
                compare(f"{where}, indices", oracle.indices, implementation.indices, limits_of),
                compare(
                    f"{where}, dense_shape",
                    oracle.dense_shape,
                    implementation.dense_shape,
                    limits_of,
                ),
            ]
        )
    if isinstance(implementation, SparseResult):
        return _of_another_kind(where, Kind.SPARSITY, oracle, implementation)
    return _compare_dense(where, oracle, implementation, limits_of)


def describe(result: Result) -> str:
    """What a result is, without its values: "a float32 tensor of shape [2, 3]"."""
    if result is None:
        return "None"
    if isinstance(result, SparseResult):
        return f"IndexedSlices with {describe(result.values).removeprefix('a ')}"
    return f"a {result.dtype} tensor of shape {shape_text(result.value.shape)}"


def shape_text(shape: StaticShape) -> str:
    """A shape as people write it: "[2, ?]", or "unknown" when the rank is."""
    if shape is None:
        return "unknown"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def element_text(element: Any) -> str:
    """A NumPy scalar or `bytes` as the shortest text that tells it from its neighbours."""
    return repr(element) if isinstance(element, bytes) else str(element)


def _of_another_kind(where: str, kind: Kind, oracle: Result, implementation: Result) -> Compared:
    return Compared([Difference(where, kind, describe(oracle), describe(implementation))])


def _join(parts: Sequence[Compared]) -> Compared:
    return Compared(
        [difference for part in parts for difference in part.differences],
        [comparison for part in parts for comparison in part.comparisons],
    )


def _compare_dense(
    where: str, oracle: DenseResult, implementation: DenseResult, limits_of: LimitsOf
) -> Compared:
    a, b = oracle.value, implementation.value
    differences = []
    if oracle.dtype != implementation.dtype:
        differences.append(
            Difference(where, Kind.DTYPE, oracle.dtype, implementation.dtype, detail="dtype")
        )
    # TensorFlow's own arrays can depart from the symbolic dtype; so can an implementation's.
    if a.dtype != b.dtype and not differences:
        differences.append(
            Difference(where, Kind.DTYPE, a.dtype.name, b.dtype.name, detail="dtype of the value")
        )
    # A static shape that is just the value's shape says nothing that the value's does not.
    both_static = oracle.static_shape == a.shape and implementation.static_shape == b.shape
    if oracle.static_shape != implementation.static_shape and not both_static:
        differences.append(
            Difference(
                where,
                Kind.SHAPE,
                shape_text(oracle.static_shape),
                shape_text(implementation.static_shape),
                detail="static shape",
            )
        )
    if a.shape != b.shape:
        differences.append(
            Difference(where, Kind.SHAPE, shape_text(a.shape), shape_text(b.shape), detail="shape")
        )
    if a.dtype != b.dtype or a.shape != b.shape:
        return Compared(differences)
    comparison, difference = compare_values(where, a, b, limits_of)
    if difference is not None:
        differences.append(difference)
    return Compared(differences, [comparison])


def compare_values(
    where: str, oracle: NDArray[Any], implementation: NDArray[Any], limits_of: LimitsOf
) -> tuple[Comparison, Difference | None]:
    """Compares two arrays of one dtype and one shape, element by element.

    Floating point: NaN, infinities with their signs and the signs of zeros must stand at the
    same places, always; other values are equal by the strictest rule that finds all of them
    so: equal bits, the ulp budget, the scale of the tensor. NaN is equal to NaN: payload and
    sign are no part of any API. Everything else (integers, booleans, strings) is equal or not.
    """
    if _same_bytes(oracle, implementation):
        return Comparison(where, Rule.BITS, 0 if is_floating(oracle.dtype) else None), None
    if is_floating(oracle.dtype):
        return _compare_floating(where, oracle, implementation, limits_of(oracle.dtype.name))
    unequal = _unequal_exactly(oracle, implementation)
    if not unequal.any():
        return Comparison(where, Rule.BITS, None), None
    return Comparison(where, None, None), _value_difference(
        where, oracle, implementation, unequal, ""
    )


def _same_bytes(a: NDArray[Any], b: NDArray[Any]) -> bool:
    # Of strings these are the addresses: equal where the objects are the same.
    return a.tobytes() == b.tobytes()


def _unequal_exactly(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    import numpy as np

    if a.dtype.kind == "O":
        return np.asarray(a != b)
    size = a.dtype.itemsize
    a_bytes, b_bytes = (x.reshape(-1).view(np.uint8).reshape(-1, size) for x in (a, b))
    return np.asarray((a_bytes != b_bytes).any(axis=1).reshape(a.shape))


def _compare_floating(
    where: str, oracle: NDArray[Any], implementation: NDArray[Any], limits: Limits
) -> tuple[Comparison, Difference | None]:
    import numpy as np

    a_parts, b_parts = components(oracle), components(implementation)
    distance = ulp_distance(a_parts, b_parts)
    # Exact for every dtype, and bfloat16 needs no functions of its own.
    with np.errstate(invalid="ignore"):  # signalling NaNs
        a, b = a_parts.astype(np.float64), b_parts.astype(np.float64)
    a_size, b_size = np.abs(a), np.abs(b)

    nan = np.isnan(a) != np.isnan(b)
    infinity = ~nan & (np.isinf(a) | np.isinf(b)) & (distance > 0)
    zero_sign = (a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b))
    misplaced = nan | infinity | zero_sign

    within_ulp = distance <= limits.ulp
    # The smaller scale of the two: a wrong value must not widen its own tolerance.
    scale = min(_largest_finite(a_size), _largest_finite(b_size))
    absolute = limits.absolute(scale)
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = absolute + limits.rtol * np.minimum(a_size, b_size)
        within_scale = np.abs(a - b) <= allowed
    unequal = misplaced | ~(within_ulp | within_scale)

    countable = not (nan | infinity).any()
    worst = int(distance.max()) if countable else None
    if unequal.any():
        detail = _value_detail(
            {"NaN": nan, "infinities": infinity, "signs of zero": zero_sign},
            distance,
            limits,
            absolute,
        )
        return Comparison(where, None, worst), _value_difference(
            where, oracle, implementation, unequal.any(axis=-1), detail
        )
    rule = Rule.BITS if worst == 0 else Rule.ULP if within_ulp.all() else Rule.SCALE
    return Comparison(where, rule, worst), None


def _largest_finite(magnitudes: NDArray[np.float64]) -> float:
    import numpy as np

    return float(magnitudes.max(where=np.isfinite(magnitudes), initial=0.0))


def _value_detail(
    misplaced: dict[str, NDArray[np.bool_]],
    distance: NDArray[np.uint64],
    limits: Limits,
    absolute: float,
) -> str:
    """All numbers needed to argue about a difference: how far, and how far was allowed."""
    import numpy as np

    counted = [
        f"{name} differ in {int(mask.any(axis=-1).sum())}"
        for name, mask in misplaced.items()
        if mask.any()
    ]
    excluded = misplaced["NaN"] | misplaced["infinities"]
    countable = np.where(excluded, np.uint64(0), distance).max(axis=-1)
    worst = int(countable.max())
    if worst:
        at = f" at {list(_index(countable == worst))}" if countable.size > 1 else ""
        allowed = f"{limits.ulp} ulp or ±{absolute:.2g}"
        if limits.rtol:
            allowed += f" ±{limits.rtol:.2g} relative"
        counted.append(f"worst {worst} ulp{at}; allowed {allowed}")
    return "; ".join(counted)


def _value_difference(
    where: str,
    oracle: NDArray[Any],
    implementation: NDArray[Any],
    unequal: NDArray[np.bool_],
    detail: str,
) -> Difference:
    index = _index(unequal)
    return Difference(
        where,
        Kind.VALUE,
        element_text(oracle[index]),
        element_text(implementation[index]),
        index=index,
        count=int(unequal.sum()),
        total=unequal.size,
        detail=detail,
    )


def _index(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Where `mask` is first true, in row-major order."""
    import numpy as np

    return tuple(int(i) for i in np.unravel_index(int(mask.argmax()), mask.shape))
