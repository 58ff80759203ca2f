"""Transforms of the frames of a signal, their inverses, and the coefficients made of them."""

import math

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import with_rank_at_least
from numpy_tf.ops.array.fill import zeros, zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape
from numpy_tf.ops.array.slicing import pad, reverse
from numpy_tf.ops.array.stack import concat, split
from numpy_tf.ops.array.transpose import tile
from numpy_tf.ops.math.arithmetic import Maximum, Minimum, Pow
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import equal
from numpy_tf.ops.math.elementwise import Ceil, Log, Rsqrt, Square
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import linspace
from numpy_tf.ops.signal.cosine import dct
from numpy_tf.ops.signal.fourier import irfft, rfft
from numpy_tf.ops.signal.frames import frame, overlap_and_add, scalar_tensor
from numpy_tf.ops.signal.windows import hann_window, vorbis_window

# -- short-time Fourier transforms ------------------------------------------------------


@export("signal.stft")
def stft(
    signals,
    frame_length,
    frame_step,
    fft_length=None,
    window_fn=hann_window,
    pad_end=False,
    name=None,
):
    """The Fourier transform of each frame, weighted by a window.

    Args:
      signals: float32 or float64 [..., samples].
      frame_length, frame_step: as for `frame`.
      fft_length: by default the next power of two.
      window_fn: a function of a length and `dtype`; None for no window.
      pad_end: as for `frame`.

    Returns:
      complex [..., frames, fft_length // 2 + 1].
    """
    with NameScope(name, "stft", [signals, frame_length, frame_step]):
        signals = convert_to_tensor(signals, name="signals")
        with_rank_at_least(signals.dims, 1)
        length = scalar_tensor(frame_length, "frame_length")
        step = scalar_tensor(frame_step, "frame_step")
        points = _fft_length(fft_length, length)
        frames = frame(signals, length, step, pad_end=pad_end)
        if window_fn is not None:
            frames *= window_fn(length, dtype=frames.dtype)
        return rfft(frames, [points])


def _fft_length(given, frame_length):
    """`given` as a tensor, or the power of two that is not below the frame's length."""
    if given is not None:
        return convert_to_tensor(given, name="fft_length")
    known = constant_value(frame_length)
    if known is not None:
        return constant(int(2 ** np.ceil(np.log(known) / np.log(2.0))), frame_length.dtype)
    power = Ceil(Log(cast(frame_length, dtypes.float32)) / Log(constant(2.0)))
    return cast(Pow(constant(2.0), power), frame_length.dtype)


