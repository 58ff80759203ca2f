"""Rounding to a grid and back, as quantised inference would do it."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.ops.array.dims import merge_dim, require_scalar, with_rank, with_rank_at_least

_SINGLE = dict(num_bits=8, narrow_range=False)


def _nudged(low, high, num_bits, narrow_range):
    """The range moved so that 0 is on the grid, and the grid's step: (low, high, step)."""
    if not 2 <= num_bits <= 16:
        raise errors.invalid_argument("num_bits must be between 2 and 16, inclusive")
    least = np.float32(1 if narrow_range else 0)
    most = np.float32(2**num_bits - 1)
    low, high = np.asarray(low, np.float32), np.asarray(high, np.float32)
    step = (high - low) / (most - least)
    zero_point = least - low / step
    # Half away from zero, as C's round.
    rounded = np.floor(zero_point + np.float32(0.5))
    rounded = np.where(zero_point < least, least, np.where(zero_point > most, most, rounded))
    return (least - rounded) * step, (most - rounded) * step, step


def _on_the_grid(inputs, low, high, num_bits, narrow_range):
    low, high, step = _nudged(low, high, num_bits, narrow_range)
    inverse = np.float32(1) / step
    half = np.float32(0.5)
    zero = np.floor(-low * inverse + half)
    clamped = np.where(inputs > high, high, np.where(inputs < low, low, inputs))
    return (np.floor((clamped - low) * inverse - zero + half)) * step


def _within(inputs, low, high):
    return (inputs >= low) & (inputs <= high)


@op(
    "inputs: float32 -> outputs: float32",
    min=-6.0,
    max=6.0,
    **_SINGLE,
    public="fake_quant_with_min_max_args, quantization.fake_quant_with_min_max_args",
)
class FakeQuantWithMinMaxArgs:
    """The nearest points of a grid over [min, max]."""

    def kernel(inputs, *, min, max, num_bits, narrow_range):
        _require_ascending(min, max)
        return _on_the_grid(inputs, min, max, num_bits, narrow_range)

    def gradient(op, grad):
        return FakeQuantWithMinMaxArgsGradient(grad, op.inputs[0], **_grid_attrs(op))


def _require_ascending(low, high):
    if low >= high:
        raise errors.invalid_argument(f"min has to be smaller than max, was: {low} >= {high}")


def _grid_attrs(op):
    names = ("min", "max", "num_bits", "narrow_range")
    return {name: op.attrs[name] for name in names if name in op.attrs}


@op(
    "gradients: float32, inputs: float32 -> backprops: float32",
    min=-6.0,
    max=6.0,
    **_SINGLE,
    public="fake_quant_with_min_max_args_gradient, "
    "quantization.fake_quant_with_min_max_args_gradient",
)
class FakeQuantWithMinMaxArgsGradient:
    """The gradient where the input is in the nudged range, both ends included."""

    def kernel(gradients, inputs, *, min, max, num_bits, narrow_range):
        _require_ascending(min, max)
        low, high, _ = _nudged(min, max, num_bits, narrow_range)
        return gradients * _within(inputs, low, high).astype(np.float32)

    gradient = NOT_DIFFERENTIABLE


@op(
    "inputs: float32, min: float32, max: float32 -> outputs: float32",
    **_SINGLE,
    public="fake_quant_with_min_max_vars, quantization.fake_quant_with_min_max_vars",
)
class FakeQuantWithMinMaxVars:
    """The nearest points of a grid over [min, max], two scalars."""

    def shape(op):
        for bound in op.inputs[1:]:
            require_scalar(bound)
        return op.inputs[0].dims

    def kernel(inputs, min, max, *, num_bits, narrow_range):
        return _on_the_grid_or_zero(inputs, min, max, num_bits, narrow_range)

    def gradient(op, grad):
        return FakeQuantWithMinMaxVarsGradient(grad, *op.inputs, **_grid_attrs(op))


def _on_the_grid_or_zero(inputs, low, high, num_bits, narrow_range):
    value = _on_the_grid(inputs, low, high, num_bits, narrow_range)
    return np.where((low == 0) & (high == 0), np.float32(0), value)


def _shares(gradients, inputs, min, max, num_bits, narrow_range):
    """The gradient's parts inside the range, below it and above it; all inside for [0, 0]."""
    low, high, _ = _nudged(min, max, num_bits, narrow_range)
    empty = (min == 0) & (max == 0)
    inside = gradients * (empty | _within(inputs, low, high)).astype(np.float32)
    below = gradients * (~empty & (inputs < low)).astype(np.float32)
    above = gradients * (~empty & (inputs > high)).astype(np.float32)
    return inside, below, above


