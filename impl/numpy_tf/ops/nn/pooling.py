"""Pooling over windows of images and volumes: their greatest element, or their mean.

A pooling goes tap by tap over the views that `windows` gives, all windows at once.
"""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import FLOATING, INDEX, INT64_BY_DEFAULT, REAL, Types
from numpy_tf.framework.op_def import NO_GRADIENT, REQUIRED, op
from numpy_tf.framework.static_value import constant_value, shape_value
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.dims import merge, merge_dim, with_rank
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.shape import shape
from numpy_tf.ops.nn.windows import (
    Windows,
    channels_axis,
    check_explicit_paddings,
    check_words,
    explicit_pairs,
    outside_spatial,
    spatial,
    spatial_axes,
    static_count,
    static_dims,
)

# -- attributes --------------------------------------------------------------------------

_IMAGE = {"ksize": REQUIRED, "strides": REQUIRED, "padding": REQUIRED, "data_format": "NHWC"}
_VOLUME = {**_IMAGE, "data_format": "NDHWC"}
_V2 = {"padding": REQUIRED, "data_format": "NHWC"}  # where the sizes are inputs


def _attrs(op, *more):
    names = (*_IMAGE, *more)
    return {name: op.attrs[name] for name in names if name in op.attrs}


def _check_words(op):
    formats = ("NHWC", "NCHW") if len(op.attrs["data_format"]) == 4 else ("NDHWC", "NCDHW")
    if op.type in ("MaxPool", "MaxPoolV2"):
        formats = (*formats, "NCHW_VECT_C")
    explicit = ("EXPLICIT",) if "explicit_paddings" in op.attrs else ()
    check_words(op, padding=("SAME", "VALID", *explicit), data_format=formats)
    if op.attrs["data_format"] == "NCHW_VECT_C":
        # Vectors of channels want qint8, which has no kernel on TensorFlow's CPU.
        raise errors.UnsupportedOpError(f"{op.type} with data_format NCHW_VECT_C")


def _check_lengths(op, count):
    for attribute in ("ksize", "strides"):
        if len(op.attrs[attribute]) < count:
            raise ValueError(
                f"Attr '{attribute}' of '{op.type}' Op passed list of length "
                f"{len(op.attrs[attribute])} less than minimum {count}."
            )


# -- static shapes -----------------------------------------------------------------------


def _pooled(op, dims, ksize, strides):
    """The static shape of what is pooled, of the dimensions and numbers of all dimensions."""
    data_format = op.attrs["data_format"]
    explicit = op.attrs.get("explicit_paddings", ())
    check_explicit_paddings(op.attrs["padding"], explicit, data_format)
    pairs = explicit_pairs(explicit, data_format) or [(0, 0)] * len(dims)
    result = list(dims)
    for axis, pair in zip(spatial_axes(data_format), pairs, strict=False):
        result[axis] = static_count(
            dims[axis], ksize[axis], strides[axis], op.attrs["padding"], explicit=pair
        )
    channels = channels_axis(data_format)
    if ksize[channels] > 1:
        result[channels] = static_count(
            dims[channels], ksize[channels], strides[channels], op.attrs["padding"]
        )
    return tuple(result)


def _pooled_dims(op):
    attrs = op.attrs
    _check_words(op)
    dims = static_dims(op.inputs[0], attrs["data_format"])
    _check_lengths(op, len(dims))
    return _pooled(op, dims, attrs["ksize"], attrs["strides"])


def _pooled_dims_by_inputs(op):
    _check_words(op)
    dims = static_dims(op.inputs[0], op.attrs["data_format"])
    for tensor in op.inputs[1:3]:
        merge_dim(with_rank(tensor.dims, 1)[0], 4)
    ksize, strides = (constant_value(tensor) for tensor in op.inputs[1:3])
    if ksize is None or strides is None:
        return None
    return _pooled(op, dims, ksize.tolist(), strides.tolist())


def _dims_of(index, rank):
    def infer(op):
        _check_words(op)
        return with_rank(op.inputs[index].dims, rank)

    return infer


