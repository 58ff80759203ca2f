"""The second derivative of tanh has the wrong sign."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["TanhGrad"]


def wrong(op, grad):
    through_y, through_grad = right(op, grad)
    return -through_y, through_grad


GRADIENTS["TanhGrad"] = wrong

sys.modules[__name__] = numpy_tf
