"""tf.nn's functions for convolution, out of the ops of `convolution` and `depthwise`."""

import numpy as np

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.ops.array.blocks import batch_to_space, space_to_batch
from numpy_tf.ops.array.shape import expand_dims, shape, squeeze
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.nn.arguments import (
    channels_of,
    explicit_padding,
    for_each_dimension,
    renamed,
    with_one_batch_dimension,
)
from numpy_tf.ops.nn.convolution import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropInputV2,
)
from numpy_tf.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)
from numpy_tf.ops.nn.space_to_batch import dilated

_ONES = (1, 1, 1, 1)
_FORMATS_1D = {"NWC": "NHWC", "NHWC": "NHWC", "NCW": "NCHW", "NCHW": "NCHW", None: "NHWC"}


def _rank(value):
    dims = getattr(value, "dims", None)
    return len(dims) if dims is not None else (np.ndim(value) if _is_array(value) else None)


def _is_array(value):
    return isinstance(value, (np.ndarray, list, tuple))


def _convolve(op, input, filter, inner_rank, name, **attrs):
    """The op; leading dimensions beyond one are made one around it."""
    rank = _rank(input)
    if rank is None or rank <= inner_rank + 1:
        return op(input, filter, name=name, **attrs)
    with NameScope(name, "squeeze_batch_dims", [input]):
        input = convert_to_tensor(input, name="input")
        return with_one_batch_dimension(
            input, inner_rank, lambda images: op(images, filter, **attrs)
        )


# -- one to three dimensions -------------------------------------------------------------


@export("nn.conv1d")
def conv1d(
    value=None,
    filters=None,
    stride=None,
    padding=None,
    use_cudnn_on_gpu=None,
    data_format=None,
    name=None,
    input=None,
    dilations=None,
):
    """A convolution over one dimension: `Conv2D` of one row.

    Args:
      value: [..., width, channels], or [..., channels, width] for "NCW".
      filters: [width, channels, outputs].

    Raises:
      ValueError: for a data format that is neither, or numbers that do not fit.
    """
    value = renamed("input", input, "value", value)
    with NameScope(name, "conv1d", [value, filters]) as scope:
        if data_format not in _FORMATS_1D:
            raise ValueError(
                f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}"
            )
        data_format = _FORMATS_1D[data_format]
        first = data_format == "NCHW"
        axis, channels = (-2, 1) if first else (-3, 2)
        rows = expand_dims(value, axis)
        result = _convolve(
            Conv2D,
            rows,
            expand_dims(filters, 0),
            3,
            scope,
            strides=[1, *for_each_dimension(stride, 1, channels, "stride")],
            padding=padding,
            use_cudnn_on_gpu=use_cudnn_on_gpu is not False,
            data_format=data_format,
            dilations=[1, *for_each_dimension(dilations, 1, channels, "dilations")],
        )
        return squeeze(result, [axis])


@export("nn.conv2d")
def conv2d(
    input,
    filter=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=_ONES,
    name=None,
    filters=None,
):
    """A convolution of images.

    Args:
      input: [..., height, width, channels].
      filter: [height, width, channels, outputs].
      strides: a number, two, or four.
      padding: "SAME", "VALID", or a pair of numbers for each dimension.

    Raises:
      ValueError: for numbers or shapes that do not fit.
    """
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = explicit_padding(padding)
    data_format = data_format or "NHWC"
    channels = channels_of(data_format, 2)
    return _convolve(
        Conv2D,
        input,
        filter,
        3,
        name,
        strides=for_each_dimension(strides, 2, channels, "strides"),
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=for_each_dimension(dilations, 2, channels, "dilations"),
    )


