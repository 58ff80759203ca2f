"""Of several ys only the last is differentiated, not their sum."""

import sys

import numpy_tf
from numpy_tf import backprop

run = backprop._Backprop.run


def of_the_last(self, ys, xs, grad_ys, stop_ops):
    return run(self, ys[-1:], xs, grad_ys[-1:], stop_ops)


backprop._Backprop.run = of_the_last

sys.modules[__name__] = numpy_tf
