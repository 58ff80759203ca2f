"""Tensor lists: the values of a loop's intermediates, and what a TensorArray consists of.

A list is a value, never changed: to push, to pop or to set gives another one. Lists that
grow at their end share one buffer, so that a push or a pop takes no longer for a long one.
"""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX, INT32_BY_DEFAULT
from numpy_tf.framework.func_graph import control_flow_v2
from numpy_tf.framework.graph import Tensor, get_default_graph
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.framework.static_value import shape_value
from numpy_tf.framework.tensor_shape import TensorShape, bracket_dims, compatible, merge_dims
from numpy_tf.framework.variant import Variant, sum_of_values, zeros_like_value
from numpy_tf.ops.array.dims import merge
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.array.slicing import slice as slice_of
from numpy_tf.ops.array.stack import concat


class TensorList(Variant):
    """The first `length` items of a buffer to which items are only ever appended.

    Args:
      dtype: NumPy's type of the items.
      dims: the shape that they have in common, None for what is not known.
      buffer: the items; None for one that was not set.
      length: how many of them are of this list.
      read: the places that were read, for a list that forgets them then (a TensorArray of
        TensorFlow 1, which is changed in place): one set for all lists that come of each
        other; else None.
    """

    __slots__ = ("_buffer", "dims", "dtype", "length", "read")

    def __init__(self, dtype, dims, buffer, length=None, read=None):
        self.dtype = dtype
        self.dims = dims
        self._buffer = buffer
        self.length = len(buffer) if length is None else length
        self.read = read

    @property
    def items(self):
        """The items, in a Python list that is not to be changed."""
        buffer, length = self._buffer, self.length
        return buffer if len(buffer) == length else buffer[:length]

    def pushed(self, item):
        """This list with one more item."""
        buffer, length = self._buffer, self.length
        if len(buffer) != length:
            buffer = buffer[:length]
        buffer.append(item)
        return TensorList(self.dtype, self.dims, buffer, length + 1)

    def popped(self):
        """This list without its last item, and that item."""
        length = self.length - 1
        return TensorList(self.dtype, self.dims, self._buffer, length), self._buffer[length]

    def with_items(self, items):
        """A list of the same kind with other items."""
        return TensorList(self.dtype, self.dims, items, read=self.read)

    def item(self, index, dims=None):
        """One item; zeros of the shape that is known of it where none was set."""
        item = self._buffer[index]
        return self.zeros_item(dims) if item is None else item

    def zeros_item(self, dims=None):
        """The item that stands for one that was not set.

        Raises:
          errors.InvalidArgumentError: when its shape is not known.
        """
        known = merge_dims(self.dims, dims)
        if known is None or None in known:
            given = next((item for item in self.items if item is not None), None)
            known = known if given is None else merge_dims(known, given.shape)
        if known is None or None in known:
            raise errors.invalid_argument(
                "Trying to read an uninitialized tensor but element_shape is not fully defined: "
                f"{bracket_dims(known) if known is not None else '<unknown>'}",
            )
        return np.zeros(known, self.dtype)

    def zeros_like(self):
        """The list of zeros; what was not set stays so."""
        items = [None if item is None else zeros_like_value(item) for item in self.items]
        return self.with_items(items)

    def added_to(self, other):
        """The sums of both lists' items."""
        if self.length != other.length:
            raise errors.invalid_argument(
                "Trying to add two lists of tensors with different lengths. "
                f"One is {self.length} and the other is {other.length}",
            )
        return self.with_items(
            [
                b if a is None else a if b is None else sum_of_values(a, b)
                for a, b in zip(self.items, other.items, strict=True)
            ]
        )


def element_shape_tensor(shape):
    """The element shape that the ops below take: a vector with -1 for unknown, or the scalar -1.

    Args:
      shape: a tensor, a tuple, list or `TensorShape` of ints and Nones, or None.
    """
    if isinstance(shape, Tensor):
        return shape
    if isinstance(shape, TensorShape):
        shape = None if shape.rank is None else shape.as_list()
    if shape is None:
        return convert_to_tensor(np.array(-1, np.int32))
    return convert_to_tensor(np.array([-1 if d is None else d for d in shape], np.int32))


