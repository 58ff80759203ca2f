"""Losses over a sample of the classes, in place of all of them."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import NO_GRADIENT, REQUIRED, op
from numpy_tf.ops.array.basic import stop_gradient
from numpy_tf.ops.array.dims import with_rank
from numpy_tf.ops.array.fill import ones, ones_like, zeros_like
from numpy_tf.ops.array.shape import expand_dims, reshape, shape
from numpy_tf.ops.array.slicing import slice
from numpy_tf.ops.array.stack import concat, stack
from numpy_tf.ops.math.arithmetic import multiply
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.elementwise import Log
from numpy_tf.ops.math.matmul import matmul
from numpy_tf.ops.nn.embedding import embedding_lookup
from numpy_tf.ops.nn.softmax import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
)
from numpy_tf.ops.sparse.dense import sparse_to_dense

HIT = -np.finfo(np.float32).max  # added to the logit of a sampled class that is a true one


@op(
    "true_classes: int64, sampled_candidates: int64"
    " -> indices: int32, ids: int64, weights: float32",
    num_true=REQUIRED,
    seed=0,
    seed2=0,
)
class ComputeAccidentalHits:
    """Where a sampled class is a true one: the row, its place in the sample, and `HIT`."""

    def shape(op):
        dims = with_rank(op.inputs[0].dims, 2)
        with_rank(op.inputs[1].dims, 1)
        if dims[1] not in (None, op.attrs["num_true"]):
            raise ValueError(f"Dimension must be {op.attrs['num_true']} but is {dims[1]}")
        return [(None,)] * 3

    def kernel(true_classes, sampled_candidates, *, num_true):
        if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
            raise errors.invalid_argument("true_candidates must be a batch_size * num_true matrix")
        if sampled_candidates.ndim != 1:
            raise errors.invalid_argument(
                "sampled_candidates must be a vector, which is typically an output from "
                "CandidateSampler"
            )
        # Of a class that was sampled twice, the last place is known.
        sample, last = np.unique(sampled_candidates[::-1], return_index=True)
        at = np.searchsorted(sample, true_classes)
        found = at < len(sample)
        found[found] = sample[at[found]] == true_classes[found]
        rows = np.nonzero(found)[0].astype(np.int32)
        places = (len(sampled_candidates) - 1 - last)[at[found]].astype(np.int64)
        return rows, places, np.full(len(rows), HIT, np.float32)

    gradient = NO_GRADIENT


@export("nn.compute_accidental_hits")
def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Where sampled classes are true ones; see `ComputeAccidentalHits`."""
    return ComputeAccidentalHits(true_classes, sampled_candidates, num_true=num_true, name=name)


@export("nn.nce_loss")
def nce_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=False,
    partition_strategy="mod",
    name="nce_loss",
):
    """Noise-contrastive estimation: each true and each sampled class by itself, true or not.

    Args:
      weights: [classes, features], or a list of parts as for `embedding_lookup`.
      biases: [classes].
      labels: int64 [batch, num_true].
      inputs: [batch, features].
      num_sampled, num_classes: how many classes the sample and the whole have.
      num_true: true classes of each example.
      sampled_values: the sample, [num_sampled], and how often the true and the sampled classes
        are expected in it.
      remove_accidental_hits: whether a sampled class that is a true one is left out.
      partition_strategy: as for `embedding_lookup`.

    Returns:
      [batch] losses.

    Raises:
      errors.UnsupportedOpError: without `sampled_values`: TensorFlow's samples cannot be had.
    """
    logits, labels = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_true, sampled_values,
        remove_accidental_hits, partition_strategy, name,
    )  # fmt: skip
    losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="sampled_losses")
    return _row_sums(losses)


@export("nn.sampled_softmax_loss")
def sampled_softmax_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true=1,
    sampled_values=None,
    remove_accidental_hits=True,
    partition_strategy="mod",
    name="sampled_softmax_loss",
    seed=None,
):
    """The softmax's cross entropy over the true and the sampled classes; see `nce_loss`."""
    logits, labels = _sampled_logits(
        weights, biases, labels, inputs, num_sampled, num_true, sampled_values,
        remove_accidental_hits, partition_strategy, name,
    )  # fmt: skip
    labels = stop_gradient(labels, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)


def _row_sums(matrix):
    """By a product with ones, as TensorFlow has it."""
    column = ones(stack([shape(matrix)[1], 1]), matrix.dtype)
    return reshape(matmul(matrix, column), [-1])


def _sampled_logits(
    weights, biases, labels, inputs, num_sampled, num_true, sampled_values, without_hits,
    partition_strategy, name,
):  # fmt: skip
    """[batch, num_true + num_sampled] logits less the logarithm of what is expected, and labels."""
    if sampled_values is None:
        raise errors.UnsupportedOpError(
            "a sample that TensorFlow draws cannot be had here: give `sampled_values`"
        )
    parts = weights if isinstance(weights, list) else [weights]
    with NameScope(name, "compute_sampled_logits", [*parts, biases, inputs, labels]):
        labels = cast(labels, dtypes.int64)
        flat = reshape(labels, [-1])
        sampled, true_expected, expected = (stop_gradient(value) for value in sampled_values)
        sampled = cast(sampled, dtypes.int64)
        ids = concat([flat, sampled], 0)
        count = shape(flat)
        rows = cast(embedding_lookup(parts, ids, partition_strategy), inputs.dtype)
        true_rows = slice(rows, [0, 0], stack([count[0], -1]))
        sampled_rows = slice(rows, stack([count[0], 0]), [-1, -1])
        logits = matmul(inputs, sampled_rows, transpose_b=True)
        offsets = cast(embedding_lookup(biases, ids, partition_strategy), inputs.dtype)
        true_logits = _true_logits(inputs, true_rows, num_true)
        true_logits += reshape(slice(offsets, [0], count), [-1, num_true])
        logits += slice(offsets, count, [-1])
        if without_hits:
            logits += _hits(labels, sampled, num_true, num_sampled, logits.dtype)
        true_logits -= Log(true_expected)
        logits -= Log(expected)
        truth = [ones_like(true_logits) / num_true, zeros_like(logits)]
        return concat([true_logits, logits], 1), concat(truth, 1)


def _true_logits(inputs, rows, num_true):
    """[batch, num_true] inner products of each input with the rows of its own true classes."""
    width = shape(rows)[1:2]
    rows = reshape(rows, concat([[-1, num_true], width], 0))
    products = reshape(multiply(expand_dims(inputs, 1), rows), concat([[-1], width], 0))
    return reshape(_row_sums(products), [-1, num_true])


def _hits(labels, sampled, num_true, num_sampled, dtype):
    """[batch, num_sampled]: `HIT` where a sampled class is a true one of the row."""
    rows, places, weights = compute_accidental_hits(labels, sampled, num_true)
    places = reshape(cast(places, dtypes.int32), [-1, 1])
    indices = concat([reshape(rows, [-1, 1]), places], 1, "sparse_indices")
    whole = concat([shape(labels)[:1], expand_dims(num_sampled, 0)], 0)
    return sparse_to_dense(
        indices, whole, cast(weights, dtype), default_value=0.0, validate_indices=False
    )
