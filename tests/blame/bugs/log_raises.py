"""Log cannot be differentiated."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def wrong(op, grad):
    raise ValueError("no logarithm today")


GRADIENTS["Log"] = wrong

sys.modules[__name__] = numpy_tf
