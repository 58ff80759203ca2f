"""report.html: every check on its case's page, well formed, closed to what it quotes, small."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import numpy as np
import pytest

from gradparity.judge.judge import judge
from gradparity.judge.verdict import Comparison, Difference, Kind, Rule, Word
from gradparity.reports import write_all
from gradparity.reports.document import document
from gradparity.reports.legend import LEGEND
from gradparity.reports.overview import segments
from gradparity.reports.pages import page_paths, pages
from gradparity.reports.tensors import tensor_rows
from gradparity.results import CheckResult

EVIL = "\"'></code></pre><script>alert(1)</script>"
VOID = {"meta", "link", "input", "br", "rect", "wbr"}


class Page(HTMLParser):
    """A page's text, links, ids and tags; a tag closed out of turn is an error."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.ids, self.marks = [], set(), [], [], []
        self.scripts = 0
        self.text = ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.links += [attributes[key] for key in ("href", "src") if key in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []
        assert not any(key.startswith("on") for key in attributes)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "mark":
            self.marks.append(data)


def rendered(run):
    return {
        name: Page(text) for name, text in pages(document(run)).items() if name.endswith(".html")
    }


def test_each_verdict_word_has_its_page_symbol_and_reason(make):
    found = rendered(make.every_word())
    for word in Word:
        page = found[f"cases/words/{word.value}.html"]
        assert f"A reason for {word.value}." in page.text
        assert f"{LEGEND[word].symbol} {word.value}" in page.text
        assert (f"A reason for {word.value}." in found["report.html"].text) is not word.passes


def test_every_symbol_is_different():
    assert set(LEGEND) == set(Word)
    assert len({entry.symbol for entry in LEGEND.values()}) == len(Word)


def test_all_links_lead_to_a_page_and_a_place_in_it(make):
    odd = make.case("odd/a #1? 100%", path=Path("cases/a #1? 100%.yaml"))
    run = make.run(
        make.agreeing(), make.differing(query='q[a="b c", d<e]#'), make.differing(of=odd)
    )
    files = pages(document(run))
    found = {name: Page(text) for name, text in files.items() if name.endswith(".html")}
    for name, page in found.items():
        for link in page.links:
            url, fragment = urldefrag(link)
            target = (Path(name).parent / unquote(url)).as_posix() if url else name
            target = re.sub(r"[^/.]+/\.\./", "", re.sub(r"[^/.]+/\.\./", "", target))
            assert target in files, (link, target)
            assert not fragment or unquote(fragment) in found[target].ids


def test_quoted_text_cannot_break_out(make):
    result = make.result(
        Word.DIFFER,
        EVIL,
        make.outcome(make.dense(np.array([EVIL.encode()], object))),
        make.outcome(make.dense(np.array([b"other"], object))),
        of=make.case(about=EVIL, source=EVIL, graph=EVIL, name=EVIL),
        query=EVIL,
        xs=(EVIL,),
    )
    harmless = {name: page.scripts for name, page in rendered(make.run(make.agreeing())).items()}
    for name, page in rendered(make.run(result)).items():
        assert page.scripts == (2 if name == "report.html" else min(harmless.values()))
        assert EVIL in page.text


def test_pages_ask_nothing_of_the_network(make):
    for name, text in pages(document(make.every_word())).items():
        assert not re.search(r"(https?:)?//[\w]", text.replace("\n//", "")), name


def test_elements_that_differ_are_marked_on_both_sides(make):
    page = rendered(make.run(make.differing()))["cases/tutorial/weighted_sum.html"]
    assert page.marks == ["3.0", "4.0"]
    assert "bit for bit" in page.text


def test_elements_that_agree_within_ulps_are_marked_as_near(make):
    one, other = np.float32([1, 2]), np.float32([1, 2.0000002])
    result = make.result(
        Word.AGREE,
        "Agrees.",
        make.outcome(make.dense(one)),
        make.outcome(make.dense(other)),
        comparisons=[Comparison("gradient 0 (w1)", Rule.ULP, 1)],
    )
    (row,) = tensor_rows(document(make.run(result))["checks"][0])
    assert [cell["spans"] for cell in row["cells"]] == [
        [("[1.0, ", "", ""), ("2.0", "near", "1 ulp"), ("]", "", "")],
        [("[1.0, ", "", ""), ("2.0000002", "near", "1 ulp"), ("]", "", "")],
    ]
    assert (
        "within the ulp budget, 1 ulp"
        in pages(document(make.run(result)))["cases/tutorial/weighted_sum.html"]
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32([np.nan, np.inf, -np.inf, -0.0]), "[nan, inf, -inf, -0.0]"),
        (np.complex128([1 - 2j]), "[1.0-2.0j]"),
        (np.array([b"<b>"], object), "[b'<b>']"),
        (np.zeros((0, 2), np.float32), "[]"),
        (np.float64(0.1), "0.1"),
        (np.bool_([[True], [False]]), "[[True],\n [False]]"),
    ],
)
def test_values_are_shown_exactly(make, value, text):
    answer = make.outcome(make.dense(value))
    page = rendered(make.run(make.result(oracle=answer, implementation=answer)))
    assert text in page["cases/tutorial/weighted_sum.html"].text