def _dims(shape):
    """The partial shape that the value of an element shape stands for."""
    if shape.ndim == 0:
        return None
    return tuple(None if d < 0 else int(d) for d in shape)


def _static_dims(tensor):
    """The static shape that an element shape's tensor stands for."""
    if tensor.dims == ():
        return None
    return shape_value(tensor)


def _scalar(op):
    return ()


# Attributes that `TensorArray` gives to operations, for what TensorFlow 1's does otherwise.
WRITE_ONCE = "_write_once"
CLEAR_AFTER_READ = "_clear_after_read"
SAME_SHAPES = "_same_shapes"
ADD_UP = "_add_up"


def _places_read(op):
    """The set for the places that were read of a new list, if it forgets them."""
    return set() if CLEAR_AFTER_READ in op.attrs else None


def _note_read(op, items, indices):
    """InvalidArgumentError when a place of a list that forgets them is read again."""
    if items.read is None or CLEAR_AFTER_READ not in op.attrs:
        return
    for index in map(int, indices):
        if index in items.read:
            raise errors.invalid_argument(
                f"Could not read index {index} twice because it was cleared after a previous read "
                "(perhaps try setting clear_after_read = false?).",
            )
        items.read.add(index)


def _check_written(op, items, values):
    """InvalidArgumentError for values of another dtype, or of shapes that must not differ."""
    for value in values:
        if value.dtype != items.dtype:
            raise errors.invalid_argument(
                f"Invalid data types; op elements {value.dtype.name} but list elements "
                f"{np.dtype(items.dtype).name}",
            )
    if SAME_SHAPES in op.attrs:
        written = [*values, *(item for item in items.items if item is not None)]
        if len({value.shape for value in written}) > 1:
            raise errors.invalid_argument(
                f"Could not write to TensorArray because the value shape is "
                f"{bracket_dims(values[-1].shape)} which is incompatible with the TensorArray's "
                f"inferred element shape: {bracket_dims(written[-1].shape)} "
                "(consider setting infer_shape=False).",
            )


def _check_item(items, item):
    if not compatible(items.dims, item.shape):
        raise errors.invalid_argument(
            f"Tried to set a tensor with incompatible shape at a list index. Item element shape: "
            f"{bracket_dims(item.shape)} list shape: {bracket_dims(items.dims)}",
        )


def _check_index(index, length, what="Trying to access element"):
    if not 0 <= index < length:
        raise errors.invalid_argument(f"{what} {int(index)} in a list with {length} elements.")


# -- static shapes -----------------------------------------------------------------------

# Which input of an op that makes a list is the shape of its items, and which is the list that
# other ops change.
_ELEMENT_SHAPE = {
    "EmptyTensorList": 0,
    "TensorListReserve": 0,
    "TensorListFromTensor": 1,
    "TensorListSplit": 1,
    "TensorListScatter": 2,
    "TensorListScatterV2": 2,
}
_CHANGED_LIST = frozenset(
    {
        "Identity",
        "TensorListPushBack",
        "TensorListPopBack",
        "TensorListSetItem",
        "TensorListResize",
        "TensorListScatterIntoExistingList",
        "ZerosLike",
    }
)


def _item_dims(handle):
    """What the ops that made a list say of the shape of its items, or None."""
    maker = handle.op
    while maker.type in _CHANGED_LIST:
        maker = maker.inputs[0].op
    at = _ELEMENT_SHAPE.get(maker.type)
    return None if at is None else _static_dims(maker.inputs[at])


def _merged_dims(op, index):
    """The shape of a list's items, known from the list or from the input of that index."""
    return merge(_static_dims(op.inputs[index]), _item_dims(op.inputs[0]))


_HANDLE = "input_handle: variant"


