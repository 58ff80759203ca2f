"""Convolution over windows, and its gradients by the images and by the filter.

The images seen through the windows are one matrix of a row for each window, the filter another;
a convolution is their product, and both gradients are products with the same two matrices.
"""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import FLOATING, INT32_BY_DEFAULT
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.shape import shape, shape_n
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

# -- static shapes -----------------------------------------------------------------------


def _attr_of_each_dimension(op, attribute, words):
    """An attribute with one number for each dimension, checked to have so many."""
    numbers, wanted = op.attrs[attribute], len(op.attrs["data_format"])
    if len(numbers) != wanted:
        raise ValueError(f"{words} to contain {wanted} values, but got: {len(numbers)}")
    return numbers


def _check_words(op):
    images = "Conv2D" in op.type
    formats = ("NHWC", "NCHW") if images else ("NDHWC", "NCDHW")
    explicit = ("EXPLICIT",) if images else ()
    check_words(op, padding=("SAME", "VALID", *explicit), data_format=formats)
    if not images and len(op.attrs["strides"]) < 5:
        raise ValueError(
            f"Attr 'strides' of '{op.type}' Op passed list of length "
            f"{len(op.attrs['strides'])} less than minimum 5."
        )


def _static_counts(op, sizes, window):
    """For each spatial dimension, how many windows there are, or None."""
    attrs, data_format = op.attrs, op.attrs["data_format"]
    name = op.type.removesuffix("Native").replace("Conv2d", "Conv2D")
    strides = _attr_of_each_dimension(
        op,
        "strides",
        f"{name} on data format {data_format} requires the stride attribute",
    )
    dilations = _attr_of_each_dimension(op, "dilations", f"{name} requires the dilation attribute")
    explicit = attrs.get("explicit_paddings", ())
    check_explicit_paddings(attrs["padding"], explicit, data_format)
    pairs = explicit_pairs(explicit, data_format) or [(0, 0)] * len(window)
    return [
        static_count(size, extent, stride, attrs["padding"], dilation, pair)
        for size, extent, stride, dilation, pair in zip(
            sizes,
            window,
            spatial(strides, data_format),
            spatial(dilations, data_format),
            pairs,
            strict=True,
        )
    ]


def _arranged(batch, sizes, channels, data_format):
    """The dimensions in the order of a data format."""
    dims = [batch, *sizes]
    dims.insert(channels_axis(data_format), channels)
    return tuple(dims)


def _same_dim(a, b):
    if a is not None and b is not None and a != b:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b}")
    return b if a is None else a


def _convolved_dims(op):
    _check_words(op)
    data_format = op.attrs["data_format"]
    images = static_dims(op.inputs[0], data_format)
    *window, depth, outputs = static_dims(op.inputs[1], data_format)
    counts = _static_counts(op, spatial(images, data_format), window)
    channels = images[channels_axis(data_format)]
    if depth == 0:
        raise ValueError("Depth of filter must not be 0")
    if channels is not None and depth is not None:
        if channels % depth:
            raise ValueError(
                f"Depth of input ({channels}) is not a multiple of input depth of filter ({depth})"
            )
        if outputs is not None and channels and outputs % (channels // depth):
            raise ValueError(
                f"Depth of output ({outputs}) is not a multiple of the number of groups "
                f"({channels // depth})"
            )
    return _arranged(images[0], counts, outputs, data_format)


def _known_sizes(tensor, rank):
    """The static shape that an input of sizes stands for, of which the rank is known."""
    return with_rank(shape_value(tensor), rank)


def _filter_dims(op):
    _check_words(op)
    return _known_sizes(op.inputs[1], len(op.attrs["data_format"]))


def _filter_dims_2d(op):
    with_rank(op.inputs[0].dims, 4)
    with_rank(op.inputs[2].dims, 4)
    return _filter_dims(op)


# -- the matrices ------------------------------------------------------------------------

# Below this many numbers that lie together in a window, it is quicker to copy tap by tap.
_SHORT_RUN = 12


def _rows(windows, images):
    """[batch·counts, taps·channels]: one row for each window."""
    view = windows.view(windows.padded(images))
    columns = windows.number_of_taps * images.shape[-1]
    ndim = len(windows.counts)
    if windows.window[-1] * images.shape[-1] < _SHORT_RUN:
        # By taps, each of which copies a row of the images at a time.
        order = (*range(ndim + 1, 2 * ndim + 2), *range(ndim + 1))
        return view.transpose(order).reshape(columns, -1).T
    return view.reshape(-1, columns)


def _matrix(array):
    """[everything but the channels, channels]."""
    return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])


