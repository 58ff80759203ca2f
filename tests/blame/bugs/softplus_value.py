"""The value of softplus is that of relu; its gradient is right."""

import sys

import numpy as np

import numpy_tf
from numpy_tf.framework.op_def import OPS

OPS["Softplus"].kernel = lambda x: np.maximum(x, x.dtype.type(0))

sys.modules[__name__] = numpy_tf
