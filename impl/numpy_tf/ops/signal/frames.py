"""Frames: a signal cut into pieces that overlap, and put together again by adding them up."""

import math

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import require_scalar, with_rank_at_least
from numpy_tf.ops.array.fill import zeros, zeros_like
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.shape import rank, reshape, shape, size
from numpy_tf.ops.array.slicing import pad, strided_slice
from numpy_tf.ops.array.stack import concat, split
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.control.while_loop import while_loop
from numpy_tf.ops.math.arithmetic import Maximum
from numpy_tf.ops.math.comparison import Greater
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of


def scalar_tensor(value, name):
    """`value` as a tensor.

    Raises:
      ValueError: it is no scalar.
    """
    tensor = convert_to_tensor(value, name=name)
    require_scalar(tensor)
    return tensor


@export("signal.frame")
def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    """Pieces of `frame_length` samples, the first at 0 and each `frame_step` further on.

    Args:
      signal: [..., samples, ...].
      frame_length, frame_step: integer scalars.
      pad_end: whether the signal is lengthened by `pad_value`, so that all samples are in a
        frame; else a rest is dropped.
      axis: of the samples.

    Returns:
      [..., frames, frame_length, ...]: `axis` becomes two.

    Raises:
      ValueError: for a scalar signal, or lengths that are no scalars.
    """
    with NameScope(name, "frame", [signal, frame_length, frame_step, pad_value]):
        signal = convert_to_tensor(signal, name="signal")
        length = scalar_tensor(frame_length, "frame_length")
        step = scalar_tensor(frame_step, "frame_step")
        axis = scalar_tensor(axis, "axis")
        with_rank_at_least(signal.dims, 1)
        result_dims = _frame_dims(signal.dims, length, step, pad_end, axis)
        axis, outer, samples, inner = _dims_around(signal, axis)
        if pad_end:
            count = -(-samples // step)
            more = Maximum(0, length + step * (count - 1) - samples)
            signal = _padded_at(signal, size(outer), size(inner), more, pad_value)
            samples = shape(signal)[axis]
        else:
            count = Maximum(constant(0, length.dtype), 1 + (samples - length) // step)
        frames = _gathered(signal, outer, samples, inner, axis, length, step, count)
        if result_dims is not None:
            frames.set_shape(result_dims)
        return frames


def _frame_dims(dims, length, step, pad_end, axis):
    """The static shape of the frames, or None when the rank is not known."""
    length, step, axis = (constant_value(value) for value in (length, step, axis))
    length, step, axis = (None if value is None else int(value) for value in (length, step, axis))
    if dims is None:
        return None
    if axis is None:
        return [None] * (len(dims) + 1)
    samples, count = dims[axis], None
    if samples is not None and step is not None:
        if pad_end:
            count = max(0, -(-samples // step))
        elif length is not None:
            count = max(0, (samples - length + step) // step)
    return [*dims[:axis], count, length, *dims[axis:][1:]]


def _dims_around(signal, axis):
    """The axis, counted from the first; the sizes before it, the number of samples, those after."""
    at = constant_value(axis)
    if signal.dims is not None and None not in signal.dims and at is not None:
        at = range(len(signal.dims))[int(at)]
        outer, inner = list(signal.dims[:at]), list(signal.dims[at + 1 :])
        return at, constant(outer, "int32"), signal.dims[at], constant(inner, "int32")
    count = rank(signal)
    at = range_of(count)[axis]
    outer, samples, inner = split(shape(signal), [at, 1, count - 1 - at])
    return at, outer, reshape(samples, []), inner


def _padded_at(signal, before, after, more, value):
    """The signal with `more` values at the end of the axis between `before` and `after` others."""
    value = convert_to_tensor(value, signal.dtype)
    require_scalar(value)
    rows = [zeros([count, 2], more.dtype) for count in (before, after)]
    paddings = concat([rows[0], convert_to_tensor([[0, more]]), rows[1]], 0)
    return pad(signal, paddings, constant_values=value)


def _gathered(signal, outer, samples, inner, axis, length, step, count):
    """The frames, made of pieces as long as the greatest common divisor of length and step."""
    piece = _greatest_common_divisor(length, step)
    pieces = samples // piece
    whole = concat([outer, [pieces * piece], inner], 0)
    cut = concat([outer, [pieces, piece], inner], 0)
    subframes = reshape(strided_slice(signal, zeros_like(shape(signal)), whole), cut)
    first = reshape(range_of(count, dtype=length.dtype) * (step // piece), [count, 1])
    per_frame = length // piece
    following = reshape(range_of(per_frame, dtype=length.dtype), [1, per_frame])
    frames = gather(subframes, first + following, axis=axis)
    middle = convert_to_tensor([count, length], outer.dtype)
    return reshape(frames, concat([outer, middle, inner], 0))


def _greatest_common_divisor(a, b):
    """Of two integer scalars, a number where both are known."""
    for name, value in (("a", a), ("b", b)):
        if not value.dtype.is_integer:
            raise ValueError(f"{name} must be an integer type. Got: {value.dtype}")
    known_a, known_b = constant_value(a), constant_value(b)
    if known_a is not None and known_b is not None:
        return math.gcd(int(known_a), int(known_b))
    result, _ = while_loop(
        lambda _, rest: Greater(rest, zeros_like(rest)),
        lambda value, rest: [rest, value % rest],
        [a, b],
        back_prop=False,
    )
    return result


@export("signal.overlap_and_add")
def overlap_and_add(signal, frame_step, name=None):
    """The frames, each `frame_step` after the one before, added up where they overlap.

    Args:
      signal: [..., frames, frame_length].
      frame_step: an integer scalar, at most the frame's length.

    Returns:
      [..., frame_length + frame_step·(frames - 1)].

    Raises:
      ValueError: for less than two dimensions, or a step that is no integer.
    """
    with NameScope(name, "overlap_and_add", [signal, frame_step]):
        signal = convert_to_tensor(signal, name="signal")
        with_rank_at_least(signal.dims, 2)
        step = scalar_tensor(frame_step, "frame_step")
        if not step.dtype.is_integer:
            raise ValueError(f"frame_step must be an integer. Got {step.dtype}")
        known_step = constant_value(step)
        step = step if known_step is None else int(known_step)
        dims = signal.dims
        if dims is not None and None not in dims:
            outer, (frames, length) = list(dims[:-2]), dims[-2:]
            outer_rank = len(outer)
        else:
            sizes = shape(signal)
            outer, frames, length = sizes[:-2], sizes[-2], sizes[-1]
            outer_rank = size(outer) if dims is None else len(dims) - 2
        total = length + step * (frames - 1)

        def whole(inner):
            return concat([convert_to_tensor(outer, "int32"), inner], 0)

        if dims is not None and known_step is not None and step == dims[-1]:
            return reshape(signal, whole([total]), name="fast_path")
        return _added_up(signal, whole, outer_rank, frames, length, step)[..., :total]


def _added_up(signal, whole, outer_rank, frames, length, step):
    """The sum, step by step in columns: the frames are cut into steps and sheared by padding.

    Padding each frame's steps with as many zeros as there are frames, and reading the result
    with one row less, moves every frame on by one step; then each column is a sum.
    """
    steps = -(-length // step)
    inner = [[0, steps], [0, steps * step - length]]
    paddings = concat([zeros([outer_rank, 2], "int32"), inner], 0)
    signal = reshape(pad(signal, paddings), whole([frames + steps, steps, step]))
    if isinstance(outer_rank, int):
        order = [*range(outer_rank), *(outer_rank + axis for axis in (1, 0, 2))]
    else:
        order = concat([range_of(outer_rank), outer_rank + constant([1, 0, 2])], 0)
    signal = reshape(transpose(signal, order), whole([(frames + steps) * steps, step]))
    signal = signal[..., : (frames + steps - 1) * steps, :]
    signal = reshape(signal, whole([steps, frames + steps - 1, step]))
    return reshape(reduce_sum(signal, -3), whole([(frames + steps - 1) * step]))
