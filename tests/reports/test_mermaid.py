"""Mermaid: a flowchart of the subset that is emitted, whatever the labels say."""

import re

import pytest

from gradparity.explain.picture import Box, Edge, Picture
from gradparity.reports.mermaid import BOX_STYLES, LABEL, LINE_STYLES, LINKS, escaped, mermaid

TEXT = r"(?:[\w ,=·…]|#\d+;)*"  # nothing that is a sign of Mermaid's
LABELLED = rf'"({TEXT}(?:<br/>{TEXT})*)"'
# The whole language of what is emitted: the real parsers of Mermaid 10 and 11 read it.
GRAMMAR = [
    r"flowchart TB",
    rf"  n\d+(?:\(\[{LABELLED}\]\)|\[\[{LABELLED}\]\]|\[{LABELLED}\]):::[a-z]+",
    rf'  n\d+ (?:<==>|<-\.->|--x|--o|-->)(?:\|"{TEXT}"\|)? n\d+',
    r"  linkStyle \d+(?:,\d+)* stroke:#[0-9a-f]{6}",
    r"  classDef [a-z]+ [a-z-]+:[#0-9a-z]+(?:,[a-z-]+:[#0-9a-z]+)*",
]
EVIL = [
    "end",
    "1. one",
    "- item",
    "# head",
    "`code`",
    "```",
    '"',
    "'",
    "<script>alert(1)</script>",
    "</details>",
    "%%{init: {}}%%",
    "a-->b|c|",
    "{}[]()",
    "a;b",
    "#quot;",
    "&amp;",
    "$$x$$",
    "ünï→∂",
    "two\nlines",
    ":::x",
    "@{shape: x}",
    "\x1b[2J",
    "\ud800",
    "\U0001d6fc",
    "",
    "x" * 500,
]


def lines(*boxes, edges=()):
    text = mermaid(Picture(boxes, edges))
    for line in text.splitlines():
        assert any(re.fullmatch(rule, line, re.ASCII) or rule == line for rule in GRAMMAR), line
    return text.splitlines()


def decoded(text):
    return re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text)


@pytest.mark.parametrize("label", EVIL)
@pytest.mark.parametrize("role", ["", "x", "y", "xy"])
def test_no_label_breaks_it_and_each_is_shown_as_it_is(label, role):
    box = Box(label, label, "passed", role=role, gradient=label, seed=label, blamed=True)
    assert lines(box, box, edges=[Edge(0, 1, kind, label) for kind in LINKS])
    shown = " ".join(label.split())
    cut = shown if len(shown) <= LABEL else shown[: LABEL - 1] + "…"
    assert decoded(escaped(label)) == cut


@pytest.mark.parametrize("kind", list(LINKS))
def test_the_kind_of_an_edge_is_told_by_its_form(kind):
    found = lines(Box("a", "A", "passed"), Box("b", "B", "passed"), edges=[Edge(0, 1, kind)])
    assert len(set(LINKS.values())) == len(LINKS)
    assert any(line.startswith(f"  n0 {LINKS[kind]}") for line in found)
    assert f"  linkStyle 0 {LINE_STYLES[kind]}" in found


def test_what_is_stopped_and_what_is_none_is_written_out():
    boxes = Box("a", "A", "passed"), Box("b", "B", "stopped")
    found = lines(
        *boxes, edges=[Edge(0, 1, "stopped"), Edge(0, 1, "none"), Edge(0, 1, "flow", "2")]
    )
    assert '  n0 --x|"stopped"| n1' in found
    assert '  n0 --o|"None"| n1' in found
    assert '  n0 <==>|"2"| n1' in found
    assert "the gradient stops here" in found[2]


def test_the_blamed_op_is_in_a_class_of_its_own():
    found = lines(Box("a", "A", "passed"), Box("b", "Tanh", "passed", blamed=True))
    assert found[2] == '  n1["b · Tanh<br/>makes the check differ"]:::blamed'
    assert f"  classDef blamed {BOX_STYLES['blamed']}" in found


def test_an_x_shows_its_gradient_and_a_y_its_seed():
    found = lines(
        Box("x", "Variable", "passed", role="x", gradient="None"),
        Box("y", "Mul", "passed", role="y", seed="[1, 2]"),
    )
    assert decoded(found[1]) == '  n0(["x · Variable<br/>gradient: None"]):::passed'
    assert decoded(found[2]) == '  n1[["y · Mul<br/>starts with [1, 2]"]]:::passed'
