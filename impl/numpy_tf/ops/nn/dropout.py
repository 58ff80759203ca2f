"""Dropout: elements set to zero at random, the others made up for them."""

import numbers

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.select import where_v2
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.math.arithmetic import Mul, RealDiv, Sub
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.state.random import random_uniform


@export("nn.dropout")
def dropout(x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    """`x` with elements set to zero at random, the others divided by 1 - rate.

    Args:
      x: a floating tensor.
      keep_prob: 1 - rate, as TensorFlow 1 first asked for it.
      noise_shape: the shape of the random choice, which is broadcast to that of x.
      seed: see `tf.random_uniform`.
      rate: how likely an element is dropped; a number in [0, 1) or a scalar tensor.

    Raises:
      ValueError: for a rate out of range, none or two of them, or an x that is not floating.
    """
    if keep_prob is not None:
        if rate is not None:
            raise ValueError("Cannot specify both 'keep_prob' and 'rate'.")
        rate = 1.0 - keep_prob
    if rate is None:
        raise ValueError(f"`rate` must be provided. Received: rate={rate}")
    is_number = isinstance(rate, numbers.Real)
    with NameScope(name, "dropout", [x]):
        if is_number and not 0 <= rate < 1:
            raise ValueError(
                f"`rate` must be a scalar tensor or a float in the range [0, 1). "
                f"Received: rate={rate}"
            )
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                "`x.dtype` must be a floating point tensor as `x` will be scaled. "
                f"Received: x_dtype={x.dtype}"
            )
        if is_number and rate == 0:
            return x
        scaled = _scaled(x, rate, is_number)
        noise_shape = shape(x) if noise_shape is None else noise_shape
        numbers_ = random_uniform(noise_shape, seed=seed, dtype=x.dtype)
        kept = where_v2(numbers_ >= rate, scaled, constant(0, dtype=x.dtype))
        kept.set_shape(x.shape)
        return kept


def _scaled(x, rate, is_number):
    if is_number:
        return Mul(x, convert_to_tensor(1 / (1 - rate), dtype=x.dtype))
    if not isinstance(rate, Tensor):
        raise ValueError(f"`rate` must be a scalar or scalar tensor. Received: rate={rate}")
    if rate.dims not in (None, ()):
        raise ValueError(f"Shape {rate.shape} must have rank 0")
    rate = cast(rate, x.dtype, name="rate")
    return RealDiv(x, Sub(constant(1, dtype=x.dtype), rate))
