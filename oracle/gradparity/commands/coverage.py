"""`gradparity coverage`: which of TensorFlow's gradient functions the checks really invoked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradparity.commands import options

if TYPE_CHECKING:
    from gradparity.coverage import Coverage

INVALID, NO_ORACLE, INTERRUPTED = 2, 3, 130
REPORT = Path("reports/latest")


@click.command("coverage")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@options.impl
@options.recordings
@click.option("--op", "ops", metavar="TYPE", multiple=True, help="All about one op; repeatable.")
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everything as JSON.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with a row for each op.  [default: coverage.html beside the report]",
)
def command(
    paths: tuple[Path, ...],
    impl: str,
    recordings: Path,
    ops: tuple[str, ...],
    json_file: Path | None,
    html: Path | None,
) -> None:
    """Say which gradient functions of TensorFlow's registry the checks invoked.

    PATHS is one report.json or its folder, by default reports/latest. Or it is case files and
    folders of them: then their recordings are judged first, without TensorFlow.

    An op is covered by a check that invoked its gradient function and was judged to agree on
    gradients; not by one that is vacuous, or that expects an error.
    """
    from gradparity import coverage
    from gradparity.comparison.report import ReportError, read
    from gradparity.recordings import registry
    from gradparity.recordings.file import RecordingError
    from gradparity.recordings.source import NoRecordingsError

    place = REPORT if not paths else paths[0] if _is_report(paths) else None
    folder = None if place is None else place if place.is_dir() else place.parent
    try:
        document = read(place).document if place else _judged(paths, impl, recordings)
        versions = {str(side["version"]) for side in document["oracle"].values()}
        if len(versions) != 1:
            _stop(f"The report was not made with one TensorFlow, but with {sorted(versions)}.")
        known = document.get("registry") or registry.read(recordings, versions.pop())
        found = coverage.measure(known, document["checks"])
        unknown = [op for op in ops if all(row.op != op for row in found.rows)]
        if unknown:
            _stop(f"TensorFlow {found.tensorflow} has nothing to say of an op {unknown[0]!r}.")
        _write(found, document, json_file, html or (folder and folder / "coverage.html"))
    except NoRecordingsError as error:
        _stop(str(error), NO_ORACLE)
    except (RecordingError, ReportError) as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"Coverage cannot be written: {error}")
    except KeyboardInterrupt:
        _stop("interrupted", INTERRUPTED)
    from gradparity.reports.coverage import lines, op_lines

    for line in [line for op in ops for line in op_lines(found, op)] or lines(found):
        click.echo(line)


def _is_report(paths: Sequence[Path]) -> bool:
    """Whether these are one report, as a file or as the folder that it is in."""
    return len(paths) == 1 and (paths[0].suffix == ".json" or (paths[0] / "report.json").is_file())


def _judged(paths: Sequence[Path], impl: str, recordings: Path) -> dict[str, Any]:
    """The document of a run over the recordings of these cases.

    Raises:
      NoRecordingsError: there are none.
      RecordingError: one cannot be read.
    """
    from gradparity import engine
    from gradparity.language.loading import load
    from gradparity.language.problems import CaseErrors
    from gradparity.recordings.source import RecordedOracle, open_store
    from gradparity.reports.document import document

    try:
        checks = load(list(paths))
    except CaseErrors as errors:
        _stop(str(errors))
    if not checks:
        _stop(f"There is no case in {', '.join(map(str, paths))}.")
    source = RecordedOracle(checks, open_store(recordings))
    try:
        record = engine.run(
            checks, implementation=engine.side_source(impl, (os.getcwd(),)), oracle=source
        )
    except engine.StartError as error:
        _stop(str(error))
    return document(record)


def _write(
    found: Coverage, document: dict[str, Any], json_file: Path | None, html: Path | None
) -> None:
    from gradparity.coverage import to_json
    from gradparity.reports.coverage import page
    from gradparity.reports.pages import ASSETS, asset

    if json_file is not None:
        json_file.write_text(json.dumps(to_json(found)) + "\n", "utf-8")
    if html is not None:
        html.write_text(page(found, document), "utf-8")
        for name in ASSETS:
            place = html.parent / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(asset(name), "utf-8")


def _stop(message: str, exit_status: int = INVALID) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_status)
