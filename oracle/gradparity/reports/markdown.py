"""report.md: a run for a pull-request comment or a CI job summary, bounded in size."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, wording
from gradparity.reports.legend import LEGEND

Json: TypeAlias = dict[str, Any]

LIMIT = 60_000  # characters; GitHub refuses a comment of more than 65,536
RESERVED = 500  # of them, for the note of what was left out
BLOCK = 4_000  # characters of one code block
ELEMENTS = 40  # of each tensor
DIFFERENCES = 5


def markdown(document: Json) -> str:
    """A document as GitHub-flavoured Markdown of at most `LIMIT` characters.

    Failures stand folded, in the order of the run, until the room is used up; then one line
    each; then a note says how many are missing and where they are.
    """
    names = wording.names(document)
    cases = {(case["file"], case["name"]): case for case in document["cases"]}
    text = _head(document)
    failures = [check for check in document["checks"] if wording.fails(check)]
    folded = listed = 0
    room = LIMIT - RESERVED
    for check in failures:
        block = _failure(check, cases[check["file"], check["case"]], names)
        if len(text) + len(block) > room - room // 6:  # the rest is for the list
            break
        text += block
        folded += 1
    for check in failures[folded:]:
        heading = "\nMore that fail:\n\n" if not listed else ""
        line = f"{heading}- {_title(check)}\n"
        if len(text) + len(line) > room:
            break
        text += line
        listed += 1
    missing = len(failures) - folded - listed
    if folded < len(failures):
        without = f" and {missing:,} are left out" if missing else ""
        text += (
            f"\n{len(failures) - folded - missing:,} of {len(failures):,} failing checks are "
            f"listed without their details{without}, to keep this text below "
            f"{LIMIT:,} characters. All are in report.json and, to look at, in report.html.\n"
        )
    return text


def _head(document: Json) -> str:
    totals = document["totals"]
    problems = document.get("ledger_problems", [])
    unblamed = document.get("unblamed", 0)
    result = wording.result_line(totals, ended="end" in document, ledger_problems=len(problems))
    lines = [f"### gradparity: {result}", ""]
    if totals["checks"]:
        lines += ["| verdict | checks | meaning |", "|:--|--:|:--|"]
        lines += [
            f"| {LEGEND[Word(word)].symbol} {word} | {count:,} | {LEGEND[Word(word)].meaning} |"
            for word, count in totals["verdicts"].items()
            if count
        ]
        lines.append("")
    versions = wording.versions_line(document["oracle"], document["implementation"])
    facts = [
        *(prose(f"ledger: {problem}") for problem in problems),
        *([f"blame: {wording.unblamed_text(unblamed)}"] if unblamed else []),
        *(prose(line) for line in wording.agreement_lines(totals)),
        *(prose(f"arbiter: {line}") for line in arbitration.total_lines(totals)),
        *(prose(f"truth: {problem}") for problem in document.get("truth_problems", [])),
        prose(versions),
        f"{wording.duration(document['seconds'])}, {prose(document['started_at'])}, "
        f"gradparity {document['gradparity']}",
    ]
    return "\n".join([*lines, *(f"- {fact}" for fact in facts)]) + "\n"


def _failure(check: Json, case: Json, names: Mapping[str, str]) -> str:
    differences = [wording.difference_text(d, names) for d in check["differences"][:DIFFERENCES]]
    if len(check["differences"]) > DIFFERENCES:
        differences.append(f"... and {len(check['differences']) - DIFFERENCES} more differences")
    blame = wording.blame_text(check)
    pieces = [
        f"\n<details><summary>{_title(check)}</summary>\n",
        f"{prose(case['about'])}\n",
        f"{code_span(wording.place(check))}\n",
        fenced(case["graph"], "python"),
        fenced("\n".join(differences)),
        blame and f"{prose(blame)}\n",
        fenced(wording.answers_text(check, names, ELEMENTS)),
        f"Arbiter: {prose(arbitration.word_text(check))}\n" if check.get("arbiter") else "",
        fenced("\n".join(arbitration.derivative_lines(check))),
        "A standalone script:\n",
        fenced(check["script"], "python"),
        "</details>\n",
    ]
    return "\n".join(filter(None, pieces))


def _title(check: Json) -> str:
    """A check in one line of HTML, which Markdown leaves alone."""
    symbol = LEGEND[Word(check["verdict"])].symbol
    identity = html.escape(_one_line(check["id"], 300))
    return (
        f"{symbol} {check['verdict']} <code>{_inert(identity)}</code>: "
        f"{prose(_one_line(check['reason'], 500))}"
    )


def prose(text: str) -> str:
    """Text that means itself in Markdown: no markup, no HTML, nobody mentioned."""
    return _inert(html.escape(_one_line(text, 2_000)))


def _inert(text: str) -> str:
    """HTML text in which Markdown's own signs are character references, never read as signs."""
    inert = re.sub(r"[\\`*_\[\]|~$]", lambda sign: f"&#{ord(sign[0])};", text)
    return inert.replace("@", "@&#8203;")  # else "@function" mentions somebody on GitHub


def _one_line(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 4] + " ..."


def code_span(text: str) -> str:
    """Text in one code span, whatever backticks it holds."""
    line = " ".join(text.split())
    ticks = "`" * (_longest_run(line) + 1)
    return f"{ticks} {line} {ticks}" if "`" in line else f"{ticks}{line}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Text in a code block whose fence it cannot close; cut, with a note, when too long."""
    if not text.strip():
        return ""
    body = text.rstrip("\n")
    note = ""
    if len(body) > BLOCK:
        body, note = body[:BLOCK], "\nCut here; complete in report.json.\n"
    fence = "`" * max(3, _longest_run(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}\n{note}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