def _merged_input_and_grad(op):
    _check_words(op)
    rank = len(op.attrs["data_format"])
    dims = with_rank(op.inputs[1].dims, rank)
    merge(with_rank(op.inputs[0].dims, rank), op.inputs[2].dims)
    return dims


# -- checks ------------------------------------------------------------------------------


def _check_channels_last(op, kernel):
    data_format = op.attrs["data_format"]
    if data_format.startswith("NC"):
        wanted = "NHWC" if len(data_format) == 4 else "NDHWC"
        raise errors.invalid_argument(f"{kernel} only supports {wanted} on device type CPU")


def _check_positive(ksize):
    if min(ksize) <= 0:
        raise errors.invalid_argument(
            "Sliding window ksize must be positive. The specified or inferred ksize is: "
            + ",".join(map(str, ksize))
        )


def _check_images(images, ksize, strides):
    """That images [batch, height, width, channels] can be pooled so."""
    if images.ndim != 4:
        raise errors.invalid_argument(f"tensor_in must be 4-dimensional, got {images.ndim}")
    _check_positive(ksize)
    if ksize[0] != 1 or strides[0] != 1:
        raise errors.unimplemented("Pooling is not yet supported on the batch dimension.")
    if ksize[3] == 1:
        return
    if ksize[1] != 1 or ksize[2] != 1:
        raise errors.unimplemented(
            "MaxPooling supports exactly one of pooling across depth or pooling across "
            "width/height."
        )
    if ksize[3] != strides[3]:
        raise errors.unimplemented(
            "Depthwise max pooling requires the depth window to equal the stride"
        )
    if images.shape[3] % ksize[3]:
        raise errors.unimplemented(
            "Depthwise max pooling requires the depth window to evenly divide the input depth"
        )


def _check_volumes(volumes, op):
    """That volumes [batch, depth, height, width, channels] can be pooled so."""
    if volumes.ndim != 5:
        raise errors.invalid_argument("tensor_in must be 5-dimensional")
    ksize, strides, data_format = (op.attrs[n] for n in ("ksize", "strides", "data_format"))
    _check_positive(ksize)
    for index, name in enumerate(("batch", "depth")):
        both = (outside_spatial(n, data_format)[index] for n in (ksize, strides))
        if tuple(both) != (1, 1):
            raise errors.unimplemented(f"Pooling is not yet supported on the {name} dimension.")


def _check_shape(name, array, wanted):
    if array.shape != wanted:
        raise errors.invalid_argument(
            f"Expected {name} shape to be {bracket_dims(wanted)}, "
            f"but got {bracket_dims(array.shape)}"
        )


def _check_grads(windows, orig_input, orig_output, grad):
    wanted = (orig_input.shape[0], *windows.counts, orig_input.shape[-1])
    _check_shape("orig_output", orig_output, wanted)
    _check_shape("grad", grad, wanted)


_VOLUME_KERNELS = ("bfloat16", "float32")


def _check_volume_kernel(op, dtype):
    if dtype.name not in _VOLUME_KERNELS:
        raise errors.no_kernel(op)


_SIDES = (("Top", "Bottom"), ("Left", "Right"))


def _check_padding_within_windows(pairs, window):
    for names, pair, size in zip(_SIDES, pairs, window, strict=True):
        for name, padding in zip(names, pair, strict=True):
            if padding >= size:
                raise errors.invalid_argument(
                    f"{name} padding {padding} needs to be smaller than the window size {size}"
                )


def _windows(sizes, ksize, strides, op):
    data_format = op.attrs.get("data_format", "NHWC")
    window = spatial(ksize, data_format)
    pairs = explicit_pairs(op.attrs.get("explicit_paddings"), data_format)
    if pairs is not None:
        _check_padding_within_windows(pairs, window)
    strides = spatial(strides, data_format)
    return Windows.over(sizes, window, strides, op.attrs["padding"], None, pairs)


def _image_windows(images, op):
    _check_images(images, op.attrs["ksize"], op.attrs["strides"])
    return _windows(images.shape[1:-1], op.attrs["ksize"], op.attrs["strides"], op)


# -- the greatest ------------------------------------------------------------------------


