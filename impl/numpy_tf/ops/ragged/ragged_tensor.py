"""RaggedTensor: rows of different lengths, as their values one after the other."""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import densify
from numpy_tf.framework.tensor_shape import TensorShape
from numpy_tf.ops.array.basic import Identity
from numpy_tf.ops.array.fill import ones_like
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.assertion import assert_that
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.comparison import equal
from numpy_tf.ops.math.cumulative import cumsum
from numpy_tf.ops.math.reduction import reduce_all
from numpy_tf.ops.math.segment import unsorted_segment_sum


@export("RaggedTensor")
class RaggedTensor(CompositeTensor):
    """Rows of different lengths; made by the methods that are called `from_…`.

    Attributes:
      values: the elements of all rows, one after the other; a tensor or a ragged tensor.
      row_splits: [rows + 1] integers, where each row begins and the last one ends.
    """

    __slots__ = ("row_splits", "values")

    def __init__(self, values, row_splits=None, internal=False):
        if not internal:
            raise ValueError(
                "RaggedTensor constructor is private; please use one of the factory methods "
                "instead (e.g., RaggedTensor.from_row_lengths())"
            )
        self.values = values
        self.row_splits = row_splits

    # -- how they are made ---------------------------------------------------------------

    @classmethod
    def from_row_splits(cls, values, row_splits, name=None, validate=True):
        """Rows that begin at `row_splits`, whose last is the number of values.

        Raises:
          ValueError: for splits that are no vector of integers.
          errors.InvalidArgumentError: when run, for splits that do not fit.
        """
        if isinstance(row_splits, (list, tuple)) and not row_splits:
            raise ValueError("row_splits tensor may not be empty.")

        def splits(_, convert):
            starts = convert(row_splits, "row_splits")
            conditions = [
                (equal(starts[0], 0), "zero"),
                (reduce_all(starts[1:] >= starts[:-1]), "monotonic"),
            ]
            return starts, conditions

        return _partitioned(values, splits, name, "RaggedFromRowSplits", validate)

    @classmethod
    def from_row_lengths(cls, values, row_lengths, name=None, validate=True):
        """Rows of these lengths, the first values in the first."""

        def splits(_, convert):
            lengths = convert(row_lengths, "row_lengths")
            starts = concat([np.zeros(1, lengths.dtype.as_numpy_dtype), cumsum(lengths)], 0)
            return starts, [(reduce_all(lengths >= 0), "negative")]

        return _partitioned(values, splits, name, "RaggedFromRowLengths", validate)

    @classmethod
    def from_row_starts(cls, values, row_starts, name=None, validate=True):
        """Rows that begin at `row_starts`."""

        def splits(count, convert):
            starts = convert(row_starts, "row_starts")
            return concat([starts, [cast(count, starts.dtype)]], 0), [
                (reduce_all(starts[1:] >= starts[:-1]), "monotonic")
            ]

        return _partitioned(values, splits, name, "RaggedFromRowStarts", validate)

    @classmethod
    def from_row_limits(cls, values, row_limits, name=None, validate=True):
        """Rows that end before `row_limits`."""

        def splits(_, convert):
            limits = convert(row_limits, "row_limits")
            starts = concat([np.zeros(1, limits.dtype.as_numpy_dtype), limits], 0)
            return starts, [(reduce_all(starts[1:] >= starts[:-1]), "monotonic")]

        return _partitioned(values, splits, name, "RaggedFromRowLimits", validate)

    @classmethod
    def from_value_rowids(cls, values, value_rowids, nrows=None, name=None, validate=True):
        """Rows by the number of the row that each value is in, in ascending order."""

        def splits(_, convert):
            rows = convert(value_rowids, "value_rowids")
            if nrows is None:
                count = concat([[-1], rows], 0)[-1] + 1
            else:
                count = convert_to_tensor(nrows, dtype=rows.dtype)
            lengths = unsorted_segment_sum(ones_like(rows), rows, cast(count, dtypes.int32))
            starts = concat([np.zeros(1, rows.dtype.as_numpy_dtype), cumsum(lengths)], 0)
            if isinstance(nrows, int):
                starts.set_shape([nrows + 1])
            return starts, [(reduce_all(rows[1:] >= rows[:-1]), "monotonic")]

        return _partitioned(values, splits, name, "RaggedFromValueRowIds", validate)

    @classmethod
    def from_nested_row_splits(cls, flat_values, nested_row_splits, name=None, validate=True):
        """Rows of rows: the outermost splits first.

        Raises:
          TypeError: when the splits are no list.
        """
        if isinstance(nested_row_splits, Tensor):
            raise TypeError("Argument `nested_row_splits` must be a list of Tensors.")
        with NameScope(name, "RaggedFromNestedRowSplits"):
            result = flat_values
            for splits in reversed(nested_row_splits):
                result = cls.from_row_splits(result, splits, validate=validate)
            return result

    # -- what they consist of ------------------------------------------------------------

    @property
    def flat_values(self):
        """The innermost values, a tensor."""
        values = self.values
        while isinstance(values, RaggedTensor):
            values = values.values
        return values

    @property
    def nested_row_splits(self):
        """The splits of all ragged dimensions, the outermost first."""
        found, values = [], self
        while isinstance(values, RaggedTensor):
            found.append(values.row_splits)
            values = values.values
        return tuple(found)

    @property
    def ragged_rank(self):
        """How many dimensions are ragged."""
        return len(self.nested_row_splits)

    dtype = property(lambda self: self.values.dtype, doc="The values' dtype.")

    @property
    def shape(self):
        """The static shape: the number of rows, None, and the shape of a value."""
        splits, inner = self.row_splits.dims, self.values.shape
        rows = None if splits is None or splits[0] is None else splits[0] - 1
        if inner.ndims is None:
            return TensorShape(None)
        return TensorShape([rows, None, *inner.as_list()[1:]])

    def get_shape(self):
        """The static shape."""
        return self.shape

    def nrows(self, out_type=None, name=None):
        """The number of rows, a scalar."""
        out_type = self.row_splits.dtype if out_type is None else out_type
        with NameScope(name, "RaggedNRows"):
            return shape_of(self.row_splits, out_type=out_type)[0] - 1

    def row_starts(self, name=None):
        """Where each row begins."""
        with NameScope(name, "RaggedRowStarts"):
            return self.row_splits[:-1]

    def row_limits(self, name=None):
        """Where each row ends."""
        with NameScope(name, "RaggedRowLimits"):
            return self.row_splits[1:]

    def row_lengths(self, axis=1, name=None):
        """The length of each row."""
        with NameScope(name, "RaggedRowLengths"):
            return self.row_splits[1:] - self.row_splits[:-1]

    # -- others of the same rows ---------------------------------------------------------

    def with_values(self, new_values):
        """The same rows of other values."""
        values = _converted(new_values)
        return RaggedTensor(values, self.row_splits, internal=True)

    def with_flat_values(self, new_values):
        """The same rows of other innermost values."""
        if isinstance(self.values, RaggedTensor):
            return self.with_values(self.values.with_flat_values(new_values))
        return self.with_values(new_values)

    @property
    def components(self):
        """The innermost values, and all splits."""
        return [self.flat_values, *self.nested_row_splits]

    def with_components(self, tensors):
        """The ragged tensor of other values and splits."""
        result, *splits = tensors
        for starts in reversed(splits):
            result = RaggedTensor(result, starts, internal=True)
        return result

    def value_of(self, arrays):
        """A `RaggedTensorValue`."""
        result, *splits = arrays
        for starts in reversed(splits):
            result = RaggedTensorValue(result, starts)
        return result

    def gradient_source(self):
        """The innermost values."""
        return self.flat_values

    def with_gradient(self, grad):
        """The same rows of the values' gradient."""
        return None if grad is None else self.with_flat_values(grad)

    def __repr__(self):
        return f"tf.RaggedTensor(values={self.values}, row_splits={self.row_splits})"


