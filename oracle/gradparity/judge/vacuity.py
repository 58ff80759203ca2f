"""Trivial gradients: when a check could not have failed, and whether a meant one is there.

The rule, in this one place. A check is vacuous when an implementation that computes no
derivative at all would pass it and nothing in the check says that this is meant. Four such
implementations are tried on the oracle's gradients:

- one that differentiates nothing: every gradient is None,
- one that answers zeros, and one that answers ones, whatever is asked: every gradient is
  dense and all zeros, or all ones (an empty tensor is both),
- one that hands grad_ys on, to the bit and in the same dtype: every gradient is the first
  weight, or each is the weight of the y at its own place, or every one is the sum of all.

None beside another kind of gradient tells something (which x is connected), and so do the
indices of IndexedSlices: neither is trivial.

What says that it is meant: `intent`, `expect` (a documented value is what the check is for) or
`raises`. Gradients that are None alone may also be meant by `stop_gradient_at` or
`stop_gradients`: that everything is cut off is what such a check is about.

It looks at the oracle's answer alone, for whether a check can fail is not for the
implementation to say. What the weights were is known from the check, without asking anybody;
where one is an expression over the graph, handing it on is not looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

from gradparity.language.check import Check
from gradparity.outcome import DenseResult, Outcome, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONSTANT = {"zero": "zeros", "ones": "ones"}
"""An `intent` that names one value for all elements -> how people say it."""

PASS_THROUGH = "pass_through"


def vacuous_reason(check: Check, oracle: Outcome) -> str | None:
    """Why the check could not have failed, or None when it could."""
    if check.expect is not None or check.raises is not None or check.intent is not None:
        return None
    gradients = oracle.gradients
    if not gradients:
        return "no gradient is asked for; say so with `expect: []`, or ask for one"
    if all(gradient is None for gradient in gradients):
        if _stops(check):
            return None
        return (
            "every gradient is None, so an implementation that differentiates nothing would "
            "pass; say that it is meant with `expect`, or ask for an x that is connected"
        )
    for intent, words in CONSTANT.items():
        if all(is_trivial(gradient, intent) for gradient in gradients):
            return (
                f"every gradient is all {words}, so an implementation that always answers "
                f"{words} would pass; say that it is meant with `intent: {intent}` or "
                "`expect`, or weight ys with distinct `grad_ys`"
            )
    passed = passed_through(check, oracle)
    if passed is not None:
        return (
            f"every gradient is {passed}, so an implementation that hands grad_ys on would pass; "
            f"say that it is meant with `intent: {PASS_THROUGH}` or `expect`, or ask for what "
            "depends on the graph"
        )
    return None


def unmet_intent(check: Check, oracle: Outcome) -> str | None:
    """In what the gradients are not as `intent` says, or None.

    None is not zero: gradients that are None are passed over beside others, and may stand
    alone only where `stop_gradient_at` or `stop_gradients` has cut them off.
    """
    if check.intent is None:
        return None
    gradients = oracle.gradients
    if check.intent == PASS_THROUGH:
        if passed_through(check, oracle) is None:
            return (
                f"intent is {PASS_THROUGH!r}, but TensorFlow's gradients are not the weights in "
                "grad_ys as they are, nor their sum"
            )
        return None
    for position, gradient in enumerate(gradients):
        if gradient is not None and not is_trivial(gradient, check.intent):
            name = check.xs[position] if position < len(check.xs) else str(position)
            return (
                f"intent is {check.intent!r}, but TensorFlow's gradient {position} ({name}) "
                f"is not all {CONSTANT[check.intent]}"
            )
    if all(gradient is None for gradient in gradients) and not _stops(check):
        return (
            f"intent is {check.intent!r}, but there is no gradient: None is not "
            f"{CONSTANT[check.intent]}; `expect: [null]` documents None"
        )
    return None


def is_trivial(gradient: Result, intent: str) -> bool:
    """Whether a gradient is dense and consists of zeros (or of ones) alone."""
    if not isinstance(gradient, DenseResult):
        return False
    value: NDArray[Any] = gradient.value
    if value.dtype.kind == "O":
        return intent == "zero" and all(item == b"" for item in value.flat)
    if intent == "zero":
        return not value.any()
    return bool((value == 1).all())


def passed_through(check: Check, oracle: Outcome) -> str | None:
    """As which part of grad_ys every gradient comes back, in words; None when none does."""
    weights = _weights(check, oracle.ys)
    gradients = oracle.gradients
    if not weights or not gradients:
        return None
    for words, candidates in _handed_on(weights, len(gradients)):
        if all(map(_equals, gradients, candidates)):
            return words
    return None


def _handed_on(
    weights: Sequence[NDArray[Any]], xs: int
) -> Iterator[tuple[str, Sequence[NDArray[Any]]]]:
    """What implementations that hand weights on would answer to each of so many xs."""
    yield "the first weight", [weights[0]] * xs
    if len(weights) == xs:
        yield "the weight of the y at its place", weights
    if all((w.shape, w.dtype) == (weights[0].shape, weights[0].dtype) for w in weights):
        yield "the sum of the weights", [reduce(lambda a, b: a + b, weights)] * xs


def _equals(gradient: Result, weight: NDArray[Any]) -> bool:
    if not isinstance(gradient, DenseResult):
        return False
    value = gradient.value
    return (
        value.dtype == weight.dtype
        and value.shape == weight.shape
        and value.tobytes() == weight.tobytes()
    )


def _weights(check: Check, ys: Sequence[Result]) -> Sequence[NDArray[Any]] | None:
    """The weight of each y, as it reaches tf.gradients; None when one is not known."""
    if check.weights is None or len(check.weights) != len(ys):
        return None
    arrays = []
    for source, y in zip(check.weights, ys, strict=True):
        if source is None or not isinstance(y, DenseResult) or y.value.dtype.kind == "O":
            return None
        arrays.append(_weight(source, y.value))
    return arrays


def _weight(source: str, y: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    # The source was made from the case's data: literals, or one call of a NumPy generator.
    value = np.asarray(eval(source, {"np": np})) if source else np.ones_like(y)
    with np.errstate(over="ignore", invalid="ignore"):
        return value.astype(y.dtype)


def _stops(check: Check) -> bool:
    # The call is the only record of it: a check keeps no arguments beside its program.
    return bool(check.stopped) or "stop_gradients=" in check.program.gradients
