"""Tensors passed on as they are, with a look at them: checked, or printed."""

import sys

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, FLOATING
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, control_dependencies
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import as_dims, bracket_dims
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.dims import merge

# -- numbers -----------------------------------------------------------------------------


def _complaint(message, found):
    return errors.invalid_argument(f"{message} : Tensor had {found} values")


@op("tensor: T -> output: T", T=FLOATING, message=REQUIRED)
class CheckNumerics:
    """The input; an error if it has a NaN or an infinity."""

    stateful = True

    def kernel(tensor, *, message):
        has_nan, has_inf = np.isnan(tensor).any(), np.isinf(tensor).any()
        if has_nan or has_inf:
            found = "Inf and NaN" if has_nan and has_inf else "NaN" if has_nan else "Inf"
            raise _complaint(message, found)
        return tensor

    def gradient(op, grad):
        return CheckNumerics(grad, message=_of_gradient(op))


@op("tensor: T -> output: T", T=FLOATING, message=REQUIRED)
class CheckNumericsV2:
    """As `CheckNumerics`; the error tells -Inf and +Inf apart."""

    stateful = True

    def kernel(tensor, *, message):
        present = [
            name
            for name, found in (
                ("-Inf", np.isneginf(tensor)),
                ("+Inf", np.isposinf(tensor)),
                ("NaN", np.isnan(tensor)),
            )
            if found.any()
        ]
        if present:
            last = f" and {present[-1]}" if len(present) > 1 else present[-1]
            raise _complaint(message, ", ".join(present[:-1]) + last)
        return tensor

    def gradient(op, grad):
        return CheckNumericsV2(grad, message=_of_gradient(op))


def _of_gradient(op):
    # TensorFlow 2.21 formats the bytes that the attribute is, b'…' and all.
    message = op.attrs["message"].encode()
    return f"Not a number (NaN) or infinity (Inf) values detected in gradient. {message!r}"


@export("check_numerics", "debugging.check_numerics")
def check_numerics(tensor, message, name=None):
    """The tensor; when run, an error that begins with `message` if it has a NaN or infinity."""
    return CheckNumerics(tensor, message=message, name=name)


@export("verify_tensor_all_finite", "debugging.assert_all_finite")
def verify_tensor_all_finite(t=None, msg=None, name=None, x=None, message=None):
    """The tensor, which is read once it has been checked as by `check_numerics`.

    The gradient goes past the check.
    """
    with NameScope(name, "VerifyFinite", [t if x is None else x]):
        tensor = convert_to_tensor(t if x is None else x, name="x")
        checked = check_numerics(tensor, msg if message is None else message)
        with control_dependencies([checked]):
            return identity(tensor)


# -- shapes ------------------------------------------------------------------------------


@op("input: T -> output: T", T=ANY, shape=REQUIRED)
class EnsureShape:
    """The input; an error if its shape is not as said."""

    def shape(op):
        return merge(op.inputs[0].dims, op.attrs["shape"])

    def kernel(input, *, shape):
        fits = shape is None or (
            len(shape) == input.ndim
            and all(size in (None, found) for size, found in zip(shape, input.shape, strict=True))
        )
        if not fits:
            raise errors.invalid_argument(
                f"Shape of tensor {{name}} {bracket_dims(input.shape)} is not compatible with "
                f"expected shape {bracket_dims(shape)}."
            )
        return input

    def gradient(op, grad):
        return grad


@export("ensure_shape")
def ensure_shape(x, shape, name=None):
    """The tensor `x`, known to be of a shape (None for what is open) and checked when run."""
    return EnsureShape(convert_to_tensor(x), shape=as_dims(shape), name=name)


# -- printing ----------------------------------------------------------------------------


@op("input: T, data: [U] -> output: T", T=ANY, message="", first_n=-1, summarize=3)
class Print:
    """The input; prints `data` to standard error."""

    stateful = True

    def kernel(input, *data, message, first_n, summarize):
        # TensorFlow counts runs for `first_n`; here only "never" and "always" are told apart.
        if first_n:
            print(message + "".join(_shown(item, summarize) for item in data), file=sys.stderr)
        return input

    def gradient(op, *grads):
        return [*grads, *[None] * (len(op.inputs) - 1)]


def _shown(item, count):
    flat = item.reshape(-1)
    kept = flat if count < 0 else flat[:count]
    more = "..." if len(kept) < len(flat) else ""
    return f"[{' '.join(map(str, kept.tolist()))}{more}]"


@export("Print")
def print_(input_, data, message=None, first_n=None, summarize=None, name=None):
    """The input; whenever it is computed, prints a list of tensors to standard error.

    Args:
      input_: passed on.
      data: the tensors to print.
      message: what stands before them.
      first_n: 0 prints nothing; anything else prints always.
      summarize: how many elements of each, 3 by default; -1 for all.
    """
    attrs = {"message": message, "first_n": first_n, "summarize": summarize}
    given = {attribute: value for attribute, value in attrs.items() if value is not None}
    return Print(input_, data, name=name, **given)
