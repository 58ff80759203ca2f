"""Trivial gradients: when a check could not have failed, and whether a meant one is there.

The rule, in this one place. A check is vacuous when all of its gradients are trivial in the
same way and nothing in it says that this is meant:

- *trivial in the same way*: each gradient is None, or each is dense and all zeros, or each is
  dense and all ones. An empty tensor is both. None beside another kind of gradient tells
  something (which x is connected), and so do the indices of IndexedSlices: neither is trivial.
- *says that it is meant*: `expect` (a documented value is what the check is for), `raises`,
  `intent`, `stop_gradient_at` or `stop_gradients` (the pattern of what is cut off is the
  point).

It looks at the oracle's gradients alone, for whether a check can fail is not for the
implementation to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gradparity.language.check import Check
from gradparity.outcome import DenseResult, Result

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIVIAL = {"zero": "zeros", "ones": "ones"}
"""What `intent` can be -> how people say it."""


def vacuous_reason(check: Check, gradients: Sequence[Result]) -> str | None:
    """Why the check could not have failed, or None when it could."""
    if check.expect is not None or check.raises is not None or check.intent is not None:
        return None
    if check.stopped or _stops_by_argument(check):
        return None
    if not gradients:
        return "no gradient is asked for; say so with `expect: []`, or ask for one"
    if all(gradient is None for gradient in gradients):
        return (
            "every gradient is None, so an implementation that differentiates nothing would "
            "pass; say that it is meant with `expect`, or ask for an x that is connected"
        )
    for intent, words in TRIVIAL.items():
        if all(is_trivial(gradient, intent) for gradient in gradients):
            return (
                f"every gradient is all {words}, so an implementation that always answers "
                f"{words} would pass; say that it is meant with `intent: {intent}` or "
                "`expect`, or weight ys with distinct `grad_ys`"
            )
    return None


def unmet_intent(check: Check, gradients: Sequence[Result]) -> str | None:
    """In what the gradients are not as `intent` says, or None.

    None is not zero: gradients that are None are passed over beside others, and may stand
    alone only where `stop_gradient_at` or `stop_gradients` has cut them off.
    """
    if check.intent is None:
        return None
    for position, gradient in enumerate(gradients):
        if gradient is not None and not is_trivial(gradient, check.intent):
            name = check.xs[position] if position < len(check.xs) else str(position)
            return (
                f"intent is {check.intent!r}, but TensorFlow's gradient {position} ({name}) "
                f"is not all {TRIVIAL[check.intent]}"
            )
    everything_is_none = all(gradient is None for gradient in gradients)
    if everything_is_none and not (check.stopped or _stops_by_argument(check)):
        return (
            f"intent is {check.intent!r}, but there is no gradient: None is not "
            f"{TRIVIAL[check.intent]}; `expect: [null]` documents None"
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


def _stops_by_argument(check: Check) -> bool:
    # The call is the only record of it: a check keeps no arguments beside its program.
    return "stop_gradients=" in check.program.gradients
