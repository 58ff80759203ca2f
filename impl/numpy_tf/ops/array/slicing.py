"""Parts of a tensor by position: slices, Python's indexing, padding and reversing."""

import functools
import numbers

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY, INDEX, INT32_BY_DEFAULT, NUMERIC
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.graph import NameScope, Tensor
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.static_value import constant_value
from numpy_tf.framework.tensor_shape import Dimension, bracket_dims, merge_dims
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.dims import (
    add_dims,
    dims_given_by,
    merge,
    merge_dim,
    subtract_dims,
    with_rank,
)
from numpy_tf.ops.array.fill import ones_like, zeros_like
from numpy_tf.ops.array.shape import BroadcastGradientArgs, rank, reshape, shape
from numpy_tf.ops.array.stack import concat, stack

newaxis = export_as(None, "newaxis")
_PythonSlice = slice  # the public function of this module has that name
_STRIDED_INDEX = INDEX | {dtypes.int16}


def _invalid(message):
    return errors.invalid_argument(message)


# -- Slice -------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1024)
def _slice_key(dims, begin, sizes):
    key = []
    for axis, (start, count, length) in enumerate(zip(begin, sizes, dims, strict=True)):
        if not 0 <= start <= length:
            raise _invalid(f"Expected begin[{axis}] in [0, {length}], but got {start}")
        if count == -1:
            count = length - start
        elif not 0 <= count <= length - start:
            raise _invalid(f"Expected size[{axis}] in [0, {length - start}], but got {count}")
        key.append(_PythonSlice(start, start + count))
    return tuple(key)


@op("input: T, begin: Index, size: Index -> output: T", T=ANY, Index=INDEX)
class Slice:
    """`size` elements of each dimension from `begin` on; a size of -1 takes all that follow."""

    def shape(op):
        dims = op.inputs[0].dims
        (count,) = merge(with_rank(op.inputs[1].dims, 1), with_rank(op.inputs[2].dims, 1))
        if count is not None:
            dims = with_rank(dims, count)
        begin = dims_given_by(op.inputs[1])
        sizes = constant_value(op.inputs[2])
        partial = dims_given_by(op.inputs[2])
        if sizes is None:
            if partial is not None:
                with_rank(begin, len(partial))
                return partial
            return None if dims is None else (None,) * len(dims)
        begin = with_rank(begin, len(sizes))
        return tuple(map(_sliced_dim, sizes.tolist(), begin, dims))

    def kernel(input, begin, size):
        if not begin.shape == size.shape == (input.ndim,):
            raise _invalid(
                "Expected begin and size arguments to be 1-D tensors of size "
                f"{input.ndim}, but got shapes {bracket_dims(begin.shape)} and "
                f"{bracket_dims(size.shape)} instead."
            )
        return input[_slice_key(input.shape, tuple(begin.tolist()), tuple(size.tolist()))]

    def gradient(op, grad):
        tensor, begin, _ = op.inputs
        index_dtype = begin.dtype.base_dtype
        rank_ = rank(tensor)
        size = shape(op.outputs[0], out_type=index_dtype)
        column = stack([rank_, 1])
        before = reshape(begin, column)
        after = reshape(shape(tensor, out_type=index_dtype) - size - begin, column)
        return pad(grad, concat([before, after], 1)), None, None


def _sliced_dim(size, begin, dim):
    return subtract_dims(dim, begin) if size == -1 else size


@export("slice")
def slice(input_, begin, size, name=None):
    """`size` elements of each dimension of `input_` from `begin` on; -1 takes all that follow.

    Raises:
      errors.InvalidArgumentError: when that is more than there is.
    """
    return Slice(input_, begin, size, name=name)


# -- StridedSlice ------------------------------------------------------------------------

_NEW_AXIS, _SHRINK = -1, -2


