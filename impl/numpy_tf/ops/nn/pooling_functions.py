"""tf.nn's functions for pooling, out of the ops of `pooling`."""

import functools

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.ops.array.shape import expand_dims, squeeze
from numpy_tf.ops.nn.arguments import (
    channels_of,
    explicit_padding,
    for_each_dimension,
    renamed,
)
from numpy_tf.ops.nn.convolving import check_strides_and_rates
from numpy_tf.ops.nn.pooling import AvgPool, AvgPool3D, MaxPool, MaxPool3D, MaxPoolWithArgmax
from numpy_tf.ops.nn.space_to_batch import dilated


def _sizes(ksize, strides, count, data_format):
    """The attributes ksize and strides, of a number, one for each spatial dimension, or all."""
    channels = channels_of(data_format, count)
    return {
        "ksize": for_each_dimension(ksize, count, channels, "ksize"),
        "strides": for_each_dimension(strides, count, channels, "strides"),
        "data_format": data_format,
    }


def _as_one_row(op, input, ksize, strides, data_format, name, **attrs):
    """Pooling over one dimension: that of images of one row."""
    data_format = data_format or "NWC"
    channels = channels_of(data_format, 1)
    axis = 1 if data_format == "NWC" else 2
    result = op(
        expand_dims(input, axis),
        ksize=[1, *for_each_dimension(ksize, 1, channels, "ksize")],
        strides=[1, *for_each_dimension(strides, 1, channels, "strides")],
        data_format="NHWC" if data_format == "NWC" else "NCHW",
        name=name,
        **attrs,
    )
    return squeeze(result, [axis])


def _known_count(input, data_format):
    """How many spatial dimensions there are.

    Raises:
      ValueError: unless they are one to three.
    """
    count = len(input.shape) - 2
    if count not in (1, 2, 3):
        raise ValueError(
            f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={input.shape} of rank "
            f"{count + 2}."
        )
    return count, data_format or ("NWC", "NHWC", "NDHWC")[count - 1]


# -- the greatest ------------------------------------------------------------------------


@export("nn.max_pool")
def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The greatest element of each window.

    Args:
      value: images, [batch, height, width, channels].
      ksize, strides: the windows' size and distance: a number, two, or four.
      padding: "SAME", "VALID", or a pair of numbers for each dimension.

    Raises:
      ValueError: for sizes that do not fit.
    """
    value = renamed("input", input, "value", value)
    with NameScope(name, "MaxPool", [value]) as scope:
        sizes = _sizes(ksize, strides, 2, data_format or "NHWC")
        padding, explicit = explicit_padding(padding)
        if 0 in sizes["ksize"]:
            raise ValueError(f"`ksize` cannot be zero. Received: ksize={sizes['ksize']}")
        return MaxPool(value, padding=padding, explicit_paddings=explicit, name=scope, **sizes)


@export("nn.max_pool1d")
def max_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The greatest element of each window of [batch, width, channels]."""
    with NameScope(name, "MaxPool1d", [input]) as scope:
        padding, explicit = explicit_padding(padding, 3)
        explicit = [0, 0, *explicit] if explicit else []
        attrs = {"padding": padding, "explicit_paddings": explicit}
        return _as_one_row(MaxPool, input, ksize, strides, data_format, scope, **attrs)


@export("nn.max_pool2d")
def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """As `max_pool`."""
    with NameScope(name, "MaxPool2d", [input]) as scope:
        sizes = _sizes(ksize, strides, 2, data_format or "NHWC")
        padding, explicit = explicit_padding(padding)
        return MaxPool(input, padding=padding, explicit_paddings=explicit, name=scope, **sizes)


@export("nn.max_pool3d")
def max_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The greatest element of each window of [batch, depth, height, width, channels]."""
    with NameScope(name, "MaxPool3D", [input]) as scope:
        sizes = _sizes(ksize, strides, 3, data_format or "NDHWC")
        return MaxPool3D(input, padding=padding, name=scope, **sizes)


@export("nn.max_pool_v2")
def max_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The greatest element of each window over as many dimensions as `input` has.

    Raises:
      ValueError: for other than one to three spatial dimensions, or pairs as the padding of
        three.
    """
    count, data_format = _known_count(input, data_format)
    if count == 3 and isinstance(padding, (list, tuple)):
        raise ValueError(
            "Explicit padding is not supported with an input tensor of rank 5. "
            f"Received: padding={padding}"
        )
    sizes = _sizes(ksize, strides, count, data_format)
    if count == 3:
        return MaxPool3D(input, padding=padding, name=name, **sizes)
    pool_of = {1: max_pool1d, 2: max_pool2d}[count]
    return pool_of(input, padding=padding, name=name, **sizes)


@export("nn.max_pool_with_argmax")
def max_pool_with_argmax(
    input,
    ksize,
    strides,
    padding,
    data_format="NHWC",
    Targmax=None,
    name=None,
    output_dtype=None,
    include_batch_in_index=False,
):
    """The greatest element of each window, and its place.

    Args:
      input: [batch, height, width, channels].
      ksize, strides: four numbers.
      Targmax, output_dtype: of the places, int32 or int64.
      include_batch_in_index: whether places count from the batch's beginning, not the image's.

    Returns:
      (output, argmax).

    Raises:
      ValueError: for another data format.
    """
    if data_format != "NHWC":
        raise ValueError(
            "`data_format` values other  than 'NHWC' are not supported. "
            f"Received: data_format={data_format}"
        )
    return MaxPoolWithArgmax(
        input,
        ksize=ksize,
        strides=strides,
        padding=padding,
        Targmax=renamed("output_dtype", output_dtype, "Targmax", Targmax) or dtypes.int64,
        include_batch_in_index=include_batch_in_index,
        name=name,
    )


