"""Resource variables: TensorFlow 2's, which are read and written through a handle.

A kernel's handle is the session's `Cell`. What a handle's tensor stands for, dtype and
static shape, is an attribute of the `VarHandleOp` that made it.
"""

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import ANY, INDEX, INT32_BY_DEFAULT, NUMERIC
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, REQUIRED, op
from numpy_tf.framework.static_value import partial_shape_rule
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.constant import constant_from_array
from numpy_tf.ops.array.gather_nd import scatter_nd
from numpy_tf.ops.array.shape import expand_dims, reshape, size, squeeze
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.state.updates import (
    check_scatter_nd_dims,
    same_dims,
    scatter_dims,
    scattered,
    scattered_nd,
)


def is_resource_variable(x):
    """Whether `x` is a variable that is read through a handle."""
    return hasattr(x, "_should_act_as_resource_variable")


def handle_dims(handle):
    """The static shape of the variable behind a handle, as far as it is known."""
    maker = _handle_maker(handle)
    return None if maker is None else maker.attrs["shape"]


def handle_dtype(handle):
    """The dtype of the variable behind a handle, or None when it is no variable's."""
    maker = _handle_maker(handle)
    return None if maker is None else maker.attrs["dtype"]


def _handle_maker(handle):
    """The operation that makes a handle, which may come through captures and loops."""
    while handle is not None:
        maker = handle.op
        if maker.type == "VarHandleOp":
            return maker
        if maker.type == "Placeholder" and maker.graph.building_function:
            handle = maker.graph.captured(handle)
        elif maker.type in ("Identity", "While", "StatelessWhile"):
            handle = maker.inputs[handle.value_index]
        else:
            return None
    return None


@op(
    "-> resource: resource",
    dtype=ANY,
    shape=REQUIRED,
    container="",
    shared_name="",
    allowed_devices=(),
)
class VarHandleOp:
    """A handle to a variable."""

    stateful = True

    def shape(op):
        return ()

    def kernel(*, op, state, shared_name):
        return state.cell(op, shared_name or op.name, True)

    gradient = NO_GRADIENT


@op("resource: resource -> value: dtype", dtype=ANY)
class ReadVariableOp:
    """The variable's value at this point of the run."""

    stateful = True

    def shape(op):
        stored, asked = handle_dtype(op.inputs[0]), op.attrs["dtype"]
        if stored is not None and stored != asked:
            raise ValueError(
                f"Trying to read variable with wrong dtype. Expected {stored.name} got {asked.name}"
            )
        return handle_dims(op.inputs[0])

    def kernel(resource):
        return resource.read()

    def gradient(op, grad):
        return grad


@op("resource: resource, value: dtype ->", dtype=ANY, validate_shape=False)
class AssignVariableOp:
    """Gives the variable the value."""

    stateful = True

    def shape(op):
        same_dims(handle_dims(op.inputs[0]), op.inputs[1].dims)
        return []

    def kernel(resource, value, *, op, validate_shape):
        declared = handle_dims(op.inputs[0])
        known = validate_shape and declared is not None and None not in declared
        if known and declared != value.shape:
            raise errors.invalid_argument(
                "Trying to assign to variable with tensor with wrong shape. "
                f"Expected {bracket_dims(declared)} got {bracket_dims(value.shape)}",
            )
        resource.assign(value)

    gradient = NO_GRADIENT


def _same_shape(op):
    same_dims(handle_dims(op.inputs[0]), op.inputs[1].dims)
    return []


def _update(resource, value, compute):
    current = resource.read_for_update()
    if current.shape != value.shape:
        raise errors.invalid_argument(
            f"Cannot update variable with shape {bracket_dims(current.shape)} using a Tensor "
            f"with shape {bracket_dims(value.shape)}, shapes must be equal.",
        )
    resource.assign(compute(current, value))


@op("resource: resource, value: dtype ->", dtype=NUMERIC)
class AssignAddVariableOp:
    """Adds the value to the variable."""

    stateful = True
    shape = _same_shape

    def kernel(resource, value):
        _update(resource, value, np.add)

    gradient = NO_GRADIENT


@op("resource: resource, value: dtype ->", dtype=NUMERIC)
class AssignSubVariableOp:
    """Takes the value from the variable."""

    stateful = True
    shape = _same_shape

    def kernel(resource, value):
        _update(resource, value, np.subtract)

    gradient = NO_GRADIENT


@op("resource: resource -> is_initialized: bool")
class VarIsInitializedOp:
    """Whether the variable has been assigned a value."""

    stateful = True

    def shape(op):
        return ()

    def kernel(resource):
        return np.bool_(resource.initialized)

    gradient = NOT_DIFFERENTIABLE


@op("input: resource -> output: out_type", out_type=INT32_BY_DEFAULT)
class VariableShape:
    """The shape of the variable's value."""

    stateful = True

    def shape(op):
        dims = handle_dims(op.inputs[0])
        return (None,) if dims is None else (len(dims),)

    def kernel(input, *, dtype):
        return np.array(input.read().shape, dtype)

    gradient = NOT_DIFFERENTIABLE


partial_shape_rule("VariableShape", lambda tensor, depth: handle_dims(tensor.op.inputs[0]))


def variable_shape(handle, out_type=dtypes.int32):
    """The shape of the variable behind `handle`: a constant when it is fully known."""
    dims = handle_dims(handle)
    if dims is None or None in dims:
        return VariableShape(handle, out_type=out_type)
    return constant_from_array(np.array(dims, dtypes.as_dtype(out_type).as_numpy_dtype))


