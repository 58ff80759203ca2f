"""FuncGraph: the body of a branch, a loop or a function, as a graph of its own.

A tensor of a graph further out that an operation of the body takes is captured: within the
body a placeholder stands for it, and the operation that owns the body takes it as an input.
"""

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.graph import Graph, Operation, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.nest import flatten, pack_sequence_as
from numpy_tf.framework.op_def import OPS
from numpy_tf.framework.static_value import constant_value


class FuncGraph(Graph):
    """A graph that is computed by an operation of another one.

    Args:
      name: what it is, such as "cond_true".
      outer_graph: the graph that it is written in.

    Attributes:
      inputs: its placeholders, in the order of the owner's inputs.
      outputs: its tensors, in the order of the owner's outputs.
      structured_outputs: what its function returned, converted to tensors.
      initial_values: id of placeholder -> (placeholder, outer tensor) for the variables of a
        loop of TensorFlow 1, where what lies before a loop can be reached from within it.
      control_captures: operations of graphs further out that operations here wait for.
      differentiates: the body whose derivative this is, or None.
      is_called: whether it is a function's, or its derivative, not a branch or loop.
      owner: the operation that computes it as a branch of TensorFlow 1, or None.
      control_outputs: operations that run whichever outputs are needed.
      creates_variables: whether variables are made while it is built.
      variables_exist: whether none may be made any more.
    """

    building_function = True

    def __init__(self, name, outer_graph):
        super().__init__()
        self.name = name
        self.outer_graph = outer_graph
        self.inputs = []
        self.outputs = []
        self.structured_outputs = None
        self.initial_values = {}
        self.control_captures = []
        self.differentiates = None
        self.is_called = False
        self.owner = None
        self.control_outputs = []
        self.creates_variables = False
        self.variables_exist = False
        self.seed = outer_graph.seed
        self.gradient_overrides = outer_graph.gradient_overrides
        self._collections = outer_graph._collections
        if not behavior.control_flow_v2:
            # TensorFlow 1 writes branches and loops into the same graph: names are found there.
            self.scope = outer_graph.scope
            self._by_name = outer_graph._by_name
            self._names_in_use = outer_graph._names_in_use
        self._captures = {}  # id of outer tensor -> (outer tensor, placeholder)
        self._captured = {}  # id of placeholder -> outer tensor

    # -- inputs --------------------------------------------------------------------------

    def add_input(self, dtype, dims, name="arg"):
        """A new placeholder, last of the inputs."""
        outer = self.current_control_inputs
        self.current_control_inputs = ()
        attrs = {"dtype": dtype, "shape": dims}
        placeholder = OPS["Placeholder"]._add(self, (), attrs, (dtype,), name)
        self.current_control_inputs = outer
        self.inputs.append(placeholder)
        return placeholder

    def capture(self, tensor):
        """What stands for a tensor within this graph: itself, or a placeholder.

        Raises:
          errors.InaccessibleTensorError: for a tensor of a graph further in.
        """
        if tensor.graph is self:
            return tensor
        found = self._captures.get(id(tensor))
        if found is not None:
            return found[1]
        if any(graph is self for graph in function_graphs(tensor.graph)):
            raise errors.InaccessibleTensorError(
                f"{tensor!r} is out of scope and cannot be used here. Use return values, "
                "explicit Python locals or TensorFlow collections to access it."
            )
        return self._new_capture(tensor)

    def _new_capture(self, tensor):
        name = tensor.op.name.rpartition("/")[2]
        placeholder = self.add_input(tensor.dtype, tensor.dims, name)
        self.set_capture(tensor, placeholder)
        return placeholder

    def set_capture(self, tensor, placeholder):
        """Lets `placeholder`, one of the inputs, stand for a tensor of a graph further out."""
        self._captures[id(tensor)] = (tensor, placeholder)
        self.set_origin(placeholder, tensor)
        placeholder.static_value = constant_value(tensor)

    def set_origin(self, placeholder, tensor):
        """Notes which outer tensor one of the inputs will have the value of."""
        self._captured[id(placeholder)] = tensor

    @property
    def captures(self):
        """Pairs of an outer tensor and the placeholder that stands for it."""
        return list(self._captures.values())

    @property
    def external_captures(self):
        """The outer tensors that are captured."""
        return [tensor for tensor, _ in self._captures.values()]

    def captured(self, placeholder):
        """The outer tensor that a placeholder stands for, or None."""
        return self._captured.get(id(placeholder))

    def placeholder_of(self, tensor):
        """The placeholder that stands for an outer tensor, or None."""
        found = self._captures.get(id(tensor))
        return None if found is None else found[1]

    # -- contexts ------------------------------------------------------------------------

    def control_dependencies(self, inputs):
        """As of any graph; what belongs to a graph further out, the owner waits for."""
        own = inputs
        if inputs is not None:
            own = []
            for item in inputs:
                element = getattr(item, "_as_graph_element", lambda item=item: item)()
                if isinstance(element, (Operation, Tensor)) and element.graph is not self:
                    self.control_captures.append(getattr(element, "op", element))
                else:
                    own.append(item)
        return super().control_dependencies(own)

    def as_graph_element(self, item, allow_tensor=True, allow_operation=True):
        """As of any graph; of a graph further out, what stands for it here."""
        element = getattr(item, "_as_graph_element", lambda: item)()
        if isinstance(element, Tensor) and element.graph is not self:
            element = self.capture(element)
        return super().as_graph_element(element, allow_tensor, allow_operation)


