"""`gradparity report`: tells a run again from its report.json; refuses what is none."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from gradparity.cli import main
from gradparity.reports import write_all
from gradparity.reports.markdown import markdown


@pytest.fixture
def written(make, in_tmp):
    write_all(make.run(make.agreeing(query="a"), make.differing(query="b")), Path("run"))
    return json.loads(Path("run/report.json").read_text("utf-8"))


def call(*arguments):
    return CliRunner().invoke(main, ["report", *arguments])


@pytest.mark.parametrize("place", ["run", "run/report.json"])
def test_the_summary_is_told_again_and_succeeds_whatever_it_says(written, place):
    result = call(place)
    assert result.exit_code == 0, result.output
    assert "1 of 2 checks fails." in result.output
    assert str(Path("run", "report.html")) in result.output


def test_it_writes_just_what_the_run_wrote(written):
    result = call("run", "--html", "again", "--markdown", "again/report.md")
    assert result.exit_code == 0, result.output
    for path in Path("run").rglob("*"):
        if path.is_file() and path.name != "report.json":
            again = Path("again", path.relative_to("run"))
            assert again.read_text("utf-8") == path.read_text("utf-8")


def test_it_writes_what_ci_reads(written):
    result = call(
        *("run", "--junit", "out/junit.xml", "--code-quality", "out/quality.json"),
        *("--badge", "out/badge.svg", "--report-url", "https://e.org/r/report.html"),
    )
    assert result.exit_code == 0, result.output
    text = Path("out/junit.xml").read_text("utf-8")
    assert ElementTree.fromstring(text)[0].get("failures") == "1"
    assert "https://e.org/r/cases/tutorial/weighted_sum.html#b" in text
    assert len(json.loads(Path("out/quality.json").read_text("utf-8"))) == 1
    assert "1 of 2 differs" in Path("out/badge.svg").read_text("utf-8")


def test_a_dash_prints_the_markdown_and_nothing_else(written):
    assert call("run", "--markdown", "-").output == markdown(written)


def test_a_baseline_is_held_against_it(make, written):
    write_all(make.run(make.agreeing(query="a"), make.agreeing(query="b")), Path("main"))
    result = call("run", "--baseline", "main/report.json", "--markdown", "-")
    assert "1 worse since the baseline main/report.json" in result.output


def test_annotations_are_printed_where_github_listens(written, monkeypatch):
    assert "::error" not in call("run").output
    assert "::error" in call("run", "--annotations", "github").output
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" in call("run").output
    assert "::error" not in call("run", "--annotations", "none").output


def test_the_job_summary_is_added_to_until_it_is_full(in_tmp, written, monkeypatch):
    summary = in_tmp / "summary.md"
    summary.write_text("Before.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert call("run", "--annotations", "github").exit_code == 0
    assert summary.read_text("utf-8") == "Before.\n" + markdown(written)
    summary.write_bytes(b"x" * 999_999)
    result = call("run", "--annotations", "github")
    assert "::notice::The job summary is full" in result.output
    assert summary.stat().st_size == 999_999


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_files_are_named_from_the_root_of_the_repository(in_tmp, written, monkeypatch, variable):
    monkeypatch.setenv(variable, str(in_tmp))
    (in_tmp / "sub").mkdir()
    monkeypatch.chdir(in_tmp / "sub")
    result = call("../run", "--annotations", "github")
    assert "::error file=sub/cases/tutorial/weighted_sum.yaml,line=14" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--badge", "badge.png"], "neither .json"),
        (["--report-url", "report.html"], "is not the address of a folder"),
        (["--report-url", "https://e.org/#top"], "is not the address of a folder"),
        (["--junit", "run"], "is a directory"),
        (["--annotations", "gitlab"], "'auto', 'github', 'none'"),
        (["--baseline", "nowhere.json"], "There is no report nowhere.json"),
        (["--html", "run/report.json"], "is a file"),
        (["--markdown", "run/report.json/x.md"], "cannot be written"),
        (["--color", "blue"], "'auto', 'always', 'never'"),
    ],
)
def test_a_wrong_option_is_refused(written, arguments, complaint):
    result = call("run", *arguments)
    assert result.exit_code == 2
    assert complaint in result.output
    assert "Traceback" not in result.output


def damaged(data, *path):
    """A document that lacks what a path of keys leads to."""
    data = json.loads(json.dumps(data))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(data)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda data: "", "is not JSON"),
        (lambda data: "[]", "is not a report of gradparity"),
        (lambda data: json.dumps({**data, "version": 99}), "is a report of version 99"),
        (lambda data: damaged(data, "checks", 0, "verdict"), "verdict is missing"),
        (lambda data: damaged(data, "totals"), "is damaged: it does not fit the schema"),
        (lambda data: damaged(data, "checks", 1, "script"), "is damaged: it does not fit"),
        (lambda data: json.dumps({**data, "cases": None}), "is damaged: it does not fit"),
        (lambda data: json.dumps({**data, "cases": []}), "is damaged: it does not fit"),
    ],
)
def test_what_is_no_report_is_refused(written, spoil, complaint):
    Path("bad.json").write_text(spoil(written), "utf-8")
    result = call("bad.json", "--junit", "junit.xml", "--markdown", "m.md")
    assert result.exit_code == 2
    assert "bad.json" in result.output
    assert complaint in result.output


def test_a_torn_report_is_refused(written):
    text = Path("run/report.json").read_text("utf-8")
    Path("torn.json").write_text(text[: text.index('"checks": [') + 40], "utf-8")
    result = call("torn.json")
    assert result.exit_code == 2
    assert "torn.json ends in the middle" in result.output


def test_no_report_at_all_is_refused(in_tmp):
    result = call("nowhere")
    assert result.exit_code == 2
    assert "There is no report nowhere" in result.output


def test_a_run_that_did_not_end_is_told_and_is_no_success(make, in_tmp):
    write_all(replace(make.run(make.agreeing()), interrupted=True), Path("cut"))
    result = call("cut")
    assert result.exit_code == 2
    assert "Interrupted after 1 check" in result.output
    assert "gradparity run --resume" in result.output


def test_a_run_that_did_not_end_is_no_baseline(make, written):
    write_all(replace(make.run(make.agreeing()), interrupted=True), Path("cut"))
    result = call("run", "--baseline", "cut")
    assert result.exit_code == 2
    assert "it is no baseline" in result.output
