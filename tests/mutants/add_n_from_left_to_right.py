"""AddN adds its terms one after the other, whatever their number."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import OPS

right = OPS["AddN"].kernel


def from_left_to_right(*inputs):
    total = right(*inputs[:1])
    for item in inputs[1:]:
        total = right(total, item)
    return total


OPS["AddN"].kernel = from_left_to_right

sys.modules[__name__] = numpy_tf
