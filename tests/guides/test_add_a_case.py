"""The guide *add a case*, followed in an empty directory, word by word."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/add-a-case.md").read_text(encoding="utf-8")
SCHEMA = json.loads(
    (ROOT / "oracle/gradparity/schemas/case.schema.json").read_text(encoding="utf-8")
)


def test_its_commands_print_what_it_shows(follow, tmp_path):
    assert follow("add-a-case.md", tmp_path) == []


def test_the_completions_that_it_shows_are_those_of_the_schema():
    (shown,) = re.findall(r"^```text\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    described = [tuple(line.split(maxsplit=1)) for line in shown.splitlines()]

    keys = SCHEMA["properties"]
    assert described == [
        (key, keys[key]["description"]) for key in keys if "description" in keys[key]
    ]
