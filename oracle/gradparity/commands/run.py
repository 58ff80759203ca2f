"""`gradparity run`: asks both sides, judges, shows progress, writes the reports."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gradparity.commands import options, outputs

if TYPE_CHECKING:
    from gradparity.journal import Journal
    from gradparity.language.check import Check
    from gradparity.ledger import Ledger
    from gradparity.recordings.source import RecordedOracle
    from gradparity.results import CheckResult, RunRecord
    from gradparity.workers import WorkerSource

FAIL, INVALID, NO_ORACLE, INTERRUPTED, TERMINATED = 1, 2, 3, 130, 143


@click.command("run")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@options.impl
@click.option(
    "--oracle",
    type=click.Choice(["live", "recorded"]),
    default="live",
    show_default=True,
    help="Who knows the truth: TensorFlow itself, or what `gradparity record` wrote down of it.",
)
@click.option(
    "--oracle-version",
    metavar="X",
    help="With --oracle recorded: which TensorFlow's recordings.  [default: the newest]",
)
@options.oracle_python
@options.oracle_mode
@options.impl_mode
@options.recordings
@click.option(
    "--check-recordings",
    is_flag=True,
    help="With a live oracle: exit 1 unless every check is recorded, and to the bit.",
)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports/latest"),
    show_default=True,
    help="Where to write report.json, report.md and report.html; what changed since the run before "
    "in that folder is told in them.",
)
@options.jobs
@click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Only checks whose id matches, e.g. 'tutorial and not sweep'.",
)
@click.option("--in-process", is_flag=True, help="Run both sides in this process, for debuggers.")
@options.arbiter
@options.time_limit
@options.memory_limit
@click.option(
    "--blame",
    "blamed",
    metavar="N",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="How many failing checks to look into for the op that makes them differ.",
)
@click.option(
    "--ledger",
    "ledger_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The implementation's known divergences.  [default: known_divergences.yaml beside it]",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the run whose journal is in the report folder: it was interrupted.",
)
@outputs.options
@options.color
@click.option("--quiet", is_flag=True, help="No progress, only the final summary.")
def command(
    paths: tuple[Path, ...],
    impl: str,
    oracle: str,
    oracle_version: str | None,
    oracle_python: str | None,
    oracle_mode: str,
    impl_mode: str,
    recordings: Path,
    check_recordings: bool,
    report: Path,
    jobs: int | None,
    expression: str | None,
    in_process: bool,
    arbiter: str,
    time_limit: float,
    memory_limit: float,
    blamed: int,
    ledger_path: Path | None,
    resume: bool,
    outputs: outputs.Outputs,
    color: str,
    quiet: bool,
) -> None:
    """Ask TensorFlow and an implementation about every check, and compare.

    PATHS are case files and folders of them; by default the folder `cases`.
    """
    # Results are kept until the reports are written. To walk them all again for every few hundred
    # new ones, in search of cycles that are not there, takes a tenth of a recorded run.
    click.get_current_context().call_on_close(partial(gc.set_threshold, *gc.get_threshold()))
    gc.set_threshold(100_000, 50, 100)
    recorded = oracle == "recorded"
    if oracle_version is not None and not recorded:
        raise click.UsageError("--oracle-version chooses among recordings: add --oracle recorded.")
    if check_recordings and recorded:
        raise click.UsageError("--check-recordings needs a live oracle.")
    if oracle_python is not None and (recorded or in_process):
        other = "--in-process" if in_process else "--oracle recorded"
        raise click.UsageError(f"--oracle-python starts processes: it cannot go with {other}.")
    if check_recordings and oracle_mode != "default":
        raise click.UsageError("--check-recordings needs the default mode, which is recorded.")
    _refuse_modes(oracle, oracle_mode, impl, impl_mode, in_process)
    places = list(paths) or [Path("cases")]
    limit = int(memory_limit * 2**30)
    live = None if recorded else _started_oracle(in_process, limit, oracle_python, oracle_mode)
    checks = _load(places, expression)
    ledger = _ledger(impl, ledger_path)

    from gradparity import engine, reports
    from gradparity.arbiter import arbiter as arbitration
    from gradparity.commands.console import console
    from gradparity.commands.progress import progress
    from gradparity.comparison.report import ReportError
    from gradparity.recordings.file import RecordingError
    from gradparity.recordings.registry import known
    from gradparity.recordings.source import NoRecordingsError
    from gradparity.reports.changes import last_run
    from gradparity.reports.document import document
    from gradparity.reports.terminal import summary

    try:
        report.mkdir(parents=True, exist_ok=True)
        outputs.prepare()
        baseline = outputs.earlier()
    except OSError as error:
        _stop(f"The reports cannot be written: {error}", INVALID)
    except ReportError as error:
        _stop(str(error), INVALID)
    screen = console(color)
    try:
        source = live or _recorded(checks, recordings, oracle_version)
        # Like `python -m`: a module in the current folder can be put under test.
        implementation = engine.side_source(impl, (os.getcwd(),), in_process, limit, mode=impl_mode)
        settings = {
            "impl": impl,
            "impl_mode": impl_mode,
            "oracle": oracle,
            "oracle_mode": oracle_mode,
            "in_process": in_process,
        }
        with _interruptible() as terminated, progress(screen, checks, quiet) as on_result:
            record, journal = _run(
                checks,
                report,
                settings,
                resume,
                on_result,
                ledger,
                run=partial(
                    engine.run,
                    implementation=implementation,
                    oracle=source,
                    jobs=jobs,
                    time_limit=time_limit,
                    ledger=ledger,
                    blamed=blamed,
                ),
            )
            left = arbitration.add_words(record, arbitration.Arbiter.beside(source), arbiter)
        if ledger is not None and expression is None and _is_whole_corpus(places):
            record.ledger_problems = ledger.problems(checks)
        registry = known(recordings, (str(d["version"]) for d in record.oracle.values()))
        earlier = baseline or last_run(report)
        data = document(record, earlier, outputs.baseline_name, registry)
        reports.write_document(data, report, outputs.places(data))
        if not record.interrupted:
            journal.finish()
        outputs.write(data)
        summary(data, screen, report)
        if left:
            click.echo(f"interrupted: the arbiter was not asked about {left} checks", err=True)
        stale = (
            not recorded
            and oracle_mode == "default"
            and _tell_freshness(record, recordings, check_recordings)
        )
    except NoRecordingsError as error:
        _stop(str(error), NO_ORACLE)
    except RecordingError as error:
        _stop(str(error), INVALID)
    except OSError as error:
        _stop(f"The reports cannot be written: {error}", INVALID)
    except engine.OracleStartError as error:
        _stop(str(error), NO_ORACLE)
    except engine.StartError as error:
        _stop(str(error), INVALID)
    if record.interrupted:
        done = len(record.results)
        click.echo(
            f"interrupted: {done} of {len(checks)} checks were judged; "
            "go on with: gradparity run --resume and the same arguments",
            err=True,
        )
        sys.exit(TERMINATED if terminated.is_set() else INTERRUPTED)
    sys.exit(FAIL if stale or not record.passes else 0)


def _started_oracle(
    in_process: bool, memory_limit: int, python: str | None, mode: str
) -> WorkerSource:
    """The live oracle; its first worker starts at once, beside the loading of the cases."""
    from gradparity import engine, interpreter
    from gradparity.workers import HeadStart, WorkerStartError

    if python is not None:
        try:
            interpreter.examine(python)
        except engine.OracleStartError as error:
            _stop(str(error), NO_ORACLE)
    source = engine.side_source(engine.TENSORFLOW, (), in_process, memory_limit, python, mode)
    if in_process:
        return source
    try:
        head_start = HeadStart(source, "tf1")
    except WorkerStartError:
        return source  # the run will say what is wrong
    click.get_current_context().call_on_close(head_start.close)
    return head_start


def _refuse_modes(
    oracle: str, oracle_mode: str, impl: str, impl_mode: str, in_process: bool
) -> None:
    """Refuses modes of TensorFlow where no TensorFlow could answer in them.

    Raises:
      UsageError: there is one.
    """
    from gradparity.engine import TENSORFLOW

    if oracle == "recorded" and oracle_mode != "default":
        raise click.UsageError(
            f"--oracle-mode {oracle_mode} needs a live oracle: recordings are of the default mode."
        )
    if impl_mode != "default" and impl != TENSORFLOW:
        raise click.UsageError(
            f"--impl-mode {impl_mode} is a path through TensorFlow: add --impl {TENSORFLOW}."
        )
    if in_process and oracle_mode != impl_mode and impl == TENSORFLOW:
        raise click.UsageError("One process has one TensorFlow in one mode: drop --in-process.")


def _run(
    checks: Sequence[Check],
    report: Path,
    settings: dict[str, Any],
    resume: bool,
    on_result: Callable[[CheckResult], None],
    ledger: Ledger | None,
    run: Callable[..., RunRecord],
) -> tuple[RunRecord, Journal]:
    """Runs what is still to be done, and keeps the journal.

    Raises:
      StartError: a side could not be started, or what was interrupted was another run.
      OSError: the journal cannot be written.
    """
    from gradparity import engine
    from gradparity.journal import Journal, Past, ResumeError, merged, read

    past = read(report) if resume else None
    if resume and past is None:
        click.echo(f"nothing to resume in {report}: starting from the beginning", err=True)
    if past is None:
        past = Past(settings, engine.timestamp())
    if past.settings != settings:
        changed = next(key for key in settings if past.settings.get(key) != settings[key])
        raise ResumeError(
            f"The interrupted run cannot be resumed: --{changed.replace('_', '-')} was "
            f"{past.settings.get(changed)!r} and is {settings[changed]!r}. Run without --resume."
        )
    done = past.results(checks)
    if ledger is not None:
        oracle = past.described["oracle"]
        done = {id: ledger.applied(result, oracle) for id, result in done.items()}
    for result in done.values():
        on_result(result)
    started = time.perf_counter()
    with Journal(report, settings, past.started_at, past) as journal:

        def keep(result: CheckResult) -> None:
            journal.add(result, time.perf_counter() - started)
            on_result(result)

        rest = [check for check in checks if check.id not in done]
        try:
            restored = list(done.values())
            record = run(rest, restored=restored, on_result=keep, on_ready=journal.ready)
        except engine.Interrupted as interruption:
            record = interruption.record
    return merged(checks, past, record), journal


def _ledger(impl: str, path: Path | None) -> Ledger | None:
    """The implementation's ledger; None when none was named and none is beside it."""
    from gradparity import ledger
    from gradparity.language.problems import CaseErrors

    if path is None:
        path = ledger.beside(impl, (os.getcwd(),))
        if path is None or not path.is_file():
            return None
    try:
        return ledger.load(path)
    except CaseErrors as errors:
        _stop(str(errors), INVALID)


