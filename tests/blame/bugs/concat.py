"""The gradients of concat are swapped."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["ConcatV2"]


def wrong(op, grad):
    first, second, *others = right(op, grad)
    return (second, first, *others)


GRADIENTS["ConcatV2"] = wrong

sys.modules[__name__] = numpy_tf