class _Spec:
    """What a strided slice takes from each dimension of its input.

    Attributes:
      keys: for each input dimension begin, end, stride, whether begin and end are masked,
        and whether the dimension is an index and goes; begin and end are None if unknown.
      outputs: for each output dimension the input dimension that it is, or _NEW_AXIS; and
        _SHRINK for those that go.
    """

    __slots__ = ("keys", "outputs")

    def __init__(self, rank_, begin, end, strides, masks):
        begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask = masks
        if ellipsis_mask & (ellipsis_mask - 1):
            raise ValueError("Multiple ellipses in slice spec not allowed")
        count = len(strides)
        if not ellipsis_mask:
            ellipsis_mask = 1 << count
            count += 1
        at = ellipsis_mask.bit_length() - 1
        later_new_axes = (new_axis_mask >> at & ((1 << count - at) - 1)).bit_count()
        self.keys, self.outputs = [], []
        for i in range(count):
            bit = 1 << i
            if bit & ellipsis_mask:
                following = min(rank_ - (count - i) + 1 + later_new_axes, rank_)
                while len(self.keys) < following:
                    self.outputs.append(len(self.keys))
                    self.keys.append((0, 0, 1, True, True, False))
            elif bit & new_axis_mask:
                self.outputs.append(_NEW_AXIS)
            else:
                axis = len(self.keys)
                if axis == rank_ == 0:
                    raise ValueError("Attempting to slice scalar input.")
                if axis == rank_:
                    raise ValueError(
                        f"Index out of range using input dim {axis}; input has only {rank_} dims"
                    )
                shrink = bool(bit & shrink_axis_mask)
                self.outputs.append(_SHRINK if shrink else axis)
                self.keys.append(
                    (
                        None if begin is None else begin[i],
                        None if end is None else end[i],
                        strides[i],
                        bool(bit & begin_mask),
                        bool(bit & end_mask),
                        shrink,
                    )
                )

    def processed(self, dims):
        """Each input dimension as it is before indices go: a size, or None."""
        return [
            _taken(i, *key, dim)[2]
            for i, (key, dim) in enumerate(zip(self.keys, dims, strict=True))
        ]

    def final(self, processed):
        """The output's shape, from `processed`."""
        return tuple(
            1 if axis == _NEW_AXIS else processed[axis] for axis in self.outputs if axis != _SHRINK
        )


