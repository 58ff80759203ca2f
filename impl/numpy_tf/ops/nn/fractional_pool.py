"""Fractional pooling: windows whose sizes differ by one, so that any ratio can be had."""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, REQUIRED, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.dims import with_rank

_TYPES = frozenset({dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64})
_ATTRS = {
    "pooling_ratio": REQUIRED,
    "pseudo_random": False,
    "overlapping": False,
    "deterministic": False,
    "seed": 0,
    "seed2": 0,
}


def _pooled_dims(op):
    ratios = op.attrs["pooling_ratio"]
    if len(ratios) != 4:
        raise ValueError("pooling_ratio field must specify 4 dimensions")
    if min(ratios) < 1:
        raise ValueError(f"pooling_ratio cannot be smaller than 1, got: {min(ratios)}")
    dims = with_rank(op.inputs[0].dims, 4)
    pooled = tuple(None if d is None else int(d / r) for d, r in zip(dims, ratios, strict=True))
    # TensorFlow's own shapes of the sequences are one short of what its kernel makes.
    return [pooled, (pooled[1],), (pooled[2],)]


# -- where the windows begin -------------------------------------------------------------


def _sequence(size, count, pseudo_random, stream):
    """int64 [count + 1]: where each window begins, and the end.

    The sizes are as even as can be; which windows are the larger ones is random, by a
    sequence of equal steps from a random start when `pseudo_random`.
    """
    least, larger = divmod(size, count)
    if not larger:
        return np.arange(count + 1) * least
    if not pseudo_random:
        sizes = np.full(count, least)
        sizes[:larger] += 1
        stream.shuffle(sizes)
        return np.concatenate([[0], np.cumsum(sizes)])
    ratio = size / count
    most = min((least + 2) / ratio - 1, (size + 1 - least) / ratio - (count - 1))
    begins = np.ceil(ratio * (np.arange(1, count) + stream.random() * most)).astype(np.int64)
    return np.concatenate([[0], begins - 1, [size]])


def _sequences(value, op, state):
    """The sequences of rows and columns."""
    attrs, kind = op.attrs, "avg" if op.type == "FractionalAvgPool" else "max"
    ratios = attrs["pooling_ratio"]
    if value.ndim != 4:
        raise errors.invalid_argument("tensor_in must be 4-dimensional")
    if ratios[0] != 1 or ratios[3] != 1:
        raise errors.unimplemented(
            f"Fractional {kind} pooling is not yet supported on the batch nor channel dimension.",
        )
    if not attrs["deterministic"] and (attrs["seed"] or attrs["seed2"]):
        raise errors.invalid_argument("Both seed and seed2 should be 0 if deterministic is false.")
    for axis, (size, ratio) in enumerate(zip(value.shape, ratios, strict=True)):
        if size < ratio:
            raise errors.invalid_argument(
                f"Pooling ratio is higher than input dimension size for dimension {axis}. "
                f"Input dim size: {size} pooling ratio: {ratio}"
            )
    stream = state.random(op)
    if attrs["deterministic"]:
        stream = np.random.default_rng(stream.bit_generator.seed_seq)  # the same in each run
    return tuple(
        _sequence(size, math.floor(size / ratio), attrs["pseudo_random"], stream)
        for size, ratio in zip(value.shape[1:3], ratios[1:3], strict=True)
    )


def _members(sequence, size, overlapping):
    """bool [windows, size]: which places each window has; overlapping ones share a border."""
    begins = np.asarray(sequence[:-1])[:, np.newaxis]
    ends = np.minimum(np.asarray(sequence[1:]) + overlapping, size)[:, np.newaxis]
    places = np.arange(size)
    return (places >= begins) & (places < ends)


def _taps(members):
    """int, bool [windows, most]: each window's places, and whether there are so many."""
    counts = members.sum(axis=1)
    offsets = np.arange(counts.max(initial=0))
    begins = members.argmax(axis=1)[:, np.newaxis]
    last = begins + counts[:, np.newaxis] - 1
    return np.minimum(begins + offsets, last), offsets < counts[:, np.newaxis]


def _first_greatest(images, rows, columns):
    """For each window the greatest element and its place in the flattened image."""
    at_rows, in_rows = _taps(rows)
    at_columns, in_columns = _taps(columns)
    at_rows, in_rows = at_rows[:, np.newaxis, :, np.newaxis], in_rows[:, np.newaxis, :, np.newaxis]
    inside = (in_rows & in_columns[:, np.newaxis]).reshape(len(rows), len(columns), -1)
    places = at_rows * images.shape[2] + at_columns[:, np.newaxis]
    places = places.reshape(len(rows), len(columns), -1)
    flat = images.reshape(images.shape[0], -1, images.shape[3])
    seen = flat[:, places]
    lowest = np.iinfo(seen.dtype).min if seen.dtype.kind == "i" else -np.inf
    usable = inside[np.newaxis, ..., np.newaxis] & (seen == seen)
    best = np.where(usable, seen, seen.dtype.type(lowest)).argmax(axis=3)[:, :, :, np.newaxis]
    greatest = np.take_along_axis(seen, best, axis=3)[:, :, :, 0]
    at = np.take_along_axis(places[np.newaxis, ..., np.newaxis], best, axis=3)[:, :, :, 0]
    return greatest, at


def _sums(rows, columns, images):
    """Σ of the images over the places of each pair of a row's and a column's windows."""
    by_rows = np.tensordot(rows.astype(images.dtype), images, ([1], [1]))
    both = np.tensordot(columns.astype(images.dtype), by_rows, ([1], [2]))
    return both.transpose(2, 1, 0, 3)