@op(
    "gradients: float32, inputs: float32, min: float32, max: float32 -> "
    "backprops_wrt_input: float32, backprop_wrt_min: float32, backprop_wrt_max: float32",
    **_SINGLE,
    public="fake_quant_with_min_max_vars_gradient, "
    "quantization.fake_quant_with_min_max_vars_gradient",
)
class FakeQuantWithMinMaxVarsGradient:
    """The gradient inside the nudged range; its sums below and above are those of min and max."""

    def shape(op):
        return [op.inputs[0].dims, (), ()]

    def kernel(gradients, inputs, min, max, *, num_bits, narrow_range):
        inside, below, above = _shares(gradients, inputs, min, max, num_bits, narrow_range)
        return inside, np.add.reduce(below, axis=None), np.add.reduce(above, axis=None)

    gradient = NOT_DIFFERENTIABLE


@op(
    "inputs: float32, min: float32, max: float32 -> outputs: float32",
    **_SINGLE,
    public="fake_quant_with_min_max_vars_per_channel, "
    "quantization.fake_quant_with_min_max_vars_per_channel",
)
class FakeQuantWithMinMaxVarsPerChannel:
    """The nearest points of a grid over [min, max], one range for each last index."""

    def shape(op):
        dims = with_rank_at_least(op.inputs[0].dims, 1)
        channels = None if dims is None else dims[-1]
        for bound in op.inputs[1:]:
            (size,) = with_rank(bound.dims, 1)
            channels = merge_dim(channels, size, "Dimensions must be equal, but are {} and {}")
        return None if dims is None else (*dims[:-1], channels)

    def kernel(inputs, min, max, *, num_bits, narrow_range):
        return _on_the_grid_or_zero(inputs, min, max, num_bits, narrow_range)

    def gradient(op, grad):
        return FakeQuantWithMinMaxVarsPerChannelGradient(grad, *op.inputs, **_grid_attrs(op))


@op(
    "gradients: float32, inputs: float32, min: float32, max: float32 -> "
    "backprops_wrt_input: float32, backprop_wrt_min: float32, backprop_wrt_max: float32",
    **_SINGLE,
    public="fake_quant_with_min_max_vars_per_channel_gradient, "
    "quantization.fake_quant_with_min_max_vars_per_channel_gradient",
)
class FakeQuantWithMinMaxVarsPerChannelGradient:
    """As FakeQuantWithMinMaxVarsGradient, with one range for each last index."""

    def shape(op):
        return [op.inputs[0].dims, op.inputs[2].dims, op.inputs[3].dims]

    def kernel(gradients, inputs, min, max, *, num_bits, narrow_range):
        inside, below, above = _shares(gradients, inputs, min, max, num_bits, narrow_range)
        others = tuple(range(inputs.ndim - 1))
        return inside, np.add.reduce(below, axis=others), np.add.reduce(above, axis=others)

    gradient = NOT_DIFFERENTIABLE


# -- quantize and dequantize -------------------------------------------------------------


def _aligned(bound, ndim, axis):
    """A bound for each index of `axis`, shaped so that it broadcasts to the input."""
    if axis < 0 or not bound.ndim:
        return bound.reshape(())
    return bound.reshape((-1,) + (1,) * (ndim - 1 - axis))


def _range_found(input, axis):
    others = None if axis < 0 else tuple(a for a in range(input.ndim) if a != axis)
    return np.min(input, axis=others), np.max(input, axis=others)


def _require_range(low, high):
    """InvalidArgumentError unless the bounds are two scalars in order."""
    for name, bound in (("input_min", low), ("input_max", high)):
        if bound.ndim:
            raise errors.invalid_argument(f"{name} must be a scalar.")
    if low > high:
        raise errors.invalid_argument(f"Invalid range: input_min {low} > input_max {high}")


def _with_axis(op):
    """Shape rule: of the input, which must have the axis that has ranges of its own."""
    axis, dims = op.attrs["axis"], op.inputs[0].dims
    if axis < -1:
        raise ValueError(f"axis should be at least -1, got {axis}")
    return dims if axis < 0 else with_rank_at_least(dims, axis + 1)


def _there_and_back(
    input, low, high, signed_input, num_bits, range_given, round_mode, narrow_range, axis
):
    kind = input.dtype.type
    if not 0 < num_bits < (62 if signed_input else 63):
        raise errors.invalid_argument(f"num_bits is out of range: {num_bits}")
    if not range_given:
        low, high = _range_found(input, axis)
    low, high = _aligned(low, input.ndim, axis), _aligned(high, input.ndim, axis)
    if signed_input:
        least, most = -(2 ** (num_bits - 1)) + bool(narrow_range), 2 ** (num_bits - 1) - 1
    else:
        least, most = int(narrow_range), 2**num_bits - 1
    least, most = kind(least), kind(most)
    unbounded = np.asarray(dtypes.as_dtype(input.dtype).max, input.dtype)
    from_low = np.where(least * low > 0, least / low, unbounded)
    from_high = np.where(most * high > 0, most / high, unbounded)
    by_low = from_low < from_high
    scale = np.where(by_low, from_low, from_high)
    step = np.where(by_low, low / least, high / most)
    low, high = np.where(by_low, low, least * step), np.where(by_low, most * step, high)
    if range_given:
        raised = np.where(input < low, low, input)
        input = np.where(raised > high, high, raised)
    scaled = input * scale
    rounded = np.floor(scaled + kind(0.5)) if round_mode == "HALF_UP" else np.rint(scaled)
    return rounded * step


