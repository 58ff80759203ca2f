"""Pooling over windows of images."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, REAL, Types
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.shape import shape

# -- geometry ----------------------------------------------------------------------------


def _span(size, window, stride, padding, explicit):
    """How many windows fit along one dimension, and the padding before and after.

    Raises:
      ValueError: when none fits.
    """
    if padding == "SAME":
        count = -(-size // stride)
        total = max((count - 1) * stride + window - size, 0)
        return count, total // 2, total - total // 2
    before, after = explicit if padding == "EXPLICIT" else (0, 0)
    count = (size + before + after - window) // stride + 1
    if size + before + after < window:
        raise ValueError(
            f"Computed output size would be negative: {size + before + after - window} "
            f"[input_size: {size}, effective_filter_size: {window}, stride: {stride}]"
        )
    return count, before, after


def _explicit_pairs(explicit_paddings):
    pairs = list(explicit_paddings or [0] * 8)
    return [(pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2)]


def _spatial(attrs):
    """The two axes of height and width, and for each (window, stride, explicit padding)."""
    axes = (2, 3) if attrs["data_format"] == "NCHW" else (1, 2)
    explicit = _explicit_pairs(attrs.get("explicit_paddings"))
    return axes, [(attrs["ksize"][a], attrs["strides"][a], explicit[a]) for a in axes]


def _pooled_dims(op):
    dims = op.inputs[0].dims
    if dims is None:
        return (None,) * 4
    if len(dims) != 4:
        raise ValueError(f"Shape must be rank 4 but is rank {len(dims)}")
    axes, spans = _spatial(op.attrs)
    result = list(dims)
    for axis, (window, stride, explicit) in zip(axes, spans, strict=True):
        if dims[axis] is not None:
            result[axis] = _span(dims[axis], window, stride, op.attrs["padding"], explicit)[0]
    return tuple(result)


class _Windows:
    """All windows over images [batch, height, width, channels] of one shape.

    Attributes:
      places: [rows, columns, taps]: for each window and each place in it, in row-major
        order, the place in the flattened image.
      inside: of the same shape, whether the place is in the image and not in its padding.
    """

    def __init__(self, height, width, attrs):
        _, spans = _spatial(attrs)
        rows, rows_inside = _taps(height, *spans[0], attrs["padding"])
        columns, columns_inside = _taps(width, *spans[1], attrs["padding"])
        shape = (len(rows), len(columns), rows.shape[1] * columns.shape[1])
        places = rows[:, np.newaxis, :, np.newaxis] * width + columns[np.newaxis, :, np.newaxis, :]
        inside = (
            rows_inside[:, np.newaxis, :, np.newaxis] & columns_inside[np.newaxis, :, np.newaxis, :]
        )
        self.places = places.reshape(shape)
        self.inside = inside.reshape(shape)

    def of(self, images):
        """[batch, rows, columns, taps, channels]; what lies in the padding is arbitrary."""
        flat = images.reshape(images.shape[0], -1, images.shape[3])
        return flat[:, self.places]

    def first_greatest(self, images):
        """[batch, rows, columns, channels]: which tap a maximum comes from.

        The first of equal ones. A NaN is passed over, unless it is the first place of all,
        because nothing compares as greater than NaN.
        """
        taps = self.of(images)
        inside = self.inside[np.newaxis, :, :, :, np.newaxis]
        lowest = _lowest(images.dtype)
        usable = inside if images.dtype.kind in "iu" else inside & (taps == taps)
        best = np.argmax(np.where(usable, taps, lowest), axis=3)
        first = np.argmax(inside, axis=3)
        at_best = np.take_along_axis(taps, best[:, :, :, np.newaxis], axis=3)[:, :, :, 0]
        at_first = np.take_along_axis(
            taps, np.broadcast_to(first, best.shape)[:, :, :, np.newaxis], axis=3
        )[:, :, :, 0]
        stays = (at_first != at_first) | ~(at_best > at_first)
        return np.where(stays, first, best)

    def flat_places(self, taps):
        """[batch, rows, columns, channels] places in the flattened images, of some taps."""
        rows, columns = np.ogrid[: self.places.shape[0], : self.places.shape[1]]
        return self.places[rows[:, :, np.newaxis], columns[:, :, np.newaxis], taps]


def _taps(size, window, stride, explicit, padding):
    """For each window along one dimension, its places and whether they are inside."""
    try:
        count, before, _ = _span(size, window, stride, padding, explicit)
    except ValueError as error:
        raise errors.invalid_argument(str(error)) from None
    places = np.arange(count)[:, np.newaxis] * stride - before + np.arange(window)
    inside = (places >= 0) & (places < size)
    return np.clip(places, 0, max(size - 1, 0)), inside


def _lowest(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else dtype.type(-np.inf)


def _channels_last(image, data_format):
    return image.transpose(0, 2, 3, 1) if data_format == "NCHW" else image


def _channels_back(image, data_format):
    return image.transpose(0, 3, 1, 2) if data_format == "NCHW" else image


def _windows(images, attrs):
    return _Windows(images.shape[1], images.shape[2], attrs)


def _scattered(places, values, images_shape, dtype):
    """Zeros of a shape, with each value added at its place, window after window."""
    batch, height, width, channels = images_shape
    result = np.zeros((batch, height * width, channels), dtype)
    batches = np.arange(batch).reshape(-1, 1, 1, 1)
    np.add.at(result, (batches, places, np.arange(channels)), values)
    return result.reshape(images_shape)


# -- maximum -----------------------------------------------------------------------------


@op(
    "input: T -> output: T",
    T=Types(REAL - {dtypes.uint32, dtypes.uint64}, default=dtypes.float32),
    ksize=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
    explicit_paddings=(),
    data_format="NHWC",
)
class MaxPool:
    """The greatest element of each window; NaN is passed over."""

    shape = _pooled_dims

    def kernel(input, *, op):
        layout = op.attrs["data_format"]
        images = _channels_last(input, layout)
        windows = _windows(images, op.attrs)
        usable = windows.inside[np.newaxis, :, :, :, np.newaxis]
        taps = windows.of(images)
        if input.dtype.kind in "iu":
            lowest = np.iinfo(input.dtype).min
        else:
            lowest = np.nextafter(input.dtype.type(-np.inf), input.dtype.type(0))
            usable = usable & (taps > lowest)
        taps = np.where(usable, taps, lowest)
        # The first of equal ones, for the sign of zero.
        best = np.argmax(taps, axis=3)[:, :, :, np.newaxis]
        return _channels_back(np.take_along_axis(taps, best, axis=3)[:, :, :, 0], layout)

    def gradient(op, grad):
        return MaxPoolGrad(op.inputs[0], op.outputs[0], grad, **_pool_attrs(op, explicit=True))


def _pool_attrs(op, explicit=False):
    names = ["ksize", "strides", "padding", "data_format"]
    if explicit:
        names.append("explicit_paddings")
    return {name: op.attrs[name] for name in names}


@op(
    "orig_input: T, orig_output: T, grad: T -> output: T",
    T=Types(REAL, default=dtypes.float32),
    ksize=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
    explicit_paddings=(),
    data_format="NHWC",
)
class MaxPoolGrad:
    """Each window's gradient, added where its greatest element was; ties go to the first."""

    def kernel(orig_input, orig_output, grad, *, op):
        layout = op.attrs["data_format"]
        images, grads = _channels_last(orig_input, layout), _channels_last(grad, layout)
        windows = _windows(images, op.attrs)
        places = windows.flat_places(windows.first_greatest(images))
        return _channels_back(_scattered(places, grads, images.shape, grad.dtype), layout)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPoolGradGrad(original, pooled, grad, **_pool_attrs(op)),
        )