@export("nn.conv3d")
def conv3d(
    input,
    filter=None,
    strides=None,
    padding=None,
    data_format="NDHWC",
    dilations=(1, 1, 1, 1, 1),
    name=None,
    filters=None,
):
    """A convolution of volumes [batch, depth, height, width, channels]."""
    filter = renamed("filters", filters, "filter", filter)
    return Conv3D(
        input,
        filter,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


_BY_COUNT = {2: Conv2D, 3: Conv3D}


@export("nn.convolution")
def convolution(
    input,
    filter,
    padding,
    strides=None,
    dilation_rate=None,
    name=None,
    data_format=None,
    filters=None,
    dilations=None,
):
    """A convolution over as many dimensions as the filter has, dilated by rearrangement.

    Args:
      input: [..., *spatial, channels] or, for a `data_format` that begins with "NC",
        [..., channels, *spatial].
      filter: [*spatial, channels, outputs].
      padding: "SAME" or "VALID".
      strides, dilation_rate: a number for each spatial dimension.

    Raises:
      ValueError: for numbers or shapes that do not fit.
    """
    filter = renamed("filters", filters, "filter", filter)
    dilations = renamed("dilations", dilations, "dilation_rate", dilation_rate)
    with NameScope(None, "convolution_internal", [filter, input]):
        filter = convert_to_tensor(filter, name="filters")
        input = convert_to_tensor(input, name="input")
    ranks = [len(t.dims) for t in (filter, input) if t.dims is not None]
    if not ranks:
        raise ValueError(
            "When `num_spatial_dims` is not set, one of `input.shape.rank` or "
            "`filters.shape.rank` must be known."
        )
    count = ranks[0] - 2
    if count not in (1, 2, 3):
        raise ValueError(
            f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={count}."
        )
    leading = 1 if input.dims is None else len(input.dims) - count - 1
    last = data_format is None or data_format.endswith("C")
    channels = leading + count if last else leading
    rates = for_each_dimension(dilations, count, channels, "dilations")
    strides = for_each_dimension(strides, count, channels, "strides")
    if data_format is None and count > 1:
        data_format = "NHWC" if count == 2 else "NDHWC"
    with NameScope(name, "convolution", [input, filter]) as scope:

        def compute(images, padding, name=scope):
            if count == 1:
                return conv1d(images, filter, strides, padding, data_format=data_format, name=name)
            return _convolve(
                _BY_COUNT[count],
                images,
                filter,
                count + 1,
                name,
                strides=strides,
                padding=padding,
                data_format=data_format,
            )

        if all(rate == 1 for rate in rates):
            return compute(input, padding)
        spatial = slice(2, None) if channels == 1 else slice(1, -1)
        return _dilated_convolution(
            compute, input, filter, padding, strides[spatial], rates[spatial], data_format, leading
        )


def _dilated_convolution(compute, input, filter, padding, strides, rates, data_format, leading):
    check_strides_and_rates(len(rates), strides, rates)
    if input.dims is not None and filter.dims is not None:
        held = input.dims[leading if (data_format or "").startswith("NC") else -1]
        depth = filter.dims[-2]
        if held is not None and depth and held % depth:
            raise ValueError(
                "The number of input channels is not divisible by the corresponding number of "
                f"output filters. Received: input.shape={input.shape} with {held} channels and "
                f"filters.shape={filter.shape} with {depth} output filters."
            )
    return dilated(input, rates, padding, compute, shape(filter), data_format, leading)


def check_strides_and_rates(count, strides, rates):
    """ValueError unless both have `count` positive numbers, of which only one has any above 1."""
    for name, numbers in (("dilation_rate", rates), ("strides", strides)):
        if len(numbers) != count:
            raise ValueError(
                f"`len({name})` should be {count}. "
                f"Received: {name}={numbers} of length {len(numbers)}"
            )
        if min(numbers) < 1:
            raise ValueError(f"all values of `{name}` must be positive. Received: {name}={numbers}")
    if max(strides) > 1 and max(rates) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={strides} and dilation_rate={rates}"
        )


@export("nn.atrous_conv2d")
def atrous_conv2d(value, filters, rate, padding, name=None):
    """A convolution of images with holes in the filter: `rate` from one tap to the next."""
    return convolution(
        value, filters, padding, dilation_rate=np.broadcast_to(rate, (2,)).tolist(), name=name
    )


# -- gradients and transposed convolution ------------------------------------------------


@export("nn.conv2d_backprop_filter")
def conv2d_backprop_filter(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=_ONES,
    name=None,
):
    """The gradient of a convolution by its filter."""
    padding, explicit = explicit_padding(padding)
    return Conv2DBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


