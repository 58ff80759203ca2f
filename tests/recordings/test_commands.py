"""Recorded answers stand in for the oracle, and are found out when they are stale."""

import json
import shutil
import subprocess
import sys

import pytest


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def verdicts(report):
    return {check["id"]: check["verdict"] for check in report["checks"]}


RECORDED = ("run", "--impl", "tame_tf", "--oracle", "recorded")


@pytest.fixture
def recorded(corpus, call, no_oracle, tmp_path):
    """Two recorded cases; from then on there is no oracle. Gives the path of the first."""
    corpus("second/other", factor="5.0")
    result = call("record")
    assert result.exit_code == 0, result.output
    assert "4 checks recorded from TensorFlow 0.0.1 in recordings: 2 files written" in result.output
    no_oracle()
    return tmp_path / "recordings" / "0.0.1" / "cases" / "first" / "triple.json"


@pytest.mark.parametrize("impl", ["tame_tf", "wrong_tf", "wild_tf"])
def test_a_recorded_run_reports_byte_for_byte_what_a_live_one_does(
    corpus, call, report, no_oracle, impl
):
    corpus("first/aborts", op="sin")
    corpus("first/invalid", op="tanh")
    # What makes a check differ, and who is wrong, a recording cannot be asked.
    run = ("run", "--impl", impl, "--blame", "0", "--arbiter", "none", "--report")
    live = call(*run, "live")
    assert call("record").exit_code == 0
    no_oracle()
    replayed = call(*run, "replayed", "--oracle", "recorded")
    assert replayed.exit_code == live.exit_code == 1
    live, replayed = report("live"), report("replayed")
    for description in replayed["oracle"].values():
        assert description.pop("recorded") is True
    assert json.dumps(replayed) == json.dumps(live)


def test_a_crash_of_the_oracle_is_recorded_with_how_it_ended(corpus, call, monkeypatch, report):
    from gradparity import engine

    corpus("first/aborts", op="sin")
    monkeypatch.setattr(engine, "TENSORFLOW", "wild_tf")
    assert call("record").exit_code == 0
    assert call(*RECORDED).exit_code == 1
    found = {check["id"]: check for check in report()["checks"]}
    assert found["first/aborts::once"]["verdict"] == "crashed"
    assert found["first/aborts::once"]["reason"] == "TensorFlow crashed: killed by SIGABRT"
    assert found["first/triple::once"]["verdict"] == "agree"


def test_the_summary_says_that_the_oracle_is_recorded(recorded, call):
    assert "TensorFlow 0.0.1, recorded" in call(*RECORDED).output.replace("tame_tf", "TensorFlow")


def test_a_new_check_is_unchecked_with_the_command_that_records_it(recorded, corpus, call, report):
    corpus("second/new", factor="11.0")
    result = call(*RECORDED)
    assert result.exit_code == 1
    assert verdicts(report())["second/new::once"] == "unchecked"
    assert verdicts(report())["first/triple::once"] == "agree"
    assert "never recorded; record it: gradparity record cases/second/new.yaml" in result.output


def test_an_edited_check_is_unchecked_and_its_neighbours_are_not(recorded, corpus, call, report):
    path = corpus("first/triple")
    edit(path, "ys: [y, y * 2.0]", "ys: [y, y * 7.0]")
    result = call(*RECORDED)
    assert verdicts(report())["first/triple::twice"] == "unchecked"
    assert verdicts(report())["first/triple::once"] == "agree"
    assert "the check was edited since it was recorded" in result.output


def test_another_expectation_or_id_leaves_a_recording_fresh(recorded, corpus, call, report):
    path = corpus("first/triple")
    edit(path, "{id: once, ys: y, xs: [x]}", "{id: one, ys: y, xs: [x], expect: [3.0]}")
    assert call(*RECORDED).exit_code == 0
    assert verdicts(report())["first/triple::one"] == "agree"


def test_a_check_recorded_from_another_version_alone_says_which(recorded, call, report, tmp_path):
    other = tmp_path / "recordings" / "0.0.10"
    shutil.copytree(tmp_path / "recordings" / "0.0.1", other)
    (other / "cases" / "first" / "triple.json").unlink()
    result = call(*RECORDED)
    assert "recorded from TensorFlow 0.0.1, not from 0.0.10" in result.output
    assert verdicts(report())["second/other::once"] == "agree"
    assert call(*RECORDED, "--oracle-version", "0.0.1").exit_code == 0


def test_recordings_made_under_other_settings_are_stale(recorded, call, tmp_path):
    configurations = tmp_path / "recordings" / "0.0.1" / "configurations.json"
    edit(configurations, '"tame_tf"', '"tensorflow.compat.v1"')
    result = call(*RECORDED)
    assert result.exit_code == 1
    assert "other settings (CUDA_VISIBLE_DEVICES was None, is '-1'" in result.output


def test_no_recordings_at_all_exits_with_3(corpus, call):
    result = call(*RECORDED)
    assert result.exit_code == 3
    assert "There are no recordings in recordings" in result.output
    assert "gradparity record" in result.output


def test_a_version_that_was_not_recorded_exits_with_3_and_names_those_that_were(recorded, call):
    result = call(*RECORDED, "--oracle-version", "9.9")
    assert result.exit_code == 3
    assert "only from 0.0.1" in result.output


