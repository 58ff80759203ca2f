"""A gradient that is zero everywhere, that of sign, is None."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

GRADIENTS["Sign"] = lambda op, grad: None

sys.modules[__name__] = numpy_tf
