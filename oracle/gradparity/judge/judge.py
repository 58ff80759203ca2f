"""Decides a verdict: the one function that turns two outcomes into a word and a reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Literal, TypeAlias

from gradparity.judge.compare import Compared, LimitsOf, compare
from gradparity.judge.equivalence import by_meaning
from gradparity.judge.expectation import BadExpectationError, departure
from gradparity.judge.tolerance import documented_limits, limits
from gradparity.judge.vacuity import unmet_intent, vacuous_reason
from gradparity.judge.verdict import Comparison, Difference, Kind, Rule, Verdict, Word
from gradparity.language.check import Check, ExpectedError
from gradparity.outcome import Failure, Outcome, Result

Side: TypeAlias = Literal["oracle", "implementation"]

SIDE_NAMES: dict[Side, str] = {"oracle": "TensorFlow", "implementation": "the implementation"}

UNSUPPORTED_OP_ERROR = "UnsupportedOpError"
"""The class by which an implementation says that it lacks an op, by convention of its name."""

NO_ANSWER_ERRORS = ("NotExpressibleError", "NotCompiledError")
"""Classes by which a worker says that a mode of TensorFlow cannot be asked this."""

COARSENESS = {kind: position for position, kind in enumerate(Kind)}
"""Kind -> its place from the coarsest to the finest."""

RUN_ERROR_PREAMBLE = re.compile(
    r"\AGraph execution error:.*?^Node: '[^\n]*\n", re.DOTALL | re.MULTILINE
)
"""What precedes the kernel's own words in TensorFlow's message about a failed run."""

MESSAGE_SHOWN = 200
"""Characters of an error's message that a reason quotes."""


def judge(check: Check, oracle: Outcome | None, implementation: Outcome | None) -> Verdict:
    """The verdict on one check, from what the two sides answered.

    In order: the case is held against the oracle (`raises`, `expect`, `intent`), then the
    implementation against the oracle, and at last a check that agrees must have been able to
    fail.

    Args:
      check: what was asked.
      oracle: TensorFlow's answer; None when it could not be asked.
      implementation: the other's answer; None when it gave none.
    """
    if oracle is None:
        return unchecked("TensorFlow gave no answer")
    if oracle.error is not None and oracle.error.type in NO_ANSWER_ERRORS:
        return unchecked(f"TensorFlow cannot be asked this in its mode: {oracle.error.message}")
    raises = check.raises or _permitted(check, oracle)
    if raises is not None:
        return _judge_error(check, raises, oracle, implementation)
    if oracle.error is not None:
        return Verdict(
            Word.INVALID,
            f"TensorFlow raises {_error_text(oracle.error)}; "
            "if the error is meant, declare it with `raises:`",
        )
    try:
        changed = _departure(check, oracle, oracle.gradients)
    except BadExpectationError as error:
        return Verdict(Word.INVALID, str(error))
    if changed is not None:
        return Verdict(Word.ORACLE_CHANGED, f"in TensorFlow {changed[1]}")
    unmet = unmet_intent(check, oracle)
    if unmet is not None:
        return Verdict(Word.INVALID, unmet)
    if implementation is None:
        return crashed("implementation", "it gave no answer")
    if implementation.error is not None:
        return _refusal(check, implementation.error) or _error_differs(None, implementation.error)
    return _judge_values(check, oracle, implementation)


def crashed(side: Side, detail: str) -> Verdict:
    """The verdict when a side's process died, e.g. "killed by SIGSEGV"."""
    return Verdict(Word.CRASHED, f"{SIDE_NAMES[side]} crashed: {detail}")


def timed_out(side: Side, seconds: float) -> Verdict:
    """The verdict when a side did not answer within `seconds`."""
    return Verdict(Word.TIMED_OUT, f"{SIDE_NAMES[side]} did not answer within {seconds:g} s")


def unchecked(detail: str) -> Verdict:
    """The verdict when the oracle could not be asked."""
    return Verdict(Word.UNCHECKED, detail)


