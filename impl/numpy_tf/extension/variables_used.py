"""Which variables a part of a graph uses."""

from numpy_tf.framework.graph import GraphKeys, Tensor
from numpy_tf.framework.op_def import GRADIENTS

_READS = frozenset({"ReadVariableOp", "ResourceGather", "ResourceGatherNd"})
_VARIABLES = frozenset({"VariableV2", "VarHandleOp"})


def variables_read_since(graph, position):
    """The trainable resource variables that operations from `position` on read, in order."""
    variables = _variables_by_op(graph)
    handles = dict.fromkeys(
        op.inputs[0].op for op in graph.operations[position:] if op.type in _READS
    )
    return [variables[op] for op in handles if op in variables and variables[op].trainable]


def variables_between(inputs, outputs):
    """The trainable variables, of both kinds, from which `outputs` are computed.

    Paths that lead through `inputs`, or through an op without a gradient, do not count.

    Args:
      inputs: tensors.
      outputs: tensors, variables, or what is no part of a graph.

    Raises:
      ValueError: when one of them is not a global variable.
    """
    ends = {id(tensor) for tensor in inputs}
    tensors = [getattr(item, "_as_graph_element", lambda item=item: item)() for item in outputs]
    tensors = [tensor for tensor in tensors if isinstance(tensor, Tensor)]
    seen, found = set(), []
    pending = [tensor for tensor in tensors if id(tensor) not in ends]
    while pending:
        op = pending.pop().op
        if op in seen:
            continue
        seen.add(op)
        if op.type in _VARIABLES:
            found.append(op)
        if GRADIENTS.get(op.type) is not None:
            pending.extend(tensor for tensor in op.inputs if id(tensor) not in ends)
    if not found:
        return set()
    variables = _variables_by_op(found[0].graph)
    for op in found:
        if op not in variables:
            raise ValueError(f"Unsuccessful at finding variable {op.name}.")
    return {variables[op] for op in found if variables[op].trainable}


def _variables_by_op(graph):
    return {variable.op: variable for variable in graph.get_collection(GraphKeys.GLOBAL_VARIABLES)}
