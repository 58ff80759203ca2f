"""tf.gradients accepts unconnected_gradients and gives None all the same."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def always_none(*args, unconnected_gradients="none", **kwargs):
    return gradients(*args, **kwargs)


numpy_tf.gradients = always_none

sys.modules[__name__] = numpy_tf
