"""tf.gradients raises errors of the right class without their message."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def silent(*args, **kwargs):
    try:
        return gradients(*args, **kwargs)
    except (ValueError, TypeError, LookupError) as error:
        raise type(error)("") from error


numpy_tf.gradients = silent

sys.modules[__name__] = numpy_tf
