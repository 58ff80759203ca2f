"""`gradparity compare`: explains what changed between two runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradparity.commands import options

CHANGED, INVALID = 1, 2
KINDS = (
    "answer", "name", "error", "stage", "none", "sparsity", "dtype", "shape", "value", "bits",
    "message",
)  # fmt: skip


@click.command("compare")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--side",
    type=click.Choice(["both", "oracle", "implementation"]),
    default="both",
    show_default=True,
    help="Whose answers to compare. Verdicts are compared with both.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    type=click.Choice(KINDS),
    help="A kind of change that counts as none, e.g. `bits` (values within the tolerance) or "
    "`message` (the text of an error); may be given several times.",
)
@click.option(
    "--markdown", metavar="FILE", help="Write it as Markdown; `-` prints that and nothing else."
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as one HTML file.",
)
@options.color
@click.option("--all", "all_checks", is_flag=True, help="Name every changed check.")
def command(
    before: Path,
    after: Path,
    side: str,
    ignored: tuple[str, ...],
    markdown: str | None,
    html: Path | None,
    color: str,
    all_checks: bool,
) -> None:
    """Explain what changed between two runs, by cause and in what.

    BEFORE and AFTER are their report.json files, or the folders that hold them. Exit status:
    0 nothing changed, 1 something did, 2 a file is no report or tells of a run that did not
    end (what is there is compared nevertheless).
    """
    from gradparity.comparison.answers import Kind
    from gradparity.comparison.compare import SIDES, compare
    from gradparity.comparison.report import ReportError, read
    from gradparity.reports import comparison as rendering
    from gradparity.reports import write_text

    try:
        comparison = compare(
            read(before),
            read(after),
            SIDES if side == "both" else (side,),
            frozenset(map(Kind, ignored)),
        )
    except ReportError as error:
        click.echo(str(error), err=True)
        sys.exit(INVALID)
    try:
        if html is not None:
            write_text(html, rendering.html(comparison))
        if markdown == "-":
            click.echo(rendering.markdown(comparison), nl=False)
        else:
            if markdown is not None:
                write_text(Path(markdown), rendering.markdown(comparison))
            from gradparity.commands.console import console

            listed = len(comparison.changed) if all_checks else rendering.LISTED
            rendering.text(comparison, console(color), listed)
    except OSError as error:
        click.echo(f"The comparison cannot be written: {error}", err=True)
        sys.exit(INVALID)
    if not comparison.is_complete or not comparison.same + len(comparison.changed):
        sys.exit(INVALID)
    sys.exit(CHANGED if comparison.changed else 0)
