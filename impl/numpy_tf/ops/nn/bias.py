"""Adding a vector to each position of a tensor of channels."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.framework.tensor_shape import bracket_dims, merge_dims
from numpy_tf.ops.array.fill import ones_like
from numpy_tf.ops.array.shape import rank, reshape, shape
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.array.transpose import tile
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of


def _channel_axis(data_format, ndim):
    return 1 if data_format == "NCHW" else ndim - 1


def _biased_dims(op):
    value, bias = (tensor.dims for tensor in op.inputs)
    if bias is not None and len(bias) != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {len(bias)}")
    if value is None:
        return None
    least = 3 if op.attrs.get("data_format") == "NCHW" else 2
    if len(value) < least:
        raise ValueError(f"Shape must be at least rank {least} but is rank {len(value)}")
    if bias is None:
        return value
    axis = _channel_axis(op.attrs.get("data_format"), len(value))
    try:
        merged = merge_dims((value[axis],), bias)
    except ValueError:
        raise ValueError(f"Dimensions must be equal, but are {value[axis]} and {bias[0]}") from None
    return (*value[:axis], *merged, *value[axis + 1 :])


def _add_bias(value, bias, data_format):
    axis = _channel_axis(data_format, value.ndim)
    if value.ndim < 2 or bias.ndim != 1 or value.shape[axis] != bias.shape[0]:
        raise errors.invalid_argument(
            "Must provide as many biases as the channel dimension of the input tensor: "
            f"{bracket_dims(bias.shape)} vs. {value.shape[axis] if value.ndim else 0} in "
            f"{bracket_dims(value.shape)}",
        )
    return np.add(value, bias.reshape((-1,) + (1,) * (value.ndim - 1 - axis)))


@op("value: T, bias: T -> output: T", T=NUMERIC, data_format="NHWC")
class BiasAdd:
    """value + bias, one bias for each channel."""

    shape = _biased_dims

    def kernel(value, bias, *, data_format):
        return _add_bias(value, bias, data_format)

    def gradient(op, grad):
        return grad, BiasAddGrad(grad, data_format=op.attrs["data_format"])


@op("out_backprop: T -> output: T", T=NUMERIC, data_format="NHWC")
class BiasAddGrad:
    """The sum over everything but the channels."""

    def shape(op):
        dims = op.inputs[0].dims
        if dims is None:
            return (None,)
        return (dims[_channel_axis(op.attrs["data_format"], len(dims))],)

    def kernel(out_backprop, *, data_format):
        channels = _channel_axis(data_format, out_backprop.ndim)
        others = tuple(axis for axis in range(out_backprop.ndim) if axis != channels)
        if out_backprop.dtype.itemsize == 2 and out_backprop.dtype.kind not in "iu":
            wide = np.add.reduce(out_backprop.astype(np.float32), axis=others)
            return wide.astype(out_backprop.dtype)
        return np.add.reduce(out_backprop, axis=others, dtype=out_backprop.dtype)

    def gradient(op, grad):
        whole, bias = shape(op.inputs[0]), shape(grad)
        if op.attrs["data_format"] == "NCHW":
            first, last = whole[:1], whole[2:]
            expanded = concat([ones_like(first), bias, ones_like(last)], 0)
            times = concat([first, [1], last], 0)
        else:
            expanded = concat([ones_like(whole[:-1]), bias], 0)
            times = concat([whole[:-1], [1]], 0)
        return tile(reshape(grad, expanded), times)


@op("value: T, bias: T -> output: T", T=NUMERIC)
class BiasAddV1:
    """value + bias along the last dimension, as TensorFlow first had it."""

    shape = _biased_dims

    def kernel(value, bias):
        return _add_bias(value, bias, "NHWC")

    def gradient(op, grad):
        return grad, reduce_sum(grad, range_of(rank(grad) - 1))


@export("nn.bias_add")
def bias_add(value, bias, data_format=None, name=None):
    """`value` plus a vector, one element for each channel.

    Args:
      value: a tensor whose channels are last ("N...C", the default) or second ("NC...").
      bias: as many numbers as there are channels.

    Raises:
      ValueError: for another format, or shapes that do not fit.
    """
    with NameScope(name, "BiasAdd", [value, bias]) as scope:
        if data_format is None or (data_format.startswith("N") and data_format.endswith("C")):
            layout = "NHWC"
        elif data_format.startswith("NC"):
            layout = "NCHW"
        else:
            raise ValueError(
                f"`data_format` must be of the form `N...C` or `NC...`. "
                f"Received: data_format={data_format}"
            )
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype, name="bias")
        return BiasAdd(value, bias, data_format=layout, name=scope)
