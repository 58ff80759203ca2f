"""Picture: one call of `tf.gradients` as boxes and edges, plain data that any drawing is made of.

It says what is to be drawn and not where: `drawing.py` gives each box its place for SVG, and
Mermaid places boxes by itself. A variable and the operations that read it are one box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.blame import finding
from gradparity.blame.finding import Blame
from gradparity.blame.graph import Op
from gradparity.explain.story import Call, Fate, Gradient, Step, Story
from gradparity.explain.telling import gradient_text

if TYPE_CHECKING:
    import numpy as np

Json: TypeAlias = dict[str, Any]

BOXES = 40  # more are no picture any more
ELEMENTS = 4  # of a tensor whose values a label holds; of a larger one the shape
NAME = 22  # characters of a box's label
TITLE = 140  # characters of what is said in full

SOURCES = frozenset({"VariableV2", "VarHandleOp"})
READS = frozenset({"Identity", "ReadVariableOp"})
ENDS = {
    Fate.STOPPED: "stopped",
    Fate.NOT_DIFFERENTIABLE: "ends",
    Fate.RAISED: "raised",
}
"""Where a gradient that came in goes no further -> the kind of the box."""


@dataclass(frozen=True)
class Box:
    """An operation, or a variable together with what reads it.

    Attributes:
      label: the program's name for it, the operation's own, or a constant's value.
      type: the op type.
      kind: "passed" (a gradient came and went on, or reached its x), "stopped" (it is
        `tf.stop_gradient`, or `stop_gradients` names it), "ends" (it is not differentiable),
        "raised", "unreached" (no gradient came), or "outside" (not between the xs and the ys).
      title: what it is, in full, with the line of the program that made it.
      number: of its step in the order of processing, from 1; 0 when it was not processed.
      role: "x", "y", "xy" or "".
      gradient: of an x what `tf.gradients` gives for it, short: "[2, 4]", "None"; else "".
      seed: of a y what its gradient starts with, short; else "".
      blamed: whether it is the operation that makes the check differ.
    """

    label: str
    type: str
    kind: str
    title: str = ""
    number: int = 0
    role: str = ""
    gradient: str = ""
    seed: str = ""
    blamed: bool = False


@dataclass(frozen=True)
class Edge:
    """A tensor on its way from the box that makes it to one that takes it.

    Attributes:
      source: the box that makes it, by its place in `Picture.boxes`.
      target: the box that takes it.
      kind: what goes back along it: "flow" (a gradient), "dropped" (a gradient, to what is not
        between), "stopped" (none: the target stops it), "none" (none: the target has none for
        it, or got none), or "forward" (none is asked for).
      label: the gradient, short; "" where there is none.
      title: the gradient in full where the label is not.
    """

    source: int
    target: int
    kind: str
    label: str = ""
    title: str = ""


@dataclass(frozen=True)
class Picture:
    """Boxes in the order in which their operations were made, and the edges between them."""

    boxes: Sequence[Box]
    edges: Sequence[Edge]

    def to_json(self) -> Json:
        """As it stands in report.json: what is at its default is left out."""
        return {
            "boxes": [_sparse(box) for box in self.boxes],
            "edges": [_sparse(edge) for edge in self.edges],
        }

    @classmethod
    def from_json(cls, data: Json) -> Picture:
        """What `to_json` made."""
        boxes = [Box(**box) for box in data["boxes"]]
        return cls(boxes, [Edge(**edge) for edge in data["edges"]])


def _sparse(item: Box | Edge) -> Json:
    named = {field.name: (getattr(item, field.name), field.default) for field in fields(item)}
    return {name: value for name, (value, default) in named.items() if value != default}


class NoPicture(ValueError):
    """Says why there is none: nothing is differentiated, or too much."""


def picture(story: Story, blame: Blame | None = None) -> Picture:
    """The last call of `tf.gradients` in a story, those within bodies apart.

    Args:
      story: what numpy_tf was seen to do.
      blame: what makes the check differ; its operation is marked where it can be found.

    Raises:
      NoPicture: there is nothing to draw, or more than `BOXES` boxes.
    """
    calls = [call for call in story.calls if not call.within]
    if not calls:
        raise NoPicture("It does not come to a call of tf.gradients.")
    return _Painter(story, calls[-1]).picture(blame)


class _Painter:
    """Makes the picture of one call."""

    def __init__(self, story: Story, call: Call) -> None:
        self._story = story
        self._call = call
        self._graph = story.graph
        self._numbers = {step.op.name: n for n, step in enumerate(call.steps, 1)}

    def picture(self, blame: Blame | None) -> Picture:
        groups = self._groups()
        if not groups:
            raise NoPicture("No operation lies between the xs and the ys.")
        if len(groups) > BOXES:
            raise NoPicture(f"It is too large for a picture: {len(groups):,} operations.")
        blamed = _blamed(blame, [op for ops in groups for op in ops])
        boxes = [self._box(ops, blamed) for ops in groups]
        return Picture(boxes, self._edges(groups))

    def _groups(self) -> list[list[Op]]:
        """The operations between and what they take from outside, each variable with its reads."""
        call, producers = self._call, self._graph.producers
        drawn = [op for op in self._graph.ops if op.name in call.between]
        names = {op.name for op in drawn}
        asked = [(None, tensor) for tensor in (*call.ys, *call.xs)]
        for taker, tensor in [*((op, t) for op in drawn for t in op.inputs), *asked]:
            op = producers.get(tensor)
            # A loop may have got more inputs since the call; the call did not see those.
            if op is None or op.name not in call.existing:
                continue
            if taker is None or not taker.region or op.type != "Const":  # it counts iterations
                names.add(op.name)
        groups: dict[str, list[Op]] = {}
        for op in self._graph.ops:
            if op.name not in names:
                continue
            maker = producers.get(op.inputs[0]) if op.type in READS and op.inputs else None
            if maker is not None and maker.type in SOURCES:
                groups.setdefault(maker.name, [maker])
                groups[maker.name].append(op)
            else:
                groups.setdefault(op.name, [op])
        return list(groups.values())

    def _box(self, ops: Sequence[Op], blamed: Op | None) -> Box:
        call, op = self._call, ops[0]
        steps = [call.step_of[each.name] for each in ops if each.name in call.step_of]
        outputs = [tensor for each in ops for tensor in each.outputs]
        xs = [n for n, x in enumerate(call.xs) if x in outputs]
        seeds = [seed for seed in call.seeds if seed.y in outputs]
        gradients = [
            self._short(call.gradients[n]) if n < len(call.gradients) else "None" for n in xs
        ]
        return Box(
            label=self._label(ops),
            type="Variable" if op.type in SOURCES else op.type,
            kind=_kind(op, steps),
            title=self._title(ops),
            number=max((self._numbers.get(each.name, 0) for each in ops), default=0),
            role="x" * bool(xs) + "y" * bool(seeds),
            gradient=", ".join(dict.fromkeys(gradients)),
            seed=", ".join(dict.fromkeys(self._short(seed.gradient) for seed in seeds)),
            blamed=blamed in ops,
        )

    def _label(self, ops: Sequence[Op]) -> str:
        op = ops[0]
        for tensor in (tensor for each in ops for tensor in each.outputs):
            if tensor in self._graph.named:
                return _cut(self._graph.named[tensor], NAME)
        if op.type == "Const" and op.outputs:
            value = self._story.values.get(next(iter(op.outputs)))
            if value is not None:
                return _cut(short(value), NAME)
        return _cut(op.name, NAME)

    def _title(self, ops: Sequence[Op]) -> str:
        title = finding.title([ops[0]])
        line = next((op.line for op in ops if op.line is not None), None)
        if line is None or line > len(self._story.lines):
            return title
        return _cut(f"{title}: {' '.join(self._story.lines[line - 1].split())}", TITLE)

    def _edges(self, groups: Sequence[Sequence[Op]]) -> list[Edge]:
        place = {op.name: number for number, ops in enumerate(groups) for op in ops}
        found = []
        for target, ops in enumerate(groups):
            for op in ops:
                for index, tensor in enumerate(op.inputs):
                    producer = self._graph.producers.get(tensor)
                    source = None if producer is None else place.get(producer.name)
                    if producer is None or source is None or source == target:
                        continue
                    kind, gradient = self._flow(op, index, producer)
                    label = "" if gradient is None else self._short(gradient)
                    full = "" if gradient is None else gradient_text(gradient, self._story)
                    title = _cut(full, TITLE) if full != label else ""
                    found.append(Edge(source, target, kind, label, title))
        return found

    def _flow(self, op: Op, index: int, producer: Op) -> tuple[str, Gradient | None]:
        step, between = self._call.step_of.get(op.name), self._call.between
        gradient = None
        if step is not None and index < len(step.passed):
            gradient = step.passed[index].gradient
        if gradient is not None:
            return ("flow" if producer.name in between else "dropped"), gradient
        if producer.name not in between or op.name not in between:
            return "forward", None
        if step is not None and step.fate in ENDS and _came(step):
            return "stopped", None
        return "none", None

    def _short(self, gradient: Gradient | None) -> str:
        if gradient is None:
            return "None"
        value = self._story.values.get(gradient.values)
        if value is None:
            return "a gradient"
        if gradient.indices is None:
            return short(value)
        rows = self._story.values.get(gradient.indices)
        return "IndexedSlices" if rows is None else f"rows {short(rows)}: {short(value)}"


def short(value: np.ndarray[Any, Any]) -> str:
    """A value for a label: up to four elements with five digits each, else dtype and shape."""
    if value.size > ELEMENTS or value.ndim > 2 or value.size == 0:
        return f"{value.dtype.name} {list(value.shape)}"
    return str(_digits(value.tolist())).replace("'", "")


def _digits(value: Any) -> Any:
    if isinstance(value, list):
        return [_digits(each) for each in value]
    return f"{value:.5g}" if isinstance(value, (float, complex)) else str(value)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _came(step: Step) -> bool:
    return any(arrival.total is not None for arrival in step.arrivals)


def _kind(op: Op, steps: Sequence[Step]) -> str:
    if not steps:
        return "outside"
    ends = [step for step in steps if step.fate in ENDS]
    if ends:
        return "stopped" if op.type == "StopGradient" else ENDS[ends[0].fate]
    return "passed" if any(_came(step) for step in steps) else "unreached"


def _blamed(blame: Blame | None, ops: Sequence[Op]) -> Op | None:
    """The operation that a blame means, which names it as TensorFlow's graph does.

    The implementation that was observed may number its operations otherwise: one of another
    type is not the same, and the only one of the type on the blamed line is.
    """
    if blame is None or blame.op is None:
        return None
    by_name = {op.name: op for op in ops} | {op.region: op for op in ops if op.region}
    of_type = [op for op in ops if op.type == blame.type]
    named = by_name.get(blame.op)
    if named is not None and (named.region or named in of_type or blame.fault.value == "sum"):
        return named
    if blame.gradient_of in by_name:
        return by_name[blame.gradient_of]
    return of_type[0] if len(of_type) == 1 else named
