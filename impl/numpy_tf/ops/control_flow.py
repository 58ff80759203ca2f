"""NoOp, group and tuple: operations that only order others."""

from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import NameScope, Operation, graph_of
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.op_def import NO_GRADIENT, op
from numpy_tf.ops.array.basic import Identity


@op("->", public="no_op")
class NoOp:
    """Does nothing, after what it depends on."""

    def shape(op):
        return []

    def kernel():
        return None

    gradient = NO_GRADIENT


@export("group")
def group(*inputs, name=None):
    """An operation that is done when all `inputs` are.

    Args:
      *inputs: tensors, operations, IndexedSlices, or lists of those.
      name: its name.
    """
    elements = [
        getattr(item, "values", item) if isinstance(item, IndexedSlices) else item
        for item in _flatten(inputs)
    ]
    graph = graph_of(e for e in elements if hasattr(e, "graph"))
    by_device = {}
    for element in elements:
        by_device.setdefault(element.device, []).append(element)
    with graph.as_default(), NameScope(name, "group_deps") as scope:
        if len(by_device) <= 1:
            return _waiting(graph, elements, next(iter(by_device), ""), scope)
        gates = [_waiting(graph, by_device[device], device) for device in sorted(by_device)]
        return _waiting(graph, gates, graph.current_device, scope)


def _waiting(graph, elements, device, name=None):
    with graph.device(device), graph.control_dependencies(elements):
        return NoOp(name=name)


def _flatten(items):
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from _flatten(item)
        elif item is not None:
            yield item


@export("tuple")
def grouped_tuple(tensors, name=None, control_inputs=None):
    """The same tensors, none of which is there before all of them are.

    Args:
      tensors: tensors, IndexedSlices, operations or Nones.
      name: a name scope.
      control_inputs: further operations to wait for.

    Raises:
      ValueError: when there is nothing but Nones.
    """
    present = [t for t in tensors if t is not None]
    if not present:
        raise ValueError("`tensors` must have at least one Tensor or Operation.")
    with NameScope(name, "tuple", [t for t in present if not isinstance(t, Operation)]):
        gate = group(*present, *(control_inputs or ()))
        return [_after(gate, tensor) for tensor in tensors]


def _after(gate, item):
    if item is None or isinstance(item, Operation):
        return item
    if isinstance(item, IndexedSlices):
        return IndexedSlices(_after(gate, item.values), item.indices, item.dense_shape)
    item = convert_to_tensor(item)
    with item.graph.colocate_with(item), item.graph.control_dependencies([gate]):
        return Identity(item, name="control_dependency")
