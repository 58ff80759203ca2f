"""Images made brighter, their pixels in another dtype, and how far two images are apart."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.tensor_shape import compatible
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.dims import with_rank_at_least
from numpy_tf.ops.array.shape import shape, size
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.math.arithmetic import Mul, SquaredDifference, add, floordiv, subtract
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.clip import saturate_cast
from numpy_tf.ops.math.comparison import GreaterEqual, equal
from numpy_tf.ops.math.elementwise import Log
from numpy_tf.ops.math.reduction import reduce_all, reduce_mean

_AS_THEY_ARE = frozenset({dtypes.float16, dtypes.float32})


@export("image.convert_image_dtype")
def convert_image_dtype(image, dtype, saturate=False, name=None):
    """`image` with its values scaled so that the whole range of a dtype stays the whole range.

    Args:
      image: real numbers in [0, 1], or integers from 0 to the greatest of their dtype.
      dtype: of the result.
      saturate: whether to clip what the new dtype cannot hold.
      name: the name scope.

    Raises:
      AttributeError: when one of both dtypes is neither real nor integer.
    """
    image = convert_to_tensor(image, name="image")
    dtype = dtypes.as_dtype(dtype)
    for what, kind in (("dtype", dtype), ("image dtype", image.dtype)):
        if not kind.is_floating and not kind.is_integer:
            raise AttributeError(f"{what} must be either floating point or integer")
    if dtype == image.dtype:
        return identity(image, name=name)
    convert = saturate_cast if saturate else cast
    with NameScope(name, "convert_image", [image]) as scope:
        if image.dtype.is_floating and dtype.is_floating:
            return cast(image, dtype, name=scope)
        if image.dtype.is_floating:
            scaled = Mul(image, dtype.max + 0.5)  # half more, so that nothing rounds below
            return convert(scaled, dtype, name=scope)
        if dtype.is_floating:
            return Mul(cast(image, dtype), 1.0 / image.dtype.max, name=scope)
        if image.dtype.max > dtype.max:
            factor = (image.dtype.max + 1) // (dtype.max + 1)
            return convert(floordiv(image, factor), dtype, name=scope)
        factor = (dtype.max + 1) // (image.dtype.max + 1)
        return Mul(convert(image, dtype), factor, name=scope)


def _as_floating(image):
    return image if image.dtype in _AS_THEY_ARE else convert_image_dtype(image, dtypes.float32)


@export("image.adjust_brightness")
def adjust_brightness(image, delta):
    """`image` with `delta`, a part of the whole range, added to each value."""
    with NameScope(None, "adjust_brightness", [image, delta]) as scope:
        image = convert_to_tensor(image, name="image")
        floating = _as_floating(image)
        brighter = add(floating, cast(delta, floating.dtype), name=scope)
        return convert_image_dtype(brighter, image.dtype, saturate=True)


@export("image.adjust_gamma")
def adjust_gamma(image, gamma=1, gain=1):
    """gain · image to the power of gamma, for values in [0, 1].

    Raises:
      ValueError: when `gamma` is a negative number; as a tensor it fails when it is run.
    """
    with NameScope(None, "adjust_gamma", [image, gamma, gain]):
        image = convert_to_tensor(image, name="image")
        floating = _as_floating(image)
        complaint = "Gamma should be a non-negative real number."
        if isinstance(gamma, Tensor):
            with get_default_graph().control_dependencies([assert_that(gamma >= 0, [complaint])]):
                gamma = identity(gamma, name="control_dependency")
        elif gamma < 0:
            raise ValueError(complaint)
        return convert_image_dtype(gain * floating**gamma, image.dtype, saturate=True)


@export("image.psnr")
def psnr(a, b, max_val, name=None):
    """The peak signal-to-noise ratio of images in decibels, in float32.

    Args:
      a, b: [..., height, width, channels].
      max_val: the distance of the greatest value from the least.
      name: the name scope.

    Raises:
      ValueError: when the images are known to be of other sizes.
    """
    with NameScope(name, "PSNR", [a, b]):
        single = dtypes.float32
        max_val = convert_image_dtype(cast(max_val, a.dtype), single)
        a, b = convert_image_dtype(a, single), convert_image_dtype(b, single)
        error = reduce_mean(SquaredDifference(a, b), [-3, -2, -1])
        ratio = subtract(
            20 * Log(max_val) / Log(10.0),
            np.float32(10 / np.log(10)) * Log(error),
            name="psnr",
        )
        with get_default_graph().control_dependencies(_same_sizes(a, b)):
            return identity(ratio)


def _same_sizes(a, b):
    """Operations that fail unless the last three dimensions of both are alike."""
    dims = [with_rank_at_least(image.dims, 3) for image in (a, b)]
    if None not in dims and not compatible(dims[0][-3:], dims[1][-3:]):
        raise ValueError(f"Shapes {dims[0][-3:]} and {dims[1][-3:]} are incompatible")
    if None not in dims:
        for x, y in zip(reversed(dims[0][:-3]), reversed(dims[1][:-3]), strict=False):
            if not (x == 1 or y == 1 or x is None or y is None or x == y):
                raise ValueError(f"Two images are not compatible: {dims[0]} and {dims[1]}")
    shapes = [shape(a), shape(b)]
    alike = reduce_all(equal(shapes[0][-3:], shapes[1][-3:]))
    return [assert_that(GreaterEqual(size(shapes[0]), 3), shapes), assert_that(alike, shapes)]
