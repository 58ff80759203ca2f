"""The page: a picture of what the text says, in one file that needs no other."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.explain.drawing import HEIGHT, WIDTH, drawing
from gradparity.explain.observing import observe
from gradparity.language.loading import load

ROOT = Path(__file__).resolve().parents[2]


def drawn(case, query):
    checks = load([ROOT / "cases" / f"{case}.yaml"])
    story = observe(next(check for check in checks if query in check.id).program)
    return drawing(story.calls[-1], story)


class TestTheDiamondWithOneStoppedEdge:
    @pytest.fixture
    def picture(self):
        return drawn("tutorial/diamond", "one-edge@c->e")

    def test_shows_where_the_gradient_ends(self, picture):
        assert [box.label for box in picture.boxes if box.kind == "end"] == ["c_stopped"]

    def test_shows_what_no_gradient_came_to_and_what_is_not_between(self, picture):
        assert [box.label for box in picture.boxes if box.kind == "unreached"] == ["c"]
        assert [box.label for box in picture.boxes if box.kind == "outside"] == ["mul/x"]

    def test_has_an_arrow_with_its_value_for_each_gradient(self, picture):
        kinds = [arrow.kind for arrow in picture.arrows]
        assert (kinds.count("flow"), kinds.count("dropped"), kinds.count("none")) == (7, 1, 3)
        assert sorted(a.label for a in picture.arrows if a.label) == ["1.0"] * 5 + ["2.0"] * 2

    def test_has_boxes_that_do_not_overlap_and_lie_within_it(self, picture):
        places = [(box.x, box.y) for box in picture.boxes]
        for number, (x, y) in enumerate(places):
            assert 0 <= x <= picture.width - WIDTH
            assert 0 <= y <= picture.height - HEIGHT
            for other_x, other_y in places[:number]:
                assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT

    def test_has_values_flow_down(self, picture):
        height = {box.number: box.y for box in picture.boxes}
        assert height["1."] > height["3."] > height["5."] > height["7."] > height["9."]


def test_of_a_large_graph_there_is_no_picture():
    assert drawn("contract/a18_scale/99_long_chains", "[1000]") is None


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
