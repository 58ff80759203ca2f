"""report.json: complete, valid by its published schema, and the same for the same results."""

import json
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from gradparity.judge.verdict import Comparison, Rule, Word
from gradparity.reports import write_all, write_document
from gradparity.reports.document import check_data, document, to_text, totals

SCHEMA = json.loads(files("gradparity").joinpath("schemas/report.schema.json").read_text())


def validate(data):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(data)


def without_times(data):
    if isinstance(data, dict):
        return {k: without_times(v) for k, v in data.items() if k not in ("seconds", "started_at")}
    return [without_times(item) for item in data] if isinstance(data, list) else data


def test_every_verdict_word_makes_a_valid_document(make):
    validate(json.loads(to_text(document(make.every_word()))))


def test_every_sort_of_result_makes_a_valid_document(make):
    rows = np.float32([[1, 2]])
    gradients = [
        None,
        make.sparse(rows, [0], [3, 2]),
        make.sparse(rows, [0], None),
        make.dense(np.arange(1001.0), static_shape=None),
        make.dense(np.array([b"text"], object), static_shape=(None,)),
        make.dense(np.complex64(1j)),
    ]
    data = document(make.run(make.result(oracle=make.outcome(*gradients, ys=gradients))))
    validate(data)
    answered = data["checks"][0]["oracle"]["gradients"]
    assert answered[0] is None
    assert answered[2]["dense_shape"] is None
    assert len(answered[3]["values"]) == 1000
    assert answered[3]["static_shape"] is None
    assert len(answered[3]["sha256"]) == 64
    assert "sha256" not in answered[4]
    assert answered[4]["static_shape"] == [None]


def test_the_schema_refuses_what_it_does_not_describe(make):
    data = document(make.run(make.agreeing()))
    for broken in (
        {k: v for k, v in data.items() if k != "totals"},
        {**data, "surprise": 1},
        {**data, "checks": [{**data["checks"][0], "verdict": "fine"}]},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate(broken)


def test_the_closing_record_is_the_last_line_but_one(make):
    lines = to_text(document(make.run(make.agreeing(), make.agreeing()))).splitlines()
    assert lines[-2:] == ['"end": {"checks":2,"seconds":12.345679}', "}"]


def test_an_interrupted_run_has_no_closing_record_and_says_so_everywhere(make, in_tmp):
    record = replace(make.run(make.agreeing()), interrupted=True)
    write_all(record, Path("report"))
    data = json.loads(Path("report/report.json").read_text("utf-8"))
    validate(data)
    assert "end" not in data
    assert data["passes"] is False
    for name in ("report.md", "report.html"):
        assert "Interrupted after 1 check: 1 agree." in Path("report", name).read_text("utf-8")


def test_a_check_takes_one_line(make):
    text = to_text(document(make.run(make.agreeing(), make.differing())))
    assert sum('"id":"tutorial/weighted_sum::z1~w1"' in line for line in text.splitlines()) == 2


def test_equal_results_make_equal_documents_apart_from_times(make):
    first = make.run(make.agreeing(), make.differing())
    later = replace(first, started_at="2030-01-01T00:00:00+00:00", seconds=99.0)
    assert document(first) == document(make.run(make.agreeing(), make.differing()))
    assert document(first) != document(later)
    assert without_times(document(first)) == without_times(document(later))


def test_files_are_named_relative_to_the_current_directory(make, in_tmp):
    inside = make.agreeing(of=make.case(path=in_tmp / "my cases" / "a.yaml"))
    outside = make.agreeing(of=make.case(path=in_tmp.parent / "b.yaml"))
    assert check_data(inside)["file"] == "my cases/a.yaml"
    assert check_data(outside)["file"] == "../b.yaml"


def test_agreement_is_counted_by_the_loosest_rule_needed(make):
    def within(rule, ulp, query):
        return make.agreeing(query=query), [
            Comparison("gradient 0 (a)", Rule.BITS, 0),
            Comparison("gradient 1 (b)", rule, ulp),
        ]

    results = [
        replace(r, verdict=replace(r.verdict, comparisons=comparisons))
        for r, comparisons in (
            within(Rule.ULP, 2, "p"),
            within(Rule.ULP, 3, "q"),
            within(Rule.SCALE, 50, "r"),
        )
    ]
    expected_error = make.result(Word.AGREE, "Both raise ValueError.")
    agreement = totals([make.agreeing(), *results, expected_error, make.differing()])["agreement"]
    place = {"check": "tutorial/weighted_sum::q", "where": "gradient 1 (b)"}
    assert agreement["bits"]["checks"] == 1
    assert agreement["ulp"] == {"checks": 2, "max_ulp": 3, **place}
    assert (agreement["scale"]["checks"], agreement["scale"]["max_ulp"]) == (1, 50)
    assert agreement["nothing"] == {"checks": 1}


def test_everything_can_be_rendered_again_from_report_json(make, in_tmp):
    first = write_all(make.every_word(), Path("one"))
    assert [path.name for path in first[:3]] == ["report.json", "report.md", "report.html"]
    again = write_document(json.loads(Path("one/report.json").read_text("utf-8")), Path("two"))
    assert [p.relative_to("one").as_posix() for p in first] == [
        p.relative_to("two").as_posix() for p in again
    ]
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes(), one


def test_an_empty_run_is_reported_and_does_not_pass(make, in_tmp):
    write_all(make.run(), Path("report"))
    data = json.loads(Path("report/report.json").read_text("utf-8"))
    validate(data)
    assert data["passes"] is False
    for name in ("report.md", "report.html"):
        assert "Nothing was judged" in Path("report", name).read_text("utf-8")


def test_a_name_that_is_not_text_can_still_be_reported(make, in_tmp):
    write_all(make.run(make.differing(query="z~\udcff", of=make.case("a\udcff"))), Path("report"))
    data = json.loads(Path("report/report.json").read_text("utf-8"))
    assert data["checks"][0]["id"].endswith("z~\udcff")


def test_importing_reports_imports_no_heavy_library():
    modules = "gradparity.reports, gradparity.reports.terminal, gradparity.reports.pages"
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "jinja2", "pygments", "rich", "tensorflow"} & set(loaded)