def _taken(axis, begin, end, stride, begin_masked, end_masked, shrink, dim):
    """(first, stop, size) of one dimension; what is not known is None."""
    if stride == 0:
        raise ValueError(f"strides[{axis}] must be non-zero")
    if dim is None:
        return None, None, 1 if shrink else None
    if shrink and stride <= 0:
        raise ValueError("only stride 1 allowed on non-range indexing.")
    if begin is not None and end is not None:
        if shrink:
            first = dim + begin if begin < 0 else begin
            if not 0 <= first < dim:
                raise ValueError(f"slice index {first} of dimension {axis} out of bounds.")
            return first, first + 1, 1
        lowest, highest = (0, dim) if stride > 0 else (-1, dim - 1)
        if begin_masked:
            begin = lowest if stride > 0 else highest
        else:
            begin = min(max(dim + begin if begin < 0 else begin, lowest), highest)
        if end_masked:
            end = highest if stride > 0 else lowest
        else:
            end = min(max(dim + end if end < 0 else end, lowest), highest)
        return begin, end, max(0, -((begin - end) // stride))
    if shrink:
        return None, None, 1
    if begin_masked and end_masked:
        return None, None, -(-dim // abs(stride))
    return None, None, None


def _masks(op):
    attrs = op.attrs
    return (
        attrs["begin_mask"],
        attrs["end_mask"],
        attrs["ellipsis_mask"],
        attrs["new_axis_mask"],
        attrs["shrink_axis_mask"],
    )


def _strided_shape(op):
    tensor, *vectors = op.inputs
    length = (None,)
    for vector in vectors:
        length = merge(length, with_rank(vector.dims, 1))
    begin, end, strides = (_values(vector) for vector in vectors)
    if tensor.dims is None or length == (None,) or strides is None:
        return None
    spec = _Spec(len(tensor.dims), begin, end, strides, _masks(op))
    return spec.final(spec.processed(tensor.dims))


def _values(vector):
    value = constant_value(vector)
    return None if value is None else value.tolist()


def _run_spec(dims, begin, end, strides, masks):
    """The key that takes the slice from an array, its shape so, and the final shape."""
    if not begin.shape == end.shape == strides.shape or begin.ndim != 1:
        raise _invalid(
            "Expected begin, end, and strides to be 1D equal size tensors, but got shapes "
            f"{bracket_dims(begin.shape)}, {bracket_dims(end.shape)}, and "
            f"{bracket_dims(strides.shape)} instead."
        )
    try:
        spec = _Spec(len(dims), begin.tolist(), end.tolist(), strides.tolist(), masks)
        taken = [
            (_taken(axis, *key, dim), key[2])
            for axis, (key, dim) in enumerate(zip(spec.keys, dims, strict=True))
        ]
    except ValueError as error:
        raise _invalid(str(error)) from None
    key = tuple(
        # A slice that runs down to the first element has no end that Python could say.
        _PythonSlice(first, None if stop < 0 else stop, stride) if size else _PythonSlice(0, 0)
        for (first, stop, size), stride in taken
    )
    processed = tuple(size for (_, _, size), _ in taken)
    return key, processed, spec.final(processed)


_MASK_ATTRS = {
    "begin_mask": 0,
    "end_mask": 0,
    "ellipsis_mask": 0,
    "new_axis_mask": 0,
    "shrink_axis_mask": 0,
}


@op(
    "input: T, begin: Index, end: Index, strides: Index -> output: T",
    T=ANY,
    Index=_STRIDED_INDEX,
    **_MASK_ATTRS,
)
class StridedSlice:
    """Python's slices of each dimension; masks say what is absent, `...`, new, or an index."""

    shape = _strided_shape

    def kernel(input, begin, end, strides, *, op):
        key, _, final = _run_spec(input.shape, begin, end, strides, _masks(op))
        return input[key].reshape(final)

    def gradient(op, grad):
        tensor, begin, end, strides = op.inputs
        x = shape(tensor, out_type=begin.dtype.base_dtype)
        return (
            StridedSliceGrad(
                *(_known_or_self(t) for t in (x, begin, end, strides)), grad, **_mask_attrs(op)
            ),
            None,
            None,
            None,
        )


def _known_or_self(tensor):
    value = constant_value(tensor)
    return tensor if value is None else value


def _mask_attrs(op):
    return {name: op.attrs[name] for name in _MASK_ATTRS}


@op(
    "shape: Index, begin: Index, end: Index, strides: Index, dy: T -> output: T",
    T=ANY,
    Index=INDEX,
    **_MASK_ATTRS,
)
class StridedSliceGrad:
    """Zeros of `shape` with `dy` where the strided slice was taken."""

    def shape(op):
        return dims_given_by(op.inputs[0])

    def kernel(shape, begin, end, strides, dy, *, op):
        dims = tuple(shape.tolist())
        key, processed, final = _run_spec(dims, begin, end, strides, _masks(op))
        if dy.shape != final:
            raise _invalid(
                f"shape of dy was {bracket_dims(dy.shape)} instead of {bracket_dims(final)}"
            )
        result = np.zeros(dims, dy.dtype)
        result[key] = dy.reshape(processed)
        return result

    def gradient(op, grad):
        _, begin, end, strides, _ = op.inputs
        part = StridedSlice(grad, begin, end, strides, **_mask_attrs(op))
        return None, None, None, None, part


@op(
    "input: T, begin: Index, end: Index, strides: Index, value: T -> output: T",
    T=ANY,
    Index=INDEX,
    **_MASK_ATTRS,
)
class TensorStridedSliceUpdate:
    """The input with `value` in place of the strided slice."""

    def kernel(input, begin, end, strides, value, *, op):
        key, processed, final = _run_spec(input.shape, begin, end, strides, _masks(op))
        try:
            part = np.broadcast_to(value, final).reshape(processed)
        except ValueError:
            raise _invalid(
                f"Must have updates.shape {bracket_dims(value.shape)} "
                f"that broadcasts to {bracket_dims(final)}"
            ) from None
        result = np.array(input)
        result[key] = part
        return result

    def gradient(op, grad):
        from numpy_tf.ops.math.reduction import reduce_sum

        begin, end, strides, value = op.inputs[1:]
        masks = _mask_attrs(op)
        of_value = strided_slice(grad, begin, end, strides, **masks)
        rest = TensorStridedSliceUpdate(grad, begin, end, strides, zeros_like(of_value), **masks)
        value_shape = shape(value, out_type=begin.dtype)
        axes = BroadcastGradientArgs(shape(of_value, out_type=begin.dtype), value_shape)[1]
        summed = reshape(reduce_sum(of_value, axes, keepdims=True), value_shape)
        return rest, None, None, None, summed


@export("strided_slice")
def strided_slice(
    input_,
    begin,
    end,
    strides=None,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    var=None,
    name=None,
):
    """Python's slices of each dimension of `input_`.

    Args:
      input_: a tensor.
      begin, end, strides: vectors with an element for each position of the key.
      begin_mask, end_mask: bit i set: the begin or end at position i is absent.
      ellipsis_mask: bit i set: position i is `...`.
      new_axis_mask: bit i set: position i is a new dimension of size 1.
      shrink_axis_mask: bit i set: position i is an index, and its dimension goes.

    Raises:
      ValueError: for an index that is known to be out of bounds, or too many of them.
    """
    if strides is None:
        strides = ones_like(begin)
    return StridedSlice(
        input_,
        begin,
        end,
        strides,
        name=name,
        begin_mask=begin_mask,
        end_mask=end_mask,
        ellipsis_mask=ellipsis_mask,
        new_axis_mask=new_axis_mask,
        shrink_axis_mask=shrink_axis_mask,
    )


# -- indexing ----------------------------------------------------------------------------

_INDEX_DTYPES = frozenset({"int16", "int32", "int64", "int32_ref", "int64_ref"})
_INDEX_ERROR = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
    "tf.int32/tf.int64 tensors are valid indices"
)


def _is_absent(bound):
    return bound is None or (isinstance(bound, Dimension) and bound.value is None)


def _check_index(index):
    if isinstance(index, (numbers.Integral, Dimension)):
        return
    dtype = getattr(index, "dtype", None)
    if dtype is not None and dtypes.as_dtype(dtype).name in _INDEX_DTYPES:
        dims = index.dims if isinstance(index, Tensor) else tuple(index.shape)
        if dims is None or len(dims) != 1:
            return
    raise TypeError(f"{_INDEX_ERROR}, got {index!r}")


def _index_dtype(bounds):
    """The dtype for the bounds that a slice leaves out: that of the tensors in it."""
    found = {bound.dtype.base_dtype for bound in bounds if isinstance(bound, Tensor)}
    for dtype in (dtypes.int64, dtypes.int32, dtypes.int16):
        if dtype in found:
            return dtype
    return None


def _number(value, dtype):
    return value if dtype is None else constant(value, dtype=dtype)


def getitem(tensor, key):
    """`tensor[key]`, as TensorFlow has it.

    Args:
      tensor: a tensor or variable.
      key: an int, slice, Ellipsis, tf.newaxis or scalar integer tensor, or a tuple of
        those; or a boolean mask.

    Raises:
      TypeError: for any other key.
      ValueError: for an index that is known to be out of bounds, or too many of them.
    """
    tensor = convert_to_tensor(tensor)
    if isinstance(key, bool) or getattr(key, "dtype", None) in (dtypes.bool_, np.bool_):
        from numpy_tf.ops.array.gather import boolean_mask

        return boolean_mask(tensor, key)
    positions = key if isinstance(key, (list, tuple)) else [key]
    begin, end, strides = [], [], []
    masks = dict.fromkeys(_MASK_ATTRS, 0)
    for i, position in enumerate(positions):
        bit = 1 << i
        if isinstance(position, _PythonSlice):
            bounds = (position.start, position.stop, position.step)
            dtype = _index_dtype(bounds)
            for vector, bound, absent, mask in (
                (begin, bounds[0], 0, "begin_mask"),
                (end, bounds[1], 0, "end_mask"),
                (strides, bounds[2], 1, None),
            ):
                if _is_absent(bound):
                    vector.append(_number(absent, dtype))
                    if mask is not None:
                        masks[mask] |= bit
                else:
                    _check_index(bound)
                    vector.append(bound)
        elif position is Ellipsis or position is None:
            begin.append(0)
            end.append(0)
            strides.append(1)
            masks["ellipsis_mask" if position is Ellipsis else "new_axis_mask"] |= bit
        else:
            _check_index(position)
            begin.append(position)
            end.append(position + 1)
            wide = isinstance(position, Tensor) and position.dtype in (dtypes.int16, dtypes.int64)
            strides.append(_number(1, position.dtype if wide else None))
            masks["shrink_axis_mask"] |= bit
    with NameScope(None, "strided_slice", [tensor, *begin, *end, *strides]) as scope:
        if begin:
            vectors = _of_one_dtype([stack(begin), stack(end), stack(strides)])
        else:
            vectors = [constant([], dtype=dtypes.int32)] * 3
        return strided_slice(tensor, *vectors, **masks, name=scope)


def _of_one_dtype(vectors):
    """As they are, or all int64 if one is."""
    if all(vector.dtype is not dtypes.int64 for vector in vectors):
        return vectors
    from numpy_tf.ops.math.cast import cast

    return [cast(vector, dtypes.int64) for vector in vectors]


# -- padding -----------------------------------------------------------------------------


def _padded_shape(op):
    tensor, paddings = op.inputs[:2]
    dims = tensor.dims
    count, two = with_rank(paddings.dims, 2)
    merge_dim(two, 2)
    if count is not None:
        dims = with_rank(dims, count)
    elif dims is not None:
        count = len(dims)
    widths = constant_value(paddings)
    if widths is None:
        return None if count is None else (None,) * count
    dims = with_rank(dims, len(widths))
    if (widths < 0).any():
        raise ValueError("Paddings must be non-negative")
    return tuple(add_dims(dim, int(width)) for dim, width in zip(dims, widths.sum(1), strict=True))


def _check_paddings(tensor, paddings):
    if paddings.shape != (tensor.ndim, 2):
        raise _invalid(
            "The first dimension of paddings must be the rank of inputs"
            f"{bracket_dims(paddings.shape)} {bracket_dims(tensor.shape)}"
        )
    if (paddings < 0).any():
        axis = int(np.argmax((paddings < 0).any(1)))
        raise _invalid(f"Paddings must be non-negative: {paddings[axis, 0]} {paddings[axis, 1]}")


def _filled_around(tensor, paddings, value):
    _check_paddings(tensor, paddings)
    widths = paddings.tolist()
    dims = tuple(
        dim + before + after for dim, (before, after) in zip(tensor.shape, widths, strict=True)
    )
    result = np.full(dims, value, tensor.dtype)
    result[
        tuple(
            _PythonSlice(before, before + dim)
            for dim, (before, _) in zip(tensor.shape, widths, strict=True)
        )
    ] = tensor
    return result


def _pad_gradient(op, grad):
    x, paddings = op.inputs[:2]
    before = slice(paddings, [0, 0], stack([rank(x), 1]))
    begin = reshape(before, [-1])
    sizes = shape(x, out_type=begin.dtype)
    return [slice(grad, begin, sizes)] + [None] * (len(op.inputs) - 1)


@op("input: T, paddings: Tpaddings -> output: T", T=ANY, Tpaddings=INT32_BY_DEFAULT)
class Pad:
    """The input with zeros around it."""

    shape = _padded_shape

    def kernel(input, paddings):
        return _filled_around(input, paddings, b"" if input.dtype.kind == "O" else 0)

    gradient = _pad_gradient


@op(
    "input: T, paddings: Tpaddings, constant_values: T -> output: T",
    T=ANY,
    Tpaddings=INT32_BY_DEFAULT,
)
class PadV2:
    """The input with a value around it."""

    shape = _padded_shape

    def kernel(input, paddings, constant_values):
        return _filled_around(input, paddings, constant_values)

    gradient = _pad_gradient


@op("input: T, paddings: Tpaddings -> output: T", T=ANY, Tpaddings=INT32_BY_DEFAULT, mode=REQUIRED)
class MirrorPad:
    """The input with its mirror image around it; REFLECT leaves the border itself out."""

    shape = _padded_shape

    def kernel(input, paddings, *, mode):
        _check_paddings(input, paddings)
        offset = _mirror_offset(mode)
        for dim, (before, after) in zip(input.shape, paddings.tolist(), strict=True):
            if max(before, after) > dim - offset:
                raise _invalid(
                    f"paddings must be {'less than' if offset else 'no greater than'} "
                    f"the dimension size: {before}, {after} "
                    f"{'not less than' if offset else 'greater than'} {dim}"
                )
        if not paddings.any():
            return input
        return np.pad(input, paddings.tolist(), mode.lower())

    def gradient(op, grad):
        return MirrorPadGrad(grad, op.inputs[1], mode=op.attrs["mode"]), None


def _mirror_offset(mode):
    return 1 if mode == "REFLECT" else 0


@op("input: T, paddings: Tpaddings -> output: T", T=ANY, Tpaddings=INT32_BY_DEFAULT, mode=REQUIRED)
class MirrorPadGrad:
    """What is around the middle of the input, folded back and added to it."""

    def shape(op):
        tensor, paddings = op.inputs
        count, two = with_rank(paddings.dims, 2)
        merge_dim(two, 2)
        dims = tensor.dims if count is None else with_rank(tensor.dims, count)
        widths = constant_value(paddings)
        if widths is None:
            return None if dims is None else (None,) * len(dims)
        dims = with_rank(dims, len(widths))
        if (widths < 0).any():
            raise ValueError("Paddings must be non-negative")
        return tuple(
            subtract_dims(dim, int(width)) for dim, width in zip(dims, widths.sum(1), strict=True)
        )

    def kernel(input, paddings, *, mode):
        _check_paddings(input, paddings)
        offset = _mirror_offset(mode)
        result = np.array(input)
        for axis, (before, after) in enumerate(paddings.tolist()):
            along = np.moveaxis(result, axis, 0)
            end = along.shape[0] - after
            if before:
                along[before + offset : 2 * before + offset] += along[:before][::-1]
            if after:
                along[end - after - offset : end - offset] += along[end:][::-1]
            result = np.moveaxis(along[before:end], 0, axis)
        return result

    def gradient(op, grad):
        return MirrorPad(grad, op.inputs[1], mode=op.attrs["mode"]), None


@export("pad")
def pad(tensor, paddings, mode="CONSTANT", name=None, constant_values=0):
    """`tensor` with something around it.

    Args:
      tensor: of rank n.
      paddings: [n, 2] integers: how much before and after in each dimension.
      mode: "CONSTANT", "REFLECT" or "SYMMETRIC".
      constant_values: the scalar that is put there in mode "CONSTANT".

    Raises:
      ValueError: for another mode, or paddings that do not fit.
    """
    mode = mode.upper()
    if mode == "CONSTANT":
        if _is_zero(constant_values):
            result = Pad(tensor, paddings, name=name)
        else:
            result = PadV2(tensor, paddings, constant_values, name=name)
    elif mode in ("REFLECT", "SYMMETRIC"):
        result = MirrorPad(tensor, paddings, mode=mode, name=name)
    else:
        raise ValueError(
            'Value of argument `mode` expected to be one of "CONSTANT", "REFLECT", or '
            f'"SYMMETRIC". Received `mode` = {mode}'
        )
    _refine_padded(result, paddings)
    return result


def _is_zero(value):
    if isinstance(value, Tensor) or hasattr(value, "_as_graph_element") or np.ndim(value):
        return False
    return bool(value == np.zeros_like(value))


def _refine_padded(result, paddings):
    """Adds to the static shape what is known where only some of the paddings are."""
    dims = result.op.inputs[0].dims
    widths = _partly_known(paddings)
    if dims is None or widths is None or (result.dims is not None and None not in result.dims):
        return
    refined = []
    for pair, dim in zip(widths, dims, strict=False):
        known = pair is not None and dim is not None and all(p is not None for p in pair)
        refined.append(dim + int(sum(pair)) if known else None)
    result.dims = merge_dims(result.dims, tuple(refined))


def _partly_known(paddings):
    if isinstance(paddings, Tensor):
        value = constant_value(paddings)
        if value is None and paddings.op.type == "Pack" and paddings.op.attrs["axis"] == 0:
            return [_partly_known(item) for item in paddings.op.inputs]
        return value
    if isinstance(paddings, (list, tuple)):
        return [_partly_known(item) for item in paddings]
    return paddings


# -- reversing ---------------------------------------------------------------------------


@op(
    "tensor: T, axis: Tidx -> output: T",
    T=NUMERIC | {dtypes.bool_, dtypes.string},
    Tidx=INT32_BY_DEFAULT,
)
class ReverseV2:
    """The input with its elements in the opposite order along some axes."""

    def shape(op):
        tensor, axis = op.inputs
        with_rank(axis.dims, 1)
        if tensor.dims is not None and len(tensor.dims) > 8:
            raise ValueError("reverse does not work on tensors with more than 8 dimensions")
        axes = constant_value(axis)
        if axes is not None and tensor.dims is not None:
            _reversed_axes(axes.tolist(), len(tensor.dims))
        return tensor.dims

    def kernel(tensor, axis):
        try:
            axes = _reversed_axes(axis.tolist(), tensor.ndim)
        except ValueError as error:
            raise _invalid(str(error)) from None
        return np.flip(tensor, axes)

    def gradient(op, grad):
        return ReverseV2(grad, op.inputs[1]), None


@op("tensor: T, dims: bool -> output: T", T=NUMERIC | {dtypes.bool_, dtypes.string})
class Reverse:
    """`ReverseV2` with a boolean for each axis, as TensorFlow 1 first had it."""

    def shape(op):
        tensor, chosen = op.inputs
        rank_ = with_rank(chosen.dims, 1)[0]
        if tensor.dims is None:
            return None if rank_ is None else (None,) * rank_
        if rank_ is not None:
            with_rank(tensor.dims, rank_)
        return tensor.dims

    def kernel(tensor, dims):
        if len(dims) != tensor.ndim:
            raise _invalid(f"dims must be a vector of length {tensor.ndim}, got {len(dims)}")
        return np.flip(tensor, tuple(np.flatnonzero(dims)))

    def gradient(op, grad):
        return Reverse(grad, op.inputs[1]), None


def _reversed_axes(axes, rank_):
    seen = []
    for i, axis in enumerate(axes):
        canonical = axis + rank_ if axis < 0 else axis
        if not 0 <= canonical < rank_:
            raise ValueError(f"'axis'[{i}] = {axis} is out of valid range [0, {rank_ - 1}")
        if canonical in seen:
            raise ValueError(f"axis {canonical} specified more than once.")
        seen.append(canonical)
    return tuple(seen)


@export("reverse", "manip.reverse", "reverse_v2")
def reverse(tensor, axis, name=None):
    """`tensor` with its elements in the opposite order along the axes in the list `axis`.

    Raises:
      ValueError: when an axis is known to be out of range or to come twice.
    """
    return ReverseV2(tensor, axis, name=name)