def test_none_sparse_and_missing_answers_are_told_apart(make):
    slices = make.sparse(np.float32([[1, 2]]), [0], [3, 2])
    oracle = make.outcome(slices, None, make.dense(np.float32(0)))
    implementation = make.outcome(make.dense(np.float32([[1, 2]])), None)
    check = make.result(Word.DIFFER, "Sparsity.", oracle, implementation, xs=("a", "b", "c"))
    rows = list(tensor_rows(document(make.run(check))["checks"][0]))
    shown = {
        row["label"]: [None if cell is None else cell["type"] for cell in row["cells"]]
        for row in rows
    }
    assert shown == {
        "gradient 0 (a)": [None, "float32 [1, 2]"],
        "gradient 0 (a), values": ["float32 [1, 2]", None],
        "gradient 0 (a), indices": ["int64 [1]", None],
        "gradient 0 (a), dense_shape": ["int64 [2]", None],
        "gradient 1 (b)": ["None"],  # one cell for both
        "gradient 2 (c)": ["float32 []", None],
    }


def test_how_a_tensor_was_compared_is_told_in_words(make):
    ones = make.dense(np.float32([1]))
    slices = make.sparse(np.float32([[1]]), [0], None)
    check = make.result(
        Word.DIFFER,
        "Sparsity and more.",
        make.outcome(ones, slices, None, ones, ones),
        make.outcome(ones, ones, None, ones),
        xs="abcde",
        differences=[
            Difference("gradient 1 (b)", Kind.SPARSITY, "IndexedSlices", "a float32 tensor"),
            Difference("gradient 3 (d)", Kind.SHAPE, "[?]", "[1]", detail="static shape"),
        ],
        comparisons=[
            Comparison("gradient 0 (a)", Rule.SCALE, 1234),
            Comparison("gradient 3 (d)", Rule.BITS, 0),
        ],
    )
    rows = tensor_rows(document(make.run(check))["checks"][0])
    assert {row["label"]: row["compared"] for row in rows} == {
        "gradient 0 (a)": "by the scale of the tensor, 1,234 ulp",
        "gradient 1 (b)": "sparsity differs",
        "gradient 1 (b), values": "sparsity differs",
        "gradient 1 (b), indices": "sparsity differs",
        "gradient 2 (c)": "both None",
        "gradient 3 (d)": "bit for bit, shape differs",
        "gradient 4 (e)": "not compared",
    }


def test_labels_are_the_judges(make):
    one, other = make.outcome(make.dense(np.float32(1))), make.outcome(make.dense(np.float32(2)))
    check = make.result(oracle=one, implementation=other).check
    result = CheckResult(check, one, other, judge(check, one, other))
    (row,) = tensor_rows(document(make.run(result))["checks"][0])
    assert row["compared"].startswith("values differ")


def test_an_unknown_static_shape_is_shown(make):
    answer = make.outcome(
        make.dense(np.float32([1]), static_shape=(None,)),
        make.dense(np.float32([1]), static_shape=None),
    )
    run = make.run(make.result(oracle=answer, implementation=answer))
    text = rendered(run)["cases/tutorial/weighted_sum.html"].text
    assert "float32 [1], static [?]" in text
    assert "float32 [1], static unknown rank" in text


def test_the_bar_shows_one_check_in_ten_thousand(make):
    bar = segments({"agree": 9_999, "known": 0, "differ": 1})
    assert [(part.name, part.count) for part in bar] == [("agree", 9_999), ("differ", 1)]
    assert bar[1].width > 0.5
    assert bar[0].left == 0
    assert sum(part.width for part in bar) == pytest.approx(100)
    assert bar[1].left == pytest.approx(bar[0].width, abs=0.01)


def test_cases_never_share_a_page_and_stay_in_the_folder():
    names = ["a/b", "A/B", "a/b", "../../etc/x", "", "c:d", ".", "..."]
    paths = list(page_paths([{"name": n, "file": f"{i}"} for i, n in enumerate(names)]).values())
    assert len({path.lower() for path in paths}) == len(names)
    assert all(path.startswith("cases/") and ".." not in path.split("/") for path in paths)
    assert paths[0] == "cases/a/b.html"


def test_pages_of_an_earlier_report_go_and_files_of_others_stay(make, in_tmp):
    folder = Path("report")
    write_all(make.run(make.agreeing(of=make.case("old/one"))), folder)
    mine = folder / "cases" / "mine.html"
    mine.write_text("<p>not from here</p>")
    write_all(make.run(make.agreeing(of=make.case("new/one"))), folder)
    left = sorted(path.name for path in (folder / "cases").rglob("*.html"))
    assert left == ["mine.html", "one.html"]
    assert not (folder / "cases/old/one.html").exists()


def test_ten_thousand_checks_make_a_small_index(make, in_tmp):
    run = make.many(checks=10_000, failing_every=4)
    written = write_all(run, Path("report"))
    assert Path("report/report.html").stat().st_size < 3_000_000
    assert Path("report/report.json").stat().st_size < 30_000_000
    assert max(p.stat().st_size for p in written if "cases" in p.parts) < 100_000
    index = Page(Path("report/report.html").read_text("utf-8"))
    assert "1,500 more fail" in index.text
