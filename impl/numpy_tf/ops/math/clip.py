"""Clipping: of values to an interval, of tensors to a norm."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import NUMERIC
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, colocate_with
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import op
from numpy_tf.ops.array.basic import identity
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import ones_like, zeros
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import BroadcastGradientArgs, rank, reshape, shape, size
from numpy_tf.ops.array.stack import stack
from numpy_tf.ops.math.arithmetic import Maximum, Minimum
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import Greater, Less, LogicalOr
from numpy_tf.ops.math.complex import real
from numpy_tf.ops.math.elementwise import Rsqrt, Sqrt
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.nn.norm import L2Loss


@op("t: T, clip_value_min: T, clip_value_max: T -> output: T", T=NUMERIC)
class ClipByValue:
    """The input between two bounds."""

    def kernel(t, clip_value_min, clip_value_max):
        # By comparisons, so that a bound of NaN is none and a tie leaves the zero its sign.
        lowered = np.where(clip_value_max < t, clip_value_max, t)
        return np.where(lowered < clip_value_min, clip_value_min, lowered)

    def gradient(op, grad):
        x, low, high = op.inputs
        low_shape, high_shape = shape(low), shape(high)
        nothing = zeros(shape(grad), grad.dtype)
        below, above = Less(x, low), Greater(x, high)
        _, low_axes = BroadcastGradientArgs(shape(x), low_shape)
        _, high_axes = BroadcastGradientArgs(shape(x), high_shape)
        of_low = where(below, grad, nothing)
        of_high = where(above, grad, nothing)
        return (
            where(LogicalOr(below, above), nothing, grad),
            reshape(reduce_sum(of_low, low_axes), low_shape),
            reshape(reduce_sum(of_high, high_axes), high_shape),
        )


def _values_of(t, name="t"):
    return convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name=name)


def _like(values, t):
    if isinstance(t, IndexedSlices):
        return IndexedSlices(values, t.indices, t.dense_shape)
    return values


def _check_not_widened(values, result):
    if not values.shape.is_compatible_with(result.shape):
        raise ValueError(f"Shapes {values.shape} and {result.shape} are incompatible")


@export("clip_by_value")
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """`t` between two bounds, which broadcast to its shape.

    Raises:
      ValueError: for bounds that would widen `t`.
    """
    with NameScope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        values = _values_of(t)
        lowered = Minimum(values, clip_value_max)
        _check_not_widened(values, lowered)
        raised = Maximum(lowered, clip_value_min, name=scope)
        _check_not_widened(values, raised)
        return _like(raised, t)


@export("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value, dtype, name=None):
    """A cast in which what the other dtype cannot hold becomes its least or greatest number."""
    with NameScope(name, "saturate_cast", [value]) as scope:
        value = convert_to_tensor(value, name="value")
        wanted = dtypes.as_dtype(dtype).base_dtype
        if value.dtype.is_complex and not wanted.is_complex:
            value = real(value)
        if not value.dtype.is_complex:
            least, greatest = _common_range(value.dtype, wanted.real_dtype)
            value = ClipByValue(value, least, greatest, name="clamp")
        elif wanted.real_dtype.max < value.dtype.real_dtype.max:
            edge = wanted.real_dtype.max
            corners = (complex(-edge, -edge), complex(edge, edge))
            low, high = (convert_to_tensor(corner, value.dtype) for corner in corners)
            value = ClipByValue(value, low, high, name="clamp")
        return cast(value, wanted, name=scope)


def _common_range(given, wanted):
    """The least and greatest number of `given`'s dtype that `wanted` can hold as well."""
    number = given.as_numpy_dtype
    limits = []
    for of_given, of_wanted, nearer in (
        (given.min, wanted.min, max),
        (given.max, wanted.max, min),
    ):
        limit = number(nearer(of_given, of_wanted, key=float))
        if nearer(float(limit), float(of_wanted)) != float(limit):  # it was rounded outwards
            limit = np.nextafter(limit, number(0))
        limits.append(convert_to_tensor(limit, given))
    return limits


@export("clip_by_norm")
def clip_by_norm(t, clip_norm, axes=None, name=None):
    """`t`, scaled down to the norm `clip_norm` along `axes` where it is above that.

    Raises:
      ValueError: for a `clip_norm` that would widen `t`.
    """
    with NameScope(name, "clip_by_norm", [t, clip_norm]) as scope:
        values = _values_of(t)
        if np.isscalar(clip_norm):
            clip_norm = max(clip_norm, 0)
        else:
            clip_norm = cast(Maximum(clip_norm, 0), values.dtype)
        squares = reduce_sum(values * values, axes, keepdims=True)
        positive = squares > 0
        # √ of 1 in place of 0, whose infinite derivative times 0 would be NaN.
        safe = where(positive, squares, ones_like(squares))
        norms = where(positive, Sqrt(safe), squares)
        scaled = values * clip_norm
        _check_not_widened(values, scaled)
        clipped = identity(scaled / Maximum(norms, clip_norm), name=scope)
        return _like(clipped, t)


def _check_sequence(t_list):
    if not isinstance(t_list, (list, tuple)):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return list(t_list)


def _values_of_all(t_list):
    return [None if t is None else _values_of(t, f"t_{i}") for i, t in enumerate(t_list)]


@export("global_norm", "linalg.global_norm")
def global_norm(t_list, name=None):
    """The norm of all elements of all tensors together; None among them is passed over.

    Raises:
      TypeError: when `t_list` is no list or tuple.
    """
    t_list = _check_sequence(t_list)
    with NameScope(name, "global_norm", [t for t in t_list if t is not None]):
        halves = []
        for values in _values_of_all(t_list):
            if values is not None:
                with colocate_with(values):
                    halves.append(L2Loss(values))
        half = reduce_sum(stack(halves))
        return Sqrt(half * constant(2.0, dtype=half.dtype), name="global_norm")


@export("clip_by_global_norm")
def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """All tensors scaled by one factor, so that their global norm is at most `clip_norm`.

    Returns:
      The list of clipped tensors (None where there was None; all NaN when the norm is not
      finite), and the global norm before.

    Raises:
      TypeError: when `t_list` is no list or tuple.
    """
    t_list = _check_sequence(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    given = [t for t in (*t_list, clip_norm) if t is not None]
    with NameScope(name, "clip_by_global_norm", given) as scope:
        factor = clip_norm * Minimum(
            1.0 / use_norm, constant(1.0, dtype=use_norm.dtype) / clip_norm
        )
        # Adds 0, or NaN when the norm is infinite.
        factor = factor + (use_norm - use_norm)
        clipped = []
        for i, values in enumerate(_values_of_all(t_list)):
            if values is None:
                clipped.append(None)
                continue
            with colocate_with(values):
                scaled = identity(values * cast(factor, values.dtype), name=f"{scope}_{i}")
            clipped.append(_like(scaled, t_list[i]))
        return clipped, use_norm


@export("clip_by_average_norm")
def clip_by_average_norm(t, clip_norm, name=None):
    """`t`, scaled down so that its norm over its number of elements is at most `clip_norm`."""
    with NameScope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        t = convert_to_tensor(t, name="t")
        count = cast(size(t), dtypes.float32)
        inverse = Rsqrt(reduce_sum(t * t, range_of(rank(t))))
        factor = Minimum(inverse * count, constant(1.0) / clip_norm)
        return identity(t * clip_norm * factor, name=scope)
