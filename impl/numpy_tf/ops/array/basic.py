"""Placeholders, identities and the stopping of gradients."""

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NO_GRADIENT, NOT_DIFFERENTIABLE, REQUIRED, op
from numpy_tf.framework.tensor_shape import as_dims
from numpy_tf.ops.array.dims import merge


@op("-> output: dtype", dtype=ANY, shape=None)
class Placeholder:
    """A value that each run is fed."""

    stateful = True

    def shape(op):
        return op.attrs["shape"]

    def kernel(*, op):
        raise errors.InvalidArgumentError(
            None,
            op,
            f"You must feed a value for placeholder tensor '{op.name}' with dtype "
            f"{op.outputs[0].dtype.name}",
        )

    gradient = NO_GRADIENT


@export("placeholder")
def placeholder(dtype, shape=None, name=None):
    """A tensor whose value each run is fed; None in `shape` for what only the run knows."""
    return Placeholder(dtype=dtypes.as_dtype(dtype), shape=as_dims(shape), name=name)


@op("input: dtype -> output: dtype", dtype=ANY, shape=REQUIRED)
class PlaceholderWithDefault:
    """A value that a run may be fed, and else is the input's."""

    stateful = True

    def shape(op):
        dims = op.attrs["shape"]
        merge(op.inputs[0].dims, dims)
        return dims

    def kernel(input):
        return input

    def gradient(op, grad):
        return grad


@export("placeholder_with_default")
def placeholder_with_default(input, shape, name=None):
    """A tensor whose value a run may be fed, and else is `input`."""
    return PlaceholderWithDefault(input, shape=as_dims(shape), name=name)


@op("input: T -> output: T", T=ANY)
class Identity:
    """The input."""

    def kernel(input):
        return input

    def gradient(op, grad):
        return grad


@export("identity")
def identity(input, name=None):
    """A tensor with the value of `input`; of IndexedSlices, each part so."""
    if isinstance(input, IndexedSlices):
        shape = input.dense_shape
        return IndexedSlices(
            Identity(input.values, name=name),
            Identity(input.indices, name=name),
            None if shape is None else Identity(shape, name=name),
        )
    return Identity(input, name=name)


@op("input: [T] -> output: [T]")
class IdentityN:
    """The inputs."""

    def shape(op):
        if not op.inputs:
            raise ValueError(
                "Attr 'T' of 'IdentityN' Op passed list of length 0 less than minimum 1."
            )
        return [tensor.dims for tensor in op.inputs]

    def kernel(*inputs):
        return inputs[0] if len(inputs) == 1 else inputs

    def gradient(op, *grads):
        return list(grads)


@export("identity_n")
def identity_n(input, name=None):
    """A list of tensors with the values of those in the list `input`."""
    return IdentityN(input, name=name)


@op("input: T -> output: T", T=ANY)
class StopGradient:
    """The input, as a constant to differentiation."""

    def kernel(input):
        return input

    gradient = NOT_DIFFERENTIABLE


@export("stop_gradient")
def stop_gradient(input, name=None):
    """`input`, as a constant to differentiation."""
    return StopGradient(input, name=name)


@op("input: T -> output: T", T=ANY, message="")
class PreventGradient:
    """The input; asking for its gradient is an error."""

    def kernel(input):
        return input

    def gradient(op, grad):
        raise LookupError(f"Gradient explicitly disabled. Reason: {op.attrs['message']}")


@op("input: T -> output: T", T=ANY, public="guarantee_const")
class GuaranteeConst:
    """The input, which the runtime may take for a constant."""

    stateful = True

    def kernel(input):
        return input

    gradient = NO_GRADIENT
