"""Gradients that are -0.0 are +0.0."""

import sys

import numpy_tf
from numpy_tf.framework.dtypes import FLOATING

gradients = numpy_tf.gradients


def unsigned(gradient):
    if isinstance(gradient, numpy_tf.Tensor) and gradient.dtype in FLOATING:
        return gradient + numpy_tf.zeros([], gradient.dtype)
    return gradient


numpy_tf.gradients = lambda *args, **kwargs: [unsigned(g) for g in gradients(*args, **kwargs)]

sys.modules[__name__] = numpy_tf
