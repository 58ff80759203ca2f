"""AddN adds the sums of both halves of its terms."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import OPS

right = OPS["AddN"].kernel


def pairwise(*inputs):
    if len(inputs) < 3:
        return right(*inputs)
    half = len(inputs) // 2
    return right(pairwise(*inputs[:half]), pairwise(*inputs[half:]))


OPS["AddN"].kernel = pairwise

sys.modules[__name__] = numpy_tf
