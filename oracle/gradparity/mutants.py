"""Mutants: implementations that are wrong on purpose, and by which checks each is found out.

A suite that cannot fail proves nothing. A mutant is an ordinary implementation, a module that
takes another one and breaks one thing in it; a table beside the mutants says which checks
must find it out and in what they must find it to differ. TensorFlow is asked once, and its
answers are held against every mutant.
"""

from __future__ import annotations

import ast
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradparity import engine
from gradparity.judge.verdict import Kind, Word
from gradparity.language import yaml_source
from gradparity.language.check import Check
from gradparity.language.problems import CaseErrors, CaseProblem, nearest
from gradparity.outcome import Outcome
from gradparity.program import Profile, Program
from gradparity.results import CheckResult, RunRecord
from gradparity.workers import Worker, WorkerSource

TABLE = "mutants.yaml"
"""The file in a folder of mutants that says by what each must be found out."""


@dataclass(frozen=True)
class Mutant:
    """An implementation with one mistake.

    Attributes:
      name: the module, which lies in the folder of the table.
      breaks: the mistake, one sentence.
      expected: id of a check that must find it out -> the kind of difference.
    """

    name: str
    breaks: str
    expected: Mapping[str, Kind]


@dataclass(frozen=True)
class Kill:
    """A check that passes with the sound implementation and fails with the mutant."""

    check: str
    word: Word
    kind: Kind | None


@dataclass(frozen=True)
class Miss:
    """A check of the table that did not find a mutant out as the table says.

    Attributes:
      check: its id.
      kind: the kind of difference expected.
      found: what came instead, for people.
    """

    check: str
    kind: Kind
    found: str


@dataclass(frozen=True)
class Trial:
    """A mutant, judged.

    Attributes:
      mutant: which.
      kills: every check that fails with it, in the order of the corpus.
      misses: what the table expects and did not come.
      asked: how many checks it was asked.
    """

    mutant: Mutant
    kills: Sequence[Kill]
    misses: Sequence[Miss]
    asked: int

    @property
    def differences(self) -> list[Kill]:
        """The kills by a difference, which is what a judge is for."""
        return [kill for kill in self.kills if kill.word is Word.DIFFER]

    @property
    def accidents(self) -> list[Kill]:
        """The others: a mutant that crashes or lacks something is broken otherwise than meant."""
        return [kill for kill in self.kills if kill.word is not Word.DIFFER]

    @property
    def survives(self) -> bool:
        """Whether no check found a difference."""
        return not self.differences

    @property
    def as_intended(self) -> bool:
        """Whether every check of the table found what it says, and nothing came by accident."""
        return not (self.survives or self.misses or self.accidents)

    def kinds(self) -> dict[Kind, int]:
        """How many checks found which kind of difference."""
        counts = Counter(kill.kind for kill in self.differences)
        return {kind: counts[kind] for kind in Kind if counts[kind]}


@dataclass
class Matrix:
    """All mutants against all checks that the sound implementation passes.

    Attributes:
      sound: the run with the sound implementation, whose oracle's answers all mutants get.
      trials: a trial for each mutant, in the order of the table.
      asked: how many checks can find a mutant out.
      seconds: the wall time of the mutants' runs.
    """

    sound: RunRecord
    trials: list[Trial] = field(default_factory=list)
    asked: int = 0
    seconds: float = 0.0

    @property
    def passes(self) -> bool:
        """Whether there is a mutant and each was found out as the table says."""
        return bool(self.trials) and all(trial.as_intended for trial in self.trials)


def read_table(folder: Path) -> list[Mutant]:
    """The mutants in a folder, in the order of its table.

    Raises:
      CaseErrors: the table is not well formed, or does not fit the modules in the folder.
    """
    document = yaml_source.read(folder / TABLE)
    modules = {path.stem: path for path in sorted(folder.glob("*.py"))}
    if not isinstance(document.data, dict):
        message = "the table must be a mapping: mutant -> check id -> kind of difference"
        raise CaseErrors([document.problem((), message)])
    mutants, problems = [], []
    for name, expected in document.data.items():
        found = list(_entry_problems(document, name, expected, modules))
        problems += found
        if not found:
            kinds = {check: Kind(kind) for check, kind in expected.items()}
            mutants.append(Mutant(name, _first_sentence(modules[name]), kinds))
    problems += [
        document.problem((), f"the mutant {name!r} is not in the table", "say what finds it out")
        for name in modules
        if name not in document.data
    ]
    if problems:
        raise CaseErrors(problems)
    return mutants