def test_a_torn_recording_exits_with_2_and_is_named(recorded, call):
    recorded.write_text(recorded.read_text()[:100])
    result = call(*RECORDED)
    assert result.exit_code == 2
    assert "triple.json is not JSON" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "options", [["--oracle-version", "1"], ["--oracle", "recorded", "--check-recordings"]]
)
def test_options_that_contradict_each_other_are_refused(corpus, call, options):
    assert call("run", *options).exit_code == 2


def test_a_recorded_run_imports_no_tensorflow(recorded, tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "gradparity", *RECORDED]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert "gradparity.recordings.source" in imported
    assert not {name for name in imported if name.partition(".")[0] == "tensorflow"}


def live(call, *more):
    return call("run", "--impl", "tame_tf", *more)


@pytest.fixture
def watched(corpus, call, tmp_path):
    """As `recorded`, but the oracle is still there."""
    assert call("record").exit_code == 0
    return tmp_path / "recordings" / "0.0.1" / "cases" / "first" / "triple.json"


def test_a_live_run_says_that_all_recordings_are_fresh(watched, call):
    result = live(call, "--check-recordings")
    assert result.exit_code == 0, result.output
    assert "recordings: all 2 fresh" in result.output


def test_a_live_run_explains_a_recording_that_contradicts_it_and_fails(watched, call):
    edit(watched, "float32 [] 3.0", "float32 [] 3.5")
    result = live(call)
    assert result.exit_code == 1
    assert "recordings: 2 of 2 stale" in result.output
    assert "gradient 0 was float32 [] 3.5, is float32 [] 3.0" in result.output
    assert "gradparity record cases/first/triple.yaml" in result.output


def test_other_bits_of_another_processor_are_told_and_fail_only_when_all_bits_are_demanded(
    corpus, call, tmp_path
):
    case = corpus("first/triple")
    case.write_text(case.read_text() + "tolerance: {ulp: 1, why: processors differ}\n")
    assert call("record").exit_code == 0
    watched = tmp_path / "recordings" / "0.0.1" / "cases" / "first" / "triple.json"
    edit(watched, "float32 [] 3.0", "float32 [] 3.0000002")
    result = live(call)
    assert result.exit_code == 0
    assert "2 other bits within the tolerance, as another processor may give" in result.output
    assert live(call, "--check-recordings").exit_code == 1


@pytest.mark.parametrize(
    ("recorded", "found_again"),
    [
        ('"float32 [] 3.0"', "null"),
        ('"float32 [] 3.0"', '"float64 [] 3.0"'),
        ('"float32 [] 6.0"', '"float32 [] static unknown 6.0"'),
        ('"all": ""', '"all": "Mul"'),
    ],
)
def test_what_is_no_matter_of_bits_contradicts_however_near_the_values(
    watched, call, recorded, found_again
):
    edit(watched, recorded, found_again)
    assert live(call).exit_code == 1


def test_a_check_that_is_not_recorded_yet_fails_no_live_run(watched, corpus, call):
    corpus("second/new", factor="11.0")
    result = live(call)
    assert result.exit_code == 0
    assert "2 not recorded" in result.output
    assert live(call, "--check-recordings").exit_code == 1


def test_a_live_run_without_recordings_is_silent_unless_they_are_demanded(corpus, call):
    assert "recordings" not in live(call).output
    result = live(call, "--check-recordings")
    assert result.exit_code == 1
    assert "recordings: none of these 2 checks" in result.output


def test_record_check_writes_nothing_and_exits_with_1_when_stale(watched, corpus, call):
    assert call("record", "--check").exit_code == 0
    edit(watched, "float32 [] 3.0", "float32 [] 3.5")
    before = watched.read_bytes()
    assert call("record", "--check").exit_code == 1
    assert watched.read_bytes() == before
    assert call("record").exit_code == 0
    assert call("record", "--check").exit_code == 0


def test_recordings_of_cases_that_are_gone_are_found_and_removed(watched, corpus, call, tmp_path):
    corpus("second/other")
    call("record")
    (tmp_path / "cases" / "first" / "triple.yaml").unlink()
    result = call("record", "--check")
    assert result.exit_code == 1
    assert "there is no such case file any more" in result.output
    assert call("record", "cases/second").exit_code == 0
    assert watched.exists()  # that folder says nothing about the other
    assert "1 removed" in call("record").output
    assert not watched.parent.exists()


def test_recording_again_changes_nothing_not_even_on_another_machine(watched, call, tmp_path):
    configurations = tmp_path / "recordings" / "0.0.1" / "configurations.json"
    edit(configurations, '"python": "', '"python": "before ')
    before = watched.read_bytes(), configurations.read_bytes()
    assert "0 files written, 1 as they were" in call("record").output
    assert (watched.read_bytes(), configurations.read_bytes()) == before


def test_changed_asks_for_new_and_edited_files_alone(watched, corpus, call, no_oracle):
    corpus("second/other")
    result = call("record", "--changed")
    assert "2 checks recorded" in result.output
    no_oracle()
    result = call("record", "--changed")
    assert result.exit_code == 0
    assert "nothing to record" in result.output


def test_an_oracle_that_is_not_there_cannot_be_recorded(corpus, call, no_oracle, tmp_path):
    no_oracle()
    result = call("record")
    assert result.exit_code == 3
    assert "pip install 'gradparity[tensorflow]'" in result.output
    assert not (tmp_path / "recordings").exists()
