"""Functions of functions, each a loop over the first dimension: map_fn, scan, foldl, foldr."""

from numpy_tf.framework import dtypes
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope
from numpy_tf.framework.nest import assert_same_structure, flatten, map_structure, pack_sequence_as
from numpy_tf.framework.tensor_shape import TensorShape
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.control.tensor_array import TensorArray
from numpy_tf.ops.control.while_loop import while_loop


def _check_callable(fn):
    if not callable(fn):
        raise TypeError(f"{fn} is not callable. Please provide a callable function.")


def _length(tensor):
    """The first dimension: a number when it is known and not 0, else a tensor."""
    return _static_length(tensor) or shape_of(tensor)[0]


def _static_length(tensor):
    return tensor.dims[0] if tensor.dims else None


def _common_length(tensors):
    """The first dimension that all have, or None; ValueError when they differ."""
    length = None
    for tensor in tensors:
        found = _static_length(tensor)
        if None not in (length, found) and length != found:
            raise ValueError(f"Dimensions {length} and {found} are not compatible")
        length = found if length is None else length
    return length


def _as_array(tensor, size, element_shape=None):
    array = TensorArray(dtype=tensor.dtype, size=size, element_shape=element_shape)
    return array.unstack(tensor)


@export("map_fn")
def map_fn(
    fn,
    elems,
    dtype=None,
    parallel_iterations=None,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    name=None,
    fn_output_signature=None,
):
    """What `fn` gives for each element along the first dimension, stacked.

    Args:
      fn: takes a nest like `elems` without its first dimension.
      elems: a nest of tensors whose first dimensions are equal.
      dtype, fn_output_signature: a nest of dtypes that `fn` returns, where that is not like
        `elems`.
      parallel_iterations, swap_memory: for TensorFlow's signature.
      back_prop: whether gradients flow through it.
      infer_shape: whether all results have one static shape.
      name: the name scope.

    Raises:
      TypeError: when `fn` is no function.
      ValueError: for scalars, or results of another structure.
    """
    if not callable(fn):
        raise TypeError(f"The provided function {fn} is not callable.fn must be callable.")
    signature = dtype if fn_output_signature is None else fn_output_signature
    given = flatten(elems)
    if not given:
        raise ValueError(
            "elems must be a Tensor or (possibly nested) sequence of Tensors. "
            f"Got {elems}, which does not contain any Tensors."
        )
    with NameScope(name, "map", given):
        flat = [convert_to_tensor(elem, name="elem") for elem in given]
        if flat[0].dims == ():
            raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
        static = _common_length(flat)
        length = static or shape_of(flat[0])[0]
        arrays = [_as_array(tensor, length) for tensor in flat]
        if signature is None:
            result_dtypes = [tensor.dtype.base_dtype for tensor in flat]
        else:
            result_dtypes = [dtypes.as_dtype(wanted) for wanted in flatten(signature)]
        results = [
            TensorArray(dtype=wanted, size=length, infer_shape=infer_shape)
            for wanted in result_dtypes
        ]
        like = elems if signature is None else signature

        def compute(i, arrays_so_far):
            result = fn(pack_sequence_as(elems, [array.read(i) for array in arrays]))
            assert_same_structure(like, result)
            written = zip(arrays_so_far, flatten(result), strict=True)
            return i + 1, [array.write(i, value) for array, value in written]

        _, filled = while_loop(
            lambda i, _: i < length,
            compute,
            (constant(0), results),
            back_prop=back_prop,
            maximum_iterations=length,
        )
        return pack_sequence_as(like, _stacked(filled, static))


def _stacked(arrays, length):
    stacked = [array.stack() for array in arrays]
    for tensor in stacked:
        if tensor.dims is not None:
            tensor.set_shape(TensorShape([length, *tensor.dims[1:]]))
    return stacked


@export("foldl")
def foldl(
    fn,
    elems,
    initializer=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    name=None,
):
    """`fn(... fn(fn(initializer, first), second) ..., last)` along the first dimension.

    Args:
      fn: takes what it returned for the element before, and an element.
      elems: a nest of tensors whose first dimensions are equal.
      initializer: what it begins with, by default the first element.
      parallel_iterations, swap_memory: for TensorFlow's signature.
      back_prop: whether gradients flow through it.
      name: the name scope.
    """
    return _fold(fn, elems, initializer, back_prop, name, "foldl", reverse=False)


@export("foldr")
def foldr(
    fn,
    elems,
    initializer=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    name=None,
):
    """As `foldl`, from the last element to the first."""
    return _fold(fn, elems, initializer, back_prop, name, "foldr", reverse=True)


def _fold(fn, elems, initializer, back_prop, name, default_name, reverse):
    _check_callable(fn)
    with NameScope(name, default_name, flatten(elems)):
        tensors = map_structure(lambda elem: convert_to_tensor(elem, name="elem"), elems)
        length = _length(flatten(tensors)[0])
        arrays = map_structure(lambda tensor: _as_array(tensor, length), tensors)
        done = 0 if initializer is not None else 1
        start = length - done if reverse else constant(done)
        if initializer is None:
            first = start if reverse else 0
            initializer = map_structure(lambda array: array.read(first), arrays)

        def compute(i, total):
            at = i - 1 if reverse else i
            total = fn(total, map_structure(lambda array: array.read(at), arrays))
            return [at if reverse else i + 1, total]

        _, total = while_loop(
            lambda i, _: i > 0 if reverse else i < length,
            compute,
            [start, initializer],
            back_prop=back_prop,
            maximum_iterations=length,
        )
        return total


@export("scan")
def scan(
    fn,
    elems,
    initializer=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    infer_shape=True,
    reverse=False,
    name=None,
):
    """All that `foldl` goes through on its way, stacked.

    Args:
      fn, elems, initializer, parallel_iterations, back_prop, swap_memory, name: as of
        `foldl`.
      infer_shape: whether all results have one static shape.
      reverse: whether it goes from the last element to the first.
    """
    _check_callable(fn)
    with NameScope(name, "scan", flatten(elems)):
        tensors = [convert_to_tensor(elem, name="elem") for elem in flatten(elems)]
        length = _static_length(tensors[0])
        if length is None:
            length = shape_of(tensors[0])[0]
        arrays = [_as_array(t, length, None if t.dims is None else t.dims[1:]) for t in tensors]
        like = elems if initializer is None else initializer
        end = length - 1 if reverse else 0
        if initializer is None:
            first = [array.read(end) for array in arrays]
        else:
            first = [convert_to_tensor(item) for item in flatten(initializer)]
        totals = [
            TensorArray(
                dtype=total.dtype,
                size=length,
                element_shape=total.dims if infer_shape else None,
                infer_shape=infer_shape,
            )
            for total in first
        ]
        done = 0
        if initializer is None:
            totals = [array.write(end, total) for array, total in zip(totals, first, strict=True)]
            done = 1

        def compute(i, total, arrays_so_far):
            elements = pack_sequence_as(elems, [array.read(i) for array in arrays])
            result = fn(pack_sequence_as(like, total), elements)
            assert_same_structure(like, result)
            result = flatten(result)
            written = zip(arrays_so_far, result, strict=True)
            following = i - 1 if reverse else i + 1
            return following, result, [array.write(i, value) for array, value in written]

        _, _, filled = while_loop(
            lambda i, *_: i >= 0 if reverse else i < length,
            compute,
            (length - 1 - done if reverse else done, first, totals),
            back_prop=back_prop,
            maximum_iterations=length,
        )
        return pack_sequence_as(like, _stacked(filled, _common_length(tensors)))
