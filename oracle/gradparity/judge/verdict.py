"""Verdict: one word and a reason for one check, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Word(str, Enum):
    """What a check came to. Only AGREE and KNOWN pass."""

    AGREE = "agree"
    DIFFER = "differ"
    KNOWN = "known"  # differs, in just the way that the ledger says
    HEALED = "healed"  # the ledger says it differs, and it no longer does
    UNSUPPORTED = "unsupported"  # the implementation lacks an op
    ORACLE_CHANGED = "oracle-changed"  # TensorFlow no longer gives the documented `expect`
    VACUOUS = "vacuous"  # could not have failed
    INVALID = "invalid"  # the case itself is wrong
    CRASHED = "crashed"
    TIMED_OUT = "timed-out"
    UNCHECKED = "unchecked"  # the oracle could not be asked

    @property
    def passes(self) -> bool:
        """Whether a run may be green with it."""
        return self in (Word.AGREE, Word.KNOWN)


class Kind(str, Enum):
    """In what two answers differ, from the coarsest to the finest."""

    ERROR = "error"  # one raised and the other did not, or they raised differently
    NONE = "none"  # one has no gradient where the other has one
    SPARSITY = "sparsity"  # IndexedSlices against a dense tensor
    DTYPE = "dtype"
    SHAPE = "shape"
    VALUE = "value"


class Rule(str, Enum):
    """By which rule two tensors were found equal, from the strictest to the loosest."""

    BITS = "bits"
    ULP = "ulp"
    SCALE = "scale"
    MEANING = "meaning"  # not unique, and equal in what it means


@dataclass(frozen=True)
class Comparison:
    """Two tensors of one kind, dtype and shape, compared value by value.

    Attributes:
      where: which tensor, as people say it: "gradient 1 (w2)" or "y 0, values".
      rule: the strictest rule that found them equal, or None when none did.
      max_ulp: the largest distance in units in the last place; None when it has no meaning
        (integers, strings, or a NaN or infinity on one side alone).
    """

    where: str
    rule: Rule | None
    max_ulp: int | None


@dataclass(frozen=True)
class Difference:
    """One thing in which the two sides differ.

    Attributes:
      where: which tensor, as in `Comparison`.
      kind: in what.
      oracle: the oracle's side of it, short, for people: "3.0", "None", "float32".
      implementation: the implementation's.
      index: the first element that differs, for values.
      count: how many elements differ, and `total` of how many, for values.
      detail: what else there is to say, such as "2 ulp; worst 5 ulp at [3]".
    """

    where: str
    kind: Kind
    oracle: str
    implementation: str
    index: tuple[int, ...] | None = None
    count: int | None = None
    total: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Verdict:
    """Attributes:
    word: the verdict.
    reason: one sentence for people.
    kind: in what the sides differ, when they do: the first of `differences`.
    differences: every difference found, the coarsest kind first; gradients before ys.
    comparisons: how each tensor that could be compared by value compared.
    """

    word: Word
    reason: str
    kind: Kind | None = None
    differences: Sequence[Difference] = ()
    comparisons: Sequence[Comparison] = ()

    @property
    def bit_equal(self) -> bool:
        """Whether the check agrees and each tensor does so bit for bit."""
        return self.word is Word.AGREE and all(c.rule is Rule.BITS for c in self.comparisons)

    @property
    def max_ulp(self) -> int | None:
        """The largest distance in ulps over all tensors; None when nothing was measured."""
        return max((c.max_ulp for c in self.comparisons if c.max_ulp is not None), default=None)