def _judge_error(
    check: Check, expected: ExpectedError, oracle: Outcome, implementation: Outcome | None
) -> Verdict:
    """A check that declares `raises`: the oracle must, and then so must the implementation."""
    if oracle.error is None or not _is_as_declared(oracle.error, expected):
        return Verdict(
            Word.ORACLE_CHANGED,
            f"declared is {_declared_text(expected)}, but TensorFlow raises "
            f"{_error_text(oracle.error)}",
        )
    if implementation is None:
        return crashed("implementation", "it gave no answer")
    found = implementation.error
    if found is None:
        return _error_differs(oracle.error, None)
    as_oracle = found.type == oracle.error.type and found.stage == oracle.error.stage
    if as_oracle and _is_as_declared(found, expected):
        return Verdict(Word.AGREE, f"both raise {found.type} in stage {found.stage}")
    return _refusal(check, found) or _error_differs(oracle.error, found)


def _permitted(check: Check, oracle: Outcome) -> ExpectedError | None:
    """The oracle's error as an expected one, where the check leaves it to the oracle.

    An error in building the graph is a mistake of the case all the same.
    """
    error = oracle.error
    if error is None or error.stage == "build" or error.type not in check.may_raise:
        return None
    return ExpectedError(error.type, error.stage)


def _is_as_declared(error: Failure, expected: ExpectedError) -> bool:
    return (
        error.type == expected.type
        and expected.stage in (None, error.stage)
        and (expected.match is None or re.search(expected.match, error.message) is not None)
    )


def _refusal(check: Check, error: Failure) -> Verdict | None:
    """`unsupported` when the error says that the implementation lacks something, else None."""
    if error.type == UNSUPPORTED_OP_ERROR:
        return Verdict(Word.UNSUPPORTED, f"the implementation lacks an op: {_quoted(error)}")
    if error.type in NO_ANSWER_ERRORS:
        return Verdict(
            Word.UNSUPPORTED,
            f"the implementation cannot be asked this in its mode: {error.message}",
        )
    lacking = re.match(r"module '[\w.]+' has no attribute '(\w+)'", error.message)
    if error.type == "AttributeError" and error.stage != "run" and lacking is not None:
        # A name that the program does not ask of `tf` is missed by the implementation's own
        # code, which is a bug of it and no gap.
        name = lacking.group(1)
        source = check.program.build + "\n" + check.program.gradients
        asked = re.search(rf"\btf\.(?:\w+\.)*{name}\b", source)
        if asked is not None:
            return Verdict(Word.UNSUPPORTED, f"the implementation lacks {asked.group()}")
    return None


def _error_differs(oracle: Failure | None, implementation: Failure | None) -> Verdict:
    texts = _error_text(oracle), _error_text(implementation)
    return Verdict(
        Word.DIFFER,
        f"TensorFlow raises {texts[0]}, the implementation {texts[1]}",
        kind=Kind.ERROR,
        differences=(Difference("error", Kind.ERROR, *texts),),
    )


def _departure(
    check: Check, oracle: Outcome, gradients: Sequence[Result]
) -> tuple[str, str] | None:
    """Which of the gradients first departs from `expect`, and in what; None when none does.

    Raises:
      BadExpectationError: `expect` does not fit the query.
    """
    if check.expect is None:
        return None
    if len(check.expect) != len(gradients):
        raise BadExpectationError(
            f"expect has {len(check.expect)} values for {len(gradients)} gradients"
        )
    allowed = partial(documented_limits, op_types=oracle.op_types, override=check.tolerance)
    for position, (expected, actual) in enumerate(zip(check.expect, gradients, strict=True)):
        where = _name("gradient", position, check.xs)
        text = departure(where, expected, actual, allowed)
        if text is not None:
            return where, text
    return None


def _judge_values(check: Check, oracle: Outcome, implementation: Outcome) -> Verdict:
    """Two outcomes without errors."""
    compared = compare_outcomes(check, oracle, implementation)
    chosen = [c.where for c in compared.comparisons if c.rule is Rule.MEANING]
    if chosen and compared.differences and _only_gradients_values(compared.differences):
        return Verdict(
            Word.INVALID,
            f"the sides chose differently for what is not unique, {', '.join(chosen)}, and "
            "the gradients depend on the choice; ask for something that does not, such as the "
            "square or a product in which it cancels",
            comparisons=tuple(compared.comparisons),
        )
    if compared.differences:
        ordered = sorted(compared.differences, key=lambda found: COARSENESS[found.kind])
        more = f"; and {len(ordered) - 1} more" if len(ordered) > 1 else ""
        return Verdict(
            Word.DIFFER,
            sentence(ordered[0]) + more,
            kind=ordered[0].kind,
            differences=tuple(ordered),
            comparisons=tuple(compared.comparisons),
        )
    comparisons = tuple(compared.comparisons)
    departed = _departure(check, oracle, implementation.gradients)
    if departed is not None:
        # Two neighbours of one another are not always both neighbours of a third value.
        where, text = departed
        return Verdict(
            Word.DIFFER,
            f"in the implementation {text}; TensorFlow's value is as documented",
            kind=Kind.VALUE,
            differences=(
                Difference(where, Kind.VALUE, "as documented", "not as documented", detail=text),
            ),
            comparisons=comparisons,
        )
    vacuous = vacuous_reason(check, oracle)
    if vacuous is not None:
        return Verdict(Word.VACUOUS, vacuous, comparisons=comparisons)
    return Verdict(Word.AGREE, _agreement_text(comparisons), comparisons=comparisons)