def _entry_problems(
    document: yaml_source.Document, name: str, expected: Any, modules: Mapping[str, Path]
) -> Iterator[CaseProblem]:
    if name not in modules:
        message = f"there is no module {name}.py beside the table"
        yield document.problem((name,), message, nearest(name, modules), key=True)
    if not isinstance(expected, dict) or not expected:
        message = "a mutant needs at least one check: a mapping from its id to a kind"
        yield document.problem((name,), message)
        return
    kinds = [kind.value for kind in Kind]
    for check, kind in expected.items():
        if kind not in kinds:
            hint = nearest(str(kind), kinds) or f"one of {', '.join(kinds)}"
            message = f"{kind!r} is no kind of difference"
            yield document.problem((name, check), message, hint)


def _first_sentence(path: Path) -> str:
    """The first line of a module's docstring, without importing it."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def run(
    mutants: Sequence[Mutant],
    folder: Path,
    checks: Sequence[Check],
    oracle: str | WorkerSource = engine.TENSORFLOW,
    sound: str | WorkerSource = "numpy_tf",
    *,
    quick: bool = False,
    jobs: int = 2,
    on_sound: Callable[[CheckResult], None] = lambda result: None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> Matrix:
    """Judges the sound implementation, and then each mutant by the oracle's same answers.

    Args:
      mutants: which.
      folder: where their modules lie.
      checks: what may be asked.
      oracle: the oracle, or where its workers come from.
      sound: the implementation that the mutants break.
      quick: whether to ask each mutant only the checks of the table, not all.
      jobs: how many mutants are judged at a time.
      on_sound: called with each result of the sound implementation.
      on_trial: called with each trial as it ends.

    Raises:
      StartError: a side, or a mutant, could not be started.
      Interrupted: Ctrl-C while the sound implementation was judged.
    """
    import time

    if quick:
        named = {check for mutant in mutants for check in mutant.expected}
        checks = [check for check in checks if check.id in named]
    matrix = Matrix(engine.run(checks, sound, oracle, jobs=1, on_result=on_sound))
    passing = [result for result in matrix.sound.results if result.verdict.word is Word.AGREE]
    failing = {
        result.check.id: f"the sound implementation fails it: {result.verdict.word.value}"
        for result in matrix.sound.results
        if result.verdict.word is not Word.AGREE
    }
    matrix.asked = len(passing)
    answers = Answers(passing, matrix.sound.oracle)
    started = time.perf_counter()
    stopped = threading.Event()

    def trial(mutant: Mutant) -> Trial:
        asked = [r.check for r in passing if not quick or r.check.id in mutant.expected]
        source = engine.side_source(mutant.name, (str(folder.resolve()),))
        record = engine.run(
            asked, source, answers, jobs=1, on_result=lambda _: _stop_if(stopped.is_set())
        )
        return judged(mutant, record.results, failing)

    by_name: dict[str, Trial] = {}
    with ThreadPoolExecutor(jobs, thread_name_prefix="mutant") as pool:
        waiting = [pool.submit(trial, mutant) for mutant in mutants]
        try:
            for done in as_completed(waiting):
                found = done.result()
                by_name[found.mutant.name] = found
                on_trial(found)
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    matrix.trials = [by_name[mutant.name] for mutant in mutants]
    matrix.seconds = time.perf_counter() - started
    return matrix


class _Stopped(Exception):
    """The trials that still run are of no more interest."""


def _stop_if(stopped: bool) -> None:
    if stopped:
        raise _Stopped


def judged(
    mutant: Mutant, results: Iterable[CheckResult], otherwise: Mapping[str, str] | None = None
) -> Trial:
    """The trial of a mutant, from its results for checks that the sound implementation passes.

    Args:
      mutant: which.
      results: in the order of the corpus.
      otherwise: check id -> why it was not asked, for the messages.
    """
    verdicts = {result.check.id: result.verdict for result in results}
    kills = [
        Kill(check, verdict.word, verdict.kind)
        for check, verdict in verdicts.items()
        if not verdict.word.passes
    ]
    misses = []
    for check, kind in mutant.expected.items():
        verdict = verdicts.get(check)
        if verdict is None:
            found = (otherwise or {}).get(check, "no such check was asked")
        elif verdict.word is Word.DIFFER and verdict.kind is kind:
            continue
        elif verdict.kind is not None:
            found = f"{verdict.word.value} ({verdict.kind.value})"
        else:
            found = verdict.word.value
        misses.append(Miss(check, kind, found))
    return Trial(mutant, kills, misses, asked=len(verdicts))


class Answers:
    """What the oracle once answered, given again to whoever asks the same; a `WorkerSource`.

    Args:
      results: with the oracle's outcomes.
      described: profile -> the description that the oracle gave of itself.
    """

    occupies_a_core = False

    def __init__(
        self, results: Iterable[CheckResult], described: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._outcomes = {
            result.check.program: result.oracle for result in results if result.oracle is not None
        }
        self._described = described

    def start(self, profile: Profile) -> Worker:
        """A worker that knows the answers."""
        return _FromMemory(self._outcomes, self._described[profile])


class _FromMemory:
    def __init__(self, outcomes: Mapping[Program, Outcome], description: Mapping[str, Any]) -> None:
        self._outcomes = outcomes
        self._description = description
        self._asked: deque[Program] = deque()

    def ready(self) -> Mapping[str, Any]:
        return self._description

    def send(self, program: Program) -> None:
        self._asked.append(program)

    def receive(self, time_limit: float) -> Outcome:
        return self._outcomes[self._asked.popleft()]

    def close(self) -> None:
        self._asked.clear()


def summary(trial: Trial) -> str:
    """A trial for people: a line, and below it what was found by which checks."""
    kinds = ", ".join(f"{count} {kind.value}" for kind, count in trial.kinds().items())
    word = "SURVIVES" if trial.survives else "yes" if trial.as_intended else "NO"
    lines = [f"{trial.mutant.name:<32} {len(trial.kills):>6}  {word:<8}  {kinds}".rstrip()]
    lines.append(f"    {trial.mutant.breaks}")
    lines += [f"    {kill.kind.value:<9} {kill.check}" for kill in _first(trial) if kill.kind]
    lines += [
        f"    missed: {miss.check} should find {miss.kind.value}; found: {miss.found}"
        for miss in trial.misses
    ]
    lines += [f"    by accident: {kill.check} is {kill.word.value}" for kill in trial.accidents[:3]]
    return "\n".join(lines)


def _first(trial: Trial, count: int = 3) -> list[Kill]:
    """The checks to show: those of the table, then the first others."""
    expected = [kill for kill in trial.differences if kill.check in trial.mutant.expected]
    others = [kill for kill in trial.differences if kill.check not in trial.mutant.expected]
    return (expected + others)[:count]


HEADING = f"{'mutant':<32} {'killed':>6}  intended  kinds of difference"


def markdown(matrix: Matrix) -> str:
    """The matrix as a page."""
    kinds = list(Kind)
    header = ["Mutant", "What it breaks", "Killed by", *(kind.value for kind in kinds), "Intended"]
    rows = []
    for trial in matrix.trials:
        counts = trial.kinds()
        cells = [
            f"`{trial.mutant.name}`",
            trial.mutant.breaks,
            str(len(trial.kills)),
            *(_marked(counts.get(kind, 0), kind, trial.mutant) for kind in kinds),
            "yes" if trial.as_intended else "**no**",
        ]
        rows.append(cells)
    lines = ["| " + " | ".join(row) + " |" for row in ([header, ["---"] * len(header), *rows])]
    return "\n".join(lines) + "\n"


def _marked(count: int, kind: Kind, mutant: Mutant) -> str:
    """A count, in bold where the table expects the kind."""
    text = str(count) if count else ""
    return f"**{text}**" if text and kind in mutant.expected.values() else text