@export("signal.inverse_stft_window_fn")
def inverse_stft_window_fn(frame_step, forward_window_fn=hann_window, name=None):
    """The window function by which `inverse_stft` undoes `stft` with another one."""

    def window_fn(frame_length, dtype):
        with NameScope(name, "inverse_stft_window_fn", [forward_window_fn]):
            step = scalar_tensor(frame_step, "frame_step")
            length = scalar_tensor(frame_length, "frame_length")
            forward = forward_window_fn(length, dtype=dtype)
            overlaps = -(-length // step)
            power = pad(Square(forward), [(0, overlaps * step - length)])
            power = reduce_sum(reshape(power, [overlaps, step]), 0, keepdims=True)
            power = reshape(tile(power, [overlaps, 1]), [overlaps * step])[:length]
            return where(equal(power, 0.0), zeros_like(forward), forward / power)

    return window_fn


@export("signal.inverse_stft")
def inverse_stft(
    stfts, frame_length, frame_step, fft_length=None, window_fn=hann_window, name=None
):
    """The signal of frames' Fourier transforms, weighted by a window and added up.

    Args:
      stfts: complex [..., frames, fft_length // 2 + 1].
      frame_length, frame_step, fft_length, window_fn: as for `stft`.

    Returns:
      [..., frame_length + frame_step·(frames - 1)].
    """
    with NameScope(name, "inverse_stft", [stfts]):
        stfts = convert_to_tensor(stfts, name="stfts")
        with_rank_at_least(stfts.dims, 2)
        length = scalar_tensor(frame_length, "frame_length")
        step = scalar_tensor(frame_step, "frame_step")
        frames = _cut_or_lengthened(irfft(stfts, [_fft_length(fft_length, length)]), length)
        if window_fn is not None:
            frames *= window_fn(length, dtype=stfts.dtype.real_dtype)
        return overlap_and_add(frames, step)


def _cut_or_lengthened(frames, length):
    """Frames of `length` samples: their first ones, or all and zeros."""
    known = constant_value(length)
    known = None if known is None else int(known)
    size = None if frames.dims is None else frames.dims[-1]
    if known is None or size is None:
        frames = frames[..., :length]
        outer = zeros([rank(frames) - 1, 2], length.dtype)
        more = Maximum(0, length - shape(frames)[-1])
        frames = pad(frames, concat([outer, [[0, more]]], 0))
    elif size > known:
        frames = frames[..., :known]
    elif size < known:
        frames = pad(frames, [[0, 0]] * (len(frames.dims) - 1) + [[0, known - size]])
    if known is not None and frames.dims is not None:
        frames.set_shape([None] * (len(frames.dims) - 1) + [known])
    return frames


# -- modified discrete cosine transforms ------------------------------------------------


@export("signal.mdct")
def mdct(signals, frame_length, window_fn=vorbis_window, pad_end=False, norm=None, name=None):
    """The cosine transform of frames that overlap by half, folded to half their length.

    Args:
      signals: float32 or float64 [..., samples].
      frame_length: a multiple of 4.

    Returns:
      [..., frames, frame_length // 2].

    Raises:
      ValueError: for another length.
    """
    with NameScope(name, "mdct", [signals, frame_length]):
        signals = convert_to_tensor(signals, name="signals")
        with_rank_at_least(signals.dims, 1)
        length = scalar_tensor(frame_length, "frame_length")
        known = constant_value(length)
        if known is not None and known % 4 != 0:
            raise ValueError("The frame length must be a multiple of 4.")
        step = length // 2 if known is None else constant(int(known) // 2, length.dtype)
        frames = frame(signals, length, step, pad_end=pad_end)
        frames *= _weights(window_fn, length, frames.dtype)
        a, b, c, d = split(frames, 4, axis=-1)
        first, second = -reverse(c, [-1]) - d, a - reverse(b, [-1])
        return dct(concat((first, second), axis=-1), type=4, norm=norm)


@export("signal.inverse_mdct")
def inverse_mdct(mdcts, window_fn=vorbis_window, norm=None, name=None):
    """What undoes `mdct`.

    Args:
      mdcts: [..., frames, half of the frame's length], the last dimension known.

    Returns:
      [..., samples].
    """
    with NameScope(name, "inverse_mdct", [mdcts]):
        mdcts = convert_to_tensor(mdcts, name="mdcts")
        with_rank_at_least(mdcts.dims, 2)
        half = cast(mdcts.shape[-1], dtypes.int32)
        if norm == "ortho":
            unfolded = dct(mdcts, type=4, norm="ortho")
        else:
            unfolded = 0.5 / cast(half, mdcts.dtype) * dct(mdcts, type=4)
        first, second = split(unfolded, 2, axis=-1)
        backwards = (-reverse(second, [-1]), -reverse(first, [-1]))
        frames = concat((second, *backwards, -first), axis=-1)
        frames *= (
            1.0 / math.sqrt(2) if window_fn is None else window_fn(2 * half, dtype=mdcts.dtype)
        )
        return overlap_and_add(frames, half)


def _weights(window_fn, length, dtype):
    return 1.0 / math.sqrt(2) if window_fn is None else window_fn(length, dtype=dtype)


# -- the mel scale ----------------------------------------------------------------------

MEL_BREAK_HERTZ = 700.0  # of the formula in the HTK book
MEL_HIGH_QUALITY = 1127.0


def _mel(hertz):
    with NameScope(None, "hertz_to_mel", [hertz]):
        return MEL_HIGH_QUALITY * Log(1.0 + convert_to_tensor(hertz) / MEL_BREAK_HERTZ)


@export("signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(
    num_mel_bins=20,
    num_spectrogram_bins=129,
    sample_rate=8000,
    lower_edge_hertz=125.0,
    upper_edge_hertz=3800.0,
    dtype=dtypes.float32,
    name=None,
):
    """[num_spectrogram_bins, num_mel_bins] weights: triangles of equal width on the mel scale.

    Raises:
      ValueError: for counts, frequencies or a dtype that make no sense.
    """
    with NameScope(name, "linear_to_mel_weight_matrix") as scope:
        if isinstance(sample_rate, Tensor):
            known = constant_value(sample_rate)
            sample_rate = sample_rate if known is None else known
        _check_mel(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz, dtype)
        rate = cast(sample_rate, dtype, name="sample_rate")
        lowest = convert_to_tensor(lower_edge_hertz, dtype, name="lower_edge_hertz")
        highest = convert_to_tensor(upper_edge_hertz, dtype, name="upper_edge_hertz")
        zero = convert_to_tensor(0.0, dtype)
        frequencies = linspace(zero, rate / 2.0, num_spectrogram_bins)[1:]  # none of frequency 0
        bins = expand_dims(_mel(frequencies), 1)
        edges = frame(linspace(_mel(lowest), _mel(highest), num_mel_bins + 2), 3, 1)
        low, center, high = (reshape(edge, [1, num_mel_bins]) for edge in split(edges, 3, axis=1))
        rising, falling = (bins - low) / (center - low), (high - bins) / (high - center)
        triangles = Maximum(zero, Minimum(rising, falling))
        return pad(triangles, [[1, 0], [0, 0]], name=scope)


def _check_mel(bins, rate, lowest, highest, dtype):
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if lowest < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lowest}")
    if lowest >= highest:
        raise ValueError(f"lower_edge_hertz {lowest:.1f} >= upper_edge_hertz {highest:.1f}")
    if not isinstance(rate, Tensor):
        if rate <= 0.0:
            raise ValueError(f"sample_rate must be positive. Got: {rate}")
        if highest > rate / 2:
            raise ValueError(
                "upper_edge_hertz must not be larger than the Nyquist frequency "
                f"(sample_rate / 2). Got {highest} for sample_rate: {rate}"
            )
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype}")


@export("signal.mfccs_from_log_mel_spectrograms")
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms, name=None):
    """The cosine transform of logarithms on the mel scale, scaled as HTK does.

    Args:
      log_mel_spectrograms: [..., num_mel_bins].

    Raises:
      ValueError: there are no bins.
    """
    with NameScope(name, "mfccs_from_log_mel_spectrograms", [log_mel_spectrograms]):
        logs = convert_to_tensor(log_mel_spectrograms)
        bins = logs.dims[-1] if logs.dims else None
        if bins == 0:
            raise ValueError(f"num_mel_bins must be positive. Got: {logs}")
        count = shape(logs)[-1] if bins is None else bins
        result = dct(logs, type=2)
        return result * Rsqrt(cast(count, result.dtype) * 2.0)
