"""Batch normalisation as one op, its gradient as another, and the gradient of that."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.basic import identity, stop_gradient
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.shape import reshape, size, squeeze
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.math.arithmetic import squared_difference
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Reciprocal, Rsqrt
from numpy_tf.ops.math.reduction import reduce_mean, reduce_sum

_IMAGES = frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32})
_STATISTICS = frozenset({dtypes.bfloat16, dtypes.float32})
_SINGLE = frozenset({dtypes.float32})
# Permutations that put the channels last, and second again.
_MOVED_CHANNELS = {
    "NCHW": ([0, 2, 3, 1], [0, 3, 1, 2]),
    "NCDHW": ([0, 2, 3, 4, 1], [0, 4, 1, 2, 3]),
}


def _channels_first(data_format):
    return data_format in ("NCHW", "NCDHW")


def _channel_dims(op):
    dims = op.inputs[0].dims
    for index in range(1, len(op.inputs)):
        known = op.inputs[index].dims
        if known is not None and len(known) == 1 and known[0] not in (None, 0):
            return known
    if dims is None:
        return (None,)
    return (dims[1 if _channels_first(op.attrs["data_format"]) else -1],)


def _axes(ndim, data_format):
    """The channels' axis, and the others."""
    channels = 1 if _channels_first(data_format) else ndim - 1
    return channels, tuple(axis for axis in range(ndim) if axis != channels)


def _along(vector, ndim, channels):
    return vector.reshape([-1 if axis == channels else 1 for axis in range(ndim)])


@op(
    "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, "
    "reserve_space_1: U, reserve_space_2: U, reserve_space_3: U",
    T=_IMAGES,
    U=_STATISTICS,
    epsilon=0.0001,
    exponential_avg_factor=1.0,
    data_format="NHWC",
    is_training=True,
)
class FusedBatchNormV3:
    """Normalises by the batch's statistics, or by given ones when not training.

    Outputs 1 and 2 are running statistics (of the unbiased variance), 3 and 4 the mean and
    the biased variance that the gradient needs, 5 nothing.
    """

    def shape(op):
        channels = _channel_dims(op)
        return [op.inputs[0].dims, channels, channels, channels, channels, None]

    def kernel(x, scale, offset, mean, variance, *, op):
        attrs = op.attrs
        channels, others = _axes(x.ndim, attrs["data_format"])
        wide = x.astype(np.float32)
        epsilon = np.float32(attrs["epsilon"])
        rest = np.zeros((), scale.dtype)
        if attrs["is_training"]:
            count = wide.size // wide.shape[channels]
            own_mean = np.add.reduce(wide, axis=others) / np.float32(count)
            centred = wide - _along(own_mean, x.ndim, channels)
            own_variance = np.add.reduce(centred * centred, axis=others) / np.float32(count)
            unbiased = own_variance * np.float32(count / max(count - 1, 1))
            factor = np.float32(attrs["exponential_avg_factor"])
            running_mean, running_variance = own_mean, unbiased
            if factor != 1:
                running_mean = mean * (1 - factor) + own_mean * factor
                running_variance = variance * (1 - factor) + unbiased * factor
            saved = own_mean, own_variance
        else:
            centred = wide - _along(mean, x.ndim, channels)
            own_variance = variance
            running_mean, running_variance = saved = mean, variance
        factor = np.float32(1) / np.sqrt(own_variance + epsilon) * scale
        y = centred * _along(factor, x.ndim, channels) + _along(offset, x.ndim, channels)
        statistics = (running_mean, running_variance, *saved)
        return (y.astype(x.dtype), *(np.asarray(s, scale.dtype) for s in statistics), rest)

    def gradient(op, grad, *_):
        x, scale, _, mean, variance = op.inputs
        layout, training = op.attrs["data_format"], op.attrs["is_training"]
        attrs = {"epsilon": op.attrs["epsilon"], "is_training": training}
        if training:
            mean, variance = op.outputs[3], op.outputs[4]
        elif _channels_first(layout):
            # TensorFlow's kernel for inference knows channels only at the end.
            to_last, to_second = _MOVED_CHANNELS[layout]
            x, grad = transpose(x, to_last), transpose(grad, to_last)
        target = layout if training else layout.replace("C", "") + "C"
        dx, dscale, doffset, _, _ = FusedBatchNormGradV3(
            grad, x, scale, mean, variance, op.outputs[5], data_format=target, **attrs
        )
        if not training and _channels_first(layout):
            dx = transpose(dx, to_second)
        return dx, dscale, doffset, None, None


