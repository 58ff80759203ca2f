"""Every report says which op makes a check differ, and how many were not looked into."""

import io
import json
from dataclasses import replace
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from gradparity.blame.finding import Blame, Fault
from gradparity.reports.document import document
from gradparity.reports.markdown import markdown
from gradparity.reports.pages import pages
from gradparity.reports.terminal import summary

SENTENCE = "Mul 'mul' (line 9: `z = a * b`): what it passes to input 1 (b) differs"
FOUND = Blame(
    Fault.GRADIENT, SENTENCE, "mul", "Mul", file_line=9, code="z = a * b", differing=("b:0",)
)
NOTHING = Blame(Fault.NOWHERE, "needs a live oracle")


@pytest.fixture
def run(make):
    def made(blame, unblamed=0):
        record = make.run(replace(make.differing(), blame=blame), make.agreeing())
        record.unblamed = unblamed
        return record

    return made


def printed(record):
    console = Console(width=100, record=True, color_system=None, file=io.StringIO())
    summary(document(record), console)
    return console.export_text()


@pytest.mark.parametrize("blame", [FOUND, NOTHING, None])
def test_the_document_fits_its_schema(run, blame):
    schema = files("gradparity").joinpath("schemas/report.schema.json").read_text("utf-8")
    data = document(run(blame, unblamed=3))
    Draft202012Validator(json.loads(schema)).validate(data)
    assert data["unblamed"] == 3


def test_the_document_says_what_was_found(run):
    blame = document(run(FOUND))["checks"][0]["blame"]
    assert (blame["op"], blame["type"], blame["fault"]) == ("mul", "Mul", "gradient")
    assert (blame["line"], blame["differing"]) == (9, ["b:0"])


def test_each_report_for_people_names_the_op(run, told):
    record = run(FOUND)
    data = document(record)
    page = next(text for name, text in pages(data).items() if name.startswith("cases/"))
    assert "<b>Blame</b> Mul" in page
    texts = [printed(record), told(record.results[0]), markdown(data)]
    for text in texts:
        assert "blame: Mul" in text
    for text in (*texts, page):
        assert "what it passes to input 1 (b) differs" in text


def test_why_nothing_is_named_is_told_once(run, make):
    record = run(NOTHING)
    record.results = [*record.results, replace(make.differing(), blame=NOTHING)]
    assert printed(record).count("needs a live oracle") == 1


def test_what_was_left_out_is_counted(run):
    assert "2 more checks that differ and were not looked into" in printed(run(FOUND, 2))
    assert "1 more check that differs and was not looked into" in markdown(document(run(FOUND, 1)))


def test_a_report_of_an_earlier_version_is_still_rendered(run):
    data = document(run(None))
    for check in data["checks"]:
        del check["blame"]
    del data["unblamed"], data["totals"]["agreement"]["meaning"]
    schema = files("gradparity").joinpath("schemas/report.schema.json").read_text("utf-8")
    Draft202012Validator(json.loads(schema)).validate({**data, "checks": []})
    assert "blame" not in markdown(data)
    assert pages(data)
