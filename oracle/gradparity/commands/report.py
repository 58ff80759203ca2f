"""`gradparity report`: tells a run again from its report.json, in whatever form is wanted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, TypeAlias

import click

from gradparity.commands import options, outputs

Json: TypeAlias = dict[str, Any]

INVALID = 2


@click.command("report")
@click.argument("report", type=click.Path(path_type=Path))
@click.option(
    "--markdown", metavar="FILE", help="Write it as Markdown; `-` prints that and nothing else."
)
@click.option(
    "--html",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write report.html and its pages.",
)
@outputs.options
@options.color
def command(
    report: Path,
    markdown: str | None,
    html: Path | None,
    outputs: outputs.Outputs,
    color: str,
) -> None:
    """Tell a run again, from its report, without asking anybody anything.

    REPORT is the report.json of a run, or the folder that holds it. Its summary is printed,
    and what the options name is written, just as `gradparity run` would have.

    Exit status: 0 it was told, whatever it says; 2 it is no report that can be read, or of a
    run that did not end (what is there is told nevertheless).
    """
    from gradparity.commands.console import console
    from gradparity.comparison.report import ReportError, read
    from gradparity.reports.changes import since
    from gradparity.reports.terminal import summary

    try:
        found = read(report)
        if found.torn:
            raise ReportError(f"{found.path} ends in the middle. Run it again: gradparity run")
        document = found.document
        earlier = outputs.earlier()
        if earlier is not None:
            document["changes"] = since(earlier, document, outputs.baseline_name)
        outputs.prepare()
        _write(document, markdown, html, outputs)
        if markdown != "-":
            summary(document, console(color), found.path.parent)
    except ReportError as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"The report cannot be written: {error}")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        _stop(
            f"{report} is damaged: it does not fit the schema of a report "
            f"({type(error).__name__}: {error}). Write it again: gradparity run"
        )
    if not found.is_whole:
        _stop(f"{found.path} tells of a run that did not end; go on with: gradparity run --resume")


def _write(document: Json, markdown: str | None, html: Path | None, own: outputs.Outputs) -> None:
    """Writes what was asked for.

    Raises:
      OSError: a file cannot be written.
    """
    from gradparity.reports import write_pages, write_text

    if markdown is not None:
        from gradparity.reports.markdown import markdown as rendered

        text = rendered(document, own.places(document))
        if markdown == "-":
            click.echo(text, nl=False)
        else:
            write_text(Path(markdown), text)
    if html is not None:
        write_pages(document, html)
    own.write(document)


def _stop(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(INVALID)
