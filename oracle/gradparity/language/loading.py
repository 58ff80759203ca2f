"""Finds case files and loads them; reports the problems of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gradparity.language import generation, matrix, model, yaml_source
from gradparity.language.check import Case, Check
from gradparity.language.expansion import MAX_CHECKS, Analysis, Expansion
from gradparity.language.problems import CaseErrors, CaseProblem, in_file_order
from gradparity.language.yaml_source import Document, problem_at

ENDINGS = (".yaml", ".yml")
CORPUS_FOLDER = "cases"  # the folder whose name marks the root of a corpus
NO_CASES_YET = "`gradparity new NAME` writes a case to start from"


@dataclass
class Corpus:
    """Case files, loaded.

    Attributes:
      files: every case file found, valid or not, in order.
      checks: the checks of the valid ones.
      problems: what is wrong with the others.
    """

    files: list[Path] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    problems: list[CaseProblem] = field(default_factory=list)


def load(paths: Sequence[Path | str], root: Path | str | None = None) -> list[Check]:
    """Loads case files and folders of them.

    Args:
      paths: files, and folders that are searched for `*.yaml` and `*.yml`.
      root: the folder below which cases are named; by default see `corpus_root`.

    Raises:
      CaseErrors: with the problems of all files.
    """
    corpus = read(paths, root)
    if corpus.problems:
        raise CaseErrors(corpus.problems)
    return corpus.checks


def read(paths: Sequence[Path | str], root: Path | str | None = None) -> Corpus:
    """As `load`, but gives what is valid and the problems of what is not."""
    corpus = Corpus()
    named, corpus.problems = find(paths, root)
    for path, name in named:
        corpus.files.append(path)
        try:
            corpus.checks += load_file(path, name)
        except CaseErrors as errors:
            corpus.problems += errors.problems
    return corpus


def find(
    paths: Sequence[Path | str], root: Path | str | None = None
) -> tuple[list[tuple[Path, str]], list[CaseProblem]]:
    """The case files at `paths`, each once, with their names; and what is wrong with `paths`."""
    problems: list[CaseProblem] = []
    named: dict[Path, tuple[Path, str]] = {}
    for given in map(Path, paths):
        if not given.exists():
            missing = "there is no such file or folder"
            problems.append(problem_at(given, (), 1, 1, missing, NO_CASES_YET))
            continue
        top = Path(root) if root is not None else corpus_root(given)
        files = list(case_files(given))
        if not files:
            problems.append(
                problem_at(given, (), 1, 1, "no case files here", "cases end in .yaml or .yml")
            )
        for path in files:
            named.setdefault(path.resolve(), (path, case_name(path, top)))
    return list(named.values()), problems


def case_files(path: Path) -> Iterator[Path]:
    """The case files at `path`, sorted; hidden files and folders are passed over."""
    if path.is_file():
        yield path
        return
    found = (p for p in path.rglob("*") if p.suffix in ENDINGS and p.is_file())
    for file in sorted(found):
        if not any(part.startswith(".") for part in file.relative_to(path).parts):
            yield file


def corpus_root(path: Path) -> Path:
    """The folder below which a case at `path` is named.

    It is the nearest folder called "cases" that is or holds `path`, so that a check has the
    same id whether it is run alone, with its folder or with the whole corpus; without such a
    folder, the folder given, or the one that holds the file.
    """
    whole = path.resolve()
    start = whole if whole.is_dir() else whole.parent
    named = (folder for folder in (start, *start.parents) if folder.name == CORPUS_FOLDER)
    return next(named, start)


def case_name(path: Path, root: Path) -> str:
    """The path below `root` without its ending, with forward slashes on every system."""
    try:
        below = path.resolve().relative_to(root.resolve())
    except ValueError:
        below = Path(path.name)
    return below.with_suffix("").as_posix()


def load_file(path: Path | str, name: str | None = None) -> list[Check]:
    """The checks of one case file.

    Args:
      path: the file.
      name: the case's name; by default its path below `corpus_root`.

    Raises:
      CaseErrors: with every problem that could be found in it, in the order of the file.
    """
    path = Path(path)
    name = case_name(path, corpus_root(path)) if name is None else name
    return expand(yaml_source.read(path), name)


def expand(document: Document, name: str) -> list[Check]:
    """The checks of a case file that has been read. Raises CaseErrors."""
    problems: list[CaseProblem] = []
    checks: list[Check] = []
    for member, member_name in generation.members(document, name, MAX_CHECKS):
        found, wrong = _expand_one(member, member_name)
        checks += found
        problems += wrong
        if problems or len(checks) > MAX_CHECKS:
            break
    if len(checks) > MAX_CHECKS and not problems:
        problems.append(document.problem((), f"the file makes more than {MAX_CHECKS:,} checks"))
    problems += _equal_ids(document, checks)
    if problems:
        raise CaseErrors(in_file_order(problems))
    return checks


def _expand_one(document: Document, name: str) -> tuple[list[Check], list[CaseProblem]]:
    problems: list[CaseProblem] = []
    checks: list[Check] = []
    analyses: dict[tuple[tuple[str, ...], str], Analysis] = {}
    for entry in matrix.entries(document):
        validated, found = model.validate(entry.document)
        problems += found
        if validated is not None:
            raw = document.data
            case = Case(name, document.path, raw["about"], validated.source, raw.get("graph", ""))
            expansion = Expansion(case, validated, entry, analyses)
            checks += expansion.checks()
            problems += expansion.problems
        if problems or len(checks) > MAX_CHECKS:
            break  # the other entries would say the same again
    return checks, problems


def _equal_ids(document: Document, checks: Iterable[Check]) -> Iterator[CaseProblem]:
    first: dict[str, Check] = {}
    for check in checks:
        other = first.setdefault(check.id, check)
        if other is not check:
            place = check.position
            yield problem_at(
                document.path,
                document.lines,
                place.line,
                place.column,
                f"a second check with the id {check.id!r}; the first is on line "
                f"{other.position.line}",
                "give this query an `id` of its own",
            )
