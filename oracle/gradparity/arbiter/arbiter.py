"""The arbiter: asked about a check that both sides have answered, it gives its word.

It builds the check's program once more, with the gradient calls taken out, and differences
what is left (see `derivative`). It needs a TensorFlow that runs; recordings cannot be run
again with other inputs.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from gradparity.judge.verdict import Kind, Word
from gradparity.workers import MEMORY_LIMIT, HeadStart, Processes

if TYPE_CHECKING:
    from gradparity.arbiter.evaluation import EvaluatorProcess
    from gradparity.arbiter.opinion import Arbitration
    from gradparity.program import Profile, Program
    from gradparity.results import CheckResult, RunRecord
    from gradparity.workers import HeadStart, WorkerSource

# What a program may ask for that makes its gradient another thing than a derivative, on
# purpose, or that differentiates by other names.
OWN_GRADIENTS: Mapping[str, str] = {
    "custom_gradient": "the program defines gradients of its own (tf.custom_gradient)",
    "grad_pass_through": "the program defines gradients of its own (tf.grad_pass_through)",
    "RegisterGradient": "the program defines gradients of its own (tf.RegisterGradient)",
    "gradient_override_map": "the program defines gradients of its own (gradient_override_map)",
    "GradientTape": "the program asks a tf.GradientTape",
    "compute_gradients": "the program asks an optimizer",
    "minimize": "the program asks an optimizer",
    "recompute_grad": "the program asks tf.recompute_grad",
}
MOST_FAILING = 200  # checks that "failing" asks about: a broken build need not wait an hour
INTERRUPTED = "not asked, for the arbitration was interrupted"
INNER = ("gradients", "hessians")  # calls whose results stand-ins take the place of
# The same in operations.
STRAIGHT_THROUGH = (
    "FakeQuant",
    "QuantizeAndDequantize",
)


class Arbiter:
    """Gives opinions; a TensorFlow for each profile is started when first needed.

    Args:
      namespace: TensorFlow's module; None when there is no TensorFlow to ask.
      python: the interpreter that has it.
      paths: folders put before its module search path.
      memory_limit: bytes that programs may take, None for no limit.
    """

    def __init__(
        self,
        namespace: str | None,
        python: str = sys.executable,
        paths: Sequence[str] = (),
        memory_limit: int | None = MEMORY_LIMIT,
    ) -> None:
        self._namespace = namespace
        self._python = python
        self._paths = paths
        self._memory_limit = memory_limit
        self._evaluators: dict[Profile, EvaluatorProcess] = {}
        self.closed = False

    @classmethod
    def beside(cls, source: WorkerSource) -> Arbiter:
        """The arbiter that evaluates programs where an oracle's workers run."""
        if isinstance(source, HeadStart):
            source = source.source
        if isinstance(source, Processes):
            return cls(source.namespace, source.python, source.paths, source.memory_limit)
        return cls(getattr(source, "namespace", None))

    def applied(self, result: CheckResult) -> CheckResult:
        """The result with the arbiter's word in it."""
        return replace(result, arbitration=self.word(result))

    def word(self, result: CheckResult) -> Arbitration:
        """The arbiter's word on one check."""
        from gradparity.arbiter.derivative import Differentiator
        from gradparity.arbiter.evaluation import Undecidable
        from gradparity.arbiter.opinion import arbitrate, no_opinion

        reason = self._unasked(result)
        if reason:
            return no_opinion(reason)
        assert result.oracle is not None
        program = result.check.program
        try:
            evaluator = self._evaluator(program.profile)
            description = evaluator.open(program)
            for prefix in STRAIGHT_THROUGH:
                if any(op_type.startswith(prefix) for op_type in description.op_types):
                    return no_opinion(f"{prefix}… passes gradients straight through by design")
            differentiator = Differentiator(evaluator, description)
            derivatives = [differentiator.derivative(i) for i in range(len(description.judged))]
        except Undecidable as undecidable:
            return no_opinion(str(undecidable))
        return arbitrate(
            derivatives,
            result.oracle,
            result.implementation,
            result.check.xs,
            description.dtypes,
            same=_same_values(result),
        )

    def close(self) -> None:
        """Ends every TensorFlow that was started."""
        self.closed = True
        for evaluator in self._evaluators.values():
            evaluator.close()
        self._evaluators.clear()

    def _unasked(self, result: CheckResult) -> str:
        """Why there is nothing to ask; empty when there is."""
        if result.oracle is None:
            return "TensorFlow gave no answer"
        if result.oracle.error is not None:
            return "an error was the answer"
        if not result.oracle.gradients:
            return "no gradient was asked for"
        if self._namespace is None:
            return "recordings cannot be run with other inputs"
        return own_gradients(result.check.program)

    def _evaluator(self, profile: Profile) -> EvaluatorProcess:
        from gradparity.arbiter.evaluation import EvaluatorProcess

        if profile not in self._evaluators:
            assert self._namespace is not None
            self._evaluators[profile] = EvaluatorProcess(
                self._namespace, profile, self._python, self._paths, self._memory_limit
            )
        return self._evaluators[profile]


