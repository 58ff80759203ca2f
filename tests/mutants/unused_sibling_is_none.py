"""An output that nothing reaches gets None instead of zeros beside outputs that are reached."""

import sys

import numpy_tf
from numpy_tf import backprop

zeros_for, result = backprop.zeros_for, backprop._Backprop.result


def result_with_zeros(self, x, unconnected_gradients):
    backprop.zeros_for = zeros_for
    try:
        return result(self, x, unconnected_gradients)
    finally:
        backprop.zeros_for = lambda output: None


backprop.zeros_for = lambda output: None
backprop._Backprop.result = result_with_zeros

sys.modules[__name__] = numpy_tf
