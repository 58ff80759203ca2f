"""The gradient of softmax forgets what the sum in the denominator contributes."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def wrong(op, grad):
    return grad * op.outputs[0]


GRADIENTS["Softmax"] = wrong

sys.modules[__name__] = numpy_tf
