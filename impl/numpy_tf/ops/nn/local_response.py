"""Local response normalization: by the squares of the channels nearby."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import Types
from numpy_tf.framework.export import export_as
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.ops.array.dims import merge, with_rank

_TYPES = Types({dtypes.float16, dtypes.bfloat16, dtypes.float32}, default=dtypes.float32)
_ATTRS = {"depth_radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5}


def _checked(images, op):
    if images.dtype.name == "bfloat16":
        raise errors.no_kernel(op)
    if images.ndim != 4:
        raise errors.invalid_argument("in must be 4-dimensional")
    radius = op.attrs["depth_radius"]
    if radius < 0:
        raise errors.invalid_argument(f"depth_radius = {radius} larger than int max")
    return radius, *(images.dtype.type(op.attrs[name]) for name in ("bias", "alpha", "beta"))


def _shifts(depth, radius):
    """For each distance up to the radius: channels, and those so far from them."""
    for by in range(-min(radius, depth - 1), min(radius, depth - 1) + 1):
        yield slice(max(0, -by), depth - max(0, by)), slice(max(0, by), depth - max(0, -by))


def _norms(images, radius, bias, alpha):
    """bias + alpha·Σx² over the channels within the radius."""
    squares, sums = images * images, np.zeros_like(images)
    for here, there in _shifts(images.shape[-1], radius):
        sums[..., here] += squares[..., there]
    return alpha * sums + bias


@op("input: T -> output: T", T=_TYPES, **_ATTRS)
class LRN:
    """x / (bias + alpha·Σx²)^beta, the sum over the channels within depth_radius."""

    def shape(op):
        return with_rank(op.inputs[0].dims, 4)

    def kernel(input, *, op):
        radius, bias, alpha, beta = _checked(input, op)
        norms = _norms(input, radius, bias, alpha)
        if beta == 1:
            return input * (norms.dtype.type(1) / norms)
        if beta == 0.5:
            wide = norms.astype(np.float32, copy=False)
            return input * (np.float32(1) / np.sqrt(wide)).astype(norms.dtype, copy=False)
        return input * np.exp(np.log(norms) * -beta)

    def gradient(op, grad):
        attrs = {name: op.attrs[name] for name in _ATTRS}
        return [LRNGrad(grad, op.inputs[0], op.outputs[0], **attrs)]


@op("input_grads: T, input_image: T, output_image: T -> output: T", T=_TYPES, **_ATTRS)
class LRNGrad:
    """The gradient of `LRN`."""

    def shape(op):
        first, second, third = (with_rank(tensor.dims, 4) for tensor in op.inputs)
        return merge(merge(first, second), third)

    def kernel(input_grads, input_image, output_image, *, op):
        radius, bias, alpha, beta = _checked(input_image, op)
        if not input_grads.shape == input_image.shape == output_image.shape:
            raise errors.invalid_argument(
                "input_grads, input_image, and out_image should have the same shape"
            )
        norms = _norms(input_image, radius, bias, alpha)
        slopes = input_image.dtype.type(-2) * alpha * beta * output_image
        result = np.zeros_like(input_image)
        for there, here in _shifts(input_image.shape[-1], radius):
            terms = input_image[..., here] * slopes[..., there] / norms[..., there]
            if here == there:
                terms = terms + np.power(norms, -beta)
            result[..., here] += terms * input_grads[..., there]
        return result

    gradient = NO_GRADIENT


export_as(LRN, "nn.lrn", "nn.local_response_normalization")
