"""SparseTensor: the elements that are not zero, and where they stand."""

import collections

from numpy_tf.framework import dtypes
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.static_value import shape_value
from numpy_tf.framework.tensor_shape import TensorShape, as_dims, merge_dims
from numpy_tf.ops.array.basic import placeholder, placeholder_with_default
from numpy_tf.ops.array.constant import constant

SparseTensorValue = export_as(
    collections.namedtuple("SparseTensorValue", ["indices", "values", "dense_shape"]),
    "SparseTensorValue",
)


@export("SparseTensor", "sparse.SparseTensor")
class SparseTensor(CompositeTensor):
    """A tensor of zeros but for some elements.

    Args:
      indices: [n, rank] int64, where each element stands.
      values: [n], the elements.
      dense_shape: [rank] int64, the shape of the whole.

    Attributes:
      known_dims: the static shape of the whole where `dense_shape` does not tell it.

    Raises:
      ValueError: for shapes that do not fit together, or other dtypes.
    """

    __slots__ = ("dense_shape", "indices", "known_dims", "values")

    def __init__(self, indices, values, dense_shape):
        given = [item for item in (indices, values, dense_shape) if isinstance(item, Tensor)]
        with NameScope(None, "SparseTensor", given):
            self.indices = _positions(indices, "indices")
            self.values = convert_to_tensor(values, name="values")
            self.dense_shape = _positions(dense_shape, "dense_shape")
        self.known_dims = None
        (count, rank), (elements,), (dimensions,) = (
            _dims_of_rank(self.indices, 2),
            _dims_of_rank(self.values, 1),
            _dims_of_rank(self.dense_shape, 1),
        )
        _same(count, elements)
        _same(rank, dimensions)

    dtype = property(lambda self: self.values.dtype, doc="The elements' dtype.")
    op = property(lambda self: self.values.op, doc="The operation that makes the elements.")
    graph = property(lambda self: self.values.graph, doc="The graph that they belong to.")
    name = property(lambda self: self.values.name, doc="The name of the elements.")

    @property
    def shape(self):
        """The static shape of the whole."""
        return TensorShape(merge_dims(shape_value(self.dense_shape), self.known_dims))

    def get_shape(self):
        """The static shape of the whole."""
        return self.shape

    def with_values(self, new_values):
        """The same places with other elements."""
        return SparseTensor(self.indices, new_values, self.dense_shape)

    @property
    def components(self):
        """Indices, values and shape."""
        return [self.indices, self.values, self.dense_shape]

    def with_components(self, tensors):
        """The sparse tensor of other indices, values and shape."""
        return SparseTensor(*tensors)

    def value_of(self, arrays):
        """A `SparseTensorValue`."""
        return SparseTensorValue(*arrays)

    def __repr__(self):
        return (
            f"SparseTensor(indices={self.indices}, values={self.values}, "
            f"dense_shape={self.dense_shape})"
        )


def _positions(value, name):
    try:
        return convert_to_tensor(value, dtype=dtypes.int64, name=name)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _dims_of_rank(tensor, rank):
    if tensor.dims is None:
        return (None,) * rank
    if len(tensor.dims) != rank:
        raise ValueError(f"Shape {tensor.shape} must have rank {rank}")
    return tensor.dims


def _same(a, b):
    if None not in (a, b) and a != b:
        raise ValueError(f"Dimensions {a} and {b} are not compatible")


@export("sparse_placeholder", "sparse.placeholder")
def sparse_placeholder(dtype, shape=None, name=None):
    """A sparse tensor that is fed: a `SparseTensorValue` or a tuple like it.

    Args:
      dtype: of the elements.
      shape: the static shape as far as it is known; one that is known in full need not be fed.
      name: the name scope.
    """
    dims = as_dims(shape)
    rank = None if dims is None else len(dims)
    names = dict.fromkeys(["indices", "values", "shape"])
    if name is not None:
        names = {part: f"{name}/{part}" for part in names}
    if dims is not None and None not in dims:
        whole = placeholder_with_default(constant(dims, dtypes.int64), [rank], name=names["shape"])
    else:
        whole = placeholder(dtypes.int64, [rank], name=names["shape"])
    values = placeholder(dtype, [None], name=names["values"])
    indices = placeholder(dtypes.int64, [None, rank], name=names["indices"])
    sparse = SparseTensor(indices, values, whole)
    sparse.known_dims = dims
    return sparse