@op(
    "resource: resource, indices: Tindices -> output: dtype",
    dtype=ANY,
    Tindices=INDEX,
    batch_dims=0,
    validate_indices=True,
)
class ResourceGather:
    """Rows of the variable."""

    stateful = True

    def shape(op):
        rows, indices = handle_dims(op.inputs[0]), op.inputs[1].dims
        batch_dims = op.attrs["batch_dims"]
        if rows is None or indices is None:
            return None
        return (*rows[:batch_dims], *indices[batch_dims:], *rows[batch_dims + 1 :])

    def kernel(resource, indices, *, batch_dims):
        rows = resource.read()
        size = rows.shape[batch_dims]
        outside = (indices < 0) | (indices >= size)
        if outside.any():
            at = np.unravel_index(int(np.argmax(outside)), indices.shape)
            position = ",".join(map(str, at))
            raise errors.invalid_argument(
                f"indices[{position}] = {indices[at]} is not in [0, {size})"
            )
        batch = np.ogrid[tuple(slice(n) for n in indices.shape[:batch_dims])] if batch_dims else ()
        aligned = [axis.reshape(*axis.shape, *[1] * (indices.ndim - batch_dims)) for axis in batch]
        return rows[(*aligned, indices)]

    def gradient(op, grad):
        # TensorFlow's own formula, which takes no notice of batch_dims.
        handle, indices = op.inputs
        params_shape = variable_shape(handle)
        count = expand_dims(size(indices), 0)
        values = reshape(grad, concat([count, params_shape[1:]], 0))
        return [IndexedSlices(values, reshape(indices, count), params_shape), None]


@op("resource: resource, indices: Tindices -> output: dtype", dtype=ANY, Tindices=INDEX)
class ResourceGatherNd:
    """Slices of the variable; the last dimension of the indices is a position in it."""

    stateful = True

    def shape(op):
        rows, indices = handle_dims(op.inputs[0]), op.inputs[1].dims
        if rows is None or not indices or indices[-1] is None:
            return None
        return (*indices[:-1], *rows[indices[-1] :])

    def kernel(resource, indices):
        value = resource.read()
        depth = indices.shape[-1]
        outside = ((indices < 0) | (indices >= value.shape[:depth])).any(-1)
        if outside.any():
            at = np.unravel_index(int(np.argmax(outside)), outside.shape)
            raise errors.invalid_argument(
                f"indices[{','.join(map(str, at))}] = {bracket_dims(indices[at].tolist())} "
                f"does not index into param shape {bracket_dims(value.shape)}",
            )
        return value[tuple(np.moveaxis(indices, -1, 0))]

    def gradient(op, grad):
        handle, indices = op.inputs
        shape = VariableShape(handle, out_type=indices.dtype)
        if indices.dims is not None and len(indices.dims) == 2 and indices.dims[-1] == 1:
            return [IndexedSlices(grad, squeeze(indices, axis=-1), shape), None]
        return [scatter_nd(indices, grad, shape), None]


def _scatter_shape(op):
    _, indices, updates = (tensor.dims for tensor in op.inputs)
    scatter_dims(handle_dims(op.inputs[0]), indices, updates)
    return []


def _scatter(resource, indices, updates, how):
    resource.assign(scattered(resource.read_for_update(), indices, updates, how))


_SCATTER = "resource: resource, indices: Tindices, updates: dtype ->"


@op(_SCATTER, dtype=ANY, Tindices=INDEX)
class ResourceScatterUpdate:
    """Replaces rows of the variable."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "update")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterAdd:
    """Adds rows to the variable's."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "add")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterSub:
    """Takes rows from the variable's."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "sub")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterMul:
    """Multiplies rows of the variable."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "mul")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterDiv:
    """Divides rows of the variable."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "div")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterMin:
    """Replaces rows of the variable where the updates are less."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "min")

    gradient = NO_GRADIENT


@op(_SCATTER, dtype=NUMERIC, Tindices=INDEX)
class ResourceScatterMax:
    """Replaces rows of the variable where the updates are greater."""

    stateful = True
    shape = _scatter_shape

    def kernel(resource, indices, updates):
        _scatter(resource, indices, updates, "max")

    gradient = NO_GRADIENT


_SCATTER_ND = "ref: resource, indices: Tindices, updates: T ->"


def _scatter_nd_shape(op):
    _, indices, updates = (tensor.dims for tensor in op.inputs)
    check_scatter_nd_dims(indices, updates, handle_dims(op.inputs[0]))
    return []


def _scatter_nd(resource, indices, updates, how):
    resource.assign(scattered_nd(resource.read_for_update(), indices, updates, how))


@op(_SCATTER_ND, T=ANY, Tindices=INDEX, use_locking=True, bad_indices_policy="")
class ResourceScatterNdUpdate:
    """Replaces elements of the variable."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        _scatter_nd(ref, indices, updates, "update")

    gradient = NO_GRADIENT


@op(_SCATTER_ND, T=ANY, Tindices=INDEX, use_locking=True, bad_indices_policy="")
class ResourceScatterNdAdd:
    """Adds to elements of the variable."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        _scatter_nd(ref, indices, updates, "add")

    gradient = NO_GRADIENT


@op(_SCATTER_ND, T=ANY, Tindices=INDEX, use_locking=True, bad_indices_policy="")
class ResourceScatterNdSub:
    """Takes from elements of the variable."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        _scatter_nd(ref, indices, updates, "sub")

    gradient = NO_GRADIENT
