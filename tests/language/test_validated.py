"""Files found valid are not looked at again until they, or the language, change."""

import pytest
from click.testing import CliRunner

from gradparity.commands.check import command
from gradparity.language import loading, validated

CASE = """\
about: A product.
inputs:
  a: {variable: 2.0}
graph: y = a * a
gradients: [{ys: y, xs: [a]}]
"""


@pytest.fixture
def looked_at(tmp_path, monkeypatch):
    """A folder with one case; the list of files that are really loaded."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "product.yaml").write_text(CASE)
    monkeypatch.chdir(tmp_path)
    load_file, seen = loading.load_file, []
    monkeypatch.setattr(
        loading, "load_file", lambda path, name: (seen.append(path.name), load_file(path, name))[1]
    )
    return seen


def check(*arguments):
    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.output


def test_a_valid_file_is_looked_at_once(looked_at):
    assert check() == check() == (0, "1 file, 1 check: all valid\n")
    assert looked_at == ["product.yaml"]


def test_a_changed_file_is_looked_at_again(looked_at, tmp_path):
    check()
    (tmp_path / "cases" / "product.yaml").write_text(CASE.replace("a * a", "a * b"))
    code, output = check()
    assert code == 2
    assert "product.yaml:4:16: error: unknown name 'b'" in output


def test_an_invalid_file_is_looked_at_each_time(looked_at, tmp_path):
    (tmp_path / "cases" / "product.yaml").write_text(CASE.replace("xs:", "x:"))
    assert check() == check()
    assert check()[0] == 2
    assert len(looked_at) == 3


def test_another_language_forgets(looked_at, monkeypatch):
    check()
    monkeypatch.setattr(validated, "_fingerprint_of_language", lambda: "another")
    check()
    assert len(looked_at) == 2


def test_no_cache_looks_and_leaves_no_trace(looked_at, tmp_path):
    check("--no-cache")
    check("--no-cache")
    assert len(looked_at) == 2
    assert not (tmp_path / ".gradparity_cache").exists()


def test_a_torn_memory_is_no_memory(looked_at, tmp_path):
    check()
    (tmp_path / ".gradparity_cache" / "valid_cases.json").write_text("{")
    assert check()[0] == 0
    assert len(looked_at) == 2
