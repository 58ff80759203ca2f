"""`gradparity mutants`: proves that the suite can fail, by implementations that are wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from gradparity.commands import options

if TYPE_CHECKING:
    from gradparity.language.check import Check
    from gradparity.mutants import Mutant, Trial
    from gradparity.workers import WorkerSource

FAIL, INVALID, NO_ORACLE, INTERRUPTED = 1, 2, 3, 130


@click.command("mutants")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--mutants",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("tests/mutants"),
    show_default=True,
    help="The folder of the mutants and of mutants.yaml, which says by what each is caught.",
)
@click.option(
    "--only",
    metavar="NAME",
    multiple=True,
    help="Only this mutant; may be given again.",
)
@click.option(
    "--impl",
    metavar="MODULE",
    default="numpy_tf",
    show_default=True,
    help="The sound implementation, which the mutants break.",
)
@click.option(
    "--oracle",
    metavar="live|recorded|MODULE",
    default="live",
    show_default=True,
    help="Who knows the truth: TensorFlow, its recordings, or a module that wears its API.",
)
@options.recordings
@click.option(
    "--quick", is_flag=True, help="Ask each mutant only the checks that mutants.yaml names."
)
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many mutants are judged at a time.",
)
@click.option(
    "--markdown",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the matrix there, too.",
)
def command(
    paths: tuple[Path, ...],
    folder: Path,
    only: tuple[str, ...],
    impl: str,
    oracle: str,
    recordings: Path,
    quick: bool,
    jobs: int,
    markdown: Path | None,
) -> None:
    """Hold wrong implementations against the corpus: each must be caught, and as intended.

    PATHS are case files and folders of them; by default the folder `cases`. The oracle is
    asked once; then every mutant is asked all the checks that the sound implementation
    passes. It fails when a mutant survives, when a check that mutants.yaml names does not
    find the kind of difference that it should, and when a mutant crashes or lacks something.
    """
    from gradparity import engine, mutants
    from gradparity.recordings.file import RecordingError
    from gradparity.recordings.source import NoRecordingsError
    from gradparity.reports.wording import duration, plural

    table = _table(folder, only)
    checks = _checks(list(paths) or [Path("cases")])
    try:
        source = _oracle(oracle, recordings, checks)
        click.echo(f"asking the oracle, and {impl}, about {plural(len(checks), 'check')}", err=True)
        click.echo(mutants.HEADING)
        matrix = mutants.run(
            table,
            folder,
            checks,
            source,
            engine.side_source(impl, (os.getcwd(),)),
            quick=quick,
            jobs=jobs,
            on_trial=lambda trial: click.echo(mutants.summary(trial)),
        )
        if markdown is not None:
            markdown.write_text(mutants.markdown(matrix), encoding="utf-8")
    except (engine.OracleStartError, NoRecordingsError) as error:
        _stop(str(error), NO_ORACLE)
    except (engine.StartError, RecordingError) as error:
        _stop(str(error), INVALID)
    except OSError as error:
        _stop(f"{markdown} cannot be written: {error.strerror}", INVALID)
    except KeyboardInterrupt:
        _stop("interrupted", INTERRUPTED)
    failing = [trial for trial in matrix.trials if not trial.as_intended]
    asked = plural(matrix.asked, "check")
    took = duration(matrix.seconds)
    click.echo(f"{plural(len(matrix.trials), 'mutant')} against {asked} in {took}: ", nl=False)
    click.echo(_conclusion(failing))
    sys.exit(0 if matrix.passes else FAIL)


def _conclusion(failing: Sequence[Trial]) -> str:
    if not failing:
        return "all caught as intended."
    survivors = [trial.mutant.name for trial in failing if trial.survives]
    others = [trial.mutant.name for trial in failing if not trial.survives]
    parts = []
    if survivors:
        parts.append(f"{', '.join(survivors)} survived: a case is missing")
    if others:
        parts.append(f"{', '.join(others)} not caught as intended")
    return "; ".join(parts) + "."


def _table(folder: Path, only: Sequence[str]) -> list[Mutant]:
    from gradparity import mutants
    from gradparity.language.problems import CaseErrors, nearest

    try:
        table = mutants.read_table(folder)
    except CaseErrors as errors:
        _stop(str(errors), INVALID)
    names = [mutant.name for mutant in table]
    for name in only:
        if name not in names:
            message = f"there is no mutant {name!r} in {folder}"
            hint = nearest(name, names)
            raise click.BadParameter(f"{message}; {hint}" if hint else message, param_hint="--only")
    return [mutant for mutant in table if not only or mutant.name in only]


def _checks(places: Sequence[Path]) -> list[Check]:
    from gradparity.language.loading import load
    from gradparity.language.problems import CaseErrors

    try:
        checks = load(places)
    except CaseErrors as errors:
        _stop(str(errors), INVALID)
    if not checks:
        _stop(f"There is no case in {', '.join(map(str, places))}.", INVALID)
    return checks


def _oracle(oracle: str, recordings: Path, checks: Sequence[Check]) -> WorkerSource:
    """Raises NoRecordingsError and RecordingError."""
    from gradparity import engine

    if oracle == "recorded":
        from gradparity.recordings.source import RecordedOracle, open_store

        return RecordedOracle(checks, open_store(recordings, None))
    if oracle == "live":
        return engine.side_source(engine.TENSORFLOW)
    return engine.side_source(oracle, (os.getcwd(),))


def _stop(message: str, exit_status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_status)