def control_flow_v2():
    """Whether branches and loops are those of TensorFlow 2: if asked for, or in a function."""
    if behavior.control_flow_v2:
        return True
    return any(graph.is_called for graph in function_graphs(get_default_graph()))


def function_graphs(graph):
    """The graph, if it is a function's, and the functions' graphs that it is written in."""
    found = []
    while graph.building_function:
        found.append(graph)
        graph = graph.outer_graph
    return found


def maybe_captured(tensor):
    """The tensor further out that a placeholder stands for, or the tensor itself."""
    while tensor.graph.building_function and tensor.op.type == "Placeholder":
        outer = tensor.graph.captured(tensor)
        if outer is None:
            break
        tensor = outer
    return tensor


# -- automatic control dependencies ------------------------------------------------------


# Operations of a resource that leave it as it is.
_READ_ONLY = frozenset(
    {"ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VarIsInitializedOp", "VariableShape"}
)


def order_state(graph):
    """Makes each operation of a resource wait for those before it, and the outputs for all.

    TensorFlow does so in a function, and in the branches and loops in it: what they do to
    variables happens in the program's order.
    """
    writers, readers = {}, {}  # id of a resource -> its last writer, and its readers since
    for op in graph.operations:
        for key in [id(t) for t in op.inputs if t.dtype is dtypes.resource]:
            waits = [writers[key]] if key in writers else []
            if op.type in _READ_ONLY or not op.definition.stateful:
                readers.setdefault(key, []).append(op)
            else:
                waits += readers.pop(key, [])
                writers[key] = op
            op.control_inputs = tuple(dict.fromkeys((*op.control_inputs, *waits)))
    graph.control_outputs = list(dict.fromkeys(writers.values()))
    given = {id(placeholder) for placeholder in graph.inputs}
    if writers:
        with graph.control_dependencies(graph.control_outputs):
            graph.outputs = [
                t if id(t) in given or t.dtype is dtypes.resource else OPS["Identity"](t)
                for t in graph.outputs
            ]


# -- what a function returns -------------------------------------------------------------


def build(graph, function, arguments=(), for_operations=None):
    """Calls `function` with `graph` as the default and makes what it returns the outputs.

    Args:
      graph: a `FuncGraph`.
      function: returns a nest of tensors, IndexedSlices, tensor arrays, Nones, or what can
        be converted to tensors.
      arguments: given to it.
      for_operations: a tensor that an operation among the results is replaced by, or None.
    """
    with graph.as_default():
        result = function(*arguments)
        set_outputs(graph, result, for_operations)
        if graph.differentiates is None and any(g.is_called for g in function_graphs(graph)):
            order_state(graph)


def set_outputs(graph, result, for_operations=None):
    """Makes a nest of results the outputs of `graph`, which is the default graph."""
    leaves = [_converted(leaf, graph, for_operations) for leaf in flatten(result)]
    graph.structured_outputs = pack_sequence_as(result, leaves)
    graph.outputs = [graph.capture(tensor) for leaf in leaves for tensor in components(leaf)]


_COMPOSITE = (IndexedSlices, CompositeTensor)


def _converted(leaf, graph, for_operations):
    if leaf is None or isinstance(leaf, _COMPOSITE) or is_tensor_array(leaf):
        return leaf
    if isinstance(leaf, Operation) and for_operations is not None:
        with graph.control_dependencies([leaf]):
            return OPS["Identity"](for_operations)
    return convert_to_tensor(leaf)


def is_tensor_array(leaf):
    """Whether `leaf` is a `TensorArray`, which is carried by its flow."""
    return hasattr(leaf, "with_flow")


def components(leaf):
    """The tensors that a leaf of a structure consists of: none of a None."""
    if leaf is None:
        return []
    if isinstance(leaf, IndexedSlices):
        parts = [leaf.values, leaf.indices]
        return parts if leaf.dense_shape is None else [*parts, leaf.dense_shape]
    if isinstance(leaf, CompositeTensor):
        return leaf.components
    return [leaf.flow] if is_tensor_array(leaf) else [leaf]


def with_components(structure, tensors):
    """The structure with other tensors for the components of its leaves."""
    tensors = iter(tensors)
    leaves = []
    for leaf in flatten(structure):
        parts = [next(tensors) for _ in components(leaf)]
        if isinstance(leaf, IndexedSlices):
            leaves.append(IndexedSlices(*parts))
        elif isinstance(leaf, CompositeTensor):
            leaves.append(leaf.with_components(parts))
        elif is_tensor_array(leaf):
            leaves.append(leaf.with_flow(*parts))
        else:
            leaves.append(parts[0] if parts else None)
    return pack_sequence_as(structure, leaves)
