"""Graph, Operation and Tensor: what a program builds before anything runs."""

import re
import threading
from contextlib import contextmanager

from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.device import merged_device
from numpy_tf.framework.errors import OperatorNotAllowedInGraphError
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.tensor_shape import (
    TensorShape,
    as_dims,
    format_dims,
    merge_dims,
)

_ROOT_SCOPE_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_SCOPE_NAME = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")


@export("GraphKeys")
class GraphKeys:
    """The names of the collections that TensorFlow keeps."""

    GLOBAL_VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MODEL_VARIABLES = "model_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    LOSSES = "losses"
    TRAIN_OP = "train_op"
    UPDATE_OPS = "update_ops"
    GLOBAL_STEP = "global_step"
    SUMMARIES = "summaries"


@export("Tensor")
class Tensor:
    """One output of an operation: a symbolic value.

    Attributes:
      op: the operation that makes it.
      value_index: which of its outputs it is.
      dtype: its element type.
      dims: its static shape as a tuple (see `tensor_shape`), or None.
      graph: the graph that it belongs to.
      static_value: its value when that is known before any run, as an array; see
        `constant_value`, which fills it.
    """

    __slots__ = ("_consumers", "dims", "dtype", "graph", "op", "static_value", "value_index")
    __array_priority__ = 100  # so that ndarray + tensor asks the tensor

    def __init__(self, op, value_index, dtype, dims):
        self.op = op
        self.value_index = value_index
        self.dtype = dtype
        self.dims = dims
        self.graph = op.graph
        self.static_value = None
        self._consumers = None

    @property
    def name(self):
        """`<operation>:<index>`."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def shape(self):
        """The static shape as a `TensorShape`."""
        return TensorShape(self.dims)

    def get_shape(self):
        """The static shape as a `TensorShape`."""
        return TensorShape(self.dims)

    @property
    def device(self):
        """The device that was asked for, or ""."""
        return self.op.device

    def set_shape(self, shape):
        """Merges what `shape` knows into the static shape.

        Raises:
          ValueError: when they contradict each other.
        """
        self.dims = merge_dims(self.dims, as_dims(shape))

    def consumers(self):
        """The operations that take this tensor, once for each time that they do."""
        return list(self.consuming())

    def consuming(self):
        """The operations that take this tensor, as an iterable that is not to be changed."""
        consumers = self._consumers
        if consumers is None:
            return ()
        return consumers if consumers.__class__ is list else (consumers,)

    def add_consumer(self, operation):
        """Notes that an operation takes this tensor."""
        # Most tensors have one consumer: no list for it, to spare the garbage collector.
        consumers = self._consumers
        if consumers is None:
            self._consumers = operation
        elif consumers.__class__ is list:
            consumers.append(operation)
        else:
            self._consumers = [consumers, operation]

    def eval(self, feed_dict=None, session=None):
        """Runs it in `session` or the default session."""
        from numpy_tf.session import require_default_session

        return (session or require_default_session("eval()")).run(self, feed_dict)

    def ref(self):
        """A hashable reference to this tensor."""
        return Reference(self)

    def __len__(self):
        raise TypeError(
            f"len is not well defined for a symbolic Tensor ({self.name}). "
            "Please call `x.shape` rather than `len(x)` for shape information."
        )

    def __iter__(self):
        raise OperatorNotAllowedInGraphError(
            "Iterating over a symbolic `tf.Tensor` is not allowed. Use `tf.unstack` to take it "
            "apart, or tf.map_fn to treat its rows."
        )

    def __bool__(self):
        raise OperatorNotAllowedInGraphError(
            "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed. "
            "Use `if t is not None:` instead of `if t:` to test if a tensor is defined, "
            "and TensorFlow ops such as tf.cond to choose by its value."
        )

    def __array__(self, dtype=None, copy=None):
        raise NotImplementedError(
            f"Cannot convert a symbolic tf.Tensor ({self.name}) to a numpy array. This error "
            "may indicate that you're trying to pass a Tensor to a NumPy call, which is not "
            "supported."
        )

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return f"<tf.Tensor '{self.name}' shape={format_dims(self.dims)} dtype={self.dtype.name}>"

    def __str__(self):
        return f'Tensor("{self.name}", shape={format_dims(self.dims)}, dtype={self.dtype.name})'


class Reference:
    """A tensor as a dictionary key: equal only to references to the same tensor."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor):
        self._tensor = tensor

    def deref(self):
        """The tensor."""
        return self._tensor

    def __eq__(self, other):
        return isinstance(other, Reference) and other._tensor is self._tensor

    def __hash__(self):
        return id(self._tensor)


