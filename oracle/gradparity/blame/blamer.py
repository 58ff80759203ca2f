"""The blamer: asks both sides until it knows which op makes a check differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

from gradparity.blame import finding
from gradparity.blame.finding import Blame, Fault, Source
from gradparity.blame.graph import Graph, matched, that_matter
from gradparity.blame.search import Suspect, suspects_by_gradient, suspects_by_value
from gradparity.judge.compare import LimitsOf, compare
from gradparity.judge.tolerance import limits
from gradparity.judge.verdict import Word
from gradparity.language.check import Check
from gradparity.outcome import DenseResult, Outcome, Result
from gradparity.program import Program
from gradparity.results import CheckResult
from gradparity.workers import WorkerFailure

Json: TypeAlias = dict[str, Any]
SideName: TypeAlias = Literal["oracle", "implementation"]
Ask: TypeAlias = Callable[[SideName, Program], "Outcome | WorkerFailure"]
"""Answers a program on one side."""

SIDES: tuple[SideName, SideName] = ("oracle", "implementation")
TENSORS = 2_000  # asked of one graph; more take longer than a failing check is worth
SUSPECTS = 8  # tried one by one
DEPTH = 6  # constructs of control flow that are taken apart, one after the other
PASSES = 50  # of a loop that is written out


class NoBlame(Exception):
    """Why nothing can be said of a check."""


def can_be_blamed(result: CheckResult) -> bool:
    """Whether there is something to look for: both sides answered, and not alike."""
    return (
        result.verdict.word is Word.DIFFER
        and result.oracle is not None
        and result.implementation is not None
    )


def blame(result: CheckResult, ask: Ask) -> Blame:
    """The operation that makes a check differ.

    Args:
      result: a check whose verdict is `differ`.
      ask: how both sides are asked.

    Returns:
      What was found; a blame with the fault NOWHERE says why nothing was.
    """
    static = all(d.detail == "static shape" for d in result.verdict.differences)
    op_types = () if result.oracle is None else result.oracle.op_types
    search = _Search(
        result.check,
        ask,
        partial(limits, op_types=op_types, override=result.check.tolerance),
        static_shapes=bool(result.verdict.differences) and static,
    )
    try:
        failed = _failed_build(result)
        return failed or _looked_inside(search, search.found())
    except NoBlame as reason:
        return Blame(Fault.NOWHERE, str(reason))
    except Exception as error:  # a search that fails must not cost the verdict it is about
        return Blame(Fault.NOWHERE, f"the search failed: {type(error).__name__}: {error}")


def _failed_build(result: CheckResult) -> Blame | None:
    """The blame for a graph that one side cannot even build."""
    errors = [(side, getattr(result, side).error) for side in SIDES]
    for side, error in errors:
        if error is not None and error.stage == "build":
            line = result.check.line_in_file("build", error.line)
            code = _line_of(result.check.program.build, error.line)
            name = "TensorFlow" if side == "oracle" else "the implementation"
            return Blame(
                Fault.ERROR,
                f"line {line}: `{code}`: building it, {name} raises {error.type}",
                file_line=line,
                code=code,
            )
    return None


def _line_of(text: str, line: int | None) -> str:
    lines = text.split("\n")
    return lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else ""


def _looked_inside(search: _Search, found: Blame) -> Blame:
    """A blame on control flow made finer, where it can be.

    The branch that was taken and the passes that were made are written out, in the program
    that both sides execute, in place of the construct. If the sides still differ, an operation
    in it can be named; if they agree, the construct itself is at fault.
    """
    outer = found.sentence.partition(":")[0].partition(" (line")[0]
    for _ in range(DEPTH):
        if not search.is_control_flow(found):
            return found
        decision = search.decision()
        if decision is None:
            return found
        # What is not run can raise when it is differentiated.
        others = [1 - decision] if found.fault is Fault.ERROR and decision < 2 else []
        inner = None
        for decided in (decision, *others):
            deeper = replace(search, decisions=(*search.decisions, decided))
            with suppress(NoBlame):
                inner = deeper.found()
                search = deeper
                break
        if inner is None:
            agree = "with what it runs written out in its place, the sides agree"
            return replace(found, sentence=f"{found.sentence}; {agree}")
        found = replace(inner, inside=outer, sentence=f"inside {outer}: {inner.sentence}")
    return found


@dataclass
class _Search:
    """One program put to both sides again and again.

    Attributes:
      check: what differs.
      ask: how both sides are asked.
      limits_of: what the judge allows between them.
      static_shapes: whether differences in static shapes count.
      decisions: see `probe.Probe`.
    """

    check: Check
    ask: Ask
    limits_of: LimitsOf
    static_shapes: bool = False
    decisions: tuple[int, ...] = ()
    has_choices: bool = field(default=False, init=False)
    regions: set[str] = field(default_factory=set, init=False)

    # Asking

    def _asked(self, side: SideName, request: Json, counting: bool = False) -> Outcome:
        program = _program(self.check.program, self.decisions, request, counting)
        answer = self.ask(side, program)
        if not isinstance(answer, Outcome):
            raise NoBlame(f"{_name(side)} gave no answer when it was asked for more: {answer}")
        return answer

    def _told(self, side: SideName, request: Json, counting: bool = False) -> tuple[Json, Outcome]:
        """What a side describes, and its whole answer; an error in it is nothing to go by."""
        outcome = self._asked(side, request, counting)
        if outcome.error is not None:
            raise NoBlame(
                f"{_name(side)} raises {outcome.error.type} when it is asked for more: "
                f"{outcome.error.message.strip().partition(chr(10))[0]}"
            )
        return _description(outcome), outcome

    def decision(self) -> int | None:
        """What the first construct of control flow decides: a branch, or a number of passes.

        None when there is no such construct, or none that can be written out.
        """
        if not self.has_choices:
            return None
        try:
            told, outcome = self._told("oracle", {}, counting=True)
        except NoBlame:
            return None
        if not told["choice"]:
            return None
        choice = outcome.ys[1]
        assert isinstance(choice, DenseResult)
        if choice.value.size != 1:
            return None
        decision = int(choice.value.item())
        return decision if decision <= PASSES else None

    def is_control_flow(self, found: Blame) -> bool:
        """Whether what is blamed is a construct of control flow as a whole."""
        return found.op in self.regions

    # Looking

    def found(self) -> Blame:
        """The first operation at fault, in the first gradient call in which there is one."""
        described = {side: self._told(side, {})[0] for side in SIDES}
        self.has_choices = described["oracle"]["choices"]
        graphs = [
            [Graph.from_json(call, described[side]["labels"]) for call in described[side]["calls"]]
            for side in SIDES
        ]
        if len(graphs[0]) != len(graphs[1]):
            raise NoBlame("the sides do not even make the same gradient calls")
        for number in sorted({*that_matter(graphs[0]), *that_matter(graphs[1])}):
            a, b = graphs[0][number], graphs[1][number]
            self.regions |= {op.region for op in a.ops if op.region}
            found = self._in_call(number, a, b)
            if found is not None:
                return found
        raise NoBlame("asked for the gradients of all tensors on the path, the sides agree")

    def _in_call(self, number: int, a: Graph, b: Graph) -> Blame | None:
        source = self._source()
        if a.error is not None or b.error is not None:
            return self._of_errors(a, b, source)
        pairs = matched(a, b)
        if len(pairs) > TENSORS:
            raise NoBlame(f"the graph is too large to look into: {len(pairs):,} tensors")
        question = _Question(
            number,
            {t: u for t, u in pairs.items() if a.fetchable(t) and b.fetchable(u)},
            {t: u for t, u in pairs.items() if a.on_path(t)},
            b,
        )
        answers = {side: self._asked(side, question.to(side)) for side in SIDES}
        if any(answer.error is not None for answer in answers.values()):
            return self._of_run_errors(question, answers, a, source)
        values, gradients = question.read(answers)
        wrong_values = self._differing(values)
        known = {*values, *(t for t in pairs if not a.fetchable(t))}
        for suspect in suspects_by_value(a, known, wrong_values):
            return finding.of_suspect(Fault.VALUE, suspect, a, source)
        return self._of_gradients(question, a, self._differing(gradients), gradients, source)

    def _of_gradients(
        self,
        question: _Question,
        graph: Graph,
        differing: set[str],
        known: Mapping[str, Any],
        source: Source,
    ) -> Blame | None:
        if not differing:
            return None
        for tensor in sorted(differing):
            if tensor not in graph.consumers:
                return _without_operation(tensor, graph)
        suspects = suspects_by_gradient(graph, known, differing)
        if not suspects:
            raise NoBlame("no operation turns gradients that agree into one that differs")
        guilty = self._tried(question, suspects[:SUSPECTS])
        if guilty:
            return finding.of_suspect(Fault.GRADIENT, guilty[0], graph, source)
        for suspect in suspects:
            for tensor in suspect.differing:
                if len(graph.consumers[tensor]) > 1:
                    return finding.of_sum(tensor, suspect, graph, source)
        return finding.of_suspect(Fault.GRADIENT, suspects[0], graph, source)

    def _tried(self, question: _Question, suspects: Sequence[Suspect]) -> list[Suspect]:
        """The suspects that, by themselves, make what agrees differ.

        Where a tensor has several consumers its gradient is a sum, and its difference may be
        another one's: each is asked what it alone passes on.
        """
        local = [(suspect.arriving, suspect.leaving) for suspect in suspects]
        told = {side: self._told(side, question.to(side, local)) for side in SIDES}
        answers = [list(told[side][1].gradients[question.asked(side) :]) for side in SIDES]
        errors = [told[side][0]["errors"] for side in SIDES]
        guilty = []
        for number, suspect in enumerate(suspects):
            count = len(suspect.leaving)
            theirs = [answer[:count] for answer in answers]
            answers = [answer[count:] for answer in answers]
            raised = [str(number) in error for error in errors]
            passed = dict(zip(suspect.leaving, zip(*theirs, strict=True), strict=True))
            if raised[0] != raised[1] or self._differing(passed):
                guilty.append(suspect)
        return guilty

    def _differing(self, results: Mapping[str, tuple[Result, Result]]) -> set[str]:
        return {tensor for tensor, pair in results.items() if self._differ(*pair)}

    def _differ(self, one: Result, other: Result) -> bool:
        found = compare("", one, other, self.limits_of).differences
        return any(self.static_shapes or d.detail != "static shape" for d in found)

    # Errors

    def _of_errors(self, a: Graph, b: Graph, source: Source) -> Blame | None:
        """The blame for what the gradient call raises on a side; None when both raise alike."""
        if a.error is not None and b.error is not None and a.error["type"] == b.error["type"]:
            return None
        told = [
            f"{_name(side)} raises {graph.error['type']}"
            for side, graph in zip(SIDES, (a, b), strict=True)
            if graph.error is not None
        ]
        only = "" if len(told) > 1 else ", the other does not"
        raising = b if b.error is not None else a
        assert raising.error is not None
        by_name = {op.name: op for op in raising.ops}
        op = by_name.get(str(raising.error["op"]))
        line = next((each for each in a.ops if op is not None and each.name == op.name), op)
        sentence = f"differentiating it, {' and '.join(told)}{only}"
        if op is None:
            sentence = f"before anything is differentiated, {' and '.join(told)}{only}"
        return finding.of_error(line, sentence, a, source)

    def _of_run_errors(
        self, question: _Question, answers: Mapping[SideName, Outcome], a: Graph, source: Source
    ) -> Blame | None:
        """The blame for what the run raises on one side: found by asking for less of it."""
        errors = {side: answers[side].error for side in SIDES}
        types = {side: error.type for side, error in errors.items() if error is not None}
        if len(set(types.values())) == 1 and len(types) == 2:
            return None
        side: SideName = "implementation" if errors["implementation"] is not None else "oracle"
        values, gradients = question.ordered(a)
        steps = [("value", t) for t in values] + [("gradient", t) for t in gradients]
        low, high = 0, len(steps)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (low, middle)
                if self._raises(side, question, steps[:middle])
                else (
                    middle,
                    high,
                )
            )
        what, tensor = steps[high - 1]
        told = f"in the run of its {what} {_name(side)} raises {types[side]}"
        takers = a.consumers.get(tensor, ()) if what == "gradient" else ()
        if not takers:
            return finding.of_error(a.producers[tensor], told, a, source)
        for op in takers:
            arriving = [
                t for what, t in steps[: high - 1] if what == "gradient" and t in op.outputs
            ]
            local = [(arriving, [tensor])]
            if arriving and self._raises(side, question, steps[: high - 1], local):
                return finding.of_error(op, told, a, source)
        return finding.of_error(takers[0], told, a, source)

    def _raises(
        self,
        side: SideName,
        question: _Question,
        steps: Sequence[tuple[str, str]],
        local: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
    ) -> bool:
        less = replace(
            question,
            values={t: question.values[t] for what, t in steps if what == "value"},
            gradients={t: question.gradients[t] for what, t in steps if what == "gradient"},
            names={**question.names, **question.values, **question.gradients},
        )
        return self._asked(side, less.to(side, local)).error is not None

    def _source(self) -> Source:
        return Source(self.check.program.build, self.check.build_lines, PREFIX.count("\n"))


@dataclass(frozen=True)
class _Question:
    """The tensors of one gradient call that both sides are asked about.

    Attributes:
      call: which, from 0.
      values: tensor of the oracle -> the implementation's, of those whose value is asked.
      gradients: the same for those whose gradient is.
      other: the implementation's graph.
      names: the same for tensors that only local questions are about.
    """

    call: int
    values: Mapping[str, str]
    gradients: Mapping[str, str]
    other: Graph
    names: Mapping[str, str] = field(default_factory=dict)

    def to(self, side: SideName, local: Sequence[tuple[Sequence[str], Sequence[str]]] = ()) -> Json:
        """The request to one side, in its own names."""
        names: Mapping[str, str] = {**self.names, **self.values, **self.gradients}
        if side == "oracle":
            names = {tensor: tensor for tensor in names}
        return {
            "call": self.call,
            "forward": [names[t] for t in self.values],
            "gradients": self._asked_names(side),
            "local": [
                ([names[t] for t in outputs], [names[t] for t in inputs])
                for outputs, inputs in local
            ],
        }

    def asked(self, side: SideName) -> int:
        """How many gradients are asked of one side."""
        return len(self._asked_names(side))

    def _asked_names(self, side: SideName) -> list[str]:
        # A tensor that no gradient of this side reaches has None. To ask for it would make it
        # an x, and an x changes what lies between.
        if side == "oracle":
            return list(self.gradients)
        return [u for u in self.gradients.values() if self.other.on_path(u)]

    def read(
        self, answers: Mapping[SideName, Outcome]
    ) -> tuple[dict[str, tuple[Result, Result]], dict[str, tuple[Result, Result]]]:
        """Both sides' values and gradients, by the oracle's tensors."""
        one, other = answers["oracle"], answers["implementation"]
        theirs = dict(zip(self._asked_names("implementation"), other.gradients, strict=False))
        return (
            dict(zip(self.values, zip(one.ys[1:], other.ys[1:], strict=True), strict=True)),
            {
                t: (result, theirs.get(u))
                for (t, u), result in zip(self.gradients.items(), one.gradients, strict=False)
            },
        )

    def ordered(self, graph: Graph) -> tuple[list[str], list[str]]:
        """The tensors of which values are asked in the order of the run, then of gradients."""

        def place(tensor: str) -> int:
            return graph.positions[graph.producers[tensor].name]

        return sorted(self.values, key=place), sorted(self.gradients, key=place, reverse=True)


def _without_operation(tensor: str, graph: Graph) -> Blame:
    """The blame for a gradient that no operation has passed on."""
    name = finding.tensor_text(tensor, graph)
    if tensor in graph.ys:
        return Blame(
            Fault.SEED,
            f"no operation: the gradient of {name} with respect to itself differs already, "
            "which is its weight (grad_ys)",
            differing=(tensor,),
        )
    return Blame(
        Fault.UNREACHED,
        f"no operation: nothing leads from {name} to the ys, and what tf.gradients gives for it "
        "differs",
        differing=(tensor,),
    )


PREFIX = """\
_probe = {{"__name__": "gradparity_probe"}}
exec(compile({source!r}, "<probe>", "exec"), _probe)
_probe = _probe["Probe"](tf, {decisions!r}, {counting!r}); tf = _probe.tf
"""

SUFFIX = "ys, gradients = _probe.answer(dict(globals()), {request!r})\n"


def _program(
    program: Program, decisions: tuple[int, ...], request: Json, counting: bool
) -> Program:
    """A check's program with the probe around it: it answers the request instead."""
    prefix = PREFIX.format(source=_probe_source(), decisions=decisions, counting=counting)
    return replace(
        program,
        build=prefix + program.build,
        gradients=program.gradients + SUFFIX.format(request=request),
    )


@cache
def _probe_source() -> str:
    return Path(__file__).with_name("probe.py").read_text(encoding="utf-8")


def _description(outcome: Outcome) -> Json:
    text = outcome.ys[0]
    assert isinstance(text, DenseResult)
    described: Json = json.loads(text.value.item())
    return described


def _name(side: SideName) -> str:
    return "TensorFlow" if side == "oracle" else "the implementation"
