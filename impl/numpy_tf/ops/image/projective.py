"""Images seen through a projective transformation."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.dims import merge_dim, require_scalar, with_rank
from numpy_tf.ops.array.fill import ones
from numpy_tf.ops.array.shape import reshape, shape
from numpy_tf.ops.array.stack import concat

_PIXELS = FLOATING | {dtypes.uint8, dtypes.int32, dtypes.int64}
_WITH_GRADIENT = _PIXELS - {dtypes.bfloat16}
_ATTRS = {"interpolation": REQUIRED, "fill_mode": "CONSTANT"}
_FILL_MODES = ("REFLECT", "WRAP", "CONSTANT", "NEAREST")
_INTERPOLATIONS = ("NEAREST", "BILINEAR")


def _transformed_dims(op):
    images, _, output_shape = op.inputs[:3]
    _check_words(op)
    dims = with_rank(images.dims, 4)
    merge_dim(with_rank(output_shape.dims, 1)[0], 2)
    if len(op.inputs) > 3:
        require_scalar(op.inputs[3])
    height, width = shape_value(output_shape) or (None, None)
    return (dims[0], height, width, dims[3])


def _check_words(op):
    if op.attrs["interpolation"] not in _INTERPOLATIONS:
        raise errors.invalid_argument(
            f"Invalid interpolation {op.attrs['interpolation']}. Supported types: NEAREST, BILINEAR"
        )
    if op.attrs["fill_mode"] not in _FILL_MODES:
        raise errors.invalid_argument(
            f"Invalid mode {op.attrs['fill_mode']}. Supported types: REFLECT, WRAP, CONSTANT, "
            "NEAREST"
        )


# -- where an output pixel comes from ------------------------------------------------------------


def _reflected(places, size):
    """Places beyond an edge as in a mirror that stands on it: dcba|abcd|dcba."""
    twice = np.float32(2 * size)
    below = places + twice * np.trunc(-places / twice)
    below = np.where(below < -size, below + twice, -below - 1)
    above = places - twice * np.trunc(places / twice)
    above = np.where(above >= size, twice - above - 1, above)
    return np.where(places < 0, below, np.where(places > size - 1, above, places))


def _wrapped(places, size):
    """Places beyond an edge as if the image were repeated there: abcd|abcd|abcd."""
    last = np.float32(max(size - 1, 1))
    below = places + np.float32(size) * (np.trunc(-places / last) + 1)
    above = places - np.float32(size) * np.trunc(places / last)
    return np.where(places < 0, below, np.where(places > size - 1, above, places))


def _within(places, size, fill_mode):
    """Where a place outside of an axis of `size` pixels is looked up."""
    if fill_mode == "CONSTANT":
        return places
    if fill_mode == "REFLECT":
        places = _reflected(places, size)
    elif fill_mode == "WRAP":
        places = _wrapped(places, size)
    return np.clip(places, np.float32(0), np.float32(size - 1))


def _pixels(images, y, x, fill_value):
    """images[b, y, x] for [batch, height, width] places, and `fill_value` outside."""
    height, width = images.shape[1:3]
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    batch = np.arange(len(images))[:, np.newaxis, np.newaxis]
    row = np.where(inside, y, 0).astype(np.int64)
    column = np.where(inside, x, 0).astype(np.int64)
    return np.where(inside[..., np.newaxis], images[batch, row, column], fill_value)


def _rounded(places):
    """To whole numbers, half away from zero as C's round."""
    return np.trunc(places + np.copysign(np.float32(0.5), places))


def _bilinear(images, y, x, fill_value):
    top, left = np.floor(y), np.floor(x)
    bottom, right = top + 1, left + 1

    def along_row(row):
        pair = (_pixels(images, row, column, fill_value) for column in (left, right))
        a, b = (pixels.astype(np.float32) for pixels in pair)
        return (right - x)[..., np.newaxis] * a + (x - left)[..., np.newaxis] * b

    upper, lower = along_row(top), along_row(bottom)
    return (bottom - y)[..., np.newaxis] * upper + (y - top)[..., np.newaxis] * lower


