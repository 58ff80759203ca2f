"""tf.Variable, of both kinds, and what is done to variables: assigning, initialising, listing.

A reference variable (TensorFlow 1's) is a tensor of reference type whose consumers read it
when they run; what is converted to a tensor is one `read` that all uses share. A resource
variable (TensorFlow 2's) is a handle; every use reads it anew.
"""

import functools
from contextlib import nullcontext

from numpy_tf.framework import dtypes
from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.conversion import convert_to_tensor, register_tensor_conversion_function
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import GraphKeys, NameScope, Reference, ancestors, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.init_scope import check_initial_value, init_scope, refuse_second_creation
from numpy_tf.framework.op_def import OPS
from numpy_tf.framework.tensor_shape import (
    TensorShape,
    as_dims,
    compatible,
    format_dims,
    merge_dims,
)
from numpy_tf.ops.array.basic import Identity
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.gather import boolean_mask
from numpy_tf.ops.array.slicing import getitem
from numpy_tf.ops.array.stack import stack
from numpy_tf.ops.control_flow import NoOp, group
from numpy_tf.ops.math.comparison import LogicalNot
from numpy_tf.ops.state import reference, resource


def _scatter(how, summary):
    """A method that updates the rows that IndexedSlices name."""

    def scatter(self, sparse_delta, use_locking=False, name=None):
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(self._bad_delta.format(sparse_delta))
        return self._update_slices(
            f"Scatter{how}", sparse_delta.indices, sparse_delta.values, name, use_locking
        )

    scatter.__name__, scatter.__doc__ = f"scatter_{how.lower()}", summary
    return scatter


def _scatter_nd(how, summary):
    """A method that updates the slices at the positions that indices hold last."""

    def scatter_nd(self, indices, updates, name=None):
        return self._update_slices(f"ScatterNd{how}", indices, updates, name, True)

    scatter_nd.__name__, scatter_nd.__doc__ = f"scatter_nd_{how.lower()}", summary
    return scatter_nd


