"""Boxes cut from images and resized to one size."""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import SIGNED
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.dims import dims_given_by, merge_dim, with_rank
from numpy_tf.ops.array.shape import shape as shape_of

_WITH_GRADIENT = frozenset({dtypes.float16, dtypes.float32, dtypes.float64})
_IMAGES = _WITH_GRADIENT | SIGNED | {dtypes.uint8, dtypes.uint16}
_UNEQUAL = "Dimensions must be equal, but are {} and {}"


def _count(boxes, box_ind):
    """How many boxes there are, statically."""
    boxes, box_ind = with_rank(boxes.dims, 2), with_rank(box_ind.dims, 1)
    count = merge_dim(boxes[0], box_ind[0], _UNEQUAL)
    merge_dim(boxes[1], 4)
    return count


# -- where the pixels of a crop are ------------------------------------------------------


def _positions(low, high, count, size, ratio_first):
    """Where along an axis of `size` pixels those of each crop are, [boxes, count], float32.

    Args:
      low, high: [boxes], the edges of the boxes, in units of the whole image.
      ratio_first: the order in which a step is computed.
    """
    last = np.float32(size - 1)
    if count == 1:
        middle = 0.5 * (low + high).astype(np.float64) * (size - 1)
        return middle.astype(np.float32)[:, np.newaxis]
    steps = np.float32(count - 1)
    step = (high - low) * (last / steps) if ratio_first else (high - low) * last / steps
    return (low * last)[:, np.newaxis] + np.arange(count, dtype=np.float32) * step[:, np.newaxis]


class _Samples:
    """The pixels that crops are made of.

    Attributes:
      inside: [boxes, height, width], whether a place lies in the image; elsewhere the indices
        are some that exist.
      top, bottom: [boxes, height, 1], rows; y_lerp how far between both, in float32.
      left, right: [boxes, 1, width], columns, and x_lerp.
      closest: the row and the column nearest to each place.
    """

    def __init__(self, boxes, crop_size, image_size, ratio_first=False):
        (y1, x1, y2, x2), (height, width) = boxes.T, image_size
        in_y = _positions(y1, y2, int(crop_size[0]), height, ratio_first)[:, :, np.newaxis]
        in_x = _positions(x1, x2, int(crop_size[1]), width, ratio_first)[:, np.newaxis, :]
        y_inside = (in_y >= 0) & (in_y <= height - 1)
        x_inside = (in_x >= 0) & (in_x <= width - 1)
        self.inside = y_inside & x_inside
        in_y, in_x = np.where(y_inside, in_y, 0), np.where(x_inside, in_x, 0)
        self.top, self.bottom, self.y_lerp = _neighbours(in_y)
        self.left, self.right, self.x_lerp = _neighbours(in_x)
        self.closest = _rounded(in_y), _rounded(in_x)

    def corners(self, image, box_ind):
        """The four pixels around each place, in float32: top ones, then bottom ones."""
        which = box_ind[:, np.newaxis, np.newaxis]
        return [
            image[which, row, column].astype(np.float32)
            for row in (self.top, self.bottom)
            for column in (self.left, self.right)
        ]


def _neighbours(places):
    below = np.floor(places)
    return below.astype(np.int64), np.ceil(places).astype(np.int64), places - below


def _rounded(places):
    below = np.floor(places)
    return (below + (places - below >= 0.5)).astype(np.int64)


def _check(boxes, box_ind, batch):
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise errors.invalid_argument("boxes must be 2-D with 4 columns")
    if box_ind.shape != boxes.shape[:1]:
        raise errors.invalid_argument("box_index has incompatible shape")
    if ((box_ind < 0) | (box_ind >= batch)).any():
        raise errors.OutOfRangeError(None, None, "box_index has values outside [0, batch_size)")


# -- the ops -----------------------------------------------------------------------------


@op(
    "image: T, boxes: float32, box_ind: int32, crop_size: int32 -> crops: float32",
    T=_IMAGES,
    method="bilinear",
    extrapolation_value=0.0,
)
class CropAndResize:
    """Boxes of images, each resized to `crop_size`, in float32.

    A box is (y1, x1, y2, x2), where 0 and 1 are the centers of the outermost pixels; what
    lies outside of the image is `extrapolation_value`.
    """

    def shape(op):
        image, boxes, box_ind, crop_size = op.inputs
        depth = with_rank(image.dims, 4)[3]
        count = _count(boxes, box_ind)
        merge_dim(with_rank(crop_size.dims, 1)[0], 2)
        return (count, *(shape_value(crop_size) or (None, None)), depth)

    def kernel(image, boxes, box_ind, crop_size, *, method, extrapolation_value):
        _check(boxes, box_ind, len(image))
        if (crop_size <= 0).any():
            raise errors.invalid_argument("crop dimensions must be positive")
        if not image.shape[1] * image.shape[2]:
            raise errors.invalid_argument("image dimensions must be positive")
        samples = _Samples(boxes, crop_size, image.shape[1:3])
        if method == "nearest":
            which = box_ind[:, np.newaxis, np.newaxis]
            rows, columns = samples.closest
            crops = image[which, rows, columns].astype(np.float32)
        else:
            top_left, top_right, bottom_left, bottom_right = samples.corners(image, box_ind)
            x_lerp, y_lerp = samples.x_lerp[..., np.newaxis], samples.y_lerp[..., np.newaxis]
            top = top_left + (top_right - top_left) * x_lerp
            bottom = bottom_left + (bottom_right - bottom_left) * x_lerp
            crops = top + (bottom - top) * y_lerp
        outside = np.float32(extrapolation_value)
        return np.where(samples.inside[..., np.newaxis], crops, outside)

    def gradient(op, grad):
        image, boxes, box_ind, _ = op.inputs
        known = image.dims is not None and None not in image.dims
        size = list(image.dims) if known else shape_of(image)
        grad_image = None
        if image.dtype in _WITH_GRADIENT:
            grad_image = CropAndResizeGradImage(
                grad, boxes, box_ind, size, T=image.dtype, method=op.attrs["method"]
            )
        return grad_image, CropAndResizeGradBoxes(grad, image, boxes, box_ind), None, None


