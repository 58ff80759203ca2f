"""Running sums, products and logarithms of sums."""

import numpy as np

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, INT32_BY_DEFAULT, NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op


def _running(accumulate, neutral, x, axis, exclusive, reverse):
    """`accumulate` along an axis; exclusive: each without itself; reverse: from the end."""
    axis = int(axis)
    if reverse:
        x = np.flip(x, axis)
    result = accumulate(x, axis=axis, dtype=x.dtype)
    if exclusive and x.shape[axis]:
        first = np.full_like(np.take(x, [0], axis), neutral)
        rest = np.take(result, np.arange(x.shape[axis] - 1), axis)
        result = np.concatenate([first, rest], axis)
    return np.flip(result, axis) if reverse else result


@op("x: T, axis: Tidx -> out: T", T=NUMERIC, Tidx=INT32_BY_DEFAULT, exclusive=False, reverse=False)
class Cumsum:
    """The sums of all elements up to each."""

    def kernel(x, axis, *, exclusive, reverse):
        sums = _running(np.add.accumulate, 0, x, axis, exclusive, reverse)
        # TensorFlow adds to a 0 at the start, so that no sum is -0.0.
        return sums + x.dtype.type(0)

    def gradient(op, grad):
        flags = {"exclusive": op.attrs["exclusive"], "reverse": not op.attrs["reverse"]}
        return [Cumsum(grad, op.inputs[1], **flags), None]


@op("x: T, axis: Tidx -> out: T", T=NUMERIC, Tidx=INT32_BY_DEFAULT, exclusive=False, reverse=False)
class Cumprod:
    """The products of all elements up to each."""

    def kernel(x, axis, *, exclusive, reverse):
        return _running(np.multiply.accumulate, 1, x, axis, exclusive, reverse)

    def gradient(op, grad):
        # Wrong from a zero on (0/0 made 0), as TensorFlow 2.21 has it: issue 119430.
        from numpy_tf.ops.math.arithmetic import div_no_nan

        x, axis = op.inputs
        flags = {"exclusive": op.attrs["exclusive"], "reverse": op.attrs["reverse"]}
        product = Cumprod(x, axis, **flags)
        flags["reverse"] = not flags["reverse"]
        return [div_no_nan(Cumsum(product * grad, axis, **flags), x), None]


@op("x: T, axis: Tidx -> out: T", T=FLOATING, Tidx=INT32_BY_DEFAULT, exclusive=False, reverse=False)
class CumulativeLogsumexp:
    """The logarithm of the sum of the exponentials of all elements up to each."""

    def kernel(x, axis, *, exclusive, reverse):
        if x.dtype.itemsize == 2:
            wide = x.astype(np.float32)
            return _running_logsumexp(wide, axis, exclusive, reverse).astype(x.dtype)
        return _running_logsumexp(x, axis, exclusive, reverse)

    def gradient(op, grad):
        from numpy_tf.ops.array.select import where_v2
        from numpy_tf.ops.math.comparison import Greater, Less
        from numpy_tf.ops.math.elementwise import Exp, Log

        x, axis = op.inputs
        flags = {"exclusive": op.attrs["exclusive"], "reverse": not op.attrs["reverse"]}
        # Positive and negative gradients apart, because of both a logarithm is taken.
        lowest = grad.dtype.min
        positive = where_v2(Greater(grad, 0), Log(grad), lowest)
        negative = where_v2(Less(grad, 0), Log(-grad), lowest)
        total = op.outputs[0]
        from_positive = Exp(CumulativeLogsumexp(positive - total, axis, **flags) + x)
        from_negative = Exp(CumulativeLogsumexp(negative - total, axis, **flags) + x)
        return [from_positive - from_negative, None]


def _running_logsumexp(x, axis, exclusive, reverse):
    return _running(np.logaddexp.accumulate, -np.inf, x, axis, exclusive, reverse)


@export("math.cumulative_logsumexp")
def cumulative_logsumexp(x, axis=0, exclusive=False, reverse=False, name=None):
    """The logarithm of the sum of the exponentials of all elements up to each along `axis`."""
    with NameScope(name, "CumulativeLogsumexp", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return CumulativeLogsumexp(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


@export("cumsum", "math.cumsum")
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The sums of all elements up to each along `axis`."""
    with NameScope(name, "Cumsum", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return Cumsum(x, axis, exclusive=exclusive, reverse=reverse, name=scope)


@export("cumprod", "math.cumprod")
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """The products of all elements up to each along `axis`."""
    with NameScope(name, "Cumprod", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        return Cumprod(x, axis, exclusive=exclusive, reverse=reverse, name=scope)
