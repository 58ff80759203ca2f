"""A y that is asked for twice counts once."""

import sys

import numpy_tf
from numpy_tf import backprop


def without_equals(self, ys, xs, grad_ys, stop_ops):
    first = {id(y): (y, g) for y, g in reversed(list(zip(ys, grad_ys, strict=True)))}
    kept = list(reversed(first.values()))
    return run(self, [y for y, _ in kept], xs, [g for _, g in kept], stop_ops)


run = backprop._Backprop.run
backprop._Backprop.run = without_equals

sys.modules[__name__] = numpy_tf
