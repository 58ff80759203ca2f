"""The badge: two words and a colour, as shields.io reads them and as a picture."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from gradparity.judge.verdict import Word
from gradparity.reports.badge import COLORS, LABEL, badge, endpoint, svg
from gradparity.reports.document import document


def shown(run):
    found = badge(document(run))
    return found.message, found.color


@pytest.mark.parametrize(
    ("words", "message", "color"),
    [
        ([Word.AGREE] * 3, "3 agree", "brightgreen"),
        ([Word.AGREE, Word.KNOWN], "1 agree, 1 known", "brightgreen"),
        ([Word.AGREE, Word.DIFFER], "1 of 2 differs", "red"),
        ([Word.DIFFER, Word.DIFFER, Word.AGREE], "2 of 3 differ", "red"),
        ([Word.DIFFER, Word.CRASHED, Word.AGREE], "2 of 3 fail", "red"),
        ([Word.UNSUPPORTED, Word.UNCHECKED, Word.AGREE], "2 of 3 fail", "orange"),
        ([], "nothing judged", "lightgrey"),
    ],
)
def test_it_says_what_the_run_came_to(make, words, message, color):
    run = make.run(*(make.result(word, "Why.", query=f"q{n}") for n, word in enumerate(words)))
    assert shown(run) == (message, color)


def test_it_is_not_green_where_the_run_is_not(make):
    run = make.run(make.agreeing())
    assert shown(replace(run, interrupted=True)) == ("interrupted", "lightgrey")
    assert shown(replace(run, ledger_problems=["a", "b"])) == ("2 ledger problems", "red")
    assert shown(replace(run, truth_problems=["a"])) == ("1 truth problem", "red")


def test_shields_io_can_read_it(make):
    run = make.run(*(make.agreeing(query=f"q{n}") for n in range(1234)))
    assert json.loads(endpoint(document(run))) == {
        "schemaVersion": 1,
        "label": LABEL,
        "message": "1,234 agree",
        "color": "brightgreen",
        "isError": False,
    }


def test_the_picture_says_the_same_and_needs_no_network(make):
    text = svg(document(make.run(make.differing(), make.agreeing(query="z2"))))
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == f"{LABEL}: 1 of 2 differs"
    assert COLORS["red"] in text
    assert text.count("http") == 1  # the name of SVG's namespace
    texts = [e for e in root.iter() if e.tag.endswith("}text")]
    right = [float(e.get("x")) + float(e.get("textLength")) for e in texts]
    assert right == sorted(right) and right[-1] < float(root.get("width"))
