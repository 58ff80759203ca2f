"""Reductions: sums, products, means and extremes along axes."""

import functools
import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import INT32_BY_DEFAULT, NUMERIC, REAL
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.ops.array.constant import constant, constant_from_array
from numpy_tf.ops.array.shape import BroadcastTo, rank, reshape, shape, size
from numpy_tf.ops.kernels import rows_summed_in_half
from numpy_tf.ops.math.arithmetic import Mul, add, divide, subtract, truediv
from numpy_tf.ops.math.cast import cast, conj
from numpy_tf.ops.math.comparison import Equal
from numpy_tf.ops.math.sequence import range as range_of

_NUMBERS = "input: T, reduction_indices as axis: Tidx -> output: T"
_FLAGS = "input: bool, reduction_indices as axis: Tidx -> output: bool"


def _reduced_dims(op):
    """Shape rule: without the reduced axes, or with 1 for each under keep_dims."""
    dims, keep = op.inputs[0].dims, op.attrs["keep_dims"]
    axes = constant_value(op.inputs[1])
    if dims is None:
        return None
    if axes is None:
        # Which axes is unknown, so every size is; even how many is, unless they are kept.
        return (None,) * len(dims) if keep else None
    reduced = set()
    for axis in axes.reshape(-1).tolist():
        if not -len(dims) <= axis < len(dims):
            raise ValueError(
                f"Invalid reduction dimension {axis} for input with {len(dims)} dimensions."
            )
        reduced.add(axis % len(dims))
    if keep:
        return tuple(1 if axis in reduced else d for axis, d in enumerate(dims))
    return tuple(d for axis, d in enumerate(dims) if axis not in reduced)


def _sum_along(input, axes, keep_dims):
    """The sum along axes, as TensorFlow's kernels take it.

    One element alone passes as it is (NumPy adds it to 0, which loses the sign of -0.0);
    bfloat16 is summed in float32 and rounded once, float16 is rounded after each term.
    """
    dtype = input.dtype
    if dtype.itemsize == 2 and dtype.kind not in "iuf":
        wide = np.add.reduce(input.astype(np.float32), axis=axes, keepdims=keep_dims)
        total = wide.astype(dtype)
    elif dtype == np.float16 and input.size and _are_innermost(axes, input.shape):
        kept = [size for axis, size in enumerate(input.shape) if axis not in axes]
        total = rows_summed_in_half(input.reshape(math.prod(kept), -1)).reshape(kept)
        total = np.expand_dims(total, axes) if keep_dims else total
    else:
        total = np.add.reduce(input, axis=axes, dtype=dtype, keepdims=keep_dims)
    return input.reshape(total.shape) if total.size == input.size else total


def _are_innermost(axes, shape):
    """Whether all of the axes come after all others, those of one element aside."""
    kept = [axis for axis, size in enumerate(shape) if size > 1 and axis not in axes]
    return all(axis > kept[-1] for axis in axes if shape[axis] > 1) if kept else True


def _unique_axes(indices, ndim):
    return _checked_axes(tuple(indices.reshape(-1).tolist()), ndim)


@functools.lru_cache(maxsize=1024)
def _checked_axes(indices, ndim):
    axes = tuple(axis % ndim for axis in indices) if ndim else ()
    if len(set(axes)) < len(axes):
        twice = next(axis for axis in axes if axes.count(axis) > 1)
        raise errors.invalid_argument(
            f"Invalid reduction arguments: Axes contains duplicate dimension: {twice}",
        )
    return axes


