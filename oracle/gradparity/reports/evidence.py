"""Evidence: what is kept of two tensors that were compared, beyond the elements themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.verdict import Rule
from gradparity.outcome import DenseResult, Outcome, Result
from gradparity.reports import wording
from gradparity.reports.elements import worst
from gradparity.reports.heat_map import heat_map

if TYPE_CHECKING:
    import numpy as np

Json: TypeAlias = dict[str, Any]


def add(check: Json, oracle: Outcome | None, implementation: Outcome | None, listed: int) -> None:
    """Adds to a check's comparisons the elements furthest apart, and of large tensors a heat map.

    Args:
      check: as it stands in report.json; its "comparisons" are changed.
      oracle: what it was made from.
      implementation: the same of the other side.
      listed: of tensors with more elements there is a heat map.
    """
    if oracle is None or implementation is None:
        return
    comparisons = {comparison["where"]: comparison for comparison in check["comparisons"]}
    for group, number, label in wording.tensor_labels(check):
        answers = [getattr(side, group) for side in (oracle, implementation)]
        if number >= min(map(len, answers)):
            continue
        one, other = (_arrays(answer[number], label) for answer in answers)
        for where in one.keys() & other.keys() & comparisons.keys():
            a, b = one[where], other[where]
            if a.dtype != b.dtype or a.shape != b.shape:
                continue
            if comparisons[where]["rule"] != Rule.BITS.value and (elements := worst(a, b)):
                comparisons[where]["worst"] = elements
            if a.size > listed and (found := heat_map(a, b)) is not None:
                comparisons[where]["heat_map"] = found


def _arrays(result: Result, label: str) -> dict[str, np.ndarray[Any, Any]]:
    """The dense tensors of a result, by what the judge calls them."""
    if result is None:
        return {}
    if isinstance(result, DenseResult):
        return {label: result.value}
    named = {f"{label}, values": result.values, f"{label}, indices": result.indices}
    return {where: part.value for where, part in named.items()}
