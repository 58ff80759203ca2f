"""Reference variables: TensorFlow 1's, whose tensor is the variable itself.

A kernel's reference is the session's `Cell`; the session reads it for consumers that take
a value.
"""

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import ANY, FLOATING, INDEX, NUMERIC
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, op
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.fill import zeros_like
from numpy_tf.ops.array.select import where
from numpy_tf.ops.state.updates import (
    check_scatter_nd_dims,
    same_dims,
    scatter_dims,
    scattered,
    scattered_nd,
)


@op("-> ref: Ref(dtype)", dtype=ANY, shape=None, container="", shared_name="")
class VariableV2:
    """A variable: what holds a value between the runs of a session."""

    stateful = True

    def shape(op):
        return op.attrs["shape"]

    def kernel(*, op, state, shared_name):
        return state.cell(op, shared_name or op.name, False)

    gradient = NO_GRADIENT


@op(
    "ref: Ref(T), value: T -> output_ref: Ref(T)",
    T=ANY,
    validate_shape=True,
    use_locking=True,
)
class Assign:
    """The variable, once it has the value."""

    stateful = True

    def shape(op):
        ref, value = op.inputs
        if op.attrs["validate_shape"]:
            return same_dims(ref.dims, value.dims)
        return value.dims

    def kernel(ref, value, *, op, validate_shape):
        if validate_shape:
            had = ref.read().shape if ref.initialized else op.inputs[0].dims
            if had is not None and None not in had and had != value.shape:
                raise errors.invalid_argument(
                    "Assign requires shapes of both tensors to match. "
                    f"lhs shape= {bracket_dims(had)} rhs shape= {bracket_dims(value.shape)}",
                )
        ref.assign(value)
        return ref

    gradient = NOT_DIFFERENTIABLE


def _same_shape(op):
    return same_dims(op.inputs[0].dims, op.inputs[1].dims)


def _updated(ref, value, compute):
    current = ref.read_for_update()
    if current.shape != value.shape:
        raise errors.invalid_argument("Parameters and update must be the same size")
    ref.assign(compute(current, value))
    return ref


@op("ref: Ref(T), value: T -> output_ref: Ref(T)", T=NUMERIC, use_locking=False)
class AssignAdd:
    """The variable, once the value has been added to it."""

    stateful = True
    shape = _same_shape

    def kernel(ref, value):
        return _updated(ref, value, np.add)

    gradient = NOT_DIFFERENTIABLE


@op("ref: Ref(T), value: T -> output_ref: Ref(T)", T=NUMERIC, use_locking=False)
class AssignSub:
    """The variable, once the value has been taken from it."""

    stateful = True
    shape = _same_shape

    def kernel(ref, value):
        return _updated(ref, value, np.subtract)

    gradient = NOT_DIFFERENTIABLE


def _scatter_shape(op):
    ref, indices, updates = (tensor.dims for tensor in op.inputs)
    scatter_dims(ref, indices, updates)
    return ref


def _scatter(ref, indices, updates, how):
    ref.assign(scattered(ref.read_for_update(), indices, updates, how))
    return ref


_SCATTER = "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)"


@op(_SCATTER, T=ANY, Tindices=INDEX, use_locking=True)
class ScatterUpdate:
    """The variable, once rows of it have been replaced."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "update")

    gradient = NO_GRADIENT


@op(_SCATTER, T=NUMERIC, Tindices=INDEX, use_locking=False)
class ScatterAdd:
    """The variable, once rows have been added to its own."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "add")

    gradient = NOT_DIFFERENTIABLE


@op(_SCATTER, T=NUMERIC, Tindices=INDEX, use_locking=False)
class ScatterSub:
    """The variable, once rows have been taken from its own."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "sub")

    gradient = NOT_DIFFERENTIABLE


@op(_SCATTER, T=NUMERIC, Tindices=INDEX, use_locking=False)
class ScatterMul:
    """The variable, once rows have been multiplied."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "mul")

    gradient = NOT_DIFFERENTIABLE


@op(_SCATTER, T=NUMERIC, Tindices=INDEX, use_locking=False)
class ScatterDiv:
    """The variable, once rows have been divided."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "div")

    gradient = NOT_DIFFERENTIABLE


_ORDERED = FLOATING | INDEX


@op(_SCATTER, T=_ORDERED, Tindices=INDEX, use_locking=False)
class ScatterMin:
    """The variable, once rows have been replaced where the updates are less."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "min")

    gradient = NO_GRADIENT


@op(_SCATTER, T=_ORDERED, Tindices=INDEX, use_locking=False)
class ScatterMax:
    """The variable, once rows have been replaced where the updates are greater."""

    stateful = True
    shape = _scatter_shape

    def kernel(ref, indices, updates):
        return _scatter(ref, indices, updates, "max")

    gradient = NO_GRADIENT


_SCATTER_ND = "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)"


def _scatter_nd_shape(op):
    ref, indices, updates = (tensor.dims for tensor in op.inputs)
    check_scatter_nd_dims(indices, updates, ref)
    return ref


def _scatter_nd(ref, indices, updates, how):
    ref.assign(scattered_nd(ref.read_for_update(), indices, updates, how))
    return ref


@op(
    _SCATTER_ND,
    T=ANY,
    Tindices=INDEX,
    use_locking=True,
    bad_indices_policy="",
)
class ScatterNdUpdate:
    """The variable, once elements have been replaced."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        return _scatter_nd(ref, indices, updates, "update")

    gradient = NOT_DIFFERENTIABLE


@op(
    _SCATTER_ND,
    T=NUMERIC,
    Tindices=INDEX,
    use_locking=False,
    bad_indices_policy="",
)
class ScatterNdAdd:
    """The variable, once elements have been added to."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        return _scatter_nd(ref, indices, updates, "add")

    gradient = NOT_DIFFERENTIABLE


@op(
    _SCATTER_ND,
    T=NUMERIC,
    Tindices=INDEX,
    use_locking=False,
    bad_indices_policy="",
)
class ScatterNdSub:
    """The variable, once elements have been taken from."""

    stateful = True
    shape = _scatter_nd_shape

    def kernel(ref, indices, updates):
        return _scatter_nd(ref, indices, updates, "sub")

    gradient = NOT_DIFFERENTIABLE


@op("ref: Ref(dtype) -> is_initialized: bool", dtype=ANY)
class IsVariableInitialized:
    """Whether the variable has been assigned a value."""

    stateful = True

    def shape(op):
        return ()

    def kernel(ref):
        return np.bool_(ref.initialized)

    gradient = NO_GRADIENT


@op("ref: Ref(T), initial_value: T -> value: T", T=ANY)
class InitializedValue:
    """The variable's value, or the initial value before it has one.

    TensorFlow builds a conditional of five operations for this, both of whose values are
    computed all the same; one operation says it here.
    """

    stateful = True

    def kernel(ref, initial_value):
        return ref.read() if ref.initialized else initial_value

    def gradient(op, grad):
        ready = IsVariableInitialized(op.inputs[0])
        nothing = zeros_like(grad)
        return [where(ready, grad, nothing), where(ready, nothing, grad)]
