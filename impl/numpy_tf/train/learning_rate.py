"""Learning rates that change with the step, as tensors."""

import math

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.select import where_v2
from numpy_tf.ops.math.arithmetic import Minimum, Mul, Pow
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import equal
from numpy_tf.ops.math.elementwise import Ceil, Cos, Exp, Floor


@export("train.exponential_decay")
def exponential_decay(
    learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None
):
    """`learning_rate * decay_rate ** (global_step / decay_steps)`.

    Args:
      learning_rate: the rate at step 0; its dtype is that of the result.
      global_step: the step, a tensor or variable.
      decay_steps: after how many steps the rate is multiplied by `decay_rate` once.
      decay_rate: the factor.
      staircase: whether the quotient is rounded down.
      name: a name scope.
    """
    with NameScope(name, "ExponentialDecay") as scope:
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        periods = _periods(global_step, decay_steps, staircase, rate.dtype)
        return Mul(rate, Pow(cast(decay_rate, rate.dtype), periods), name=scope)


@export("train.natural_exp_decay")
def natural_exp_decay(
    learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None
):
    """`exponential_decay` by the factor `exp(-decay_rate)`."""
    factor = Exp(-convert_to_tensor(decay_rate))
    return exponential_decay(learning_rate, global_step, decay_steps, factor, staircase, name)


@export("train.inverse_time_decay")
def inverse_time_decay(
    learning_rate, global_step, decay_steps, decay_rate, staircase=False, name=None
):
    """`learning_rate / (1 + decay_rate * global_step / decay_steps)`."""
    with NameScope(name, "InverseTimeDecay"):
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        periods = _periods(global_step, decay_steps, staircase, rate.dtype)
        return rate / (1 + cast(decay_rate, rate.dtype) * periods)


def _periods(global_step, decay_steps, staircase, dtype):
    decay_steps = cast(decay_steps, dtype)
    periods = cast(global_step, dtype) / decay_steps
    return Floor(periods) if staircase else periods


@export("train.polynomial_decay")
def polynomial_decay(
    learning_rate,
    global_step,
    decay_steps,
    end_learning_rate=0.0001,
    power=1.0,
    cycle=False,
    name=None,
):
    """From `learning_rate` to `end_learning_rate` in `decay_steps` steps, and then constant.

    Args:
      learning_rate, global_step, decay_steps, name: as for `exponential_decay`.
      end_learning_rate: the last rate.
      power: the exponent; 1 for a straight line.
      cycle: whether the way down begins anew, and takes longer each time.
    """
    with NameScope(name, "PolynomialDecay"):
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        dtype = rate.dtype
        end, power = cast(end_learning_rate, dtype), cast(power, dtype)
        step, steps = cast(global_step, dtype), cast(decay_steps, dtype)
        if cycle:
            steps = steps * where_v2(equal(step, 0), 1.0, Ceil(step / steps))
        else:
            step = Minimum(step, steps)
        return (rate - end) * Pow(1 - step / steps, power) + end


@export("train.cosine_decay")
def cosine_decay(learning_rate, global_step, decay_steps, alpha=0.0, name=None):
    """From `learning_rate` to `alpha` times that along half a cosine wave."""
    with NameScope(name, "CosineDecay"):
        rate = convert_to_tensor(learning_rate, name="initial_learning_rate")
        steps = cast(decay_steps, rate.dtype)
        step = Minimum(cast(global_step, rate.dtype), steps)
        wave = 0.5 * (1.0 + Cos(constant(math.pi) * (step / steps)))
        return Mul(rate, (1 - alpha) * wave + alpha)


@export("train.piecewise_constant", "train.piecewise_constant_decay")
def piecewise_constant(x, boundaries, values, name=None):
    """The first value up to and with the first boundary, then the second one, and so on.

    Args:
      x: the step, a tensor or variable.
      boundaries: increasing numbers or tensors of x's dtype.
      values: one more than there are boundaries.
      name: a name scope.

    Raises:
      ValueError: when counts or dtypes do not fit.
    """
    x = convert_to_tensor(x)
    boundaries = [_boundary(convert_to_tensor(boundary), x.dtype) for boundary in boundaries]
    values = [convert_to_tensor(value) for value in values]
    for value in values[1:]:
        if value.dtype is not values[0].dtype:
            raise ValueError(
                "Values must have elements all with the same dtype "
                f"({values[0].dtype} vs {value.dtype})."
            )
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with NameScope(name, "PiecewiseConstant"):
        chosen = values[-1]
        for boundary, value in zip(reversed(boundaries), reversed(values[:-1]), strict=True):
            chosen = where_v2(x <= boundary, value, chosen)
        return chosen


def _boundary(boundary, dtype):
    if boundary.dtype is dtypes.int32 and dtype.base_dtype is dtypes.int64:
        return cast(boundary, dtype)
    if boundary.dtype is not dtype.base_dtype:
        raise ValueError(
            f"Boundaries ({boundary.dtype}) must have the same dtype as x ({dtype.base_dtype})."
        )
    return boundary
