"""Windows over the spatial dimensions of arrays: convolution, pooling and patches see through them.

Inside, arrays are [batch, *spatial, channels] with one to three spatial dimensions; a *tap* is
one place within the window. All windows at once, seen at one tap, are a strided view of the
padded array, and so are all windows with all their taps: nothing is gathered by index.
"""

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from numpy_tf.framework import errors
from numpy_tf.ops.array.dims import with_rank

# -- data formats ------------------------------------------------------------------------


def channels_axis(data_format):
    """Where a format such as "NHWC" or "NCDHW" has the channels."""
    return data_format.index("C")


def spatial_axes(data_format):
    """Where it has the spatial dimensions, in order."""
    return tuple(i for i, name in enumerate(data_format) if name not in "NC")


def spatial(numbers, data_format):
    """Of one number for each dimension, those of the spatial ones."""
    return tuple(numbers[axis] for axis in spatial_axes(data_format))


def outside_spatial(numbers, data_format):
    """Of one number for each dimension, those of the batch and the channels."""
    return numbers[0], numbers[channels_axis(data_format)]


def explicit_pairs(explicit_paddings, data_format):
    """(before, after) for each spatial dimension, of a flat list for all dimensions."""
    if not explicit_paddings:
        return None
    pairs = list(zip(explicit_paddings[::2], explicit_paddings[1::2], strict=True))
    return spatial(pairs, data_format)


# -- sizes -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Span:
    """The windows along one dimension.

    Attributes:
      size: of the array.
      window: taps of a window.
      stride: from one window to the next.
      dilation: from one tap to the next.
      count: of windows.
      before, after: padding.
    """

    size: int
    window: int
    stride: int
    dilation: int
    count: int
    before: int
    after: int


