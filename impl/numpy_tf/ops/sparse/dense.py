"""Between sparse and dense tensors."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.op_def import op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.ops.array.fill import zeros, zeros_like
from numpy_tf.ops.array.gather_nd import gather_nd
from numpy_tf.ops.array.select import where
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.math.comparison import not_equal
from numpy_tf.ops.math.reduction import reduce_sum
from numpy_tf.ops.sparse.sparse_tensor import SparseTensor


def _bracketed(row):
    return "[" + ",".join(map(str, row.tolist())) + "]"


def _refuse(message):
    raise errors.invalid_argument(message)


def _check_places(places, shape):
    """InvalidArgumentError unless places lie in the shape, in order, none twice."""
    outside = ((places < 0) | (places >= shape)).any(axis=1)
    # The first column in which a row differs from the one before decides their order.
    steps = np.diff(places, axis=0)
    first = (steps != 0).argmax(axis=1) if steps.size else np.zeros(len(steps), int)
    step = steps[np.arange(len(steps)), first]
    wrong = outside.copy()
    wrong[1:] |= step <= 0
    if not wrong.any():
        return
    at = int(wrong.argmax())
    where_it_is = f"indices[{at}] = {_bracketed(places[at])}"
    if outside[at]:
        _refuse(f"{where_it_is} is out of bounds: need 0 <= index < {_bracketed(shape)}")
    if step[at - 1] == 0:
        _refuse(f"{where_it_is} is repeated")
    _refuse(
        f"{where_it_is} is out of order. Many sparse ops require sorted indices.\n"
        "    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n"
    )


@op(
    "sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, default_value: T "
    "-> dense: T",
    T=ANY,
    Tindices=INDEX,
    validate_indices=True,
)
class SparseToDense:
    """The default value everywhere but where elements stand."""

    def shape(op):
        return shape_value(op.inputs[1])

    def kernel(indices, shape, values, default, *, validate_indices):
        places = indices.reshape(-1, 1) if indices.ndim < 2 else indices
        if places.shape[1] != shape.size:
            _refuse(
                f"output_shape has incorrect number of elements: {shape.size} "
                f"should be: {places.shape[1]}"
            )
        if validate_indices:
            _check_places(places, shape)
        elif ((places < 0) | (places >= shape)).any():
            _refuse(f"Indices are not valid (out of bounds).  Shape: {_bracketed(shape)}")
        dense = np.full(tuple(shape), default, dtype=values.dtype)
        dense[tuple(places.T)] = values
        return dense

    def gradient(op, grad):
        places, shape = op.inputs[:2]
        of_values = gather_nd(grad, places)
        of_default = reduce_sum(grad) - reduce_sum(of_values)
        return zeros_like(places), zeros_like(shape), of_values, of_default


@export("sparse_to_dense")
def sparse_to_dense(
    sparse_indices, output_shape, sparse_values, default_value=0, validate_indices=True, name=None
):
    """A dense tensor with `sparse_values` at `sparse_indices`, and the default elsewhere.

    Args:
      sparse_indices: [n, rank], [n] or [] integers.
      output_shape: its shape.
      sparse_values: [n] or [].
      default_value: what stands everywhere else.
      validate_indices: whether places must be in order and none of them twice.
      name: the operation's name.
    """
    return SparseToDense(
        sparse_indices,
        output_shape,
        sparse_values,
        default_value,
        validate_indices=validate_indices,
        name=name,
    )


@export("sparse.to_dense", "sparse_tensor_to_dense")
def to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """The dense tensor that a sparse one stands for.

    Raises:
      TypeError: when `sp_input` is no `SparseTensor`.
    """
    if not isinstance(sp_input, SparseTensor):
        raise TypeError("Input must be a SparseTensor.")
    if default_value is None:
        default_value = zeros((), sp_input.dtype.base_dtype)
    return sparse_to_dense(
        sp_input.indices,
        sp_input.dense_shape,
        sp_input.values,
        default_value,
        validate_indices,
        name,
    )


@export("sparse.from_dense")
def from_dense(tensor, name=None):
    """The sparse tensor of the elements that are not zero."""
    with NameScope(name, "dense_to_sparse"):
        tensor = convert_to_tensor(tensor)
        places = where(not_equal(tensor, np.zeros((), tensor.dtype.as_numpy_dtype)))
        return SparseTensor(
            places, gather_nd(tensor, places), shape_of(tensor, out_type=dtypes.int64)
        )