# -- the greatest ------------------------------------------------------------------------


@op(
    "value: T -> output: T, row_pooling_sequence: int64, col_pooling_sequence: int64",
    T=_TYPES,
    **_ATTRS,
)
class FractionalMaxPool:
    """The greatest element of each window, and where the windows begin."""

    stateful = True
    shape = _pooled_dims

    def kernel(value, *, op, state):
        sequences = _sequences(value, op, state)
        members = [
            _members(sequence, size, op.attrs["overlapping"])
            for sequence, size in zip(sequences, value.shape[1:3], strict=True)
        ]
        return _first_greatest(value, *members)[0], *sequences

    def gradient(op, grad, *_):
        return FractionalMaxPoolGrad(
            op.inputs[0], op.outputs[0], grad, *op.outputs[1:], overlapping=op.attrs["overlapping"]
        )


@op(
    "orig_input: T, orig_output: T, out_backprop: T, row_pooling_sequence: int64, "
    "col_pooling_sequence: int64 -> output: T",
    T=_TYPES,
    overlapping=False,
)
class FractionalMaxPoolGrad:
    """Each window's gradient, added where its greatest element was; ties go to the first."""

    def shape(op):
        return with_rank(op.inputs[0].dims, 4)

    def kernel(
        orig_input,
        orig_output,
        out_backprop,
        row_pooling_sequence,
        col_pooling_sequence,
        *,
        overlapping,
    ):
        if row_pooling_sequence.size * col_pooling_sequence.size > orig_input.size:
            raise errors.invalid_argument("Pooling region has more elements than the input tensor.")
        batch, height, width, depth = orig_input.shape
        rows = _members(row_pooling_sequence, height, overlapping)
        columns = _members(col_pooling_sequence, width, overlapping)
        _, at = _first_greatest(orig_input, rows, columns)
        if at.shape != out_backprop.shape:
            raise errors.invalid_argument("out_backprop must have the shape of the output")
        result = np.zeros((batch, height * width, depth), out_backprop.dtype)
        batches = np.arange(batch).reshape(-1, 1, 1, 1)
        np.add.at(result, (batches, at, np.arange(depth)), out_backprop)
        return result.reshape(orig_input.shape)

    gradient = NO_GRADIENT


# -- the mean ----------------------------------------------------------------------------


@op(
    "value: T -> output: T, row_pooling_sequence: int64, col_pooling_sequence: int64",
    T=_TYPES,
    **_ATTRS,
)
class FractionalAvgPool:
    """The mean of each window, and where the windows begin."""

    stateful = True
    shape = _pooled_dims

    def kernel(value, *, op, state):
        sequences = _sequences(value, op, state)
        rows, columns = (
            _members(sequence, size, op.attrs["overlapping"])
            for sequence, size in zip(sequences, value.shape[1:3], strict=True)
        )
        sums, counts = _sums(rows, columns, value), _how_many(rows, columns)
        if value.dtype.kind == "i":
            means = np.sign(sums) * (np.abs(sums) // counts)
        else:
            means = sums / counts
        return means.astype(value.dtype, copy=False), *sequences

    def gradient(op, grad, *_):
        return FractionalAvgPoolGrad(
            op.inputs[0].dims, grad, *op.outputs[1:], overlapping=op.attrs["overlapping"]
        )


def _how_many(rows, columns):
    """[1, windows, windows, 1]: how many elements each window has."""
    return np.outer(rows.sum(axis=1), columns.sum(axis=1))[np.newaxis, ..., np.newaxis]


@op(
    "orig_input_tensor_shape: int64, out_backprop: T, row_pooling_sequence: int64, "
    "col_pooling_sequence: int64 -> output: T",
    T=_TYPES,
    overlapping=False,
)
class FractionalAvgPoolGrad:
    """Each window's gradient, shared among its elements; summed in float64."""

    def shape(op):
        dims = shape_value(op.inputs[0])
        return dims if dims is not None and len(dims) == 4 else (None,) * 4

    def kernel(
        orig_input_tensor_shape,
        out_backprop,
        row_pooling_sequence,
        col_pooling_sequence,
        *,
        overlapping,
    ):
        if orig_input_tensor_shape.shape != (4,):
            raise errors.invalid_argument(
                "original input tensor shape must be1-dimensional and 4 elements"
            )
        _, height, width, _ = orig_input_tensor_shape.tolist()
        rows = _members(row_pooling_sequence, height, overlapping)
        columns = _members(col_pooling_sequence, width, overlapping)
        shares = out_backprop.astype(np.float64) / _how_many(rows, columns)
        return _sums(rows.T, columns.T, shares).astype(out_backprop.dtype)

    gradient = NO_GRADIENT


# -- the public functions ----------------------------------------------------------------


@export("nn.fractional_max_pool")
def fractional_max_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """The greatest element of windows whose sizes are random.

    Args:
      value: [batch, height, width, channels].
      pooling_ratio: four numbers from 1; that of batch and channels is 1.
      pseudo_random: whether the sizes are a sequence of equal steps from a random start.
      overlapping: whether neighbouring windows share their border.
      deterministic: whether `seed` and `seed2` settle the sizes.

    Returns:
      (output, where the windows of rows begin, where those of columns do).
    """
    return FractionalMaxPool(
        value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )


@export("nn.fractional_avg_pool")
def fractional_avg_pool(
    value,
    pooling_ratio,
    pseudo_random=False,
    overlapping=False,
    deterministic=False,
    seed=0,
    seed2=0,
    name=None,
):
    """The mean of windows whose sizes are random; arguments as for `fractional_max_pool`."""
    return FractionalAvgPool(
        value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
        name=name,
    )
