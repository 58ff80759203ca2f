"""Drawing: one call of `tf.gradients` as boxes and arrows with places, for a picture to be made of.

The xs are above, the ys below: values flow down, gradients flow up. A box is an operation, its
layer the longest way to it; within a layer boxes stand near what they take.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gradparity.blame import finding
from gradparity.blame.graph import Op
from gradparity.explain.story import Call, Story
from gradparity.explain.telling import ENDS, gradient_text

BOXES = 40  # more are no picture any more
WIDTH, HEIGHT = 168, 44
SPACE, LAYER_SPACE, MARGIN = 28, 76, 16
GAP_WIDTH = 12  # what an arrow takes that passes a layer by
LABEL = 18  # characters at an arrow or in a box
LABEL_AT, LABEL_HEIGHT = 10, 15  # above the box that an arrow begins at

Point: TypeAlias = tuple[float, float]


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
    places, ways = _places(ops, story)
    numbers = {step.op.name: number for number, step in enumerate(call.steps, 1)}
    boxes = [_box(op, call, story, numbers, places[op.name]) for op in ops]
    width = max(x for x, _ in places.values()) + WIDTH + MARGIN
    height = max(y for _, y in places.values()) + HEIGHT + MARGIN
    return Drawing(boxes, _arrows(ops, call, story, places, ways), width, height)


def _drawn(call: Call, story: Story) -> list[Op]:
    """The operations between, and what they take from outside."""
    producers = story.graph.producers
    taken = {
        producers[tensor].name
        for op in story.graph.ops
        if op.name in call.between
        for tensor in op.inputs
    }
    taken &= call.existing  # a loop may have got more inputs meanwhile
    return [op for op in story.graph.ops if op.name in call.between or op.name in taken]


def _places(
    ops: Sequence[Op], story: Story
) -> tuple[dict[str, Point], dict[tuple[str, int], list[Point]]]:
    """Where boxes stand, and by which points arrows go that pass layers by.

    Returns:
      Operation -> its upper left corner; operation and number of an input -> the upper ends of
      the gaps between boxes that the arrow goes through, from below.
    """
    producers, names = story.graph.producers, {op.name for op in ops}
    before = {
        op.name: {
            index: producers[tensor].name
            for index, tensor in enumerate(op.inputs)
            if producers[tensor].name in names
        }
        for op in ops
    }
    layers = _layers(ops, {name: [*taken.values()] for name, taken in before.items()})
    rows: list[list[str]] = [[] for _ in range(max(layers.values()) + 1)]
    above: dict[str, list[str]] = {}  # what stands above a box or gap that it is joined to
    gaps: dict[tuple[str, int], list[str]] = {}
    for op in ops:
        rows[layers[op.name]].append(op.name)
        above[op.name] = []
        for index, producer in before[op.name].items():
            last, chain = producer, gaps.setdefault((op.name, index), [])
            for layer in range(layers[producer] + 1, layers[op.name]):
                gap = f"{op.name}:{index} in {layer}"
                rows[layer].append(gap)
                above[gap] = [last]
                chain.insert(0, gap)
                last = gap
            above[op.name].append(last)
    corners = _columns(rows, above, names)
    return (
        {name: corners[name] for name in names},
        {edge: [corners[gap] for gap in chain] for edge, chain in gaps.items()},
    )


def _layers(ops: Sequence[Op], before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Operation -> how far down it stands: the longest way to it."""
    layers: dict[str, int] = {}
    for op in ops:  # each comes after its inputs
        layers[op.name] = 1 + max((layers[name] for name in before[op.name]), default=-1)
    for op in reversed(ops):  # what takes nothing stands right above the first that takes it
        takers = [layers[other.name] for other in ops if op.name in before[other.name]]
        if not before[op.name] and takers:
            layers[op.name] = min(takers) - 1
    return layers


def _columns(
    rows: Sequence[list[str]], above: Mapping[str, Sequence[str]], boxes: Collection[str]
) -> dict[str, Point]:
    """Each row in the order of what stands above it, around one middle."""
    widths = {name: WIDTH if name in boxes else GAP_WIDTH for row in rows for name in row}
    lengths = [sum(widths[name] + SPACE for name in row) - SPACE for row in rows]
    corners: dict[str, Point] = {}
    middles: dict[str, float] = {}
    for layer, row in enumerate(rows):
        wished = {name: _mean([middles[each] for each in above[name]]) for name in row}
        row.sort(key=lambda name: (wished[name] is None, wished[name] or 0.0))
        x = MARGIN + (max(lengths) - lengths[layer]) / 2
        for name in row:
            corners[name] = (x, MARGIN + layer * (HEIGHT + LAYER_SPACE))
            middles[name] = x + widths[name] / 2
            x += widths[name] + SPACE
    return corners


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _box(
    op: Op,
    call: Call,
    story: Story,
    numbers: Mapping[str, int],
    place: Point,
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
    ops: Sequence[Op],
    call: Call,
    story: Story,
    places: Mapping[str, Point],
    ways: Mapping[tuple[str, int], Sequence[Point]],
) -> list[Arrow]:
    found = []
    for op in ops:
        step = call.step_of.get(op.name)
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
            start = (x + WIDTH * (index + 1) / (len(op.inputs) + 1), y)
            path = _path(start, ways[op.name, index], (left + WIDTH / 2, top + HEIGHT))
            label = _short(text) if kind == "flow" else ""
            below = LABEL_AT + LABEL_HEIGHT * (index % 3)
            found.append(Arrow(kind, label, path, start[0] + 5, y - below, text))
    return found


def _path(start: Point, gaps: Sequence[Point], end: Point) -> str:
    """An SVG path up from a box, through gaps between others, to another box."""
    x, y = start
    path = f"M{x:g},{y:g}"
    for left, top in gaps:
        middle = left + GAP_WIDTH / 2
        path += f"{_bend(x, y, middle, top + HEIGHT)} L{middle:g},{top:g}"
        x, y = middle, top
    return path + _bend(x, y, *end)


def _bend(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (y + to_y) / 2
    return f" C{x:g},{middle:g} {to_x:g},{middle:g} {to_x:g},{to_y:g}"


def _short(text: str) -> str:
    return text if len(text) <= LABEL else text[: LABEL - 1] + "…"
