"""Batch normalisation as one op, its gradient as another, and the gradient of that."""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, REQUIRED, op
from numpy_tf.ops.array.basic import identity, stop_gradient
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.shape import reshape, size, squeeze
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.math.arithmetic import squared_difference
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Reciprocal, Rsqrt
from numpy_tf.ops.math.reduction import reduce_mean, reduce_sum
from numpy_tf.ops.nn.arguments import renamed
from numpy_tf.ops.nn.norm import batch_normalization
from numpy_tf.ops.nn.windows import check_words

_IMAGES = frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32})
_STATISTICS = frozenset({dtypes.bfloat16, dtypes.float32})
_SINGLE = frozenset({dtypes.float32})
_FORWARD = {
    "epsilon": 0.0001,
    "exponential_avg_factor": 1.0,
    "data_format": "NHWC",
    "is_training": True,
}
_BACKWARD = {"epsilon": 0.0001, "data_format": "NHWC", "is_training": True}
# Permutations that put the channels last, and second again.
_MOVED_CHANNELS = {
    "NCHW": ([0, 2, 3, 1], [0, 3, 1, 2]),
    "NCDHW": ([0, 2, 3, 4, 1], [0, 4, 1, 2, 3]),
}


def _channels_first(data_format):
    return data_format in ("NCHW", "NCDHW")


def _axes(ndim, data_format):
    """The channels' axis, and the others."""
    channels = 1 if _channels_first(data_format) else ndim - 1
    return channels, tuple(axis for axis in range(ndim) if axis != channels)


def _along(vector, ndim, channels):
    return vector.reshape([-1 if axis == channels else 1 for axis in range(ndim)])


def _check_images(op):
    """ValueError unless what is normalised has a rank of the data format, and is known to."""
    dims, data_format = op.inputs[0].dims, op.attrs["data_format"]
    formats = ("NHWC", "NCHW") + (("NDHWC", "NCDHW") if op.type.endswith("V3") else ())
    check_words(op, data_format=formats)
    return with_rank(dims, len(data_format))


def _forward_dims(op):
    dims = list(_check_images(op))
    axis = 1 if _channels_first(op.attrs["data_format"]) else -1
    channels = dims[axis]
    vectors = op.inputs[1:] if not op.attrs["is_training"] else op.inputs[1:3]
    for tensor in vectors:
        (given,) = with_rank(tensor.dims, 1)
        if None not in (channels, given) and channels != given:
            raise ValueError(f"Dimensions must be equal, but are {channels} and {given}")
        channels = given if channels is None else channels
    dims[axis] = channels
    return [tuple(dims), *[(channels,)] * 4]


def _normalised(x, scale, offset, mean, variance, op):
    """y, the running mean and variance, and those that the gradient needs."""
    attrs = op.attrs
    channels, others = _axes(x.ndim, attrs["data_format"])
    wide = x.astype(np.float32, copy=False)
    epsilon = np.float32(attrs["epsilon"])
    if attrs["is_training"]:
        count = math.prod(x.shape[axis] for axis in others)
        if not count:
            nothing = np.zeros(scale.shape, scale.dtype)
            unknown = np.full(scale.shape, np.nan, scale.dtype)
            return x, unknown, unknown, nothing, nothing
        own_mean = _sum_to_channels(wide, channels) / np.float32(count)
        centred = wide - _along(own_mean, x.ndim, channels)
        own_variance = _sum_to_channels(centred * centred, channels) / np.float32(count)
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
    centred *= _along(factor, x.ndim, channels)
    centred += _along(offset, x.ndim, channels)
    statistics = (running_mean, running_variance, *saved)
    return (centred.astype(x.dtype, copy=False), *(np.asarray(s, scale.dtype) for s in statistics))


def _sum_to_channels(array, channels):
    """Σ over all dimensions but the channels."""
    if channels == array.ndim - 1:
        rows = array.reshape(-1, array.shape[-1])
        # A product with ones goes through BLAS, in one pass over rows that are short.
        return np.ones(len(rows), array.dtype) @ rows
    return np.add.reduce(array, axis=tuple(a for a in range(array.ndim) if a != channels))


