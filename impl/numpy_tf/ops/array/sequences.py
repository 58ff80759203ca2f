"""Elements moved along an axis: rolled round, or reversed up to a length."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import ANY, INDEX, INT64_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.ops.array.dims import merge, merge_dim, with_rank, with_rank_at_least


@op(
    "input: T, shift: Tshift, axis: Taxis -> output: T",
    T=ANY,
    Tshift=INDEX,
    Taxis=INDEX,
    public="roll, manip.roll",
)
class Roll:
    """The elements shifted along axes; what leaves at one end enters at the other."""

    def shape(op):
        input, shift, axis = op.inputs
        with_rank_at_least(input.dims, 1)
        for vector in (shift, axis):
            if vector.dims is not None and len(vector.dims) > 1:
                raise ValueError(f"Shape must be at most rank 1 but is rank {len(vector.dims)}")
        merge(shift.dims, axis.dims)
        return input.dims

    def kernel(input, shift, axis):
        if input.ndim < 1:
            raise errors.invalid_argument("input must be 1-D or higher")
        if shift.shape != axis.shape:
            raise errors.invalid_argument("shift and axis must have the same size")
        for along in np.atleast_1d(axis):
            if not -input.ndim <= along < input.ndim:
                raise errors.invalid_argument(f"axis {along} is out of range")
        return np.roll(input, tuple(np.atleast_1d(shift)), tuple(np.atleast_1d(axis)))

    def gradient(op, grad):
        shift, axis = op.inputs[1:]
        return Roll(grad, -shift, axis), None, None


@op(
    "input: T, seq_lengths: Tlen -> output: T",
    T=ANY,
    Tlen=INT64_BY_DEFAULT,
    seq_dim=REQUIRED,
    batch_dim=0,
)
class ReverseSequence:
    """Of each batch's sequence, the first `seq_lengths[batch]` elements reversed."""

    def shape(op):
        lengths = with_rank(op.inputs[1].dims, 1)
        dims = op.inputs[0].dims
        if dims is None:
            return None
        batch, sequence = op.attrs["batch_dim"], op.attrs["seq_dim"]
        for name, axis in (("batch_dim", batch), ("seq_dim", sequence)):
            if axis >= len(dims):
                raise ValueError(f"{name} must be < input rank: {axis} vs. {len(dims)}")
        size = merge_dim(dims[batch], lengths[0], "Dimensions must be equal, but are {} and {}")
        return (*dims[:batch], size, *dims[batch + 1 :])

    def kernel(input, seq_lengths, *, seq_dim, batch_dim):
        if seq_dim == batch_dim:
            raise errors.invalid_argument(f"batch_dim == seq_dim == {seq_dim}")
        count = input.shape[seq_dim]
        if len(seq_lengths) != input.shape[batch_dim]:
            raise errors.invalid_argument(
                f"Length of seq_lengths != input.dims({batch_dim}), "
                f"({len(seq_lengths)} vs. {input.shape[batch_dim]})"
            )
        for length in seq_lengths[(seq_lengths < 0) | (seq_lengths > count)][:1]:
            raise errors.invalid_argument(
                f"seq_lens({length}) must be between 0 and input.dims({seq_dim}) = {count}"
            )
        at = np.arange(count)
        lengths = seq_lengths[:, np.newaxis]
        places = np.where(at < lengths, lengths - 1 - at, at)  # [batch, count]
        sides = [1] * input.ndim
        sides[batch_dim], sides[seq_dim] = places.shape
        if batch_dim > seq_dim:
            places = places.T
        return np.take_along_axis(input, places.reshape(sides), axis=seq_dim)

    def gradient(op, grad):
        attrs = {name: op.attrs[name] for name in ("seq_dim", "batch_dim")}
        return ReverseSequence(grad, op.inputs[1], **attrs), None


@export("reverse_sequence")
def reverse_sequence(
    input, seq_lengths, seq_axis=None, batch_axis=None, name=None, seq_dim=None, batch_dim=None
):
    """Reverses the first elements of each sequence.

    Args:
      input: a tensor with an axis of batches and one of sequences.
      seq_lengths: [batches]: how many elements of each are reversed.
      seq_axis, batch_axis: these axes; `seq_dim` and `batch_dim` are older names for them.
    """
    sequence = seq_dim if seq_axis is None else seq_axis
    batch = batch_dim if batch_axis is None else batch_axis
    return ReverseSequence(
        input, seq_lengths, seq_dim=sequence, batch_dim=0 if batch is None else batch, name=name
    )