def _sum_gradient(op, grad):
    """The gradient spread over what was summed, by the shortest way that statics allow."""
    dims = op.inputs[0].dims
    axes = constant_value(op.inputs[1]) if dims is not None else None
    if axes is not None:
        full = None not in dims
        if np.array_equal(axes, np.arange(len(dims))):
            grad = reshape(grad, [1] * len(dims))
            multiples = (
                constant_from_array(np.array(dims, np.int32)) if full else shape(op.inputs[0])
            )
            return [_tile(grad, multiples), None]
        if full:
            kept = _with_ones(np.array(dims, np.int32), axes)
            grad = reshape(grad, kept)
            return [_tile(grad, np.array(dims, np.int32) // np.maximum(kept, 1)), None]
    input_shape = shape(op.inputs[0])
    if not op.attrs["keep_dims"]:
        grad = reshape(grad, reduced_shape(input_shape, op.inputs[1]))
    return [BroadcastTo(grad, input_shape), None]


def _tile(grad, multiples):
    from numpy_tf.ops.array.transpose import Tile

    return Tile(grad, multiples)


def _with_ones(dims, axes):
    dims = dims.copy()
    dims[np.asarray(axes, np.int64).reshape(-1)] = 1
    return dims


def reduced_shape(input_shape, axes):
    """The shape under keep_dims, as an array when it is known and else as a tensor."""
    known, known_axes = constant_value(input_shape), constant_value(axes)
    if known is not None and known_axes is not None:
        return _with_ones(known.astype(np.int32), known_axes)
    from numpy_tf.ops.array.data_flow import DynamicStitch
    from numpy_tf.ops.array.fill import ones

    # In the axes' dtype, though DynamicStitch takes int32 alone: axes of int64 are refused.
    axes = convert_to_tensor(axes)
    input_rank = size(input_shape, out_type=axes.dtype)
    axes = (axes + input_rank) % input_rank
    return DynamicStitch(
        [range_of(input_rank), axes], [input_shape, ones(shape(axes), dtype=dtypes.int32)]
    )


@op(_NUMBERS, T=NUMERIC, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Sum:
    """The sum along axes."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims):
        axes = _unique_axes(axis, input.ndim)
        return _sum_along(input, axes, keep_dims)

    gradient = _sum_gradient


@op(_NUMBERS, T=NUMERIC, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Mean:
    """The mean along axes; of no elements NaN, or 0 if they are complex."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims, dtype):
        axes = _unique_axes(axis, input.ndim)
        total = _sum_along(input, axes, keep_dims)
        count = math.prod([input.shape[axis] for axis in axes])
        if dtype.kind in "iu":
            return np.trunc(total / max(count, 1)).astype(dtype)
        return total if dtype.kind == "c" and not count else total / dtype.type(count)

    def gradient(op, grad):
        sum_grad = _sum_gradient(op, grad)[0]
        in_dims, out_dims = op.inputs[0].dims, op.outputs[0].dims
        if _full(in_dims) and _full(out_dims):
            count = int(np.prod(in_dims, dtype=np.int64)) // max(
                int(np.prod(out_dims, dtype=np.int64)), 1
            )
            factor = constant(count, dtype=sum_grad.dtype)
        else:
            from numpy_tf.ops.array.gather import gather

            input_shape = shape(op.inputs[0])
            input_rank = size(input_shape)
            axes = cast(op.inputs[1], input_rank.dtype)
            axes = (axes + input_rank) % input_rank
            factor = reduce_prod(gather(input_shape, axes))
        return truediv(sum_grad, cast(factor, sum_grad.dtype)), None


def _full(dims):
    return dims is not None and None not in dims


def _extreme_gradient(op, grad):
    """Split evenly among the elements that are the extreme."""
    x, axes = op.inputs
    y = op.outputs[0]
    input_shape = shape(x)
    if op.attrs["keep_dims"]:
        kept = shape(y)
    else:
        kept = reduced_shape(input_shape, axes)
        y, grad = reshape(y, kept), reshape(grad, kept)
    indicators = cast(Equal(y, x), grad.dtype)
    selected = reshape(reduce_sum(indicators, axes), kept)
    return [divide(indicators, selected) * grad, None]


def _extreme_kernel(reduce, least):
    """A kernel for a maximum or minimum; `least(dtype)` is the answer for no elements."""

    def kernel(input, axis, *, keep_dims):
        axes = _unique_axes(axis, input.ndim)
        return reduce(input, axis=axes, keepdims=keep_dims, initial=least(input.dtype))

    return kernel


def _lowest(dtype):
    return np.iinfo(dtype).min if dtype.kind in "iu" else dtype.type(-np.inf)


def _highest(dtype):
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type(np.inf)


@op(_NUMBERS, T=REAL, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Max:
    """The maximum along axes; of no elements, the dtype's least value."""

    shape = _reduced_dims
    kernel = _extreme_kernel(np.maximum.reduce, _lowest)
    gradient = _extreme_gradient


@op(_NUMBERS, T=REAL, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Min:
    """The minimum along axes; of no elements, the dtype's greatest value."""

    shape = _reduced_dims
    kernel = _extreme_kernel(np.minimum.reduce, _highest)
    gradient = _extreme_gradient


@op(_NUMBERS, T=NUMERIC, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Prod:
    """The product along axes."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims):
        axes = _unique_axes(axis, input.ndim)
        return np.multiply.reduce(input, axis=axes, dtype=input.dtype, keepdims=keep_dims)

    def gradient(op, grad):
        # Dividing the product by each element would fail at zeros, so the product of all
        # others is made of what comes before and what comes after.
        from numpy_tf.ops.array.gather import gather
        from numpy_tf.ops.array.stack import concat
        from numpy_tf.ops.array.transpose import invert_permutation, transpose
        from numpy_tf.ops.array.unique import ListDiff
        from numpy_tf.ops.math.cumulative import cumprod

        x = op.inputs[0]
        input_shape = shape(x)
        axes = reshape(op.inputs[1], [-1])
        if not op.attrs["keep_dims"]:
            grad = reshape(grad, reduced_shape(input_shape, op.inputs[1]))
        grad = BroadcastTo(grad, input_shape)
        ndim = rank(x)
        reduced = (cast(axes, ndim.dtype) + ndim) % ndim
        other, _ = ListDiff(range_of(0, ndim), reduced, out_idx=reduced.dtype)
        perm = concat([reduced, other], 0)
        reduced_count = reduce_prod(gather(input_shape, reduced))
        other_count = reduce_prod(gather(input_shape, other))
        permuted = transpose(x, perm)
        flat = reshape(permuted, [reduced_count, other_count])
        left = cumprod(flat, axis=0, exclusive=True)
        right = cumprod(flat, axis=0, exclusive=True, reverse=True)
        y = reshape(conj(left) * conj(right), shape(permuted))
        out = grad * transpose(y, invert_permutation(perm))
        return reshape(out, input_shape), None


@op(_FLAGS, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class All:
    """Whether all are true along axes."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims):
        axes = _unique_axes(axis, input.ndim)
        return np.logical_and.reduce(input, axis=axes, keepdims=keep_dims)

    gradient = NO_GRADIENT


@op(_FLAGS, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class Any:
    """Whether any is true along axes."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims):
        axes = _unique_axes(axis, input.ndim)
        return np.logical_or.reduce(input, axis=axes, keepdims=keep_dims)

    gradient = NO_GRADIENT


@op(_NUMBERS, T=NUMERIC, Tidx=INT32_BY_DEFAULT, keep_dims=False)
class EuclideanNorm:
    """The square root of the sum of squares along axes."""

    shape = _reduced_dims

    def kernel(input, axis, *, keep_dims, dtype):
        axes = _unique_axes(axis, input.ndim)
        squares = _sum_along(input * np.conjugate(input), axes, keep_dims)
        root = np.sqrt(squares)
        return np.trunc(root).astype(dtype) if dtype.kind in "iu" else root

    def gradient(op, grad):
        output = op.outputs[0]
        if not op.attrs["keep_dims"]:
            kept = reduced_shape(shape(op.inputs[0]), op.inputs[1])
            output, grad = reshape(output, kept), reshape(grad, kept)
        return truediv(op.inputs[0], output / grad), None


# -- the public functions ----------------------------------------------------------------


def _reduction(definition, public, what):
    """`tf.reduce_…(input_tensor, axis, keepdims)` for an op of this module."""

    def reduce(
        input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None
    ):
        axis = reduction_indices if axis is None else axis
        keep = bool(keep_dims if keepdims is None else keepdims)
        input_tensor = convert_to_tensor(input_tensor, name="input_tensor")
        indices = _all_axes(input_tensor) if axis is None else axis
        output = definition(input_tensor, indices, keep_dims=keep, name=name)
        if axis is None and not keep:
            output.set_shape(())
        return output

    reduce.__name__ = reduce.__qualname__ = public
    reduce.__doc__ = (
        f"{what} of `input_tensor` along `axis` (all axes when None).\n\n"
        "keepdims: whether reduced axes stay, with size 1."
    )
    return export(public, f"math.{public}")(reduce)


def _all_axes(tensor):
    if tensor.dims is not None:
        return constant_from_array(np.arange(len(tensor.dims), dtype=np.int32), "Const")
    return range_of(0, rank(tensor))


reduce_sum = _reduction(Sum, "reduce_sum", "The sum")
reduce_mean = _reduction(Mean, "reduce_mean", "The mean")
reduce_max = _reduction(Max, "reduce_max", "The maximum")
reduce_min = _reduction(Min, "reduce_min", "The minimum")
reduce_prod = _reduction(Prod, "reduce_prod", "The product")
reduce_all = _reduction(All, "reduce_all", "The logical and")
reduce_any = _reduction(Any, "reduce_any", "The logical or")


@export("math.reduce_euclidean_norm")
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of the sum of squares of `input_tensor` along `axis`."""
    input_tensor = convert_to_tensor(input_tensor, name="input_tensor")
    indices = _all_axes(input_tensor) if axis is None else axis
    output = EuclideanNorm(input_tensor, indices, keep_dims=bool(keepdims), name=name)
    if axis is None and not keepdims:
        output.set_shape(())
    return output


@export("reduce_logsumexp", "math.reduce_logsumexp")
def reduce_logsumexp(
    input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None
):
    """log Σ exp of `input_tensor` along `axis`, without overflow."""
    from numpy_tf.ops.array.basic import stop_gradient
    from numpy_tf.ops.array.select import SelectV2
    from numpy_tf.ops.math.comparison import IsFinite
    from numpy_tf.ops.math.elementwise import Exp, Log

    axis = reduction_indices if axis is None else axis
    keep = bool(keep_dims if keepdims is None else keepdims)
    with NameScope(name, "ReduceLogSumExp", [input_tensor]) as scope:
        greatest = reduce_max(input_tensor, axis=axis, keepdims=True)
        shift = stop_gradient(SelectV2(IsFinite(greatest), greatest, 0))
        exponentials = Exp(subtract(input_tensor, shift))
        result = Log(reduce_sum(exponentials, axis=axis, keepdims=keep))
        if not keep:
            shift = reshape(shift, shape(result))
        result = add(result, shift, name=scope)
        if axis is None and not keep:
            result.set_shape(())
        return result


@export("math.reduce_variance")
def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    """The mean squared distance from the mean along `axis`; of complex numbers it is real.

    Raises:
      TypeError: for integers.
    """
    from numpy_tf.ops.math.complex import Real
    from numpy_tf.ops.math.elementwise import Square

    with NameScope(name or "reduce_variance"):
        input_tensor = convert_to_tensor(input_tensor)
        means = reduce_mean(input_tensor, axis=axis, keepdims=True)
        if means.dtype.is_integer:
            raise TypeError(
                f"Input must be either real or complex. Received integer type {means.dtype}."
            )
        difference = input_tensor - means
        if difference.dtype.is_complex:
            product = Mul(conj(difference), difference)
            squares = Real(product, Tout=difference.dtype.real_dtype)
        else:
            squares = Square(difference)
        return reduce_mean(squares, axis=axis, keepdims=keepdims)


@export("math.reduce_std")
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of `reduce_variance`.

    Raises:
      TypeError: for integers.
    """
    from numpy_tf.ops.math.elementwise import Sqrt

    with NameScope(name or "reduce_std"):
        input_tensor = convert_to_tensor(input_tensor)
        return Sqrt(reduce_variance(input_tensor, axis=axis, keepdims=keepdims))
