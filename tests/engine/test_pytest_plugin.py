"""The pytest plugin: case files as native items, and nobody else's files touched."""

import importlib.metadata
import xml.etree.ElementTree as ElementTree

import numpy  # noqa: F401  (pytester unloads what its runs import; NumPy loads but once)
import pytest

from gradparity import engine

pytest_plugins = ["pytester"]

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {constant: 2.0}
graph: |
  y = tf.identity(x) * 3.0
gradients:
  - {id: good, ys: y, xs: [x]}
  - {id: weighted, ys: y * 5.0, xs: [x]}
"""
CRASH = CASE.replace("tf.identity", "tf.sin")


@pytest.fixture
def project(pytester, found_by_children, monkeypatch):
    """A project that has gradparity's cases, in which tame_tf is the oracle."""
    monkeypatch.setattr(engine, "TENSORFLOW", "tame_tf")
    pytester.makeini("[pytest]\ngradparity_cases = cases\ngradparity_impl = tame_tf\n")
    pytester.makeconftest("from gradparity import engine\nengine.TENSORFLOW = 'tame_tf'\n")
    cases = pytester.mkdir("cases") / "first"
    cases.mkdir()
    (cases / "triple.yaml").write_text(CASE)
    return pytester


@pytest.fixture
def run(pytester):
    """Runs pytest with the plugin, in this process unless told otherwise."""
    entry_points = importlib.metadata.entry_points(group="pytest11")
    installed = any(entry.value == "gradparity.pytest_plugin" for entry in entry_points)
    plugin = () if installed else ("-p", "gradparity.pytest_plugin")

    def run(*arguments, alone=False):
        start = pytester.runpytest_subprocess if alone else pytester.runpytest_inprocess
        return start(*plugin, *arguments)

    return run


def add(project, name, text):
    (project.path / "cases" / "first" / f"{name}.yaml").write_text(text)


def test_checks_are_items_named_by_their_part_of_the_id(project, run):
    result = run("--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [
            "cases/first/triple.yaml::good",
            "cases/first/triple.yaml::weighted",
            "2 tests collected in *",
        ]
    )


def test_checks_that_agree_pass(project, run):
    run().assert_outcomes(passed=2)


def test_a_failure_reads_like_a_bug_report(project, run):
    result = run("--gradparity-impl", "wrong_tf", "-k", "good")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "*DIFFER: *",
            "*first/triple::good*",
            "*first/triple.yaml:8*",
            "*It triples.*",
            "*y = tf.identity(x) * 3.0*",
            "*tame_tf*3.0*",
            "*wrong_tf*6.0*",
            "*import tensorflow.compat.v1 as tf*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_ids_are_those_of_a_run_of_the_whole_folder(project, run):
    project.makeini("[pytest]\ngradparity_cases = corpus\ngradparity_impl = wrong_tf\n")
    (project.path / "cases").rename(project.path / "corpus")
    run("corpus/first", "-k", "good").stdout.fnmatch_lines(["*first/triple::good*"])


def test_a_crash_fails_its_own_item_alone(project, run):
    add(project, "crash", CRASH)
    result = run("--gradparity-impl", "wild_tf")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*CRASHED: the implementation crashed: killed by SIGABRT*"])


def test_an_invalid_case_is_a_collection_error_with_the_clear_text(project, run):
    add(project, "typo", CASE.replace("inputs:", "imputs:"))
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*typo.yaml:3:1: error: *imputs*", "*inputs*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*loading.py*")


def test_k_m_and_x_work(project, run):
    run("-k", "weighted").assert_outcomes(passed=1, deselected=1)
    run("-k", "triple").assert_outcomes(passed=2)
    run("-m", "gradparity", "--strict-markers").assert_outcomes(passed=2)
    run("-m", "not gradparity").assert_outcomes(deselected=2)
    run("-x", "--gradparity-impl", "wrong_tf").assert_outcomes(failed=1)


