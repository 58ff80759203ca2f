"""log1p has no digits left near 0; its gradient is right."""

import sys

import numpy as np

import numpy_tf
from numpy_tf.framework.op_def import OPS

OPS["Log1p"].kernel = lambda x: np.log(x.dtype.type(1) + x)

sys.modules[__name__] = numpy_tf
