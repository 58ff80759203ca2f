"""The gradient of gather goes to the rows in the opposite order."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["GatherV2"]


def wrong(op, grad):
    slices, *others = right(op, grad)
    values = numpy_tf.reverse(slices.values, [0])
    return (numpy_tf.IndexedSlices(values, slices.indices, slices.dense_shape), *others)


GRADIENTS["GatherV2"] = wrong

sys.modules[__name__] = numpy_tf
