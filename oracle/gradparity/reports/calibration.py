"""Calibration for people: lines for the terminal, and docs/tolerances.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gradparity.calibration import CAUSES, Measured, names
from gradparity.judge.tolerance import PRECISIONS, SUMMING, ULP_BUDGETS, limits

DTYPES = tuple(PRECISIONS)


def lines(measured: Measured) -> Iterator[str]:
    """A line for each op and dtype: the largest distance by each cause, and the budget."""
    yield f"{'op':<28}{'dtype':<10}" + "".join(f"{cause:>12}" for cause in CAUSES) + "      budget"
    for op, dtypes in measured.ulp.items():
        for dtype, causes in dtypes.items():
            figures = "".join(f"{causes.get(cause, '-'):>12}" for cause in CAUSES)
            yield f"{op:<28}{dtype:<10}{figures}{_budget(op, dtype):>12}"
    for op, dtypes in measured.scale.items():
        for dtype, causes in dtypes.items():
            figures = "".join(f"{causes.get(cause, '-'):>12}" for cause in CAUSES)
            yield f"{op + ', scale':<28}{dtype:<10}{figures}{PRECISIONS[dtype].factor:>12}"


def _budget(entry: str, dtype: str) -> int:
    """What an op is allowed, or a chain of them such as "Cosh(Asinh)"."""
    return limits(dtype, names(entry)).ulp


def page(measured: Measured) -> str:
    """docs/tolerances.md."""
    return "\n".join(_page(measured)) + "\n"


def _page(measured: Measured) -> Iterator[str]:
    yield "# Tolerances, and what was measured for them"
    yield ""
    yield (
        "<!-- Written by `gradparity calibrate --measured --markdown docs/tolerances.md`; "
        "edit the tables in `oracle/gradparity/judge/tolerance.py`. -->"
    )
    yield ""
    yield (
        "Two values are equal when their bits are, else within the **ulp budget** of the ops in "
        "TensorFlow's graph, else, where the graph sums, within eps × the **scale** of the "
        "tensor. dtype, shape, None-ness, sparsity, NaN, infinities and the signs of zeros have no "
        "tolerance. A case can override the limits with `tolerance`, and must say why."
    )
    yield ""
    yield (
        f"The figures are from TensorFlow {measured.tensorflow} on {measured.machine}, at "
        f"{measured.points:,} points for each op and dtype: the largest distance between its "
        "pinned answer (one thread, no oneDNN, no graph rewriting) and"
    )
    yield ""
    for cause, words in CAUSES.items():
        yield f"- **{cause}**: {words}"
    yield ""
    yield "## Ulp budgets"
    yield ""
    yield (
        "The budget of a check is the sum over the op types in its graph, each once. No budget is "
        "larger than what was measured, except where the last column says why; a budget may be "
        "smaller, because a cause that is not the implementation's (another number of threads, "
        "oneDNN, XLA) is none of its excuses. Results below the smallest normal number are left "
        "out."
    )
    yield ""
    yield from _table(measured.ulp, lambda op, dtype: str(_budget(op, dtype)), _why)
    yield ""
    yield "## The rule by scale"
    yield ""
    yield (
        "Where terms cancel, what is left has the error of the terms. |a − b| ≤ factor × eps × "
        "the largest finite element is excused for that reason, and only in graphs that hold an "
        "op which sums:"
    )
    yield ""
    reasons: dict[str, list[str]] = {}
    for op, why in SUMMING.items():
        reasons.setdefault(why, []).append(op)
    for why, ops in reasons.items():
        yield f"- {why}: {', '.join(f'`{op}`' for op in ops)}"
    yield (
        "- in complex tensors any op: a product of complex numbers is a sum of two products, "
        "the parts of which cancel"
    )
    yield ""
    yield "| dtype | factor | why |"
    yield "| --- | --- | --- |"
    for dtype, precision in PRECISIONS.items():
        yield f"| {dtype} | {precision.factor:g} | {precision.why} |"
    yield ""
    yield "Measured, in units of eps × the scale:"
    yield ""
    yield from _table(
        measured.scale, lambda op, dtype: f"{PRECISIONS[dtype].factor:g}", lambda op, dtype: ""
    )


def _why(entry: str, dtype: str) -> str:
    budget = ULP_BUDGETS.get(entry.partition(",")[0])
    if budget is None:
        return "takes 1 off: see the rule by scale" if entry in ("Elu", "Selu") else "no budget"
    return budget.why + (f"; beyond: {budget.beyond}" if budget.beyond else "")


def _table(
    spread: Mapping[str, Mapping[str, Mapping[str, float]]],
    allowed: Callable[[str, str], str],
    why: Callable[[str, str], str],
) -> Iterator[str]:
    yield f"| op | dtype | {' | '.join(CAUSES)} | allowed | why |"
    yield "| --- " * (len(CAUSES) + 4) + "|"
    for op, dtypes in spread.items():
        for number, (dtype, causes) in enumerate(dtypes.items()):
            figures = " | ".join(f"{causes[c]:,}" if c in causes else "" for c in CAUSES)
            name, reason = ("", "") if number else (f"`{op}`", why(op, dtype))
            yield f"| {name} | {dtype} | {figures} | {allowed(op, dtype)} | {reason} |"
