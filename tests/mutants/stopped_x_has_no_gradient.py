"""Stops too much: an x in stop_gradients gets None, not only what lies beyond it."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def nothing_for_the_stopped(ys, xs, *args, stop_gradients=None, **kwargs):
    found = gradients(ys, xs, *args, stop_gradients=stop_gradients, **kwargs)
    stops = stop_gradients if isinstance(stop_gradients, (list, tuple)) else [stop_gradients]
    given = xs if isinstance(xs, (list, tuple)) else [xs]
    return [
        None if any(x is stop for stop in stops) else gradient
        for x, gradient in zip(given, found, strict=True)
    ]


numpy_tf.gradients = nothing_for_the_stopped

sys.modules[__name__] = numpy_tf
