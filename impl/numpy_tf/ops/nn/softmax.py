"""Softmax, and the losses that are computed from logits."""

import math

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import FLOATING, INT64_BY_DEFAULT
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import bracket_dims, broadcast_dims
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import expand_dims, rank, reshape, shape, squeeze
from numpy_tf.ops.array.slicing import slice
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.array.transpose import transpose
from numpy_tf.ops.kernels import rows_summed_in_half
from numpy_tf.ops.math.arithmetic import Sub, add
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import LogicalAnd
from numpy_tf.ops.math.elementwise import Exp, Log, Log1p
from numpy_tf.ops.math.elementwise import abs as absolute
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.math.sequence import range as range_of
from numpy_tf.ops.nn.activation import Relu

# -- softmax -----------------------------------------------------------------------------


def _at_least_vector(op):
    dims = op.inputs[0].dims
    if dims == ():
        raise ValueError("Shape must be at least rank 1 but is rank 0")
    return dims


def _shifted(logits):
    """Logits less their greatest, so that no exponential overflows."""
    return logits - np.max(logits, axis=-1, keepdims=True, initial=-np.inf)


def _row_sums(values):
    """Sums over the classes, as arrays of one column; half precision rounds at each step."""
    if values.dtype.itemsize == 2 and values.size:
        totals = rows_summed_in_half(values.reshape(-1, values.shape[-1]))
        return totals.reshape(*values.shape[:-1], 1)
    return np.add.reduce(values, axis=-1, keepdims=True)


@op("logits: T -> softmax: T", T=FLOATING)
class Softmax:
    """Exponentials along the last axis, divided by their sum."""

    shape = _at_least_vector

    def kernel(logits):
        exponentials = np.exp(_shifted(logits))
        return exponentials * (logits.dtype.type(1) / _row_sums(exponentials))

    def gradient(op, grad):
        softmax = op.outputs[0]
        along = reduce_sum(grad * softmax, -1, keepdims=True)
        return (grad - along) * softmax


@op("logits: T -> logsoftmax: T", T=FLOATING)
class LogSoftmax:
    """The logarithm of the softmax along the last axis, without its underflow."""

    shape = _at_least_vector

    def kernel(logits):
        shifted = _shifted(logits)
        return shifted - np.log(_row_sums(np.exp(shifted)))

    def gradient(op, grad):
        softmax = Exp(op.outputs[0])
        return grad - reduce_sum(grad, -1, keepdims=True) * softmax


def _along_axis(inputs, definition, axis, name):
    """`definition`, which works along the last axis, along another one."""
    inputs = convert_to_tensor(inputs)
    dims = inputs.dims
    if axis == -1 or (dims is not None and axis == len(dims) - 1):
        return definition(inputs, name=name)
    known = constant_value(axis) if isinstance(axis, Tensor) else axis
    if known is not None and not -len(dims) <= known < len(dims):
        raise errors.invalid_argument(
            f"`dim` must be in the range [{-len(dims)}, {len(dims)}) where {len(dims)} is the "
            f"number of dimensions in the input. Received: dim={known}",
        )
    # Whichever the axis, the permutation is its own inverse.
    count = rank(inputs)
    if isinstance(axis, Tensor):
        axis = where(axis < 0, axis + count, axis)
    elif axis < 0:
        axis = axis + count
    axis = axis % len(dims)
    inputs = _swapped(inputs, axis, Sub(rank(inputs), 1))
    output = _swapped(definition(inputs), axis, Sub(rank(inputs), 1), name)
    output.set_shape(dims)
    return output


def _swapped(tensor, axis, last, name=None):
    perm = concat([range_of(axis), [last], range_of(axis + 1, last), [axis]], 0)
    return transpose(tensor, perm, name=name)


@export("nn.softmax", "math.softmax")
def softmax(logits, axis=None, name=None, dim=None):
    """Exponentials of `logits` divided by their sum along `axis`, by default the last.

    Raises:
      errors.InvalidArgumentError: for an axis that `logits` has not.
    """
    axis = dim if axis is None else axis
    return _along_axis(logits, Softmax, -1 if axis is None else axis, name)


@export("nn.log_softmax", "math.log_softmax")
def log_softmax(logits, axis=None, name=None, dim=None):
    """The logarithm of `softmax`, without its underflow.

    Raises:
      errors.InvalidArgumentError: for an axis that `logits` has not.
    """
    axis = dim if axis is None else axis
    return _along_axis(logits, LogSoftmax, -1 if axis is None else axis, name)


# -- cross entropy -----------------------------------------------------------------------


def _times_rows(column, rows):
    return expand_dims(column, -1) * rows


def _is_made_of_zeros(tensor):
    """Whether a gradient is there only because the op's other output has one."""
    made = tensor.op
    if made.type == "Fill":
        made = made.inputs[1].op
    if made.type == "Const":
        return not made.outputs[0].static_value.any()
    return made.type == "ZerosLike"


