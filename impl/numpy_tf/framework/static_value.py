"""What can be known of a tensor's value before any run.

Shape functions and gradients ask: the rank of a reshape, the axes of a reduction. TensorFlow
answers by folding constants; so does this, over integer and boolean tensors of modest size.
"""

import numpy as np

from numpy_tf.framework.tensor_shape import merge_dims

_MOST_OPERATIONS = 1000  # folded for one question; more than any shape computation has
_MOST_ELEMENTS = 4096
_MOST_DEPTH = 40  # of concatenations within concatenations, for partial shapes


def constant_value(tensor):
    """The tensor's value as an array if it is the same in every run, else None."""
    if tensor.static_value is not None:
        return tensor.static_value
    if not _may_fold(tensor):
        return None
    pending, seen = [tensor], set()
    while pending:
        current = pending[-1]
        if current.static_value is not None:
            pending.pop()
            continue
        unknown = [t for t in _needed(current.op) if t.static_value is None]
        if unknown:
            if id(current) in seen or len(seen) > _MOST_OPERATIONS:
                return None
            if not all(_may_fold(t) for t in unknown):
                return None
            seen.add(id(current))
            pending.extend(unknown)
            continue
        if not _fold(current):
            return None
        pending.pop()
    return tensor.static_value


def _may_fold(tensor):
    if tensor.static_value is not None:
        return True
    definition = tensor.op.definition
    dtype = tensor.dtype
    return (
        definition.depends_on_inputs_alone
        and definition.kernel is not None
        and (dtype.is_integer or dtype.is_bool)
        and (tensor.dims is None or _size(tensor.dims) <= _MOST_ELEMENTS)
    )


def _size(dims):
    count = 1
    for dim in dims:
        count *= 1 if dim is None else dim
    return count


def _needed(op):
    """The tensors whose values decide this one's; a known shape needs none."""
    return () if _fold_shape(op) is not None else op.inputs


def _fold(tensor):
    op = tensor.op
    value = _fold_shape(op)
    if value is None:
        try:
            with np.errstate(all="ignore"):
                value = op.definition.bound_kernel(op, None)(*(t.static_value for t in op.inputs))
        except Exception:  # the run will raise it, if it comes to that
            return False
        if len(op.outputs) > 1 or isinstance(value, tuple):
            value = value[tensor.value_index]
    array = np.array(value)
    array.flags.writeable = False
    tensor.static_value = array
    return True


def _fold_shape(op):
    """What an op says that asks for a shape; None for other ops, and for what is not known."""
    if op.type not in ("Shape", "Rank", "Size"):
        return None
    dims = op.inputs[0].dims
    if dims is None:
        return None
    dtype = op.outputs[0].dtype.as_numpy_dtype
    if op.type == "Rank":
        return np.array(len(dims), dtype)
    if None in dims:
        return None
    return np.array(dims if op.type == "Shape" else _size(dims), dtype)


def shape_value(tensor, depth=0):
    """The static shape that a vector of dimensions stands for, as far as it is known.

    Returns:
      A tuple with None for what is unknown (or -1), or None when even the rank is.
    """
    value = constant_value(tensor)
    if value is not None:
        return tuple(None if d < 0 else int(d) for d in value.reshape(-1))
    length = tensor.dims[0] if tensor.dims else None
    unknown = None if length is None else (None,) * length
    rule = _PARTIAL.get(tensor.op.type)
    if rule is None or depth > _MOST_DEPTH:
        return unknown
    return merge_dims(rule(tensor, depth + 1), unknown)


def _partial_shape(tensor, depth):
    return tensor.op.inputs[0].dims


def _partial_pack(tensor, depth):
    return tuple(_scalar(item, depth) for item in tensor.op.inputs)


def _scalar(tensor, depth):
    value = constant_value(tensor)
    if value is not None:
        return None if value < 0 else int(value)
    if tensor.op.type == "Cast":
        return _scalar(tensor.op.inputs[0], depth)
    if tensor.op.type == "StridedSlice" and tensor.op.attrs["shrink_axis_mask"] == 1:
        whole = shape_value(tensor.op.inputs[0], depth)
        begin = constant_value(tensor.op.inputs[1])
        if whole is not None and begin is not None and -len(whole) <= begin[0] < len(whole):
            return whole[int(begin[0])]
    return None


def _partial_concat(tensor, depth):
    parts = [shape_value(item, depth) for item in tensor.op.inputs[:-1]]
    return None if None in parts else tuple(dim for part in parts for dim in part)


def _partial_same(tensor, depth):
    return shape_value(tensor.op.inputs[0], depth)


def _partial_slice(tensor, depth):
    attrs = tensor.op.attrs
    whole = shape_value(tensor.op.inputs[0], depth)
    begin, end, strides = (constant_value(t) for t in tensor.op.inputs[1:])
    masks = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    if whole is None or begin is None or end is None or strides is None:
        return None
    if any(attrs[mask] for mask in masks) or len(begin) != 1:
        return None
    return whole[
        slice(
            None if attrs["begin_mask"] else int(begin[0]),
            None if attrs["end_mask"] else int(end[0]),
            int(strides[0]),
        )
    ]


_PARTIAL = {
    "Shape": _partial_shape,
    "Pack": _partial_pack,
    "ConcatV2": _partial_concat,
    "Cast": _partial_same,
    "StridedSlice": _partial_slice,
}


def partial_shape_rule(op_type, rule):
    """Lets `rule(tensor, depth)` say what is known of the shape that an op's output stands for."""
    _PARTIAL[op_type] = rule
