"""Discrete Fourier transforms over the last one, two or three axes.

SciPy's transforms do the work, in the precision of the tensor. The gradient of a transform is
the one in the opposite direction, scaled by the number of points; where only half of a
spectrum is kept, the other half is made up for.
"""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import COMPLEX64_BY_DEFAULT, PARTS_OF_COMPLEX
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.dims import with_rank, with_rank_at_least
from numpy_tf.ops.array.fill import ones, zeros, zeros_like
from numpy_tf.ops.array.gather import gather
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.sequences import Roll
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape
from numpy_tf.ops.array.slicing import pad
from numpy_tf.ops.array.stack import concat, stack, unstack
from numpy_tf.ops.array.transpose import tile, transpose
from numpy_tf.ops.math.arithmetic import Maximum
from numpy_tf.ops.math.cast import cast, conj
from numpy_tf.ops.math.comparison import Less
from numpy_tf.ops.math.complex import real
from numpy_tf.ops.math.elementwise import Exp, Reciprocal
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_prod
from numpy_tf.ops.math.sequence import range as range_of

_COMPLEX_OF = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}
_REAL_OF = {complex_: real_ for real_, complex_ in _COMPLEX_OF.items()}


def _scipy_fft():
    """SciPy's transforms: of many rows in float32 they take a tenth of the time of NumPy's."""
    from scipy import fft  # takes a moment: programs without a transform do not pay for it

    return fft


def _axes(count):
    return tuple(range(-count, 0))


def _size(tensor, count):
    """How many points the last `count` axes have, as a tensor."""
    return reduce_prod(shape(tensor)[-count:])


# -- complex to complex ------------------------------------------------------------------


def _complex_transform(count, name):
    def kernel(input):
        if input.ndim < count:
            raise errors.invalid_argument(
                f"Input must have rank of at least {count} but got: {list(input.shape)}"
            )
        return getattr(_scipy_fft(), name)(input, axes=_axes(count))

    return kernel


def _at_least(count):
    def shape_of(op):
        return with_rank_at_least(op.inputs[0].dims, count)

    return shape_of


def _forward_gradient(count, inverse):
    def gradient(op, grad):
        return inverse()(grad) * cast(_size(grad, count), grad.dtype)

    return gradient


def _inverse_gradient(count, forward):
    def gradient(op, grad):
        share = 1.0 / cast(_size(grad, count), grad.dtype.real_dtype)
        return forward()(grad) * cast(share, grad.dtype)

    return gradient


_COMPLEX = "input: Tcomplex -> output: Tcomplex"


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="fft, signal.fft, spectral.fft")
class FFT:
    """The transform of the last axis."""

    shape = _at_least(1)
    kernel = _complex_transform(1, "fftn")
    gradient = _forward_gradient(1, lambda: IFFT)


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="ifft, signal.ifft, spectral.ifft")
class IFFT:
    """The inverse transform of the last axis."""

    shape = _at_least(1)
    kernel = _complex_transform(1, "ifftn")
    gradient = _inverse_gradient(1, lambda: FFT)


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="fft2d, signal.fft2d, spectral.fft2d")
class FFT2D:
    """The transform of the last two axes."""

    shape = _at_least(2)
    kernel = _complex_transform(2, "fftn")
    gradient = _forward_gradient(2, lambda: IFFT2D)


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="ifft2d, signal.ifft2d, spectral.ifft2d")
class IFFT2D:
    """The inverse transform of the last two axes."""

    shape = _at_least(2)
    kernel = _complex_transform(2, "ifftn")
    gradient = _inverse_gradient(2, lambda: FFT2D)


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="fft3d, signal.fft3d, spectral.fft3d")
class FFT3D:
    """The transform of the last three axes."""

    shape = _at_least(3)
    kernel = _complex_transform(3, "fftn")
    gradient = _forward_gradient(3, lambda: IFFT3D)


