"""The losses by name: each is the loss of every element, handed to `compute_weighted_loss`.

All take `weights`, `scope`, `loss_collection` and `reduction` as that function does. Labels and
predictions are cast to float32, but for the cross entropies, which keep the dtype of the logits.
"""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import GraphKeys, NameScope, control_dependencies
from numpy_tf.losses.collected import add_loss
from numpy_tf.losses.weighting import (
    Reduction,
    assert_broadcastable,
    compute_weighted_loss,
    count_present,
)
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import rank, shape, squeeze
from numpy_tf.ops.control.cond import cond
from numpy_tf.ops.math.arithmetic import (
    Maximum,
    Minimum,
    add,
    div_no_nan,
    multiply,
    squared_difference,
    subtract,
)
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import equal
from numpy_tf.ops.math.elementwise import Log, Square
from numpy_tf.ops.math.elementwise import abs as absolute
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.nn.activation import Relu
from numpy_tf.ops.nn.softmax import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)

LOSSES = GraphKeys.LOSSES
BY_NONZERO_WEIGHTS = Reduction.SUM_BY_NONZERO_WEIGHTS


def _require(**arguments):
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"Argument `{name}` must not be None.")


def _in_float32(labels, predictions):
    """Both in float32, predictions first as TensorFlow makes them.

    Raises:
      ValueError: their shapes do not fit.
    """
    predictions = cast(predictions, dtypes.float32)
    labels = cast(labels, dtypes.float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions


@export("losses.absolute_difference")
def absolute_difference(
    labels,
    predictions,
    weights=1.0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """|predictions - labels|."""
    _require(labels=labels, predictions=predictions)
    with NameScope(scope, "absolute_difference", [predictions, labels, weights]) as scope:
        labels, predictions = _in_float32(labels, predictions)
        losses = absolute(subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.cosine_distance")
def cosine_distance(
    labels,
    predictions,
    axis=None,
    weights=1.0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
    dim=None,
):
    """1 - the inner product along an axis; labels and predictions are taken for unit vectors."""
    if axis is not None and dim is not None:
        raise ValueError("Cannot specify both 'axis' and 'dim'.")
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify argument `axis`.")
    _require(labels=labels, predictions=predictions)
    with NameScope(scope, "cosine_distance_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _in_float32(labels, predictions)
        losses = 1 - reduce_sum(multiply(predictions, labels), axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.hinge_loss")
def hinge_loss(
    labels, logits, weights=1.0, scope=None, loss_collection=LOSSES, reduction=BY_NONZERO_WEIGHTS
):
    """max(0, 1 - (2·labels - 1)·logits): labels are 0 or 1."""
    _require(labels=labels, logits=logits)
    with NameScope(scope, "hinge_loss", [logits, labels, weights]) as scope:
        labels, logits = _in_float32(labels, logits)
        all_ones = ones_like(labels)
        signs = subtract(2 * labels, all_ones)
        losses = Relu(subtract(all_ones, multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.huber_loss")
def huber_loss(
    labels,
    predictions,
    weights=1.0,
    delta=1.0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """Half the squared error up to `delta`, and from there on linear."""
    _require(labels=labels, predictions=predictions)
    with NameScope(scope, "huber_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _in_float32(labels, predictions)
        size = absolute(subtract(predictions, labels))
        quadratic = Minimum(size, delta)
        linear = subtract(size, quadratic)
        half = convert_to_tensor(0.5, quadratic.dtype)
        losses = add(multiply(half, multiply(quadratic, quadratic)), multiply(delta, linear))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.log_loss")
def log_loss(
    labels,
    predictions,
    weights=1.0,
    epsilon=1e-7,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """The cross entropy of probabilities, to which `epsilon` is added within the logarithms."""
    _require(labels=labels, predictions=predictions)
    with NameScope(scope, "log_loss", [predictions, labels, weights]) as scope:
        labels, predictions = _in_float32(labels, predictions)
        losses = -multiply(labels, Log(predictions + epsilon)) - multiply(
            1 - labels, Log(1 - predictions + epsilon)
        )
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.mean_squared_error")
def mean_squared_error(
    labels,
    predictions,
    weights=1.0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """(predictions - labels)²."""
    _require(labels=labels, predictions=predictions)
    with NameScope(scope, "mean_squared_error", [predictions, labels, weights]) as scope:
        labels, predictions = _in_float32(labels, predictions)
        losses = squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(
    labels, predictions, weights=1.0, scope=None, loss_collection=LOSSES
):
    """The squared differences between the errors of each pair of a batch's elements, averaged.

    Args:
      labels: [batch, d0, ..., dn].
      predictions: of the same shape.
      weights: a scalar, [batch] or as `labels`.

    Returns:
      The sum over the batch.
    """
    _require(labels=labels, predictions=predictions)
    kind = "mean_pairwise_squared_error"
    with NameScope(scope, kind, [predictions, labels, weights]) as scope:
        weights = cast(weights, dtypes.float32)
        labels = cast(labels, dtypes.float32)
        with control_dependencies([assert_broadcastable(weights, labels)]):
            labels, predictions = _in_float32(labels, predictions)
            errors = subtract(predictions, labels)
            axes = range_of(1, rank(errors))
            squares = reduce_sum(Square(errors), axes, keepdims=True)
            count = count_present(errors, weights, per_batch=True)
            fewer = Maximum(count - 1, 0)
            first = 2.0 * div_no_nan(squares, fewer, name="value")
            total = reduce_sum(errors, axes, keepdims=True)
            pairs = Maximum(multiply(count, count - 1), 0)
            second = 2.0 * div_no_nan(Square(total), pairs, name="value")
            loss = reduce_sum(multiply(first - second, weights))
            loss = where(reduce_sum(count) > 0, loss, zeros_like(loss), name="value")
            add_loss(loss, loss_collection)
            return loss


@export("losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(
    multi_class_labels,
    logits,
    weights=1.0,
    label_smoothing=0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """The cross entropy of each class by itself; smoothing moves the labels towards a half."""
    _require(multi_class_labels=multi_class_labels, logits=logits)
    kind = "sigmoid_cross_entropy_loss"
    with NameScope(scope, kind, [logits, multi_class_labels, weights]) as scope:
        logits = convert_to_tensor(logits)
        labels = cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.softmax_cross_entropy")
def softmax_cross_entropy(
    onehot_labels,
    logits,
    weights=1.0,
    label_smoothing=0,
    scope=None,
    loss_collection=LOSSES,
    reduction=BY_NONZERO_WEIGHTS,
):
    """The cross entropy over the classes; labels pass no gradient, smoothing evens them out."""
    _require(onehot_labels=onehot_labels, logits=logits)
    kind = "softmax_cross_entropy_loss"
    with NameScope(scope, kind, [logits, onehot_labels, weights]) as scope:
        logits = convert_to_tensor(logits)
        labels = cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = cast(shape(labels)[-1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        labels = stop_gradient(labels, name="labels_stop_gradient")
        losses = softmax_cross_entropy_with_logits_v2(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@export("losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(
    labels, logits, weights=1.0, scope=None, loss_collection=LOSSES, reduction=BY_NONZERO_WEIGHTS
):
    """As `softmax_cross_entropy`, of labels that are numbers of classes.

    A last dimension of 1 too many, of labels or weights, is dropped.
    """
    _require(labels=labels, logits=logits)
    kind = "sparse_softmax_cross_entropy_loss"
    with NameScope(scope, kind, [logits, labels, weights]) as scope:
        labels, logits = _one_rank_apart(labels, logits)
        weights = _as_wide_as(labels, weights)
        losses = sparse_softmax_cross_entropy_with_logits(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def _one_rank_apart(labels, logits):
    """Labels and logits, of which one loses a last dimension of 1 where their ranks demand it."""
    with NameScope(None, "remove_squeezable_dimensions", [labels, logits]):
        logits, labels = convert_to_tensor(logits), convert_to_tensor(labels)
        if labels.dims is not None and logits.dims is not None:
            apart = len(logits.dims) - len(labels.dims)
            if apart == 2 and logits.dims[-1] in (None, 1):
                logits = squeeze(logits, [-1])
            elif apart == 0 and labels.dims and labels.dims[-1] in (None, 1):
                labels = squeeze(labels, [-1])
            return labels, logits
        apart = rank(logits) - rank(labels)
        if logits.dims is None or logits.dims[-1] in (None, 1):
            logits = _squeezed_when(equal(2, apart), logits)
        if labels.dims is None or labels.dims[-1] in (None, 1):
            labels = _squeezed_when(equal(0, apart), labels)
        return labels, logits


def _as_wide_as(labels, weights):
    """Weights, without a last dimension of 1 that makes their rank one more than the labels'."""
    weights = convert_to_tensor(weights)
    if labels.dims is not None and weights.dims is not None:
        return squeeze(weights, [-1]) if len(weights.dims) == len(labels.dims) + 1 else weights
    apart = rank(weights) - rank(labels)
    if weights.dims is None or (weights.dims and weights.dims[-1] in (None, 1)):
        weights = _squeezed_when(equal(1, apart), weights)
    return weights


def _squeezed_when(condition, tensor):
    return cond(condition, lambda: squeeze(tensor, [-1]), lambda: tensor)
