"""The terminal: a run on one screen, and one failing check as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import indent, shorten
from typing import TYPE_CHECKING

from gradparity.blame.finding import Fault
from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, wording
from gradparity.reports.document import case_data, check_data, relative_path, totals
from gradparity.reports.legend import LEGEND
from gradparity.results import CheckResult, RunRecord

if TYPE_CHECKING:
    from rich.console import Console

FAILURES = 10  # listed in the summary
REASONS = 3  # why there is nothing to blame, listed in the summary
REASON = 300  # characters of a reason in the summary
ELEMENTS = 60  # of each tensor in the text of a failure
STYLES = {"good": "green", "known": "cyan", "wrong": "red", "broken": "magenta", "open": "yellow"}
CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127, *range(128, 160)) if code != 10}


def summary(record: RunRecord, console: Console, folder: Path | None = None) -> None:
    """Prints what a run came to, on one screen.

    Args:
      record: a run that has ended.
      console: where to; it decides about colour.
      folder: where the reports were written, to be named; None when there are none.
    """
    from rich.text import Text

    def line(*spans: tuple[str, str]) -> None:
        text = Text.assemble(*((printable(content), style) for content, style in spans))
        console.print(text, soft_wrap=True)

    failures = [r for r in record.results if not r.verdict.word.passes]
    for failure in failures[:FAILURES]:
        word, position = failure.verdict.word, failure.check.position
        line(
            (f"{word.value:<15} ", STYLES[LEGEND[word].tone]),
            (f"{relative_path(position.path)}:{position.line}  ", "dim"),
            (failure.check.id, "bold"),
        )
        line((" " * 16 + shorten(failure.verdict.reason, REASON, placeholder=" ..."), ""))
        if failure.blame is not None and failure.blame.fault is not Fault.NOWHERE:
            sentence = shorten(failure.blame.sentence, REASON, placeholder=" ...")
            line((" " * 16 + f"blame: {sentence}", ""))
    if len(failures) > FAILURES:
        line((f"{'':16}... and {len(failures) - FAILURES:,} more", ""))
    if failures:
        line()
    counts = totals(record.results)
    result = wording.result_line(
        counts, ended=not record.interrupted, ledger_problems=len(record.ledger_problems)
    )
    line((result, "bold green" if record.passes else "bold red"))
    for name, facts in _facts(record, folder).items():
        for number, fact in enumerate(facts):
            line((f"  {'' if number else name:<10}", "dim"), (fact, ""))


def _facts(record: RunRecord, folder: Path | None) -> dict[str, list[str]]:
    counts = totals(record.results)
    failing = {r.verdict.word for r in record.results if not r.verdict.word.passes}
    return {
        "checks": [f"{wording.verdict_counts(counts)}; {wording.plural(counts['cases'], 'case')}"]
        if record.results
        else [],
        "ledger": list(record.ledger_problems),
        "blame": _unexplained(record),
        "arbiter": arbitration.total_lines(counts),
        "truth": list(record.truth_problems),
        "exactness": wording.agreement_lines(counts),
        "versions": [wording.versions_line(record.oracle, record.implementation)],
        "time": [wording.duration(record.seconds)],
        "report": [] if folder is None else [relative_path(folder / "report.html")],
        "next": [f"{w.value}: {entry.advice}" for w, entry in LEGEND.items() if w in failing],
    }


def _unexplained(record: RunRecord) -> list[str]:
    """Why some that differ have no op to name, each reason once, and how many were left out."""
    blames = [r.blame for r in record.results if r.blame is not None]
    reasons = dict.fromkeys(b.sentence for b in blames if b.fault is Fault.NOWHERE)
    left = [wording.unblamed_text(record.unblamed)] if record.unblamed else []
    return [*list(reasons)[:REASONS], *left]


def failure_text(result: CheckResult, names: Mapping[str, str] = wording.DEFAULT_NAMES) -> str:
    """One failing check as a good bug report, in plain text.

    Args:
      result: a check and its verdict.
      names: what "oracle" and "implementation" are called.
    """
    check, case = check_data(result), case_data(result.check.case)
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
    if check["arbiter"] is not None:
        derivative = "".join(f"\n    {line}" for line in arbitration.derivative_lines(check))
        sections.append(f"arbiter: {arbitration.word_text(check)}{derivative}")
    sections.append("standalone script:\n" + indent(check["script"].rstrip(), "    "))
    if LEGEND[word].advice:
        sections.append(f"next: {LEGEND[word].advice}")
    return printable("\n\n".join(filter(None, sections)) + "\n")


def printable(text: str) -> str:
    """Text with what could command a terminal, or cannot be written at all, spelled out."""
    return text.translate(CONTROLS).encode("utf-8", "backslashreplace").decode()