def _logits_gradient(op, grad_loss, grad_backprop):
    grad = _times_rows(grad_loss, op.outputs[1])
    if grad_backprop is None or _is_made_of_zeros(grad_backprop):
        return grad
    probabilities = Softmax(op.inputs[0])
    along = matmul(expand_dims(grad_backprop, 1), expand_dims(probabilities, 2))
    return grad + (grad_backprop - squeeze(along, axis=1)) * probabilities


def _column_and_rows(op):
    features, labels = (tensor.dims for tensor in op.inputs)
    both = broadcast_dims(features, labels)
    if both is not None and len(both) != 2:
        raise ValueError(f"Shape must be rank 2 but is rank {len(both)}")
    return [both and both[:1], both]


@op("features: T, labels: T -> loss: T, backprop: T", T=FLOATING)
class SoftmaxCrossEntropyWithLogits:
    """-Σ labels·log softmax for each row, and the gradient of that by the logits."""

    shape = _column_and_rows

    def kernel(features, labels):
        if features.ndim != 2 and labels.ndim != 2:
            raise errors.invalid_argument(
                "logits and labels must be either 2-dimensional, or broadcasted to"
            )
        both = np.broadcast_shapes(features.shape, labels.shape)
        shifted = _shifted(np.broadcast_to(features, both))
        exponentials = np.exp(shifted)
        totals = _row_sums(exponentials)
        losses = _row_sums(labels * (np.log(totals) - shifted))
        return losses[:, 0], exponentials / totals - labels

    def gradient(op, grad_loss, grad_backprop):
        grad = _logits_gradient(op, grad_loss, grad_backprop)
        return grad, _times_rows(grad_loss, -LogSoftmax(op.inputs[0]))


@op("features: T, labels: Tlabels -> loss: T, backprop: T", T=FLOATING, Tlabels=INT64_BY_DEFAULT)
class SparseSoftmaxCrossEntropyWithLogits:
    """-log softmax at each row's label, and the gradient of that by the logits."""

    def shape(op):
        features, labels = (tensor.dims for tensor in op.inputs)
        if features is not None and len(features) != 2:
            raise ValueError(f"Shape must be rank 2 but is rank {len(features)}")
        rows = None if features is None else features[0]
        if rows is None and labels:
            rows = labels[0]
        return [(rows,), (rows, None if features is None else features[1])]

    def kernel(features, labels):
        if labels.shape != features.shape[:1]:
            raise errors.invalid_argument(
                "logits and labels must have the same first dimension, got logits shape "
                f"{bracket_dims(features.shape)} and labels shape {bracket_dims(labels.shape)}",
            )
        classes = features.shape[1]
        outside = (labels < 0) | (labels >= classes)
        if outside.any():
            raise errors.invalid_argument(
                f"Received a label value of {labels[np.argmax(outside)]} which is outside the "
                f"valid range of [0, {classes}).  Label values: {' '.join(map(str, labels))}",
            )
        shifted = _shifted(features)
        exponentials = np.exp(shifted)
        totals = _row_sums(exponentials)
        rows = np.arange(len(features))
        backprop = exponentials / totals
        backprop[rows, labels] -= features.dtype.type(1)
        return np.log(totals)[:, 0] - shifted[rows, labels], backprop

    def gradient(op, grad_loss, grad_backprop):
        return _logits_gradient(op, grad_loss, grad_backprop), None


def _check_named(function, labels, logits):
    if labels is None or logits is None:
        raise ValueError(f"Both `labels` and `logits` must be provided for {function}")


def _moved_to_end(tensor, axis, count):
    perm = concat([range_of(axis), range_of(axis + 1, count), [axis]], 0)
    return transpose(tensor, perm)


def _flattened(tensor):
    """[rows, classes] of any number of leading dimensions."""
    count = rank(tensor)
    last = slice(shape(tensor), [count - 1], [1])
    output = reshape(tensor, concat([[-1], last], 0))
    dims = tensor.dims
    if dims is not None:
        rows = 1
        for dim in dims[:-1]:
            rows = None if rows is None or dim is None else rows * dim
        output.set_shape([rows, dims[-1]])
    return output


