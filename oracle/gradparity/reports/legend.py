"""The legend: how each verdict word is shown, what it means, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from gradparity.judge.verdict import Word


@dataclass(frozen=True)
class Entry:
    """How one verdict word is presented.

    Attributes:
      symbol: one character, so that colour is never the only sign.
      tone: "good", "known", "wrong", "broken" or "open": what it is coloured by.
      meaning: what the word says about a check.
      advice: what to do next; empty when there is nothing to do.
    """

    symbol: str
    tone: str
    meaning: str
    advice: str = ""


LEGEND = {
    Word.AGREE: Entry("✓", "good", "both sides give the same answer"),
    Word.KNOWN: Entry("~", "known", "differs in just the way that the ledger says"),
    Word.DIFFER: Entry(
        "≠",
        "wrong",
        "the two sides give different answers",
        "Run its standalone script with each of the two modules as tf, and follow the gradient.",
    ),
    Word.HEALED: Entry(
        "↺",
        "wrong",
        "the ledger says that it differs, and it no longer does",
        "Remove the entry from the ledger.",
    ),
    Word.ORACLE_CHANGED: Entry(
        "Δ",
        "wrong",
        "TensorFlow does not give the documented value",
        "Correct `expect` in the case, or find out what changed in TensorFlow.",
    ),
    Word.CRASHED: Entry(
        "✗",
        "broken",
        "a worker process died on it, twice",
        "Run the script of the check by itself: the reason names the signal.",
    ),
    Word.TIMED_OUT: Entry(
        "◷",
        "broken",
        "no answer within the time limit",
        "Run the script of the check by itself, or make the case smaller.",
    ),
    Word.UNSUPPORTED: Entry(
        "∅",
        "open",
        "the implementation lacks an op",
        "Add the op that the reason names to the implementation.",
    ),
    Word.VACUOUS: Entry(
        "○",
        "open",
        "it could not have failed",
        "Ask with distinct `grad_ys` for what depends on the graph, or declare `intent:`.",
    ),
    Word.INVALID: Entry(
        "!",
        "open",
        "the case itself is wrong",
        "Correct the case at the place that is named.",
    ),
    Word.UNCHECKED: Entry(
        "?",
        "open",
        "the oracle could not be asked",
        "Install TensorFlow, or record the check where it is installed: gradparity record.",
    ),
}
"""In the order in which verdicts are listed."""

NOTHING_JUDGED = "Nothing was judged, and that is not green: no check was selected."
