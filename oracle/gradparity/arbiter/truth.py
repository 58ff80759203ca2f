"""Holds what cases declare of the truth against the arbiter's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradparity.arbiter.opinion import Opinion
from gradparity.results import CheckResult

DIGITS = 1e-4  # relative; declared values are written for people


def problems(results: Sequence[CheckResult]) -> list[str]:
    """What cases declare and the arbiter denies, one line each.

    A declaration for `some` of a query's checks needs one in which TensorFlow departs; any
    other needs it in each.

    Args:
      results: checks on which the arbiter was asked.
    """
    found = []
    for declared in _groups(results):
        first = declared[0]
        truth = first.check.truth
        assert truth is not None
        denied = [r for r in declared if not _departs(r)]
        if truth.some and len(denied) < len(declared):
            denied = []
        for result in denied[:1] if truth.some else denied:
            assert result.arbitration is not None
            # A convention need not show at every point; what is declared wrong must be.
            if truth.kind == "convention" and result.arbitration.word is not Opinion.BOTH:
                continue
            word, reason = result.arbitration.word.value, result.arbitration.reason
            found.append(
                f"{result.check.id}: a {truth.kind} of TensorFlow is declared, "
                f"and the arbiter says: {word} ({reason})"
            )
        for result in declared:
            found += _other_values(result)
    return found


def _groups(results: Sequence[CheckResult]) -> list[list[CheckResult]]:
    """The checks with a declaration, those of one query together."""
    groups: dict[Any, list[CheckResult]] = {}
    for result in results:
        check = result.check
        if check.truth is not None and result.arbitration is not None:
            key = (check.case.path, check.truth.why, check.truth.some and check.position)
            groups.setdefault(key, []).append(result)
    return list(groups.values())


def _departs(result: CheckResult) -> bool:
    assert result.arbitration is not None
    return result.arbitration.word in (Opinion.TENSORFLOW, Opinion.ALL_DIFFER)


def _other_values(result: CheckResult) -> list[str]:
    truth = result.check.truth
    assert truth is not None
    assert result.arbitration is not None
    if truth.values is None:
        return []
    lines = []
    for numbers in result.arbitration.numbers:
        if numbers.shape is None or numbers.position >= len(truth.values):
            continue
        declared = np.array(truth.values[numbers.position], complex).ravel()
        found = np.array([_number(text) for text in numbers.derivative])
        scale = np.nanmax(np.abs(declared), initial=0.0)
        off = np.abs(declared[: len(found)] - found) > DIGITS * max(scale, 1e-300)
        if declared.size != np.prod(numbers.shape) or off.any():
            lines.append(
                f"{result.check.id}: {numbers.where} is declared to be "
                f"{truth.values[numbers.position]}, and the arbiter finds "
                f"{', '.join(numbers.derivative)}"
            )
    return lines


def _number(text: str) -> complex:
    return complex("nan") if text == "?" else complex(text)