def _forward_gradient(op, grad, backward):
    """The gradients by the images, the scale and the offset, by one of the ops below."""
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
    rest = op.outputs[5:]
    dx, dscale, doffset, _, _ = backward(
        grad, x, scale, mean, variance, *rest, data_format=target, **attrs
    )
    if not training and _channels_first(layout):
        dx = transpose(dx, to_second)
    return dx, dscale, doffset, None, None


@op(
    "x: T, scale: T, offset: T, mean: T, variance: T -> y: T, batch_mean: T, batch_variance: T, "
    "reserve_space_1: T, reserve_space_2: T",
    T=_SINGLE,
    **_FORWARD,
)
class FusedBatchNorm:
    """As `FusedBatchNormV3`, of float32 alone and without its last output."""

    shape = _forward_dims

    def kernel(x, scale, offset, mean, variance, *, op):
        return _normalised(x, scale, offset, mean, variance, op)

    def gradient(op, grad, *_):
        return _forward_gradient(op, grad, FusedBatchNormGrad)


@op(
    "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, "
    "reserve_space_1: U, reserve_space_2: U",
    T=_IMAGES,
    U=_SINGLE,
    **_FORWARD,
)
class FusedBatchNormV2:
    """As `FusedBatchNormV3`, without its last output."""

    shape = _forward_dims

    def kernel(x, scale, offset, mean, variance, *, op):
        return _normalised(x, scale, offset, mean, variance, op)

    def gradient(op, grad, *_):
        return _forward_gradient(op, grad, FusedBatchNormGradV2)


@op(
    "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, "
    "reserve_space_1: U, reserve_space_2: U, reserve_space_3: U",
    T=_IMAGES,
    U=_STATISTICS,
    **_FORWARD,
)
class FusedBatchNormV3:
    """Normalises by the batch's statistics, or by given ones when not training.

    Outputs 1 and 2 are running statistics (of the unbiased variance), 3 and 4 the mean and
    the biased variance that the gradient needs, 5 nothing.
    """

    def shape(op):
        return [*_forward_dims(op), None]

    def kernel(x, scale, offset, mean, variance, *, op):
        normalised = _normalised(x, scale, offset, mean, variance, op)
        return (*normalised, np.zeros((), scale.dtype))

    def gradient(op, grad, *_):
        return _forward_gradient(op, grad, FusedBatchNormGradV3)


# -- the gradient ------------------------------------------------------------------------


def _backward_dims(op):
    dims = list(_check_images(op))
    axis = 1 if _channels_first(op.attrs["data_format"]) else -1
    (channels,) = with_rank(op.inputs[2].dims, 1)
    dims[axis] = channels = dims[axis] if channels is None else channels
    return [tuple(dims), (channels,), (channels,), (0,), (0,)]


