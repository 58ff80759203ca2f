"""The names of implementations: what installed packages call them, or a module by its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from gradparity import engine
from gradparity.cli import main
from gradparity.implementations import ImplementationNameError, known_names, module_named

CASE = """\
about: It triples.
source: by hand
inputs:
  x: {constant: 2.0}
graph: |
  y = tf.identity(x) * 3.0
gradients:
  - {id: good, ys: y, xs: [x]}
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package that calls modules by names, as pip would leave it."""

    def install(package, **names):
        metadata = tmp_path / "site" / f"{package}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0")
        lines = [f"{name} = {module}" for name, module in names.items()]
        (metadata / "entry_points.txt").write_text(
            "\n".join(["[gradparity.implementations]", *lines])
        )
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    return install


@pytest.fixture
def corpus(tmp_path, found_by_children, monkeypatch):
    """A folder with a case, in which tame_tf is the oracle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "TENSORFLOW", "tame_tf")
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "triple.yaml").write_text(CASE)


def test_a_name_stands_for_the_module_that_an_installed_package_gave_it(installed):
    installed("acme", fast="acme.engine.fast")

    assert module_named("fast") == "acme.engine.fast"
    assert "fast" in known_names()


def test_any_other_name_is_that_of_a_module(installed):
    installed("acme", fast="acme.engine.fast")

    assert module_named("tensorflow.compat.v1") == "tensorflow.compat.v1"


def test_no_package_takes_the_name_of_the_implementation_that_is_shipped(installed):
    installed("impostor", numpy_tf="impostor.tf")

    assert module_named("numpy_tf") == "numpy_tf"


def test_a_name_that_two_packages_give_away_is_refused(installed):
    installed("acme", fast="acme.fast")
    installed("rival", fast="rival.fast")

    with pytest.raises(ImplementationNameError, match=r"acme\.fast, rival\.fast"):
        module_named("fast")


def test_a_name_for_what_is_no_module_is_refused(installed):
    installed("acme", fast="acme.engine:tf")

    with pytest.raises(ImplementationNameError, match=r"acme\.engine:tf.*no module"):
        module_named("fast")


def test_a_run_by_such_a_name_judges_the_module(installed, corpus):
    installed("acme", right="tame_tf", wrong="wrong_tf")

    for name, status in (("right", 0), ("wrong", 1)):
        result = CliRunner().invoke(main, ["run", "--impl", name])
        assert result.exit_code == status, result.output


def test_a_name_that_is_neither_is_refused_with_the_names_that_are_known(installed, corpus):
    installed("acme", right="tame_tf")

    result = CliRunner().invoke(main, ["run", "--impl", "rihgt"])

    assert result.exit_code == 2
    assert "no module named 'rihgt'" in result.output
    assert "numpy_tf, right" in result.output


def test_an_ambiguous_name_is_a_mistake_in_the_call(installed, corpus):
    installed("acme", fast="acme.fast")
    installed("rival", fast="rival.fast")

    result = CliRunner().invoke(main, ["run", "--impl", "fast"])

    assert result.exit_code == 2
    assert "Several packages call an implementation 'fast'" in result.output


def test_help_looks_no_name_up():
    code = (
        "import sys; from gradparity.cli import main; main(['run', '--help'], "
        "standalone_mode=False); assert 'importlib.metadata' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
