"""Story: what happened in the calls of `tf.gradients` of one check, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gradparity.blame.graph import Graph, Op

if TYPE_CHECKING:
    import numpy as np


class Fate(str, Enum):
    """What became of an operation when it was processed."""

    DIFFERENTIATED = "differentiated"
    STOPPED = "stopped"  # `stop_gradients` names it
    AT_AN_X = "at an x"  # it is an x's, and no other x lies before it
    NO_GRADIENT = "no gradient"  # nothing reached it
    NOT_DIFFERENTIABLE = "not differentiable"
    RAISED = "raised"  # its gradient function did, or there is none


@dataclass(frozen=True)
class Gradient:
    """A gradient, by the names of the tensors that it consists of.

    Attributes:
      values: the tensor, or the rows of IndexedSlices.
      indices: of IndexedSlices; else None.
      dense_shape: of IndexedSlices that know it; else None.
      made_by: the op type that computes it.
    """

    values: str
    indices: str | None = None
    dense_shape: str | None = None
    made_by: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the tensors."""
        return tuple(part for part in (self.values, self.indices, self.dense_shape) if part)


@dataclass(frozen=True)
class Contribution:
    """What one operation passed to a tensor; `source` is None for what a y starts with."""

    gradient: Gradient
    source: Op | None


@dataclass(frozen=True)
class Arrival:
    """What reached one output of an operation.

    Attributes:
      tensor: the output.
      contributions: one for each time that the tensor was taken, in the order of their coming.
      total: their sum; zeros when there are none but another output was reached; or None.
    """

    tensor: str
    contributions: Sequence[Contribution]
    total: Gradient | None


@dataclass(frozen=True)
class Passed:
    """What an operation passed to one of its inputs; `gradient` is None for nothing."""

    tensor: str
    gradient: Gradient | None


@dataclass
class Step:
    """One operation, processed.

    Attributes:
      op: the operation.
      arrivals: for each of its outputs.
      fate: what became of it.
      passed: for each input what it was given; nothing unless it was differentiated.
      built: the types of the ops that its gradient function made, in order.
      has_own_rule: whether the program gives it a gradient function of its own.
      inside: the calls of `tf.gradients` that differentiated its bodies.
    """

    op: Op
    arrivals: Sequence[Arrival]
    fate: Fate
    passed: Sequence[Passed] = ()
    built: Sequence[str] = ()
    has_own_rule: bool = False
    inside: list[Call] = field(default_factory=list)


@dataclass(frozen=True)
class Seed:
    """What a y starts with: its weight, or ones when none is `given`."""

    y: str
    gradient: Gradient
    given: bool


@dataclass
class Call:
    """One call of `tf.gradients`.

    Attributes:
      ys: names of tensors.
      xs: names of tensors.
      seeds: for each y.
      line: of the program, or None.
      within: whether it is made in the body of a loop, a branch or a function.
      existing: the operations that the graph had when it began.
      reached: those that the xs lead to, through trainable tensors.
      between: those of them that lead to the ys.
      stops: those that `stop_gradients` names.
      steps: the operations in the order in which they were processed.
      gradients: for each x; empty when it raised.
    """

    ys: Sequence[str]
    xs: Sequence[str]
    seeds: Sequence[Seed]
    line: int | None = None
    within: bool = False
    existing: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()
    between: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()
    steps: list[Step] = field(default_factory=list)
    gradients: Sequence[Gradient | None] = ()

    @cached_property
    def step_of(self) -> Mapping[str, Step]:
        """Name of an operation -> its step."""
        return {step.op.name: step for step in self.steps}


@dataclass(frozen=True)
class Story:
    """One check, run by numpy_tf and observed.

    Attributes:
      lines: of the program, both stages; the gradient call's come last.
      graph: its operations.
      calls: of `tf.gradients`, in order, but for those within others.
      results: for each x of the check.
      values: tensor -> its value; tensors of bodies have none.
      error: what the program raised, "LookupError: …", or "".
      error_line: the line of the program at which it did, or None.
    """

    lines: Sequence[str]
    graph: Graph
    calls: Sequence[Call]
    results: Sequence[Gradient | None]
    values: Mapping[str, np.ndarray[Any, Any]]
    error: str = ""
    error_line: int | None = None
