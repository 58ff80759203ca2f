"""Images scaled and moved, each pixel resampled by a kernel.

An axis is resampled by spans: for each output pixel the first input pixel that it is made of
and the weights from there on, in float32. The gradient is resampled by the same weights, read
the other way.
"""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import FLOATING, SIGNED
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.ops.image.resize import resized_dims

_PIXELS = FLOATING | SIGNED | {dtypes.uint8, dtypes.uint16}
_RESAMPLING = {"kernel_type": "lanczos3", "antialias": True}


# -- resampling kernels: the weight of a pixel by its distance --------------------------------


def _sine(x):
    return np.sin(x.astype(np.float64)).astype(np.float32)


def _lanczos(radius):
    def weight(x):
        pi, radius_ = np.float32(math.pi), np.float32(radius)
        apart = np.where(x <= np.float32(1e-3), np.float32(1), x)
        waves = radius_ * _sine(pi * apart) * _sine(pi * apart / radius_)
        value = waves / (pi * pi * apart * apart)
        value = np.where(x <= np.float32(1e-3), np.float32(1), value)
        return np.where(x > radius_, np.float32(0), value)

    return radius, weight


def _gaussian(x):
    width = 2.0 * (1.5 / 3.0) ** 2
    return np.where(x >= 1.5, 0, np.exp(-(x * x).astype(np.float64) / width)).astype(np.float32)


def _box(x):
    return np.where(x < 0.5, 1, np.where(x == 0.5, 0.5, 0)).astype(np.float32)


def _triangle(x):
    return np.where(x < 1, np.float32(1) - x, np.float32(0))


def _polynomial(x, *factors):
    """The polynomial with these factors, the highest power first, in float32."""
    value = np.float32(factors[0])
    for factor in factors[1:]:
        value = value * x + np.float32(factor)
    return value


def _keys_cubic(x):
    far = _polynomial(x, -0.5, 2.5, -4, 2)
    near = _polynomial(x, 1.5, -2.5, 0, 1)
    return np.where(x >= 2, np.float32(0), np.where(x >= 1, far, near))


def _mitchell_cubic(x):
    far = _polynomial(x, np.float32(-7) / 18, 2, np.float32(-10) / 3, np.float32(16) / 9)
    near = _polynomial(x, np.float32(7) / 6, -2, 0, np.float32(8) / 9)
    return np.where(x >= 2, np.float32(0), np.where(x >= 1, far, near))


# The word for a kernel -> its radius in pixels, and the weight by the distance.
_KERNELS = {
    "lanczos1": _lanczos(1.0),
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
    "gaussian": (1.5, _gaussian),
    "box": (1.0, _box),
    "triangle": (1.0, _triangle),
    "keyscubic": (2.0, _keys_cubic),
    "mitchellcubic": (2.0, _mitchell_cubic),
}


# -- spans -------------------------------------------------------------------------------------


def _spans(count, size, scale, translation, kernel_type, antialias):
    """The spans of `count` output pixels over an axis of `size` pixels.

    Returns:
      starts, [count] int64, and weights, [count, longest] float32; 0 beyond a span's end.
    """
    radius, weight_at = _KERNELS[kernel_type]
    single = np.float32
    inverse = single(1) / single(scale)
    moved = -inverse * single(translation)
    widened = max(inverse, single(1)) if antialias else single(1)
    reach = single(radius) * widened
    longest = min(2 * math.ceil(reach) + 1, size)
    places = (np.arange(count, dtype=single) + single(0.5)) * inverse + moved
    inside = (places >= 0) & (places <= size)
    places = np.where(inside, places, single(0))
    starts = np.clip(np.ceil(places - reach - single(0.5)), 0, size - 1).astype(np.int64)
    ends = np.clip(np.floor(places + reach - single(0.5)), 0, size - 1).astype(np.int64) + 1
    pixels = starts[:, np.newaxis] + np.arange(longest)
    used = inside[:, np.newaxis] & (pixels < ends[:, np.newaxis])
    apart = (pixels.astype(single) + single(0.5)) - places[:, np.newaxis]
    weights = weight_at(np.abs(apart * (single(1) / widened)))
    weights = np.where(used, weights, single(0))
    total = np.add.accumulate(weights, axis=1)[:, -1:]  # from left to right, as TensorFlow
    enough = np.abs(total) >= 1000 * np.finfo(single).tiny
    weights *= np.where(enough, single(1) / np.where(enough, total, single(1)), single(0))
    return np.where(inside, starts, 0), weights


