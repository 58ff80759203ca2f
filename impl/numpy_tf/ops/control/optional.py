"""Optionals: values that are there or not; what a branch keeps for its gradient is one."""

from numpy_tf.framework import errors
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.framework.variant import Variant, sum_of_values, zeros_like_value


class Optional(Variant):
    """Some values, or None for nothing."""

    __slots__ = ("values",)

    def __init__(self, values):
        self.values = values

    def zeros_like(self):
        """Zeros where there are values."""
        if self.values is None:
            return self
        return Optional(tuple(zeros_like_value(value) for value in self.values))

    def added_to(self, other):
        """The sums of both sides' values."""
        if self.values is None or other.values is None:
            return self
        return Optional(
            tuple(sum_of_values(a, b) for a, b in zip(self.values, other.values, strict=True))
        )


def _scalar(op):
    return ()


@op("components: [Toutput_types] -> optional: variant")
class OptionalFromValue:
    """The components, which are there."""

    shape = _scalar

    def kernel(*components):
        return Optional(components)

    def gradient(op, grad):
        return optional_get_value(grad, op.inputs)


@op("-> optional: variant")
class OptionalNone:
    """Nothing."""

    shape = _scalar

    def kernel():
        return Optional(None)

    gradient = NO_GRADIENT


@op("optional: variant -> components: [output_types]", output_types=None, output_shapes=None)
class OptionalGetValue:
    """The components of an optional that has them."""

    def shape(op):
        return op.attrs["output_shapes"]

    def kernel(optional, *, op):
        if optional.values is None:
            message = "The given optional does not have a value."
            if "_of_branch" in op.attrs:
                message = "Retval[0] does not have value"
            raise errors.invalid_argument(message)
        return optional.values if len(optional.values) > 1 else optional.values[0]

    def gradient(op, *grads):
        return OptionalFromValue(list(grads))


def optional_get_value(optional, templates):
    """The components of an optional, which are like `templates` in dtype and static shape."""
    return OptionalGetValue(
        optional,
        output_types=[template.dtype.base_dtype for template in templates],
        output_shapes=[template.dims for template in templates],
    )


__all__ = ["OptionalFromValue", "OptionalNone", "optional_get_value"]
