"""What README.md shows works: its case is valid, its make targets and its links exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_case_is_valid(tmp_path: Path) -> None:
    (case,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    file = tmp_path / "from_the_readme.yaml"
    file.write_text(case, encoding="utf-8")

    check = subprocess.run(
        [sys.executable, "-m", "gradparity", "check", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert check.returncode == 0, check.stdout + check.stderr


def test_its_make_targets_exist() -> None:
    shown = set(re.findall(r"(?:`|\$ )make (\w+)", README))
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert {"conformance", "test"} <= shown
    assert shown <= set(targets)


def test_its_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
