"""JUnit XML: valid by both schemas in use, and never green where the run is not."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from gradparity.judge.verdict import Word
from gradparity.reports.document import document
from gradparity.reports.junit import BODY, junit
from gradparity.reports.places import Places

# What Jenkins' junit-10.xsd and Windy Road's JUnit.xsd both allow: an element's attributes, all
# of which one of them requires; and the elements in it, in their order.
SCHEMA = {
    "testsuites": (set(), ["testsuite"]),
    "testsuite": (
        {"id", "package", "name", "hostname", "timestamp", "tests", "failures", "errors", "time"}
        | {"skipped"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": ({"classname", "name", "time"}, ["error", "failure"]),
    "error": ({"type", "message"}, []),
    "failure": ({"type", "message"}, []),
    "system-out": (set(), []),
    "system-err": (set(), []),
}
EVIL = "\x00\x1b[2J <b>&\"' ]]> \ufffe\uffff\udc80 \n\t"


def suites(run, url=None):
    data = document(run)
    text = junit(data, Places.of(data, url))
    root = ElementTree.fromstring(text.encode("utf-8"))
    validate(root)
    return {suite.get("name"): suite for suite in root}


def validate(element):
    attributes, children = SCHEMA[element.tag]
    assert set(element.attrib) == attributes
    places = [children.index(child.tag) for child in element]
    assert places == sorted(places)
    if element.tag == "testcase":
        assert len(element) <= 1
    for child in element:
        validate(child)


def outcome(suite):
    return [child.tag for case in suite.iter("testcase") for child in case]


@pytest.mark.parametrize("word", list(Word))
def test_each_word_that_fails_a_run_fails_its_test(make, word):
    (suite,) = suites(make.run(make.result(word, "A reason."))).values()
    assert bool(outcome(suite)) is not word.passes
    assert suite.get("skipped") == "0"
    assert int(suite.get("failures")) + int(suite.get("errors")) == (not word.passes)


@pytest.mark.parametrize(
    ("word", "tag"), [(Word.DIFFER, "failure"), (Word.CRASHED, "error"), (Word.UNCHECKED, "error")]
)
def test_an_error_is_what_says_nothing_of_the_implementation(make, word, tag):
    (suite,) = suites(make.run(make.result(word, "A reason."))).values()
    assert outcome(suite) == [tag]


def test_a_failure_tells_all_and_links_to_its_page(make, told):
    failing = make.differing()
    found = suites(make.run(failing, make.agreeing(query="z2~w1")), "https://e.org/r")
    case, passed = found["tutorial/weighted_sum"].iter("testcase")
    assert (case.get("classname"), case.get("name")) == (
        "tutorial.weighted_sum",
        "tutorial/weighted_sum::z1~w1",
    )
    assert case[0].get("message") == "gradient 0 (w1) differs in 1 of 3 values."
    assert case[0].get("type") == "differ: value"
    assert case[0].text == (
        told(failing, {"oracle": "TensorFlow", "implementation": "numpy_tf"})
        + "\nreport: https://e.org/r/cases/tutorial/weighted_sum.html#z1~w1\n"
    )
    assert len(passed) == 0
    assert case.get("time") == "0.020"


def test_a_suite_names_its_file_and_its_sentence(make):
    (suite,) = suites(make.run(make.agreeing())).values()
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert properties["file"] == "cases/tutorial/weighted_sum.yaml"
    assert properties["about"].startswith("grad_ys weights each y")
    assert suite.get("timestamp") == "2026-01-02T03:04:05"


def test_what_is_known_passes_and_is_told(make):
    (suite,) = suites(make.run(make.result(Word.KNOWN, "As the ledger says."))).values()
    assert outcome(suite) == []
    assert suite.findtext("system-out") == (
        "tutorial/weighted_sum::z1~w1: known: As the ledger says.\n"
    )


def test_a_run_that_fails_though_no_check_does_is_not_green(make):
    run = make.run(make.agreeing())
    ledger = suites(replace(run, ledger_problems=["l.yaml:3: expired"]))["run"]
    truth = suites(replace(run, truth_problems=["a::b: denied"]))["run"]
    interrupted = suites(replace(run, interrupted=True))["run"]
    nothing = suites(make.run())["run"]
    assert [outcome(s) for s in (ledger, truth)] == [["failure"], ["failure"]]
    assert [outcome(s) for s in (interrupted, nothing)] == [["error"], ["error"]]
    assert "l.yaml:3: expired" in ledger.find("testcase").get("name")
    assert "run" not in suites(run)


def test_text_of_strangers_is_well_formed_xml(make):
    evil = make.case(name="a/" + EVIL, about=EVIL, source=EVIL, graph=EVIL)
    (suite,) = suites(make.run(make.differing(of=evil, query=EVIL, reason=EVIL))).values()
    assert suite.get("name").startswith("a/\\x00\\x1b[2J <b>&\"' ]]> \\ufffe\\uffff\\udc80")


def test_a_huge_failure_is_cut(make):
    huge = make.case(graph="x = tf.add(x, x)\n" * 10_000)
    (suite,) = suites(make.run(make.differing(of=huge))).values()
    text = suite.find("testcase")[0].text
    assert len(text) < BODY + 100
    assert text.endswith("Cut here; complete in report.json.\n")