@export("Operation")
class Operation:
    """A node of the graph.

    Attributes:
      graph: the graph that it belongs to.
      definition: its `OpDef`.
      name: unique in the graph.
      inputs: a tuple of tensors, lists flattened.
      attrs: attribute name -> value; shared between operations, so never changed in place.
      control_inputs: operations that must run before.
      made: its outputs: a tensor for an op that always has one, else a tuple of tensors.
      device: the device that was asked for, or "".
      index: how many operations the graph had before it; a topological order.
    """

    __slots__ = (
        "attrs",
        "control_inputs",
        "definition",
        "device",
        "graph",
        "index",
        "inputs",
        "made",
        "name",
    )

    def __init__(self, graph, definition, name, inputs, attrs):
        self.graph = graph
        self.definition = definition
        self.name = name
        self.inputs = inputs
        self.attrs = attrs
        self.control_inputs = graph.current_control_inputs
        self.device = graph.current_device
        operations = graph.operations
        self.index = len(operations)
        self.made = ()

    @property
    def outputs(self):
        """Its outputs, a tuple of tensors."""
        made = self.made
        return made if made.__class__ is tuple else (made,)

    @property
    def type(self):
        """The op type, such as "MatMul"."""
        return self.definition.name

    def get_attr(self, name):
        """The value of an attribute.

        Raises:
          ValueError: when the operation has none of that name.
        """
        try:
            value = self.attrs[name]
        except KeyError:
            raise ValueError(f"Operation '{self.name}' has no attr named '{name}'.") from None
        return value.encode() if isinstance(value, str) else value

    def colocation_groups(self):
        """The `loc:@` names that it must stay with."""
        return self.attrs.get("_class") or [f"loc:@{self.name}".encode()]

    def values(self):
        """Its outputs."""
        return self.outputs

    def run(self, feed_dict=None, session=None):
        """Runs it in `session` or the default session."""
        from numpy_tf.session import require_default_session

        (session or require_default_session("run()")).run(self, feed_dict)

    def move_before(self, other):
        """Takes a place in the order of the graph before `other`, and its constants the first."""
        self.index = other.index - 0.5
        for tensor in self.inputs:
            if tensor.op.type == "Const":
                tensor.op.index = -1

    def add_output(self, dtype, dims):
        """Adds an output, for an op that runs subgraphs and is asked for more of them."""
        self.graph.note_extension(self)
        output = Tensor(self, len(self.outputs), dtype, dims)
        self.made = (*self.outputs, output)
        return output

    def __repr__(self):
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __str__(self):
        return f'name: "{self.name}"\nop: "{self.type}"\n'