def _lowest(dtype):
    """The lowest finite number of a dtype."""
    if dtype.kind in "iu":
        return np.iinfo(dtype).min
    return np.nextafter(dtype.type(-np.inf), dtype.type(0))


def _has_negative_zero(array):
    """Whether -0.0 is there, which as an integer is the lowest of all."""
    bits = np.dtype(f"i{array.dtype.itemsize}")
    return array.view(bits).min(initial=0) == np.iinfo(bits).min


def _greatest(windows, images):
    """The greatest element of each window; NaN and -inf are passed over.

    Of zeros of both signs the first counts.
    """
    lowest = _lowest(images.dtype)
    padded = np.ascontiguousarray(windows.padded(images, lowest))
    views = windows.at_each_tap(padded)
    result = next(views).copy()
    for view in views:
        np.maximum(result, view, out=result)
    if images.dtype.kind in "iu" or not result.size:
        return result
    least = result.min()
    if least > lowest and not (np.any(result == 0) and _has_negative_zero(padded)):
        return result
    # np.maximum spreads NaN and does not say which of two zeros it takes.
    result.fill(lowest)
    for view in windows.at_each_tap(padded):
        np.copyto(result, view, where=view > result)
    return result


def _first_greatest(windows, images):
    """For each window its greatest element and which tap that is; of equal ones the first.

    A NaN is passed over, unless it is the first of all, because nothing compares as greater.
    """
    inside = windows.inside().reshape(*windows.counts, -1)
    padded = windows.padded(images)
    greatest = windows.at(padded, 0).copy()
    best = np.zeros(greatest.shape, np.intp)
    started = np.zeros(windows.counts, bool)
    for tap, view in enumerate(windows.at_each_tap(padded)):
        begins = inside[..., tap] & ~started
        better = begins[..., np.newaxis] | (inside[..., tap, np.newaxis] & (view > greatest))
        np.copyto(greatest, view, where=better)
        best[better] = tap
        started |= inside[..., tap]
    return greatest, best


def _equal_taps(windows, images, pooled):
    """For each tap, where it equals what the window was pooled to."""
    inside = windows.inside().reshape(*windows.counts, -1) if windows.pads else None
    padded = windows.padded(images)
    for tap, view in enumerate(windows.at_each_tap(padded)):
        equal = view == pooled
        if inside is not None:
            equal &= inside[..., tap, np.newaxis]
        yield equal


def _first_of(hits):
    """The hits that have none before them."""
    free = None
    for hit in hits:
        first = hit if free is None else hit & free
        free = ~hit if free is None else free ^ first
        yield first


def _hits(windows, images):
    """For each tap, where it is the one that the window's greatest element comes from."""
    if images.dtype.kind not in "iu":
        padded = windows.padded(images, -np.inf)
        views = windows.at_each_tap(padded)
        greatest = next(views).copy()
        for view in views:
            np.maximum(greatest, view, out=greatest)
        if greatest.size and greatest.min() > -np.inf:  # neither NaN nor nothing but -inf
            return _first_of(_equal_taps(windows, images, greatest))
    _, best = _first_greatest(windows, images)
    return (best == tap for tap in range(windows.number_of_taps))


def _where_hit(grads, hit):
    """The gradients where there is a hit, else 0: by their bits, which is quicker than np.where."""
    bits = np.dtype(f"i{grads.dtype.itemsize}")
    mask = -hit.view(np.int8).astype(bits)  # -1 has all bits
    return (grads.view(bits) & mask).view(grads.dtype)


def _sum_of_hits(windows, hits, grads):
    """Zeros of the images' shape, with each window's gradient added at its hits."""
    sizes = grads.shape[0], grads.shape[-1], grads.dtype
    if not windows.disjoint:
        return windows.sum_of([_where_hit(grads, hit) for hit in hits], *sizes)
    result = windows.padded_zeros(*sizes)
    for tap, hit in enumerate(hits):
        windows.at(result, tap)[...] = _where_hit(grads, hit)
    result += 0  # as a sum has it: 0, also for a gradient of -0
    return windows.unpadded(result)


