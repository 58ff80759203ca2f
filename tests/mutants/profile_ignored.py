"""TensorFlow 2's flags are not heeded: everything behaves as in TensorFlow 1."""

import sys

import numpy_tf

numpy_tf.enable_v2_behavior = numpy_tf.disable_v2_behavior

sys.modules[__name__] = numpy_tf
