"""The page *autograd against TensorFlow*: each difference that it tells of is found."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = Path("examples/autograd_adapter")
PAGE = (ROOT / "docs/autograd.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \| `(.+)` \|$", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path):
    """What the page needs of a checkout."""
    shutil.copytree(ROOT / EXAMPLE, tmp_path / EXAMPLE)
    for folder in ("cases", "recordings"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def test_its_commands_print_what_it_shows(follow, checkout):
    assert follow("autograd.md", checkout) == []


def test_each_difference_of_its_table_is_found(checkout, environment):
    rows = ROW.findall(PAGE)
    files = {f"cases/{check.partition('::')[0]}.yaml" for _, _, check in rows}
    environment["PYTHONPATH"] += f":{checkout / EXAMPLE}"

    run = ["gradparity", "run", *files, "--impl", "autograd_tf", "--oracle", "recorded"]
    subprocess.run(run, cwd=checkout, env=environment, capture_output=True, timeout=300)

    report = json.loads((checkout / "reports/latest/report.json").read_text(encoding="utf-8"))
    found = {check["id"]: check for check in report["checks"]}
    assert len(rows) > 10
    for ours, theirs, check in rows:
        assert found[check]["verdict"] == "differ", check
        sides = rf"{re.escape(ours)}(?!\w).* in TensorFlow and {re.escape(theirs)}(?!\w)"
        assert re.search(sides, found[check]["reason"]), found[check]["reason"]
