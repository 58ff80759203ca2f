"""How the loss of each element becomes one loss: by weights, and by a reduction."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import GraphKeys, NameScope, control_dependencies
from numpy_tf.framework.static_value import constant_value
from numpy_tf.losses.collected import add_loss
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import rank, shape, size
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.control_flow import NoOp
from numpy_tf.ops.math.arithmetic import div_no_nan, multiply
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import LogicalOr, equal
from numpy_tf.ops.math.reduction import reduce_all, reduce_sum
from numpy_tf.ops.math.sequence import range as range_of

NOT_BROADCASTABLE = "weights can not be broadcast to values."


@export("losses.Reduction")
class Reduction:
    """What is made of the weighted losses of all elements.

    Attributes:
      NONE: they stay as they are.
      SUM: their sum.
      MEAN: their sum, divided by the sum of the weights.
      SUM_OVER_BATCH_SIZE: their sum, divided by their number.
      SUM_BY_NONZERO_WEIGHTS: their sum, divided by how many have a weight that is not zero.
    """

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls):
        """Every reduction, once for each of its names."""
        return (
            cls.NONE,
            cls.SUM,
            cls.MEAN,
            cls.SUM_OVER_BATCH_SIZE,
            cls.SUM_OVER_NONZERO_WEIGHTS,
            cls.SUM_BY_NONZERO_WEIGHTS,
        )

    @classmethod
    def validate(cls, key):
        """ValueError unless `key` is a reduction."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}. Key should be one of {cls.all()}.")


@export("losses.compute_weighted_loss")
def compute_weighted_loss(
    losses,
    weights=1.0,
    scope=None,
    loss_collection=GraphKeys.LOSSES,
    reduction=Reduction.SUM_BY_NONZERO_WEIGHTS,
):
    """Losses, weighted in float32, reduced, and cast back to their own dtype.

    Args:
      losses: [d0, ..., dn] of any numeric dtype.
      weights: a scalar, or of the same rank with each dimension 1 or that of the losses.
      scope: the name scope.
      loss_collection: the collection that the loss is put in; None for none.
      reduction: one of `Reduction`.

    Raises:
      ValueError: for another reduction, or weights that are known not to fit.
      errors.InvalidArgumentError: when a run finds that they do not.
    """
    Reduction.validate(reduction)
    with (
        NameScope(scope, "weighted_loss", [losses, weights]),
        control_dependencies([assert_broadcastable(weights, losses)]),
    ):
        losses = convert_to_tensor(losses)
        given = losses.dtype
        losses = cast(losses, dtypes.float32)
        weights = cast(weights, dtypes.float32)
        loss = cast(_reduced(multiply(losses, weights), losses, weights, reduction), given)
        add_loss(loss, loss_collection)
        return loss


def _reduced(weighted, losses, weights, reduction):
    if reduction == Reduction.NONE:
        return weighted
    total = reduce_sum(weighted)
    if reduction == Reduction.SUM:
        return total
    if reduction == Reduction.MEAN:
        return _safe_mean(total, reduce_sum(ones_like(losses) * weights))
    if reduction == Reduction.SUM_OVER_BATCH_SIZE:
        return _safe_mean(total, _count(losses))
    return _safe_mean(total, count_present(losses, weights))


def _safe_mean(total, count):
    return div_no_nan(reduce_sum(total), count, name="value")


def _count(losses):
    with NameScope(None, "num_elements", [losses]) as scope:
        return cast(size(losses, name=scope), losses.dtype)


def count_present(losses, weights, per_batch=False):
    """How many losses have a weight that is not zero; with `per_batch`, [batch, 1, ..., 1]."""
    if isinstance(weights, float) and weights != 0.0:
        return _count(losses)
    with NameScope(None, "num_present", [losses, weights]) as scope:
        weights = cast(weights, dtypes.float32)
        present = where(equal(weights, 0.0), zeros_like(weights), ones_like(weights))
        present = broadcast_weights(present, losses)
        if per_batch:
            return reduce_sum(present, range_of(1, rank(present)), keepdims=True, name=scope)
        return reduce_sum(present, name=scope)


def broadcast_weights(weights, values):
    """Weights in the shape of the values; they stay as they are where that is known already."""
    with NameScope(None, "broadcast_weights", [weights, values]) as scope:
        values = convert_to_tensor(values, name="values")
        weights = convert_to_tensor(weights, values.dtype.base_dtype, name="weights")
        known = weights.shape.is_fully_defined() and values.shape.is_fully_defined()
        if known and weights.dims == values.dims:
            return weights
        with control_dependencies([assert_broadcastable(weights, values)]):
            return multiply(weights, ones_like(values), name=scope)


def assert_broadcastable(weights, values):
    """An operation that fails unless weights are a scalar, or fit values dimension by dimension.

    Raises:
      ValueError: it is known that they do not.
      errors.InvalidArgumentError: when a run finds it.
    """
    with NameScope(None, "assert_broadcastable", [weights, values]) as scope:
        weights, weights_shape, weights_rank = _with_shape_and_rank(weights, "weights")
        values, values_shape, values_rank = _with_shape_and_rank(values, "values")
        known_rank = constant_value(weights_rank)
        if known_rank is not None and constant_value(values_rank) is not None:
            if known_rank == 0:
                return NoOp(name="static_scalar_check_success")
            _check_ranks(weights, values)
            if _known_to_fit(weights, values):
                return NoOp(name="static_dims_check_success")
        is_scalar = equal(0, weights_rank, name="is_scalar")
        fits = cond(
            is_scalar,
            lambda: is_scalar,
            lambda: _fits(weights_rank, weights_shape, values_rank, values_shape),
            name="is_valid_shape",
        )
        shown = ["weights.shape=", weights.name, weights_shape]
        shown += ["values.shape=", values.name, values_shape, "is_scalar=", is_scalar]
        return assert_that(fits, [NOT_BROADCASTABLE, *shown], name=scope)


def _with_shape_and_rank(value, name):
    with NameScope(None, name, [value]) as scope:
        tensor = convert_to_tensor(value, name=scope)
        return tensor, shape(tensor, name="shape"), rank(tensor, name="rank")


def _check_ranks(weights, values):
    if len(weights.dims) != len(values.dims):
        raise ValueError(
            f"{NOT_BROADCASTABLE} values.rank={len(values.dims)}. "
            f"weights.rank={len(weights.dims)}. values.shape={values.shape}. "
            f"weights.shape={weights.shape}. Received weights={weights}, values={values}"
        )


def _known_to_fit(weights, values):
    """Whether it is; False when it is not known.

    Raises:
      ValueError: it is known that they do not fit.
    """
    if None in weights.dims or None in values.dims:
        return False
    for axis, (ours, theirs) in enumerate(zip(weights.dims, values.dims, strict=True)):
        if ours not in (1, theirs):
            raise ValueError(
                f"{NOT_BROADCASTABLE} Mismatch at dim {axis}. values.shape={list(values.dims)}, "
                f"weights.shape={list(weights.dims)}. Received weights={weights}, values={values}"
            )
    return True


def _fits(weights_rank, weights_shape, values_rank, values_shape):
    same_rank = equal(values_rank, weights_rank, name="is_same_rank")

    def each_fits():
        equals = equal(weights_shape, values_shape)
        return reduce_all(LogicalOr(equals, equal(weights_shape, 1)))

    return cond(same_rank, each_fits, lambda: same_rank)
