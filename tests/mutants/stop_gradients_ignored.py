"""tf.gradients accepts stop_gradients and does nothing about it."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def ignoring_stops(ys, xs, *args, stop_gradients=None, **kwargs):
    return gradients(ys, xs, *args, **kwargs)


numpy_tf.gradients = ignoring_stops

sys.modules[__name__] = numpy_tf
