"""Sums of bfloat16 numbers are rounded to bfloat16 after every term, not once at their end."""

import sys

import numpy as np

import numpy_tf
from numpy_tf.ops.math import reduction

right = reduction._sum_along


def rounded_at_once(input, axes, keep_dims):
    if input.dtype.kind != "V":  # bfloat16 is what NumPy does not know
        return right(input, axes, keep_dims)
    return np.add.reduce(input, axis=axes, dtype=input.dtype, keepdims=keep_dims)


reduction._sum_along = rounded_at_once

sys.modules[__name__] = numpy_tf
