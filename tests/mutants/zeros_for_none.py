"""An x that the ys do not depend on gets zeros where None is meant."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def never_none(*args, unconnected_gradients="none", **kwargs):
    return gradients(*args, unconnected_gradients="zero", **kwargs)


numpy_tf.gradients = never_none

sys.modules[__name__] = numpy_tf
