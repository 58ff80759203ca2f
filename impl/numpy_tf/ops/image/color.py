"""Colors as red, green and blue; as hue, saturation and value; and as luma and chroma."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, Types, float32
from numpy_tf.framework.export import export
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, op
from numpy_tf.ops.array.dims import merge_dim, with_rank_at_least
from numpy_tf.ops.array.stack import stack
from numpy_tf.ops.linalg.products import tensordot
from numpy_tf.ops.math.arithmetic import add, div_no_nan
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import Greater, GreaterEqual, Less, LessEqual, LogicalAnd
from numpy_tf.ops.math.elementwise import Square

_COLORS = Types(FLOATING, default=float32)


def _of_three(op):
    dims = with_rank_at_least(op.inputs[0].dims, 1)
    if dims is None:
        return None
    return (*dims[:-1], merge_dim(dims[-1], 3))


def _check(images):
    if not images.ndim or images.shape[-1] != 3:
        raise errors.invalid_argument(f"input must have 3 channels: {list(images.shape)}")


# -- hue, saturation, value --------------------------------------------------------------


@op("images: T -> output: T", T=_COLORS, public="image.rgb_to_hsv")
class RGBToHSV:
    """Hue, saturation and value, in [0, 1], of red, green and blue along the last axis."""

    shape = _of_three

    def kernel(images):
        _check(images)
        one = images.dtype.type
        red, green, blue = np.moveaxis(images, -1, 0)
        value = images.max(axis=-1)
        spread = value - images.min(axis=-1)
        with np.errstate(all="ignore"):
            saturation = np.where(value > 0, spread / value, one(0))
            sixth = one(1) / spread * one(1 / 6)
        hue = np.where(
            red == value,
            sixth * (green - blue),
            np.where(
                green == value,
                sixth * (blue - red) + one(2 / 6),
                sixth * (red - green) + one(4 / 6),
            ),
        )
        hue = np.where(spread > 0, hue, one(0))
        hue = np.where(hue < 0, hue + one(1), hue)
        return np.stack([hue, saturation, value], axis=-1)

    def gradient(op, grad):
        return _hsv_gradient(op, grad)


def _reciprocal(x):
    """1 / x, and 0 for 0."""
    return div_no_nan(cast(1.0, x.dtype), x)


def _hsv_gradient(op, grad):
    """By the chain rule from channel to channel; a tie counts for the channel that is first.

    In names of sums the channels are numbered: red is 0, green 1, blue 2.
    """
    image, hsv = op.inputs[0], op.outputs[0]
    dtype = image.dtype
    red, green, blue = colors = [image[..., i] for i in range(3)]
    saturation, value = hsv[..., 1], hsv[..., 2]

    def both(first, second):
        return cast(LogicalAnd(first, second), dtype)

    biggest = [
        both(GreaterEqual(red, blue), GreaterEqual(red, green)),
        both(Greater(green, red), GreaterEqual(green, blue)),
        both(Greater(blue, red), Greater(blue, green)),
    ]
    smallest = [
        both(Less(red, blue), Less(red, green)),
        both(LessEqual(green, red), Less(green, blue)),
        both(LessEqual(blue, red), LessEqual(blue, green)),
    ]
    positive = [cast(Greater(color, convert_to_tensor(0, dtype)), dtype) for color in colors]

    def saturation_by(i):
        j, k = (other for other in range(3) if other != i)
        as_biggest = biggest[i] * add(smallest[j] * colors[j], smallest[k] * colors[k])
        as_smallest = (
            smallest[i] * -1 * _reciprocal(biggest[j] * colors[j] + biggest[k] * colors[k])
        )
        return positive[i] * add(as_biggest * _reciprocal(Square(colors[i])), as_smallest)

    def hue_by(i):
        after, before = (i + 1) % 3, (i + 2) % 3
        ahead = colors[before] - colors[after]
        terms = [
            positive[i]
            * biggest[i]
            * -1
            * (colors[after] - colors[before])
            * _reciprocal(Square(saturation))
            * _reciprocal(Square(value))
        ]
        for j in sorted((after, before)):
            k = 3 - i - j
            peak = positive[j] * biggest[j]
            terms.append(peak * smallest[i] * ahead * _reciprocal(Square(colors[j] - colors[i])))
            edge = peak * smallest[k]
            terms.append((edge * -1 if j == after else edge) * _reciprocal(colors[j] - colors[k]))
        total = 60 * terms[0]
        for term in terms[1:]:
            total = total + 60 * term
        return total / 360

    by_value = stack([grad[..., 2] * biggest[i] for i in range(3)], axis=-1)
    by_saturation = stack([grad[..., 1] * saturation_by(i) for i in range(3)], axis=-1)
    by_hue = stack([grad[..., 0] * hue_by(i) for i in range(3)], axis=-1)
    return add(add(by_value, by_saturation), by_hue)


@op("images: T -> output: T", T=_COLORS, public="image.hsv_to_rgb")
class HSVToRGB:
    """Red, green and blue of hue, saturation and value along the last axis."""

    shape = _of_three

    def kernel(images):
        _check(images)
        one = images.dtype.type
        hue, saturation, value = np.moveaxis(images, -1, 0)
        place = hue * one(6)
        shares = (
            np.abs(place - one(3)) - one(1),
            -np.abs(place - one(2)) + one(2),
            -np.abs(place - one(4)) + one(2),
        )
        grey = one(1) - saturation
        return np.stack(
            [
                (grey + saturation * np.minimum(np.maximum(share, one(0)), one(1))) * value
                for share in shares
            ],
            axis=-1,
        )

    gradient = NOT_DIFFERENTIABLE


# -- luma and chroma ---------------------------------------------------------------------

_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_FROM_YIQ = [
    [1, 1, 1],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
_FROM_YUV = [
    [1, 1, 1],
    [0, -0.394642334, 2.03206185],
    [1.13988303, -0.58062185, 0],
]


def _converted(images, weights):
    images = convert_to_tensor(images, name="images")
    weights = convert_to_tensor(weights, dtype=images.dtype, name="kernel")
    return tensordot(images, weights, axes=[[len(images.dims) - 1], [0]])


@export("image.rgb_to_yiq")
def rgb_to_yiq(images):
    """YIQ of red, green and blue along the last axis."""
    return _converted(images, _TO_YIQ)


@export("image.yiq_to_rgb")
def yiq_to_rgb(images):
    """Red, green and blue of YIQ along the last axis."""
    return _converted(images, _FROM_YIQ)


@export("image.rgb_to_yuv")
def rgb_to_yuv(images):
    """YUV of red, green and blue along the last axis."""
    return _converted(images, _TO_YUV)


@export("image.yuv_to_rgb")
def yuv_to_rgb(images):
    """Red, green and blue of YUV along the last axis."""
    return _converted(images, _FROM_YUV)
