"""Images resized by nearest neighbours, bilinearly and bicubically.

An axis is resized by taps: of each output pixel the input pixels that it is made of and
their weights, in float32 as TensorFlow computes them. The gradient adds along the same taps.
"""

import functools

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, SIGNED
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.framework.tensor_shape import compatible
from numpy_tf.ops.array.dims import merge_dim, with_rank
from numpy_tf.ops.array.shape import expand_dims, shape, squeeze
from numpy_tf.ops.math.arithmetic import Minimum
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import round as round_

_PIXELS = FLOATING | SIGNED | {dtypes.uint8, dtypes.uint16}
_ALIGNMENT = {"align_corners": False, "half_pixel_centers": False}


# -- static shapes -----------------------------------------------------------------------


def resized_dims(images, size):
    """The static shape of images resized to a tensor (height, width)."""
    images = with_rank(images, 4)
    merge_dim(with_rank(size.dims, 1)[0], 2)
    height, width = shape_value(size) or (None, None)
    return (images[0], height, width, images[3])


def _resized(op):
    images, size = op.inputs
    return resized_dims(images.dims, size)


def _as_original(op):
    return op.inputs[1].dims


# -- taps --------------------------------------------------------------------------------


def _positions(size, count, align_corners, half_pixel_centers, nearest=False):
    """Where in an input of `size` pixels each of `count` output pixels is, in float32."""
    single = np.float32
    if align_corners and count > 1:
        scale = single(size - 1) / single(count - 1)
    else:
        scale = single(size) / single(count)
    places = np.arange(count, dtype=single)
    if not half_pixel_centers:
        return places * scale
    places = (places + single(0.5)) * scale
    return places if nearest else places - single(0.5)


def _nearest_taps(size, count, align_corners, half_pixel_centers):
    """The input pixel of each output pixel."""
    places = _positions(size, count, align_corners, half_pixel_centers, nearest=True)
    below = np.floor(places)
    if align_corners:
        below += places - below >= 0.5
    return np.clip(below.astype(np.int64), 0, size - 1)


def _linear_taps(size, count, align_corners, half_pixel_centers):
    """The two input pixels of each output pixel, [count, 2], and their weights."""
    places = _positions(size, count, align_corners, half_pixel_centers)
    below = np.floor(places)
    pixels = np.stack([below, np.ceil(places)], 1).astype(np.int64)
    upper = places - below
    return np.clip(pixels, 0, size - 1), np.stack([1 - upper, upper], 1)


_TABLE = 1024  # steps between two pixels, in which TensorFlow tabulates the cubic


@functools.cache
def _cubic_table(a):
    """The cubic convolution kernel of parameter `a` at distances in [0, 1] and in [1, 2]."""
    x = (np.arange(_TABLE + 1) / _TABLE).astype(np.float32)
    near, far = x.astype(np.float64), (x + np.float32(1)).astype(np.float64)
    return (
        (((a + 2) * near - (a + 3)) * near * near + 1).astype(np.float32),
        (((a * far - 5 * a) * far + 8 * a) * far - 4 * a).astype(np.float32),
    )


def _cubic_taps(size, count, align_corners, half_pixel_centers):
    """The four input pixels of each output pixel, [count, 4], and their weights."""
    places = _positions(size, count, align_corners, half_pixel_centers)
    below = np.floor(places)
    offset = np.rint((places - below) * np.float32(_TABLE)).astype(np.int64)
    near, far = _cubic_table(-0.5 if half_pixel_centers else -0.75)
    weights = np.stack([far[offset], near[offset], near[_TABLE - offset], far[_TABLE - offset]], 1)
    wanted = below.astype(np.int64)[:, np.newaxis] + np.arange(-1, 3)
    pixels = np.clip(wanted, 0, size - 1)
    if half_pixel_centers:
        # What is outside of the image counts nothing, and the rest as much more.
        weights = np.where(pixels == wanted, weights, np.float32(0))
        total = ((weights[:, 0] + weights[:, 1]) + weights[:, 2]) + weights[:, 3]
        enough = np.abs(total) >= 1000 * np.finfo(np.float32).tiny
        total = np.where(enough, total, np.float32(1))
        weights = weights * (np.float32(1) / total)[:, np.newaxis]
    return pixels, weights


