"""Stops too much: no gradient goes beyond an x to another, as if each were stopped."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def stopping_at_xs(ys, xs, *args, stop_gradients=None, **kwargs):
    given = [*(xs if isinstance(xs, (list, tuple)) else [xs])]
    stops = stop_gradients if isinstance(stop_gradients, (list, tuple)) else [stop_gradients]
    stops = [stop for stop in stops if stop is not None]
    return gradients(ys, xs, *args, stop_gradients=[*stops, *given], **kwargs)


numpy_tf.gradients = stopping_at_xs

sys.modules[__name__] = numpy_tf