def own_gradients(program: Program) -> str:
    """In what a program's gradient is no derivative by its own will; empty when in nothing."""
    build = ast.parse(program.build)
    asks = any(isinstance(n, ast.Attribute) and n.attr in INNER for n in ast.walk(build))
    if asks and any(map(_looks_at_objects, ast.walk(build))):
        return "the program looks at gradients as objects, not at their values"
    for source in (program.build, program.gradients):
        for node in ast.walk(ast.parse(source)):
            name = node.attr if isinstance(node, ast.Attribute) else ""
            if name in OWN_GRADIENTS:
                return OWN_GRADIENTS[name]
    return ""


def _looks_at_objects(node: ast.AST) -> bool:
    """Whether a node of a program's source asks what a thing is, rather than for its value."""
    if isinstance(node, ast.Compare):
        return any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops)
    return isinstance(node, ast.Attribute) and node.attr in ("op", "name", "values", "indices")


def _same_values(result: CheckResult) -> bool:
    verdict = result.verdict
    if verdict.word in (Word.AGREE, Word.VACUOUS):
        return True
    return bool(verdict.differences) and not any(
        difference.kind in (Kind.VALUE, Kind.ERROR) for difference in verdict.differences
    )


def wants(result: CheckResult, asked: str) -> bool:
    """Whether a result is one that the arbiter is to judge.

    Args:
      result: a check with its verdict.
      asked: "all", "failing" (those in which the sides differ, known or not) or "none".
    """
    if asked == "failing":
        return result.verdict.word in (Word.DIFFER, Word.KNOWN)
    return asked == "all"


def add_words(record: RunRecord, arbiter: Arbiter, asked: str) -> int:
    """Puts the arbiter's words into the results of a run, and ends the arbiter.

    With "all", what cases declare of the truth is held against them as well. Ctrl-C ends the
    arbitration: the checks that are left get no opinion, and no declaration is denied.

    Args:
      record: of the run.
      arbiter: who gives the words.
      asked: see `wants`.

    Returns:
      How many checks were left when the arbitration was interrupted; 0 when it was not.
    """
    wanted = [result for result in record.results if wants(result, asked)]
    if not wanted:
        return 0
    from gradparity.arbiter.opinion import no_opinion
    from gradparity.arbiter.truth import problems

    judged: dict[str, CheckResult] = {}
    if asked == "failing":
        reason = f"not asked, for more than {MOST_FAILING} checks fail; --arbiter all asks of each"
        for result in wanted[MOST_FAILING:]:
            judged[result.check.id] = replace(result, arbitration=no_opinion(reason))
        wanted = wanted[:MOST_FAILING]

    def judge(profile: Profile) -> None:
        for result in wanted:
            if result.check.program.profile == profile and not arbiter.closed:
                judged[result.check.id] = arbiter.applied(result)

    profiles = {result.check.program.profile for result in wanted}
    with contextlib.suppress(KeyboardInterrupt), ThreadPoolExecutor(len(profiles)) as pool:
        try:
            list(pool.map(judge, sorted(profiles)))
        finally:
            arbiter.close()
    left = [result for result in wanted if result.check.id not in judged]
    for result in left:
        judged[result.check.id] = replace(result, arbitration=no_opinion(INTERRUPTED))
    record.results = [judged.get(result.check.id, result) for result in record.results]
    if asked == "all" and not left:
        record.truth_problems = problems(record.results)
    return len(left)
