"""Depthwise convolution: each channel has filters of its own."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.nn.windows import (
    Windows,
    channels_axis,
    check_explicit_paddings,
    check_words,
    explicit_pairs,
    outside_spatial,
    spatial,
    static_count,
    static_dims,
    widened,
)

_ATTRS = {
    "strides": REQUIRED,
    "padding": REQUIRED,
    "explicit_paddings": (),
    "data_format": "NHWC",
    "dilations": (1, 1, 1, 1),
}


def _attrs(op):
    return {name: op.attrs[name] for name in _ATTRS}


def _check_words(op):
    check_words(op, padding=("SAME", "VALID", "EXPLICIT"), data_format=("NHWC", "NCHW"))


def _check_lengths(op):
    for attribute, word in (("strides", "stride"), ("dilations", "dilations")):
        count = len(op.attrs[attribute])
        if count != 4:
            raise ValueError(
                f"DepthwiseConv2D requires the {word} attribute to contain 4 values, "
                f"but got: {count}"
            )


def _check_channels_last(op):
    if op.attrs["data_format"] == "NCHW":
        raise errors.unimplemented("Depthwise convolution on CPU is only supported for NHWC format")


def _windows(op, sizes, window):
    """The windows; TensorFlow's kernels for the gradients take no notice of dilations."""
    _check_channels_last(op)
    attrs = op.attrs
    rows, columns = spatial(attrs["strides"], attrs["data_format"])
    if rows != columns:
        raise errors.invalid_argument(
            "Current implementation only supports equal length strides in the row and column "
            "dimensions."
        )
    if outside_spatial(attrs["strides"], attrs["data_format"]) != (1, 1):
        raise errors.invalid_argument(
            "Current implementation does not yet support strides in the batch and depth dimensions."
        )
    pairs = explicit_pairs(attrs["explicit_paddings"], attrs["data_format"])
    return Windows.over(sizes, window, (rows, columns), attrs["padding"], None, pairs)


def _check_backprop(name, images_shape, filter_shape, grads, windows):
    def check(fits, words):
        if not fits:
            raise errors.invalid_argument(f"{name}: {words}")

    check(images_shape[0] == grads.shape[0], "input and out_backprop must have the same batch size")
    check(images_shape[3] == filter_shape[2], "input and filter must have the same in_depth")
    check(
        filter_shape[2] * filter_shape[3] == grads.shape[3],
        "depth_multiplier * in_depth not equal to out_depth",
    )
    for side, count, given in zip(("rows", "cols"), windows.counts, grads.shape[1:3], strict=True):
        check(
            count == given,
            f"Number of {side} of out_backprop doesn't match computed: actual = {given}, "
            f"computed = {count}",
        )


def _by_channel(array, filter_shape):
    """[..., depth, multiplier]: the outputs of each channel."""
    return array.reshape(*array.shape[:-1], *filter_shape[2:])


