"""Code quality: what fails, as the JSON that GitLab shows in merge requests."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.reports import wording
from gradparity.reports.legend import LEGEND
from gradparity.reports.places import Places

Json: TypeAlias = dict[str, Any]

SEVERITIES = {"wrong": "major", "broken": "critical", "open": "minor"}  # by a word's tone


def code_quality(document: Json, places: Places) -> str:
    """A document's failing checks as GitLab's subset of the Code Climate format.

    The fingerprint, by which GitLab knows a finding again, is of the check and its verdict.
    """
    return json.dumps([_finding(check, places) for check in wording.failures(document)], indent=1)


def _finding(check: Json, places: Places) -> Json:
    page = places.page(check)
    description = wording.one_line(f"{check['id']}: {check['reason']}", 500)
    return {
        "description": wording.printable(description) + (f" {page}" if page else ""),
        "check_name": f"gradparity: {check['verdict']}",
        "fingerprint": hashlib.sha256(
            f"{check['id']}\n{check['verdict']}".encode("utf-8", "surrogatepass")
        ).hexdigest(),
        "severity": SEVERITIES[LEGEND[Word(check["verdict"])].tone],
        "location": {"path": places.file(check), "lines": {"begin": check["line"]}},
    }
