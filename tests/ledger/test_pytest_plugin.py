"""pytest holds to the ledger of the implementation as `gradparity run` does."""

import importlib.metadata
import json

import numpy  # noqa: F401  (pytester unloads what its runs import; NumPy loads but once)
import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def outcomes(pytester, corpus, monkeypatch):
    """Runs pytest on the two checks that wrong_tf gets wrong, under a ledger."""
    entry_points = importlib.metadata.entry_points(group="pytest11")
    installed = any(entry.value == "gradparity.pytest_plugin" for entry in entry_points)
    plugin = () if installed else ("-p", "gradparity.pytest_plugin")
    monkeypatch.chdir(pytester.path)
    pytester.mkdir("cases").joinpath("triple.yaml").write_text(corpus.read_text())
    pytester.makeconftest("from gradparity import engine\nengine.TENSORFLOW = 'tame_tf'\n")

    def run(entries, impl="wrong_tf"):
        (pytester.path / "ledger.yaml").write_text(json.dumps({"divergences": entries}))
        pytester.makeini(
            "[pytest]\ngradparity_cases = cases\ngradparity_ledger = ledger.yaml\n"
            f"gradparity_impl = {impl}\n"
        )
        return pytester.runpytest_inprocess(*plugin)

    return run


def test_a_known_divergence_passes_and_the_other_check_fails(outcomes):
    result = outcomes([{"checks": "triple::first", "kind": "value", "reason": "so"}])
    result.assert_outcomes(passed=1, failed=1)


def test_a_healed_divergence_fails(outcomes):
    entries = [{"checks": "triple::first", "kind": "value", "reason": "so"}]
    result = outcomes(entries, impl="tame_tf")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*HEALED*"])


def test_a_malformed_ledger_is_shown_with_its_place_and_no_traceback(outcomes):
    result = outcomes([{"checks": "triple::first", "kind": "value"}])
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*ledger.yaml:1:*the entry has no `reason`*"])
    result.stdout.no_fnmatch_line("*Traceback*")