@export("Variable")
class Variable:
    """A value that a session keeps between runs.

    `tf.Variable(...)` makes a reference variable or a resource variable, as `use_resource`
    or else `tf.enable_resource_variables` says.

    Args:
      initial_value: a value, tensor or variable; or a function without arguments that
        makes one.
      trainable: whether it goes into the collection of trainable variables; by default yes.
      collections: those that it goes into, by default the global variables.
      validate_shape: whether the initial value's shape must be known and is kept.
      caching_device: for TensorFlow's signature.
      name: its name, by default "Variable".
      variable_def: for TensorFlow's signature.
      dtype: its element type, by default that of the initial value.
      expected_shape, import_scope: for TensorFlow's signature.
      constraint: a function that optimizers apply to it, or None.
      use_resource: whether it is a resource variable.
      synchronization, aggregation: for TensorFlow's signature.
      shape: a static shape less precise than the initial value's; resource variables only.

    Attributes:
      graph: the graph that it belongs to.
      name: `<operation>:0`.
      op: the operation that makes it.
      dtype: its element type; a reference type for a reference variable.
      initializer: the operation that gives it the initial value.
      initial_value: the tensor of that.
      trainable: whether it is among the trainable variables.
      constraint: as given.

    Raises:
      ValueError: without an initial value, or when its shape is needed and unknown.
      TypeError: when the initial value does not fit the dtype.
    """

    __array_priority__ = 100  # so that ndarray * variable asks the variable

    def __new__(cls, *args, use_resource=None, **kwargs):
        if cls is Variable:
            if use_resource is None:
                use_resource = behavior.resource_variables
            cls = ResourceVariable if use_resource else RefVariable
        return object.__new__(cls)

    def __init__(
        self,
        initial_value=None,
        trainable=None,
        collections=None,
        validate_shape=True,
        caching_device=None,
        name=None,
        variable_def=None,
        dtype=None,
        expected_shape=None,
        import_scope=None,
        constraint=None,
        use_resource=None,
        synchronization=None,
        aggregation=None,
        shape=None,
    ):
        if initial_value is None:
            raise ValueError(self._no_initial_value)
        if collections is None:
            collections = (GraphKeys.GLOBAL_VARIABLES,)
        elif not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                "collections argument to Variable constructor must be a list, tuple, "
                f"or set. Got {collections} of type {type(collections)}"
            )
        if constraint is not None and not callable(constraint):
            raise ValueError(self._bad_constraint.format(type(constraint), constraint))
        self.trainable = trainable is None or bool(trainable)
        self.constraint = constraint
        if self.trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = (*collections, GraphKeys.TRAINABLE_VARIABLES)
        if dtype is not None:
            dtype = dtypes.as_dtype(dtype).base_dtype
        made_by_function = callable(initial_value)
        inner = get_default_graph()
        if inner.building_function:
            refuse_second_creation(inner)
            check_initial_value(initial_value, inner.scope + (name or "Variable") + "/")
        with (
            init_scope() if inner.building_function else nullcontext(),
            NameScope(name, "Variable", None if made_by_function else [initial_value]) as scope,
        ):
            self.graph = graph = get_default_graph()
            with _OutsideControlDependencies(graph):
                self._build(
                    graph, scope, initial_value, made_by_function, dtype, validate_shape, shape
                )
        graph.add_to_collections(collections, self)

    # -- what both kinds have in common --------------------------------------------------

    @property
    def shape(self):
        """The static shape."""
        return TensorShape(self._dims)

    def get_shape(self):
        """The static shape."""
        return TensorShape(self._dims)

    @property
    def device(self):
        """The device that was asked for, or ""."""
        return self.op.device

    def ref(self):
        """A hashable reference to this variable."""
        return Reference(self)

    experimental_ref = ref

    def eval(self, session=None):
        """Its value in `session` or the default session."""
        return self._as_graph_element().eval(session=session)

    def load(self, value, session=None):
        """Gives it a value in `session` or the default session, through its initializer."""
        from numpy_tf.session import require_default_session

        session = session or require_default_session("load()")
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    scatter_add = _scatter("Add", "Adds the rows of IndexedSlices to its own when run.")
    scatter_sub = _scatter("Sub", "Subtracts the rows of IndexedSlices when run.")
    scatter_mul = _scatter("Mul", "Multiplies rows by those of IndexedSlices when run.")
    scatter_div = _scatter("Div", "Divides rows by those of IndexedSlices when run.")
    scatter_min = _scatter("Min", "Takes the lesser of its rows and those given when run.")
    scatter_max = _scatter("Max", "Takes the greater of its rows and those given when run.")
    scatter_update = _scatter("Update", "Replaces rows by those of IndexedSlices when run.")
    scatter_nd_add = _scatter_nd("Add", "Adds slices at positions when run.")
    scatter_nd_sub = _scatter_nd("Sub", "Subtracts slices at positions when run.")
    scatter_nd_update = _scatter_nd("Update", "Replaces slices at positions when run.")

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other

    def __getitem__(self, key):
        return getitem(self.value(), key)

    def __iter__(self):
        return iter(self.read_value())

    def __repr__(self):
        return (
            f"<tf.Variable '{self.name}' shape={format_dims(self._dims)} dtype={self.dtype.name}>"
        )


def overload_operators(methods):
    """Gives variables the operators of tensors: each applies to the variable's value.

    Args:
      methods: method name -> the tensors' method. Equality stays identity, since variables
        are keys of dictionaries in every profile.
    """
    for name, method in methods.items():
        if name not in ("__eq__", "__ne__", "__hash__", "__getitem__"):
            setattr(Variable, name, _on_value(method))


def _on_value(method):
    @functools.wraps(method)
    def operate(variable, *operands):
        return method(variable.value(), *operands)

    return operate


class _OutsideControlDependencies:
    """A block whose operations wait for nothing: a variable outlives what surrounds its making."""

    def __init__(self, graph):
        self._graph = graph

    def __enter__(self):
        self._outer = self._graph.current_control_inputs
        self._graph.current_control_inputs = ()

    def __exit__(self, *_):
        self._graph.current_control_inputs = self._outer


# -- reference variables -----------------------------------------------------------------


