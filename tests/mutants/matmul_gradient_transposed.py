"""The gradient of matmul for its second factor is transposed."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["MatMul"]


def wrong(op, grad):
    grad_a, grad_b = right(op, grad)
    return grad_a, numpy_tf.transpose(grad_b)


GRADIENTS["MatMul"] = wrong

sys.modules[__name__] = numpy_tf
