"""Slots: variables that an optimizer keeps for another variable, named after it."""

from numpy_tf.initializers import Zeros
from numpy_tf.ops.array.fill import zeros
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.state.resource import is_resource_variable
from numpy_tf.variable_store import get_variable, variable_scope


def create_slot(primary, initializer, name):
    """A variable of `primary`'s kind, shape and dtype, called `<primary>/<name>`.

    Args:
      primary: the variable.
      initializer: an initializer; or, where the shape is not known, a tensor or a function
        without arguments that makes one; None for zeros.
      name: what is appended to its name.
    """
    known = primary.shape.is_fully_defined()
    dtype = primary.dtype.base_dtype
    if initializer is None:
        initializer = Zeros() if known else _zeros_like(primary)
    with (
        variable_scope(None, f"{primary.op.name}/{name}"),
        primary.graph.colocate_with(primary.op),
    ):
        return get_variable(
            "",
            initializer=initializer,
            trainable=False,
            use_resource=is_resource_variable(primary),
            shape=primary.shape if known else None,
            dtype=dtype if known else None,
            validate_shape=known,
        )


def _zeros_like(primary):
    return zeros(shape_of(primary.initial_value), dtype=primary.dtype.base_dtype)
