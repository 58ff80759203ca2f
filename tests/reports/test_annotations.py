"""Annotations: GitHub's workflow commands, escaped, bounded, at the failing query's line."""

import re
from dataclasses import replace

import pytest

from gradparity.judge.verdict import Word
from gradparity.reports.annotations import SHOWN, workflow_commands
from gradparity.reports.document import document
from gradparity.reports.places import Places


def commands(run, url=None, folder="", **more):
    data = {**document(run), **more}
    lines = workflow_commands(data, Places.of(data, url, folder))
    assert all("\n" not in line and "\r" not in line for line in lines)
    return [parsed(line) for line in lines]


def parsed(line):
    """A workflow command as GitHub reads it: its level, properties and message."""
    level, listed, message = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line).groups()
    properties = dict(pair.split("=", 1) for pair in listed.split(","))
    return level, {k: decoded(v) for k, v in properties.items()}, decoded(message)


def decoded(text):
    for code, sign in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_a_failure_stands_at_its_query(make):
    ((level, properties, message),) = commands(
        make.run(make.agreeing(), make.differing()), "https://e.org/r"
    )
    assert level == "error"
    assert properties == {
        "file": "cases/tutorial/weighted_sum.yaml",
        "line": "14",
        "title": "differ: tutorial/weighted_sum::z1~w1",
    }
    assert message.splitlines() == [
        "gradient 0 (w1) differs in 1 of 3 values.",
        "gradparity explain 'tutorial/weighted_sum::z1~w1'",
        "https://e.org/r/cases/tutorial/weighted_sum.html#z1~w1",
    ]


def test_a_run_that_passes_is_silent(make):
    assert commands(make.run(make.agreeing(), make.result(Word.KNOWN, "Known."))) == []


def test_checks_of_one_query_are_one_annotation(make):
    failing = [make.differing(query=f"z1~w1@{n}") for n in range(4)]
    ((_, properties, message),) = commands(make.run(*failing))
    assert properties["title"] == "differ: tutorial/weighted_sum::z1~w1@0"
    assert "3 more checks of this query fail" in message


def test_as_many_are_shown_as_github_shows_and_the_others_are_counted(make):
    found = commands(make.run(*(make.differing(line=n) for n in range(1, 25))))
    assert [level for level, *_ in found] == ["error"] * SHOWN + ["notice"]
    assert found[-1][2] == "14 more failing checks in the job summary and in the report"


def test_what_got_worse_comes_first(make):
    run = make.run(*(make.differing(query=f"q{n}", line=n) for n in range(1, 25)))
    changes = {**document(run)["changes"], "worse": [{"id": "tutorial/weighted_sum::q20"}]}
    assert commands(run, changes=changes)[0][1]["line"] == "20"


@pytest.mark.parametrize("text", ["a%b,c:d", "100%0A", "one\r\ntwo", "::error::x", "\x1b[2J"])
def test_text_of_strangers_stays_in_its_place(make, text):
    ((_, properties, message),) = commands(make.run(make.differing(reason=text, query=text)))
    assert set(properties) == {"file", "line", "title"}
    shown = text.replace("\r\n", "\n").replace("\x1b", "\\x1b")
    assert message.startswith(shown)
    assert " ".join(shown.split()) in properties["title"]


def test_problems_of_the_ledger_are_warnings_at_their_place(make):
    run = replace(
        make.run(make.agreeing()),
        ledger_problems=["impl/known.yaml:3: the entry has expired"],
        truth_problems=["a::b: denied"],
    )
    ledger, truth = commands(run, folder="sub")
    assert ledger == (
        "warning",
        {"file": "sub/impl/known.yaml", "line": "3", "title": "gradparity: ledger"},
        "the entry has expired",
    )
    assert truth == ("warning", {"title": "gradparity: truth"}, "a::b: denied")


def test_a_run_that_did_not_end_is_an_error(make):
    run = replace(make.run(make.agreeing()), interrupted=True)
    assert commands(run) == [
        ("error", {"title": "gradparity"}, "Interrupted after 1 check: 1 agree.")
    ]
