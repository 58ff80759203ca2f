"""Windows themselves as the channels of images and volumes."""

import math

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import NUMERIC, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.indexed_slices import densify
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.shape import reshape, shape
from numpy_tf.ops.array.stack import unstack
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.segment import UnsortedSegmentSum
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.nn.arguments import renamed
from numpy_tf.ops.nn.windows import Windows, check_words, static_count


def _patch_dims(op):
    check_words(op, padding=("SAME", "VALID"))
    lists = [op.attrs[name] for name in ("ksizes", "strides", "rates") if name in op.attrs]
    rank = 4 if op.type == "ExtractImagePatches" else 5
    for name, numbers in zip(("ksizes", "strides", "rates"), lists, strict=False):
        if len(numbers) < rank:
            raise ValueError(
                f"Attr '{name}' of '{op.type}' Op passed list of length {len(numbers)} "
                f"less than minimum {rank}."
            )
    dims = with_rank(op.inputs[0].dims, rank)
    rates = op.attrs.get("rates", (1,) * rank)
    counts = []
    for axis in range(1, rank - 1):
        ksize, stride = lists[0][axis], lists[1][axis]
        extent = (ksize - 1) * rates[axis] + 1
        too_small = op.attrs["padding"] == "VALID" and (dims[axis] or extent) < extent
        if too_small:
            # What does not fit leaves no window, where the kernel would say so.
            counts.append(0)
        else:
            counts.append(static_count(dims[axis], extent, stride, op.attrs["padding"]))
    taps = math.prod(lists[0][1:-1])
    return (dims[0], *counts, None if dims[-1] is None else taps * dims[-1])


def _patches(images, ksizes, strides, padding, rates=None):
    rank = len(ksizes)
    if images.ndim != rank:
        raise errors.invalid_argument(
            f"input must be {rank}-dimensional{bracket_dims(images.shape)}"
        )
    named = (("ksizes", ksizes), ("strides", strides), ("rates", rates or [1] * rank))
    for name, numbers in named:
        if numbers[0] != 1 or numbers[-1] != 1:
            raise errors.unimplemented(f"Only support {name} across space.")
        if min(numbers) < 1:
            raise errors.OutOfRangeError(None, None, f"{name} is out of range.")
    spatial = slice(1, -1)
    windows = Windows.over(
        images.shape[1:-1],
        ksizes[spatial],
        strides[spatial],
        padding,
        named[2][1][spatial],
    )
    view = windows.view(windows.padded(images))
    channels = windows.number_of_taps * images.shape[-1]
    return view.reshape(images.shape[0], *windows.counts, channels)


def _scattered(op, grad, patches_of_places):
    """The sum of each place's gradients, by the places of which the patches are made.

    Args:
      patches_of_places: the op, of images of places that count from 1: 0 is padding.
    """
    input_shape = shape(op.inputs[0], out_type=dtypes.int64)
    sizes = unstack(input_shape, len(op.attrs["ksizes"]))
    batch, *space, channels = sizes
    counts = unstack(shape(op.outputs[0], out_type=dtypes.int64)[1:-1], len(space))
    how_many = math.prod(space[1:], start=space[0])
    # TensorFlow counts in float32, and so beyond 2**24 not by ones.
    places = reshape(range_of(1, how_many + 1, dtype=dtypes.float32), (1, *space, 1))
    places = cast(patches_of_places(places), dtypes.int64)
    taps = op.attrs["ksizes"][1:-1]
    spread = reshape(densify(grad), (batch, *counts, *taps, channels))
    count = 2 * len(space)
    by_place = transpose(spread, (*range(1, count + 1), 0, count + 1))
    rows = reshape(by_place, (-1, batch * channels))
    sums = UnsortedSegmentSum(rows, reshape(places, [-1]) - 1, how_many)
    images = reshape(sums, (*space, batch, channels))
    ndim = len(space)
    return transpose(images, (ndim, *range(ndim), ndim + 1))


@op(
    "images: T -> patches: T",
    T=NUMERIC | {dtypes.bool_},
    ksizes=REQUIRED,
    strides=REQUIRED,
    rates=REQUIRED,
    padding=REQUIRED,
)
class ExtractImagePatches:
    """The elements of each window, as the channels of one place."""

    shape = _patch_dims

    def kernel(images, *, ksizes, strides, rates, padding, op):
        if images.dtype == bool:
            raise errors.no_kernel(op)
        return _patches(images, ksizes, strides, padding, rates)

    def gradient(op, grad):
        names = ("ksizes", "strides", "rates", "padding")
        attrs = {name: op.attrs[name] for name in names}
        return [_scattered(op, grad, lambda places: ExtractImagePatches(places, **attrs))]


@op(
    "input: T -> patches: T",
    T=REAL,
    ksizes=REQUIRED,
    strides=REQUIRED,
    padding=REQUIRED,
)
class ExtractVolumePatches:
    """The elements of each window, as the channels of one place."""

    shape = _patch_dims

    def kernel(input, *, ksizes, strides, padding):
        return _patches(input, ksizes, strides, padding)

    def gradient(op, grad):
        attrs = {name: op.attrs[name] for name in ("ksizes", "strides", "padding")}
        return [_scattered(op, grad, lambda places: ExtractVolumePatches(places, **attrs))]


@export("extract_image_patches", "image.extract_image_patches")
def extract_image_patches(
    images, ksizes=None, strides=None, rates=None, padding=None, name=None, sizes=None
):
    """The elements of each window of images, as the channels of one place.

    Args:
      images: [batch, height, width, channels].
      ksizes, strides, rates: four numbers.
      padding: "SAME" or "VALID".

    Returns:
      [batch, rows, columns, taps·channels].
    """
    ksizes = renamed("sizes", sizes, "ksizes", ksizes)
    return ExtractImagePatches(
        images, ksizes=ksizes, strides=strides, rates=rates, padding=padding, name=name
    )


@export("extract_volume_patches")
def extract_volume_patches(input, ksizes, strides, padding, name=None):
    """The elements of each window of volumes, as the channels of one place."""
    return ExtractVolumePatches(input, ksizes=ksizes, strides=strides, padding=padding, name=name)