def _spans_of_gradient(starts, weights, size):
    """The same weights by input pixel: spans over the output pixels that it is part of."""
    count, longest = weights.shape
    pixels = starts[:, np.newaxis] + np.arange(longest)
    weighed = (weights != 0) & (pixels < size)
    matrix = np.zeros((size, count), np.float32)
    outputs = np.broadcast_to(np.arange(count)[:, np.newaxis], pixels.shape)
    matrix[pixels[weighed], outputs[weighed]] = weights[weighed]
    used = matrix != 0
    first = used.argmax(axis=1)
    last = np.where(used.any(axis=1), count - used[:, ::-1].argmax(axis=1), first)
    longest = int((last - first).max(initial=0))
    places = np.minimum(first[:, np.newaxis] + np.arange(longest), max(count - 1, 0))
    within = first[:, np.newaxis] + np.arange(longest) < last[:, np.newaxis]
    taken = np.take_along_axis(matrix, places, 1) if longest else np.zeros((size, 0), np.float32)
    return first, np.where(within, taken, np.float32(0))


def _resampled(images, axis, starts, weights):
    """Images whose pixels along an axis are sums over spans, tap by tap in float32."""
    size = images.shape[axis]
    sizes = list(images.shape)
    sizes[axis] = len(starts)
    result = np.zeros(sizes, np.float32)
    along = [1] * images.ndim
    along[axis] = -1
    for tap in range(weights.shape[1]):
        pixels = starts + tap
        weight = np.where(pixels < size, weights[:, tap], np.float32(0)).reshape(along)
        values = np.take(images, np.minimum(pixels, size - 1), axis).astype(np.float32, copy=False)
        result += np.where(weight != 0, values * weight, np.float32(0))
    return result


# -- the ops -----------------------------------------------------------------------------------


def _checked(op, scale, translation):
    """Both as arrays of two numbers: (vertical, horizontal)."""
    if op.attrs["kernel_type"] not in _KERNELS:
        raise errors.invalid_argument(f"Unrecognized kernel type: {op.attrs['kernel_type']}")
    for numbers in (scale, translation):
        if numbers.shape != (2,):
            raise errors.invalid_argument(f"t must have two elements{list(numbers.shape)}")
    if not (scale > 0).all():
        raise errors.invalid_argument("Scale must be greater than zero.")
    return scale, translation


def _forward_shape(op):
    images, size = op.inputs[:2]
    return resized_dims(images.dims, size)


@op(
    "images: T, size: int32, scale: float32, translation: float32 -> resized_images: float32",
    T=_PIXELS,
    **_RESAMPLING,
)
class ScaleAndTranslate:
    """Images scaled by `scale` and then moved by `translation` pixels, into `size`."""

    shape = _forward_shape

    def kernel(images, size, scale, translation, *, kernel_type, antialias, op):
        if (size <= 0).any():
            raise errors.invalid_argument("output dimensions must be positive")
        if not images.size:
            raise errors.invalid_argument("input image must be of non-zero size")
        scale, translation = _checked(op, scale, translation)
        for axis in (1, 2):
            spans = _spans(
                int(size[axis - 1]),
                images.shape[axis],
                scale[axis - 1],
                translation[axis - 1],
                kernel_type,
                antialias,
            )
            images = _resampled(images, axis, *spans)
        return images

    def gradient(op, grad):
        images, _, scale, translation = op.inputs
        attrs = {name: op.attrs[name] for name in _RESAMPLING}
        return ScaleAndTranslateGrad(grad, images, scale, translation, **attrs), None, None, None


@op(
    "grads: T, original_image: T, scale: float32, translation: float32 -> output: T",
    T=frozenset({dtypes.float32}),
    **_RESAMPLING,
)
class ScaleAndTranslateGrad:
    """The gradient of each output pixel, added to the input pixels that it was made of."""

    def shape(op):
        return op.inputs[1].dims

    def kernel(grads, original_image, scale, translation, *, kernel_type, antialias, op):
        scale, translation = _checked(op, scale, translation)
        for axis in (1, 2):
            size = original_image.shape[axis]
            spans = _spans(
                grads.shape[axis],
                size,
                scale[axis - 1],
                translation[axis - 1],
                kernel_type,
                antialias,
            )
            grads = _resampled(grads, axis, *_spans_of_gradient(*spans, size))
        return grads

    gradient = NO_GRADIENT
