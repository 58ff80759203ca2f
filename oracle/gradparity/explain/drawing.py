"""Drawing: a picture with places, in pixels, for SVG to be made of.

The xs are above, the ys below: values flow down along thin lines, gradients flow up beside them.
graphlay lays the boxes out and leads the edges around them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any, TypeAlias

from gradparity.explain.picture import Box, Edge, Picture

LAYOUT = {
    "direction": "topbottom",
    "routing": {"style": "diagonal", "port_sides": "facing_only"},
    "coords": {"placement": "brandes_koepf"},
    "spacing": {"layer_gap": 62.0, "node_gap": 34.0, "dummy_gap": 26.0, "bundle_lane_gap": 20.0},
}
"""Options of `graphlay.layout`: of all that were tried on the corpus, the fewest crossings, and no
edge that runs through a box or a label."""

HEIGHT, STRIP = 44, 20  # of a box; of what is said above an x and below a y
NARROWEST, PADDING, CHARACTER = 92.0, 26.0, 7.4  # of a box's width
SMALL = 6.7  # pixels of a character in small type
LABEL_HEIGHT = 16.0
MARGIN = 10.0
APART = 3.5  # from the middle of an edge to the line of the values, and to the gradient's
ROUND = 22.0  # how far from a corner an edge begins to bend
HEAD = 7.0  # length of an arrow's head
STEEPEST = 2.5  # how many times as far apart the ends of flat lines are
GOT, SEEDED = "gets ", "starts with "  # what is said above an x, and below a y
BACK = frozenset({"flow", "dropped", "stopped", "none"})
"""Kinds of edges that have a line for the gradient."""

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class PlacedBox:
    """A box from its upper left corner: the gradient of an x, the box itself, the seed of a y."""

    box: Box
    x: int
    y: int
    width: int
    above: int
    below: int

    @property
    def height(self) -> int:
        """With what is said above and below."""
        return self.above + HEIGHT + self.below


@dataclass(frozen=True)
class PlacedEdge:
    """An edge.

    Attributes:
      edge: what it stands for.
      values: the `d` of an SVG path, downwards.
      values_head: the same of its arrow's head.
      gradient: of the line beside it, upwards; "" where nothing is asked for.
      gradient_head: of its head; of the bar that stops it; or "".
      label_at: where the middle of the label stands, if it has one.
    """

    edge: Edge
    values: str
    values_head: str
    gradient: str
    gradient_head: str
    label_at: Point


@dataclass(frozen=True)
class Drawing:
    """A picture of `width` by `height`."""

    boxes: Sequence[PlacedBox]
    edges: Sequence[PlacedEdge]
    width: int
    height: int


def drawing(picture: Picture) -> Drawing:
    """Where everything in a picture stands."""
    import graphlay

    graph = graphlay.Graph()
    sizes = [_size(box) for box in picture.boxes]
    for number, (width, above, below) in enumerate(sizes):
        graph.node(number, width=width, height=above + HEIGHT + below)
    for edge in picture.edges:
        label = label_of(edge)
        room = {"width": label_width(label) + 6, "height": LABEL_HEIGHT}
        fields: dict[str, Any] = {"label_size": room} if label else {}
        graph.edge(edge.source, edge.target, **fields)
    layout = graphlay.layout(graph, preset="process_map", options=LAYOUT)
    corner, far = layout.bounds["min"], layout.bounds["max"]
    left, top = corner["x"] - MARGIN, corner["y"] - MARGIN
    boxes = [
        PlacedBox(
            box,
            round(node["center"]["x"] - width / 2 - left),
            round(node["center"]["y"] - (above + HEIGHT + below) / 2 - top),
            *(width, above, below),
        )
        for box, (width, above, below), node in zip(picture.boxes, sizes, layout.nodes, strict=True)
    ]
    edges = [
        _edge(
            edge,
            [(point["x"] - left, point["y"] - top) for point in way["points"]],
            _label_at(way["label_anchor"], left, top),
        )
        for edge, way in zip(picture.edges, layout.edges, strict=True)
    ]
    return Drawing(boxes, edges, round(far["x"] - left + MARGIN), round(far["y"] - top + MARGIN))


def label_of(edge: Edge) -> str:
    """What stands at an edge."""
    return {"flow": edge.label, "none": "None", "stopped": "stopped"}.get(edge.kind, "")


def label_width(label: str) -> int:
    """How wide a label at an edge is, in pixels."""
    return 2 * round(len(label) * SMALL / 2 + 4)


def _size(box: Box) -> tuple[int, int, int]:
    """A box's width, and the heights of what is said above and below."""
    strips = [said + text for said, text in ((GOT, box.gradient), (SEEDED, box.seed)) if text]
    small = max(map(len, (box.type, *strips)))
    width = max(NARROWEST, PADDING + max(len(box.label) * CHARACTER + 10, small * SMALL))
    return 2 * round(width / 2), STRIP * bool(box.gradient), STRIP * bool(box.seed)


