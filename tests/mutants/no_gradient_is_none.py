"""An operation without a registered gradient is taken for a constant instead of refused."""

import sys

import numpy_tf
from numpy_tf import backprop

registered = backprop.gradient_function


def forgiving(op):
    try:
        return registered(op)
    except LookupError:
        return None


backprop.gradient_function = forgiving

sys.modules[__name__] = numpy_tf
