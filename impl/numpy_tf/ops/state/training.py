"""The ops by which optimizers change variables: one block for both kinds of variable.

An update is a function of arrays. Of each block two ops are made: `ApplyAdam`, which takes
references, and `ResourceApplyAdam`, which takes handles. A sparse update is given the rows
at `indices` only.
"""

import inspect

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import INDEX, NUMERIC
from numpy_tf.framework.op_def import NO_GRADIENT, OpDef
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.state.resource import handle_dims
from numpy_tf.ops.state.updates import same_dims


def training_op(variables, arguments, **attrs):
    """Decorator: makes both ops of a block.

    The block has `update(*variables, *arguments, attribute=…)`, from the variables' values
    (without `indices`, if that is an argument, and then of some rows) to their new ones.

    Args:
      variables: the names of the variables, blank between them; the first one is trained.
      arguments: the names of the other inputs; all but `grad`, `delta` and `indices` are
        scalars.
      **attrs: other attributes' defaults.
    """
    variables, arguments = variables.split(), arguments.split()
    attrs = {"T": NUMERIC, "use_locking": False, **attrs}
    if "indices" in arguments:
        attrs["Tindices"] = INDEX
    inputs = ", ".join(f"{n}: Tindices" if n == "indices" else f"{n}: T" for n in arguments)
    references = ", ".join(f"{name}: Ref(T)" for name in variables)
    handles = ", ".join(f"{name}: resource" for name in variables)

    def define(block):
        kernel = _kernel(block.update, variables, arguments)

        def ref_kernel(*inputs, **attributes):
            kernel(*inputs, **attributes)
            return inputs[0]

        ref_kernel.__signature__ = kernel.__signature__ = inspect.Signature(
            parameter
            for parameter in inspect.signature(block.update).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        )
        shape = _shape(len(variables), arguments)
        what = {"__doc__": block.__doc__, "__module__": block.__module__}
        what |= {"stateful": True, "gradient": NO_GRADIENT}
        reference = type(block.__name__, (), {**what, "shape": shape, "kernel": ref_kernel})
        resource = type(
            "Resource" + block.__name__,
            (),
            {**what, "shape": lambda op: shape(op) and [], "kernel": kernel},
        )
        OpDef(resource, f"{handles}, {inputs} ->", attrs)
        return OpDef(reference, f"{references}, {inputs} -> out: Ref(T)", attrs)

    return define


def _shape(count, arguments):
    """The static shape of all variables; ValueError when an input does not fit."""

    def shape(op):
        handles, others = op.inputs[:count], op.inputs[count:]
        given = dict(zip(arguments, (tensor.dims for tensor in others), strict=True))
        known = None
        for variable in handles:
            dims = variable.dims if variable.dtype.is_ref else handle_dims(variable)
            known = same_dims(known, dims)
        for name, dims in given.items():
            if name in ("grad", "delta"):
                if "indices" not in given:
                    known = same_dims(known, dims)
                elif dims is not None and known is not None and given["indices"] is not None:
                    same_dims(dims, (*given["indices"], *known[1:]))
            elif name != "indices" and dims:
                raise ValueError(f"Shape must be rank 0 but is rank {len(dims)}")
        return known

    return shape


def _kernel(update, names, arguments):
    """The kernel of a handle or reference for each variable, and the arguments."""
    count = len(names)
    sparse = "indices" in arguments
    gradient_at = arguments.index("delta" if "delta" in arguments else "grad")
    if sparse:
        indices_at = arguments.index("indices")

    def dense_kernel(*inputs, **attributes):
        cells, others = inputs[:count], inputs[count:]
        values = _values(cells, others[gradient_at].dtype)
        gradient = others[gradient_at]
        if gradient.shape != values[0].shape:
            _refuse(
                f"var and {arguments[gradient_at]} do not have the same shape"
                f"{bracket_dims(values[0].shape)} {bracket_dims(gradient.shape)}"
            )
        for cell, value in zip(cells, update(*values, *others, **attributes), strict=True):
            cell.assign(value)

    def sparse_kernel(*inputs, **attributes):
        cells, others = inputs[:count], list(inputs[count:])
        values = [value.copy() for value in _values(cells, others[gradient_at].dtype)]
        indices = others.pop(indices_at)
        _check_indices(indices, len(values[0]))
        at = gradient_at - (indices_at < gradient_at)
        gradient = others[at]
        # Rows that come more than once are updated that often, one after the other.
        once = len(np.unique(indices)) == len(indices)
        for rows in [slice(None)] if once else [slice(i, i + 1) for i in range(len(indices))]:
            where = indices[rows]
            others[at] = gradient[rows]
            updated = update(*[value[where] for value in values], *others, **attributes)
            for value, new in zip(values, updated, strict=True):
                value[where] = new
        for cell, value in zip(cells, values, strict=True):
            cell.assign(value)

    return sparse_kernel if sparse else dense_kernel


def _values(cells, dtype):
    """The variables' values; all must have one and the same shape, and the dtype."""
    for cell in cells:
        if cell.is_resource and not cell.initialized:
            raise errors.InternalError(None, None, "Invalid variable reference.")
    values = [cell.read() for cell in cells]
    for value in values:
        if value.dtype != dtype:  # TensorFlow does not look, and ends the process
            _refuse(f"Expected a variable of type {dtype.name}, got one of {value.dtype.name}")
        if value.shape != values[0].shape:
            _refuse(
                "var and its slots do not have the same shape"
                f"{bracket_dims(values[0].shape)} {bracket_dims(value.shape)}"
            )
    return values


