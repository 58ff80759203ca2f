"""Intermediates of a body as outputs of the operation that computes it.

Each is an optional: what a body that was not chosen would have computed is not there.
"""

from numpy_tf.framework import dtypes
from numpy_tf.framework.graph import get_default_graph
from numpy_tf.framework.within import lies_within
from numpy_tf.ops.control.optional import OptionalFromValue, OptionalNone, optional_get_value


def bodies_of(op):
    """The `FuncGraph`s of which an operation computes one."""
    for attribute in ("f", "branches"):
        if attribute in op.attrs:
            found = op.attrs[attribute]
            return found if isinstance(found, list) else [found]
    return [op.attrs["then_branch"], op.attrs["else_branch"]]


def kept_optional(tensor, owner, forward):
    """The owner's output that holds an intermediate of a branch already, or None."""
    for consumer in tensor.consuming():
        if consumer.type == "OptionalFromValue":
            for inner, output in zip(forward.outputs, owner.outputs, strict=True):
                if inner is consumer.outputs[0]:
                    return output
    return None


def keep_optional(tensor, owner):
    """Adds an output to the owner that holds an intermediate where its branch is taken."""
    give_out(tensor, bodies_of(owner))
    return owner.add_output(dtypes.variant, ())


def give_out(tensor, bodies):
    """For each body one more output: an optional, which holds `tensor` in the body that has it."""
    held = []
    for graph in bodies:
        with graph.as_default(), graph.control_dependencies(None):
            held.append(OptionalFromValue([tensor]) if tensor.graph is graph else OptionalNone())
        graph.outputs.append(held[-1])
    return held


def value_given_out(optional, template):
    """What a branch of TensorFlow 1 held, seen from outside: an error where it is not taken."""
    with get_default_graph().extra_attrs({"_of_branch": True}):
        return optional_get_value(optional, [template])[0]


def seen_outside(tensor, graph):
    """What stands in `graph` for a tensor within one of its branches, or theirs."""
    while lies_within(tensor, graph):
        body = tensor.graph
        output = kept_optional(tensor, body.owner, body)
        if output is None:
            output = keep_optional(tensor, body.owner)
        with body.owner.graph.as_default():
            tensor = value_given_out(output, tensor)
    return tensor
