"""The derivative of tanh is 1 - y instead of 1 - y²."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def wrong(op, grad):
    return grad * (1.0 - op.outputs[0])


GRADIENTS["Tanh"] = wrong

sys.modules[__name__] = numpy_tf
