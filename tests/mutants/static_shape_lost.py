"""The value of a gradient is right, and before the run nothing is known of its shape."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def unshaped(gradient):
    if isinstance(gradient, numpy_tf.Tensor):
        return numpy_tf.placeholder_with_default(gradient, None)
    return gradient


numpy_tf.gradients = lambda *args, **kwargs: [unshaped(g) for g in gradients(*args, **kwargs)]

sys.modules[__name__] = numpy_tf
