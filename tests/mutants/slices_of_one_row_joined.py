"""IndexedSlices sum the rows of equal index at once, which others do later."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def joined(gradient):
    if not isinstance(gradient, numpy_tf.IndexedSlices):
        return gradient
    indices, places = numpy_tf.unique(gradient.indices)
    values = numpy_tf.unsorted_segment_sum(gradient.values, places, numpy_tf.size(indices))
    return numpy_tf.IndexedSlices(values, indices, gradient.dense_shape)


numpy_tf.gradients = lambda *args, **kwargs: [joined(g) for g in gradients(*args, **kwargs)]

sys.modules[__name__] = numpy_tf