def span(size, window, stride, padding, dilation=1, explicit=(0, 0)):
    """The windows along one dimension, which may turn out to be none.

    Raises:
      errors.InvalidArgumentError: when the window is larger than the array by a stride or more.
    """
    extent = (window - 1) * dilation + 1
    if padding == "SAME":
        count = -(-size // stride)
        total = max((count - 1) * stride + extent - size, 0)
        return Span(size, window, stride, dilation, count, total // 2, total - total // 2)
    before, after = explicit if padding == "EXPLICIT" else (0, 0)
    numerator = size + before + after - extent + stride
    if numerator <= -stride:
        raise errors.invalid_argument(
            f"Computed output size would be negative: {-(-numerator // stride)} "
            f"[input_size: {size}, effective_filter_size: {extent}, stride: {stride}]"
        )
    count = max(numerator // stride, 0)
    return Span(size, window, stride, dilation, count, before, after)


def static_count(size, window, stride, padding, dilation=1, explicit=(0, 0)):
    """How many windows there are along a dimension, of static sizes; None when unknown.

    Raises:
      ValueError: when a window does not fit, or a stride or dilation is not positive.
    """
    if stride <= 0:
        raise ValueError(f"Stride must be > 0, but got {stride}")
    if dilation < 1:
        raise ValueError(f"Dilation rate must be >= 1, but got {dilation}")
    if padding == "SAME":
        return None if size is None else -(-size // stride)
    if size is None or window is None:
        return None
    before, after = explicit if padding == "EXPLICIT" else (0, 0)
    padded, extent = size + before + after, (window - 1) * dilation + 1
    if padded < extent:
        raise ValueError(f"Negative dimension size caused by subtracting {extent} from {padded}")
    return (padded - extent) // stride + 1


def check_explicit_paddings(padding, explicit_paddings, data_format):
    """ValueError unless the attributes `padding` and `explicit_paddings` fit together."""
    if padding != "EXPLICIT":
        if explicit_paddings:
            raise ValueError(
                "explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT"
            )
        return
    if len(explicit_paddings) != 2 * len(data_format):
        raise ValueError(
            f"explicit_paddings attribute must contain {2 * len(data_format)} values, "
            f"but got: {len(explicit_paddings)}"
        )
    if min(explicit_paddings) < 0:
        raise ValueError("All elements of explicit_paddings must be nonnegative")
    channels = 2 * channels_axis(data_format)
    if any(explicit_paddings[i] for i in (0, 1, channels, channels + 1)):
        raise ValueError(
            "Nonzero explicit padding in the batch or depth dimensions is not supported"
        )


def check_words(op, **allowed):
    """ValueError unless each of these attributes is one of its words."""
    for attribute, words in allowed.items():
        given = op.attrs[attribute]
        if given not in words:
            listed = ", ".join(f'"{word}"' for word in words)
            raise ValueError(
                f"Attr '{attribute}' of '{op.type}' Op passed string '{given}' not in: {listed}."
            )


def static_dims(tensor, data_format):
    """The static shape of an input in this format, of which at least the rank is known."""
    return with_rank(tensor.dims, len(data_format))


def widened(*arrays):
    """Half precision as float32, in which sums over windows are computed; else as it is."""
    if arrays[0].dtype.itemsize == 2:
        return [array.astype(np.float32) for array in arrays]
    return arrays


# -- arrays seen through windows ---------------------------------------------------------


class Windows:
    """All windows of some spans, over arrays [batch, *spatial, channels].

    Attributes:
      counts: how many windows there are along each spatial dimension.
      taps: the offset of each tap, in row-major order.
      pads: whether there is any padding.
    """

    def __init__(self, spans):
        self._spans = tuple(spans)
        self.counts = tuple(s.count for s in spans)
        self.window = tuple(s.window for s in spans)
        self.taps = tuple(itertools.product(*(range(s.window) for s in spans)))
        self.pads = any(s.before or s.after for s in spans)
        self._padded_sizes = tuple(s.before + s.size + s.after for s in spans)
        self._inner = (
            slice(None),
            *(slice(s.before, s.before + s.size) for s in spans),
            slice(None),
        )
        self._at = [
            (
                slice(None),
                *(
                    slice(o * s.dilation, o * s.dilation + (s.count - 1) * s.stride + 1, s.stride)
                    if s.count
                    else slice(0)
                    for o, s in zip(tap, spans, strict=True)
                ),
                slice(None),
            )
            for tap in self.taps
        ]

    @staticmethod
    def over(sizes, window, strides, padding, dilations=None, explicit=None):
        """Those of one size, stride and dilation for each spatial dimension."""
        dilations = None if dilations is None else tuple(dilations)
        numbers = (tuple(each) for each in (sizes, window, strides))
        return _windows_over(*numbers, padding, dilations, explicit)

    @property
    def disjoint(self):
        """Whether no place is in two windows."""
        return all(s.stride >= s.window and s.dilation == 1 for s in self._spans)

    def padded(self, images, fill=0):
        """The images with `fill` around them; themselves when there is no padding."""
        if not self.pads:
            return images
        shape = (images.shape[0], *self._padded_sizes, images.shape[-1])
        result = np.full(shape, fill, images.dtype)
        result[self._inner] = images
        return result

    def padded_zeros(self, batch, channels, dtype):
        """Zeros of the shape of padded images."""
        return np.zeros((batch, *self._padded_sizes, channels), dtype)

    def unpadded(self, padded):
        """What is within the padding."""
        return padded[self._inner] if self.pads else padded

    def at(self, padded, tap):
        """[batch, *counts, channels], a view: the place number `tap` of all windows."""
        return padded[self._at[tap]]

    def at_each_tap(self, padded):
        """The views of all taps, in row-major order."""
        return (padded[at] for at in self._at)

    def view(self, padded):
        """[batch, *counts, *window, channels], a view of padded images."""
        strides = padded.strides
        return as_strided(
            padded,
            (padded.shape[0], *self.counts, *self.window, padded.shape[-1]),
            (
                strides[0],
                *(stride * s.stride for stride, s in zip(strides[1:-1], self._spans, strict=True)),
                *(
                    stride * s.dilation
                    for stride, s in zip(strides[1:-1], self._spans, strict=True)
                ),
                strides[-1],
            ),
            writeable=False,
        )

    def inside(self):
        """bool [*counts, *window]: whether a tap is in the image and not in its padding."""
        result = np.ones((), bool)
        for s in self._spans:
            places = np.arange(s.count)[:, np.newaxis] * s.stride - s.before
            places = places + np.arange(s.window) * s.dilation
            result = result[..., np.newaxis, np.newaxis] & ((places >= 0) & (places < s.size))
        ndim = len(self._spans)
        return result.transpose(*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2))

    def places(self):
        """int [*counts, *window]: each tap's place in an image whose dimensions are one.

        What lies in the padding has the place of the border next to it.
        """
        result = np.zeros((), np.int64)
        for s in self._spans:
            places = np.arange(s.count)[:, np.newaxis] * s.stride - s.before
            places = np.clip(places + np.arange(s.window) * s.dilation, 0, max(s.size - 1, 0))
            result = result[..., np.newaxis, np.newaxis] * s.size + places
        ndim = len(self._spans)
        return result.transpose(*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2))

    def sum_of(self, parts, batch, channels, dtype):
        """Images to which each window's parts are added at its taps.

        A place's terms are added in the order of its windows, as a loop over windows would:
        the last tap's first.

        Args:
          parts: for each tap, what of shape [batch, *counts, channels] all windows add there.
        """
        result = self.padded_zeros(batch, channels, dtype)
        for tap in reversed(range(len(self.taps))):
            at = self.at(result, tap)
            at += parts[tap]
        return self.unpadded(result)

    @property
    def number_of_taps(self):
        """How many taps a window has."""
        return math.prod(self.window)


@functools.lru_cache(maxsize=1024)  # a graph meets the same few in every run
def _windows_over(sizes, window, strides, padding, dilations, explicit):
    ones, none = itertools.repeat(1), itertools.repeat((0, 0))
    every = zip(sizes, window, strides, dilations or ones, explicit or none, strict=False)
    return Windows([span(s, w, d, padding, r, e) for s, w, d, r, e in every])
