"""A gradient whose shape does not fit is refused by the run, if at all, not by tf.gradients."""

import sys

import numpy_tf
from numpy_tf import backprop

checked = backprop._check_shape


def unchecked(op, index, tensor, grad):
    try:
        checked(op, index, tensor, grad)
    except ValueError:
        return


backprop._check_shape = unchecked

sys.modules[__name__] = numpy_tf
