"""`gradparity calibrate`: measures what the judge's ulp budgets and scales must allow."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

INVALID, NO_ORACLE, INTERRUPTED = 2, 3, 130


@click.command("calibrate")
@click.option("--op", "ops", metavar="TYPE", multiple=True, help="Only this op; repeatable.")
@click.option(
    "--write",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as JSON; with --op only that op's are replaced. The judge's own are "
    "in oracle/gradparity/judge/spread.json.",
)
@click.option(
    "--markdown",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page that explains them.",
)
@click.option("--measured", is_flag=True, help="Measure nothing: show what was written last.")
def command(
    ops: tuple[str, ...], write: Path | None, markdown: Path | None, measured: bool
) -> None:
    """Set TensorFlow against itself and against mathematics, op by op.

    Each op that has an ulp budget is asked on generated inputs: in short tensors, with eight
    threads, with oneDNN, compiled by XLA, by NumPy, and in twice the precision. Printed are
    the largest distances in ulps, of sums also in units of eps × the scale of the tensor.
    """
    from gradparity import calibration
    from gradparity.reports.calibration import lines, page

    known = [*calibration.ELEMENTWISE, *calibration.REDUCTIONS]
    for op in ops:
        if op not in known:
            raise click.BadParameter(f"{op!r} is not among {', '.join(known)}", param_hint="--op")
    try:
        if measured:
            found = calibration.read()
        else:
            found = calibration.measure(ops or known, say=lambda text: click.echo(text, err=True))
        for line in lines(found):
            click.echo(line)
        if write is not None:
            if ops and write.is_file():
                found = calibration.merged(calibration.read(write), found)
            write.write_text(json.dumps(calibration.to_json(found), indent=1) + "\n", "utf-8")
        if markdown is not None:
            markdown.write_text(page(found), "utf-8")
    except calibration.CalibrationError as error:
        _stop(str(error), NO_ORACLE)
    except OSError as error:
        _stop(f"The figures cannot be read or written: {error}", INVALID)
    except KeyboardInterrupt:
        _stop("interrupted", INTERRUPTED)


def _stop(message: str, exit_status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_status)
