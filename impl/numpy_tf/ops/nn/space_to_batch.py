"""Dilation by rearrangement: what is far apart by the rate is brought together in the batch."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import as_dims
from numpy_tf.ops.array.blocks import (
    batch_to_space_nd,
    required_space_to_batch_paddings,
    space_to_batch_nd,
)
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.array.stack import stack
from numpy_tf.ops.nn.arguments import explicit_padding


def _same_paddings(window, rate):
    """For each spatial dimension how much "SAME" pads before and after a dilated window."""
    pairs = []
    for i in range(len(rate)):
        total = (window[i] - 1) * int(rate[i])
        pairs.append([total // 2, total - total // 2])
    return stack(pairs)


def _base_paddings(padding, explicit, window, rate, data_format):
    if padding == "SAME":
        if window is None:
            raise ValueError(
                "`filter_shape` must be specified for `padding='SAME'`. "
                f"Received: filter_shape={window} and padding={padding}"
            )
        window = convert_to_tensor(window, dtypes.int32, name="filter_shape")
        known = constant_value(window)
        return _same_paddings(window if known is None else known.tolist(), rate)
    if padding == "VALID":
        return np.zeros([len(rate), 2], np.int32)
    if padding == "EXPLICIT":
        pairs = np.array(explicit, np.int32).reshape(-1, 2)
        return pairs[2:] if (data_format or "").startswith("NC") else pairs[1:-1]
    raise ValueError(f"`padding` must be one of 'SAME' or 'VALID'. Received: padding={padding}")


def _from_dimension_1(values, spatial_dims, fill):
    """`values` of the spatial dimensions, with `fill` for those between them and the batch."""
    result = np.full((spatial_dims[-1], *values.shape[1:]), fill, np.int32)
    result[[axis - 1 for axis in spatial_dims]] = values
    return result


def dilated(input, rate, padding, compute, window=None, data_format=None, leading=1):
    """`compute(input, padding)` as if its windows had holes.

    Args:
      rate: one number for each spatial dimension; 1 for no holes.
      padding: "SAME", "VALID", or a pair for each dimension.
      compute: of a tensor and a padding; with a rate above 1 the padding is "VALID".
      window: the window's sizes, which "SAME" needs: numbers or a tensor.
      data_format: channels come first if it starts with "NC".
      leading: how many dimensions there are before the spatial ones and the channels.

    Raises:
      ValueError: for a rate that is not positive, or an input of too few dimensions.
    """
    rate = np.asarray(rate, np.int32)
    if (rate < 1).any():
        raise ValueError(f"`dilation_rate` must be positive. Received: dilation_rate={rate}")
    first = leading + (data_format or "").startswith("NC")
    spatial_dims = list(range(first, first + len(rate)))
    expected = spatial_dims[-1] + (0 if first > leading else 1)
    if input.dims is not None and len(input.dims) < expected:
        raise ValueError(
            f"`input.shape.rank` must be at least {expected}. "
            f"Received: input.shape={input.shape} with rank {len(input.dims)}"
        )
    if (rate == 1).all():
        return compute(input, padding)
    padding, explicit = explicit_padding(padding, len(rate) + 2)
    base = _base_paddings(padding, explicit, window, rate, data_format)
    sizes = None if input.dims is None else [input.dims[axis] for axis in spatial_dims]
    if sizes is None or None in sizes:
        whole = shape(input)
        sizes = stack([whole[axis] for axis in spatial_dims])
    paddings, crops = required_space_to_batch_paddings(
        input_shape=sizes, base_paddings=base, block_shape=rate
    )
    if spatial_dims[0] > 1:
        rate = _from_dimension_1(rate, spatial_dims, 1)
        paddings, crops = (
            _from_dimension_1(constant_value(margins), spatial_dims, 0)
            for margins in (paddings, crops)
        )
    rearranged = space_to_batch_nd(input, block_shape=rate, paddings=paddings)
    return batch_to_space_nd(compute(rearranged, "VALID"), block_shape=rate, crops=crops)


@export("nn.with_space_to_batch")
def with_space_to_batch(
    input, dilation_rate, padding, op, filter_shape=None, spatial_dims=None, data_format=None
):
    """`op(input, count of spatial dimensions, padding)` as if its windows had holes.

    Raises:
      ValueError: for arguments that do not fit.
    """
    input = convert_to_tensor(input, name="input")
    rate = constant_value(convert_to_tensor(dilation_rate, dtypes.int32, name="dilation_rate"))
    first = 2 if (data_format or "").startswith("NC") else 1
    asked = as_dims(spatial_dims)
    if asked is not None and asked != tuple(range(first, first + len(rate))):
        raise ValueError(
            "`spatial_dims` must be a monotonically increasing sequence of positive integers. "
            f"Received: spatial_dims={list(asked)}"
        )
    return dilated(
        input,
        rate,
        padding,
        lambda converted, converted_padding: op(converted, len(rate), converted_padding),
        filter_shape,
        data_format,
    )
