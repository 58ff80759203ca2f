"""Case and Check: what a case file says, fully expanded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradparity.outcome import Stage
from gradparity.program import Program


@dataclass(frozen=True)
class Position:
    """A place in a file; `line` and `column` count from 1, as editors do."""

    path: Path
    line: int
    column: int


@dataclass(frozen=True)
class ExpectedError:
    """`raises`: the error that both sides must raise.

    Attributes:
      type: the exception's class name.
      stage: where it must arise, or None for anywhere.
      match: a regular expression to be found in the message, or None.
    """

    type: str
    stage: Stage | None = None
    match: str | None = None


@dataclass(frozen=True)
class Tolerance:
    """`tolerance`: replaces the defaults that it names, for a stated reason."""

    why: str
    rtol: float | None = None
    atol: float | None = None
    ulp: int | None = None


@dataclass(frozen=True)
class Truth:
    """`truth`: TensorFlow's answer is not the derivative.

    Attributes:
      kind: "defect" or, when it is so on purpose, "convention".
      why: one sentence.
      values: the derivative for each x, nested lists of numbers; None where not given.
      some: whether it is so in some of the query's checks only.
    """

    kind: str
    why: str
    values: Sequence[Any] | None = None
    some: bool = False


@dataclass(frozen=True)
class Case:
    """One case file, as far as people look at it.

    Attributes:
      name: its path below the corpus's root, without the ending: "tutorial/weighted_sum".
      path: the file.
      about: the behaviour that it shows, one sentence.
      source: where that behaviour comes from.
      graph: the TensorFlow code, as written.
    """

    name: str
    path: Path
    about: str
    source: str
    graph: str


@dataclass(frozen=True)
class Check:
    """One query × placement × matrix entry × profile: what is asked once of each side.

    Attributes:
      id: stable and readable, "tutorial/weighted_sum::z1,z2~w1,w2[float32]".
      case: the file that it comes from.
      position: where its query stands.
      program: what both sides execute.
      ys: the names (or expressions) of the ys, for messages.
      xs: the names of the xs, for messages.
      stopped: the tensors or edges that `stop_gradient_at` stops in this variant.
      expect: a documented value for each x (None: no gradient), or None when none is
        given; nested lists of numbers, strings or booleans.
      raises: the error that must arise, or None.
      may_raise: the classes of the errors that TensorFlow may answer with, once the graph is
        built; the implementation must then answer with the same.
      tolerance: overrides of the defaults, or None.
      truth: what the case declares of the truth where TensorFlow departs from it, or None.
      intent: "zero", "ones" or "pass_through" when a trivial gradient is meant, else None.
      weights: for each y the source of its weight in `grad_ys`, as NumPy makes it from literals:
        "" for ones, None for an expression over the graph. None in place of all of them when
        weights have no say in the last call, as with `order: 2` and hessians.
      build_offset: how many lines of `program.build` precede the case's own graph code.
      build_lines: for each line of `program.build`, the line of the case file that it comes from.
    """

    id: str
    case: Case
    position: Position
    program: Program
    ys: Sequence[str]
    xs: Sequence[str]
    stopped: Sequence[str] = ()
    expect: Sequence[Any] | None = None
    raises: ExpectedError | None = None
    may_raise: Sequence[str] = ()
    tolerance: Tolerance | None = None
    intent: str | None = None
    truth: Truth | None = None
    weights: Sequence[str | None] | None = None
    build_offset: int = 0
    build_lines: Sequence[int] = ()

    def line_in_file(self, stage: Stage, line: int | None) -> int:
        """The line of the case file that a line of a stage's source comes from.

        The query's own line stands for the gradient call, and for what is not known.
        """
        if stage == "build" and line is not None and 0 < line <= len(self.build_lines):
            return self.build_lines[line - 1]
        return self.position.line
