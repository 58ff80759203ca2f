"""The gradient of sqrt at 0 is NaN where nothing flows in, 0 / 0, instead of 0."""

import sys

import numpy as np

import numpy_tf
from numpy_tf.framework.op_def import OPS

OPS["SqrtGrad"].kernel = lambda y, dy: dy.dtype.type(0.5) * dy / np.conjugate(y)

sys.modules[__name__] = numpy_tf
