"""IndexedSlices: a gradient that is zero but for some rows."""

import collections
import math
import warnings

from numpy_tf.framework.conversion import convert_to_tensor, register_tensor_conversion_function
from numpy_tf.framework.export import export

IndexedSlicesValue = collections.namedtuple(
    "IndexedSlicesValue", ["values", "indices", "dense_shape"]
)


@export("IndexedSlices")
class IndexedSlices:
    """Rows to be added into a tensor of zeros; an index may come more than once.

    Args:
      values: [n, ...] tensor, the rows.
      indices: [n] integer tensor, where each row goes.
      dense_shape: the shape of the tensor that this stands for, or None.
    """

    __slots__ = ("_dense_shape", "_indices", "_values")

    def __init__(self, values, indices, dense_shape=None):
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    values = property(lambda self: self._values, doc="The rows.")
    indices = property(lambda self: self._indices, doc="Where each row goes.")
    dense_shape = property(lambda self: self._dense_shape, doc="The dense shape, or None.")
    dtype = property(lambda self: self._values.dtype, doc="The rows' dtype.")
    op = property(lambda self: self._values.op, doc="The operation that makes the rows.")
    graph = property(lambda self: self._values.graph, doc="The graph that they belong to.")
    name = property(lambda self: self._values.name, doc="The name of the rows.")
    device = property(lambda self: self._values.device, doc="The device of the rows.")

    @property
    def shape(self):
        """The static shape of the dense tensor."""
        from numpy_tf.framework.static_value import shape_value
        from numpy_tf.framework.tensor_shape import TensorShape

        known = None if self._dense_shape is None else shape_value(self._dense_shape)
        return TensorShape(known)

    def get_shape(self):
        """The static shape of the dense tensor."""
        return self.shape

    def __neg__(self):
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __repr__(self):
        return f"IndexedSlices(indices={self._indices}, values={self._values})"


_MANY_ELEMENTS = 100_000_000


def densify(slices):
    """The dense tensor of IndexedSlices, with a warning when it is large; else as it is.

    Raises:
      ValueError: when the dense shape is not known.
    """
    if not isinstance(slices, IndexedSlices):
        return slices
    if slices.dense_shape is None:
        raise ValueError(
            f"Tensor conversion requested for IndexedSlices without dense_shape: {slices}"
        )
    from numpy_tf.framework.static_value import constant_value
    from numpy_tf.ops.math.segment import UnsortedSegmentSum

    dims = constant_value(slices.dense_shape)
    count = 0 if dims is None else math.prod(dims.tolist())
    if count >= _MANY_ELEMENTS:
        warnings.warn(
            f"Converting sparse IndexedSlices to a dense Tensor with {count} elements. "
            "This may consume a large amount of memory.",
            stacklevel=2,
        )
    return UnsortedSegmentSum(slices.values, slices.indices, slices.dense_shape[0])


def _conversion(value, dtype, name, as_ref):
    if dtype is not None and dtype.base_dtype is not value.dtype.base_dtype:
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype "
            f"{value.dtype.name}"
        )
    return densify(value)


register_tensor_conversion_function(IndexedSlices, _conversion)


def convert_to_tensor_or_indexed_slices(value, dtype=None, name=None, as_ref=False):
    """IndexedSlices as they are, None as None, anything else as a tensor."""
    if value is None or isinstance(value, IndexedSlices):
        return value
    return convert_to_tensor(value, dtype, name, as_ref=as_ref)


export("convert_to_tensor_or_indexed_slices")(convert_to_tensor_or_indexed_slices)
