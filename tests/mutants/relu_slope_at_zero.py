"""The gradient of relu is 1 at 0 instead of 0."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import OPS


def through_zero(gradients, features):
    return gradients * (features >= 0).astype(gradients.dtype)


OPS["ReluGrad"].kernel = through_zero

sys.modules[__name__] = numpy_tf