def _label_at(anchor: Mapping[str, float] | None, left: float, top: float) -> Point:
    return (0.0, 0.0) if anchor is None else (anchor["x"] - left, anchor["y"] - top)


def _edge(edge: Edge, points: Sequence[Point], label_at: Point) -> PlacedEdge:
    x, y = map(round, label_at)
    if edge.kind not in BACK:
        values = _path(points[:-1], _before(points[-2], points[-1], HEAD - 1))
        return PlacedEdge(edge, values, _head(points), "", "", (x, y))
    down = _shifted(points, -APART)
    up = _shifted(points, APART)[::-1]
    if edge.kind == "stopped":
        back, head = _path(up[:-1], up[-1]), _bar(up)
    elif edge.kind == "none":
        back, head = _path(up[:-1], up[-1]), ""
    else:
        back, head = _path(up[:-1], _before(up[-2], up[-1], HEAD - 1)), _head(up)
    values = _path(down[:-1], _before(down[-2], down[-1], HEAD - 1))
    return PlacedEdge(edge, values, _head(down), back, head, (x, y))


def _shifted(points: Sequence[Point], distance: float) -> list[Point]:
    """A line beside another: to its left as one goes along it, or to its right if negative.

    Its ends stay at their heights, where the boxes are.
    """
    found = []
    last = len(points) - 1
    for number, (x, y) in enumerate(points):
        (ax, ay), (bx, by) = points[max(number - 1, 0)], points[min(number + 1, last)]
        along, down = bx - ax, by - ay
        length = hypot(along, down) or 1.0
        if number in (0, last):
            found.append((x + distance * min(length / max(abs(down), 1.0), STEEPEST), y))
        else:
            found.append((x + distance * down / length, y - distance * along / length))
    return found


def _path(points: Sequence[Point], end: Point) -> str:
    """An SVG path along points to an end, its corners rounded."""
    way = [*points, end]
    path = "M" + _text(way[0])
    for before, corner, after in zip(way, way[1:], way[2:], strict=False):
        path += f"L{_text(_before(before, corner, ROUND))}Q{_text(corner)} "
        path += _text(_before(after, corner, ROUND))
    return f"{path}L{_text(way[-1])}"


def _before(start: Point, end: Point, distance: float) -> Point:
    """The point that far before the end of a line, but not before its middle."""
    length = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    share = min(distance / length, 0.5)
    return end[0] - share * (end[0] - start[0]), end[1] - share * (end[1] - start[1])


def _head(points: Sequence[Point]) -> str:
    """The head of an arrow that ends with a line."""
    before, end = points[-2], points[-1]
    foot = _before(before, end, HEAD)
    dx, dy = (end[0] - foot[0]) * 0.5, (end[1] - foot[1]) * 0.5
    corners = (end, (foot[0] - dy, foot[1] + dx), (foot[0] + dy, foot[1] - dx))
    return "M" + "L".join(map(_text, corners)) + "z"


def _bar(points: Sequence[Point]) -> str:
    """A bar across the beginning of a line: nothing goes further."""
    at = _before(points[1], points[0], HEAD)
    dx, dy = points[0][0] - at[0], points[0][1] - at[1]
    return f"M{_text((at[0] - dy, at[1] + dx))}L{_text((at[0] + dy, at[1] - dx))}"


def _text(point: Point) -> str:
    return f"{point[0]:.4g},{point[1]:.4g}"


def in_words(picture: Picture) -> str:
    """A picture for those who do not see it."""
    boxes = picture.boxes
    told = [f"{box.label} starts with {box.seed}." for box in boxes if box.seed]
    flows = [
        f"{boxes[edge.target].label} to {boxes[edge.source].label}: {edge.label}"
        for edge in sorted(picture.edges, key=lambda edge: boxes[edge.target].number or 9999)
        if edge.kind == "flow"
    ]
    told += [f"Gradients flow from {'; '.join(flows)}."] if flows else []
    for kind, verb in (("stopped", "stops at"), ("ends", "ends at"), ("raised", "raises at")):
        at = [box.label for box in boxes if box.kind == kind]
        told += [f"The gradient {verb} {', '.join(at)}."] if at else []
    told += [f"{box.label} gets {box.gradient}." for box in boxes if box.gradient]
    told += [f"Blamed: {box.label}, {box.type}." for box in boxes if box.blamed]
    return " ".join(told)


NAMES = {
    "drawing": drawing,
    "label_of": label_of,
    "label_width": label_width,
    "in_words": in_words,
    "GOT": GOT,
    "SEEDED": SEEDED,
}
"""What the template picture.html uses."""
