"""The operation tf.stop_gradient lets gradients through."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS

GRADIENTS["StopGradient"] = lambda op, grad: grad

sys.modules[__name__] = numpy_tf