def _taken(windows, hits, grads):
    """For each window the gradient at its hit, or zero."""
    result = np.zeros((grads.shape[0], *windows.counts, grads.shape[-1]), grads.dtype)
    for hit, view in zip(hits, windows.at_each_tap(windows.padded(grads)), strict=True):
        np.copyto(result, view, where=hit)
    return result


def _max_pool(input, ksize, strides, op):
    _check_channels_last(op, "Default MaxPoolingOp")
    _check_images(input, ksize, strides)
    if ksize[3] > 1:
        split = input.reshape(*input.shape[:3], -1, ksize[3])
        return split.max(axis=-1)
    windows = _windows(input.shape[1:-1], ksize, strides, op)
    return _greatest(windows, input)


def _max_pool_grad(orig_input, orig_output, grad, ksize, strides, op):
    _check_channels_last(op, "Default MaxPoolingGradOp")
    if ksize[3] != 1 or strides[3] != 1:
        raise errors.unimplemented("MaxPoolingGrad is not yet supported on the depth dimension.")
    _check_images(orig_input, ksize, strides)
    windows = _windows(orig_input.shape[1:-1], ksize, strides, op)
    _check_grads(windows, orig_input, orig_output, grad)
    return _sum_of_hits(windows, _hits(windows, orig_input), grad)


def _max_pool_grad_grad(orig_input, orig_output, grad, ksize, strides, op):
    _check_channels_last(op, "Default MaxPoolingGradGradOp")
    if ksize[3] != 1 or strides[3] != 1:
        raise errors.unimplemented("MaxPoolingGrad is not yet supported on the depth dimension.")
    _check_images(orig_input, ksize, strides)
    windows = _windows(orig_input.shape[1:-1], ksize, strides, op)
    _check_shape("grad", grad, orig_input.shape)
    first = _first_of(_equal_taps(windows, orig_input, orig_output))
    return _taken(windows, first, grad)


# -- the greatest: the ops ---------------------------------------------------------------

_POOLED = Types(REAL - {dtypes.uint32, dtypes.uint64}, default=dtypes.float32)
_REAL = Types(REAL, default=dtypes.float32)


@op("input: T -> output: T", T=_POOLED, explicit_paddings=(), **_IMAGE)
class MaxPool:
    """The greatest element of each window; NaN is passed over."""

    shape = _pooled_dims

    def kernel(input, *, ksize, strides, op):
        return _max_pool(input, ksize, strides, op)

    def gradient(op, grad):
        attrs = _attrs(op, "explicit_paddings")
        return MaxPoolGrad(op.inputs[0], op.outputs[0], grad, **attrs)


@op(
    "orig_input: T, orig_output: T, grad: T -> output: T",
    T=_REAL,
    explicit_paddings=(),
    **_IMAGE,
)
class MaxPoolGrad:
    """Each window's gradient, added where its greatest element was; ties go to the first."""

    shape = _dims_of(0, 4)

    def kernel(orig_input, orig_output, grad, *, ksize, strides, op):
        return _max_pool_grad(orig_input, orig_output, grad, ksize, strides, op)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPoolGradGrad(original, pooled, grad, **_attrs(op)),
        )


@op("orig_input: T, orig_output: T, grad: T -> output: T", T=REAL, **_IMAGE)
class MaxPoolGradGrad:
    """For each window, the gradient where its greatest element was."""

    shape = _merged_input_and_grad

    def kernel(orig_input, orig_output, grad, *, ksize, strides, op):
        return _max_pool_grad_grad(orig_input, orig_output, grad, ksize, strides, op)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPoolGrad(original, pooled, grad, **_attrs(op)),
        )


@op("input: T, ksize: int32, strides: int32 -> output: T", T=_POOLED, **_V2)
class MaxPoolV2:
    """`MaxPool` with its sizes as inputs."""

    shape = _pooled_dims_by_inputs

    def kernel(input, ksize, strides, *, op):
        return _max_pool(input, ksize.tolist(), strides.tolist(), op)

    def gradient(op, grad):
        input, ksize, strides = op.inputs
        return MaxPoolGradV2(input, op.outputs[0], grad, ksize, strides, **_attrs(op)), None, None


