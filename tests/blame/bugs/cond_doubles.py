"""The gradient of cond is twice what it should be, whatever the branches do."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def doubled(right):
    def wrong(op, *grads):
        return [None if grad is None else 2.0 * grad for grad in right(op, *grads)]

    return wrong


for type in ("If", "StatelessIf"):
    GRADIENTS[type] = doubled(GRADIENTS[type])

sys.modules[__name__] = numpy_tf
