"""The gradient of max_pool is that of avg_pool, four times."""

import sys

import numpy_tf
from numpy_tf.framework.op_def import GRADIENTS


def wrong(op, grad):
    return 4.0 * numpy_tf.raw_ops.AvgPoolGrad(
        orig_input_shape=numpy_tf.shape(op.inputs[0]),
        grad=grad,
        ksize=op.get_attr("ksize"),
        strides=op.get_attr("strides"),
        padding="VALID",
    )


GRADIENTS["MaxPool"] = wrong

sys.modules[__name__] = numpy_tf
