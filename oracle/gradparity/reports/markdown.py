"""report.md: a run for a pull-request comment or a CI job summary, bounded in size."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, wording
from gradparity.reports.changes import MEANINGS, headline, setting_line
from gradparity.reports.legend import LEGEND
from gradparity.reports.mermaid import LEGEND as FLOW
from gradparity.reports.mermaid import mermaid
from gradparity.reports.picture import picture
from gradparity.reports.places import Places

Json: TypeAlias = dict[str, Any]

LIMIT = 60_000  # characters; GitHub refuses a comment of more than 65,536
RESERVED = 500  # of them, for the note of what was left out
BLOCK = 4_000  # characters of one code block
DRAWING = 8_000  # of one Mermaid graph, which cannot be cut
LISTED = 20  # checks of each kind of change, and problems beside the checks
CHANGES = 12_000  # characters of what changed; when they are more, fewer checks are listed
ELEMENTS = 40  # of each tensor
DIFFERENCES = 5


def markdown(document: Json, places: Places | None = None) -> str:
    """A document as GitHub-flavoured Markdown of at most `LIMIT` characters.

    Args:
      document: of a run.
      places: where readers find the checks; None: links would lead nowhere.

    Failures stand folded, those first that got worse since an earlier run, until the room is
    used up; then one line each; then a note says how many are missing and where they are. A
    case is told with its first failing check: its code, and its picture.
    """
    names = wording.names(document)
    cases = {(case["file"], case["name"]): case for case in document["cases"]}
    places = places or Places()
    told_changes = (_changes(document, listed) for listed in (LISTED, LISTED // 4, 0))
    text = _head(document, places) + next(t for t in told_changes if len(t) <= CHANGES)
    failures = wording.failures(document)
    told: dict[tuple[str, str], str] = {}
    folded = listed = 0
    room = LIMIT - RESERVED
    for check in failures:
        key = check["file"], check["case"]
        block = _failure(check, cases[key], names, places, told.get(key))
        if len(text) + len(block) > room - room // 6:  # the rest is for the list
            break
        text += block
        told.setdefault(key, check["id"])
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
            f"{LIMIT:,} characters. All are in report.json and, to look at, in "
            f"{_link('report.html', places.report)}.\n"
        )
    return text


def _head(document: Json, places: Places) -> str:
    totals = document["totals"]
    problems = document.get("ledger_problems", [])
    denied = document.get("truth_problems", [])
    unblamed = document.get("unblamed", 0)
    result = wording.result_line(
        totals,
        ended="end" in document,
        ledger_problems=len(problems),
        truth_problems=len(denied),
    )
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
        *([_link("The whole report", places.report)] if places.report else []),
        *_some("ledger", problems),
        *([f"blame: {wording.unblamed_text(unblamed)}"] if unblamed else []),
        *(prose(line) for line in wording.agreement_lines(totals)),
        *(prose(f"arbiter: {line}") for line in arbitration.total_lines(totals)),
        *_some("truth", denied),
        prose(versions),
        f"{wording.duration(document['seconds'])}, {prose(document['started_at'])}, "
        f"gradparity {prose(document['gradparity'])}",
    ]
    return "\n".join([*lines, *(f"- {fact}" for fact in facts)]) + "\n"


def _some(kind: str, problems: Sequence[str]) -> list[str]:
    left = len(problems) - LISTED
    return [
        *(prose(f"{kind}: {problem}", 200) for problem in problems[:LISTED]),
        *([f"{kind}: ... and {left:,} more"] if left > 0 else []),
    ]


def _changes(document: Json, most: int) -> str:
    """What changed since an earlier run, `most` checks of each kind; "" when there was none."""
    found = document.get("changes")
    if not found or not any(found[name] for name in MEANINGS):
        return f"\n{prose(headline(found))}\n" if found and headline(found) else ""
    pieces = [f"\n**{prose(headline(found))}**\n"]
    if found["settings"]:
        pieces.append("".join(f"- {prose(setting_line(s))}\n" for s in found["settings"][:most]))
    for name, meaning in MEANINGS.items():
        entries = found[name]
        if not entries:
            continue
        listed = "".join(f"- {_change(entry)}\n" for entry in entries[:most])
        left = len(entries) - most
        more = f"- ... and {left:,} more\n" if left > 0 else ""
        attribute = " open" if name == "worse" else ""
        summary = f"{len(entries):,} {name}: {meaning}"
        pieces.append(
            f"<details{attribute}><summary>{summary}</summary>\n\n{listed}{more}\n</details>\n"
        )
    return "\n".join(pieces)


def _change(entry: Json) -> str:
    """A changed check in one line: its id, what it was and is, and by what."""
    verdicts = [entry[key] or "not there" for key in ("before", "after")]
    causes = ", ".join(entry["causes"])
    because = f" ({prose(causes)})" if causes else ""
    return f"{_identity(entry['id'])}: {prose(' → '.join(verdicts))}{because}"


def _failure(
    check: Json, case: Json, names: Mapping[str, str], places: Places, told: str | None
) -> str:
    """A failing check, folded.

    Args:
      check: of a document.
      case: that it belongs to.
      names: what the sides are called.
      places: where the check is found.
      told: the check in which its case was told already; None: it is told here, with its
        graph and a picture.
    """
    differences = [wording.difference_text(d, names) for d in check["differences"][:DIFFERENCES]]
    if len(check["differences"]) > DIFFERENCES:
        differences.append(f"... and {len(check['differences']) - DIFFERENCES} more differences")
    blame = wording.found_text(check)
    if told is None:
        of_case = [
            f"{prose(case['about'])}\n",
            f"{code_span(wording.place(check))}\n",
            fenced(case["graph"], "python"),
            _picture(check),
        ]
    else:
        of_case = [f"{code_span(wording.place(check))}, the case of {_identity(told)}.\n"]
    page = places.page(check)
    pieces = [
        f"\n<details><summary>{_title(check)}</summary>\n",
        *of_case,
        fenced("\n".join(differences)),
        blame and f"{prose(blame)}\n",
        fenced(wording.answers_text(check, names, ELEMENTS)),
        f"Arbiter: {prose(arbitration.word_text(check))}\n" if check.get("arbiter") else "",
        fenced("\n".join(arbitration.derivative_lines(check))),
        *(["A standalone script:\n", fenced(check["script"], "python")] if told is None else []),
        f"{_link('Its page in the report', page)}\n" if page else "",
        "</details>\n",
    ]
    return "\n".join(filter(None, pieces))


def _picture(check: Json) -> str:
    """The graph with the gradient's flow, as a Mermaid block; "" where there is no picture."""
    found = picture(check)
    if found is None:
        return ""
    drawn = mermaid(found)
    if len(drawn) > DRAWING:
        return "Its graph is too large for a picture here.\n"
    return f"```mermaid\n{drawn}```\n\n<sub>{FLOW}</sub>\n"