def _is_whole_corpus(places: Sequence[Path]) -> bool:
    """Whether these are roots of corpora and not parts of one."""
    from gradparity.language.loading import corpus_root

    return all(place.is_dir() and corpus_root(place) == place.resolve() for place in places)


def _recorded(checks: Sequence[Check], recordings: Path, version: str | None) -> RecordedOracle:
    """The oracle that answers from recordings.

    Raises:
      NoRecordingsError: there are none.
      RecordingError: one cannot be read.
    """
    from gradparity.recordings.source import RecordedOracle, open_store

    return RecordedOracle(checks, open_store(recordings, version))


def _tell_freshness(record: RunRecord, folder: Path, demanded: bool) -> bool:
    """Prints how the recordings stand to what TensorFlow answered live.

    Args:
      record: a run with a live oracle.
      folder: of the recordings; nothing is printed when there are none and none demanded.
      demanded: whether it was asked for that all is recorded, and to the bit.

    Returns:
      Whether a recording contradicts TensorFlow, or a demand is not met.

    Raises:
      RecordingError: a recording cannot be read.
    """
    from gradparity.recordings.answer import from_outcome
    from gradparity.recordings.freshness import Freshness
    from gradparity.recordings.store import Store, versions

    described = next(iter(record.oracle.values()), None)
    if described is None or not (demanded or versions(folder)):
        return demanded
    freshness = Freshness(Store(folder, str(described["version"])))
    for result in record.results:
        if result.oracle is not None:
            freshness.compare(result.check, from_outcome(result.oracle))
    for line in freshness.lines():
        click.echo(f"  {line}")
    return freshness.contradicts or (demanded and not freshness.is_fresh)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """SIGTERM ends a run as Ctrl-C does; yields an event that tells of it."""
    terminated = threading.Event()

    def interrupt(number: int, frame: object) -> NoReturn:
        terminated.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield terminated
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)


def _load(paths: list[Path], expression: str | None) -> list[Check]:
    """The checks to run; ends the program when there are none or a case is invalid."""
    from gradparity import selection
    from gradparity.language.loading import load
    from gradparity.language.problems import CaseErrors
    from gradparity.reports.wording import plural

    try:
        selects = selection.parse(expression) if expression is not None else None
    except selection.SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None
    try:
        checks = load(paths)
    except CaseErrors as errors:
        _stop(str(errors), INVALID)
    places = ", ".join(str(path) for path in paths)
    if not checks:
        _stop(f"There is no case in {places}: nothing was judged.", INVALID)
    if selects is None:
        return checks
    selected = [check for check in checks if selects(check.id)]
    if not selected:
        _stop(
            f"-k {expression!r} matches no check in {places} ({plural(len(checks), 'check')} "
            "there): nothing was judged.",
            INVALID,
        )
    return selected


def _stop(message: str, exit_status: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(exit_status)
