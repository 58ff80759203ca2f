"""What changed since an earlier run: told from two documents, and equal for equal runs."""

import json
from pathlib import Path

import pytest

from gradparity.comparison.report import Report, read
from gradparity.judge.verdict import Comparison, Rule, Word
from gradparity.reports import write_all
from gradparity.reports.changes import LAST, MEANINGS, headline, last_run, set_aside, setting_line
from gradparity.reports.document import document


def changes(earlier, later, **more):
    return document(later, Report(Path("earlier"), document(earlier)), **more)["changes"]


def ids(found):
    return {name: [entry["id"] for entry in found[name]] for name in MEANINGS if found[name]}


def test_a_check_that_passed_and_fails_is_worse_and_the_reverse_is_better(make):
    passing, failing = make.run(make.agreeing()), make.run(make.differing())
    worse = changes(passing, failing)
    assert ids(worse) == {"worse": ["tutorial/weighted_sum::z1~w1"]}
    assert worse["worse"][0]["before"] == "agree"
    assert worse["worse"][0]["after"] == "differ"
    assert worse["worse"][0]["causes"][-1] == "implementation"
    assert ids(changes(failing, passing)) == {"better": ["tutorial/weighted_sum::z1~w1"]}


def test_two_failures_of_different_words_are_neither(make):
    crashed = make.result(Word.CRASHED, "killed by SIGABRT")
    assert list(ids(changes(make.run(make.differing()), make.run(crashed)))) == ["otherwise"]


def test_checks_of_one_run_alone_are_new_or_gone(make):
    one, other = make.agreeing(query="one"), make.differing(query="other")
    found = changes(make.run(one), make.run(other))
    assert ids(found) == {
        "new": ["tutorial/weighted_sum::other"],
        "gone": ["tutorial/weighted_sum::one"],
    }
    assert found["new"][0]["before"] is None
    assert found["gone"][0]["after"] is None


def by(make, *rules):
    w1 = make.outcome(make.dense([1.0]))
    comparisons = [Comparison("gradient 0 (w1)", rule, 0) for rule in rules]
    return make.run(make.result(oracle=w1, implementation=w1, comparisons=comparisons))


@pytest.mark.parametrize(
    "before, after, name",
    [
        ([Rule.BITS], [Rule.BITS, Rule.ULP], "looser"),
        ([Rule.ULP], [Rule.SCALE], "looser"),
        ([Rule.SCALE], [Rule.BITS], "stricter"),
    ],
)
def test_agreement_by_a_looser_rule_is_told_though_both_agree(make, before, after, name):
    found = changes(by(make, *before), by(make, *after))
    assert list(ids(found)) == [name]
    assert found[name][0]["before"] == before[0].value
    assert found[name][0]["after"] == after[-1].value


def test_equal_runs_differ_in_times_alone_whether_or_not_there_was_an_earlier_one(make):
    run = make.every_word()
    first, second = document(run), document(run, Report(Path(), document(run)))
    assert second["changes"].pop("started_at") == run.started_at
    assert first["changes"].pop("started_at") is None
    assert json.dumps(first) == json.dumps(second)
    assert list(second)[-1] == "end"


def test_an_interrupted_run_calls_nothing_gone(make):
    run = make.run(make.agreeing(query="one"))
    run.interrupted = True
    assert ids(changes(make.run(make.agreeing(query="two")), run)) == {
        "new": ["tutorial/weighted_sum::one"]
    }


def test_who_answered_otherwise_is_told(make):
    later = make.run(make.agreeing())
    later.implementation = {"tf1": {**later.implementation["tf1"], "version": "0.2.0"}}
    (setting,) = changes(make.run(make.agreeing()), later)["settings"]
    assert setting_line(setting) == "implementation, version (tf1): 0.1.0 → 0.2.0"


def test_the_headline_counts_and_names_what_it_is_compared_with(make):
    passing, failing = make.run(make.agreeing()), make.run(make.differing())
    time = "2026-01-02 03:04 UTC"
    assert headline(changes(passing, failing)) == f"1 worse since the last run, {time}."
    assert headline(changes(passing, passing, baseline="main/report.json")) == (
        f"Nothing changed since the baseline main/report.json, {time}."
    )
    others = make.run(make.agreeing(), make.agreeing(query="new"), make.differing(query="newer"))
    assert headline(changes(passing, others)) == f"2 new (1 fails) since the last run, {time}."
    assert headline(document(passing)["changes"]) == ""


def test_a_report_is_set_aside_when_another_run_begins_in_its_folder(make, in_tmp):
    folder = Path("report")
    assert last_run(folder) is None
    write_all(make.run(make.agreeing()), folder)
    assert last_run(folder) is None
    set_aside(folder)
    write_all(make.run(make.differing()), folder, last_run(folder))
    assert ids(read(folder).document["changes"]) == {"worse": ["tutorial/weighted_sum::z1~w1"]}


def test_an_interrupted_run_does_not_take_the_place_of_the_one_before_it(make, in_tmp):
    folder = Path("report")
    write_all(make.run(make.agreeing()), folder)
    set_aside(folder)
    interrupted = make.run(make.differing())
    interrupted.interrupted = True
    write_all(interrupted, folder)
    set_aside(folder)
    assert not (folder / "report.json").exists()
    assert last_run(folder).document["checks"][0]["verdict"] == "agree"


def test_a_last_run_that_cannot_be_read_is_none(make, in_tmp):
    Path("report").mkdir()
    Path("report", LAST).write_text("{")
    assert last_run(Path("report")) is None