def _check_indices(indices, count):
    outside = (indices < 0) | (indices >= count)
    if outside.any():
        at = int(np.argmax(outside))
        _refuse(f"Index {indices[at]} at offset {at} in indices is out of range")


def _refuse(message):
    raise errors.invalid_argument(message)


@training_op("var", "alpha delta")
class ApplyGradientDescent:
    """The variable, less alpha times delta."""

    def update(var, alpha, delta):
        return (var - delta * alpha,)


# -- momentum ----------------------------------------------------------------------------


@training_op("var accum", "lr grad momentum", use_nesterov=False)
class ApplyMomentum:
    """The variable, a step along the decaying sum of gradients."""

    def update(var, accum, lr, grad, momentum, *, use_nesterov):
        accum = accum * momentum + grad
        step = grad * lr + accum * momentum * lr if use_nesterov else accum * lr
        return var - step, accum


@training_op("var accum", "lr grad indices momentum", use_nesterov=False)
class SparseApplyMomentum:
    """The variable, with such a step in some rows."""

    def update(var, accum, lr, grad, momentum, *, use_nesterov):
        accum = accum * momentum + grad
        step = lr * grad + lr * momentum * accum if use_nesterov else lr * accum
        return var - step, accum


# -- Adam --------------------------------------------------------------------------------


@training_op("var m v", "beta1_power beta2_power lr beta1 beta2 epsilon grad", use_nesterov=False)
class ApplyAdam:
    """The variable, a step along the mean gradient over the root of its mean square."""

    def update(
        var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, *, use_nesterov
    ):
        alpha = lr * np.sqrt(1 - beta2_power) / (1 - beta1_power)
        m = m + (grad - m) * (1 - beta1)
        v = v + (grad * grad - v) * (1 - beta2)
        along = grad * (1 - beta1) + beta1 * m if use_nesterov else m
        return var - (along * alpha) / (np.sqrt(v) + epsilon), m, v


# -- RMSProp -----------------------------------------------------------------------------


@training_op("var ms mom", "lr rho momentum epsilon grad")
class ApplyRMSProp:
    """The variable, a step along the gradient over the root of its mean square."""

    def update(var, ms, mom, lr, rho, momentum, epsilon, grad):
        ms = ms + (grad * grad - ms) * (1 - rho)
        mom = mom * momentum + (grad * lr) / np.sqrt(ms + epsilon)
        return var - mom, ms, mom


@training_op("var ms mom", "lr rho momentum epsilon grad indices")
class SparseApplyRMSProp:
    """The variable, with such a step in some rows."""

    def update(var, ms, mom, lr, rho, momentum, epsilon, grad):
        ms = ms * rho + grad * grad * (1 - rho)
        mom = mom * momentum + _rsqrt(ms + epsilon) * lr * grad
        return var - mom, ms, mom


@training_op("var mg ms mom", "lr rho momentum epsilon grad")
class ApplyCenteredRMSProp:
    """The variable, a step along the gradient over the root of its variance."""

    def update(var, mg, ms, mom, lr, rho, momentum, epsilon, grad):
        ms = ms + (grad * grad - ms) * (1 - rho)
        mg = mg + (grad - mg) * (1 - rho)
        denominator = (ms - mg * mg) + epsilon
        mom = mom * momentum + (grad * lr) / np.sqrt(denominator)
        return var - mom, mg, ms, mom


@training_op("var mg ms mom", "lr rho momentum epsilon grad indices")
class SparseApplyCenteredRMSProp:
    """The variable, with such a step in some rows."""

    def update(var, mg, ms, mom, lr, rho, momentum, epsilon, grad):
        ms = ms * rho + grad * grad * (1 - rho)
        mg = mg * rho + grad * (1 - rho)
        denominator = ms + epsilon - mg * mg
        mom = mom * momentum + _rsqrt(denominator) * lr * grad
        return var - mom, mg, ms, mom


def _rsqrt(x):
    return 1 / np.sqrt(x)


def _rsqrt_of_many(x):
    """1/sqrt(x); of 16-bit types rounded once, since it is computed with 32 bits."""
    if x.dtype.itemsize > 2:
        return _rsqrt(x)
    return _rsqrt(x.astype(np.float32)).astype(x.dtype)


# -- Adagrad -----------------------------------------------------------------------------


@training_op("var accum", "lr grad", update_slots=True)
class ApplyAdagrad:
    """The variable, a step along the gradient over the root of its sum of squares."""

    def update(var, accum, lr, grad, *, update_slots):
        if update_slots:
            accum = accum + grad * grad
        return var - grad * lr * _rsqrt_of_many(accum), accum


@training_op("var accum", "lr grad indices", update_slots=True)
class SparseApplyAdagrad:
    """The variable, with such a step in some rows."""

    def update(var, accum, lr, grad, *, update_slots):
        if update_slots:
            accum = accum + grad * grad
        if grad[:1].size > 1:
            return var - lr * grad * _rsqrt(accum), accum
        return var - lr * grad / np.sqrt(accum), accum  # rows of one element


@training_op("var accum", "lr epsilon grad", update_slots=True)
class ApplyAdagradV2:
    """The variable, a step along the gradient over epsilon and the root of its squares' sum."""

    def update(var, accum, lr, epsilon, grad, *, update_slots):
        if update_slots:
            accum = accum + grad * grad
        return var - grad * lr / (np.sqrt(accum) + epsilon), accum


@training_op("var accum", "lr epsilon grad indices", update_slots=True)
class SparseApplyAdagradV2:
    """The variable, with such a step in some rows."""

    def update(var, accum, lr, epsilon, grad, *, update_slots):
        if update_slots:
            accum = accum + grad * grad
        return var - lr * grad / (np.sqrt(accum) + epsilon), accum
