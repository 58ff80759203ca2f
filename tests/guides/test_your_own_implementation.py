"""The guide *put your own implementation under test*, followed with the example that it names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/your-own-implementation.md").read_text(encoding="utf-8")
EXAMPLE = Path("examples/own_implementation")
LEDGER = EXAMPLE / "tiny_tf.known_divergences.yaml"


@pytest.fixture
def checkout(tmp_path, environment):
    """What the guide needs of a checkout, in which packages are installed beside it."""
    shutil.copytree(ROOT / EXAMPLE, tmp_path / EXAMPLE)
    for folder in ("cases", "recordings"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    site = tmp_path / "site"
    environment["PYTHONPATH"] += f":{site}"
    environment |= {
        "PIP_TARGET": str(site),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return tmp_path


def test_its_commands_print_what_it_shows_and_write_the_ledger_of_the_example(follow, checkout):
    assert follow("your-own-implementation.md", checkout) == []
    assert (checkout / LEDGER).read_text() == (ROOT / LEDGER).read_text()


def test_the_code_that_it_shows_is_the_example_s():
    code = (ROOT / EXAMPLE / "tiny_tf.py").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)

    for function in shown.split("\n\n\n"):
        assert function.strip() in code


def test_the_entry_point_that_it_shows_is_the_example_s():
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)

    assert shown in (ROOT / EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
