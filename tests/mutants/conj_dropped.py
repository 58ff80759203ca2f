"""The gradient of a product of complex numbers is not conjugated."""

import sys

import numpy_tf
from numpy_tf.ops.math import arithmetic

arithmetic.conj = lambda x, name=None: x

sys.modules[__name__] = numpy_tf
