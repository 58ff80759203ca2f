"""The guides *read a report* and *how the judge decides*: what they show and state is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gradparity.judge.tolerance import LEAST_DOCUMENTED_ULP, PRECISIONS, ULP_BUDGETS
from gradparity.judge.verdict import Rule, Word

ROOT = Path(__file__).parents[2]
READING = (ROOT / "docs/read-a-report.md").read_text(encoding="utf-8")
JUDGING = (ROOT / "docs/how-the-judge-decides.md").read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path):
    """What the guides need of a checkout."""
    for folder in ("cases", "recordings", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


@pytest.mark.parametrize("guide", ["read-a-report.md", "how-the-judge-decides.md"])
def test_their_commands_print_what_they_show(follow, checkout, guide):
    assert follow(guide, checkout) == []


def test_every_verdict_is_explained_and_none_that_there_is_not():
    cells = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", READING, re.MULTILINE)
    explained = [word for cell in cells for word in re.findall(r"[a-z-]+", cell)]

    assert sorted(explained) == sorted(word.value for word in Word)


def test_the_rules_of_equality_are_told_from_the_strictest_to_the_loosest():
    assert re.findall(r"^\d\. \*\*(\w+)\*\*", JUDGING, re.MULTILINE) == [r.value for r in Rule]


def test_the_figures_of_the_judge_are_those_of_its_tables():
    assert f"`Exp` in float32 has a budget of {ULP_BUDGETS['Exp'].float32}" in JUDGING
    factors = {name: precision.factor for name, precision in PRECISIONS.items()}
    assert factors == {"float16": 8, "bfloat16": 1, "float32": 8, "float64": 8}
    assert "at most 8 · eps" in JUDGING and "(in bfloat16: 1 · eps)" in JUDGING
    assert f"at least {LEAST_DOCUMENTED_ULP} ulp" in JUDGING
