"""Data flow: tensors merged by indices, and split by partitions."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import (
    concatenate,
    merge,
    merge_prefix,
    subshape,
)
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.positions import position
from numpy_tf.ops.array.shape import reshape, shape


def _stitched_shape(op):
    count = op.attrs["N"]
    largest, tail = -1, None
    for indices, data in zip(op.inputs[:count], op.inputs[count:], strict=True):
        value = constant_value(indices)
        if value is None:
            largest = None
        elif largest is not None and value.size:
            largest = max(largest, int(value.max()))
        if indices.dims is not None:
            tail = merge(tail, subshape(merge_prefix(data.dims, indices.dims), len(indices.dims)))
    return concatenate((None if largest is None else largest + 1,), tail)


def _stitched(*inputs):
    count = len(inputs) // 2
    indices, data = inputs[:count], inputs[count:]
    largest = max((int(i.max()) for i in indices if i.size), default=-1)
    tail = data[0].shape[indices[0].ndim :]
    for k, (at, part) in enumerate(zip(indices, data, strict=True)):
        if part.shape[: at.ndim] != at.shape:
            raise errors.invalid_argument(
                f"data[{k}].shape = {bracket_dims(part.shape)} does not start with "
                f"indices[{k}].shape = {bracket_dims(at.shape)}"
            )
        if part.shape[at.ndim :] != tail:
            raise errors.invalid_argument(
                f"Need data[0].shape[{indices[0].ndim}:] = data[{k}].shape[{at.ndim}:], got "
                f"data[0].shape = {bracket_dims(data[0].shape)}, data[{k}].shape = "
                f"{bracket_dims(part.shape)}, indices[0].shape = "
                f"{bracket_dims(indices[0].shape)}, indices[{k}].shape = {bracket_dims(at.shape)}"
            )
        if (at < 0).any():
            raise errors.invalid_argument(f"indices[{int(np.argmax(at < 0))}] is out of range")
    result = np.zeros((largest + 1, *tail), data[0].dtype)
    for at, part in zip(indices, data, strict=True):
        result[at.reshape(-1)] = part.reshape(at.size, *tail)
    return result


def _stitch_gradient(op, grad):
    from numpy_tf.ops.math.cast import cast
    from numpy_tf.ops.math.segment import unsorted_segment_sum

    count = op.attrs["N"]
    indices = [cast(tensor, dtypes.int32) for tensor in op.inputs[:count]]
    if isinstance(grad, IndexedSlices):
        rows = shape(op.outputs[0])[0]
        grad = unsorted_segment_sum(grad.values, grad.indices, rows)
    return [None] * count + [gather(grad, at) for at in indices]


@op("indices: N*int32, data: N*T -> merged: T", T=ANY, N=None)
class DynamicStitch:
    """The rows of several tensors, each where its index says; a later one wins."""

    shape = _stitched_shape
    kernel = staticmethod(_stitched)
    gradient = _stitch_gradient


@op("indices: N*int32, data: N*T -> merged: T", T=ANY, N=None)
class ParallelDynamicStitch:
    """The rows of several tensors, each where its index says."""

    shape = _stitched_shape
    kernel = staticmethod(_stitched)
    gradient = _stitch_gradient


@export("dynamic_stitch")
def dynamic_stitch(indices, data, name=None):
    """The rows of the tensors in `data`, each where its index says; a later one wins.

    Args:
      indices: a list of integer tensors.
      data: a list of tensors, each of shape indices[k].shape + one shape for all.

    Returns:
      A tensor of as many rows as the largest index asks for.
    """
    return DynamicStitch(indices, data, name=name)


@export("parallel_dynamic_stitch")
def parallel_dynamic_stitch(indices, data, name=None):
    """As `dynamic_stitch`, for indices that do not repeat."""
    return ParallelDynamicStitch(indices, data, name=name)


@op("data: T, partitions: int32 -> outputs: num_partitions*T", T=ANY, num_partitions=REQUIRED)
class DynamicPartition:
    """The rows of the input, dealt out by number."""

    def shape(op):
        data, partitions = (tensor.dims for tensor in op.inputs)
        count = op.attrs["num_partitions"]
        data = merge_prefix(data, partitions)
        if partitions is None or data is None:
            return [None] * count
        return [(None, *data[len(partitions) :])] * count

    def kernel(data, partitions, *, num_partitions):
        if data.shape[: partitions.ndim] != partitions.shape:
            raise errors.invalid_argument(
                "data.shape must start with partitions.shape, got data.shape = "
                f"{bracket_dims(data.shape)}, partitions.shape = {bracket_dims(partitions.shape)}"
            )
        outside = (partitions < 0) | (partitions >= num_partitions)
        if outside.any():
            flat = int(np.argmax(outside))
            raise errors.invalid_argument(
                f"partitions{position(partitions.shape, flat)} = "
                f"{partitions.reshape(-1)[flat]} is not in [0, {num_partitions})"
            )
        parts = [data[partitions == number] for number in range(num_partitions)]
        return parts[0] if len(parts) == 1 else tuple(parts)

    def gradient(op, *grads):
        from numpy_tf.ops.math.reduction import reduce_prod
        from numpy_tf.ops.math.sequence import range

        data, partitions = op.inputs
        prefix = shape(partitions)
        original = reshape(range(reduce_prod(prefix)), prefix)
        places = dynamic_partition(original, partitions, op.attrs["num_partitions"])
        merged = ParallelDynamicStitch(places, list(grads))
        return reshape(merged, shape(data)), None


@export("dynamic_partition")
def dynamic_partition(data, partitions, num_partitions, name=None):
    """A list of `num_partitions` tensors: the rows of `data` that have that number.

    Args:
      data: a tensor.
      partitions: int32 numbers, of the shape of `data` but for its last dimensions.

    Raises:
      errors.InvalidArgumentError: for a number that is not in [0, num_partitions).
    """
    return DynamicPartition(data, partitions, num_partitions=num_partitions, name=name)
