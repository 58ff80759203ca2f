"""Annotations: what fails, as workflow commands that GitHub shows beside the lines of the cases.

The form is `::error file=…,line=…,title=…::message`; in it a percent sign and line breaks are
percent-encoded, and in what stands before the second pair of colons also colons and commas.
"""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeAlias

from gradparity.reports import wording
from gradparity.reports.places import Places

Json: TypeAlias = dict[str, Any]

SHOWN = 10  # of each kind in one step: GitHub drops the others
MESSAGE = 2_000  # characters
TITLE = "gradparity"  # of what is about no check


def workflow_commands(document: Json, places: Places) -> list[str]:
    """A document's failures as workflow commands, one a line.

    Errors are the queries of which checks fail, those first that got worse since an earlier
    run, and a run that did not end; warnings are problems in the ledger and declarations of
    the truth that the arbiter denies. Of each as many as GitHub shows; a notice counts the
    others.
    """
    problems = wording.run_problems(document)
    errors = [_command("error", text, title=TITLE) for kind, text in problems if kind == "run"]
    warnings = [_warning(kind, text, places) for kind, text in problems if kind != "run"]
    queries: dict[tuple[str, int], list[Json]] = defaultdict(list)
    for check in wording.failures(document):
        queries[check["file"], check["line"]].append(check)
    shown = [*queries.values()][: SHOWN - len(errors)]
    errors += [_error(checks, places) for checks in shown]
    left = sum(map(len, queries.values())) - sum(map(len, shown)), len(warnings) - SHOWN
    more = [
        f"{wording.plural(count, f'more {noun}')} in the job summary and in the report"
        for count, noun in zip(left, ("failing check", "warning"), strict=True)
        if count > 0
    ]
    if more and places.report:
        more[-1] += f": {places.report}"
    notices = [_command("notice", text, title=TITLE) for text in more]
    return [*errors, *warnings[:SHOWN], *notices]


def _error(checks: Sequence[Json], places: Places) -> str:
    """The failing checks of one query: the first, and how many more there are."""
    check, more = checks[0], len(checks) - 1
    lines = [
        check["reason"],
        wording.found_text(check),
        f"{wording.plural(more, 'more check')} of this query {'fails' if more == 1 else 'fail'}"
        if more
        else "",
        f"gradparity explain {shlex.quote(check['id'])}",
        places.page(check) or "",
    ]
    return _command(
        "error",
        "\n".join(filter(None, lines)),
        file=places.file(check),
        line=check["line"],
        title=f"{check['verdict']}: {check['id']}",
    )


def _warning(kind: str, text: str, places: Places) -> str:
    """A problem; of the ledger it begins with its place, "file:line: "."""
    place = re.match(r"(.+?):(\d+): (.*)", text, re.DOTALL) if kind == "ledger" else None
    if place is None:
        return _command("warning", text, title=f"{TITLE}: {kind}")
    file = places.file({"file": place[1]})
    return _command("warning", place[3], file=file, line=place[2], title=f"{TITLE}: {kind}")


def _command(level: str, message: str, **properties: object) -> str:
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(message[:MESSAGE])}"


def _data(text: str) -> str:
    """Text as a command's message; what could command a terminal is spelled out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return wording.printable(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(wording.one_line(text, 300)).replace(":", "%3A").replace(",", "%2C")