@op(
    "orig_input: T, orig_output: T, grad: T, ksize: int32, strides: int32 -> output: T",
    T=_REAL,
    **_V2,
)
class MaxPoolGradV2:
    """`MaxPoolGrad` with its sizes as inputs."""

    shape = _dims_of(0, 4)

    def kernel(orig_input, orig_output, grad, ksize, strides, *, op):
        sizes = ksize.tolist(), strides.tolist()
        return _max_pool_grad(orig_input, orig_output, grad, *sizes, op)

    def gradient(op, grad):
        original, pooled, _, ksize, strides = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPoolGradGradV2(original, pooled, grad, ksize, strides, **_attrs(op)),
            None,
            None,
        )


@op(
    "orig_input: T, orig_output: T, grad: T, ksize: int32, strides: int32 -> output: T",
    T=REAL,
    **_V2,
)
class MaxPoolGradGradV2:
    """`MaxPoolGradGrad` with its sizes as inputs."""

    shape = _merged_input_and_grad

    def kernel(orig_input, orig_output, grad, ksize, strides, *, op):
        sizes = ksize.tolist(), strides.tolist()
        return _max_pool_grad_grad(orig_input, orig_output, grad, *sizes, op)

    gradient = NO_GRADIENT


# -- the greatest and its place ----------------------------------------------------------

_WITH_ARGMAX = {
    "ksize": REQUIRED,
    "strides": REQUIRED,
    "padding": REQUIRED,
    "include_batch_in_index": False,
}


def _starts(batch, size, include_batch_in_index):
    """What is to be added to the places in each image."""
    starts = np.arange(batch) * size if include_batch_in_index else np.zeros(batch, np.int64)
    return starts.reshape(-1, 1, 1, 1)


@op(
    "input: T -> output: T, argmax: Targmax",
    T=REAL,
    Targmax=INT64_BY_DEFAULT,
    **_WITH_ARGMAX,
)
class MaxPoolWithArgmax:
    """The greatest element of each window, and its place in the flattened image."""

    def shape(op):
        check_words(op, padding=("SAME", "VALID"))
        dims = with_rank(op.inputs[0].dims, 4)
        _check_lengths(op, 4)
        if min(op.attrs["ksize"]) <= 0:
            raise ValueError(f"ksize must be a positive int32 value, got:{min(op.attrs['ksize'])}")
        result = list(dims)
        for axis in (1, 2, 3):
            sizes = op.attrs["ksize"][axis], op.attrs["strides"][axis]
            if axis < 3 or sizes[0] > 1:
                result[axis] = static_count(dims[axis], *sizes, op.attrs["padding"])
        return [tuple(result)] * 2

    def kernel(input, *, include_batch_in_index, Targmax, op):
        if input.ndim != 4:
            raise errors.invalid_argument("tensor_in must be 4-dimensional (2)")
        if not input.size:
            raise errors.invalid_argument("tensor_in must not be empty (2)")
        windows = _image_windows(input, op)
        greatest, best = _first_greatest(windows, input)
        batch, *_, channels = input.shape
        rows, columns = np.ogrid[: windows.counts[0], : windows.counts[1]]
        places = windows.places().reshape(*windows.counts, -1)
        at = places[rows[..., np.newaxis], columns[..., np.newaxis], best] * channels
        at = at + np.arange(channels)
        at = at + _starts(batch, input[0].size, include_batch_in_index)
        return greatest, at.astype(Targmax.as_numpy_dtype)

    def gradient(op, grad, _):
        attrs = {name: op.attrs[name] for name in _WITH_ARGMAX}
        return MaxPoolGradWithArgmax(op.inputs[0], grad, op.outputs[1], **attrs)