@export("Graph")
class Graph:
    """Operations in the order of their making, with names, scopes and collections.

    Attributes:
      operations: all operations; each comes after its inputs.
      scope: the current name scope, "" or ending in "/".
      current_control_inputs: the operations that a new one must wait for.
      current_device: the device of a new operation.
      current_attrs: attributes that a new operation gets besides its own, or None.
      gradient_overrides: dictionaries op type -> name of a gradient, the innermost last.
      seed: the graph-level random seed, or None.
      extended: operations that got further outputs after they were made, and how many they
        had before, each time.
    """

    building_function = False

    def __init__(self):
        self.operations = []
        self.scope = ""
        self.current_control_inputs = ()
        self.current_device = ""
        self.current_attrs = None
        self.seed = None
        self.gradient_overrides = ()
        self.extended = []
        self._by_name = {}
        self._names_in_use = {}
        self._collections = {}
        self._finalized = False

    # -- names ---------------------------------------------------------------------------

    def unique_name(self, name, mark_as_used=True):
        """`name` within the current scope, with `_1`, `_2`… where that is taken.

        Names are compared without case, as TensorFlow does, for file systems' sake.
        """
        name = self.scope + name
        in_use = self._names_in_use
        key = name.lower()
        count = in_use.get(key)
        if count is None:
            if mark_as_used:
                in_use[key] = 1
            return name
        candidate = f"{key}_{count}"
        start = count
        while candidate in in_use:
            count += 1
            candidate = f"{key}_{count}"
        if mark_as_used:
            in_use[key] = start + 1 if count == start else count + 1
            in_use[candidate] = 1
        return f"{name}_{count}"

    @contextmanager
    def name_scope(self, name):
        """Puts new operations under `name`; see `tf.name_scope`."""
        outer = self.scope
        if not name:
            self.scope = ""
        elif name.endswith("/"):
            self.scope = name
        else:
            self.check_scope_name(name)
            self.scope = self.unique_name(name) + "/"
        try:
            yield self.scope
        finally:
            self.scope = outer

    def check_scope_name(self, name):
        """ValueError when `name` cannot be that of a scope or an operation here."""
        if name.isidentifier() and name.isascii() and name[0] != "_":
            return  # as nearly all are
        root = "" if self.scope else "root "
        pattern = _SCOPE_NAME if self.scope else _ROOT_SCOPE_NAME
        if not pattern.match(name):
            raise ValueError(
                f"'{name}' is not a valid {root}scope name. A {root}scope name has to match the "
                f"following pattern: {pattern.pattern}"
            )

    def get_name_scope(self):
        """The current name scope without its slash."""
        return self.scope.removesuffix("/")

    # -- operations ----------------------------------------------------------------------

    def add(self, operation):
        """Takes in a new operation.

        Raises:
          RuntimeError: when the graph is finalized.
        """
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        self.operations.append(operation)
        self._by_name[operation.name] = operation

    def get_operations(self):
        """All operations, in the order of their making."""
        return list(self.operations)

    def get_operation_by_name(self, name):
        """The operation called `name`; KeyError when there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.") from None

    def get_tensor_by_name(self, name):
        """The tensor called `<operation>:<index>`.

        Raises:
          ValueError: when `name` is not of that form.
          KeyError: when there is no such tensor.
        """
        operation, colon, index = name.rpartition(":")
        if not colon or not index.isdigit():
            raise ValueError(
                f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. "
                'Tensor names must be of the form "<op_name>:<output_index>".'
            )
        try:
            return self._by_name[operation].outputs[int(index)]
        except (KeyError, IndexError):
            raise KeyError(f"The name {name!r} refers to a Tensor which does not exist.") from None

    def as_graph_element(self, item, allow_tensor=True, allow_operation=True):
        """The tensor or operation that `item` is or names.

        Raises:
          ValueError: when it belongs to another graph.
          KeyError: when nothing has that name.
          TypeError: when it is neither.
        """
        if isinstance(item, str):
            if ":" in item and allow_tensor:
                return self.get_tensor_by_name(item)
            if allow_operation:
                return self.get_operation_by_name(item)
        converted = getattr(item, "_as_graph_element", None)
        if converted is not None:
            item = converted()
        if (isinstance(item, Tensor) and allow_tensor) or (
            isinstance(item, Operation) and allow_operation
        ):
            if item.graph is not self:
                raise ValueError(f"{item} is not an element of this graph.")
            return item
        raise TypeError(f"Can not convert a {type(item).__name__} into a Tensor or Operation.")

    @property
    def finalized(self):
        """Whether nothing may be added any more."""
        return self._finalized

    def finalize(self):
        """Forbids new operations."""
        self._finalized = True

    def check_not_finalized(self):
        """RuntimeError when the graph is finalized."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def note_extension(self, operation):
        """Remembers how many outputs an operation had before it got more, where that matters."""
        if behavior.control_flow_v2:
            self.extended.append((operation, len(operation.outputs)))

    # -- contexts ------------------------------------------------------------------------

    @contextmanager
    def as_default(self):
        """Makes this the graph that new operations without inputs go to."""
        _state.graphs.append(self)
        try:
            yield self
        finally:
            _state.graphs.pop()

    @contextmanager
    def control_dependencies(self, inputs):
        """New operations wait for these; None forgets those of outer contexts."""
        outer = self.current_control_inputs
        if inputs is None:
            self.current_control_inputs = ()
        else:
            wanted = [_operation_of(self, item) for item in inputs]
            self.current_control_inputs = tuple(dict.fromkeys((*outer, *wanted)))
        try:
            yield
        finally:
            self.current_control_inputs = outer

    @contextmanager
    def device(self, name):
        """New operations ask for this device."""
        outer = self.current_device
        self.current_device = merged_device(outer, name if isinstance(name, str) else None)
        try:
            yield
        finally:
            self.current_device = outer

    @contextmanager
    def extra_attrs(self, attrs):
        """New operations get these attributes besides their own."""
        outer = self.current_attrs
        self.current_attrs = {**(outer or {}), **attrs}
        try:
            yield
        finally:
            self.current_attrs = outer

    @contextmanager
    def gradient_override_map(self, op_type_map):
        """New operations of these types get the gradients registered under other names.

        Args:
          op_type_map: op type -> the name given to `tf.RegisterGradient`.

        Raises:
          TypeError: when it is no dictionary of texts.
        """
        if not isinstance(op_type_map, dict) or not all(
            isinstance(text, str) for pair in op_type_map.items() for text in pair
        ):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        outer = self.gradient_overrides
        self.gradient_overrides = (*outer, dict(op_type_map))
        try:
            yield
        finally:
            self.gradient_overrides = outer

    @contextmanager
    def colocate_with(self, item, ignore_existing=False):
        """New operations stay with the operation of `item`, on its device.

        With `ignore_existing` they need not stay with those of outer contexts as well.
        """
        outer, outer_device = self.current_attrs, self.current_device
        attrs = dict(outer or {})
        groups = attrs.pop("_class", [])
        device = outer_device if groups and not ignore_existing else ""
        groups = set() if ignore_existing else set(groups)
        if item is not None:
            op = _operation_of(self, item)
            groups.update(op.colocation_groups())
            device = op.device or device
        if groups:
            attrs["_class"] = sorted(groups)
        self.current_attrs, self.current_device = attrs or None, device
        try:
            yield
        finally:
            self.current_attrs, self.current_device = outer, outer_device

    # -- collections ---------------------------------------------------------------------

    def add_to_collection(self, name, value):
        """Appends `value` to the collection `name`."""
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names, value):
        """Appends `value` to each collection."""
        names = (names,) if isinstance(names, str) else dict.fromkeys(names)
        for name in names:
            self.add_to_collection(name, value)

    def get_collection_ref(self, name):
        """The collection itself."""
        return self._collections.setdefault(name, [])

    def get_collection(self, name, scope=None):
        """A copy of the collection; with `scope`, of what has a name that begins so."""
        items = self._collections.get(name, ())
        if scope is None:
            return list(items)
        return [item for item in items if getattr(item, "name", "").startswith(scope)]

    def get_all_collection_keys(self):
        """The names of all collections."""
        return list(self._collections)


