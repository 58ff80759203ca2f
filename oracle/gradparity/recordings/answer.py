"""Answer: what one side did with one program, as data whose parts are text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field
from typing import Any, TypeAlias

from gradparity.judge.equivalence import EQUIVALENCES
from gradparity.outcome import DenseResult, Failure, Outcome, Result, SparseResult, makers
from gradparity.program import Program
from gradparity.recordings.tensor_text import from_text, to_text

Json: TypeAlias = dict[str, Any]

KEY_DIGITS = 16


def program_key(program: Program) -> str:
    """The content of a program as 16 hexadecimal digits: equal for equal programs alone."""
    content = json.dumps([program.profile, program.build, program.gradients])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_DIGITS]


@dataclass(frozen=True)
class Answer:
    """An outcome without its timings; two of them are equal when each bit is.

    Attributes:
      results: "ys" and "gradients" (each a list of tensors as text; None where there is no
        gradient, a table of parts for IndexedSlices) and, where a y is not unique, "made_by";
        or "error", or in place of these "crashed" (how the process ended) or "timed out"
        (after how many seconds).
      op_types: see `Outcome`.
      gradient_calls: see `Outcome`.
    """

    results: Json
    op_types: tuple[str, ...] = field(default=())
    gradient_calls: Mapping[str, str] = field(default_factory=dict)


def from_outcome(outcome: Outcome) -> Answer:
    """The answer that an outcome is."""
    if outcome.error is not None:
        results: Json = {"error": asdict(outcome.error)}
    else:
        results = {
            "ys": [_to_text(y) for y in outcome.ys],
            "gradients": [_to_text(gradient) for gradient in outcome.gradients],
        }
        makers = [each if each and each.type in EQUIVALENCES else None for each in outcome.made_by]
        if any(makers):  # the judge asks for no others
            results["made_by"] = [None if each is None else list(astuple(each)) for each in makers]
    return Answer(results, tuple(outcome.op_types), dict(outcome.gradient_calls))


def to_outcome(answer: Answer) -> Outcome:
    """The inverse of `from_outcome`, of an answer that is neither "crashed" nor "timed out".

    Raises:
      TensorTextError: a tensor cannot be read.
      KeyError, TypeError: the answer has not the parts that `Answer` names.
    """
    results = answer.results
    error = results.get("error")
    return Outcome(
        ys=() if error else tuple(_from_text(y) for y in results["ys"]),
        gradients=() if error else tuple(_from_text(item) for item in results["gradients"]),
        error=Failure(**error) if error else None,
        op_types=answer.op_types,
        gradient_calls=answer.gradient_calls,
        made_by=makers(results.get("made_by", ())),
    )


def _to_text(result: Result) -> str | Json | None:
    if result is None:
        return None
    if isinstance(result, DenseResult):
        return to_text(result)
    shape = result.dense_shape
    return {
        "values": to_text(result.values),
        "indices": to_text(result.indices),
        "dense_shape": None if shape is None else to_text(shape),
    }


def _from_text(item: str | Json | None) -> Result:
    if item is None:
        return None
    if isinstance(item, str):
        return from_text(item)
    shape = item["dense_shape"]
    return SparseResult(
        values=from_text(item["values"]),
        indices=from_text(item["indices"]),
        dense_shape=None if shape is None else from_text(shape),
    )
