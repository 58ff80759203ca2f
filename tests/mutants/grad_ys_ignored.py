"""Every y is weighted with ones, whatever grad_ys says."""

import sys

import numpy_tf
from numpy_tf import backprop

seeds = backprop._seeds


def without_weights(grad_ys, ys, colocate):
    real = [None if not y.dtype.is_complex else g for y, g in zip(ys, grad_ys, strict=False)]
    return seeds(real + grad_ys[len(ys) :], ys, colocate)


backprop._seeds = without_weights

sys.modules[__name__] = numpy_tf
