"""`gradparity compare`: what it prints and writes, and how it exits."""

import json

import pytest

from gradparity.language.check import Tolerance
from gradparity.reports.document import check_data
from gradparity.reports.markdown import LIMIT


@pytest.fixture
def pair(make, written):
    """Two reports with one of each: worse, bits only, new, gone, the same."""
    near = make.outcome(make.tensor(1.0, 2.0000002))
    before = make.document(
        *map(make.check, ("a::same", "a::worse", "a::bits", "a::gone")), version="1.15.5"
    )
    after = make.document(
        make.check("a::same"),
        make.check("a::worse", implementation=make.outcome(None), verdict="differ"),
        make.check("a::bits", oracle=near),
        make.check("a::new"),
    )
    return written.write("before", before), written.write("after", after)


def test_nothing_changed_exits_with_0(call, pair):
    result = call("compare", pair[0], pair[0])
    assert result.exit_code == 0, result.output
    assert "Nothing changed in 4 checks." in result.output


def test_a_change_exits_with_1_and_is_explained(call, pair):
    result = call("compare", *pair)
    assert result.exit_code == 1, result.output
    for told in (
        "4 of 5 checks changed; verdicts: 1 worse.",
        "Worse (1)",
        "agree → differ       a::worse  cases/a.yaml:7",
        "because of the implementation",
        "numpy_tf: gradient 0 (x), None or a gradient: float32 [2] → None",
        "The same answers but for bits or words (1)",
        "gradient 0 (x), bits only, within the tolerance: 2.0 → 2.0000002 (1 ulp)",
        "New (1)",
        "Gone (1)",
        "version (tf1): 1.15.5 → 2.21.0",
        "another oracle: 1 (1 bits only, within the tolerance)",
    ):
        assert told in result.output


def test_what_is_ignored_does_not_count(call, pair, make, written):
    near = make.check(oracle=make.outcome(make.tensor(1.0, 2.0000002)))
    reports = [written.write(name, make.document(c)) for name, c in
               (("x", make.check()), ("y", near))]  # fmt: skip
    assert call("compare", *reports).exit_code == 1
    assert call("compare", *reports, "--ignore", "bits").exit_code == 0


def test_a_folder_stands_for_the_report_in_it(call, make, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text(json.dumps(make.document(make.check())))
    assert call("compare", tmp_path / "run", tmp_path / "run").exit_code == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not JSON at all", "is not JSON"),
        ('{"format": "something"}', "is not a report of gradparity"),
        ("[]", "is not a report of gradparity"),
        ('{"format": "gradparity-report", "version": 99}', "reads version 1"),
        ('{"format": "gradparity-report", "version": 1}', "oracle, implementation is missing"),
    ],
)
def test_what_is_no_report_exits_with_2_and_says_why(call, pair, tmp_path, content, told):
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    result = call("compare", pair[0], bad)
    assert result.exit_code == 2
    assert told in result.output
    assert "bad.json" in result.output


def test_a_file_that_is_not_there_exits_with_2(call, pair, tmp_path):
    result = call("compare", pair[0], tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "gradparity run --report" in result.output


def test_an_interrupted_run_is_compared_as_far_as_it_came_and_exits_with_2(call, make, written):
    whole = written.write("whole", make.document(make.check("a::1"), make.check("a::2")))
    part = written.write("part", make.document(make.check("a::1"), ended=False))
    result = call("compare", whole, part)
    assert result.exit_code == 2
    assert "Nothing changed in 1 check." in result.output
    assert "incomplete: the run was interrupted; it has 1 check" in result.output
    assert "1 check of the one run is not compared" in result.output


@pytest.mark.parametrize("cut", range(40, 700, 60))
def test_a_torn_report_is_read_as_far_as_it_goes_or_refused(call, make, written, cut):
    from gradparity.reports.document import to_text

    data = make.document(make.check("a::1"), make.check("a::2", verdict="differ"))
    whole = written.write("whole", data)
    torn = written.folder / "torn.json"
    text = to_text(data)
    torn.write_text(text[: len(text) - cut])
    result = call("compare", whole, torn)
    assert result.exit_code == 2
    assert "its file is torn" in result.output or "is missing" in result.output


def test_markdown_alone_goes_to_standard_output(call, pair):
    result = call("compare", *pair, "--markdown", "-")
    assert result.exit_code == 1
    assert result.output.startswith("### gradparity compare: 4 of 5 checks changed")
    assert "<details><summary>Worse (1)</summary>" in result.output
    assert "Worse (1)\n  agree" not in result.output


def test_markdown_stays_below_the_limit_of_a_comment(call, make, written):
    many = [make.check(f"a::{n}", verdict="differ") for n in range(3000)]
    before = written.write("before", make.document(*(make.check(c["id"]) for c in many)))
    after = written.write("after", make.document(*many))
    text = call("compare", before, after, "--markdown", "-").output
    assert len(text) <= LIMIT
    assert "changed checks are left out" in text


def test_html_is_one_file_in_which_nothing_of_a_report_is_markup(call, make, written):
    evil = "a::<script>alert(1)</script>"
    before = written.write("before", make.document(make.check(evil)))
    after = written.write("after", make.document(make.check(evil, verdict="differ")))
    page = written.folder / "out" / "page.html"
    assert call("compare", before, after, "--html", page).exit_code == 1
    text = page.read_text()
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text
    assert "<link" not in text
    assert "the judge or the ledger" in text


def test_a_page_that_cannot_be_written_exits_with_2(call, pair, tmp_path):
    (tmp_path / "file").write_text("")
    result = call("compare", *pair, "--html", tmp_path / "file" / "page.html")
    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_reports_of_runs_carry_what_comparing_needs(tmp_path):
    from dataclasses import replace

    import numpy as np

    from gradparity.judge.verdict import Verdict, Word
    from gradparity.language.check import Case, Check, Position
    from gradparity.outcome import DenseResult, Outcome
    from gradparity.program import Program
    from gradparity.results import CheckResult

    case = Case("a", tmp_path / "a.yaml", "It is.", "by hand", "y = x")
    program = Program("tf1", "ys = [x]\n", "gradients = []\n")
    check = Check("a::y~x", case, Position(case.path, 3, 1), program, ["y"], ["x"])
    answer = Outcome(gradients=[DenseResult("float32", (), np.float32(1))], op_types=["Exp"])

    def data(check):
        return check_data(CheckResult(check, answer, answer, Verdict(Word.AGREE, "equal")))

    plain = data(check)
    assert plain["tolerance"]["float32"]["ulp"] == 3
    edited = data(replace(check, program=replace(program, gradients="gradients = [x]\n")))
    expecting = data(replace(check, expect=[1.0]))
    tolerant = data(replace(check, tolerance=Tolerance("measured", ulp=9)))
    for other, key in ((edited, "program"), (expecting, "expectation"), (tolerant, "tolerance")):
        assert [k for k in plain if plain[k] != other[k] and k != "script"] == [key]