@op(_COMPLEX, Tcomplex=COMPLEX64_BY_DEFAULT, public="ifft3d, signal.ifft3d, spectral.ifft3d")
class IFFT3D:
    """The inverse transform of the last three axes."""

    shape = _at_least(3)
    kernel = _complex_transform(3, "ifftn")
    gradient = _inverse_gradient(3, lambda: FFT3D)


# -- real to complex, and back -----------------------------------------------------------


def _half_shape(count, inverse):
    """The static shape: of the transformed axes what `fft_length` says, the last one halved."""

    def shape_of(op):
        dims = with_rank_at_least(op.inputs[0].dims, count)
        lengths_dims = with_rank(op.inputs[1].dims, 1)
        if lengths_dims[0] not in (count, None):
            raise ValueError(f"Dimension must be {count} but is {lengths_dims[0]}")
        if dims is None:
            return None
        lengths = constant_value(op.inputs[1])
        if lengths is None:
            return (*dims[:-count], *[None] * count)
        *outer, last = (int(length) for length in lengths)
        if not inverse:
            # An axis without elements stays one.
            last = last // 2 + 1 if last else 0
        return (*dims[:-count], *outer, last)

    return shape_of


def _checked_lengths(input, fft_length, count, needed):
    """`fft_length` as a tuple; the input must have `needed(length)` elements of the last axis."""
    if input.ndim < count:
        raise errors.invalid_argument(
            f"Input must have rank of at least {count} but got: {list(input.shape)}"
        )
    if fft_length.shape != (count,):
        raise errors.invalid_argument(f"fft_length must have shape [{count}]")
    lengths = tuple(int(length) for length in fft_length)
    wanted = (*lengths[:-1], needed(lengths[-1]))
    for axis, (size, least, length) in enumerate(
        zip(input.shape[-count:], wanted, lengths, strict=True)
    ):
        if length < 0:
            raise errors.invalid_argument(f"fft_length[{axis}] must be >= 0, but got: {length}")
        if input.size and size < least:
            raise errors.invalid_argument(
                f"Input dimension {input.ndim - count + axis} must have length of at least "
                f"{least} but got: {size}"
            )
    return lengths


