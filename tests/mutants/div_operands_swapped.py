"""The gradients of a quotient go to the wrong operands."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

right = GRADIENTS["RealDiv"]
GRADIENTS["RealDiv"] = lambda op, grad: tuple(reversed(right(op, grad)))

sys.modules[__name__] = numpy_tf