@op(
    "orig_input: T, orig_output: T, grad: T -> output: T",
    T=REAL,
    ksize=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
    data_format="NHWC",
)
class MaxPoolGradGrad:
    """For each window, the gradient where its greatest element was."""

    def shape(op):
        return op.inputs[1].dims

    def kernel(orig_input, orig_output, grad, *, op):
        layout = op.attrs["data_format"]
        images, grads = _channels_last(orig_input, layout), _channels_last(grad, layout)
        pooled = _channels_last(orig_output, layout)
        windows = _windows(images, op.attrs)
        inside = windows.inside[np.newaxis, :, :, :, np.newaxis]
        equal = inside & (windows.of(images) == pooled[:, :, :, np.newaxis])
        first = np.argmax(equal, axis=3)[:, :, :, np.newaxis]
        chosen = np.take_along_axis(windows.of(grads), first, axis=3)[:, :, :, 0]
        found = np.where(equal.any(axis=3), chosen, grad.dtype.type(0))
        return _channels_back(found, layout)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPoolGrad(original, pooled, grad, **_pool_attrs(op)),
        )


# -- average -----------------------------------------------------------------------------


@op(
    "value: T -> output: T",
    T=FLOATING,
    ksize=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
    data_format="NHWC",
)
class AvgPool:
    """The mean of each window, of what lies in the image."""

    shape = _pooled_dims

    def kernel(value, *, op):
        layout = op.attrs["data_format"]
        images = _channels_last(value, layout)
        windows = _windows(images, op.attrs)
        inside = windows.inside[np.newaxis, :, :, :, np.newaxis]
        taps = np.where(inside, windows.of(images), value.dtype.type(0))
        counts = windows.inside.sum(axis=2).astype(value.dtype)[np.newaxis, :, :, np.newaxis]
        return _channels_back(np.add.reduce(taps, axis=3, dtype=value.dtype) / counts, layout)

    def gradient(op, grad):
        return AvgPoolGrad(shape(op.inputs[0]), grad, **_pool_attrs(op))


