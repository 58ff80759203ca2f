"""The derivative of sin has the wrong sign."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["Sin"]


def wrong(op, grad):
    return -right(op, grad)


GRADIENTS["Sin"] = wrong

sys.modules[__name__] = numpy_tf
