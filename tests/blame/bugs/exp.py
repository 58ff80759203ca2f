"""The derivative of exp is 1."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def wrong(op, grad):
    return numpy_tf.identity(grad)


GRADIENTS["Exp"] = wrong

sys.modules[__name__] = numpy_tf
