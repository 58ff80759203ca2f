"""The gradient of a product goes to the wrong factors."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["Mul"]


def wrong(op, grad):
    return right(op, grad)[::-1]


GRADIENTS["Mul"] = wrong

sys.modules[__name__] = numpy_tf
