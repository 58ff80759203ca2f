"""A run that is cut short leaves a readable journal, and is resumed as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

DRIVER = """\
from gradparity import engine
from gradparity.cli import main
engine.TENSORFLOW = "tame_tf"
main()
"""
RUN = ("run", "--impl", "wild_tf", "--jobs", "1")
JOURNAL = "reports/latest/report.jsonl"


@pytest.fixture
def cut_short(corpus, tmp_path, monkeypatch):
    """Runs four checks of which the third hangs, and ends the run by a signal meanwhile."""
    corpus("second/hang", op="cos")
    hanging = tmp_path / "hanging"

    def run(number):
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *RUN],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TELL_OF_HANGING": str(hanging)},
        )
        while not (hanging.exists() and judged(tmp_path) == 2) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
        # What hung was the machine's fault: the same check goes well from now on.
        monkeypatch.setenv("HANG_SECONDS", "0")
        return process.returncode, stderr

    return run


def judged(folder):
    path = folder / JOURNAL
    lines = path.read_text().splitlines() if path.exists() else []
    return sum('"verdict"' in line for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_resumed_reports_what_an_undisturbed_one_does(
    cut_short, call, report, tmp_path, number
):
    status, stderr = cut_short(number)
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    if number != signal.SIGKILL:
        assert "interrupted: 2 of 4 checks were judged; go on with" in stderr
        assert "end" not in report()
        assert len(report()["checks"]) == 2
    lines = [json.loads(line) for line in (tmp_path / JOURNAL).read_text().splitlines()]
    assert [line["verdict"] for line in lines if "verdict" in line] == ["agree", "agree"]
    result = call(*RUN, "--resume")
    assert result.exit_code == 0, result.output
    assert call(*RUN, "--report", "undisturbed").exit_code == 0
    assert report() == report("undisturbed")
    assert not (tmp_path / JOURNAL).exists()


def test_a_resumed_run_asks_only_what_is_left(cut_short, call, monkeypatch):
    from gradparity import engine

    cut_short(signal.SIGKILL)
    asked = []
    run = engine.run
    monkeypatch.setattr(
        engine, "run", lambda checks, **rest: (asked.extend(checks), run(checks, **rest))[1]
    )
    assert call(*RUN, "--resume").exit_code == 0
    assert [check.case.name for check in asked] == ["second/hang", "second/hang"]


def test_a_torn_last_line_is_asked_again(cut_short, call, report, tmp_path):
    cut_short(signal.SIGKILL)
    path = tmp_path / JOURNAL
    path.write_bytes(path.read_bytes()[:-20])
    assert call(*RUN, "--resume").exit_code == 0
    assert len(report()["checks"]) == 4


def test_a_check_edited_meanwhile_is_asked_again(cut_short, corpus, call, report):
    cut_short(signal.SIGKILL)
    corpus("first/triple", factor="9.0")
    assert call(*RUN, "--resume").exit_code == 0
    found = {check["id"]: check for check in report()["checks"]}
    assert found["first/triple::once"]["oracle"]["gradients"][0]["values"] == ["9.0"]


def test_an_expectation_edited_meanwhile_is_judged_anew(cut_short, corpus, call, report):
    cut_short(signal.SIGKILL)
    path = corpus("first/triple")
    path.write_text(path.read_text().replace("once, ys: y,", "once, expect: [4.0], ys: y,"))
    assert call(*RUN, "--resume").exit_code == 1
    found = {check["id"]: check["verdict"] for check in report()["checks"]}
    assert found["first/triple::once"] == "oracle-changed"


def test_crashes_and_their_reasons_are_kept(cut_short, corpus, call, report, monkeypatch):
    corpus("first/abort", op="sin")
    monkeypatch.setattr(sys.modules[__name__], "judged", lambda folder: 2)
    cut_short(signal.SIGKILL)
    assert call(*RUN, "--resume").exit_code == 1
    assert call(*RUN, "--report", "undisturbed").exit_code == 1
    assert report() == report("undisturbed")
    assert "killed by SIGABRT" in str(report())


def test_another_run_is_not_resumed(cut_short, call, tmp_path):
    cut_short(signal.SIGKILL)
    result = call("run", "--impl", "tame_tf", "--resume")
    assert result.exit_code == 2
    assert "--impl was 'wild_tf' and is 'tame_tf'" in result.output
    assert judged(tmp_path) == 2


def test_another_version_is_not_mixed_in(cut_short, call, tmp_path):
    cut_short(signal.SIGKILL)
    path = tmp_path / JOURNAL
    path.write_text(path.read_text().replace('"version":"0.0.1"', '"version":"0.0.0"'))
    result = call(*RUN, "--resume")
    assert result.exit_code == 2
    assert "version was '0.0.0' and is '0.0.1'" in result.output
    assert judged(tmp_path) == 2


def test_resuming_nothing_starts_from_the_beginning_and_says_so(corpus, call):
    result = call("run", "--impl", "tame_tf", "--resume")
    assert result.exit_code == 0
    assert "nothing to resume in reports/latest: starting from the beginning" in result.output


def test_a_run_cut_short_leaves_no_earlier_report_to_be_mistaken_for_its_own(
    cut_short, corpus, call, tmp_path
):
    assert call("run", "--impl", "tame_tf").exit_code == 0
    cut_short(signal.SIGKILL)
    assert not (tmp_path / "reports" / "latest" / "report.json").exists()


def test_a_run_that_cannot_start_leaves_the_earlier_report(corpus, call, no_oracle, report):
    assert call("run", "--impl", "tame_tf").exit_code == 0
    no_oracle()
    assert call("run", "--impl", "tame_tf").exit_code == 3
    assert "end" in report()