def _backward(y_backprop, x, scale, mean, variance, op):
    attrs = op.attrs
    if not attrs["is_training"] and _channels_first(attrs["data_format"]):
        raise errors.invalid_argument(
            "The implementation of FusedBatchNormGrad with is_training=False only support NHWC "
            "tensor format for now."
        )
    channels, _ = _axes(x.ndim, attrs["data_format"])
    grad, wide = (array.astype(np.float32, copy=False) for array in (y_backprop, x))
    inverse = np.float32(1) / np.sqrt(variance + np.float32(attrs["epsilon"]))
    centred = wide - _along(mean, x.ndim, channels)
    by_offset = _sum_to_channels(grad, channels)
    products = _sum_to_channels(grad * centred, channels)
    factor = _along(scale * inverse, x.ndim, channels)
    if attrs["is_training"]:
        count = np.float32(max(wide.size // max(wide.shape[channels], 1), 1))
        slope = _along(products / count * (inverse * inverse), x.ndim, channels)
        centred *= slope
        by_x = grad - _along(by_offset / count, x.ndim, channels)
        by_x -= centred
        by_x *= factor
    else:
        by_x = grad * factor
    nothing = np.zeros((0,), np.float32)
    return by_x.astype(x.dtype, copy=False), products * inverse, by_offset, nothing, nothing


def _backward_gradient(op, grad_x, grad_scale, grad_offset, *_):
    from numpy_tf.backprop import gradients

    y_backprop, x, scale, mean, variance = op.inputs[:5]
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
    return (*found, *[None] * (len(op.inputs) - 3))


@op(
    "y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T -> x_backprop: T, "
    "scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: T",
    T=_SINGLE,
    **_BACKWARD,
)
class FusedBatchNormGrad:
    """The gradients of `FusedBatchNorm` by the images, the scale and the offset."""

    shape = _backward_dims

    def kernel(y_backprop, x, scale, reserve_space_1, reserve_space_2, *, op):
        return _backward(y_backprop, x, scale, reserve_space_1, reserve_space_2, op)

    gradient = _backward_gradient


@op(
    "y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U -> "
    "x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, reserve_space_4: U",
    T=_IMAGES,
    U=_SINGLE,
    **_BACKWARD,
)
class FusedBatchNormGradV2:
    """The gradients of `FusedBatchNormV2` by the images, the scale and the offset."""

    shape = _backward_dims

    def kernel(y_backprop, x, scale, reserve_space_1, reserve_space_2, *, op):
        return _backward(y_backprop, x, scale, reserve_space_1, reserve_space_2, op)

    gradient = _backward_gradient


@op(
    "y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U, "
    "reserve_space_3: U -> x_backprop: T, scale_backprop: U, offset_backprop: U, "
    "reserve_space_4: U, reserve_space_5: U",
    T=_IMAGES,
    U=_SINGLE,
    **_BACKWARD,
)
class FusedBatchNormGradV3:
    """The gradients of `FusedBatchNormV3` by the images, the scale and the offset."""

    shape = _backward_dims

    def kernel(y_backprop, x, scale, reserve_space_1, reserve_space_2, _, *, op):
        return _backward(y_backprop, x, scale, reserve_space_1, reserve_space_2, op)

    gradient = _backward_gradient


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


# -- the op that TensorFlow has withdrawn ------------------------------------------------


def _withdrawn(op):
    raise NotImplementedError(
        f"Op {op.type} is not available in GraphDef version 2474. It has been removed in version "
        "9. Use tf.nn.batch_normalization()."
    )


def _never(*_, **__):
    raise AssertionError("no graph has this op")


_GLOBAL = {"variance_epsilon": REQUIRED, "scale_after_normalization": REQUIRED}


@op("t: T, m: T, v: T, beta: T, gamma: T -> result: T", T=NUMERIC, **_GLOBAL)
class BatchNormWithGlobalNormalization:
    """Normalisation by given statistics; TensorFlow has the op, but lets no graph have it."""

    shape = _withdrawn
    kernel = _never

    def gradient(op, grad):
        t, m, v, _, gamma = op.inputs
        attrs = {name: op.attrs[name] for name in _GLOBAL}
        return BatchNormWithGlobalNormalizationGrad(t, m, v, gamma, grad, **attrs)


@op(
    "t: T, m: T, v: T, gamma: T, backprop: T -> dx: T, dm: T, dv: T, db: T, dg: T",
    T=NUMERIC,
    **_GLOBAL,
)
class BatchNormWithGlobalNormalizationGrad:
    """The gradients of `BatchNormWithGlobalNormalization`."""

    shape = _withdrawn
    kernel = _never
    gradient = NO_GRADIENT


# -- the public functions ----------------------------------------------------------------


@export("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(
    t=None,
    m=None,
    v=None,
    beta=None,
    gamma=None,
    variance_epsilon=None,
    scale_after_normalization=None,
    name=None,
    input=None,
    mean=None,
    variance=None,
):
    """`batch_normalization` by given statistics, scaled only if so wanted.

    Args:
      t, input: images, channels last.
      m, mean, v, variance: their statistics.
      beta, gamma: offset and scale.
    """
    return batch_normalization(
        renamed("input", input, "t", t),
        renamed("mean", mean, "m", m),
        renamed("variance", variance, "v", v),
        beta,
        gamma if scale_after_normalization else None,
        variance_epsilon,
        name,
    )


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
