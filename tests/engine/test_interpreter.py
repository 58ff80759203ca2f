"""--oracle-python: which interpreters can serve, and what is said of those that cannot."""

import sys

import pytest
from click.testing import CliRunner

from gradparity import interpreter
from gradparity.cli import main
from gradparity.engine import OracleStartError


@pytest.fixture
def pretending(tmp_path):
    """A program that answers every question in the same words, as an interpreter's path."""

    def make(answer, status=0):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\nexit {status}\n")
        path.chmod(0o755)
        return str(path)

    return make


def refusal(python):
    with pytest.raises(OracleStartError) as error:
        interpreter.examine(python)
    return str(error.value)


def test_an_interpreter_with_tensorflow_is_taken(pretending):
    interpreter.examine(pretending("('gradparity', [3, 7, 16], True)"))


def test_an_interpreter_without_tensorflow_is_told_how_to_install_it(pretending):
    python = pretending("('gradparity', [3, 12, 1], False)")
    assert f"{python} -m pip install tensorflow" in refusal(python)


def test_python_3_7_is_told_of_the_last_tensorflow_that_it_can_have(pretending):
    python = pretending("('gradparity', [3, 7, 16], False)")
    assert "pip install 'tensorflow==1.15.*' 'protobuf<3.21'" in refusal(python)


@pytest.mark.parametrize("version", ["[2, 7, 18]", "[3, 6, 15]"])
def test_a_python_that_is_too_old_is_named_with_what_is_needed(pretending, version):
    said = refusal(pretending(f"('gradparity', {version}, True)"))
    assert "the oracle needs 3.7 or later" in said


@pytest.mark.parametrize("answer", ["", "hello", "('gradparity',)", "[1, 2, 3]"])
def test_what_does_not_answer_as_python_is_none(pretending, answer):
    assert "does not answer as a Python interpreter" in refusal(pretending(answer))


def test_a_path_that_is_not_there_is_named():
    assert "/nowhere/python is not there" in refusal("/nowhere/python")


def test_a_file_that_cannot_be_run_is_named(tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    assert "cannot be run" in refusal(str(path))


def test_for_the_folder_of_an_environment_its_interpreter_is_proposed(tmp_path):
    assert f"{tmp_path}/bin/python" in refusal(str(tmp_path))


def test_the_question_is_one_that_this_python_answers():
    import subprocess

    done = subprocess.run([sys.executable, "-c", interpreter.PROBE], capture_output=True, text=True)
    assert done.stdout.startswith("('gradparity', [3, ")


CASE = """\
about: It triples.
source: by hand
inputs:
  x: {constant: 2.0}
graph: |
  y = x * 3.0
gradients:
  - {ys: y, xs: [x]}
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.yaml").write_text(CASE)
    return lambda *arguments: CliRunner().invoke(main, [*arguments])


@pytest.mark.parametrize("command", ["run", "record"])
def test_an_oracle_that_cannot_be_started_exits_with_3(call, command, tmp_path):
    result = call(command, "case.yaml", "--oracle-python", "/nowhere/python")
    assert result.exit_code == 3
    assert "--oracle-python: /nowhere/python is not there" in result.output
    assert not list(tmp_path.glob("rec*/*"))


@pytest.mark.parametrize(
    "call_",
    [
        ("run", "case.yaml", "--oracle", "recorded"),
        ("run", "case.yaml", "--in-process"),
        ("record", "case.yaml", "--changed"),
    ],
)
def test_options_that_contradict_it_exit_with_2(call, call_):
    assert call(*call_, "--oracle-python", sys.executable).exit_code == 2


def test_the_report_says_which_python_and_tensorflow_answered():
    from gradparity.reports.wording import versions_line

    oracle = {"tf1": {"namespace": "tensorflow.compat.v1", "version": "1.15.5", "python": "3.7.16"}}
    implementation = {"tf1": {"namespace": "numpy_tf", "version": "0.1.0", "python": "3.11.7"}}
    assert versions_line(oracle, implementation) == (
        "TensorFlow 1.15.5 on Python 3.7.16 (tf1) against numpy_tf 0.1.0"
    )
    oracle["tf1"]["python"] = "3.11.7"
    assert "Python" not in versions_line(oracle, implementation)