def test_lf_runs_only_what_failed(project, run):
    run("--gradparity-impl", "wrong_tf", "-k", "good").assert_outcomes(failed=1, deselected=1)
    run("--lf", "-v").stdout.fnmatch_lines(["*::good PASSED*", "* 1 passed*"])


def test_xdist_sees_the_same_ids_in_every_process(project, run):
    for number in range(4):
        add(project, f"copy{number}", CASE)
    run("-n", "2", alone=True).assert_outcomes(passed=10)


def test_junitxml_has_every_check_and_its_verdict(project, run):
    run("--junitxml", "found.xml", "--gradparity-impl", "wrong_tf")
    found = ElementTree.parse(project.path / "found.xml").getroot().findall(".//testcase")
    assert [case.get("name") for case in found] == ["good", "weighted"]
    assert found[0].find("properties/property").get("value") == "differ"
    assert "DIFFER" in found[0].find("failure").text


def test_an_implementation_beside_the_ini_file_is_found(project, run):
    project.makepyfile(my_tf="from tame_tf import *")
    run("--gradparity-impl", "my_tf").assert_outcomes(passed=2)


def test_an_implementation_is_found_by_the_name_that_a_package_gave_it(project, run):
    metadata = project.mkdir("acme-1.0.dist-info")
    (metadata / "entry_points.txt").write_text("[gradparity.implementations]\nacme = wrong_tf\n")
    project.syspathinsert()
    run("--gradparity-impl", "acme").assert_outcomes(failed=2)


def test_a_name_that_two_packages_give_away_ends_the_session_before_it_begins(project, run):
    for package in ("acme", "rival"):
        metadata = project.mkdir(f"{package}-1.0.dist-info")
        entry = f"[gradparity.implementations]\nfast = {package}\n"
        (metadata / "entry_points.txt").write_text(entry)
    project.syspathinsert()
    result = run("--gradparity-impl", "fast")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: Several packages call an implementation 'fast': acme, rival*"]
    )


def test_a_side_that_cannot_be_started_is_told_in_every_item_without_a_traceback(project, run):
    result = run("--gradparity-impl", "nowhere_tf")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*no module named 'nowhere_tf'*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_python_tests_beside_the_cases_run_as_ever(project, run):
    project.makepyfile("def test_one(): pass")
    run().assert_outcomes(passed=3)


@pytest.mark.parametrize("name", ["data.yaml", "data.yml", "cases/other.yaml"])
def test_a_project_with_yaml_of_its_own_is_not_touched(pytester, found_by_children, run, name):
    pytester.makepyfile(
        "import sys\n"
        "def test_light():\n"
        "    heavy = {'numpy', 'yaml', 'pydantic', 'gradparity.engine', 'gradparity.language'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    path = pytester.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("key: [unclosed\n")
    run("--strict-config", alone=True).assert_outcomes(passed=1)


def test_yaml_outside_the_configured_folder_is_not_touched(project, run):
    (project.path / "config.yaml").write_text("key: [unclosed\n")
    (project.path / "cases_of_mine").mkdir()
    (project.path / "cases_of_mine" / "a.yaml").write_text("key: [unclosed\n")
    run().assert_outcomes(passed=2)


def test_no_worker_outlives_the_session(project, run):
    project.makeconftest(
        "from gradparity import engine, workers\n"
        "engine.TENSORFLOW = 'tame_tf'\n"
        "started = []\n"
        "start = workers.Processes.start\n"
        "def remember(self, profile):\n"
        "    started.append(start(self, profile))\n"
        "    return started[-1]\n"
        "workers.Processes.start = remember\n"
        "def pytest_unconfigure():\n"
        "    print('ended:', [worker._process.returncode is not None for worker in started])\n"
    )
    run("-s", alone=True).stdout.fnmatch_lines(["*ended: [[]True, True[]]*"])
