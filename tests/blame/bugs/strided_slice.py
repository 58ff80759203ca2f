"""The gradient of a slice is a gradient of its absolute value."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["StridedSlice"]


def wrong(op, grad):
    grad_x, *others = right(op, grad)
    return (numpy_tf.abs(grad_x), *others)


GRADIENTS["StridedSlice"] = wrong

sys.modules[__name__] = numpy_tf
