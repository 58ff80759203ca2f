"""tf.TensorArray: tensors that are written and read one by one, carried by a tensor list."""

import numpy as np

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import control_flow_v2
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import TensorShape, as_dims, compatible, merge_dims
from numpy_tf.ops.array.basic import Identity
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.control.tensor_list import (
    CLEAR_AFTER_READ,
    SAME_SHAPES,
    WRITE_ONCE,
    TensorListConcatV2,
    TensorListGather,
    TensorListGetItem,
    TensorListLength,
    TensorListReserve,
    TensorListScatterIntoExistingList,
    TensorListSetItem,
    TensorListSplit,
    TensorListStack,
    element_shape_tensor,
    tensor_list_from_tensor,
)
from numpy_tf.ops.control_flow import NoOp
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.math.sequence import range as range_of


@export("TensorArray")
class TensorArray:
    """A list of tensors of one dtype; what changes it returns another one.

    Args:
      dtype: of the tensors.
      size: how many there are, an int or int32 scalar; not with `flow`.
      dynamic_size: whether writing past the end makes it longer.
      clear_after_read: whether a tensor can be read only once, in TensorFlow 1's behaviour;
        there it is by default.
      tensor_array_name: for TensorFlow's signature.
      handle: for TensorFlow's signature.
      flow: a tensor of dtype variant, the list itself.
      infer_shape: whether all tensors have one static shape.
      element_shape: that shape, as far as it is known.
      colocate_with_first_write_call: for TensorFlow's signature.
      name: the name scope.

    Raises:
      ValueError: with both or neither of `size` and `flow`.
      TypeError: when `flow` is no variant tensor.
    """

    def __init__(
        self,
        dtype,
        size=None,
        dynamic_size=None,
        clear_after_read=None,
        tensor_array_name=None,
        handle=None,
        flow=None,
        infer_shape=True,
        element_shape=None,
        colocate_with_first_write_call=True,
        name=None,
    ):
        if flow is not None and (not isinstance(flow, Tensor) or flow.dtype is not dtypes.variant):
            raise TypeError(
                f"Expected `flow` to be a variant tensor, but received `{flow}` instead."
            )
        if flow is None and size is None:
            raise ValueError("Argument `size` must be provided if argument `flow` is not provided.")
        if flow is not None and size is not None:
            raise ValueError("Cannot provide both `flow` and `size` arguments at the same time.")
        self._dtype = dtypes.as_dtype(dtype).base_dtype
        self._size = size
        self._dynamic_size = bool(dynamic_size)
        self._infer_shape = infer_shape
        self._clears = not control_flow_v2() and clear_after_read is not False
        self._element_dims = [as_dims(element_shape)]  # in a list, which its successors share
        if flow is None:
            with (
                NameScope(
                    name, "TensorArray", [size] if isinstance(size, Tensor) else None
                ) as scope,
                self._reading(),
            ):
                shape = element_shape_tensor(as_dims(element_shape))
                flow = TensorListReserve(shape, size, element_dtype=self._dtype, name=scope)
        self._flow = flow

    def with_flow(self, flow):
        """This array with another list."""
        following = object.__new__(TensorArray)
        following.__dict__.update(self.__dict__)
        following._flow = flow
        return following

    flow = property(lambda self: self._flow, doc="The list, a tensor of dtype variant.")
    dtype = property(lambda self: self._dtype, doc="The dtype of the tensors.")
    handle = property(lambda self: None, doc="For TensorFlow's signature: None.")
    dynamic_size = property(lambda self: self._dynamic_size, doc="Whether it can grow.")

    @property
    def element_shape(self):
        """The static shape of the tensors, as far as it is known."""
        return TensorShape(self._element_dims[0])

    def _element_shape_tensor(self):
        return element_shape_tensor(self._element_dims[0])

    def _checked(self, value, first):
        """A value to write as a tensor; `first` is where the shape of an item begins."""
        value = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
        if not control_flow_v2() and not self._infer_shape:
            return value
        self._check_dims(None if value.dims is None else value.dims[first:])
        return value

    def _check_dtype(self, value):
        if value.dtype.base_dtype is not self._dtype:
            raise ValueError(
                f"Expected list with element dtype {self._dtype.name} but got list with element "
                f"dtype {value.dtype.base_dtype.name}"
            )

    def _reading(self):
        """A context for operations that make a list to be read, and for those that read it."""
        return get_default_graph().extra_attrs({CLEAR_AFTER_READ: True} if self._clears else {})

    def _writing(self):
        """A context for operations that write into a list."""
        attrs = {}
        if not control_flow_v2():
            attrs[WRITE_ONCE] = True
            if self._infer_shape:
                attrs[SAME_SHAPES] = True
        return get_default_graph().extra_attrs(attrs)

    def _check_dims(self, dims):
        known = self._element_dims[0]
        if not compatible(dims, known):
            raise ValueError(
                f"Inconsistent shapes: saw {TensorShape(dims)} but expected {TensorShape(known)} "
            )
        if self._infer_shape:
            self._element_dims[0] = merge_dims(known, dims)

    def identity(self):
        """The array, as another operation gives it."""
        return self.with_flow(Identity(self._flow))

    def read(self, index, name=None):
        """The tensor at `index`."""
        with NameScope(name, "TensorArrayRead", [self._flow]), self._reading():
            return TensorListGetItem(
                self._flow, index, self._element_shape_tensor(), element_dtype=self._dtype
            )

    def write(self, index, value, name=None):
        """The array with `value` at `index`."""
        with NameScope(name, "TensorArrayWrite", [self._flow]):
            value = self._checked(value, 0)
            with self._writing():
                flow = TensorListSetItem(
                    self._flow,
                    index,
                    value,
                    resize_if_index_out_of_bounds=self._dynamic_size,
                )
            return self.with_flow(flow)

    def stack(self, name=None):
        """All tensors along a new first dimension."""
        with NameScope(name, "TensorArrayStack", [self._flow]), self._reading():
            return TensorListStack(
                self._flow,
                self._element_shape_tensor(),
                element_dtype=self._dtype,
                num_elements=self._static_size(),
            )

    def _static_size(self):
        if self._dynamic_size or self._size is None:
            return -1
        if isinstance(self._size, Tensor):
            size = constant_value(self._size)
            return -1 if size is None else int(size)
        return int(self._size)

    def gather(self, indices, name=None):
        """Some tensors along a new first dimension."""
        with NameScope(name, "TensorArrayGather", [self._flow]), self._reading():
            rows = TensorListGather(
                self._flow, indices, self._element_shape_tensor(), element_dtype=self._dtype
            )
            if not control_flow_v2() and rows.dims is not None:
                rows.dims = (None, *rows.dims[1:])
            return rows

    def concat(self, name=None):
        """All tensors one after the other along their first dimension."""
        dims = self._element_dims[0]
        with NameScope(name, "TensorArrayConcat", [self._flow]), self._reading():
            joined = TensorListConcatV2(
                self._flow,
                element_shape_tensor((None, *dims[1:]) if dims else None),
                np.zeros(0, np.int64),
                element_dtype=self._dtype,
            )[0]
            count = self._static_size()
            if not control_flow_v2() and self._infer_shape and dims and dims[0] is not None:
                joined.set_shape([None if count < 0 else count * dims[0], *dims[1:]])
            return joined

    def unstack(self, value, name=None):
        """The array of what lies along the first dimension of `value`."""
        with NameScope(name, "TensorArrayUnstack", [self._flow]):
            value = self._checked(value, 1)
            if not control_flow_v2() and value.dtype.base_dtype is not self._dtype:
                return self.scatter(range_of(shape_of(value)[0]), value)  # which refuses it
            self._check_dtype(value)
            dims = None if value.dims is None else value.dims[1:]
            with self._reading():
                return self.with_flow(tensor_list_from_tensor(value, dims))

    def scatter(self, indices, value, name=None):
        """The array with what lies along the first dimension of `value` at `indices`."""
        with NameScope(name, "TensorArrayScatter", [self._flow]):
            value = self._checked(value, 1)
            if control_flow_v2():
                self._check_dtype(value)
            with self._writing():
                return self.with_flow(TensorListScatterIntoExistingList(self._flow, value, indices))

    def split(self, value, lengths, name=None):
        """The array of parts of `value` along its first dimension, each of its own length."""
        with NameScope(name, "TensorArraySplit", [self._flow]):
            value = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
            self._check_dtype(value)
            lengths = cast(lengths, dtypes.int64)
            known = constant_value(lengths)
            if (
                value.dims is not None
                and known is not None
                and known.size
                and known.min() == known.max()
            ):
                self._check_dims((int(known[0]), *value.dims[1:]))
            with self._reading(), self._writing():
                flow = TensorListSplit(value, self._element_shape_tensor(), lengths)
            return self.with_flow(flow)

    def size(self, name=None):
        """How many tensors there are."""
        if not self._dynamic_size and self._size is not None:
            return convert_to_tensor(self._size, dtype=dtypes.int32)
        return TensorListLength(self._flow, name=name)

    def close(self, name=None):
        """Does nothing."""
        return NoOp(name=name)
