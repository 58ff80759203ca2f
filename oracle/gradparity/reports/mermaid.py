"""Mermaid: the picture of a check as a flowchart, which GitHub and GitLab draw in Markdown.

There is one link for each tensor, in the direction of its value; what goes back along it is told
by its form, so that colour is never the only sign. Mermaid's text is a language with many
signs: whatever is not a letter, a digit or harmless is written as `#number;`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradparity.explain.picture import Box, Edge, Picture

LABEL = 60  # characters of a line in a box or on a link

LINKS = {
    "flow": "<==>",  # a gradient goes back
    "dropped": "<-.->",  # one goes back, to what is not between the xs and the ys
    "stopped": "--x",
    "none": "--o",
    "forward": "-->",
}
"""The kind of an edge -> the form of its link."""

WORDS = {"stopped": "stopped", "none": "None"}
"""The kind of an edge without a gradient -> what is written on it."""

# Shades that can be read on a white page and on a dark one.
LINE_STYLES = {
    "flow": "stroke:#2e8b57",
    "dropped": "stroke:#8a8a8a",
    "stopped": "stroke:#d1434b",
    "none": "stroke:#b07d2b",
    "forward": "stroke:#8a8a8a",
}
BOX_STYLES = {
    "passed": "fill:#e3f4e8,stroke:#2e8b57,color:#14171a",
    "stopped": "fill:#fbe3e4,stroke:#d1434b,color:#14171a",
    "ends": "fill:#fbe3e4,stroke:#d1434b,color:#14171a",
    "raised": "fill:#fbe3e4,stroke:#d1434b,color:#14171a,stroke-dasharray:5",
    "unreached": "fill:#f7edd8,stroke:#b07d2b,color:#14171a",
    "outside": "fill:#ececec,stroke:#8a8a8a,color:#14171a",
    "blamed": "fill:#d1434b,stroke:#7a1b22,color:#ffffff,stroke-width:4px",
}
SHAPES = {"x": '(["{}"])', "y": '[["{}"]]', "xy": '[["{}"]]', "": '["{}"]'}

LEGEND = (
    "Values flow along the arrows. Back along a thick one goes the gradient that is written on "
    "it; ✕: it is stopped there; ○: it is None; a thin one is only forward; dotted: it is dropped. "
    "It is numpy_tf that was watched."
)


def mermaid(picture: Picture) -> str:
    """A flowchart: x boxes are round, y boxes have double sides, the blamed op is filled red."""
    lines = ["flowchart TB"]
    lines += [f"  n{n}{_box(box)}:::{_style(box)}" for n, box in enumerate(picture.boxes)]
    lines += [f"  {_link(edge)}" for edge in picture.edges]
    kinds = defaultdict(list)
    for n, edge in enumerate(picture.edges):
        kinds[edge.kind].append(str(n))
    lines += [f"  linkStyle {','.join(ns)} {LINE_STYLES[kind]}" for kind, ns in kinds.items()]
    styles = dict.fromkeys(map(_style, picture.boxes))
    lines += [f"  classDef {style} {BOX_STYLES[style]}" for style in styles]
    return "\n".join(lines) + "\n"


def _style(box: Box) -> str:
    return "blamed" if box.blamed else box.kind


def _box(box: Box) -> str:
    told = [box.label if box.label == box.type else f"{box.label} · {box.type}"]
    told += [f"starts with {box.seed}"] if box.seed else []
    told += [f"gradient: {box.gradient}"] if "x" in box.role else []
    told += ["the gradient stops here"] if box.kind == "stopped" else []
    told += ["makes the check differ"] if box.blamed else []
    return SHAPES[box.role].format("<br/>".join(map(escaped, told)))


def _link(edge: Edge) -> str:
    form, label = LINKS[edge.kind], edge.label or WORDS.get(edge.kind, "")
    written = f'|"{escaped(label)}"|' if label else ""
    return f"n{edge.source} {form}{written} n{edge.target}"


def escaped(text: str) -> str:
    """Text of strangers that means itself within a quoted label, on one line and not too long."""
    line = " ".join(text.split())
    line = line if len(line) <= LABEL else line[: LABEL - 1] + "…"
    # Without a blank at its side, a digit with a full stop would begin a list.
    return re.sub(r"[^\w ,=·…]", lambda sign: f"#{ord(sign[0])};", line, flags=re.ASCII)
