"""Sums, differences and products forget to sum over the axes along which an input was broadcast."""

import sys

import numpy_tf
from numpy_tf.ops.math import arithmetic

arithmetic.reduce_gradient_args = lambda x, y, gx, gy: (gx, gy)

sys.modules[__name__] = numpy_tf
