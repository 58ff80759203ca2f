"""Failure: one failing check of a document as a good bug report, in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, wording
from gradparity.reports.legend import LEGEND

Json: TypeAlias = dict[str, Any]

ELEMENTS = 60  # of each tensor


def failure_text(check: Json, case: Json, names: Mapping[str, str] = wording.DEFAULT_NAMES) -> str:
    """All that is known of one failing check, for a terminal or a log.

    Args:
      check: of a document.
      case: of the same document, the one that the check belongs to.
      names: what "oracle" and "implementation" are called.
    """
    word = Word(check["verdict"])
    sections = [
        f"{word.value.upper()}: {check['reason']}",
        f"{check['id']}\n{wording.place(check)}\n{case['about']}",
        "graph:\n" + indent(case["graph"].rstrip(), "    "),
        wording.answers_text(check, names, ELEMENTS),
    ]
    if check["differences"]:
        first = wording.difference_text(check["differences"][0], names)
        sections.append(f"first difference:\n    {first}")
    sections.append(wording.blame_text(check))
    if check.get("arbiter") is not None:
        derivative = "".join(f"\n    {line}" for line in arbitration.derivative_lines(check))
        sections.append(f"arbiter: {arbitration.word_text(check)}{derivative}")
    sections.append("standalone script:\n" + indent(check["script"].rstrip(), "    "))
    if LEGEND[word].advice:
        sections.append(f"next: {LEGEND[word].advice}")
    return wording.printable("\n\n".join(filter(None, sections)) + "\n")
