"""Drawing: one call of `tf.gradients` as boxes and arrows with places, for a picture to be made of.

The xs are above, the ys below: values flow down, gradients flow up. A box is an operation, its
layer the longest way to it; within a layer boxes stand near what they take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gradparity.blame import finding
from gradparity.blame.graph import Op
from gradparity.explain.story import Call, Story
from gradparity.explain.telling import ENDS, gradient_text

BOXES = 40  # more are no picture any more
WIDTH, HEIGHT = 168, 44
GAP, LAYER_GAP, MARGIN = 36, 66, 16
LABEL = 18  # characters at an arrow or in a box


@dataclass(frozen=True)
class Box:
    """An operation; `x` and `y` are those of its upper left corner.

    Attributes:
      number: of its step, or "".
      kind: "end" (a gradient ends there), "outside" (not between), "unreached" (no gradient came
        to it), or "passed".
      role: "x", "y" or "".
      title: what it is, in full.
    """

    label: str
    type: str
    number: str
    kind: str
    role: str
    title: str
    x: float
    y: float


@dataclass(frozen=True)
class Arrow:
    """From an operation's upper side, down from what it takes.

    Attributes:
      kind: "flow" (a gradient goes up), "dropped" (it does, to what is not between) or "none".
      label: the gradient, short, or "".
      path: the `d` of an SVG path that goes up, as the gradient does.
      x, y: where the label stands.
      title: the gradient in full.
    """

    kind: str
    label: str
    path: str
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Drawing:
    """A picture of `width` by `height`, in pixels."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    width: float
    height: float


def drawing(call: Call, story: Story) -> Drawing | None:
    """The picture of a call; None when there is nothing to draw, or too much."""
    ops = _drawn(call, story)
    if not 0 < len(ops) <= BOXES:
        return None
    places = _places(ops, story)
    numbers = {step.op.name: number for number, step in enumerate(call.steps, 1)}
    boxes = [_box(op, call, story, numbers, places[op.name]) for op in ops]
    width = max(x for x, _ in places.values()) + WIDTH + MARGIN
    height = max(y for _, y in places.values()) + HEIGHT + MARGIN
    return Drawing(boxes, _arrows(ops, call, story, places), width, height)


def _drawn(call: Call, story: Story) -> list[Op]:
    """The operations between, and what they take from outside."""
    producers = story.graph.producers
    taken = {
        producers[tensor].name
        for op in story.graph.ops
        if op.name in call.between
        for tensor in op.inputs
    }
    return [op for op in story.graph.ops if op.name in call.between or op.name in taken]


def _places(ops: Sequence[Op], story: Story) -> dict[str, tuple[float, float]]:
    """Operation -> its upper left corner."""
    names = {op.name for op in ops}
    before = {
        op.name: [
            story.graph.producers[t].name
            for t in op.inputs
            if story.graph.producers[t].name in names
        ]
        for op in ops
    }
    layers: dict[str, int] = {}
    for op in ops:  # each comes after its inputs
        layers[op.name] = 1 + max((layers[name] for name in before[op.name]), default=-1)
    for op in reversed(ops):  # what takes nothing stands right above the first that takes it
        takers = [layers[other.name] for other in ops if op.name in before[other.name]]
        if not before[op.name] and takers:
            layers[op.name] = min(takers) - 1
    rows: list[list[str]] = [[] for _ in range(max(layers.values()) + 1)]
    for op in ops:
        rows[layers[op.name]].append(op.name)
    centre = max(len(row) for row in rows) * (WIDTH + GAP) / 2
    columns: dict[str, float] = {}
    for row in rows:
        wished = {name: _mean([columns[b] for b in before[name] if b in columns]) for name in row}
        row.sort(key=lambda name: (wished[name] is None, wished[name] or 0.0))
        left = centre - len(row) * (WIDTH + GAP) / 2
        for place, name in enumerate(row):
            columns[name] = left + place * (WIDTH + GAP)
    return {
        name: (MARGIN + columns[name], MARGIN + layers[name] * (HEIGHT + LAYER_GAP))
        for name in columns
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _box(
    op: Op,
    call: Call,
    story: Story,
    numbers: Mapping[str, int],
    place: tuple[float, float],
) -> Box:
    step = call.step_of.get(op.name)
    if step is None:
        kind = "outside"
    elif step.fate in ENDS:
        kind = "end"
    elif all(arrival.total is None for arrival in step.arrivals):
        kind = "unreached"
    else:
        kind = "passed"
    output = next(iter(op.outputs))
    role = "x" if set(op.outputs) & set(call.xs) else "y" if set(op.outputs) & set(call.ys) else ""
    return Box(
        label=_short(story.graph.named.get(output, op.name)),
        type=op.type,
        number=f"{numbers[op.name]}." if op.name in numbers else "",
        kind=kind,
        role=role,
        title=finding.title([op]),
        x=place[0],
        y=place[1],
    )


def _arrows(
    ops: Sequence[Op], call: Call, story: Story, places: Mapping[str, tuple[float, float]]
) -> list[Arrow]:
    found = []
    for op in ops:
        step = call.step_of.get(op.name)
        count = len(op.inputs)
        for index, tensor in enumerate(op.inputs):
            producer = story.graph.producers[tensor].name
            if producer not in places:
                continue
            passed = step.passed[index] if step is not None and step.passed else None
            gradient = None if passed is None else passed.gradient
            kind, text = "none", ""
            if gradient is not None:
                kind = "flow" if producer in call.between else "dropped"
                text = gradient_text(gradient, story)
            (x, y), (left, top) = places[op.name], places[producer]
            start = x + WIDTH * (index + 1) / (count + 1)
            end, bottom = left + WIDTH / 2, top + HEIGHT
            middle = (y + bottom) / 2
            found.append(
                Arrow(
                    kind=kind,
                    label=_short(text) if kind == "flow" else "",
                    path=f"M{start:g},{y:g} C{start:g},{middle:g} {end:g},{middle:g} "
                    f"{end:g},{bottom:g}",
                    x=start + (end - start) * 0.2 + 4,
                    y=y - 14 - 13 * (index % 2),
                    title=text,
                )
            )
    return found


def _short(text: str) -> str:
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