def _convolve(windows, images, filter):
    depth, outputs = filter.shape[-2:]
    groups = images.shape[-1] // depth
    result_shape = (images.shape[0], *windows.counts, outputs)
    if 0 in result_shape:
        return np.zeros(result_shape, images.dtype)
    if groups == 1:
        return np.matmul(_rows(windows, images), _matrix(filter)).reshape(result_shape)
    split = images.reshape(*images.shape[:-1], groups, depth)
    kernels = filter.reshape(-1, groups, outputs // groups)
    parts = [
        np.matmul(_rows(windows, np.ascontiguousarray(split[..., g, :])), kernels[:, g])
        for g in range(groups)
    ]
    return np.concatenate(parts, axis=1).reshape(result_shape)


def _by_filter(windows, images, grads, filter_shape):
    if 0 in filter_shape or 0 in grads.shape:
        return np.zeros(filter_shape, images.dtype)
    return np.matmul(_rows(windows, images).T, _matrix(grads)).reshape(filter_shape)


def _by_images(windows, grads, filter):
    depth, outputs = filter.shape[-2:]
    transposed = filter.reshape(-1, depth, outputs).transpose(0, 2, 1)
    by_taps = np.matmul(_matrix(grads), transposed)
    shares = by_taps.reshape(windows.number_of_taps, *grads.shape[:-1], depth)
    return windows.sum_of(shares, grads.shape[0], depth, grads.dtype)


# -- checks ------------------------------------------------------------------------------


def _windows_over(op, sizes, window):
    attrs, data_format = op.attrs, op.attrs["data_format"]
    return Windows.over(
        sizes,
        window,
        spatial(attrs["strides"], data_format),
        attrs["padding"],
        spatial(attrs["dilations"], data_format),
        explicit_pairs(attrs.get("explicit_paddings"), data_format),
    )


def _check_spatial_only(op, error, dilations="dilations"):
    """Nothing but spatial dimensions has strides or dilations."""
    attrs, data_format = op.attrs, op.attrs["data_format"]
    for attribute, words in (("strides", "strides"), ("dilations", dilations)):
        if len(attrs[attribute]) != len(data_format):
            raise errors.invalid_argument(
                f"Sliding window {attribute} field must specify {len(data_format)} dimensions"
            )
        if outside_spatial(attrs[attribute], data_format) != (1, 1):
            raise error(
                f"Current implementation does not yet support {words} in the batch and depth "
                "dimensions."
            )


def _check_channels_last(op, error, message):
    if op.attrs["data_format"].startswith("NC"):
        raise error(message)


def _check_no_dilation(op, message):
    # Written as TensorFlow writes it: 0 is refused as well.
    if any(rate != 1 for rate in op.attrs["dilations"]):
        raise errors.invalid_argument(message)


def _check_images_and_filter(images, filter, ndim):
    for array, name in ((images, "input"), (filter, "filter")):
        if array.ndim != ndim:
            raise errors.invalid_argument(
                f"{name} must be {ndim}-dimensional: {bracket_dims(array.shape)}"
            )
    if 0 in filter.shape[:-1]:
        raise errors.invalid_argument(
            "filter must not have zero elements (i.e. all dimensions must be non-zero)"
        )


def _check_backprop(name, images_shape, filter_shape, grads, windows):
    """That the gradient of the output fits what is said of the images and the filter."""
    if images_shape[0] != grads.shape[0]:
        raise errors.invalid_argument(
            f"{name}: input and out_backprop must have the same batch size. Input batch: "
            f"{images_shape[0]}, outbackprop batch: {grads.shape[0]}, batch_dim: 0"
        )
    if filter_shape[-1] != grads.shape[-1]:
        raise errors.invalid_argument(
            f"{name}: filter and out_backprop must have the same out_depth"
        )
    for axis, (count, given) in enumerate(zip(windows.counts, grads.shape[1:-1], strict=True)):
        if count != given:
            raise errors.invalid_argument(
                f"{name}: Size of out_backprop doesn't match computed: actual = {given}, "
                f"computed = {count} spatial_dim: {axis + 1} input: {images_shape[axis + 1]} "
                f"filter: {filter_shape[axis]} output: {given}"
            )


def _attrs(op, *more):
    names = ("strides", "padding", "data_format", "dilations", *more)
    return {name: op.attrs[name] for name in names}


# -- two dimensions ----------------------------------------------------------------------

_IMAGE = {
    "strides": REQUIRED,
    "use_cudnn_on_gpu": True,
    "padding": REQUIRED,
    "explicit_paddings": (),
    "data_format": "NHWC",
    "dilations": (1, 1, 1, 1),
}
_IMAGE_ATTRS = ("explicit_paddings", "use_cudnn_on_gpu")
_UNDILATED_2D = "Current CPU implementations do not yet support dilation rates larger than 1."


def _given_sizes_2d(input_sizes, filter_shape, grads):
    """The images' shape, of which the sizes may name all or the spatial dimensions alone."""
    sizes = tuple(int(size) for size in input_sizes)
    if len(sizes) == 2:
        return (grads.shape[0], *sizes, filter_shape[2])
    if len(sizes) != 4:
        raise errors.invalid_argument(
            "Conv2DBackpropInput requires input_sizes to contain 4 values or 2 values, "
            f"but got: {len(sizes)}"
        )
    return sizes


@op("input: T, filter: T -> output: T", T=FLOATING | {dtypes.int32}, **_IMAGE)
class Conv2D:
    """The sum over each window of the images times the filter.

    The filter is [height, width, depth, outputs]. Where the images have more channels than
    its depth, they and the outputs are in groups.
    """

    shape = _convolved_dims

    def kernel(input, filter, *, op):
        _check_spatial_only(op, errors.unimplemented)
        _check_channels_last(
            op,
            errors.unimplemented,
            "The Conv2D op currently only supports the NHWC tensor format on the CPU. "
            "The op was given the format: NCHW",
        )
        _check_images_and_filter(input, filter, 4)
        if input.shape[-1] % filter.shape[2]:
            raise errors.invalid_argument(
                "input depth must be evenly divisible by filter depth: "
                f"{input.shape[-1]} vs {filter.shape[2]}"
            )
        windows = _windows_over(op, input.shape[1:-1], filter.shape[:2])
        return _convolve(windows, *widened(input, filter)).astype(input.dtype, copy=False)

    def gradient(op, grad):
        images, filter = op.inputs
        image_sizes, filter_sizes = shape_n([images, filter])
        attrs = _attrs(op, *_IMAGE_ATTRS)
        return [
            Conv2DBackpropInput(image_sizes, filter, grad, **attrs),
            Conv2DBackpropFilter(images, filter_sizes, grad, **attrs),
        ]


@op("input: T, filter_sizes: int32, out_backprop: T -> output: T", T=FLOATING, **_IMAGE)
class Conv2DBackpropFilter:
    """The gradient of `Conv2D` by its filter."""

    shape = _filter_dims_2d

    def kernel(input, filter_sizes, out_backprop, *, op):
        _check_spatial_only(op, errors.invalid_argument)
        _check_channels_last(
            op,
            errors.invalid_argument,
            "Conv2DCustomBackpropFilterOp only supports NHWC.",
        )
        _check_no_dilation(op, _UNDILATED_2D)
        filter_shape = tuple(int(size) for size in filter_sizes)
        windows = _windows_over(op, input.shape[1:-1], filter_shape[:2])
        _check_backprop(
            "Conv2DCustomBackpropFilter", input.shape, filter_shape, out_backprop, windows
        )
        if input.shape[-1] != filter_shape[2]:
            raise errors.invalid_argument(
                "filter_size does not have enough elements, requested "
                f"{math.prod(filter_shape[:2]) * input.shape[-1] * filter_shape[3]}, got "
                f"{math.prod(filter_shape)}"
            )
        result = _by_filter(windows, *widened(input, out_backprop), filter_shape)
        return result.astype(input.dtype, copy=False)

    def gradient(op, grad):
        images, _, grads = op.inputs
        attrs = _attrs(op, *_IMAGE_ATTRS)
        return [
            Conv2DBackpropInput(shape(images), grad, grads, **attrs),
            None,
            Conv2D(images, grad, **attrs),
        ]


@op(
    "input_sizes: int32, filter: T, out_backprop: T -> output: T",
    T=FLOATING | {dtypes.int32},
    **_IMAGE,
)
class Conv2DBackpropInput:
    """The gradient of `Conv2D` by its images: a transposed convolution."""

    def shape(op):
        _check_words(op)
        data_format = op.attrs["data_format"]
        filter = static_dims(op.inputs[1], data_format)
        grads = static_dims(op.inputs[2], data_format)
        channels = channels_axis(data_format)
        sizes = shape_value(op.inputs[0])
        check_explicit_paddings(op.attrs["padding"], op.attrs["explicit_paddings"], data_format)
        _same_dim(grads[channels], filter[3])
        if sizes is None:
            return (grads[0], None, None, None)
        if len(sizes) == 2:
            return _arranged(grads[0], sizes, filter[2], data_format)
        if len(sizes) != 4:
            raise ValueError(
                "Conv2DBackpropInput requires input_sizes to contain 4 values or 2 values, "
                f"but got: {len(sizes)}"
            )
        batch = _same_dim(sizes[0], grads[0])
        return (batch, *sizes[1:])

    def kernel(input_sizes, filter, out_backprop, *, op):
        _check_spatial_only(op, errors.unimplemented)
        _check_channels_last(
            op, errors.invalid_argument, "Conv2DCustomBackpropInputOp only supports NHWC."
        )
        _check_no_dilation(op, _UNDILATED_2D)
        images_shape = _given_sizes_2d(input_sizes, filter.shape, out_backprop)
        windows = _windows_over(op, images_shape[1:-1], filter.shape[:2])
        _check_backprop(
            "Conv2DCustomBackpropInput", images_shape, filter.shape, out_backprop, windows
        )
        if images_shape[-1] != filter.shape[2]:
            raise errors.invalid_argument(
                "Gradients for grouped convolutions are not supported on CPU. Please file a "
                "feature request if you run into this issue. Computed input depth "
                f"{images_shape[-1]} doesn't match filter input depth {filter.shape[2]}"
            )
        grads, kernels = widened(out_backprop, filter)
        return _by_images(windows, grads, kernels).astype(filter.dtype, copy=False)

    def gradient(op, grad):
        _, filter, grads = op.inputs
        attrs = _attrs(op, *_IMAGE_ATTRS)
        return [
            None,
            Conv2DBackpropFilter(grad, shape(filter), grads, **attrs),
            Conv2D(grad, filter, **attrs),
        ]


# -- three dimensions --------------------------------------------------------------------

_VOLUME = {
    "strides": REQUIRED,
    "padding": REQUIRED,
    "data_format": "NDHWC",
    "dilations": (1, 1, 1, 1, 1),
}
_UNDILATED_3D = "Current CPU implementation does not yet support dilation rates larger than 1."


def _check_depths_3d(filter_shape, grads):
    if filter_shape[-1] != grads.shape[-1]:
        raise errors.invalid_argument(
            "out_backprop and filter_sizes must have the same number of channels. Got "
            f"{grads.shape[-1]} for out_backprop and {filter_shape[-1]} for filter_sizes"
        )


@op("input: T, filter: T -> output: T", T=FLOATING, **_VOLUME)
class Conv3D:
    """The sum over each window of the volumes times the filter [d, h, w, depth, outputs]."""

    shape = _convolved_dims

    def kernel(input, filter, *, op):
        _check_spatial_only(op, errors.invalid_argument, "dilation rates")
        _check_images_and_filter(input, filter, 5)
        _check_channels_last(
            op,
            errors.invalid_argument,
            "CPU implementation of Conv3D currently only supports the NHWC tensor format.",
        )
        _check_no_dilation(
            op, "CPU implementation of Conv3D currently only supports dilated rates of 1."
        )
        if input.shape[-1] != filter.shape[3]:
            raise errors.invalid_argument(
                f"Number of channels in filter ({filter.shape[3]}) must match last dimension of "
                f"input ({input.shape[-1]})"
            )
        windows = _windows_over(op, input.shape[1:-1], filter.shape[:3])
        return _convolve(windows, *widened(input, filter)).astype(input.dtype, copy=False)

    def gradient(op, grad):
        volumes, filter = op.inputs
        volume_sizes, filter_sizes = shape_n([volumes, filter])
        return [
            Conv3DBackpropInputV2(volume_sizes, filter, grad, **_attrs(op)),
            Conv3DBackpropFilterV2(volumes, filter_sizes, grad, **_attrs(op)),
        ]


@op("input: T, filter_sizes: int32, out_backprop: T -> output: T", T=FLOATING, **_VOLUME)
class Conv3DBackpropFilterV2:
    """The gradient of `Conv3D` by its filter."""

    shape = _filter_dims

    def kernel(input, filter_sizes, out_backprop, *, op):
        _check_spatial_only(op, errors.invalid_argument, "dilation rates")
        _check_channels_last(
            op,
            errors.invalid_argument,
            "Conv3DBackpropFilterOpV2 only supports NDHWC on the CPU.",
        )
        _check_no_dilation(op, _UNDILATED_3D)
        filter_shape = tuple(int(size) for size in filter_sizes)
        _check_depths_3d(filter_shape, out_backprop)
        windows = _windows_over(op, input.shape[1:-1], filter_shape[:3])
        _check_backprop("Conv3DBackpropFilterOp", input.shape, filter_shape, out_backprop, windows)
        result = _by_filter(windows, *widened(input, out_backprop), filter_shape)
        return result.astype(input.dtype, copy=False)

    def gradient(op, grad):
        volumes, _, grads = op.inputs
        return [
            Conv3DBackpropInputV2(shape(volumes), grad, grads, **_attrs(op)),
            None,
            Conv3D(volumes, grad, **_attrs(op)),
        ]


@op(
    "input_sizes: Tshape, filter: T, out_backprop: T -> output: T",
    T=FLOATING,
    Tshape=INT32_BY_DEFAULT,
    **_VOLUME,
)
class Conv3DBackpropInputV2:
    """The gradient of `Conv3D` by its volumes: a transposed convolution."""

    def shape(op):
        _check_words(op)
        return _known_sizes(op.inputs[0], 5)

    def kernel(input_sizes, filter, out_backprop, *, op):
        _check_spatial_only(op, errors.invalid_argument, "dilation rates")
        _check_channels_last(
            op,
            errors.invalid_argument,
            "Conv3DBackpropInputOpV2 only supports NDHWC on the CPU.",
        )
        _check_no_dilation(op, _UNDILATED_3D)
        volumes_shape = tuple(int(size) for size in input_sizes)
        _check_depths_3d(filter.shape, out_backprop)
        windows = _windows_over(op, volumes_shape[1:-1], filter.shape[:3])
        _check_backprop("Conv3DBackpropInputOp", volumes_shape, filter.shape, out_backprop, windows)
        grads, kernels = widened(out_backprop, filter)
        return _by_images(windows, grads, kernels).astype(filter.dtype, copy=False)

    def gradient(op, grad):
        _, filter, grads = op.inputs
        return [
            None,
            Conv3DBackpropFilterV2(grad, shape(filter), grads, **_attrs(op)),
            Conv3D(grad, filter, **_attrs(op)),
        ]