@op("input: T, filter: T -> output: T", T=FLOATING, **_ATTRS)
class DepthwiseConv2dNative:
    """For each channel the sum over each window times each of its filters.

    The filter is [height, width, depth, multiplier]; the output has depth·multiplier channels.
    """

    def shape(op):
        _check_words(op)
        data_format, padding = op.attrs["data_format"], op.attrs["padding"]
        images = static_dims(op.inputs[0], data_format)
        filter = static_dims(op.inputs[1], data_format)
        _check_lengths(op)
        check_explicit_paddings(padding, op.attrs["explicit_paddings"], data_format)
        channels = channels_axis(data_format)
        depth = images[channels] if filter[2] is None else filter[2]
        if images[channels] not in (None, depth):
            raise ValueError(f"Dimensions must be equal, but are {images[channels]} and {depth}")
        result = list(images)
        pairs = explicit_pairs(op.attrs["explicit_paddings"], data_format) or [(0, 0)] * 2
        axes = spatial(range(4), data_format)
        for axis, window, pair in zip(axes, filter, pairs, strict=False):
            numbers = (op.attrs[name][axis] for name in ("strides", "dilations"))
            stride, dilation = numbers
            result[axis] = static_count(images[axis], window, stride, padding, dilation, pair)
        result[channels] = None if None in (depth, filter[3]) else depth * filter[3]
        return tuple(result)

    def kernel(input, filter, *, op):
        _check_channels_last(op)
        if set(op.attrs["dilations"]) != {1}:
            raise errors.unimplemented(
                "Current kernel implementation does not support dilations, received "
                f"{op.attrs['dilations']}",
            )
        for array, name in ((input, "input"), (filter, "filter")):
            if array.ndim != 4:
                raise errors.invalid_argument(
                    f"{name} must be 4-dimensional{bracket_dims(array.shape)}"
                )
        depth = filter.shape[2]
        if input.shape[3] != depth:
            raise errors.invalid_argument(
                f"input and filter must have the same depth: {input.shape[3]} vs {depth}"
            )
        windows = _windows(op, input.shape[1:3], filter.shape[:2])
        images, kernels = widened(input, filter)
        total = np.zeros((input.shape[0], *windows.counts, *filter.shape[2:]), images.dtype)
        padded = windows.padded(images)
        for seen, weights in zip(
            windows.at_each_tap(padded), kernels.reshape(-1, *filter.shape[2:]), strict=True
        ):
            total += seen[..., np.newaxis] * weights
        channels = depth * filter.shape[3]
        return total.reshape(*total.shape[:3], channels).astype(input.dtype, copy=False)

    def gradient(op, grad):
        images, filter = op.inputs
        return [
            DepthwiseConv2dNativeBackpropInput(shape(images), filter, grad, **_attrs(op)),
            DepthwiseConv2dNativeBackpropFilter(images, shape(filter), grad, **_attrs(op)),
        ]


@op("input: T, filter_sizes: int32, out_backprop: T -> output: T", T=FLOATING, **_ATTRS)
class DepthwiseConv2dNativeBackpropFilter:
    """The gradient of `DepthwiseConv2dNative` by its filter."""

    def shape(op):
        _check_words(op)
        return with_rank(shape_value(op.inputs[1]), 4)

    def kernel(input, filter_sizes, out_backprop, *, op):
        filter_shape = tuple(int(size) for size in filter_sizes)
        windows = _windows(op, input.shape[1:3], filter_shape[:2])
        _check_backprop(
            "DepthwiseConv2DBackpropFilter", input.shape, filter_shape, out_backprop, windows
        )
        images, grads = widened(input, out_backprop)
        by_channel = _by_channel(grads, filter_shape)
        padded = windows.padded(images)
        taps = [
            np.einsum("bhwc,bhwcm->cm", seen, by_channel) for seen in windows.at_each_tap(padded)
        ]
        return np.reshape(taps, filter_shape).astype(input.dtype, copy=False)

    def gradient(op, grad):
        images, _, grads = op.inputs
        return [
            DepthwiseConv2dNativeBackpropInput(shape(images), grad, grads, **_attrs(op)),
            None,
            DepthwiseConv2dNative(images, grad, **_attrs(op)),
        ]


@op("input_sizes: int32, filter: T, out_backprop: T -> output: T", T=FLOATING, **_ATTRS)
class DepthwiseConv2dNativeBackpropInput:
    """The gradient of `DepthwiseConv2dNative` by its images."""

    def shape(op):
        _check_words(op)
        return with_rank(shape_value(op.inputs[0]), 4)

    def kernel(input_sizes, filter, out_backprop, *, op):
        images_shape = tuple(int(size) for size in input_sizes)
        windows = _windows(op, images_shape[1:3], filter.shape[:2])
        _check_backprop(
            "DepthwiseConv2DBackpropInput", images_shape, filter.shape, out_backprop, windows
        )
        kernels, grads = widened(filter, out_backprop)
        depth = filter.shape[2]
        by_channel = _by_channel(grads, filter.shape)
        shares = [
            np.einsum("bhwcm,cm->bhwc", by_channel, weights)
            for weights in kernels.reshape(-1, *filter.shape[2:])
        ]
        result = windows.sum_of(shares, images_shape[0], depth, kernels.dtype)
        return result.astype(filter.dtype, copy=False)

    def gradient(op, grad):
        _, filter, grads = op.inputs
        return [
            None,
            DepthwiseConv2dNativeBackpropFilter(grad, shape(filter), grads, **_attrs(op)),
            DepthwiseConv2dNative(grad, filter, **_attrs(op)),
        ]