def _taps_of_both(taps, sizes, counts, *alignment):
    return [taps(size, int(count), *alignment) for size, count in zip(sizes, counts, strict=True)]


def _check(images, size, align_corners, half_pixel_centers):
    if align_corners and half_pixel_centers:
        raise errors.invalid_argument("If half_pixel_centers is True, align_corners must be False.")
    if images.ndim != 4:
        raise errors.invalid_argument(f"input must be 4-dimensional {list(images.shape)}")
    if size.shape != (2,):
        raise errors.invalid_argument(f"shape_t must be 1-dimensional {list(size.shape)}")
    if (size <= 0).any():
        raise errors.invalid_argument("output dimensions must be positive")
    if not images.shape[1] * images.shape[2]:
        raise errors.invalid_argument("input image must be of non-zero size")


def _added_along(grads, taps, sizes, dtype):
    """The gradients of output pixels, times their weights, added to their input pixels.

    Pixel by pixel, and of each the taps row by row; half precision is rounded at the end.

    Args:
      grads: [batch, height, width, channels], of the dtype in which they are weighted.
      taps: of the rows and of the columns, (pixels, weights), each [count, taps].
      sizes: height and width of the input.
    """
    (rows, row_weights), (columns, column_weights) = taps
    batch, _, _, channels = grads.shape
    pixels = rows[:, np.newaxis, :, np.newaxis] * sizes[1] + columns[:, np.newaxis, :]
    by_pixel = grads.transpose(1, 2, 0, 3)[:, :, np.newaxis, np.newaxis]
    all_images = (..., np.newaxis, np.newaxis)
    weighted = by_pixel * row_weights[:, np.newaxis, :, np.newaxis][all_images]
    weighted = weighted * column_weights[:, np.newaxis, :][all_images]
    wide = np.float32 if dtype.itemsize == 2 else dtype
    result = np.zeros((sizes[0] * sizes[1], batch * channels), wide)
    np.add.at(result, pixels.reshape(-1), weighted.reshape(-1, batch * channels).astype(wide))
    return result.reshape(*sizes, batch, channels).transpose(2, 0, 1, 3).astype(dtype)


# -- nearest neighbours ------------------------------------------------------------------


@op("images: T, size: int32 -> resized_images: T", T=_PIXELS, **_ALIGNMENT)
class ResizeNearestNeighbor:
    """Images of which each pixel is one of the input's."""

    shape = _resized

    def kernel(images, size, *, align_corners, half_pixel_centers):
        _check(images, size, align_corners, half_pixel_centers)
        rows, columns = _taps_of_both(
            _nearest_taps, images.shape[1:3], size, align_corners, half_pixel_centers
        )
        return images[:, rows[:, np.newaxis], columns]

    def gradient(op, grad):
        image = op.inputs[0]
        known = None if image.dims is None else image.dims[1:3]
        size = shape(image)[1:3] if known is None or None in known else list(known)
        return ResizeNearestNeighborGrad(grad, size, **_alignment(op)), None


def _alignment(op):
    return {name: op.attrs[name] for name in _ALIGNMENT}


@op(
    "grads: T, size: int32 -> output: T",
    T=FLOATING | {dtypes.uint8, dtypes.int8, dtypes.int32},
    **_ALIGNMENT,
)
class ResizeNearestNeighborGrad:
    """The gradient of `ResizeNearestNeighbor`, for images of `size`."""

    shape = _resized

    def kernel(grads, size, *, align_corners, half_pixel_centers):
        _check(grads, size, align_corners, half_pixel_centers)
        batch, height, width, channels = grads.shape
        sizes = [int(count) for count in size]
        rows, columns = _taps_of_both(
            _nearest_taps, sizes, (height, width), align_corners, half_pixel_centers
        )
        result = np.zeros((sizes[0] * sizes[1], batch * channels), grads.dtype)
        pixels = (rows[:, np.newaxis] * sizes[1] + columns).reshape(-1)
        np.add.at(result, pixels, grads.transpose(1, 2, 0, 3).reshape(len(pixels), -1))
        return result.reshape(*sizes, batch, channels).transpose(2, 0, 1, 3)

    gradient = NO_GRADIENT


