"""`gradparity record`: asks live TensorFlow and writes its answers down."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradparity.commands import options

if TYPE_CHECKING:
    from gradparity.lane import Answer as LaneAnswer
    from gradparity.language.check import Check
    from gradparity.recordings.answer import Answer
    from gradparity.recordings.store import Store

STALE, INVALID, NO_ORACLE, INTERRUPTED = 1, 2, 3, 130


@click.command("record")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@options.recordings
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a recording is stale."
)
@click.option(
    "--changed",
    is_flag=True,
    help="Ask only for the files in which a check is new or edited since it was recorded.",
)
@options.oracle_python
@click.option(
    "--registry",
    "only_registry",
    is_flag=True,
    help="Write down only what TensorFlow can differentiate, for `gradparity coverage`.",
)
@options.jobs
@options.time_limit
@options.memory_limit
@click.option("--quiet", is_flag=True, help="No progress, only the outcome.")
def command(
    paths: tuple[Path, ...],
    recordings: Path,
    only_check: bool,
    changed: bool,
    oracle_python: str | None,
    only_registry: bool,
    jobs: int | None,
    time_limit: float,
    memory_limit: float,
    quiet: bool,
) -> None:
    """Ask live TensorFlow about every check and write its answers down, for later runs.

    PATHS are case files and folders of them; by default the folder `cases`. Files are
    recorded as wholes. No implementation is needed.
    """
    if changed and oracle_python is not None:
        raise click.UsageError(
            "--changed asks what the newest recordings lack: record all with --oracle-python."
        )
    from gradparity import engine, interpreter
    from gradparity.recordings.file import RecordingError, file_name

    if only_registry:
        _record_registry(recordings)
        return
    places = list(paths) or [Path("cases")]
    checks = _load(places)
    there = {file_name(check.case) for check in checks}
    try:
        if changed:
            checks = _changed(checks, recordings)
            if not checks:
                click.echo("no check is new or edited: nothing to record")
                return
        if oracle_python is not None:
            interpreter.examine(oracle_python)
        with _progress(len(checks), quiet) as on_answer:
            answers, descriptions = engine.ask_oracle(
                checks,
                engine.side_source(
                    engine.TENSORFLOW,
                    memory_limit=int(memory_limit * 2**30),
                    python=oracle_python,
                ),
                jobs=jobs,
                time_limit=time_limit,
                on_answer=on_answer,
            )
        _finish(checks, answers, descriptions, recordings, only_check, places, there)
    except engine.OracleStartError as error:
        _stop(str(error), NO_ORACLE)
    except RecordingError as error:
        _stop(str(error), INVALID)
    except OSError as error:
        _stop(f"The recordings cannot be written: {error}", INVALID)
    except KeyboardInterrupt:
        _stop("interrupted: nothing was recorded", INTERRUPTED)


def _finish(
    checks: Sequence[Check],
    raw: Mapping[str, LaneAnswer],
    descriptions: Mapping[str, Mapping[str, Any]],
    recordings: Path,
    only_check: bool,
    places: Sequence[Path],
    there: Collection[str],
) -> None:
    from gradparity.outcome import Outcome
    from gradparity.recordings.answer import from_outcome
    from gradparity.recordings.source import failure_answer
    from gradparity.recordings.store import Store

    answers = {
        check: from_outcome(answer) if isinstance(answer, Outcome) else failure_answer(answer)
        for check, answer in raw.items()
    }
    description = next(iter(descriptions.values()))
    store = Store(recordings, str(description["version"]))
    orphans = _orphans(store, places, there)
    if only_check:
        _report_freshness(checks, answers, store, orphans)
        return
    from gradparity.recordings.recorder import record
    from gradparity.reports.wording import plural

    changes = record(checks, answers, description, store, orphans)
    size = sum(store.path(name).stat().st_size for name in changes.written + changes.unchanged)
    click.echo(
        f"{plural(len(checks), 'check')} recorded from TensorFlow {store.version} in {recordings}: "
        f"{plural(len(changes.written), 'file')} written, {len(changes.unchanged):,} as they were, "
        f"{len(changes.removed):,} removed; {size / 1e6:.2f} MB"
    )


def _record_registry(recordings: Path) -> None:
    from gradparity.recordings import registry
    from gradparity.recordings.file import RecordingError

    try:
        click.echo(f"written: {registry.write(recordings)}")
    except RecordingError as error:
        _stop(str(error), NO_ORACLE)
    except OSError as error:
        _stop(f"The registry cannot be written: {error}", INVALID)


def _report_freshness(
    checks: Sequence[Check], answers: Mapping[str, Answer], store: Store, orphans: Sequence[str]
) -> None:
    from gradparity.recordings.freshness import Freshness

    freshness = Freshness(store)
    for check in checks:
        freshness.compare(check, answers[check.id])
    for line in freshness.lines():
        click.echo(line)
    for name in orphans:
        click.echo(f"  {store.path(name)}: there is no such case file any more; gradparity record")
    if not freshness.is_fresh or orphans:
        sys.exit(STALE)


def _orphans(store: Store, places: Sequence[Path], there: Collection[str]) -> list[str]:
    """Recorded case files below the folders given that are no more."""
    from gradparity.language.loading import corpus_root

    folders = [
        place.resolve().relative_to(corpus_root(place)) for place in places if place.is_dir()
    ]
    return [
        name
        for name in store.names()
        if name not in there and any(Path(name).is_relative_to(folder) for folder in folders)
    ]


def _changed(checks: Sequence[Check], recordings: Path) -> list[Check]:
    """The checks of all files in which one has no fresh recording of the newest version."""
    from gradparity.recordings.lookup import State, look_up
    from gradparity.recordings.store import Store, versions

    there = versions(recordings)
    if not there:
        return list(checks)
    store = Store(recordings, there[-1])
    stale = {c.case.path for c in checks if look_up(c, store).state is not State.FRESH}
    return [check for check in checks if check.case.path in stale]


def _load(paths: list[Path]) -> list[Check]:
    from gradparity.language.loading import load
    from gradparity.language.problems import CaseErrors

    try:
        return load(paths)
    except CaseErrors as errors:
        _stop(str(errors), INVALID)


def _stop(message: str, exit_status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_status)


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[Check, LaneAnswer], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda check, answer: None
        return
    with click.progressbar(length=total, label="recording", file=sys.stderr) as bar:
        yield lambda check, answer: bar.update(1)