class RefVariable(Variable):
    """A variable that is a tensor of reference type."""

    _no_initial_value = "initial_value must be specified."
    _bad_constraint = "The `constraint` argument must be a callable."
    _bad_delta = "sparse_delta is not IndexedSlices: {}"

    def _build(self, graph, scope, initial_value, made_by_function, dtype, validate_shape, shape):
        if made_by_function:
            graph.scope = graph.unique_name("Initializer") + "/"
            initial_value = initial_value()
        initial = convert_to_tensor(initial_value, dtype, "initial_value")
        graph.scope = scope
        base = initial.dtype.base_dtype
        dims = initial.dims if validate_shape else None
        attrs = {"dtype": base, "shape": dims, "container": "", "shared_name": ""}
        ref = reference.VariableV2._add(graph, (), attrs, (base.ref,), scope)
        if validate_shape and (dims is None or None in dims):
            raise ValueError(f"initial_value must have a shape specified: {initial}")
        attrs = {"T": base, "validate_shape": validate_shape, "use_locking": True}
        value = _guarded(graph, initial, scope)
        assign = reference.Assign._add(graph, (ref, value), attrs, (base.ref,), None)
        self._ref_tensor = ref
        self._snapshot = Identity(ref, name="read")
        self.initial_value = initial
        self.initializer = assign.op
        self.op = ref.op
        self.dtype = base.ref
        self.name = ref.name

    @property
    def _dims(self):
        return self._ref_tensor.dims

    def set_shape(self, shape):
        """Merges what `shape` knows into the static shape."""
        self._ref_tensor.set_shape(shape)
        self._snapshot.set_shape(shape)

    def _as_graph_element(self):
        return self._ref_tensor

    def value(self):
        """The tensor that all uses of the variable share."""
        return self._snapshot

    def read_value(self):
        """A new tensor of the value."""
        return Identity(self._ref_tensor, name="read")

    def initialized_value(self):
        """Its value, or its initial value in a session in which it has none yet."""
        with _OutsideControlDependencies(self.graph):
            return reference.InitializedValue(self._ref_tensor, self.initial_value)

    def assign(self, value, use_locking=False, name=None, read_value=True):
        """Assigns when run; returns the variable's tensor after that (or the operation)."""
        updated = reference.Assign(self._ref_tensor, value, use_locking=use_locking, name=name)
        return updated if read_value else updated.op

    def assign_add(self, delta, use_locking=False, name=None, read_value=True):
        """Adds when run; returns the variable's tensor after that (or the operation)."""
        updated = reference.AssignAdd(self._ref_tensor, delta, use_locking=use_locking, name=name)
        return updated if read_value else updated.op

    def assign_sub(self, delta, use_locking=False, name=None, read_value=True):
        """Subtracts when run; returns the variable's tensor after that (or the operation)."""
        updated = reference.AssignSub(self._ref_tensor, delta, use_locking=use_locking, name=name)
        return updated if read_value else updated.op

    def _update_slices(self, update, indices, updates, name, use_locking):
        definition = OPS[update]
        return definition(self._ref_tensor, indices, updates, use_locking=use_locking, name=name)


def _ref_conversion(variable, dtype, name, as_ref):
    if dtype is not None and not dtype.is_compatible_with(variable.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of "
            f"type '{variable.dtype.name}' (Variable: {variable})"
        )
    return variable._ref_tensor if as_ref else variable._snapshot


register_tensor_conversion_function(RefVariable, _ref_conversion)


def _guarded(graph, initial, scope):
    """An initial value that other variables' values go into, fit to run before they have any.

    As TensorFlow does, what depends on a reference variable is built a second time, upon
    the variable's `initialized_value`.
    """
    if not initial.op.inputs:
        return initial
    earlier = ancestors(initial.op)
    variables = {
        variable.op: variable
        for collection in (GraphKeys.GLOBAL_VARIABLES, GraphKeys.LOCAL_VARIABLES)
        for variable in graph.get_collection(collection)
        if isinstance(variable, RefVariable)
    }
    suffix = "_" + scope.rstrip("/").rpartition("/")[2]
    copies = {}  # operation -> the outputs to use in place of its own
    for op in earlier:
        if op.type in ("IsVariableInitialized", "InitializedValue"):
            continue
        if not any(tensor.op in variables or tensor.op in copies for tensor in op.inputs):
            continue
        if any(op.definition.ref_inputs(op)):
            return initial  # it changes the variable: nothing else would mean the same
        for tensor in op.inputs:
            if tensor.op in variables and tensor.op not in copies:
                copies[tensor.op] = (variables[tensor.op].initialized_value(),)
        inputs = tuple(copies[t.op][t.value_index] if t.op in copies else t for t in op.inputs)
        output_dtypes = tuple(tensor.dtype for tensor in op.outputs)
        with NameScope(""):
            copied = op.definition._add(graph, inputs, op.attrs, output_dtypes, op.name + suffix)
        copies[op] = tuple(copied) if isinstance(copied, list) else (copied,)
    return copies[initial.op][initial.value_index] if initial.op in copies else initial