@op(
    "grads: float32, boxes: float32, box_ind: int32, image_size: int32 -> output: T",
    T=_WITH_GRADIENT,
    method="bilinear",
)
class CropAndResizeGradImage:
    """The gradient of `CropAndResize` for its image."""

    def shape(op):
        grads, boxes, box_ind, image_size = op.inputs
        with_rank(grads.dims, 4)
        _count(boxes, box_ind)
        return with_rank(dims_given_by(image_size), 4)

    def kernel(grads, boxes, box_ind, image_size, *, method, dtype):
        size = tuple(int(n) for n in image_size)
        _check(boxes, box_ind, size[0])
        samples = _Samples(boxes, grads.shape[1:3], size[1:3])
        if method == "nearest":
            rows, columns = (part[..., np.newaxis] for part in samples.closest)
            shares = grads[..., np.newaxis, :]
        else:
            # Of each place the taps: left and right at the top, then at the bottom.
            rows = np.stack([samples.top, samples.top, samples.bottom, samples.bottom], -1)
            columns = np.stack([samples.left, samples.right] * 2, -1)
            x_lerp, y_lerp = samples.x_lerp[..., np.newaxis], samples.y_lerp[..., np.newaxis]
            top, bottom = (1 - y_lerp) * grads, y_lerp * grads
            shares = np.stack(
                [(1 - x_lerp) * top, x_lerp * top, (1 - x_lerp) * bottom, x_lerp * bottom], -2
            )
        which = box_ind.reshape(-1, 1, 1, 1)
        pixels = np.broadcast_to((which * size[1] + rows) * size[2] + columns, shares.shape[:-1])
        result = np.zeros((size[0] * size[1] * size[2], size[3]), dtype)
        np.add.at(result, pixels[samples.inside], shares[samples.inside].astype(dtype))
        return result.reshape(size)

    gradient = NO_GRADIENT


@op(
    "grads: float32, image: T, boxes: float32, box_ind: int32 -> output: float32",
    T=_IMAGES,
    method="bilinear",
)
class CropAndResizeGradBoxes:
    """The gradient of `CropAndResize` for its boxes."""

    def shape(op):
        return op.inputs[2].dims

    def kernel(grads, image, boxes, box_ind):
        _check(boxes, box_ind, len(image))
        crop_size, image_size = grads.shape[1:3], image.shape[1:3]
        samples = _Samples(boxes, crop_size, image_size, ratio_first=True)
        top_left, top_right, bottom_left, bottom_right = samples.corners(image, box_ind)
        x_lerp, y_lerp = samples.x_lerp[..., np.newaxis], samples.y_lerp[..., np.newaxis]
        down = (1 - x_lerp) * (bottom_left - top_left) + x_lerp * (bottom_right - top_right)
        across = (1 - y_lerp) * (top_right - top_left) + y_lerp * (bottom_right - bottom_left)
        inside = samples.inside[..., np.newaxis]
        y_moves = _moves_with_edges(crop_size[0], image_size[0]).reshape(2, -1, 1, 1)
        x_moves = _moves_with_edges(crop_size[1], image_size[1]).reshape(2, 1, -1, 1)
        down = np.where(inside, down * grads, 0)
        across = np.where(inside, across * grads, 0)
        terms = [down * y_moves[0], across * x_moves[0], down * y_moves[1], across * x_moves[1]]
        return np.stack(
            [
                _summed_in_order(term.reshape(len(boxes), math.prod(grads.shape[1:])))
                for term in terms
            ],
            1,
        )

    gradient = NO_GRADIENT


def _moves_with_edges(count, size):
    """How far the pixels of a crop move with its first edge and with its second, [2, count]."""
    if count == 1:
        return np.full((2, 1), 0.5 * (size - 1), np.float32)
    second = np.arange(count, dtype=np.float32) * (np.float32(size - 1) / np.float32(count - 1))
    return np.stack([np.float32(size - 1) - second, second])


def _summed_in_order(terms):
    """The sums of rows, rounded after each term as a loop would."""
    if not terms.shape[1]:
        return np.zeros(len(terms), terms.dtype)
    return np.add.accumulate(terms, axis=1)[:, -1]


@export("image.crop_and_resize")
def crop_and_resize(
    image,
    boxes,
    box_ind=None,
    crop_size=None,
    method="bilinear",
    extrapolation_value=0,
    name=None,
    box_indices=None,
):
    """Boxes of images, each resized to `crop_size`.

    Args:
      image: [batch, height, width, channels].
      boxes: [boxes, 4]: y1, x1, y2, x2 in units of the image.
      box_indices, box_ind: [boxes], of which image each is.
      crop_size: height and width of the results.
      method: "bilinear" or "nearest".
      extrapolation_value: what is outside of the image.
    """
    return CropAndResize(
        image,
        boxes,
        box_ind if box_indices is None else box_indices,
        crop_size,
        method=method,
        extrapolation_value=extrapolation_value,
        name=name,
    )