def _transformed(images, transforms, output_shape, fill_value, interpolation, fill_mode):
    if transforms.ndim != 2 or transforms.shape[1] != 8:
        raise errors.invalid_argument("Input transform should be num_images x 8 or 1 x 8")
    if len(transforms) not in (1, len(images)):
        raise errors.invalid_argument("Input transform should be num_images x 8 or 1 x 8")
    if not (output_shape > 0).all():
        raise errors.invalid_argument("new dimensions must be positive")
    fill_value = np.asarray(fill_value).astype(images.dtype)
    height, width = output_shape.tolist()
    y = np.arange(height, dtype=np.float32)[:, np.newaxis]
    x = np.arange(width, dtype=np.float32)
    a = transforms[:, :, np.newaxis, np.newaxis].swapaxes(0, 1)  # [8, batch or 1, 1, 1]
    below = a[6] * x + a[7] * y + np.float32(1)
    in_x = _within((a[0] * x + a[1] * y + a[2]) / below, images.shape[2], fill_mode)
    in_y = _within((a[3] * x + a[4] * y + a[5]) / below, images.shape[1], fill_mode)
    places = (len(images), height, width)
    in_y, in_x = np.broadcast_to(in_y, places), np.broadcast_to(in_x, places)
    if interpolation == "NEAREST":
        result = _pixels(images, _rounded(in_y), _rounded(in_x), fill_value)
    else:
        result = _bilinear(images, in_y, in_x, fill_value)
    at_infinity = np.broadcast_to(below == 0, places)[..., np.newaxis]
    return np.where(at_infinity, fill_value, result.astype(images.dtype))


# -- the gradient: the image is looked at through the inverse --------------------------------------


def _inverted(images, transforms):
    """The transformations back, which TensorFlow takes for those of gradients.

    It is the derivative of a shift by whole pixels and of a flip, but not of all else.
    """
    from numpy_tf.ops.linalg.solve import MatrixInverse

    if images.dtype.base_dtype not in _WITH_GRADIENT:
        raise TypeError(f"Invalid dtype {images.dtype}.")
    transforms = convert_to_tensor(transforms, dtype=dtypes.float32)
    if len(transforms.dims) == 1:
        transforms = transforms[None]
    with NameScope(None, "flat_transforms_to_matrices"):
        rows = reshape(transforms, [-1, 8])
        last = ones([shape(rows)[0], 1])
        matrices = reshape(concat([rows, last], axis=1), [-1, 3, 3])
    inverse = MatrixInverse(matrices)
    with NameScope(None, "matrices_to_flat_transforms"):
        rows = reshape(inverse, [-1, 9])
        rows = rows / rows[:, 8:9]
        return rows[:, :8]


@op(
    "images: dtype, transforms: float32, output_shape: int32 -> transformed_images: dtype",
    dtype=_PIXELS,
    **_ATTRS,
)
class ImageProjectiveTransformV2:
    """For each output pixel the input pixel that the transformation leads to, and 0 outside."""

    shape = _transformed_dims

    def kernel(images, transforms, output_shape, *, interpolation, fill_mode):
        return _transformed(images, transforms, output_shape, 0, interpolation, fill_mode)

    def gradient(op, grad):
        images, transforms, _ = op.inputs
        back = ImageProjectiveTransformV2(
            grad, _inverted(images, transforms), shape(images)[1:3], **_words(op)
        )
        return back, None, None


def _words(op):
    return {name: op.attrs[name] for name in _ATTRS}


@op(
    "images: dtype, transforms: float32, output_shape: int32, fill_value: float32 "
    "-> transformed_images: dtype",
    dtype=_PIXELS,
    **_ATTRS,
)
class ImageProjectiveTransformV3:
    """As ImageProjectiveTransformV2, with another value than 0 for what lies outside."""

    shape = _transformed_dims

    def kernel(images, transforms, output_shape, fill_value, *, interpolation, fill_mode):
        return _transformed(images, transforms, output_shape, fill_value, interpolation, fill_mode)

    def gradient(op, grad):
        images, transforms = op.inputs[:2]
        back = ImageProjectiveTransformV3(
            grad, _inverted(images, transforms), shape(images)[1:3], 0.0, **_words(op)
        )
        return back, None, None, None
