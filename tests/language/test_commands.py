"""`gradparity check` and `gradparity new`, as people meet them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradparity.commands import check, new
from gradparity.language import loading

VALID = "about: a\ninputs: {w: {variable: 1}}\ngradients: [{ys: w, xs: w, stop_gradients: []}]\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command, *arguments):
    return CliRunner().invoke(command.command, list(map(str, arguments)))


def test_check_counts_what_is_valid(here):
    (here / "cases").mkdir()
    (here / "cases/a.yaml").write_text(VALID)
    result = run(check)
    assert (result.exit_code, result.stdout) == (0, "1 file, 1 check: all valid\n")


def test_check_says_what_is_wrong_and_exits_with_2(here):
    (here / "a.yaml").write_text("abuot: a\n" + VALID)
    (here / "b.yaml").write_text(VALID)
    result = run(check, "a.yaml", "b.yaml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "a.yaml:1:1: error: unknown key 'abuot'\n"
        "    abuot: a\n"
        "    ^\n"
        "    did you mean 'about'?\n"
        "1 problem in 1 file\n"
    )


def test_check_without_any_case_exits_with_2(here):
    result = run(check)
    assert result.exit_code == 2
    assert "cases:1:1: error: there is no such file or folder" in result.stderr
    assert "`gradparity new NAME` writes a case to start from" in result.stderr


def test_new_writes_a_case_that_is_valid(here):
    result = run(new, "math/square_root")
    assert result.exit_code == 0
    assert "gradparity run cases/math/square_root.yaml" in result.stdout
    checks = loading.load(["cases"])
    assert [c.id for c in checks] == ["math/square_root::z~x", "math/square_root::z~x@x"]
    assert checks[0].expect == ([2.0, -2.0, -1.5],)


def test_new_names_the_schema_so_that_an_editor_finds_it(here):
    run(new, "a")
    first = (here / "cases/a.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={new.SCHEMA.as_uri()}"
    assert new.SCHEMA.is_file()


def test_new_names_a_schema_of_the_same_project_by_a_relative_path(here, monkeypatch):
    schema = here / "venv/schemas/case.schema.json"
    monkeypatch.setattr(new, "SCHEMA", schema)
    run(new, "deep/a")
    first = (here / "cases/deep/a.yaml").read_text().splitlines()[0]
    assert first.endswith("$schema=../../venv/schemas/case.schema.json")


def test_new_takes_a_path(here):
    assert run(new, "mine/b.yaml").exit_code == 0
    assert (here / "mine/b.yaml").is_file()


def test_new_never_overwrites(here):
    (here / "a.yaml").write_text("mine")
    result = run(new, "a.yaml")
    assert result.exit_code == 2
    assert "there already" in result.stderr
    assert (here / "a.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["../a", "/a", "a b", "", ".a"])
def test_new_refuses_a_name_that_is_no_name(here, name):
    result = run(new, name)
    assert result.exit_code == 2
    assert "is not a name for a case" in result.stderr
    assert list(here.iterdir()) == []


def test_check_imports_no_numpy_scipy_or_tensorflow(here):
    (here / "a.yaml").write_text(VALID)
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gradparity", "check", "a.yaml"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "1 file, 1 check: all valid\n"
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert imported & {"numpy", "scipy", "tensorflow", "numpy_tf", "rich"} == set()
    assert "yaml" in imported


HOSTILE = """\
about: A case that would write a file if any of it were run.
inputs: {w: {variable: 1}}
graph: |
  CODE
gradients: [{ys: w, xs: w}]
"""


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE.replace("CODE", "__import__('pathlib').Path('hacked').touch()"),
        HOSTILE.replace("CODE", "tf.io.write_file('hacked', 'x')"),
        HOSTILE.replace("inputs:", "inputs: !!python/object/apply:os.mkdir [hacked]\nother:"),
        HOSTILE.replace("ys: w", "ys: \"open('hacked', 'w')\""),
    ],
)
def test_nothing_of_a_hostile_case_is_executed(here, text):
    (here / "a.yaml").write_text(text)
    assert run(check, "a.yaml").exit_code == 2
    assert [path.name for path in here.iterdir()] == ["a.yaml"]
    assert Path("hacked").exists() is False
