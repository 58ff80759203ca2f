"""The command line: what it prints, what it imports, how it exits."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from gradparity import engine
from gradparity.cli import COMMANDS, main

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {{constant: 2.0}}
graph: |
  y = tf.{op}(x) * 3.0
gradients:
  - {{id: through-{op}, ys: y, xs: [x]}}
"""


@pytest.fixture
def corpus(tmp_path, found_by_children, monkeypatch):
    """A folder with a case, in which tame_tf is the oracle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "TENSORFLOW", "tame_tf")

    def add(name, op="identity"):
        path = tmp_path / "cases" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(CASE.format(op=op))

    add("first/triple")
    return add


def call(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_a_run_in_which_all_agree_exits_with_0_and_writes_its_reports(corpus, tmp_path):
    result = call("run", "--impl", "tame_tf")
    assert result.exit_code == 0, result.output
    assert "agrees" in result.output
    assert str(os.path.join("reports", "latest", "report.html")) in result.output
    for name in ("report.json", "report.md", "report.html"):
        assert (tmp_path / "reports" / "latest" / name).is_file()


def test_a_check_that_fails_is_named_and_the_exit_status_is_1(corpus, tmp_path):
    result = call("run", "--impl", "wrong_tf", "--report", "elsewhere")
    assert result.exit_code == 1, result.output
    assert "differ" in result.output
    assert "first/triple::through-identity" in result.output
    assert (tmp_path / "elsewhere" / "report.json").is_file()


def test_other_checks_are_judged_when_one_crashes_and_one_hangs(corpus, tmp_path):
    corpus("first/crash", op="sin")
    corpus("first/hang", op="cos")
    result = call("run", "--impl", "wild_tf", "--time-limit", "0.5")
    assert result.exit_code == 1, result.output
    report = json.loads((tmp_path / "reports" / "latest" / "report.json").read_text())
    assert {check["id"]: check["verdict"] for check in report["checks"]} == {
        "first/crash::through-sin": "crashed",
        "first/hang::through-cos": "timed-out",
        "first/triple::through-identity": "agree",
    }


def test_an_invalid_case_is_shown_before_anything_is_asked(corpus, monkeypatch):
    corpus("first/bad", op="sinn")
    monkeypatch.setattr(engine, "run", lambda *a, **k: pytest.fail("started"))
    result = call("run", "--impl", "tame_tf")
    assert result.exit_code == 2
    assert "bad.yaml:6" in result.output
    assert "Traceback" not in result.output


def test_an_implementation_that_is_not_there_exits_with_2(corpus):
    result = call("run", "--impl", "nowhere_tf")
    assert result.exit_code == 2
    assert "no module named 'nowhere_tf'" in result.output


def test_an_implementation_in_the_current_folder_is_found(corpus, tmp_path):
    (tmp_path / "my_tf.py").write_text("from tame_tf import *\n")
    assert call("run", "--impl", "my_tf").exit_code == 0


def test_an_oracle_that_cannot_be_started_exits_with_3_and_says_what_to_do(corpus, monkeypatch):
    monkeypatch.setattr(engine, "TENSORFLOW", "nowhere_tf")
    result = call("run", "--impl", "tame_tf")
    assert result.exit_code == 3
    assert "pip install 'gradparity[tensorflow]'" in result.output


@pytest.mark.parametrize("expression", ["identity", "through and not sin", "first"])
def test_k_selects_checks(corpus, expression):
    corpus("other/wrong", op="sin")
    if expression == "first":
        result = call("run", "--impl", "tame_tf", "-k", expression)
    else:
        result = call("run", "--impl", "wild_tf", "-k", expression)
    assert result.exit_code == 0, result.output


def test_a_run_that_selects_nothing_is_not_green(corpus):
    result = call("run", "--impl", "tame_tf", "-k", "nonsense")
    assert result.exit_code == 2
    assert "-k 'nonsense' matches no check in cases (1 check there)" in result.output


def test_a_malformed_expression_is_refused(corpus):
    result = call("run", "--impl", "tame_tf", "-k", "a or")
    assert result.exit_code == 2
    assert "a word was expected" in result.output


def test_a_folder_without_cases_is_not_green(corpus, tmp_path):
    (tmp_path / "empty").mkdir()
    result = call("run", "--impl", "tame_tf", "empty")
    assert result.exit_code == 2
    assert "no case files here" in result.output


def test_a_folder_that_is_not_there_is_named(corpus):
    result = call("run", "--impl", "tame_tf", "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.output


def test_a_report_folder_that_cannot_be_made_is_told_before_anything_is_started(
    corpus, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(engine, "run", lambda *a, **k: pytest.fail("started"))
    result = call("run", "--impl", "tame_tf", "--report", "file/below")
    assert result.exit_code == 2
    assert "The reports cannot be written" in result.output


def test_in_process_comes_to_the_same(corpus, namespaces, monkeypatch):
    monkeypatch.syspath_prepend(str(namespaces))
    assert call("run", "--impl", "wrong_tf", "--in-process").exit_code == 1
    assert call("run", "--impl", "tame_tf", "--in-process").exit_code == 0


DRIVER = """\
from gradparity import engine
from gradparity.cli import main
engine.TENSORFLOW = "tame_tf"
main()
"""


def test_ctrl_c_writes_the_reports_of_what_was_done_and_exits_with_130(corpus, tmp_path):
    corpus("second/hang", op="cos")
    hanging = tmp_path / "hanging"
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "run", "--impl", "wild_tf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TELL_OF_HANGING": str(hanging)},
    )
    while not hanging.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.5)  # for the other check's verdict
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert "interrupted: 1 of 2 checks were judged" in stderr
    report = json.loads((tmp_path / "reports" / "latest" / "report.json").read_text())
    assert [check["id"] for check in report["checks"]] == ["first/triple::through-identity"]


def test_a_terminal_shows_progress_and_each_failure_as_it_happens(corpus):
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "run", "--impl", "wrong_tf"],
        stdout=theirs,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    process.wait(20)
    os.close(ours)
    assert process.returncode == 1
    assert b"1/1" in shown
    assert shown.count(b"first/triple::through-identity") >= 2  # at once, and in the summary


def _read(descriptor):
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other end has closed
        return b""


HEAVY = ("tensorflow", "numpy", "scipy", "pydantic", "yaml", "jinja2", "rich", "pygments")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_imports_nothing_heavy(found_by_children, arguments):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gradparity", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "gradparity.cli" in imported
    assert not {name for name in imported if name.partition(".")[0] in HEAVY}


def test_help_lists_every_command_of_the_table():
    shown = call("--help").output
    for name, entry in COMMANDS.items():
        assert name in shown
        assert entry.help in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name):
    result = call(name, "--help")
    assert result.exit_code == 0
    assert "Usage: main " + name in result.output


def test_an_unknown_command_exits_with_2():
    assert call("nonsense").exit_code == 2


def test_a_run_writes_what_ci_reads_and_links_to_the_report(corpus, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    outputs = ["--junit", "out/junit.xml", "--badge", "out/b.json", "--code-quality", "out/q.json"]
    url = ["--report-url", "https://e.org/r"]
    result = call("run", "--impl", "wrong_tf", *outputs, *url)
    assert result.exit_code == 1, result.output
    place = "file=cases/first/triple.yaml,line=8"
    assert f"::error {place},title=differ%3A first/triple%3A%3Athrough-identity" in result.output
    page = "https://e.org/r/cases/first/triple.html#through-identity"
    for name in ("junit.xml", "q.json"):
        assert page in (tmp_path / "out" / name).read_text("utf-8")
    assert page in summary.read_text("utf-8")
    assert summary.read_text("utf-8") == (tmp_path / "reports/latest/report.md").read_text("utf-8")
    assert json.loads((tmp_path / "out" / "b.json").read_text())["message"] == "1 of 1 differs"


def test_a_run_says_what_changed_since_its_baseline(corpus):
    assert call("run", "--impl", "tame_tf", "--report", "main").exit_code == 0
    result = call("run", "--impl", "wrong_tf", "--baseline", "main")
    assert "1 worse since the baseline main" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--baseline", "nowhere"], "There is no report nowhere"),
        (["--junit", "file/junit.xml"], "cannot be written"),
        (["--badge", "badge.txt"], "neither .json"),
        (["--report-url", "r"], "is not the address of a folder"),
    ],
)
def test_wrong_outputs_are_told_before_anything_is_started(
    corpus, tmp_path, monkeypatch, arguments, complaint
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(engine, "run", lambda *a, **k: pytest.fail("started"))
    result = call("run", "--impl", "tame_tf", *arguments)
    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize(
    ("color", "environment", "coloured"),
    [
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_as_the_user_wants_it(corpus, monkeypatch, color, environment, coloured):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = call("run", "--impl", "tame_tf", "--color", color)
    assert ("\x1b[1;32mThe one check agrees." in result.output) is coloured


def test_without_colour_there_is_not_even_bold(corpus, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in call("run", "--impl", "tame_tf", "--color", "never").output


def test_a_misspelt_command_is_answered_with_the_nearest():
    result = call("rnu")
    assert result.exit_code == 2
    assert "No such command 'rnu'. Did you mean 'run'?" in result.output