def _half_kernel(count):
    def kernel(input, fft_length, *, dtype):
        lengths = _checked_lengths(input, fft_length, count, lambda length: length)
        if not input.size or 0 in lengths:
            outer = input.shape[: input.ndim - count]
            return np.zeros((*outer, *lengths[:-1], lengths[-1] // 2 + (lengths[-1] > 0)), dtype)
        return _scipy_fft().rfftn(input, lengths, _axes(count)).astype(dtype, copy=False)

    return kernel


def _whole_kernel(count):
    def kernel(input, fft_length, *, dtype):
        lengths = _checked_lengths(input, fft_length, count, lambda length: length // 2 + 1)
        if not input.size or 0 in lengths:
            return np.zeros((*input.shape[: input.ndim - count], *lengths), dtype)
        return _scipy_fft().irfftn(input, lengths, _axes(count)).astype(dtype, copy=False)

    return kernel


def _alternating(length, dtype):
    """1, -1, 1, … as a tensor."""
    return cast(1 - 2 * (range_of(length) % 2), dtype)


def _roots_of_unity(length, dtype):
    """exp(-2πi·j·k / length) for j and k below `length`, [length, length]."""
    columns = tile(expand_dims(range_of(length), 0), (length, 1))
    products = columns * transpose(columns, [1, 0])
    return Exp(-2j * np.pi * cast(products, dtype) / cast(length, dtype))


def _for_each_batch(matrix, tensor):
    """`matrix`, once for each batch that `tensor` has before its last two axes."""
    ranks = ones([rank(tensor) - 2], dtypes.int32)
    expanded = reshape(matrix, concat([ranks, shape(matrix)], 0))
    return tile(expanded, concat([shape(tensor)[:-2], [1, 1]], 0))


def _half_gradient(count, inverse):
    """The whole spectrum's transform, of which the half that was dropped is made up for."""

    def gradient(op, grad):
        input, lengths = op.inputs
        sizes = shape(input)
        is_even = cast(1 - (lengths[-1] % 2), grad.dtype)
        first, last = grad[..., 0:1], grad[..., -1:]
        if count == 1:
            unpaired = first + is_even * last * _alternating(sizes[-1], grad.dtype)
        else:
            roots = _for_each_batch(_roots_of_unity(sizes[-2], grad.dtype), first)
            unpaired = matmul(roots, conj(first))
            width = sizes[-1]
            once = ones([rank(grad) - 1], dtypes.int32)
            columns = tile(matmul(roots, conj(last)), concat([once, [width]], 0))
            unpaired += is_even * (columns * _alternating(width, grad.dtype))
        points = cast(_size(input, count), grad.dtype.real_dtype)
        return 0.5 * (_public_functions[inverse](grad, lengths) * points + real(unpaired)), None

    return gradient


def _whole_gradient(count, forward):
    """Elements of the half spectrum that stand for two count twice."""

    def gradient(op, grad):
        known = constant_value(op.inputs[1])
        lengths = op.inputs[1] if known is None else known
        is_odd = lengths[-1] % 2
        kept = shape(op.inputs[0])[-1]
        mask = concat(
            [
                [1.0],
                2.0 * ones([kept - 2 + is_odd], grad.dtype),
                ones([1 - is_odd], grad.dtype),
            ],
            0,
        )
        share = Reciprocal(cast(_size(grad, count), grad.dtype))
        return _public_functions[forward](grad, lengths) * cast(
            share * mask, _COMPLEX_OF[grad.dtype]
        ), None

    return gradient


_public_functions = {}  # by name: the gradients go through them, each to the other direction

_TO_HALF = "input: Treal, fft_length: int32 -> output: Tcomplex"
_TO_WHOLE = "input: Tcomplex, fft_length: int32 -> output: Treal"
_BOTH = {"Treal": PARTS_OF_COMPLEX, "Tcomplex": COMPLEX64_BY_DEFAULT}


@op(_TO_HALF, **_BOTH)
class RFFT:
    """The first half of the transform of real numbers, over the last axis."""

    shape = _half_shape(1, inverse=False)
    kernel = _half_kernel(1)
    gradient = _half_gradient(1, "irfft")


@op(_TO_WHOLE, **_BOTH)
class IRFFT:
    """The real numbers whose transform's first half is given, over the last axis."""

    shape = _half_shape(1, inverse=True)
    kernel = _whole_kernel(1)
    gradient = _whole_gradient(1, "rfft")


@op(_TO_HALF, **_BOTH)
class RFFT2D:
    """The first half of the transform of real numbers, over the last two axes."""

    shape = _half_shape(2, inverse=False)
    kernel = _half_kernel(2)
    gradient = _half_gradient(2, "irfft2d")


@op(_TO_WHOLE, **_BOTH)
class IRFFT2D:
    """The real numbers whose transform's first half is given, over the last two axes."""

    shape = _half_shape(2, inverse=True)
    kernel = _whole_kernel(2)
    gradient = _whole_gradient(2, "rfft2d")


@op(_TO_HALF, **_BOTH)
class RFFT3D:
    """The first half of the transform of real numbers, over the last three axes."""

    shape = _half_shape(3, inverse=False)
    kernel = _half_kernel(3)
    gradient = NO_GRADIENT


@op(_TO_WHOLE, **_BOTH)
class IRFFT3D:
    """The real numbers whose transform's first half is given, over the last three axes."""

    shape = _half_shape(3, inverse=True)
    kernel = _whole_kernel(3)
    gradient = NO_GRADIENT


def _lengths_of(tensor, count, inverse):
    """The `fft_length` that keeps all points, as a constant where the shape is known."""
    dims = None if tensor.dims is None else tensor.dims[-count:]
    if dims is not None and None not in dims:
        lengths = list(dims)
        if inverse and lengths:
            lengths[-1] = max(0, 2 * (lengths[-1] - 1))
        return convert_to_tensor(lengths, dtypes.int32)
    sizes = shape(tensor)[-count:]
    if not inverse:
        return sizes
    *outer, last = unstack(sizes)
    return stack([*outer, Maximum(0, 2 * (last - 1))])


def _padded(tensor, count, lengths, inverse):
    """The tensor with zeros added up to `lengths`; only the half that is kept, for an inverse."""
    known = constant_value(lengths)
    if tensor.dims is not None and 0 in tensor.dims:
        return tensor
    if known is not None and tensor.dims is not None and None not in tensor.dims[-count:]:
        wanted = [int(length) for length in known]
        if inverse:
            wanted[-1] = wanted[-1] // 2 + 1
        more = [max(w - size, 0) for w, size in zip(wanted, tensor.dims[-count:], strict=True)]
        if not any(more):
            return tensor
        outer = [[0, 0]] * (len(tensor.dims) - count)
        return pad(tensor, outer + [[0, after] for after in more])
    outer = zeros([Maximum(0, rank(tensor) - count)], lengths.dtype)
    sizes = shape(tensor)[-count:]
    if inverse:
        lengths = concat([lengths[:-1], lengths[-1:] // 2 + 1], 0)
    after = concat([outer, Maximum(0, lengths - sizes)], 0)
    return pad(tensor, stack([zeros_like(after), after], axis=1))


def _public(definition, count, inverse):
    """The function that people call: it settles `fft_length` and pads what is too short."""
    name = definition.name.lower()
    attribute, results = ("Treal", _REAL_OF) if inverse else ("Tcomplex", _COMPLEX_OF)
    wanted = "tf.complex64 or tf.complex128" if inverse else "tf.float32 or tf.float64"
    preferred = dtypes.complex64 if inverse else dtypes.float32
    direction = "IRFFT" if inverse else "RFFT"

    def transform(input_tensor, fft_length=None, name=None):
        with NameScope(name, definition.name.lower(), [input_tensor, fft_length]) as scope:
            tensor = convert_to_tensor(input_tensor, preferred_dtype=preferred)
            with_rank_at_least(tensor.dims, count)
            if tensor.dtype not in results:
                raise ValueError(f"{direction} requires {wanted} inputs, got: {input_tensor}")
            if fft_length is None:
                lengths = _lengths_of(tensor, count, inverse)
            else:
                lengths = convert_to_tensor(fft_length, dtypes.int32)
            tensor = _padded(tensor, count, lengths, inverse)
            known = constant_value(lengths)
            lengths = lengths if known is None else known
            return definition(tensor, lengths, name=scope, **{attribute: results[tensor.dtype]})

    transform.__name__ = name
    transform.__doc__ = definition.__doc__
    _public_functions[name] = transform
    return export(name, f"signal.{name}", f"spectral.{name}")(transform)


rfft = _public(RFFT, 1, inverse=False)
irfft = _public(IRFFT, 1, inverse=True)
rfft2d = _public(RFFT2D, 2, inverse=False)
irfft2d = _public(IRFFT2D, 2, inverse=True)
rfft3d = _public(RFFT3D, 3, inverse=False)
irfft3d = _public(IRFFT3D, 3, inverse=True)


# -- shifting the origin -----------------------------------------------------------------


@export("signal.fftshift")
def fftshift(x, axes=None, name=None):
    """Moves the frequency 0 to the middle of `axes`, by default of all."""
    return _shifted(x, axes, name, "fftshift", 1)


@export("signal.ifftshift")
def ifftshift(x, axes=None, name=None):
    """Undoes `fftshift`."""
    return _shifted(x, axes, name, "ifftshift", -1)


def _shifted(x, axes, name, default, sign):
    with NameScope(name, default, [x]) as scope:
        x = convert_to_tensor(x)
        if axes is None:
            axes = tuple(range(len(x.dims)))
            sizes = shape(x)
        elif isinstance(axes, int):
            sizes = shape(x)[axes]
        else:
            axes = where(Less(axes, 0), axes + rank(x), axes)
            sizes = gather(shape(x), axes)
        half = sizes // 2
        return Roll(x, half if sign > 0 else -half, axes, name=scope)