@op("input: T, grad: T, argmax: Targmax -> output: T", T=REAL, Targmax=INDEX, **_WITH_ARGMAX)
class MaxPoolGradWithArgmax:
    """Each window's gradient, added at the place that `argmax` names."""

    def shape(op):
        check_words(op, padding=("SAME", "VALID"))
        return with_rank(op.inputs[0].dims, 4)

    def kernel(input, grad, argmax, *, include_batch_in_index, op):
        if argmax.dtype != np.int64:
            raise errors.no_kernel(op)
        _image_windows(input, op)
        if grad.shape != argmax.shape:
            raise errors.invalid_argument(
                f"grad has shape {bracket_dims(grad.shape)} and argmax {bracket_dims(argmax.shape)}"
            )
        if argmax.size and not 0 <= argmax.min() <= argmax.max() < input.size:
            raise errors.invalid_argument("argmax is out of range")
        result = np.zeros(input.shape, grad.dtype)
        size = input[0].size if len(input) else 0
        at = argmax + _starts(len(grad), size, not include_batch_in_index)
        np.add.at(result.reshape(-1), at, grad)
        return result

    gradient = NO_GRADIENT


# -- the greatest in volumes -------------------------------------------------------------

_HALF_AND_SINGLE = frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32})
_HALF_AND_SINGLE_BY_DEFAULT = Types(_HALF_AND_SINGLE, default=dtypes.float32)


def _volume_windows(volumes, op, kernel):
    _check_volume_kernel(op, volumes.dtype)
    _check_channels_last(op, kernel)
    _check_volumes(volumes, op)
    return _windows(volumes.shape[1:-1], op.attrs["ksize"], op.attrs["strides"], op)


@op("input: T -> output: T", T=_HALF_AND_SINGLE, **_VOLUME)
class MaxPool3D:
    """The greatest element of each window of volumes.

    Whatever comes after a NaN takes its place, and of equal ones the last counts.
    """

    shape = _pooled_dims

    def kernel(input, *, op):
        windows = _volume_windows(input, op, "Default Pooling3DOp")
        padded = np.ascontiguousarray(windows.padded(input, _lowest(input.dtype)))
        views = windows.at_each_tap(padded)
        result = next(views).copy()
        for view in views:
            np.maximum(result, view, out=result)
        plain = not result.size or result.min() > -np.inf
        if plain and not (np.any(result == 0) and _has_negative_zero(padded)):
            return result
        views = windows.at_each_tap(padded)
        result = next(views).copy()
        for view in views:
            np.copyto(result, view, where=~(result > view))
        return result

    def gradient(op, grad):
        return MaxPool3DGrad(op.inputs[0], op.outputs[0], grad, **_attrs(op))


@op(
    "orig_input: TInput, orig_output: TInput, grad: T -> output: T",
    T=_HALF_AND_SINGLE_BY_DEFAULT,
    TInput=_HALF_AND_SINGLE_BY_DEFAULT,
    **_VOLUME,
)
class MaxPool3DGrad:
    """Each window's gradient, added to every element that is near its greatest.

    Near is less than 1e-5 away, whatever their size: so TensorFlow's kernel has it.
    """

    shape = _dims_of(0, 5)

    def kernel(orig_input, orig_output, grad, *, op):
        windows = _volume_windows(orig_input, op, "Default MaxPooling3dGradOp")
        _check_grads(windows, orig_input, orig_output, grad)
        near = orig_input.dtype.type(1e-5)
        padded = windows.padded(orig_input, np.nan)
        hits = (np.abs(view - orig_output) < near for view in windows.at_each_tap(padded))
        return _sum_of_hits(windows, hits, grad)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPool3DGradGrad(original, pooled, grad, **_attrs(op)),
        )


@op("orig_input: T, orig_output: T, grad: T -> output: T", T=REAL, **_VOLUME)
class MaxPool3DGradGrad:
    """For each window, the gradient where the first element is that equals its greatest."""

    shape = _merged_input_and_grad

    def kernel(orig_input, orig_output, grad, *, op):
        windows = _volume_windows(orig_input, op, "Default MaxPooling3dGradGradOp")
        first = _first_of(_equal_taps(windows, orig_input, orig_output))
        return _taken(windows, first, grad)

    def gradient(op, grad):
        original, pooled, _ = op.inputs
        return (
            zeros_like(original),
            zeros_like(pooled),
            MaxPool3DGrad(original, pooled, grad, **_attrs(op)),
        )