# -- resource variables ------------------------------------------------------------------


def _graph_in_use(variable):
    """The graph in which a variable is used: its own, or the body that is being built."""
    default = get_default_graph()
    return default if default.building_function else variable.graph


class BaseResourceVariable(Variable):
    """A variable behind a handle.

    Attributes:
      handle: the resource tensor.
    """

    _should_act_as_resource_variable = True
    _no_initial_value = (
        "The `initial_value` arg to `tf.Variable` must be specified except when you are not "
        "providing a `variable_def`. You provided neither."
    )
    _bad_constraint = "Argument `constraint` must be None or a callable. a callable. Got a {}:  {}"
    _bad_delta = "Argument `sparse_delta` must be a `tf.IndexedSlices`. Received arg: {}"

    def _as_graph_element(self):
        return self._graph_element

    def _read(self):
        graph, handle = _graph_in_use(self), self.handle
        if graph.building_function:
            handle = graph.capture(handle)
        return resource.ReadVariableOp._add(graph, (handle,), self._read_attrs, (self.dtype,), None)

    def value(self):
        """A new read of the variable."""
        return self._read()

    def read_value(self):
        """A new read of the variable."""
        with NameScope("Read", values=[self.handle]):
            value = self._read()
        return Identity(value)

    def initialized_value(self):
        """NotImplementedError, as in TensorFlow."""
        raise NotImplementedError

    def is_initialized(self, name=None):
        """Whether it has a value in the session."""
        return resource.VarIsInitializedOp(self.handle, name=name)

    def set_shape(self, shape):
        """Merges what `shape` knows into the static shape, though not into that of reads."""
        self._dims = merge_dims(self._dims, as_dims(shape))

    def __bool__(self):
        return bool(self.read_value())

    def _converted(self, value):
        with _graph_in_use(self).as_default():
            return convert_to_tensor(value, self.dtype)

    def _after(self, operation, read_value=True):
        return _UnreadVariable(self, operation) if read_value else operation

    def assign(self, value, use_locking=None, name=None, read_value=True):
        """Assigns when run; returns the variable as it is after that (or the operation).

        Raises:
          ValueError: for a value of another shape.
        """
        value = self._converted(value)
        if not compatible(self._dims, value.dims):
            label = "" if self.name is None else " " + str(self.name)
            raise ValueError(
                f"Cannot assign value to variable '{label}': Shape mismatch."
                f"The variable shape {format_dims(self._dims)}, and the "
                f"assigned value shape {format_dims(value.dims)} are incompatible."
            )
        known = self._dims is not None and None not in self._dims
        operation = resource.AssignVariableOp(
            self.handle, value, validate_shape=self._validate_shape and known, name=name
        )
        return self._after(operation, read_value)

    def assign_add(self, delta, use_locking=None, name=None, read_value=True):
        """Adds when run; returns the variable as it is after that (or the operation)."""
        delta = self._converted(delta)
        operation = resource.AssignAddVariableOp(self.handle, delta, name=name)
        return self._after(operation, read_value)

    def assign_sub(self, delta, use_locking=None, name=None, read_value=True):
        """Subtracts when run; returns the variable as it is after that (or the operation)."""
        delta = self._converted(delta)
        operation = resource.AssignSubVariableOp(self.handle, delta, name=name)
        return self._after(operation, read_value)

    def _update_slices(self, update, indices, updates, name, use_locking=None):
        updates = self._converted(updates)
        return self._after(OPS[f"Resource{update}"](self.handle, indices, updates, name=name))

    def sparse_read(self, indices, name=None):
        """Rows of the variable, without a read of the whole; what `tf.gather` asks for."""
        with NameScope(name, "Gather", [self.handle]) as scope:
            return resource.ResourceGather(self.handle, indices, dtype=self.dtype, name=scope)

    def gather_nd(self, indices, name=None):
        """Slices of the variable; what `tf.gather_nd` asks for."""
        with NameScope(name, "GatherNd", [self.handle]) as scope:
            value = resource.ResourceGatherNd(self.handle, indices, dtype=self.dtype, name=scope)
        return Identity(value)