# -- the mean ----------------------------------------------------------------------------


def _avg_pool(value, ksize, strides, padding, data_format, name):
    with NameScope(name, "AvgPool", [value]) as scope:
        sizes = _sizes(ksize, strides, 2, data_format or "NHWC")
        return AvgPool(value, padding=padding, name=scope, **sizes)


@export("nn.avg_pool", "nn.avg_pool2d")
def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of each window; arguments as for `max_pool`."""
    return _avg_pool(
        renamed("input", input, "value", value), ksize, strides, padding, data_format, name
    )


@export("nn.avg_pool1d")
def avg_pool1d(input, ksize, strides, padding, data_format="NWC", name=None):
    """The mean of each window of [batch, width, channels]."""
    with NameScope(name, "AvgPool1D", [input]) as scope:
        return _as_one_row(AvgPool, input, ksize, strides, data_format, scope, padding=padding)


@export("nn.avg_pool3d")
def avg_pool3d(input, ksize, strides, padding, data_format="NDHWC", name=None):
    """The mean of each window of [batch, depth, height, width, channels]."""
    with NameScope(name, "AvgPool3D", [input]) as scope:
        sizes = _sizes(ksize, strides, 3, data_format or "NDHWC")
        return AvgPool3D(input, padding=padding, name=scope, **sizes)


@export("nn.avg_pool_v2")
def avg_pool_v2(input, ksize, strides, padding, data_format=None, name=None):
    """The mean of each window over as many dimensions as `input` has.

    Raises:
      ValueError: for other than one to three spatial dimensions.
    """
    count, data_format = _known_count(input, data_format)
    sizes = _sizes(ksize, strides, count, data_format)
    if count == 1:
        return avg_pool1d(input, padding=padding, name=name, **sizes)
    return {2: AvgPool, 3: AvgPool3D}[count](input, padding=padding, name=name, **sizes)


# -- both, with dilation -----------------------------------------------------------------

_POOLS = {
    ("MAX", 1): max_pool,
    ("MAX", 2): max_pool,
    ("MAX", 3): max_pool3d,
    ("AVG", 1): avg_pool,
    ("AVG", 2): avg_pool,
    ("AVG", 3): avg_pool3d,
}
_FORMATS_1D = {"NWC": "NHWC", None: "NHWC", "NCW": "NCHW"}


@export("nn.pool")
def pool(
    input,
    window_shape,
    pooling_type,
    padding,
    dilation_rate=None,
    strides=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """Pooling over one to three dimensions, dilated by rearrangement.

    Args:
      input: [batch, *spatial, channels] or, for a `data_format` that begins with "NC",
        [batch, channels, *spatial].
      window_shape, dilation_rate, strides: a number for each spatial dimension.
      pooling_type: "MAX" or "AVG".
      padding: "SAME" or "VALID".

    Raises:
      ValueError: for numbers that do not fit, or "SAME" with a dilation.
    """
    rates = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    with NameScope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        count = len(window_shape)
        if not 1 <= count <= 3:
            raise ValueError(
                "`len(window_shape)` must be 1, 2, or 3. Received: "
                f"window_shape={window_shape} of length {count}"
            )
        input.shape.with_rank(count + 2)
        strides = [1] * count if strides is None else list(strides)
        rates = [1] * count if rates is None else list(rates)
        check_strides_and_rates(count, strides, rates)
        if padding == "SAME" and max(rates) > 1:
            raise ValueError(
                "pooling with 'SAME' padding is not implemented for `dilation_rate` > 1. "
                f"Received: padding={padding} and dilation_rate={rates}"
            )
        if np.any(np.greater(strides, window_shape)):
            raise ValueError(
                "`strides` > `window_shape` not supported due to inconsistency between CPU and "
                f"GPU implementations. Received: strides={strides} and window_shape={window_shape}"
            )
        if (pooling_type, count) not in _POOLS:
            raise ValueError(f"{count}-D {pooling_type} pooling is not supported.")
        compute = functools.partial(
            _pooled,
            _POOLS[pooling_type, count],
            window_shape=list(window_shape),
            strides=strides,
            data_format=data_format,
            scope=scope,
        )
        return dilated(input, rates, padding, compute, window_shape, data_format)


def _pooled(pool_of, images, padding, *, window_shape, strides, data_format, scope):
    count = len(window_shape)
    first = data_format is not None and data_format.startswith("NC")
    outer = ([1, 1], []) if first else ([1], [1])
    ksize, strides = ([*outer[0], *numbers, *outer[1]] for numbers in (window_shape, strides))
    if count > 1:
        return pool_of(images, ksize, strides, padding, data_format=data_format, name=scope)
    if data_format not in _FORMATS_1D:
        raise ValueError(
            f"data_format must be either 'NWC' or 'NCW'. Received: data_format={data_format}"
        )
    axis = 2 if first else 1
    result = pool_of(
        expand_dims(images, axis),
        [1, *ksize],
        [1, *strides],
        padding,
        data_format=_FORMATS_1D[data_format],
        name=scope,
    )
    return squeeze(result, [axis])