_GRID = dict(signed_input=True, num_bits=8, range_given=False, narrow_range=False, axis=-1)


@op(
    "input: T -> output: T",
    T=FLOATING,
    signed_input=True,
    num_bits=8,
    range_given=False,
    input_min=0.0,
    input_max=0.0,
)
class QuantizeAndDequantize:
    """The nearest points of a grid whose range is an attribute."""

    def kernel(input, *, signed_input, num_bits, range_given, input_min, input_max):
        low, high = np.asarray(input_min, input.dtype), np.asarray(input_max, input.dtype)
        given = (signed_input, num_bits, range_given, "HALF_TO_EVEN", False, -1)
        return _there_and_back(input, low, high, *given)

    def gradient(op, grad):
        return grad


@op(
    "input: T, input_min: T, input_max: T -> output: T",
    T=FLOATING,
    round_mode="HALF_TO_EVEN",
    **_GRID,
)
class QuantizeAndDequantizeV2:
    """The nearest points of a grid over [input_min, input_max]; its derivative counts as 1."""

    shape = _with_axis

    def kernel(input, input_min, input_max, *, op):
        if op.attrs["range_given"]:
            _require_range(input_min, input_max)
        return _there_and_back(input, input_min, input_max, **_grid_of(op))

    def gradient(op, grad):
        return [grad, None, None]


def _grid_of(op):
    return {name: op.attrs[name] for name in (*_GRID, "round_mode")}


@op(
    "input: T, input_min: T, input_max: T, num_bits: int32 -> output: T",
    T=FLOATING,
    signed_input=True,
    range_given=True,
    narrow_range=False,
    axis=-1,
)
class QuantizeAndDequantizeV3:
    """As QuantizeAndDequantizeV2, with the number of bits as an input."""

    def kernel(
        input, input_min, input_max, num_bits, *, signed_input, range_given, narrow_range, axis
    ):
        if range_given and axis == -1:
            _require_range(input_min.reshape(()), input_max.reshape(()))
        return _there_and_back(
            input,
            input_min,
            input_max,
            signed_input,
            int(num_bits),
            range_given,
            "HALF_TO_EVEN",
            narrow_range,
            axis,
        )

    def gradient(op, grad):
        return [grad, None, None, None]


@op(
    "input: T, input_min: T, input_max: T -> output: T",
    T=FLOATING,
    round_mode="HALF_TO_EVEN",
    **_GRID,
)
class QuantizeAndDequantizeV4:
    """As QuantizeAndDequantizeV2; its derivative is 0 outside of the range."""

    shape = _with_axis

    def kernel(input, input_min, input_max, *, op):
        if op.attrs["range_given"]:
            _require_range(input_min, input_max)
        return _there_and_back(input, input_min, input_max, **_grid_of(op))

    def gradient(op, grad):
        return QuantizeAndDequantizeV4Grad(grad, *op.inputs, axis=op.attrs["axis"])


@op(
    "gradients: T, input: T, input_min: T, input_max: T -> "
    "input_backprop: T, input_min_backprop: T, input_max_backprop: T",
    T=FLOATING,
    axis=-1,
)
class QuantizeAndDequantizeV4Grad:
    """The gradient where the input is in the range; nothing for the bounds."""

    def shape(op):
        return [op.inputs[0].dims, op.inputs[2].dims, op.inputs[3].dims]

    def kernel(gradients, input, input_min, input_max, *, axis):
        low, high = (_aligned(b, input.ndim, axis) for b in (input_min, input_max))
        inside = np.where(_within(input, low, high), gradients, gradients.dtype.type(0))
        return inside, np.zeros_like(input_min), np.zeros_like(input_max)

    def gradient(op, grad):
        # TensorFlow registers a function of one gradient for an op of three outputs, so that
        # every second derivative is a TypeError.
        return QuantizeAndDequantizeV4Grad(grad, *op.inputs, axis=op.attrs["axis"])


def _quantize_and_dequantize(definition):
    def function(
        input,
        input_min,
        input_max,
        signed_input=True,
        num_bits=8,
        range_given=False,
        round_mode="HALF_TO_EVEN",
        name=None,
        narrow_range=False,
        axis=None,
    ):
        if axis is None:
            axis = -1
        elif axis < 0:
            if input.shape.ndims is None:
                raise ValueError("input should have known rank to use negative axis.")
            axis %= input.shape.ndims
        return definition(
            input,
            input_min,
            input_max,
            signed_input=signed_input,
            num_bits=num_bits,
            range_given=range_given,
            round_mode=round_mode,
            narrow_range=narrow_range,
            axis=axis,
            name=name,
        )

    function.__doc__ = definition.__doc__
    return function


quantize_and_dequantize = export("quantization.quantize_and_dequantize")(
    _quantize_and_dequantize(QuantizeAndDequantizeV2)
)
quantize_and_dequantize_v2 = export("quantization.quantize_and_dequantize_v2")(
    _quantize_and_dequantize(QuantizeAndDequantizeV4)
)
