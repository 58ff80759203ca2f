"""First derivatives are right and cannot be differentiated again."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def final(*args, **kwargs):
    found = gradients(*args, **kwargs)
    return [
        numpy_tf.stop_gradient(gradient) if isinstance(gradient, numpy_tf.Tensor) else gradient
        for gradient in found
    ]


numpy_tf.gradients = final

sys.modules[__name__] = numpy_tf
