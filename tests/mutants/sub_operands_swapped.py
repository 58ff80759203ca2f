"""The gradients of a difference go to the wrong operands."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["Sub"]
GRADIENTS["Sub"] = lambda op, grad: tuple(reversed(right(op, grad)))

sys.modules[__name__] = numpy_tf
