"""tf.function: a Python function as one operation of the graph."""

import functools

from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import FuncGraph, build, components, with_components
from numpy_tf.framework.graph import NameScope, get_default_graph
from numpy_tf.framework.indexed_slices import convert_to_tensor_or_indexed_slices
from numpy_tf.framework.nest import flatten, map_structure
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.ops.control.bodies import derivatives_of
from numpy_tf.plan import Plan


def _output_dims(op):
    return [tensor.dims for tensor in op.attrs["f"].outputs]


def _takes_references(op):
    return tuple(placeholder.dtype.is_ref for placeholder in op.attrs["f"].inputs)


def _bind(op, state, needed):
    graph = op.attrs["f"]
    wanted = [tensor for tensor, used in zip(graph.outputs, needed, strict=True) if used]
    plan = Plan(wanted, graph.inputs, state, of_function=True)
    single = len(needed) == 1

    def kernel(*inputs):
        results = iter(plan.compute(inputs))
        outputs = [next(results) if used else None for used in needed]
        return outputs[0] if single else outputs

    return kernel


def _gradient(op, *grads):
    (derivative,) = derivatives_of(op, grads)
    return _call(derivative, [])


_ATTRS = {"f": REQUIRED, "Tout": REQUIRED, "config": "", "config_proto": "", "executor_type": ""}


@op("args: [Tin] -> output: [Tout]", **_ATTRS)
class PartitionedCall:
    """What the function gives for the arguments."""

    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


@op("args: [Tin] -> output: [Tout]", **_ATTRS)
class StatefulPartitionedCall:
    """As `PartitionedCall`, of a function that has state."""

    stateful = True
    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


def _call(graph, arguments):
    """Adds the operation that calls a traced function; returns its results."""
    stateful = any(
        operation.definition.stateful and operation.type != "Placeholder"
        for operation in graph.operations
    )
    definition = StatefulPartitionedCall if stateful else PartitionedCall
    with get_default_graph().control_dependencies(graph.control_captures):
        made = definition(
            [*arguments, *graph.external_captures],
            f=graph,
            Tout=[tensor.dtype.base_dtype for tensor in graph.outputs],
        )
    return with_components(graph.structured_outputs, made if isinstance(made, list) else [])


@export("function")
def function(func=None, **options):
    """A function of tensors whose calls are single operations.

    It is traced for each call, and branches and loops in it are those of TensorFlow 2.

    Args:
      func: takes and returns nests of tensors; without it, a decorator is returned.
      **options: for TensorFlow's signature.
    """
    if func is None:
        return functools.partial(function, **options)

    @functools.wraps(func)
    def call(*args, **kwargs):
        with NameScope(None):
            given = map_structure(convert_to_tensor_or_indexed_slices, [list(args), kwargs])
            arguments = [t for leaf in flatten(given) for t in components(leaf)]
            graph = FuncGraph(getattr(func, "__name__", "function"), get_default_graph())
            graph.is_called = True
            inputs = [graph.add_input(t.dtype.base_dtype, t.dims) for t in arguments]
            args, kwargs = with_components(given, inputs)
            build(graph, lambda: func(*args, **kwargs))
            return _call(graph, arguments)

    return call