def _partitioned(values, splits, name, default_name, validate):
    """A ragged tensor.

    Args:
      values: the values of all rows.
      splits: takes the number of values, and what converts to a vector of integers; returns
        where rows begin, and pairs of a condition and its name.
      name, default_name: the name scope.
      validate: whether to check the conditions in the run.
    """
    if not isinstance(validate, bool):
        raise TypeError(f"Argument `validate` must have type bool. Received {validate}.")
    with NameScope(name, default_name, [values] if isinstance(values, Tensor) else None):
        values = _converted(values)
        inner = values.row_splits.dtype if isinstance(values, RaggedTensor) else None
        count = shape_of(values)[0] if inner is None else values.nrows()
        starts, conditions = splits(count, lambda item, what: _vector(item, what, inner))
        if inner is not None and starts.dtype is not inner:
            raise ValueError(
                f"Argument `row_partition` of RaggedTensor with name: {name} must have same dtype "
                f"as Argument `values`. ({starts.dtype} vs. {inner})."
            )
        if validate:
            checks = [*conditions, (equal(starts[-1], cast(count, starts.dtype)), "nvals")]
            message = f"Arguments to {default_name} do not form a valid RaggedTensor:"
            waits = [assert_that(condition, [message + what]) for condition, what in checks]
            with get_default_graph().control_dependencies(waits):
                starts = Identity(starts, name="control_dependency")
        return RaggedTensor(values, starts, internal=True)


