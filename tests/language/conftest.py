"""Case text in, checks or problems out."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gradparity.language import loading, yaml_source
from gradparity.language.check import Check
from gradparity.language.problems import CaseErrors, CaseProblem

PATH = Path("cases/demo.yaml")


class Found(NamedTuple):
    """A problem, as a test looks at it."""

    line: int
    column: int
    message: str
    hint: str


@pytest.fixture
def checks_of() -> Callable[[str], list[Check]]:
    """Loads the text of a case file called "demo"."""

    def load(text: str) -> list[Check]:
        return loading.expand(yaml_source.parse(textwrap.dedent(text), PATH), "demo")

    return load


@pytest.fixture
def check_of(checks_of: Callable[[str], list[Check]]) -> Callable[[str], Check]:
    """Loads a case of one check."""

    def load(text: str) -> Check:
        (check,) = checks_of(text)
        return check

    return load


@pytest.fixture
def errors_of(checks_of: Callable[[str], list[Check]]) -> Callable[[str], list[CaseProblem]]:
    """The problems of a case that must not load."""

    def load(text: str) -> list[CaseProblem]:
        with pytest.raises(CaseErrors) as raised:
            checks_of(text)
        return list(raised.value.problems)

    return load


@pytest.fixture
def problems_of(errors_of: Callable[[str], list[CaseProblem]]) -> Callable[[str], list[Found]]:
    """The problems of a case that must not load, short."""

    def load(text: str) -> list[Found]:
        return [
            Found(p.position.line, p.position.column, p.message, p.hint) for p in errors_of(text)
        ]

    return load


@pytest.fixture
def problem_of(problems_of: Callable[[str], list[Found]]) -> Callable[[str], Found]:
    """The one problem of a case that must not load."""

    def load(text: str) -> Found:
        (problem,) = problems_of(text)
        return problem

    return load
