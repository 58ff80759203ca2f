"""What is shipped: both packages with their data, one version, nothing of one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import gradparity

ROOT = Path(__file__).parents[2]


def build(kind: str, folder: Path) -> Path:
    """Builds a "wheel" or an "sdist" into `folder` with the build backend that is installed."""
    code = f"import sys; from hatchling.build import build_{kind} as build; build(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel")))


@pytest.fixture(scope="module")
def source_texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every text file that is part of the project, ignored ones left out: path -> text."""
    with tarfile.open(build("sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        files = [
            (member.name.split("/", 1)[1], archive.extractfile(member))
            for member in archive
            if member.isfile()
        ]
        contents = [(name, file.read()) for name, file in files if file is not None]
    return {
        name: content.decode("utf-8")
        for name, content in contents
        if b"\0" not in content and name != "PKG-INFO"
    }


@pytest.mark.parametrize("root, package", [("oracle", "gradparity"), ("impl", "numpy_tf")])
def test_the_wheel_holds_every_module_and_every_data_file(
    root: str, package: str, wheel: zipfile.ZipFile
) -> None:
    expected = {
        file.relative_to(ROOT / root).as_posix()
        for file in (ROOT / root / package).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }

    assert f"{package}/__init__.py" in expected
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_nothing_outside_its_two_packages(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/", 1)[0] for name in wheel.namelist()}

    assert top == {"gradparity", "numpy_tf", f"gradparity-{gradparity.__version__}.dist-info"}


def test_the_wheel_brings_the_command_and_the_pytest_plugin(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entry_points = wheel.read(name).decode("utf-8")

    assert "gradparity = gradparity.cli:main" in entry_points
    assert "gradparity = gradparity.pytest_plugin" in entry_points


def test_tensorflow_and_pytest_are_optional(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    requirements = (
        HeaderParser().parsestr(wheel.read(name).decode("utf-8")).get_all("Requires-Dist")
    )

    assert requirements is not None
    always = {re.split(r"[^\w-]", line)[0] for line in requirements if "extra ==" not in line}
    assert "numpy" in always
    assert not always & {"tensorflow", "pytest"}


def test_the_packaged_the_imported_and_the_documented_version_agree(
    wheel: zipfile.ZipFile,
) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d[^]]*)\]", changelog, re.MULTILINE)

    assert wheel.filename is not None
    assert Path(wheel.filename).name.split("-")[1] == gradparity.__version__
    assert versions[0] == gradparity.__version__


def test_the_pins_name_packages_and_versions_only() -> None:
    pins = (ROOT / "requirements/constraints.txt").read_text(encoding="utf-8").splitlines()
    pin = re.compile(r"[a-z0-9-]+==[0-9][\w.]*( ; (python_full_version|sys_platform|platform_).+)?")

    lines = [line for line in pins if not line.startswith("#")]

    assert lines
    assert [line for line in lines if not pin.fullmatch(line)] == []


# Written with classes of one character, so that this file does not contain what it looks for.
OF_ONE_MACHINE = re.compile(
    r"""
      (?<![\w.])/(root|home|work|Users)/\w     # somebody's folders
    | /tmp/[d]ev\b | /opt/[p]ypi | /opt/[w]heels
    | file:/[/]/                               # a local index
    | \bpypi[.]org | \bpythonhosted[.]org | \bregistry[.]npmjs | \bproxy[.]golang
    | (?<!emit)-[-](extra-)?index-url | -[-]trusted-host
    """,
    re.VERBOSE,
)


def test_no_file_names_a_machine_s_folders_or_a_registry_s_address(
    source_texts: dict[str, str],
) -> None:
    assert {"Makefile", ".ci/run", "requirements/constraints.txt"} <= set(source_texts)
    found = [
        f"{name}: {match.group()}"
        for name, text in source_texts.items()
        for match in OF_ONE_MACHINE.finditer(text)
    ]
    assert found == []


WORKER = ROOT / "oracle/gradparity/worker.py"
STANDARD_LIBRARY_OF_3_7 = {
    "argparse",
    "array",
    "base64",
    "collections",
    "contextlib",
    "faulthandler",
    "functools",
    "gc",
    "importlib",
    "io",
    "json",
    "math",
    "os",
    "platform",
    "re",
    "resource",
    "select",
    "signal",
    "socket",
    "struct",
    "sys",
    "threading",
    "time",
    "traceback",
    "types",
    "warnings",
    "weakref",
}


def test_the_worker_is_a_program_of_python_3_7() -> None:
    ast.parse(WORKER.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_worker_needs_the_standard_library_alone_to_be_imported() -> None:
    imported = set()
    for statement in ast.parse(WORKER.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            imported.add((statement.module or "gradparity").split(".")[0])

    assert imported <= STANDARD_LIBRARY_OF_3_7