@export("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """-Σ labels·log softmax(logits) along `axis`, differentiable by both.

    Args:
      labels, logits: tensors of one shape; half precision is computed in float32.
      axis: that of the classes, by default the last.

    Returns:
      A tensor of the shape of `logits` without `axis`.
    """
    axis = dim if axis is None else axis
    axis = -1 if axis is None else axis
    with NameScope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        narrow = logits.dtype.base_dtype in (dtypes.float16, dtypes.bfloat16)
        precise = cast(logits, dtypes.float32) if narrow else logits
        labels = cast(labels, precise.dtype)
        count = rank(precise)
        dims = logits.dims
        if axis != -1:
            precise = _moved_to_end(precise, axis, count)
            labels = _moved_to_end(labels, axis, count)
        whole = shape(precise)
        cost, _ = SoftmaxCrossEntropyWithLogits(_flattened(precise), _flattened(labels), name=scope)
        cost = reshape(cost, slice(whole, [0], [Sub(count, 1)]))
        if dims is not None:
            left = list(dims)
            del left[axis]
            cost.set_shape(left)
        return cast(cost, logits.dtype) if narrow else cost


@export("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(labels=None, logits=None, dim=-1, name=None, axis=None):
    """As `softmax_cross_entropy_with_logits_v2`, but the labels are constants: no gradient.

    Raises:
      ValueError: when labels or logits are missing.
    """
    dim = axis if axis is not None else dim
    _check_named("softmax_cross_entropy_with_logits", labels, logits)
    with NameScope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels, logits, axis=dim, name=scope)


@export("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """-log softmax(logits) at each label.

    Args:
      labels: int32 or int64 [...], each in [0, classes).
      logits: [..., classes]; float16 is computed in float32.

    Raises:
      ValueError: for shapes that do not fit, or when labels or logits are missing.
      errors.InvalidArgumentError: when the run meets a label out of range.
    """
    _check_named("sparse_softmax_cross_entropy_with_logits", labels, logits)
    with NameScope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        narrow = logits.dtype.base_dtype is dtypes.float16
        precise = cast(logits, dtypes.float32) if narrow else logits
        _check_sparse_shapes(labels.dims, logits.dims)
        if logits.dims is not None and len(logits.dims) == 2:
            cost, _ = SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
            return cast(cost, logits.dtype) if narrow else cost
        labels_shape, labels_dims = shape(labels), labels.dims
        classes = shape(logits)[rank(logits) - 1]
        precise = reshape(precise, [-1, classes])
        cost, _ = SparseSoftmaxCrossEntropyWithLogits(precise, reshape(labels, [-1]), name=name)
        cost = reshape(cost, labels_shape)
        cost.set_shape(labels_dims)
        return cast(cost, logits.dtype) if narrow else cost


def _check_sparse_shapes(labels, logits):
    if logits == ():
        raise ValueError("`logits` cannot be a scalar.")
    if labels is None or logits is None:
        return
    if len(labels) != len(logits) - 1:
        raise ValueError(
            "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape="
            f"{bracket_dims(labels)} of rank {len(labels)} and logits.shape="
            f"{bracket_dims(logits)} of rank {len(logits)}"
        )
    if None not in labels and None not in logits[:-1] and labels != logits[:-1]:
        raise ValueError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
            f"labels.shape={bracket_dims(labels)} and logits.shape={bracket_dims(logits)}"
        )


def _check_same_shape(labels, logits):
    if not labels.shape.is_compatible_with(logits.shape):
        raise ValueError(
            f"`logits` and `labels` must have the same shape, received ({logits.shape} vs "
            f"{labels.shape})."
        )


@export("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """-labels·log sigmoid(logits) - (1 - labels)·log(1 - sigmoid(logits)), element by element.

    Raises:
      ValueError: for different shapes, or when labels or logits are missing.
    """
    _check_named("sigmoid_cross_entropy_with_logits", labels, logits)
    with NameScope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _check_same_shape(labels, logits)
        # max(x, 0) and -|x| by `where`, so that at 0 the gradient is sigmoid(0) - labels.
        zeros = zeros_like(logits)
        positive = logits >= zeros
        rectified = where(positive, logits, zeros)
        minus_size = where(positive, -logits, logits)
        return add(rectified - logits * labels, Log1p(Exp(minus_size)), name=scope)


@export("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels=None, logits=None, pos_weight=None, name=None, targets=None
):
    """As `sigmoid_cross_entropy_with_logits`, with the positive labels' term weighted.

    Raises:
      ValueError: for different shapes.
    """
    labels = targets if labels is None else labels
    with NameScope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        _check_same_shape(labels, logits)
        weight = 1 + (pos_weight - 1) * labels
        return add(
            (1 - labels) * logits,
            weight * (Log1p(Exp(-absolute(logits))) + Relu(-logits)),
            name=scope,
        )


@export("nn.log_poisson_loss")
def log_poisson_loss(targets, log_input, compute_full_loss=False, name=None):
    """exp(log_input) - log_input·targets: a Poisson distribution's, of which the log is given.

    Args:
      targets: counts.
      log_input: of the same shape and dtype.
      compute_full_loss: whether Stirling's approximation of log(targets!) is added, where a
        target is above 1.

    Raises:
      ValueError: for different shapes.
    """
    with NameScope(name, "log_poisson_loss", [log_input, targets]):
        log_input = convert_to_tensor(log_input, name="log_input")
        targets = convert_to_tensor(targets, name="targets")
        if not targets.shape.is_compatible_with(log_input.shape):
            raise ValueError(
                "`log_input` and `targets` must have the same shape, received "
                f"({log_input.shape} vs {targets.shape})."
            )
        result = Exp(log_input) - log_input * targets
        if not compute_full_loss:
            return result
        half, turn = constant(0.5, targets.dtype), constant(2 * math.pi, targets.dtype)
        stirling = targets * Log(targets) - targets + half * Log(turn * targets)
        nothing = zeros_like(targets, targets.dtype)
        least = LogicalAnd(targets >= nothing, targets <= ones_like(targets, targets.dtype))
        return result + where(least, nothing, stirling)