# -- bilinear ----------------------------------------------------------------------------


@op("images: T, size: int32 -> resized_images: float32", T=_PIXELS, **_ALIGNMENT)
class ResizeBilinear:
    """Images of which each pixel is between four of the input's."""

    shape = _resized

    def kernel(images, size, *, align_corners, half_pixel_centers):
        _check(images, size, align_corners, half_pixel_centers)
        (rows, row_weights), (columns, column_weights) = _taps_of_both(
            _linear_taps, images.shape[1:3], size, align_corners, half_pixel_centers
        )
        pixels = images.astype(np.float32)
        left, right = (pixels[:, :, columns[:, side]] for side in (0, 1))
        across = left + (right - left) * column_weights[:, 1, np.newaxis]
        top, bottom = (across[:, rows[:, side]] for side in (0, 1))
        return top + (bottom - top) * row_weights[:, 1, np.newaxis, np.newaxis]

    def gradient(op, grad):
        return ResizeBilinearGrad(grad, op.inputs[0], **_alignment(op)), None


@op("grads: float32, original_image: T -> output: T", T=FLOATING, **_ALIGNMENT)
class ResizeBilinearGrad:
    """The gradient of `ResizeBilinear`."""

    shape = _as_original

    def kernel(grads, original_image, *, align_corners, half_pixel_centers):
        sizes = original_image.shape[1:3]
        taps = _taps_of_both(
            _linear_taps, sizes, grads.shape[1:3], align_corners, half_pixel_centers
        )
        return _added_along(grads, taps, sizes, original_image.dtype)

    gradient = NOT_DIFFERENTIABLE


# -- bicubic -----------------------------------------------------------------------------


def _weighted_sum(parts, weights):
    first, *rest = (part * weight for part, weight in zip(parts, weights, strict=True))
    return functools.reduce(np.add, rest, first)


@op("images: T, size: int32 -> resized_images: float32", T=_PIXELS, **_ALIGNMENT)
class ResizeBicubic:
    """Images of which each pixel is a cubic convolution of sixteen of the input's."""

    shape = _resized

    def kernel(images, size, *, align_corners, half_pixel_centers):
        _check(images, size, align_corners, half_pixel_centers)
        (rows, row_weights), (columns, column_weights) = _taps_of_both(
            _cubic_taps, images.shape[1:3], size, align_corners, half_pixel_centers
        )
        pixels = images.astype(np.float32)
        down = _weighted_sum(
            [pixels[:, of_tap] for of_tap in rows.T],
            row_weights.T[:, :, np.newaxis, np.newaxis],
        )
        return _weighted_sum(
            [down[:, :, of_tap] for of_tap in columns.T], column_weights.T[:, :, np.newaxis]
        )

    def gradient(op, grad):
        if op.inputs[0].dtype not in (dtypes.float32, dtypes.float64):
            return None, None
        return ResizeBicubicGrad(grad, op.inputs[0], **_alignment(op)), None


@op(
    "grads: float32, original_image: T -> output: T",
    T=frozenset({dtypes.float32, dtypes.float64}),
    **_ALIGNMENT,
)
class ResizeBicubicGrad:
    """The gradient of `ResizeBicubic`."""

    shape = _as_original

    def kernel(grads, original_image, *, align_corners, half_pixel_centers):
        sizes = original_image.shape[1:3]
        taps = _taps_of_both(
            _cubic_taps, sizes, grads.shape[1:3], align_corners, half_pixel_centers
        )
        # Weighted in the dtype of the images, other than the bilinear one.
        grads = grads.astype(original_image.dtype)
        return _added_along(grads, taps, sizes, original_image.dtype)

    gradient = NO_GRADIENT


# -- tf.image.resize ---------------------------------------------------------------------