@op(
    "element_shape: shape_type, max_num_elements: int32 -> handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class EmptyTensorList:
    """A list of nothing."""

    shape = _scalar

    def kernel(element_shape, max_num_elements, *, element_dtype):
        return TensorList(element_dtype.as_numpy_dtype, _dims(element_shape), [])

    gradient = NO_GRADIENT


@op(f"{_HANDLE}, tensor: element_dtype -> output_handle: variant", element_dtype=ANY)
class TensorListPushBack:
    """The list with one more item."""

    shape = _scalar

    def kernel(input_handle, tensor):
        return input_handle.pushed(tensor)

    def gradient(op, grad):
        tensor = op.inputs[1]
        items, item = TensorListPopBack(
            grad,
            element_shape_tensor(None) if tensor.dtype is dtypes.variant else shape_of(tensor),
            element_dtype=tensor.dtype,
        )
        item.set_shape(tensor.shape)
        return items, item


@op(
    f"{_HANDLE}, element_shape: int32 -> output_handle: variant, tensor: element_dtype",
    element_dtype=ANY,
)
class TensorListPopBack:
    """The list without its last item, and that item."""

    def shape(op):
        return [(), _merged_dims(op, 1)]

    def kernel(input_handle, element_shape):
        if not input_handle.length:
            raise errors.invalid_argument("Trying to pop from an empty list.")
        rest, item = input_handle.popped()
        return rest, input_handle.zeros_item(_dims(element_shape)) if item is None else item

    def gradient(op, list_grad, item_grad):
        if list_grad is None:
            list_grad = empty_tensor_list(item_grad.dtype, list_element_shape(op.outputs[0]))
        if item_grad is None:
            item_grad = zeros_like(op.outputs[1])
        return TensorListPushBack(list_grad, item_grad), None


@op(f"{_HANDLE}, element_shape: int32 -> tensor: element_dtype", element_dtype=ANY, num_elements=-1)
class TensorListStack:
    """The items along a new first dimension."""

    def shape(op):
        dims = _merged_dims(op, 1)
        count = op.attrs["num_elements"]
        return None if dims is None else (None if count < 0 else count, *dims)

    def kernel(input_handle, element_shape, *, op, num_elements, element_dtype):
        _note_read(op, input_handle, range(input_handle.length))
        if num_elements >= 0 and input_handle.length != num_elements:
            raise errors.invalid_argument(
                f"Operation expected a list with {num_elements} elements but got a list with "
                f"{input_handle.length} elements.",
            )
        return _stacked(input_handle, input_handle.items, element_shape)

    def gradient(op, grad):
        dims = grad.dims
        return tensor_list_from_tensor(grad, None if dims is None else dims[1:]), None


def _stacked(items, chosen, element_shape):
    dims = merge_dims(items.dims, _dims(element_shape))
    if not chosen:
        if dims is None or None in dims:
            raise errors.invalid_argument(
                "Tried to stack elements of an empty list with non-fully-defined element_shape: "
                f"{'<unknown>' if dims is None else bracket_dims(dims)}",
            )
        return np.zeros((0, *dims), items.dtype)
    zeros = None
    if any(item is None for item in chosen):
        zeros = items.zeros_item(dims)
        chosen = [zeros if item is None else item for item in chosen]
    shape = chosen[0].shape
    for item in chosen:
        if item.shape != shape or not compatible(dims, item.shape):
            raise errors.invalid_argument(
                "Tried to stack list which only contains tensors of different shapes: "
                f"{bracket_dims(shape)} and {bracket_dims(item.shape)}",
            )
    stacked = np.empty((len(chosen), *shape), items.dtype)
    for i, item in enumerate(chosen):
        stacked[i] = item
    return stacked


@op(
    "tensor: element_dtype, element_shape: shape_type -> output_handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListFromTensor:
    """The list of what lies along the first dimension."""

    def shape(op):
        dims = op.inputs[0].dims
        merge(None if dims is None else dims[1:], _static_dims(op.inputs[1]))
        return ()

    def kernel(tensor, element_shape, *, op):
        rows = _rows(tensor)
        return TensorList(tensor.dtype, _dims(element_shape), rows, read=_places_read(op))

    def gradient(op, grad):
        tensor = op.inputs[0]
        count = tensor.dims[0] if tensor.dims else None
        stacked = TensorListStack(
            grad,
            slice_of(shape_of(tensor), [1], [-1]),
            element_dtype=tensor.dtype,
            num_elements=-1 if count is None else count,
        )
        return stacked, None


def _rows(tensor):
    if tensor.dtype == object:
        return [np.asarray(row, object) for row in tensor]
    return list(tensor)


@op(
    "element_shape: shape_type, num_elements: int32 -> handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListReserve:
    """A list of items that are not set."""

    shape = _scalar

    def kernel(element_shape, num_elements, *, op, element_dtype):
        if num_elements < 0:
            raise errors.invalid_argument(
                f"The num_elements to reserve must be a non negative number, but got "
                f"{int(num_elements)}",
            )
        items = [None] * int(num_elements)
        dtype = element_dtype.as_numpy_dtype
        return TensorList(dtype, _dims(element_shape), items, read=_places_read(op))

    gradient = NO_GRADIENT


@op(
    f"{_HANDLE}, index: int32, element_shape: Tshape -> item: element_dtype",
    element_dtype=ANY,
    Tshape=INT32_BY_DEFAULT,
)
class TensorListGetItem:
    """One item."""

    def shape(op):
        return _merged_dims(op, 2)

    def kernel(input_handle, index, element_shape, *, op):
        _check_index(index, input_handle.length)
        _note_read(op, input_handle, [index])
        return input_handle.item(int(index), _dims(element_shape))

    def gradient(op, grad):
        items, index, _ = op.inputs
        reserved = TensorListReserve(
            list_element_shape(items), TensorListLength(items), element_dtype=grad.dtype
        )
        return TensorListSetItem(reserved, index, grad), None, None


@op(
    f"{_HANDLE}, index: int32, item: element_dtype -> output_handle: variant",
    element_dtype=ANY,
    resize_if_index_out_of_bounds=False,
)
class TensorListSetItem:
    """The list with another item in one place."""

    def shape(op):
        merge(op.inputs[2].dims, _item_dims(op.inputs[0]))
        return ()

    def kernel(input_handle, index, item, *, op, resize_if_index_out_of_bounds):
        length = input_handle.length
        if index < 0 or not resize_if_index_out_of_bounds:
            _check_index(index, length, "Trying to modify element")
        _check_item(input_handle, item)
        _check_written(op, input_handle, [item])
        items = input_handle.items[:]
        if index >= length:
            items.extend([None] * (int(index) + 1 - length))
        elif WRITE_ONCE in op.attrs and items[index] is not None:
            raise errors.invalid_argument(
                f"Could not write to TensorArray index {int(index)} because it has already been "
                "written to.",
            )
        items[index] = item
        return input_handle.with_items(items)

    def gradient(op, grad):
        items, index, item = op.inputs
        list_grad = TensorListSetItem(grad, index, zeros_like(item))
        item_grad = TensorListGetItem(grad, index, shape_of(item), element_dtype=item.dtype)
        if op.attrs["resize_if_index_out_of_bounds"]:
            list_grad = TensorListResize(list_grad, TensorListLength(items))
        return list_grad, None, item_grad


@op(f"{_HANDLE} -> length: int32")
class TensorListLength:
    """How many items the list has."""

    shape = _scalar

    def kernel(input_handle):
        return np.array(input_handle.length, np.int32)

    gradient = NOT_DIFFERENTIABLE


@op(f"{_HANDLE} -> element_shape: shape_type", shape_type=INDEX)
class TensorListElementShape:
    """The shape that the items have in common, -1 for what is not known."""

    def shape(op):
        dims = _item_dims(op.inputs[0])
        return None if dims is None else (len(dims),)

    def kernel(input_handle, *, dtype):
        dims = input_handle.dims
        return np.array(-1 if dims is None else [-1 if d is None else d for d in dims], dtype)

    gradient = NOT_DIFFERENTIABLE


@op(f"{_HANDLE}, size: int32 -> output_handle: variant")
class TensorListResize:
    """The list with items cut off or places added at its end."""

    shape = _scalar

    def kernel(input_handle, size):
        if size < 0:
            raise errors.invalid_argument(
                f"TensorListSlice expects size to be non-negative. Got: {int(size)}"
            )
        added = [None] * max(0, int(size) - input_handle.length)
        return input_handle.with_items(input_handle.items[: int(size)] + added)

    def gradient(op, grad):
        return TensorListResize(grad, TensorListLength(op.inputs[0])), None


@op(
    f"{_HANDLE}, indices: int32, element_shape: int32 -> values: element_dtype",
    element_dtype=ANY,
)
class TensorListGather:
    """Some items along a new first dimension."""

    def shape(op):
        dims, indices = _merged_dims(op, 2), op.inputs[1].dims
        return None if dims is None or indices is None else (indices[0], *dims)

    def kernel(input_handle, indices, element_shape, *, op, element_dtype):
        items = input_handle.items
        for index in indices:
            _check_index(index, input_handle.length)
        _note_read(op, input_handle, indices)
        return _stacked(input_handle, [items[index] for index in indices], element_shape)

    def gradient(op, grad):
        items, indices, _ = op.inputs
        reserved = TensorListReserve(
            list_element_shape(items), TensorListLength(items), element_dtype=grad.dtype
        )
        with get_default_graph().extra_attrs({} if control_flow_v2() else {ADD_UP: True}):
            return TensorListScatterIntoExistingList(reserved, grad, indices), None, None


@op(
    "tensor: element_dtype, indices: int32, element_shape: shape_type -> output_handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListScatter:
    """A list with rows of a tensor in some places, as long as the greatest of these says."""

    shape = _scalar

    def kernel(tensor, indices, element_shape):
        return _scattered(_unset(tensor, indices, element_shape), tensor, indices)

    def gradient(op, grad):
        tensor, indices = op.inputs[:2]
        return _gathered_like(grad, tensor, indices), None, None


@op(
    "tensor: element_dtype, indices: int32, element_shape: shape_type, num_elements: int32"
    " -> output_handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListScatterV2:
    """A list with rows of a tensor in some places."""

    shape = _scalar

    def kernel(tensor, indices, element_shape, num_elements):
        items = _unset(tensor, indices, element_shape, int(num_elements))
        return _scattered(items, tensor, indices)

    def gradient(op, grad):
        tensor, indices = op.inputs[:2]
        return _gathered_like(grad, tensor, indices), None, None, None


@op(
    f"{_HANDLE}, tensor: element_dtype, indices: int32 -> output_handle: variant",
    element_dtype=ANY,
)
class TensorListScatterIntoExistingList:
    """The list with rows of a tensor in some places."""

    shape = _scalar

    def kernel(input_handle, tensor, indices, *, op):
        _check_written(op, input_handle, _rows(tensor))
        return _scattered(input_handle, tensor, indices, add_up=ADD_UP in op.attrs)

    def gradient(op, grad):
        _, tensor, indices = op.inputs
        item_grad = _gathered_like(grad, tensor, indices)
        list_grad = TensorListScatterIntoExistingList(grad, zeros_like(tensor), indices)
        return list_grad, item_grad, None


def _unset(tensor, indices, element_shape, count=-1):
    """A list of items that are not set, by default as many as there must be."""
    if count < 0:
        count = max(int(indices.max()) + 1, 0) if indices.size else 0
    return TensorList(tensor.dtype, _dims(element_shape), [None] * count)


def _scattered(items, tensor, indices, add_up=False):
    chosen = items.items[:]
    for index, row in zip(indices, _rows(tensor), strict=False):
        if index < 0:
            raise errors.invalid_argument("Indices in TensorListScatter must all be non-negative.")
        if index >= len(chosen):
            chosen.extend([None] * (int(index) + 1 - len(chosen)))
        _check_item(items, row)
        chosen[index] = row if not add_up or chosen[index] is None else chosen[index] + row
    return items.with_items(chosen)


def _gathered_like(items, tensor, indices):
    return TensorListGather(
        items, indices, slice_of(shape_of(tensor), [1], [-1]), element_dtype=tensor.dtype
    )


@op(f"{_HANDLE} -> tensor: element_dtype, lengths: int64", element_dtype=ANY, element_shape=None)
class TensorListConcat:
    """`TensorListConcatV2` of items whose shape is an attribute."""

    def shape(op):
        dims = merge(op.attrs["element_shape"], _item_dims(op.inputs[0]))
        return [None if dims is None else (None, *dims[1:]), (None,)]

    def kernel(input_handle, *, op, element_shape):
        _note_read(op, input_handle, range(input_handle.length))
        return _joined(input_handle, merge_dims(input_handle.dims, element_shape))

    def gradient(op, grad, lengths_grad):
        return TensorListSplit(grad, list_element_shape(op.inputs[0]), op.outputs[1])


def _joined(items, dims, leading_dims=()):
    """The items end to end, and how many rows each has.

    Args:
      dims: the shape that the items have in common.
      leading_dims: how many rows those have that are not set.
    """
    parts = []
    for i, item in enumerate(items.items):
        if item is None:
            rows = int(leading_dims[i]) if len(leading_dims) else None
            known = None if dims is None else (rows if dims[0] is None else dims[0], *dims[1:])
            item = items.zeros_item(known)
        elif not item.ndim:
            raise errors.invalid_argument(
                f"Concat saw a scalar shape at index {i} but requires at least vectors.",
            )
        parts.append(item)
    if not parts:
        if dims is None or None in dims[1:]:
            raise errors.invalid_argument(
                "All except the first dimension must be fully defined when concating an empty "
                "tensor list.",
            )
        return np.zeros((0, *dims[1:]), items.dtype), np.zeros(0, np.int64)
    return np.concatenate(parts), np.array([len(part) for part in parts], np.int64)


@op(
    f"{_HANDLE}, element_shape: shape_type, leading_dims: int64 -> "
    "tensor: element_dtype, lengths: int64",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListConcatV2:
    """The items one after the other along their first dimension, and how long each is."""

    def shape(op):
        dims = _merged_dims(op, 1)
        return [None if dims is None else (None, *dims[1:]), (None,)]

    def kernel(input_handle, element_shape, leading_dims, *, op, element_dtype):
        _note_read(op, input_handle, range(input_handle.length))
        dims = merge_dims(input_handle.dims, _dims(element_shape))
        return _joined(input_handle, dims, leading_dims)

    def gradient(op, grad, lengths_grad):
        split = TensorListSplit(grad, list_element_shape(op.inputs[0]), op.outputs[1])
        return split, None, None


@op(
    "tensor: element_dtype, element_shape: shape_type, lengths: int64 -> output_handle: variant",
    element_dtype=ANY,
    shape_type=INDEX,
)
class TensorListSplit:
    """The list of parts of a tensor along its first dimension, each of its own length."""

    shape = _scalar

    def kernel(tensor, element_shape, lengths, *, op):
        if lengths.sum() != len(tensor):
            raise errors.invalid_argument(
                f"Invalid lengths: expected sum of lengths to be equal to tensor.shape[0]: "
                f"{int(lengths.sum())} vs. {len(tensor)}",
            )
        ends = np.cumsum(lengths)
        parts = [tensor[end - length : end] for end, length in zip(ends, lengths, strict=True)]
        items = TensorList(tensor.dtype, _dims(element_shape), parts, read=_places_read(op))
        _check_written(op, items, parts)
        return items

    def gradient(op, grad):
        tensor, _, lengths = op.inputs
        rest = slice_of(shape_of(tensor), [1], [-1])
        joined = TensorListConcatV2(
            grad, concat([[-1], rest], 0), lengths, element_dtype=tensor.dtype
        )
        return joined[0], None, None


# -- with shapes as Python has them --------------------------------------------------------


def empty_tensor_list(element_dtype, element_shape, max_num_elements=-1, name=None):
    """A list of nothing; see `element_shape_tensor` for the shape."""
    return EmptyTensorList(
        element_shape_tensor(element_shape),
        max_num_elements,
        element_dtype=element_dtype,
        name=name,
    )


def tensor_list_from_tensor(tensor, element_shape):
    """The list of what lies along the first dimension of `tensor`."""
    return TensorListFromTensor(tensor, element_shape_tensor(element_shape))


def list_element_shape(items):
    """The shape that the items have in common, as the ops above take it."""
    return TensorListElementShape(items, shape_type=dtypes.int32)