def compare_outcomes(check: Check, oracle: Outcome, implementation: Outcome) -> Compared:
    """Every gradient and then every y of two outcomes without errors, pair by pair."""
    limits_of: LimitsOf = partial(limits, op_types=oracle.op_types, override=check.tolerance)
    differences: list[Difference] = []
    comparisons: list[Comparison] = []
    for noun, names, ours, theirs in (
        ("gradient", check.xs, oracle.gradients, implementation.gradients),
        ("y", check.ys, oracle.ys, implementation.ys),
    ):
        if len(ours) != len(theirs):
            counts = f"{len(ours)} of them", f"{len(theirs)} of them"
            differences.append(Difference(f"{noun}s", Kind.NONE, *counts))
        for position, (a, b) in enumerate(zip(ours, theirs, strict=False)):
            compared = compare(_name(noun, position, names), a, b, limits_of)
            differences += compared.differences
            comparisons += compared.comparisons
    names = [_name("y", position, check.ys) for position in range(len(oracle.ys))]
    return by_meaning(Compared(differences, comparisons), names, oracle, implementation, limits_of)


def _only_gradients_values(differences: Sequence[Difference]) -> bool:
    return all(d.kind is Kind.VALUE and d.where.startswith("gradient") for d in differences)


def sentence(difference: Difference) -> str:
    """A difference for people, e.g. "gradient 1 (w2): element [2] is 4.0 in TensorFlow and
    5.0 here (1 of 3 elements differ, worst 2097152 ulp; …)".
    """
    sides = f"{difference.oracle} in TensorFlow and {difference.implementation} here"
    if difference.kind is not Kind.VALUE:
        noun = f"{difference.detail} " if difference.detail else ""
        return f"{difference.where}: {noun}{sides}"
    element = f"element {list(difference.index)} is " if difference.index else ""
    found = [f"{difference.count} of {difference.total} elements differ"] if element else []
    found += [difference.detail] if difference.detail else []
    evidence = f" ({', '.join(found)})" if found else ""
    return f"{difference.where}: {element}{sides}{evidence}"


def _agreement_text(comparisons: Sequence[Comparison]) -> str:
    loosest = {comparison.rule for comparison in comparisons}
    worst = max((c.max_ulp for c in comparisons if c.max_ulp is not None), default=0)
    if Rule.MEANING in loosest:
        return f"equal in what is unique of it, worst {worst} ulp"
    if Rule.SCALE in loosest:
        return f"equal within the scale of the tensor, worst {worst} ulp"
    if Rule.ULP in loosest:
        return f"equal within the ulp budget, worst {worst} ulp"
    return "equal bit for bit"


def _name(noun: str, position: int, names: Sequence[str]) -> str:
    return (
        f"{noun} {position} ({names[position]})"
        if position < len(names)
        else (f"{noun} {position}")
    )


def _declared_text(expected: ExpectedError) -> str:
    stage = "" if expected.stage is None else f" in stage {expected.stage}"
    match = "" if expected.match is None else f" with a message that matches {expected.match!r}"
    return f"{expected.type}{stage}{match}"


def _error_text(error: Failure | None) -> str:
    if error is None:
        return "no error"
    return f"{error.type} in stage {error.stage}: {_quoted(error)}"


def _quoted(error: Failure) -> str:
    """The line of the message that says what is wrong, short, in quotes."""
    # Of an error of a run, TensorFlow first tells where the node was made.
    what = RUN_ERROR_PREAMBLE.sub("", error.message.strip())
    line = what.strip().partition("\n")[0]
    return f'"{line[:MESSAGE_SHOWN]}…"' if len(line) > MESSAGE_SHOWN else f'"{line}"'
