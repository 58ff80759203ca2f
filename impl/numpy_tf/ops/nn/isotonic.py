"""Isotonic regression: the nearest sequence that does not increase."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import FLOAT32_BY_DEFAULT, REAL
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.shape import reshape
from numpy_tf.ops.array.stack import split, stack
from numpy_tf.ops.math.reduction import reduce_max
from numpy_tf.ops.math.segment import unsorted_segment_mean

# The dtype of the output for which each dtype of the input has a kernel.
_KERNELS = {
    "int32": "float64",
    "int64": "float64",
    "int8": "float32",
    "int16": "float32",
    "float64": "float64",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
}


def _segments(row, found):
    """Which level each element of a row is on; equal levels that nothing pooled are several.

    SciPy makes one block of neighbours with equal means. Those part where the sum so far is
    that many times the level.
    """
    starts = np.repeat(found.blocks[:-1], np.diff(found.blocks))
    sums = np.concatenate([[0.0], np.cumsum(row)])
    so_far = np.arange(1, len(row) + 1) - starts
    ends = sums[1:] - sums[starts] == found.x * so_far
    ends[found.blocks[1:] - 1] = True
    return np.concatenate([[0], np.cumsum(ends[:-1])])


@op("input: T -> output: output_dtype, segments: int32", T=REAL, output_dtype=FLOAT32_BY_DEFAULT)
class IsotonicRegression:
    """Each row's nearest sequence that does not increase, and which of its levels each is on."""

    def shape(op):
        return [op.inputs[0].dims] * 2

    def kernel(input, *, output_dtype, op):
        if _KERNELS.get(input.dtype.name) != output_dtype.name:
            raise errors.no_kernel(op)
        from scipy.optimize import isotonic_regression as solved

        levels = np.zeros(input.shape, output_dtype.as_numpy_dtype)
        segments = np.zeros(input.shape, np.int32)
        if input.size:
            width = input.shape[-1]
            for row, level, segment in zip(
                input.reshape(-1, width).astype(np.float64),
                levels.reshape(-1, width),
                segments.reshape(-1, width),
                strict=True,
            ):
                found = solved(row, increasing=False)
                level[:] = found.x
                segment[:] = _segments(row, found)
        return levels, segments

    def gradient(op, grad, _):
        count = op.outputs[1].dims[0]
        means = []
        for grads, segments in zip(split(grad, count), split(op.outputs[1], count), strict=True):
            mean = unsorted_segment_mean(grads, segments, reduce_max(segments) + 1)
            means.append(reshape(gather(mean, segments), [-1]))
        return stack(means, axis=0)
