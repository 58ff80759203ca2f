"""Grayscale dilation and erosion: the greatest sum of the image and a filter over each window."""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, REQUIRED, op
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.slicing import reverse
from numpy_tf.ops.math.elementwise import Neg
from numpy_tf.ops.nn.arguments import renamed
from numpy_tf.ops.nn.windows import Windows, check_words, static_count

_ATTRS = {"strides": REQUIRED, "rates": REQUIRED, "padding": REQUIRED}


def _attrs(op):
    return {name: op.attrs[name] for name in _ATTRS}


def _check_attrs(op):
    check_words(op, padding=("SAME", "VALID"))
    for attribute in ("strides", "rates"):
        if len(op.attrs[attribute]) < 4:
            raise ValueError(
                f"Attr '{attribute}' of '{op.type}' Op passed list of length "
                f"{len(op.attrs[attribute])} less than minimum 4."
            )


def _windows(images, filter, op):
    for array, rank, name in ((images, 4, "input"), (filter, 3, "filter")):
        if array.ndim != rank:
            raise errors.invalid_argument(
                f"{name} must be {rank}-dimensional{bracket_dims(array.shape)}"
            )
    strides, rates = op.attrs["strides"], op.attrs["rates"]
    for numbers, word in ((strides, "Stride"), (rates, "Rate")):
        if numbers[0] != 1 or numbers[3] != 1:
            raise errors.unimplemented(f"{word} is only supported across spatial dimensions.")
    if images.shape[3] != filter.shape[2]:
        raise errors.invalid_argument(
            f"input and filter must have the same depth: {images.shape[3]} vs {filter.shape[2]}"
        )
    return Windows.over(
        images.shape[1:3], filter.shape[:2], strides[1:3], op.attrs["padding"], rates[1:3]
    )


def _greatest_sums(windows, images, filter):
    """The greatest sum of each window, and at which tap it is: the first of equal ones.

    A sum that is NaN or -inf is passed over; where all are, the lowest number and tap 0.
    """
    dtype = images.dtype
    lowest = (
        np.iinfo(dtype).min
        if dtype.kind in "iu"
        else np.nextafter(dtype.type(-np.inf), dtype.type(0))
    )
    shape = (images.shape[0], *windows.counts, images.shape[-1])
    greatest, best = np.full(shape, lowest, dtype), np.zeros(shape, np.intp)
    inside = windows.inside().reshape(*windows.counts, -1)
    views = windows.at_each_tap(windows.padded(images))
    for tap, (view, weights) in enumerate(
        zip(views, filter.reshape(-1, filter.shape[-1]), strict=True)
    ):
        sums = view + weights
        better = (sums > greatest) & inside[..., tap, np.newaxis]
        np.copyto(greatest, sums, where=better)
        best[better] = tap
    return greatest, best


def _best(images, filter, out_backprop, op):
    windows = _windows(images, filter, op)
    if out_backprop.shape != (images.shape[0], *windows.counts, images.shape[3]):
        raise errors.invalid_argument("out_backprop has incompatible size.")
    return windows, _greatest_sums(windows, images, filter)[1]


@op("input: T, filter: T -> output: T", T=REAL, **_ATTRS)
class Dilation2D:
    """The greatest sum of the images and the filter [height, width, depth] over each window."""

    def shape(op):
        _check_attrs(op)
        images = with_rank(op.inputs[0].dims, 4)
        filter = with_rank(op.inputs[1].dims, 3)
        depth = images[3] if filter[2] is None else filter[2]
        if images[3] not in (None, depth):
            raise ValueError(f"Dimensions must be equal, but are {images[3]} and {depth}")
        counts = []
        for axis, window in ((1, filter[0]), (2, filter[1])):
            stride, rate = op.attrs["strides"][axis], op.attrs["rates"][axis]
            if stride <= 0:
                raise ValueError(f"Stride must be > 0, but got {stride}")
            known = None not in (images[axis], window)
            extent = (window - 1) * rate + 1 if known else None
            fits = known and (images[axis] >= extent or op.attrs["padding"] == "SAME")
            counts.append(
                static_count(images[axis], extent, stride, op.attrs["padding"])
                if fits
                else (0 if known else None)
            )
        return (images[0], *counts, depth)

    def kernel(input, filter, *, op):
        return _greatest_sums(_windows(input, filter, op), input, filter)[0]

    def gradient(op, grad):
        images, filter = op.inputs
        return [
            Dilation2DBackpropInput(images, filter, grad, **_attrs(op)),
            Dilation2DBackpropFilter(images, filter, grad, **_attrs(op)),
        ]


@op("input: T, filter: T, out_backprop: T -> in_backprop: T", T=REAL, **_ATTRS)
class Dilation2DBackpropInput:
    """Each window's gradient, added where its greatest sum was."""

    def shape(op):
        _check_attrs(op)
        return op.inputs[0].dims

    def kernel(input, filter, out_backprop, *, op):
        windows, best = _best(input, filter, out_backprop, op)
        rows, columns = np.ogrid[: windows.counts[0], : windows.counts[1]]
        places = windows.places().reshape(*windows.counts, -1)
        at = places[rows[..., np.newaxis], columns[..., np.newaxis], best]
        batch, depth = input.shape[0], input.shape[3]
        result = np.zeros((batch, input.shape[1] * input.shape[2], depth), input.dtype)
        batches = np.arange(batch).reshape(-1, 1, 1, 1)
        np.add.at(result, (batches, at, np.arange(depth)), out_backprop)
        return result.reshape(input.shape)

    gradient = NO_GRADIENT


@op("input: T, filter: T, out_backprop: T -> filter_backprop: T", T=REAL, **_ATTRS)
class Dilation2DBackpropFilter:
    """Each window's gradient, added to the filter's tap of its greatest sum."""

    def shape(op):
        _check_attrs(op)
        return op.inputs[1].dims

    def kernel(input, filter, out_backprop, *, op):
        windows, best = _best(input, filter, out_backprop, op)
        depth = filter.shape[2]
        result = np.zeros((windows.number_of_taps, depth), filter.dtype)
        np.add.at(result, (best, np.arange(depth)), out_backprop)
        return result.reshape(filter.shape)

    gradient = NO_GRADIENT


@export("nn.dilation2d")
def dilation2d(
    input,
    filter=None,
    strides=None,
    rates=None,
    padding=None,
    name=None,
    filters=None,
    dilations=None,
):
    """The greatest sum of images and filter over each window.

    Args:
      input: [batch, height, width, depth].
      filter: [height, width, depth].
      strides, rates: four numbers.
      padding: "SAME" or "VALID".
    """
    return Dilation2D(
        input,
        renamed("filters", filters, "filter", filter),
        strides=strides,
        rates=renamed("dilations", dilations, "rates", rates),
        padding=padding,
        name=name,
    )


@export("nn.erosion2d")
def erosion2d(value, kernel, strides, rates, padding, name=None):
    """The least difference of images and filter over each window: the dual of `dilation2d`."""
    with NameScope(name, "erosion2d", [value, kernel]) as scope:
        dilated = Dilation2D(
            Neg(value),
            reverse(kernel, [0, 1]),
            strides=strides,
            rates=rates,
            padding=padding,
            name=scope,
        )
        return Neg(dilated)
