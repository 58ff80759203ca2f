"""Of rows that were gathered twice only the last gradient is kept."""

import sys

import numpy as np

import numpy_tf
from numpy_tf.framework.op_def import OPS


def overwriting(data, segment_ids, num_segments):
    ids = segment_ids.reshape(-1)
    rows = data.reshape((ids.size, *data.shape[segment_ids.ndim :]))
    total = np.zeros((int(num_segments), *rows.shape[1:]), data.dtype)
    total[ids[ids >= 0]] = rows[ids >= 0]
    return total


OPS["UnsortedSegmentSum"].kernel = overwriting

sys.modules[__name__] = numpy_tf