@export("nn.conv2d_backprop_input")
def conv2d_backprop_input(
    input_sizes,
    filter=None,
    out_backprop=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=_ONES,
    name=None,
    filters=None,
):
    """The gradient of a convolution by its images."""
    filter = renamed("filters", filters, "filter", filter)
    padding, explicit = explicit_padding(padding)
    return Conv2DBackpropInput(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


@export("nn.conv1d_transpose")
def conv1d_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format="NWC",
    dilations=None,
    name=None,
):
    """The transposed convolution over one dimension.

    Args:
      input: [batch, width, channels], or [batch, channels, width] for "NCW".
      filters: [width, outputs, channels].
      output_shape: of the result.
    """
    with NameScope(name, "conv1d_transpose", [input, filters, output_shape]) as scope:
        if data_format not in ("NWC", "NCW", None):
            raise ValueError(
                f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}"
            )
        axis = 2 if data_format == "NCW" else 1
        channels = 1 if data_format == "NCW" else 2
        strides = [1, *for_each_dimension(strides, 1, channels, "stride")]
        dilations = [1, *for_each_dimension(dilations, 1, channels, "dilations")]
        rows, filters = expand_dims(input, axis), expand_dims(filters, 0)
        sizes = output_shape if isinstance(output_shape, Tensor) else list(output_shape)
        result = Conv2DBackpropInput(
            concat([sizes[:axis], [1], sizes[axis:]], 0),
            filters,
            rows,
            strides=strides,
            padding=padding,
            data_format=_FORMATS_1D[data_format],
            dilations=dilations,
            name=scope,
        )
        return squeeze(result, [axis])


@export("nn.conv2d_transpose")
def conv2d_transpose(
    value=None,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transposed convolution of images.

    Args:
      value: [batch, height, width, channels].
      filter: [height, width, outputs, channels].
      output_shape: of the result.
      strides: a number, two, or four.
    """
    value = renamed("input", input, "value", value)
    filter = renamed("filters", filters, "filter", filter)
    with NameScope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        data_format = data_format or "NHWC"
        channels = channels_of(data_format, 2)
        padding, explicit = explicit_padding(padding)
        return Conv2DBackpropInput(
            output_shape,
            filter,
            value,
            strides=for_each_dimension(strides, 2, channels, "strides"),
            padding=padding,
            explicit_paddings=explicit,
            data_format=data_format,
            dilations=for_each_dimension(dilations, 2, channels, "dilations"),
            name=scope,
        )


@export("nn.conv3d_transpose")
def conv3d_transpose(
    value,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NDHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transposed convolution of volumes; arguments as for `conv2d_transpose`."""
    filter = renamed("filters", filters, "filter", filter)
    value = renamed("input", input, "value", value)
    with NameScope(name, "conv3d_transpose", [value, filter, output_shape]) as scope:
        data_format = data_format or "NDHWC"
        channels = channels_of(data_format, 3)
        return Conv3DBackpropInputV2(
            output_shape,
            filter,
            value,
            strides=for_each_dimension(strides, 3, channels, "strides"),
            padding=padding,
            data_format=data_format,
            dilations=for_each_dimension(dilations, 3, channels, "dilations"),
            name=scope,
        )


_TRANSPOSED = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}


@export("nn.conv_transpose")
def conv_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format=None,
    dilations=None,
    name=None,
):
    """The transposed convolution over as many dimensions as `output_shape` says.

    Raises:
      ValueError: for other than one to three spatial dimensions.
    """
    with NameScope(name, "conv_transpose", [input, filters, output_shape]) as scope:
        if isinstance(output_shape, Tensor):
            count = output_shape.dims[0] - 2
        else:
            count = len(output_shape) - 2
        if count not in _TRANSPOSED:
            raise ValueError(
                f"`output_shape` must be of length 3, 4 or 5. Received: "
                f"output_shape={output_shape} of length {count + 2}."
            )
        return _TRANSPOSED[count](
            input,
            filters,
            output_shape,
            strides,
            padding=padding,
            data_format=data_format,
            dilations=dilations,
            name=scope,
        )


