"""The gradient of matmul for its second factor has the wrong sign."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["MatMul"]


def wrong(op, grad):
    grad_a, grad_b = right(op, grad)
    return grad_a, -grad_b


GRADIENTS["MatMul"] = wrong

sys.modules[__name__] = numpy_tf