def _link(text: str, url: str | None) -> str:
    """A link in Markdown; the text alone where it leads nowhere."""
    return text if url is None else f"[{text}](<{url}>)"


def _title(check: Json) -> str:
    """A check in one line of HTML, which Markdown leaves alone."""
    symbol = LEGEND[Word(check["verdict"])].symbol
    reason = prose(wording.one_line(check["reason"], 500))
    return f"{symbol} {check['verdict']} {_identity(check['id'])}: {reason}"


def _identity(id: str) -> str:
    """The id of a check as code in HTML, where nobody is mentioned: it can be copied as it is."""
    return f"<code>{_unsigned(html.escape(wording.one_line(id, 300)))}</code>"


def prose(text: str, limit: int = 2_000) -> str:
    """Text that means itself in Markdown: no markup, no HTML, nobody mentioned."""
    return _inert(html.escape(wording.one_line(text, limit)))


def _inert(text: str) -> str:
    """HTML text in which nothing is a sign of Markdown, and nobody is mentioned."""
    return _unsigned(text).replace("@", "@&#8203;")  # else "@function" mentions somebody on GitHub


def _unsigned(text: str) -> str:
    """HTML text with Markdown's own signs as character references, which are never signs."""
    return re.sub(r"[\\`*_\[\]|~$]", lambda sign: f"&#{ord(sign[0])};", text)


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