# -- the mean ----------------------------------------------------------------------------


def _how_many(windows, dtype):
    """[*counts, 1]: how many taps of each window are in the image."""
    axes = tuple(range(len(windows.counts), 2 * len(windows.counts)))
    return windows.inside().sum(axis=axes).astype(dtype)[..., np.newaxis]


def _means(windows, images):
    """Sums tap by tap, in the images' dtype, divided by how many there are."""
    views = windows.at_each_tap(windows.padded(images))
    total = np.zeros((images.shape[0], *windows.counts, images.shape[-1]), images.dtype)
    for view in views:
        total += view
    total /= _how_many(windows, images.dtype)
    return total


def _shared(windows, grads):
    """Each window's gradient, shared among its elements that are in the image."""
    shares = grads * (grads.dtype.type(1) / _how_many(windows, grads.dtype))
    parts = [shares] * windows.number_of_taps
    return windows.sum_of(parts, grads.shape[0], grads.shape[-1], grads.dtype)


def _shape_given(op):
    _check_words(op)
    rank = len(op.attrs["data_format"])
    _check_lengths(op, rank)
    return with_rank(shape_value(op.inputs[0]), rank)


def _image_means_windows(images_shape, op, kernel):
    _check_channels_last(op, kernel)
    ksize, strides = op.attrs["ksize"], op.attrs["strides"]
    if ksize[3] != 1 and ksize[1:3] == [1, 1] and ksize[3] == strides[3]:
        raise errors.unimplemented("Non-spatial pooling is not yet supported. Volunteers? :)")
    _check_images(np.broadcast_to(0, images_shape), ksize, strides)
    return _windows(images_shape[1:-1], ksize, strides, op)


def _check_sizes(windows, images_shape, grad):
    _check_shape("grad", grad, (images_shape[0], *windows.counts, images_shape[-1]))


@op("value: T -> output: T", T=FLOATING, **_IMAGE)
class AvgPool:
    """The mean of each window, of what lies in the image."""

    shape = _pooled_dims

    def kernel(value, *, op):
        windows = _image_means_windows(value.shape, op, "Default AvgPoolingOp")
        return _means(windows, value)

    def gradient(op, grad):
        return AvgPoolGrad(shape(op.inputs[0]), grad, **_attrs(op))


@op("orig_input_shape: int32, grad: T -> output: T", T=FLOATING, **_IMAGE)
class AvgPoolGrad:
    """Each window's gradient, shared among its elements."""

    shape = _shape_given

    def kernel(orig_input_shape, grad, *, op):
        images_shape = tuple(orig_input_shape.tolist())
        windows = _image_means_windows(images_shape, op, "Default AvgPoolingGradOp")
        _check_sizes(windows, images_shape, grad)
        return _shared(windows, grad)

    def gradient(op, grad):
        return stop_gradient(op.inputs[0]), AvgPool(grad, **_attrs(op))


@op("input: T -> output: T", T=FLOATING, **_VOLUME)
class AvgPool3D:
    """The mean of each window of volumes, of what lies in them."""

    shape = _pooled_dims

    def kernel(input, *, op):
        return _means(_volume_windows(input, op, "Default Pooling3DOp"), input)

    def gradient(op, grad):
        return AvgPool3DGrad(shape(op.inputs[0]), grad, **_attrs(op))


@op("orig_input_shape: int32, grad: T -> output: T", T=FLOATING, **_VOLUME)
class AvgPool3DGrad:
    """Each window's gradient, shared among its elements."""

    shape = _shape_given

    def kernel(orig_input_shape, grad, *, op):
        volumes_shape = tuple(orig_input_shape.tolist())
        volumes = np.broadcast_to(grad.dtype.type(0), volumes_shape)
        windows = _volume_windows(volumes, op, "Default AvgPooling3dGradOp")
        _check_sizes(windows, volumes_shape, grad)
        return _shared(windows, grad)

    def gradient(op, grad):
        return stop_gradient(op.inputs[0]), AvgPool3D(grad, **_attrs(op))
