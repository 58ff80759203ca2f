"""The gate through which all code of a case passes before anything else looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradparity.language import allow_list, bounds
from gradparity.language.code import Code, CodeError, CodeProblem, bare_name, parse


@dataclass
class Sandbox:
    """Checks a case's graph, and then the expressions over its names.

    Attributes:
      inputs: the names that are bound before the graph.
      graph: the graph, parsed; None before `check_graph` or when it cannot be parsed.
      names: every name bound at the graph's top level, inputs first.
    """

    inputs: tuple[str, ...]
    graph: Code | None = None
    names: tuple[str, ...] = ()
    _walk: bounds.Walk = field(init=False)
    _sound: bool = True
    _expressions: dict[str, tuple[Code | None, tuple[CodeProblem, ...]]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.names = self.inputs
        self._walk = bounds.Walk(self.inputs)

    def check_graph(self, text: str) -> tuple[CodeProblem, ...]:
        """Checks the graph's statements; afterwards its names are known."""
        try:
            code = parse(text, "exec")
        except CodeError as error:
            self._sound = False
            return (error.problem,)
        problems, bound = allow_list.check(code, self.inputs)
        self.names = tuple(dict.fromkeys([*self.inputs, *bound]))
        self.graph = code
        if not problems:
            problems = _one(self._walk.check(code))
        self._sound = not problems
        return tuple(problems)

    def check_expression(self, text: str) -> tuple[Code | None, tuple[CodeProblem, ...]]:
        """Checks one expression over the graph's names; returns it parsed."""
        if text not in self._expressions:
            self._expressions[text] = self._check_expression(text)
        return self._expressions[text]

    def _check_expression(self, text: str) -> tuple[Code | None, tuple[CodeProblem, ...]]:
        if text in self.names:
            return bare_name(text), ()
        try:
            code = parse(text, "eval")
        except CodeError as error:
            return None, (error.problem,)
        if self.graph is None and not self._sound:
            return code, ()  # the graph's names are not known
        problems, _ = allow_list.check(code, self.names)
        if not problems and self._sound:
            problems = _one(self._walk.check(code))
        return code, tuple(problems)


def _one(problem: CodeProblem | None) -> list[CodeProblem]:
    return [] if problem is None else [problem]