class ResourceVariable(BaseResourceVariable):
    """A variable behind a handle, made by `tf.Variable`."""

    def _build(self, graph, scope, initial_value, made_by_function, dtype, validate_shape, shape):
        graph.scope = graph.unique_name("Initializer") + "/"
        if made_by_function:
            initial_value = initial_value()
        initial = convert_to_tensor(initial_value, dtype, "initial_value")
        graph.scope = scope
        self.dtype = base = initial.dtype.base_dtype
        self._dims = self._static_dims(initial, shape)
        self._validate_shape = validate_shape
        name = scope[:-1]
        attrs = {
            "dtype": base,
            "shape": self._dims,
            "container": "",
            "shared_name": name,
            "allowed_devices": (),
        }
        self.handle = handle = resource.VarHandleOp._add(
            graph, (), attrs, (dtypes.resource,), scope
        )
        self._read_attrs = {"dtype": base}
        graph.scope = scope + "IsInitialized/"
        resource.VarIsInitializedOp(handle)
        graph.scope = scope + "Assign/"
        self.initializer = resource.AssignVariableOp._add(
            graph, (handle, initial), {"dtype": base, "validate_shape": False}, (), graph.scope
        )
        graph.scope = scope + "Read/"
        self._graph_element = self._read()
        graph.scope = scope
        self.initial_value = initial
        self.op = handle.op
        self.name = handle.name

    @staticmethod
    def _static_dims(initial, shape):
        if shape is None:
            return initial.dims
        dims = as_dims(shape)
        if not compatible(initial.dims, dims):
            raise ValueError(
                "In this `tf.Variable` creation, the initial value's shape "
                f"({initial.shape}) is not compatible with the explicitly supplied `shape` "
                f"argument ({TensorShape(dims)})."
            )
        return dims

    @property
    def create(self):
        """The operation that gives it the initial value."""
        return self.initializer


def _after_parent(method):
    """A method whose operations wait for the one that changed the variable."""

    @functools.wraps(method)
    def waiting(self, *args, **kwargs):
        with _graph_in_use(self).control_dependencies([self.op]):
            return method(self, *args, **kwargs)

    return waiting


class _UnreadVariable(BaseResourceVariable):
    """A resource variable as it is after an operation that changed it: each use waits for that."""

    def __init__(self, variable, operation):
        self.graph = variable.graph
        self.handle = variable.handle
        self.dtype = variable.dtype
        self.trainable = variable.trainable
        self.constraint = None
        self._dims = variable._dims
        self._read_attrs = variable._read_attrs
        self._validate_shape = variable._validate_shape
        self.op = operation
        self.name = operation.name
        self._graph_element = self._read()

    def _read(self):
        with _graph_in_use(self).control_dependencies([self.op]):
            return super()._read()

    def read_value(self):
        """A new read of the variable, after the operation."""
        return self._read()

    assign = _after_parent(BaseResourceVariable.assign)
    assign_add = _after_parent(BaseResourceVariable.assign_add)
    assign_sub = _after_parent(BaseResourceVariable.assign_sub)
    _update_slices = _after_parent(BaseResourceVariable._update_slices)


def _resource_conversion(variable, dtype, name, as_ref):
    if dtype is not None and not dtype.is_compatible_with(variable.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name} for `tf.Variable "
            f"of type {variable.dtype.name}`. (Variable: {variable})"
        )
    # A resource variable has no reference: what stands for one is yet another read.
    return variable.read_value().op.inputs[0] if as_ref else variable.value()


register_tensor_conversion_function(BaseResourceVariable, _resource_conversion)


# -- changing variables ------------------------------------------------------------------


@export("assign")
def assign(ref, value, validate_shape=None, use_locking=None, name=None):
    """Assigns `value` to `ref` when run.

    Args:
      ref: a variable, or a tensor of reference type.
      value: the new value.
      validate_shape: whether it must have the variable's shape; by default yes.
      use_locking: for TensorFlow's signature.
      name: the operation's name.

    Returns:
      The variable after the assignment.
    """
    if ref.dtype.is_ref:
        return reference.Assign(
            ref,
            value,
            validate_shape=validate_shape is None or validate_shape,
            use_locking=use_locking is None or use_locking,
            name=name,
        )
    return ref.assign(value, name=name)


@export("assign_add")
def assign_add(ref, value, use_locking=None, name=None):
    """Adds `value` to `ref` when run; returns the variable after that."""
    if ref.dtype.is_ref:
        return reference.AssignAdd(ref, value, use_locking=bool(use_locking), name=name)
    return ref.assign_add(value)


