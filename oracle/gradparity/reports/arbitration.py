"""The arbiter's words in reports: as data, and as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.language.check import Truth
from gradparity.results import CheckResult

if TYPE_CHECKING:
    from gradparity.arbiter.opinion import Arbitration

Json: TypeAlias = dict[str, Any]

DEPARTS = "TensorFlow departs from the mathematics"
ORDER = (
    "both agree with the mathematics",
    "implementation wrong",
    DEPARTS,
    "all three differ",
    "kink or ill-conditioned",
    "no opinion",
)


def totals(results: Sequence[CheckResult]) -> Json:
    """How often the arbiter said what; a word that it never said is missing.

    "declared" and "undeclared" divide the checks in which TensorFlow departs by whether their
    case says so.
    """
    words = Counter(r.arbitration.word.value for r in results if r.arbitration is not None)
    departing = [
        r for r in results if r.arbitration is not None and r.arbitration.word.value == DEPARTS
    ]
    declared = sum(r.check.truth is not None for r in departing)
    return {
        "words": {word: words[word] for word in ORDER if words[word]},
        "declared": declared,
        "undeclared": len(departing) - declared,
    }


def word_data(arbitration: Arbitration | None) -> Json | None:
    """The arbiter's word on one check; None when it was not asked."""
    if arbitration is None:
        return None
    return {
        "word": arbitration.word.value,
        "reason": arbitration.reason,
        "gradients": [
            {
                "where": numbers.where,
                "derivative": list(numbers.derivative),
                "exact": numbers.exact,
                "shape": None if numbers.shape is None else list(numbers.shape),
                "oracle": numbers.tensorflow,
                "implementation": numbers.implementation,
                "detail": numbers.detail,
            }
            for numbers in arbitration.numbers
        ],
    }


def truth_data(truth: Truth | None) -> Json | None:
    """What a case declares of the truth."""
    return None if truth is None else {"kind": truth.kind, "why": truth.why}


def word_text(check: Json) -> str:
    """The arbiter's word on a check of a document, in one line; empty when it was not asked."""
    arbiter = check.get("arbiter")
    if arbiter is None:
        return ""
    return f"{arbiter['word']} ({arbiter['reason']})"


def derivative_lines(check: Json) -> list[str]:
    """What each gradient of a check should be, by the arbiter's numbers, a line for each."""
    arbiter = check.get("arbiter") or {"gradients": []}
    return [f"{g['where']}: {', '.join(g['derivative'])}" for g in arbiter["gradients"]]


def truth_text(check: Json) -> str:
    """What a check's case declares of the truth; empty when nothing."""
    truth = check.get("truth")
    return "" if truth is None else f"declared a {truth['kind']}: {truth['why']}"


def total_lines(totals: Json) -> list[str]:
    """What the arbiter said in a run; nothing when it was not asked."""
    arbiter = totals.get("arbiter", {"words": {}})
    words = [f"{count:,} {word}" for word, count in arbiter["words"].items()]
    if not words:
        return []
    lines = ["; ".join(words)]
    if arbiter["words"].get(DEPARTS):
        lines.append(
            f"{arbiter['declared']:,} of the departures are declared in their cases, "
            f"{arbiter['undeclared']:,} are not"
        )
    return lines
