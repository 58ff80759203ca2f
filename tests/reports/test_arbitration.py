"""The arbiter's word in every report."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema

from gradparity.arbiter.opinion import Arbitration, Numbers, Opinion
from gradparity.language.check import Truth
from gradparity.reports.document import document
from gradparity.reports.markdown import markdown
from gradparity.reports.pages import pages

SCHEMA = json.loads(files("gradparity").joinpath("schemas/report.schema.json").read_text())

NUMBERS = Numbers(
    0, "gradient 0 (w1)", ("1", "2", "3"), True, (3,), "agrees", "departs", "element [2] is 3"
)
WORD = Arbitration(Opinion.IMPLEMENTATION, "gradient 0 (w1): element [2] is 3", (NUMBERS,))
SENTENCE = "implementation wrong (gradient 0 (w1): element [2] is 3)"
DEPARTURE = Arbitration(Opinion.TENSORFLOW, "gradient 0 (w1): it is 8", (NUMBERS,))


def judged(make):
    return replace(make.differing(), arbitration=WORD)


def declared(result, truth):
    return replace(result, check=replace(result.check, truth=truth))


def test_the_word_and_the_numbers_stand_in_the_document(make):
    data = document(make.run(judged(make), make.agreeing(query="z1~w2")))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    first, second = data["checks"]
    assert first["arbiter"]["word"] == "implementation wrong"
    assert first["arbiter"]["gradients"][0]["derivative"] == ["1", "2", "3"]
    assert second["arbiter"] is None
    assert data["totals"]["arbiter"]["words"] == {"implementation wrong": 1}


def test_departures_are_counted_by_whether_their_cases_declare_them(make):
    known = replace(make.agreeing(), arbitration=DEPARTURE)
    known = declared(known, Truth("defect", "It skips what follows a zero."))
    new = replace(make.agreeing(query="z1~w2"), arbitration=DEPARTURE)
    data = document(make.run(known, new))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    assert data["totals"]["arbiter"]["declared"] == 1
    assert data["totals"]["arbiter"]["undeclared"] == 1
    assert data["checks"][0]["truth"] == {"kind": "defect", "why": "It skips what follows a zero."}
    index = pages(data)["report.html"]
    assert "1 of the departures are declared in their cases, 1 are not" in index


def test_the_word_stands_in_a_failure_as_plain_text(make, told):
    text = told(judged(make))
    assert f"arbiter: {SENTENCE}" in text
    assert "gradient 0 (w1): 1, 2, 3" in text


def test_the_word_stands_in_markdown_and_in_html(make):
    data = document(make.run(judged(make)))
    assert "Arbiter: implementation wrong" in markdown(data)
    (page,) = (text for name, text in pages(data).items() if name.startswith("cases/"))
    assert SENTENCE in page


def test_a_denied_declaration_fails_the_run_and_is_shown(make):
    record = make.run(make.agreeing())
    assert record.passes
    record.truth_problems = ["a defect is declared, and the arbiter says otherwise"]
    assert not record.passes
    data = document(record)
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    for text in (markdown(data), pages(data)["report.html"]):
        assert "the arbiter says otherwise" in text
