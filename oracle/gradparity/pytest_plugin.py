"""The pytest plugin: case files below the ini option `gradparity_cases` become native items.

It is loaded in every pytest session of whoever has gradparity installed: until a case file
is collected it imports nothing and touches nobody's files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradparity.arbiter.arbiter import Arbiter
    from gradparity.engine import Pairs
    from gradparity.language.check import Check
    from gradparity.ledger import Ledger
    from gradparity.results import CheckResult

SUFFIXES = (".yaml", ".yml")
ROOTS = pytest.StashKey[list[Path]]()
PAIRS = pytest.StashKey["Pairs"]()
ARBITER = pytest.StashKey["Arbiter"]()
LEDGER = pytest.StashKey["Ledger | None"]()
BLAMED = pytest.StashKey[int]()
MOST_BLAMED = 20  # checks of one session that are looked into for what makes them differ


class CheckFailed(Exception):
    """A check whose verdict does not pass."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(f"{result.verdict.word.value}: {result.verdict.reason}")
        self.result = result


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the ini options and the command line option."""
    parser.addini(
        "gradparity_cases",
        "files and folders of gradparity cases, relative to the root folder",
        type="args",
        default=[],
    )
    parser.addini(
        "gradparity_impl",
        "the implementation that gradparity puts under test: a module, or the name of an entry "
        "point gradparity.implementations",
        default="numpy_tf",
    )
    parser.addini(
        "gradparity_ledger",
        "the file of the implementation's known divergences, relative to the root folder "
        "(default: known_divergences.yaml beside the implementation)",
        default="",
    )
    parser.getgroup("gradparity").addoption(
        "--gradparity-impl",
        metavar="NAME",
        help="the implementation that gradparity puts under test (default: ini option "
        "gradparity_impl)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker and reads where cases are."""
    config.addinivalue_line("markers", "gradparity: a check of a gradparity case.")
    config.stash[ROOTS] = [
        (config.rootpath / root).resolve() for root in config.getini("gradparity_cases")
    ]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> GradparityFile | None:
    """Collects a YAML file if it lies below one of the roots, and no other."""
    roots = parent.config.stash[ROOTS]
    if not roots or file_path.suffix not in SUFFIXES or file_path.name.startswith("."):
        return None
    resolved = file_path.resolve()
    root = next((root for root in roots if resolved.is_relative_to(root)), None)
    if root is None:
        return None
    file: GradparityFile = GradparityFile.from_parent(parent, path=file_path, root=root)
    return file


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Asks for the next check too, so that the workers never wait for pytest."""
    for coming in (item, nextitem):
        if isinstance(coming, GradparityItem):
            pairs(item.config).ask(coming.check)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Ends the workers, if any were started."""
    if PAIRS in session.config.stash:
        session.config.stash[PAIRS].stop()
        del session.config.stash[PAIRS]
    if ARBITER in session.config.stash:
        session.config.stash[ARBITER].close()
        del session.config.stash[ARBITER]


def pairs(config: pytest.Config) -> Pairs:
    """The lanes to both sides, one set for the whole session, made when first wanted."""
    if PAIRS not in config.stash:
        from gradparity import engine

        implementation, paths = _under_test(config)
        config.stash[PAIRS] = engine.Pairs(
            {
                "oracle": engine.side_source(engine.TENSORFLOW),
                "implementation": engine.side_source(implementation, paths),
            }
        )
    return config.stash[PAIRS]


def arbiter(config: pytest.Config) -> Arbiter:
    """The arbiter, one for the whole session; its TensorFlow starts with the first failure."""
    if ARBITER not in config.stash:
        from gradparity import engine
        from gradparity.arbiter.arbiter import Arbiter

        config.stash[ARBITER] = Arbiter(engine.TENSORFLOW)
    return config.stash[ARBITER]


def known_divergences(config: pytest.Config) -> Ledger | None:
    """The implementation's ledger, read when first wanted; None when it has none.

    Raises:
      CaseErrors: it is not well formed.
    """
    if LEDGER not in config.stash:
        from gradparity import ledger

        named = config.getini("gradparity_ledger")
        path = config.rootpath / named if named else ledger.beside(*_under_test(config))
        there = path is not None and (bool(named) or path.is_file())
        config.stash[LEDGER] = ledger.load(path) if path is not None and there else None
    return config.stash[LEDGER]


def _under_test(config: pytest.Config) -> tuple[str, list[str]]:
    """The module under test, and the folders in which it is looked for first.

    Raises:
      UsageError: packages give its name to several modules, or to what is none.
    """
    from gradparity.implementations import ImplementationNameError, module_named

    name = config.getoption("--gradparity-impl") or config.getini("gradparity_impl")
    try:
        module = module_named(name)
    except ImplementationNameError as error:
        raise pytest.UsageError(str(error)) from None
    return module, [str(path) for path in (config.rootpath, *config.getini("pythonpath"))]


class GradparityFile(pytest.File):
    """One case file; its items are the checks that it asks for."""

    def __init__(self, *, root: Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.root = root

    def collect(self) -> Iterator[GradparityItem]:
        """Loads the file.

        Raises:
          CollectError: the case is invalid; its text is what `gradparity check` says.
        """
        from gradparity.language.loading import case_name, corpus_root, load
        from gradparity.language.problems import CaseErrors

        root = corpus_root(self.root)
        try:
            checks = load([self.path], root)
        except CaseErrors as errors:
            raise self.CollectError(str(errors)) from None
        file = case_name(self.path, root)
        for check in checks:
            # A generated case is named below its file: "file/graph-07::query-1".
            name = check.id.removeprefix(file).lstrip(":/")
            item: GradparityItem = GradparityItem.from_parent(self, name=name, check=check)
            yield item


class GradparityItem(pytest.Item):
    """One check."""

    def __init__(self, *, check: Check, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.check = check
        self.add_marker("gradparity")

    def runtest(self) -> None:
        """Asks both sides and judges.

        Raises:
          CheckFailed: the verdict does not pass.
          StartError: a side could not be started.
          CaseErrors: the ledger is not well formed.
        """
        ledger = known_divergences(self.config)
        result = pairs(self.config).result(self.check)
        if ledger is not None:
            result = ledger.applied(result, pairs(self.config).described["oracle"])
        self.user_properties.append(("verdict", result.verdict.word.value))
        if not result.verdict.word.passes:
            raise CheckFailed(arbiter(self.config).applied(self._blamed(result)))

    def _blamed(self, result: CheckResult) -> CheckResult:
        """The result with what makes it differ, for as many as are worth the time."""
        count = self.config.stash.get(BLAMED, 0)
        if count == MOST_BLAMED:
            return result
        self.config.stash[BLAMED] = count + 1
        return pairs(self.config).blamed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure as a bug report; a traceback only when gradparity itself has failed."""
        from gradparity.engine import StartError
        from gradparity.language.problems import CaseErrors

        if isinstance(excinfo.value, CheckFailed):
            from gradparity.reports import wording
            from gradparity.reports.document import case_data, check_data
            from gradparity.reports.failure import failure_text

            described = pairs(self.config).described
            names: dict[str, str] = {
                side: wording.side_name(side, described[side]) for side in described
            }
            result = excinfo.value.result
            return failure_text(check_data(result), case_data(result.check.case), names)
        if isinstance(excinfo.value, (StartError, CaseErrors)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the query stands, lines counted from 0, and the heading of a failure."""
        return self.path, self.check.position.line - 1, self.check.id