def _operation_of(graph, item):
    if getattr(item, "_should_act_as_resource_variable", False):
        return item.op  # its handle: a read would demand a value
    element = graph.as_graph_element(item)
    return element if isinstance(element, Operation) else element.op


class _ThreadState(threading.local):
    """Which graph is the default one, in this thread."""

    def __init__(self):
        self.base = Graph()
        self.graphs = [self.base]


_state = _ThreadState()


@export("get_default_graph")
def get_default_graph():
    """The graph that new operations without inputs go to."""
    return _state.graphs[-1]


@export("executing_eagerly")
def executing_eagerly():
    """Whether TensorFlow would compute at once here: outside any graph, in its own behaviour.

    numpy_tf only ever builds graphs; what TensorFlow refuses when eager it refuses too.
    """
    return behavior.eager and len(_state.graphs) == 1


@export("reset_default_graph")
def reset_default_graph():
    """Replaces the global default graph by an empty one.

    Raises:
      AssertionError: inside another graph's `as_default`.
    """
    if len(_state.graphs) > 1:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. "
            "If you need a cleared graph, exit the nesting and create a new graph."
        )
    _state.base = Graph()
    _state.graphs[:] = [_state.base]


class NameScope:
    """`with tf.name_scope(name, default_name, values) as scope`.

    Args:
      name: the scope; one that ends in "/" is taken as it is, and "" is the graph's root.
      default_name: used when `name` is None; without either it is the root.
      values: tensors that the block takes; they decide the graph.
    """

    __slots__ = ("_default_graph", "_graph", "_name", "_outer")

    def __init__(self, name, default_name=None, values=None):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` for name_scope must be a string, got {name!r}")
        self._name = default_name if name is None else name
        self._graph = _graph_of_values(values) if values else _state.graphs[-1]

    def __enter__(self):
        graph, name = self._graph, self._name
        self._default_graph = graph is not _state.graphs[-1]
        if self._default_graph:
            _state.graphs.append(graph)
        self._outer = graph.scope
        if not name:
            graph.scope = ""
        elif name[-1] == "/":
            graph.scope = name
        else:
            graph.check_scope_name(name)
            graph.scope = graph.unique_name(name) + "/"
        return graph.scope

    def __exit__(self, *_):
        self._graph.scope = self._outer
        if self._default_graph:
            _state.graphs.pop()


name_scope = export_as(NameScope, "name_scope")


def _graph_of_values(values):
    return graph_of(_flatten_tensors(values))


def _flatten_tensors(values):
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flatten_tensors(value)
        elif isinstance(value, (Tensor, Operation)):
            yield value
        else:
            element = getattr(value, "_as_graph_element", None)
            if element is not None:
                yield element()
            elif hasattr(value, "indices"):
                yield value.values


def graph_of(elements):
    """The one graph of some tensors and operations, or the default graph for none.

    Raises:
      ValueError: when they come from different graphs.
    """
    first, default = None, _state.graphs[-1]
    if default.building_function:
        return default  # which captures what belongs to graphs further out
    for element in elements:
        if first is None:
            first = element
        elif element.graph is not first.graph:
            raise ValueError(
                f"{element!r} must be from the same graph as {first!r} "
                f"(graphs are {element.graph} and {first.graph})."
            )
    return default if first is None else first.graph


def ancestors(op):
    """An operation and all that its inputs come from, in the order of the graph."""
    found, pending = {op}, [op]
    while pending:
        for tensor in pending.pop().inputs:
            if tensor.op not in found:
                found.add(tensor.op)
                pending.append(tensor.op)
    return sorted(found, key=lambda ancestor: ancestor.index)


@export("control_dependencies")
def control_dependencies(control_inputs):
    """New operations of the default graph wait for these."""
    return get_default_graph().control_dependencies(control_inputs)


@export("device")
def device(device_name):
    """New operations of the default graph ask for this device."""
    return get_default_graph().device(device_name)


@export("colocate_with")
def colocate_with(op, ignore_existing=False):
    """New operations of the default graph stay with `op`."""
    return get_default_graph().colocate_with(op, ignore_existing)


@export("add_to_collection")
def add_to_collection(name, value):
    """Appends `value` to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


@export("get_collection")
def get_collection(key, scope=None):
    """A copy of a collection of the default graph."""
    return get_default_graph().get_collection(key, scope)


@export("get_collection_ref")
def get_collection_ref(key):
    """A collection of the default graph, itself."""
    return get_default_graph().get_collection_ref(key)


@export("set_random_seed", "random.set_random_seed")
def set_random_seed(seed):
    """Sets the graph-level random seed of the default graph."""
    get_default_graph().seed = seed