@export("assign_sub")
def assign_sub(ref, value, use_locking=None, name=None):
    """Subtracts `value` from `ref` when run; returns the variable after that."""
    if ref.dtype.is_ref:
        return reference.AssignSub(ref, value, use_locking=bool(use_locking), name=name)
    return ref.assign_sub(value)


def _slice_update(public, update, locking, what):
    """`tf.scatter_…(ref, indices, updates)` for a variable or a tensor of reference type."""

    def scatter(ref, indices, updates, use_locking=locking, name=None):
        if ref.dtype.is_ref:
            return OPS[update](ref, indices, updates, use_locking=use_locking, name=name)
        return ref._update_slices(update, indices, updates, name)

    scatter.__name__ = scatter.__qualname__ = public
    scatter.__doc__ = f"{what} `ref` when run; returns the variable after that."
    return export(public)(scatter)


scatter_update = _slice_update("scatter_update", "ScatterUpdate", True, "Replaces rows of")
scatter_add = _slice_update("scatter_add", "ScatterAdd", False, "Adds to rows of")
scatter_sub = _slice_update("scatter_sub", "ScatterSub", False, "Subtracts from rows of")
scatter_mul = _slice_update("scatter_mul", "ScatterMul", False, "Multiplies rows of")
scatter_div = _slice_update("scatter_div", "ScatterDiv", False, "Divides rows of")
scatter_min = _slice_update("scatter_min", "ScatterMin", False, "Takes the lesser for rows of")
scatter_max = _slice_update("scatter_max", "ScatterMax", False, "Takes the greater for rows of")
scatter_nd_update = _slice_update("scatter_nd_update", "ScatterNdUpdate", True, "Sets slices of")
scatter_nd_add = _slice_update("scatter_nd_add", "ScatterNdAdd", False, "Adds to slices of")
scatter_nd_sub = _slice_update("scatter_nd_sub", "ScatterNdSub", False, "Subtracts from slices of")


# -- all variables of a graph ------------------------------------------------------------


@export("global_variables")
def global_variables(scope=None):
    """The variables that all sessions of a graph share, in the order of their making."""
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@export("all_variables")
def all_variables():
    """The same as `global_variables`."""
    return global_variables()


@export("trainable_variables")
def trainable_variables(scope=None):
    """The variables that optimizers change."""
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@export("local_variables")
def local_variables(scope=None):
    """The variables of this process alone."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@export("model_variables")
def model_variables(scope=None):
    """The variables that belong to a model."""
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@export("variables_initializer", "initializers.variables")
def variables_initializer(var_list, name="init"):
    """An operation that gives variables their initial values."""
    initializers = [variable.initializer for variable in var_list]
    return group(*initializers, name=name) if initializers else NoOp(name=name)


@export("initialize_variables")
def initialize_variables(var_list, name="init"):
    """The same as `variables_initializer`."""
    return variables_initializer(var_list, name)


@export("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer():
    """An operation that gives all global variables their initial values."""
    return variables_initializer(global_variables())


@export("initialize_all_variables")
def initialize_all_variables():
    """The same as `global_variables_initializer`."""
    return global_variables_initializer()


@export("local_variables_initializer", "initializers.local_variables")
def local_variables_initializer():
    """An operation that gives all local variables their initial values."""
    return variables_initializer(local_variables())


@export("initialize_local_variables")
def initialize_local_variables():
    """The same as `local_variables_initializer`."""
    return local_variables_initializer()


@export("is_variable_initialized")
def is_variable_initialized(variable):
    """Whether a variable has a value in the session."""
    if variable.dtype.is_ref:
        return reference.IsVariableInitialized(variable)
    return variable.is_initialized()


@export("report_uninitialized_variables")
def report_uninitialized_variables(var_list=None, name="report_uninitialized_variables"):
    """The names of those variables that have no value in the session, as texts.

    Args:
      var_list: by default all global and local variables.
      name: the name scope of what is built.
    """
    if var_list is None:
        var_list = global_variables() + local_variables()
    with NameScope(name):
        if not var_list:
            return constant([], dtypes.string)
        missing = LogicalNot(stack([is_variable_initialized(v) for v in var_list]))
        return boolean_mask(constant([variable.op.name for variable in var_list]), missing)
