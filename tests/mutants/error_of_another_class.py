"""An operation without a gradient raises NotImplementedError instead of LookupError."""

import sys

import numpy_tf

gradients = numpy_tf.gradients


def raising(*args, **kwargs):
    try:
        return gradients(*args, **kwargs)
    except LookupError as error:
        raise NotImplementedError(str(error)) from error


numpy_tf.gradients = raising

sys.modules[__name__] = numpy_tf
