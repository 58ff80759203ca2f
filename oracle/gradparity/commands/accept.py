"""`gradparity accept`: writes known divergences into the ledger, from the report of a run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from gradparity.ledger import Ledger

INVALID = 2


@click.command("accept")
@click.argument("pattern", metavar="CHECK_PATTERN")
@click.option(
    "--reason", metavar="TEXT", required=True, help="Why the difference is borne; not empty."
)
@click.option("--link", metavar="URL", default="", help="Where more is to be read.")
@click.option(
    "--expires",
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day on which the entry no longer counts.",
)
@click.option(
    "--oracles",
    metavar="VERSION",
    multiple=True,
    help="Only with these TensorFlow versions, e.g. '2.21.*'; may be given again.",
)
@click.option(
    "--from",
    "report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("reports/latest/report.json"),
    show_default=True,
    help="The report of the run that found the differences.",
)
@click.option(
    "--ledger",
    "ledger_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The ledger to write to.  [default: beside the implementation of the report]",
)
def command(
    pattern: str,
    reason: str,
    link: str,
    expires: datetime | None,
    oracles: tuple[str, ...],
    report: Path,
    ledger_path: Path | None,
) -> None:
    """Accept differences of the last run as known divergences, for a stated reason.

    CHECK_PATTERN is a check's id, or a pattern of ids with * and ?. One entry is written when
    all checks that match differ in the same way, else one for each check that differs. An
    entry excuses just the kinds of difference that the report shows.
    """
    from gradparity import ledger
    from gradparity.language.problems import CaseErrors

    if not reason.strip():
        raise click.BadParameter("say why the difference is borne", param_hint="--reason")
    document = _read(report)
    path = ledger_path or _beside(document, report)
    details = {
        "oracles": list(oracles),
        "reason": reason.strip(),
        "link": link.strip(),
        "expires": expires.date().isoformat() if expires else "",
    }
    entries = list(ledger.entries_for(pattern, document["checks"], details))
    if not entries:
        _stop(_nothing(pattern, document["checks"], report))
    try:
        there = path.exists()
        text = path.read_text(encoding="utf-8") if there else ledger.EMPTY
        if there:
            _refuse_known(ledger.load(path), entries, document["checks"])
        path.write_text(ledger.extended(text, path, entries), encoding="utf-8")
    except CaseErrors as errors:
        _stop(str(errors))
    except ValueError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}")
    number = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    click.echo(f"{number} written to {path}:")
    for entry in entries:
        kind = entry["kind"]
        click.echo(f"  {kind if isinstance(kind, str) else ' and '.join(kind)}  {entry['checks']}")


def _read(report: Path) -> dict[str, Any]:
    """A report.json; ends the program when it is none."""
    try:
        document = json.loads(report.read_text(encoding="utf-8"))
    except OSError as error:
        _stop(f"{report} cannot be read: {error.strerror}; `gradparity run` writes one.")
    except ValueError as error:
        _stop(f"{report} is no report: {error}")
    if not isinstance(document, dict) or document.get("format") != "gradparity-report":
        _stop(f"{report} is no report of gradparity.")
    if document.get("version") != 1:
        _stop(f"{report} is a report of version {document.get('version')}; known here is 1.")
    return document


def _beside(document: Mapping[str, Any], report: Path) -> Path:
    from gradparity.ledger import beside

    names = {side["namespace"] for side in document["implementation"].values()}
    if len(names) != 1:
        _stop(f"{report} names no implementation; say --ledger FILE.")
    name = names.pop()
    path = beside(name, (os.getcwd(),))
    if path is None:
        _stop(f"The implementation {name} is not found here; say --ledger FILE.")
    return path


def _nothing(pattern: str, checks: Sequence[Mapping[str, Any]], report: Path) -> str:
    from gradparity.ledger import matches

    matching = [check for check in checks if matches(pattern, check["id"])]
    if not matching:
        return f"{pattern!r} matches no check in {report}."
    words = ", ".join(sorted({check["verdict"] for check in matching}))
    return f"No check that {pattern!r} matches differs in {report}: they are {words}."


def _refuse_known(
    there: Ledger,
    entries: Sequence[Mapping[str, Any]],
    checks: Sequence[Mapping[str, Any]],
) -> None:
    """Ends the program when an entry speaks already of a check that differs."""
    from gradparity.ledger import DIVERGING, matches

    for check in checks:
        covered = any(matches(entry["checks"], check["id"]) for entry in entries)
        if not covered or check["verdict"] not in DIVERGING:
            continue
        for entry in there.entries:
            in_profile = not entry.profiles or check["profile"] in entry.profiles
            if in_profile and matches(entry.checks, check["id"]):
                _stop(
                    f"{entry.place} speaks of {check['id']} already: correct or remove that entry."
                )


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(INVALID)
