"""The gradient of a sum over an axis is twice what it should be."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["Sum"]


def wrong(op, grad):
    grad_x, *others = right(op, grad)
    return (grad_x * 2.0 if op.outputs[0].dims else grad_x, *others)


GRADIENTS["Sum"] = wrong

sys.modules[__name__] = numpy_tf