@op(
    "y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U, "
    "reserve_space_3: U -> x_backprop: T, scale_backprop: U, offset_backprop: U, "
    "reserve_space_4: U, reserve_space_5: U",
    T=_IMAGES,
    U=_SINGLE,
    epsilon=0.0001,
    data_format="NHWC",
    is_training=True,
)
class FusedBatchNormGradV3:
    """The gradients of FusedBatchNormV3 by the images, the scale and the offset."""

    def shape(op):
        channels = op.inputs[2].dims
        return [op.inputs[1].dims, channels, channels, (0,), (0,)]

    def kernel(
        y_backprop,
        x,
        scale,
        reserve_space_1,
        reserve_space_2,
        reserve_space_3,
        *,
        epsilon,
        data_format,
        is_training,
    ):
        channels, others = _axes(x.ndim, data_format)
        grad, wide = y_backprop.astype(np.float32), x.astype(np.float32)
        inverse = np.float32(1) / np.sqrt(reserve_space_2 + np.float32(epsilon))
        centred = wide - _along(reserve_space_1, x.ndim, channels)
        by_offset = np.add.reduce(grad, axis=others)
        products = np.add.reduce(grad * centred, axis=others)
        factor = _along(scale * inverse, x.ndim, channels)
        if is_training:
            count = np.float32(wide.size // wide.shape[channels])
            mean_grad = _along(by_offset / count, x.ndim, channels)
            slope = _along(products / count * (inverse * inverse), x.ndim, channels)
            by_x = factor * (grad - mean_grad - centred * slope)
        else:
            by_x = grad * factor
        nothing = np.zeros((0,), np.float32)
        return by_x.astype(x.dtype), products * inverse, by_offset, nothing, nothing

    def gradient(op, grad_x, grad_scale, grad_offset, *_):
        from numpy_tf.backprop import gradients

        y_backprop, x, scale, mean, variance, _ = op.inputs
        # The formula anew from copies, so that no path leads out of it.
        inputs = [identity(t) for t in (y_backprop, x, scale)]
        composed = _composed(
            *inputs,
            mean,
            variance,
            constant(op.attrs["epsilon"], dtype=dtypes.float32),
            op.attrs["data_format"],
            op.attrs["is_training"],
        )
        found = gradients(composed, inputs, [grad_x, grad_scale, grad_offset])
        return (*found, None, None, None)


def _composed(grad, x, scale, mean, variance, epsilon, data_format, is_training):
    """The three gradients out of differentiable ops, as the kernel computes them."""
    ndim = len(x.dims)
    channels, others = _axes(ndim, data_format)
    axes, dtype = list(others), x.dtype.base_dtype
    if dtype in (dtypes.float16, dtypes.bfloat16):
        x, grad = cast(x, dtypes.float32), cast(grad, dtypes.float32)
    first = _channels_first(data_format)
    spread = [1] * ndim
    spread[channels] = size(scale)
    if not is_training:
        if first:
            mean, variance, scale = (reshape(t, spread) for t in (mean, variance, scale))
        inverse = Rsqrt(variance + epsilon)
        by_scale = reduce_sum(grad * (x - mean) * inverse, axis=axes)
        by_x = grad * scale * inverse
        return [cast(by_x, dtype), by_scale, reduce_sum(grad, axis=axes)]
    if first:
        scale = reshape(scale, spread)
    mean_grad = reduce_mean(grad, axes, keepdims=first)
    own_mean = reduce_mean(x, axes, keepdims=first)
    deviations = squared_difference(x, stop_gradient(own_mean))
    own_variance = reduce_mean(deviations, axes, keepdims=first)
    centred = x - own_mean
    mean_product = reduce_mean(grad * centred, axis=axes, keepdims=first)
    inverse = Rsqrt(own_variance + epsilon)
    slope = Reciprocal(own_variance + epsilon) * mean_product * centred
    by_x = scale * inverse * (grad - mean_grad - slope)
    by_scale = inverse * reduce_sum(grad * centred, axis=axes, keepdims=first)
    if first:
        by_scale = squeeze(by_scale)
    return [cast(by_x, dtype), by_scale, reduce_sum(grad, axis=axes)]


@export("nn.fused_batch_norm")
def fused_batch_norm(
    x,
    scale,
    offset,
    mean=None,
    variance=None,
    epsilon=0.001,
    data_format="NHWC",
    is_training=True,
    name=None,
    exponential_avg_factor=1.0,
):
    """Normalises images and scales them, one scale and offset for each channel.

    Args:
      x: [batch, height, width, channels], or as `data_format` has it.
      mean, variance: the statistics to use when `is_training` is False.

    Returns:
      (y, running mean, running variance).

    Raises:
      ValueError: when statistics are needed and not given.
    """
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or "
            f"`exponential_avg_factor` != 1.0. Received: `mean` {mean!r} and `variance` "
            f"{variance!r}"
        )
    x = convert_to_tensor(x, name="input")
    scale = convert_to_tensor(scale, name="scale")
    offset = convert_to_tensor(offset, name="offset")
    y, running_mean, running_variance, *_ = FusedBatchNormV3(
        x,
        scale,
        offset,
        constant([]) if mean is None else mean,
        constant([]) if variance is None else variance,
        epsilon=epsilon,
        exponential_avg_factor=exponential_avg_factor,
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, running_mean, running_variance