@op(
    "orig_input_shape: int32, grad: T -> output: T",
    T=FLOATING,
    ksize=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
    data_format="NHWC",
)
class AvgPoolGrad:
    """Each window's gradient, shared among its elements."""

    def shape(op):
        return shape_value(op.inputs[0]) or (None,) * 4

    def kernel(orig_input_shape, grad, *, op):
        layout = op.attrs["data_format"]
        grads = _channels_last(grad, layout)
        batch, height, width, channels = (
            int(orig_input_shape[axis]) for axis in ((0, 2, 3, 1) if layout == "NCHW" else range(4))
        )
        windows = _Windows(height, width, op.attrs)
        counts = windows.inside.sum(axis=2).astype(grad.dtype)[np.newaxis, :, :, np.newaxis]
        shares = (grads * (grad.dtype.type(1) / counts))[:, :, :, np.newaxis]
        inside = windows.inside[np.newaxis, :, :, :, np.newaxis]
        shares = np.where(inside, shares, grad.dtype.type(0))
        places = windows.places.reshape(-1)
        result = np.zeros((batch, height * width, channels), grad.dtype)
        shares = shares.reshape(batch, len(places), channels)
        np.add.at(result, (slice(None), places), shares)
        return _channels_back(result.reshape(batch, height, width, channels), layout)

    def gradient(op, grad):
        return stop_gradient(op.inputs[0]), AvgPool(grad, **_pool_attrs(op))


# -- the public functions ----------------------------------------------------------------


def _window_sizes(value, data_format, name):
    """[1, height, width, 1] (or as the format has it) of a number, two, or all four."""
    if value is None:
        return [1, 1, 1, 1]
    sizes = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]
    if len(sizes) == 4:
        return sizes
    if len(sizes) == 1:
        sizes = sizes * 2
    if len(sizes) != 2:
        raise ValueError(
            f"{name} should be of length 1, 2 or 4. Received: {name}={value} of length {len(sizes)}"
        )
    return [1, 1, *sizes] if data_format.startswith("NC") else [1, *sizes, 1]


def _explicit_padding(padding):
    """What is given as numbers, as the attribute pair (padding, explicit_paddings)."""
    if isinstance(padding, (list, tuple)):
        return "EXPLICIT", [number for pair in padding for number in pair]
    return padding, []


def _max_pool(value, ksize, strides, padding, data_format, name):
    data_format = data_format or "NHWC"
    sizes = _window_sizes(ksize, data_format, "ksize")
    if 0 in sizes:
        raise ValueError(f"`ksize` cannot be zero. Received: ksize={sizes}")
    padding, explicit = _explicit_padding(padding)
    return MaxPool(
        value,
        ksize=sizes,
        strides=_window_sizes(strides, data_format, "strides"),
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        name=name,
    )


@export("nn.max_pool")
def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The greatest element of each window.

    Args:
      value: images, [batch, height, width, channels], or [batch, channels, height, width]
        when `data_format` is "NCHW".
      ksize, strides: the windows' size and distance: a number, two, or four.
      padding: "SAME", "VALID", or pairs of numbers.

    Raises:
      ValueError: for sizes that do not fit.
    """
    value = input if value is None else value
    with NameScope(name, "MaxPool", [value]) as scope:
        return _max_pool(convert_to_tensor(value), ksize, strides, padding, data_format, scope)


@export("nn.max_pool2d")
def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """As `max_pool`."""
    with NameScope(name, "MaxPool2d", [input]) as scope:
        return _max_pool(convert_to_tensor(input), ksize, strides, padding, data_format, scope)


def _avg_pool(value, ksize, strides, padding, data_format, name):
    data_format = data_format or "NHWC"
    return AvgPool(
        value,
        ksize=_window_sizes(ksize, data_format, "ksize"),
        strides=_window_sizes(strides, data_format, "strides"),
        padding=padding,
        data_format=data_format,
        name=name,
    )


@export("nn.avg_pool")
def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of each window; arguments as for `max_pool`."""
    value = input if value is None else value
    with NameScope(name, "AvgPool", [value]) as scope:
        return _avg_pool(convert_to_tensor(value), ksize, strides, padding, data_format, scope)


@export("nn.avg_pool2d")
def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """As `avg_pool`."""
    with NameScope(name, "AvgPool2D", [input]) as scope:
        return _avg_pool(convert_to_tensor(input), ksize, strides, padding, data_format, scope)