def _converted(values):
    if isinstance(values, RaggedTensor):
        return values
    return (
        densify(values) if hasattr(values, "indices") else convert_to_tensor(values, name="values")
    )


def _vector(value, name, preferred):
    """A partition as a vector of int32 or int64, which it is unless it is said."""
    tensor = convert_to_tensor(value, name=name, preferred_dtype=preferred or dtypes.int64)
    if tensor.dtype.base_dtype not in dtypes.INDEX:
        raise ValueError(f"{name} must have dtype int32 or int64")
    if tensor.dims is not None and len(tensor.dims) != 1:
        raise ValueError(f"Shape {tensor.shape} must have rank 1")
    return tensor


class RaggedTensorValue:
    """What a session gives for a ragged tensor.

    Args:
      values: an array, or a `RaggedTensorValue`.
      row_splits: where each row begins and the last one ends.
    """

    __slots__ = ("row_splits", "values")

    def __init__(self, values, row_splits):
        self.values = values
        self.row_splits = row_splits

    dtype = property(lambda self: self.values.dtype, doc="NumPy's dtype of the values.")

    @property
    def flat_values(self):
        """The innermost values."""
        values = self.values
        return values.flat_values if isinstance(values, RaggedTensorValue) else values

    def to_list(self):
        """The rows as nested lists."""
        inner = self.values
        inner = inner.to_list() if isinstance(inner, RaggedTensorValue) else inner.tolist()
        pairs = zip(self.row_splits[:-1], self.row_splits[1:], strict=True)
        return [inner[start:end] for start, end in pairs]

    def __repr__(self):
        return f"<tf.RaggedTensorValue {self.to_list()}>"


export_as(RaggedTensorValue, "ragged.RaggedTensorValue")


@export("ragged.map_flat_values")
def map_flat_values(op, *args, **kwargs):
    """What `op` gives for the innermost values, in the same rows.

    Args:
      op: a function of tensors.
      *args, **kwargs: its arguments; at least one is ragged, and all that are have the same rows.

    Raises:
      UnsupportedOpError: for different numbers of ragged dimensions.
      errors.InvalidArgumentError: when run, for different rows.
    """
    given = [item for item in (*args, *kwargs.values()) if isinstance(item, RaggedTensor)]
    if not given:
        return op(*args, **kwargs)
    splits = _common_splits(given)
    result = op(
        *[_flat(item) for item in args], **{key: _flat(item) for key, item in kwargs.items()}
    )
    return given[0].with_components([convert_to_tensor(result), *splits])


def _flat(item):
    return item.flat_values if isinstance(item, RaggedTensor) else item


def _common_splits(given):
    """The splits of ragged tensors, which are the same, or an error of the run."""
    first, *others = [item.nested_row_splits for item in given]
    waits = []
    for other in others:
        if len(other) != len(first):
            raise errors.UnsupportedOpError("ragged tensors of different ranks are not combined")
        waits += [
            assert_that(reduce_all(equal(a, b)), ["Condition x == y did not hold element-wise:"])
            for a, b in zip(first, other, strict=True)
            if a is not b
        ]
    if not waits:
        return first
    with get_default_graph().control_dependencies(waits):
        return [Identity(splits) for splits in first]


def elementwise(function):
    """A function of elements as one of ragged tensors and scalars."""

    def apply(*args):
        for item in args:
            if getattr(item, "shape", ()) != () and not isinstance(item, RaggedTensor):
                raise errors.UnsupportedOpError("a ragged tensor is not broadcast with a dense one")
        rows = {tuple(map(id, r.nested_row_splits)) for r in args if isinstance(r, RaggedTensor)}
        if len(rows) > 1:  # TensorFlow broadcasts them, by gathers
            raise errors.UnsupportedOpError("ragged tensors of other row_splits are not combined")
        return map_flat_values(function, *args)

    return apply
