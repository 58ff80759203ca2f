"""The page: a picture of what the text says, in one file that needs no other."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.explain.drawing import drawing, in_words, label_of
from gradparity.explain.observing import observe
from gradparity.explain.picture import NoPicture, picture
from gradparity.language.loading import load

ROOT = Path(__file__).resolve().parents[2]


def drawn_picture(case, query):
    checks = load([ROOT / "cases" / f"{case}.yaml"])
    story = observe(next(check for check in checks if query in check.id).program)
    return picture(story)


def drawn(case, query):
    return drawing(drawn_picture(case, query))


class TestTheDiamondWithOneStoppedEdge:
    @pytest.fixture
    def drawing(self):
        return drawn("tutorial/diamond", "one-edge@c->e")

    def test_has_boxes_that_do_not_overlap_and_lie_within_it(self, drawing):
        boxes = drawing.boxes
        for number, box in enumerate(boxes):
            assert 0 <= box.x <= drawing.width - box.width
            assert 0 <= box.y <= drawing.height - box.height
            for other in boxes[:number]:
                beside = abs(box.x - other.x) >= min(box.width, other.width)
                assert beside or abs(box.y - other.y) >= min(box.height, other.height)

    def test_has_values_flow_down(self, drawing):
        for placed in drawing.edges:
            above, below = (drawing.boxes[n] for n in (placed.edge.source, placed.edge.target))
            assert above.y + above.height < below.y

    def test_has_a_line_for_each_gradient_and_for_what_stops_it(self, drawing):
        kinds = {
            placed.edge.kind: (placed.gradient, placed.gradient_head) for placed in drawing.edges
        }
        assert all(kinds["flow"])
        assert all(kinds["stopped"])
        assert kinds["none"][0]
        assert not kinds["none"][1]

    def test_has_room_for_each_label(self, drawing):
        for placed in drawing.edges:
            if label_of(placed.edge):
                x, y = placed.label_at
                assert all(
                    not (box.x < x < box.x + box.width and box.y < y < box.y + box.height)
                    for box in drawing.boxes
                )


def test_what_is_drawn_is_told_in_words():
    told = in_words(drawn_picture("tutorial/diamond", "one-edge@c->e"))
    assert told.startswith("e starts with 1. Gradients flow from e to c_stopped: 1;")
    assert told.endswith("The gradient stops at c_stopped. a gets 2. b gets 1.")


def test_of_a_large_graph_there_is_no_picture():
    with pytest.raises(NoPicture, match="too large"):
        drawn("contract/a18_scale/99_long_chains", "[1000]")


class TestThePage:
    @pytest.fixture
    def text(self, tmp_path, monkeypatch):
        monkeypatch.chdir(ROOT)
        path = tmp_path / "new" / "page.html"
        call = ["explain", "tutorial/diamond::one-edge@c->e", "--html", str(path)]
        result = CliRunner().invoke(main, call, catch_exceptions=False)
        assert result.exit_code == 0
        assert str(path) in result.output
        return path.read_text("utf-8")

    def test_says_what_the_terminal_says(self, text):
        words = re.sub(r"<[^>]+>", "", text)
        assert "2. StopGradient &#39;StopGradient&#39;  line 4" in words
        assert "gives the same: equal bit for bit" in words

    def test_needs_no_other_file_and_no_script(self, text):
        assert not re.search(r"<script|<link|src=|href=|url\((?!#)", text)

    def test_is_well_formed(self, text):
        assert _unclosed(text) == []


def _unclosed(text):
    """The elements that are not closed, or closed where they are not open."""
    open_elements = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br"):
                open_elements.append(tag)

        def handle_startendtag(self, tag, attrs):
            pass

        def handle_endtag(self, tag):
            assert open_elements.pop() == tag

    Parser().feed(text)
    return open_elements
