"""The terminal: a run on one screen, and what to do next."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import shorten, wrap
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.blame.finding import Fault
from gradparity.judge.verdict import Word
from gradparity.reports import arbitration, changes, wording
from gradparity.reports.document import relative_path
from gradparity.reports.legend import LEGEND

if TYPE_CHECKING:
    from rich.console import Console

Json: TypeAlias = dict[str, Any]
Row: TypeAlias = list[tuple[str, str]]  # text and its style

FAILURES = 10  # listed in the summary
REASONS = 3  # why there is nothing to blame, listed in the summary
REASON = 300  # characters of a reason in the summary
LISTED = 5  # problems of one kind, listed in the summary
LONG = 5.0  # seconds for one check: longer ones are worth a word
DEFAULT_IMPL = "numpy_tf"  # that `gradparity run` puts under test when nobody says
LEAST = 3  # lines for the failures, however low the screen
HANGING = 16  # columns before what is said of a failure
STYLES = {"good": "green", "known": "cyan", "wrong": "red", "broken": "magenta", "open": "yellow"}


def summary(document: Json, console: Console, folder: Path | None = None) -> None:
    """Prints what a run came to: on a terminal as much as its screen holds.

    Args:
      document: of the run.
      console: where to; it decides about colour. Into a file or a pipe nothing is wrapped.
      folder: where the reports were written, to be named; None when there are none.
    """
    from rich.text import Text

    width = height = None
    if console.file.isatty():
        width, height = console.size
    result = _result_row(document)
    facts = _fact_rows(_facts(document, folder), width)
    if height is not None and _lines(facts, width) > height // 2:
        facts = _fact_rows(_facts(document, folder, brief=True), width)
    # One line stays empty, and one is for what the user types next.
    room = None if height is None else max(height - _lines([result, *facts], width) - 2, LEAST)
    failures = _failure_rows(wording.failures(document), width, room)
    for row in [*failures, *([[]] if failures else []), result, *facts]:
        console.print(Text.assemble(*row), soft_wrap=True)


def _lines(rows: Iterable[Row], width: int | None) -> int:
    """How many lines of the screen rows take, where those that are wider are broken."""
    lengths = (sum(len(text) for text, _ in row) for row in rows)
    return sum(1 if width is None else max(1, -(-length // width)) for length in lengths)


def _result_row(document: Json) -> Row:
    result = wording.result_line(
        document["totals"],
        ended="end" in document,
        ledger_problems=len(document.get("ledger_problems", [])),
        truth_problems=len(document.get("truth_problems", [])),
    )
    return [(result, "bold green" if document["passes"] else "bold red")]


def _failure_rows(failures: Sequence[Json], width: int | None, room: int | None) -> list[Row]:
    """The failures that there is room for: at length if that shows three, else a row for each."""
    blocks = _fitting(failures, lambda check: _failure_block(check, width), width, room)
    if len(blocks) < min(3, len(failures)):
        blocks = _fitting(failures, lambda check: [_failure_row(check, width)], width, room)
    rows = [row for block in blocks for row in block]
    left = len(failures) - len(blocks)
    return [*rows, [(f"{'':{HANGING}}... and {left:,} more", "")]] if left else rows


def _fitting(
    failures: Sequence[Json],
    told: Callable[[Json], list[Row]],
    width: int | None,
    room: int | None,
) -> list[list[Row]]:
    blocks: list[list[Row]] = []
    for check in failures[:FAILURES]:
        block = told(check)
        more = len(blocks) + 1 < len(failures)  # then a last row counts the others
        rows = [row for each in (*blocks, block) for row in each]
        if room is not None and _lines(rows, width) + more > room:
            break
        blocks.append(block)
    return blocks


def _failure_block(check: Json, width: int | None) -> list[Row]:
    spans = [_word_span(check), (_place(check), "dim"), (_printable(check["id"]), "bold")]
    rows = [spans]
    if width is not None and sum(len(text) for text, _ in spans) > width:
        rows = [_failure_row(check, None), [(f"{'':{HANGING}}{_place(check).strip()}", "dim")]]
    for sentence in filter(None, [check["reason"], wording.found_text(check)]):
        text = _printable(shorten(sentence, REASON, placeholder=" ..."))
        rows += [[(f"{'':{HANGING}}{line}", "")] for line in _wrapped(text, width, HANGING)]
    return rows


def _failure_row(check: Json, width: int | None) -> Row:
    """A failure in one row: its verdict and as much of its id as there is room for."""
    identity = _printable(check["id"])
    if width is not None and HANGING + len(identity) > width:
        identity = identity[: max(width - HANGING - 4, 8)] + " ..."
    return [_word_span(check), (identity, "bold")]


def _word_span(check: Json) -> tuple[str, str]:
    word = Word(check["verdict"])
    return f"{word.value:<{HANGING}}", STYLES[LEGEND[word].tone]


def _place(check: Json) -> str:
    return _printable(f"{check['file']}:{check['line']}  ")


def _facts(document: Json, folder: Path | None, brief: bool = False) -> dict[str, list[str]]:
    """What to tell beside the failures, by its name; nothing of a name: it is not printed."""
    totals = document["totals"]
    changed = document.get("changes")
    failing = wording.failures(document)
    exactness = wording.agreement_lines(totals)
    return {
        "checks": [f"{wording.verdict_counts(totals)}; {wording.plural(totals['cases'], 'case')}"]
        if document["checks"]
        else [],
        "changes": [changes.headline(changed)] if changed and changed["started_at"] else [],
        "ledger": _some(document.get("ledger_problems", [])),
        "blame": _unexplained(document),
        "arbiter": arbitration.total_lines(totals),
        "truth": _some(document.get("truth_problems", [])),
        "exactness": exactness[:1] if brief else exactness,
        "versions": [wording.versions_line(document["oracle"], document["implementation"])],
        "time": _times(document),
        "report": [] if folder is None else [relative_path(folder / "report.html")],
        "next": _next(document, failing, brief),
    }


def _some(problems: Sequence[str]) -> list[str]:
    left = len(problems) - LISTED
    return [*problems[:LISTED], *([f"... and {left:,} more"] if left > 0 else [])]


def _unexplained(document: Json) -> list[str]:
    """Why some that differ have no op to name, each reason once, and how many were left out."""
    blames = [check["blame"] for check in document["checks"] if check.get("blame")]
    reasons = dict.fromkeys(b["sentence"] for b in blames if b["fault"] == Fault.NOWHERE.value)
    unblamed = document.get("unblamed", 0)
    left = [wording.unblamed_text(unblamed)] if unblamed else []
    return [*list(reasons)[:REASONS], *left]


def _times(document: Json) -> list[str]:
    """How long the run took, and the check that took longest, if that is long."""
    lines = [wording.duration(document["seconds"])]
    longest = max(document["checks"], key=wording.seconds, default=None)
    if longest is not None and wording.seconds(longest) >= LONG:
        lines.append(f"longest {wording.duration(wording.seconds(longest))}: {longest['id']}")
    return lines


def _next(document: Json, failing: Sequence[Json], brief: bool) -> list[str]:
    """What to do about what fails, and the commands that look closer at the first of it."""
    if not failing:
        return []
    words = {check["verdict"] for check in failing}
    advice = [f"{w.value}: {entry.advice}" for w, entry in LEGEND.items() if w.value in words]
    first = failing[0]
    return [
        *(advice[:1] if brief else advice),
        f"gradparity explain {shlex.quote(first['id'])}",
        f"gradparity run {_again(document, first)}",
    ]


def _again(document: Json, check: Json) -> str:
    """The arguments that run one check once more, with the same two sides."""
    # Of an expression's words all must hold; parentheses and blanks stand between them.
    arguments = [check["file"], "-k", " ".join(re.split(r"[\s()]+", check["id"]))]
    described = document["implementation"].get(check["profile"], {})
    if described.get("namespace", DEFAULT_IMPL) != DEFAULT_IMPL:
        arguments += ["--impl", described["namespace"]]
    if any(d.get("recorded") for d in document["oracle"].values()):
        arguments += ["--oracle", "recorded"]
    return shlex.join(arguments)


def _fact_rows(facts: dict[str, list[str]], width: int | None) -> list[Row]:
    rows: list[Row] = []
    for name, lines in facts.items():
        label = f"  {name:<10}"
        for text in lines:
            # A path or a command is to be copied: nothing may be put into it to break it.
            copied = name == "report" or text.startswith("gradparity ")
            for line in _wrapped(_printable(text), None if copied else width, len(label)):
                rows.append([(label, "dim"), (line, "")])
                label = " " * len(label)
    return rows


def _wrapped(text: str, width: int | None, indent: int) -> Iterable[str]:
    """A text as the lines that fit beside an indentation; one line where there is no width."""
    if width is None:
        return [text]
    return wrap(text, max(width - indent, 20), break_on_hyphens=False) or [""]


def _printable(text: str) -> str:
    return wording.printable(text).replace("\n", " ")
