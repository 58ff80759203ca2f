"""GitLab's code quality JSON: a finding for each failing check, known again in the next run."""

import json
from dataclasses import replace

from gradparity.judge.verdict import Word
from gradparity.reports.code_quality import code_quality
from gradparity.reports.document import document
from gradparity.reports.places import Places


def findings(run, url=None, folder=""):
    data = document(run)
    return json.loads(code_quality(data, Places.of(data, url, folder)))


def test_a_finding_has_what_gitlab_asks_for(make):
    (finding,) = findings(make.run(make.agreeing(), make.differing()), "https://e.org/r", "sub")
    assert finding["location"] == {
        "path": "sub/cases/tutorial/weighted_sum.yaml",
        "lines": {"begin": 14},
    }
    assert finding["description"] == (
        "tutorial/weighted_sum::z1~w1: gradient 0 (w1) differs in 1 of 3 values. "
        "https://e.org/r/cases/tutorial/weighted_sum.html#z1~w1"
    )
    assert (finding["check_name"], finding["severity"]) == ("gradparity: differ", "major")


def test_every_severity_is_one_that_gitlab_knows(make):
    found = findings(make.every_word())
    assert {f["severity"] for f in found} <= {"info", "minor", "major", "critical", "blocker"}
    assert len(found) == 2 + sum(not word.passes for word in Word)


def test_a_fingerprint_is_of_the_check_and_its_verdict_alone(make):
    before = make.run(make.differing(query="a"), make.differing(query="b"))
    later = replace(before, started_at="2027-01-01T00:00:00+00:00")
    one, other = (f["fingerprint"] for f in findings(before))
    assert one != other
    assert [f["fingerprint"] for f in findings(later)] == [one, other]
    (crashed,) = findings(make.run(make.result(Word.CRASHED, "Why.", query="a")))
    assert crashed["fingerprint"] not in (one, other)