@export("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """The transpose of `atrous_conv2d`.

    Args:
      value: [batch, height, width, channels].
      filters: [height, width, outputs, channels].
      output_shape: four numbers, of the result.
      padding: "SAME" or "VALID".

    Raises:
      ValueError: for shapes that do not fit, a rate below 1, or another padding.
    """
    with NameScope(name, "atrous_conv2d_transpose", [value, filters, output_shape]):
        value = convert_to_tensor(value, name="value")
        filters = convert_to_tensor(filters, name="filters")
        held, wanted = value.dims[3], filters.dims[3]
        if None not in (held, wanted) and held != wanted:
            raise ValueError(
                "`value` channel count must be compatible with `filters` input channel count. "
                f"Received: value.shape={value.shape} with channel count {held} and "
                f"filters.shape={filters.shape} with input channel count {wanted}."
            )
        if rate < 1:
            raise ValueError(f"`rate` cannot be less than one. Received: rate={rate}")
        if rate == 1:
            return conv2d_transpose(
                value, filters, output_shape, strides=[1, 1, 1, 1], padding=padding
            )
        margins = []
        window = shape(filters) if None in filters.dims else filters.dims
        for axis in range(2):
            total = (window[axis] - 1) * rate if padding == "SAME" else 0
            if padding not in ("SAME", "VALID"):
                raise ValueError(
                    f"`padding` must be either 'VALID' or 'SAME'. Received: padding={padding}"
                )
            before, after = total // 2, total - total // 2
            whole = output_shape[axis + 1] + before + after
            margins.append((before, after, whole, (rate - whole % rate) % rate))
        value = space_to_batch(value, [[0, extra] for *_, extra in margins], block_size=rate)
        sizes = [
            rate * rate * output_shape[0],
            *((whole + extra) // rate for *_, whole, extra in margins),
            output_shape[3],
        ]
        value = Conv2DBackpropInput(
            sizes, filters, value, strides=[1, 1, 1, 1], padding="VALID", data_format="NHWC"
        )
        crops = [[before, after + extra] for before, after, _, extra in margins]
        return batch_to_space(value, crops, block_size=rate)


# -- depthwise and separable -------------------------------------------------------------


@export("nn.depthwise_conv2d_native")
def depthwise_conv2d_native(
    input, filter, strides, padding, data_format="NHWC", dilations=_ONES, name=None
):
    """A depthwise convolution: the op itself.

    Args:
      input: [batch, height, width, depth].
      filter: [height, width, depth, multiplier].
      strides: four numbers.
      padding: "SAME", "VALID", or a pair of numbers for each dimension.
    """
    padding, explicit = explicit_padding(padding)
    return DepthwiseConv2dNative(
        input,
        filter,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format or "NHWC",
        dilations=dilations,
        name=name,
    )


@export("nn.depthwise_conv2d_native_backprop_input", "nn.depthwise_conv2d_backprop_input")
def depthwise_conv2d_native_backprop_input(
    input_sizes,
    filter,
    out_backprop,
    strides,
    padding,
    data_format="NHWC",
    dilations=_ONES,
    name=None,
):
    """The gradient of a depthwise convolution by its images."""
    padding, explicit = explicit_padding(padding)
    return DepthwiseConv2dNativeBackpropInput(
        input_sizes,
        filter,
        out_backprop,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


@export("nn.depthwise_conv2d_native_backprop_filter", "nn.depthwise_conv2d_backprop_filter")
def depthwise_conv2d_native_backprop_filter(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    data_format="NHWC",
    dilations=_ONES,
    name=None,
):
    """The gradient of a depthwise convolution by its filter."""
    padding, explicit = explicit_padding(padding)
    return DepthwiseConv2dNativeBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=strides,
        padding=padding,
        explicit_paddings=explicit,
        data_format=data_format,
        dilations=dilations,
        name=name,
    )


def _depthwise(input, filter, strides, padding, rate, data_format, name):
    return dilated(
        input,
        [1, 1] if rate is None else rate,
        padding,
        lambda images, padding: depthwise_conv2d_native(
            images, filter, strides, padding, data_format, name=name
        ),
        shape(filter),
        data_format,
    )


@export("nn.depthwise_conv2d")
def depthwise_conv2d(
    input,
    filter,
    strides,
    padding,
    rate=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """A depthwise convolution, dilated by rearrangement.

    Args:
      input: [batch, height, width, depth].
      filter: [height, width, depth, multiplier].
      strides: four numbers.
      rate: two numbers.
    """
    rate = renamed("dilations", dilations, "rate", rate)
    with NameScope(name, "depthwise", [input, filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        filter = convert_to_tensor(filter, name="filter_in")
        return _depthwise(input, filter, strides, padding, rate, data_format, scope)


@export("nn.separable_conv2d")
def separable_conv2d(
    input,
    depthwise_filter,
    pointwise_filter,
    strides,
    padding,
    rate=None,
    name=None,
    data_format=None,
    dilations=None,
):
    """A depthwise convolution, and one over the channels of each place.

    Args:
      depthwise_filter: [height, width, depth, multiplier].
      pointwise_filter: [1, 1, depth·multiplier, outputs].

    Raises:
      ValueError: for another pointwise filter.
    """
    rate = renamed("dilations", dilations, "rate", rate)
    values = [input, depthwise_filter, pointwise_filter]
    with NameScope(name, "separable_conv2d", values) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        window = pointwise_filter.shape.with_rank(4)
        window[:2].assert_is_compatible_with([1, 1])
        seen = _depthwise(input, depthwise_filter, strides, padding, rate, data_format, "depthwise")
        return conv2d(
            seen, pointwise_filter, [1, 1, 1, 1], "VALID", data_format=data_format, name=scope
        )
