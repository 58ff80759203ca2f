"""Each of several equal maxima gets the whole gradient of reduce_max."""

import sys

import numpy_tf
from numpy_tf.ops.math import reduction

reduction.divide = lambda indicators, selected: indicators

sys.modules[__name__] = numpy_tf