@export("image.ResizeMethod")
class ResizeMethod:
    """How `tf.image.resize` finds a pixel."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS = {
    ResizeMethod.BILINEAR: ResizeBilinear,
    "bilinear": ResizeBilinear,
    ResizeMethod.NEAREST_NEIGHBOR: ResizeNearestNeighbor,
    "nearest": ResizeNearestNeighbor,
    ResizeMethod.BICUBIC: ResizeBicubic,
    "bicubic": ResizeBicubic,
}


@export("image.resize_bilinear")
def resize_bilinear(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images [batch, height, width, channels] resized bilinearly to (height, width), float32.

    Args:
      align_corners: whether the centers of the corner pixels stay where they are.
      half_pixel_centers: whether pixels are taken to have their centers at halves.
    """
    return ResizeBilinear(
        images,
        size,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
        name=name,
    )


@export("image.resize_bicubic")
def resize_bicubic(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images resized bicubically; see `resize_bilinear`."""
    return ResizeBicubic(
        images,
        size,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
        name=name,
    )


@export("image.resize_nearest_neighbor")
def resize_nearest_neighbor(images, size, align_corners=False, name=None, half_pixel_centers=False):
    """Images resized to pixels that they have, of their own dtype; see `resize_bilinear`."""
    return ResizeNearestNeighbor(
        images,
        size,
        align_corners=align_corners,
        half_pixel_centers=half_pixel_centers,
        name=name,
    )


@export("image.resize", "image.resize_images")
def resize_images(
    images,
    size,
    method=ResizeMethod.BILINEAR,
    align_corners=False,
    preserve_aspect_ratio=False,
    name=None,
):
    """One image [height, width, channels], or a batch of them, resized to (height, width).

    Args:
      method: a `tf.image.ResizeMethod`.
      align_corners: whether the centers of the corner pixels stay where they are.
      preserve_aspect_ratio: whether to go only as far as one of both sizes.

    Raises:
      ValueError: for images of another rank, another size or method.
    """
    with NameScope(name, "resize", [images, size]):
        images = convert_to_tensor(images, name="images")
        if images.dims is None:
            raise ValueError("'images' contains no shape.")
        single = len(images.dims) == 3
        if single:
            images = expand_dims(images, 0)
        elif len(images.dims) != 4:
            raise ValueError("'images' must have either 3 or 4 dimensions.")
        try:
            size = convert_to_tensor(size, dtypes.int32, name="size")
        except (TypeError, ValueError):
            raise ValueError("'size' must be a 1-D int32 Tensor") from None
        if not compatible(size.dims, (2,)):
            raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
        height, width = shape_value(size) or (None, None)
        if preserve_aspect_ratio:
            if None not in (height, width, *images.dims[1:3]):
                height, width = _fitted(images.dims[1:3], (height, width))
            else:
                height = width = None
            size = _fitting(images, size)
        if None in (height, width) or images.dims[1:3] != (height, width):
            if method not in _METHODS:
                if method in (ResizeMethod.AREA, "area"):
                    raise errors.UnsupportedOpError("ResizeArea")
                raise ValueError(f"Resize method is not implemented: {method}")
            images = _METHODS[method](images, size, align_corners=align_corners)
            images.set_shape([None, height, width, None])
        return squeeze(images, axis=[0]) if single else images


def _fitted(sides, size):
    """What `_fitting` comes to, of known sizes."""
    sides, size = np.array(sides, np.float32), np.array(size, np.float32)
    return tuple(np.rint(np.min(size / sides) * sides).astype(int).tolist())


def _fitting(images, size):
    """The largest size within `size` that has the images' ratio of height to width."""
    sizes = [
        shape(images)[axis] if images.dims[axis] is None else images.dims[axis] for axis in (1, 2)
    ]
    sizes = [cast(side, dtypes.float32) for side in sizes]
    factors = [cast(size[i], dtypes.float32) / sizes[i] for i in (0, 1)]
    factor = Minimum(*factors)
    return convert_to_tensor(
        [cast(round_(factor * side), dtypes.int32) for side in sizes], dtypes.int32, name="size"
    )
