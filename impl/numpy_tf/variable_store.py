"""get_variable and variable_scope: variables that are found again by their names."""

import functools
import inspect
from contextlib import contextmanager

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export, export_as
from numpy_tf.framework.graph import GraphKeys, NameScope, get_default_graph
from numpy_tf.framework.tensor_shape import TensorShape, as_dims, compatible
from numpy_tf.initializers import GlorotUniform, Zeros
from numpy_tf.variables import Variable


class _Reuse:
    """How a scope treats variables that there are already."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"<_ReuseMode.{self._name}: 1>"


AUTO_REUSE = export_as(_Reuse("AUTO_REUSE"), "AUTO_REUSE")

# What a scope hands down to the scopes and variables within it, unless they say otherwise.
_INHERITED = (
    "initializer",
    "regularizer",
    "caching_device",
    "partitioner",
    "custom_getter",
    "dtype",
    "use_resource",
    "constraint",
)


@export("VariableScope")
class VariableScope:
    """What `tf.variable_scope` sets: a prefix for names, and defaults for new variables.

    Attributes:
      name: the prefix, without a slash at its end.
      original_name_scope: the name scope that was entered with it first.
      reuse: True (variables must exist), None or False (they must not) or AUTO_REUSE.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype,
        use_resource, constraint: defaults for new variables.
    """

    def __init__(self, reuse, name="", name_scope="", dtype=dtypes.float32, **inherited):
        self.reuse = reuse
        self.name = name
        self.original_name_scope = name_scope
        for attribute in _INHERITED:
            setattr(self, attribute, inherited.get(attribute))
        self.dtype = dtype

    def reuse_variables(self):
        """From now on variables must exist."""
        self.reuse = True

    def set_initializer(self, initializer):
        """Sets the default initializer."""
        self.initializer = initializer

    def set_regularizer(self, regularizer):
        """Sets the default regularizer."""
        self.regularizer = regularizer

    def set_dtype(self, dtype):
        """Sets the default dtype."""
        self.dtype = dtype

    def set_use_resource(self, use_resource):
        """Sets whether new variables are resource variables."""
        self.use_resource = use_resource

    def set_custom_getter(self, custom_getter):
        """Sets the function that `get_variable` goes through."""
        self.custom_getter = custom_getter

    def get_collection(self, name):
        """What a collection has of this scope."""
        return get_default_graph().get_collection(name, self.name + "/" if self.name else "")

    def global_variables(self):
        """The global variables of this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def trainable_variables(self):
        """The trainable variables of this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def local_variables(self):
        """The local variables of this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)


class _Store:
    """The named variables of one graph, and the scope that is open in it.

    Attributes:
      variables: full name -> variable.
      scope: the open scope.
      opened: name of a scope -> how often it was opened; makes default names unique.
    """

    def __init__(self):
        self.variables = {}
        self.scope = VariableScope(False)
        self.opened = {}

    def open(self, name):
        """Counts one more scope of this name."""
        self.opened[name] = self.opened.get(name, 0) + 1

    def close_within(self, name):
        """Forgets the scopes within a scope, so that their default names begin anew."""
        for other in self.opened:
            if other.startswith(name + "/"):
                self.opened[other] = 0

    def unique(self, prefix):
        """`prefix`, or with the first number that no open scope's name has."""
        name = candidate = _joined(self.scope.name, prefix)
        count = 0
        while self.opened.get(candidate, 0) > 0:
            count += 1
            candidate = f"{name}_{count}"
        return f"{prefix}_{count}" if count else prefix


_STORE = ("__variable_store",)


def _store():
    kept = get_default_graph().get_collection_ref(_STORE)
    if not kept:
        kept.append(_Store())
    return kept[0]


@contextmanager
def variables_by_name(variables):
    """A block in which `tf.get_variable` knows these variables alone, and makes no second one."""
    store = _store()
    outer, store.variables = store.variables, variables
    scope, store.scope = store.scope, VariableScope(AUTO_REUSE)
    try:
        yield
    finally:
        store.variables, store.scope = outer, scope


def _joined(prefix, name):
    return f"{prefix}/{name}" if prefix else name


@export("get_variable_scope")
def get_variable_scope():
    """The open variable scope of the default graph."""
    return _store().scope


@export("variable_scope")
class variable_scope:
    """`with tf.variable_scope(name_or_scope) as scope`: a prefix and defaults for variables.

    It opens a name scope too.

    Args:
      name_or_scope: a name, or a scope to open again.
      default_name: used, made unique, when `name_or_scope` is None.
      values: tensors that decide the graph.
      initializer, regularizer, caching_device, partitioner, custom_getter, dtype,
        use_resource, constraint: defaults for the variables within.
      reuse: True, AUTO_REUSE, or None to inherit.
      auxiliary_name_scope: whether to open a name scope.

    Raises:
      TypeError: when there is no name.
      ValueError: for another value of `reuse`, or reuse without a name.
    """

    def __init__(
        self,
        name_or_scope,
        default_name=None,
        values=None,
        initializer=None,
        regularizer=None,
        caching_device=None,
        partitioner=None,
        custom_getter=None,
        reuse=None,
        dtype=None,
        use_resource=None,
        constraint=None,
        auxiliary_name_scope=True,
    ):
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if reuse is False:
            reuse = None  # no scope can undo what it inherits
        if reuse not in (True, None, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if reuse and name_or_scope is None:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._values = values
        self._reuse = reuse
        self._auxiliary_name_scope = auxiliary_name_scope
        self._own = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": None if dtype is None else dtypes.as_dtype(dtype),
            "use_resource": use_resource,
            "constraint": constraint,
        }

    def __enter__(self):
        again = self._name_or_scope
        self._name_scope = NameScope(self._scope_name(), values=self._values)
        entered_name_scope = self._name_scope.__enter__()
        self._store = store = _store()
        self._outer, self._opened_before = store.scope, None
        if isinstance(again, VariableScope):
            source, name, name_scope = again, again.name, again.original_name_scope
            reuse = self._reuse or again.reuse
            store.open(name)
            self._opened_before = dict(store.opened)
        else:
            prefix = store.unique(self._default_name) if again is None else again
            source, name = store.scope, _joined(store.scope.name, prefix)
            name_scope = entered_name_scope if prefix else ""
            reuse = self._reuse or source.reuse
            store.open(name)
        inherited = {
            attribute: getattr(source, attribute) if own is None else own
            for attribute, own in self._own.items()
        }
        store.scope = VariableScope(reuse, name=name, name_scope=name_scope, **inherited)
        if self._own["custom_getter"] is not None and source.custom_getter is not None:
            store.scope.custom_getter = functools.partial(
                _nested_getter, self._own["custom_getter"], source.custom_getter
            )
        return store.scope

    def _scope_name(self):
        """The name scope to open; ending in a slash to stay in the current one."""
        name = self._name_or_scope
        if name is None:
            name = self._default_name
        elif isinstance(name, VariableScope):
            name = name.name.rpartition("/")[2]
        return name if self._auxiliary_name_scope and name else get_default_graph().scope

    def __exit__(self, *exception):
        store = self._store
        if self._opened_before is None:
            store.close_within(store.scope.name)
        else:
            store.opened = self._opened_before
        store.scope = self._outer
        self._name_scope.__exit__(*exception)


def _nested_getter(inner, outer, getter, *args, **kwargs):
    """The inner scope's getter, which is given the outer scope's as what gets."""
    return inner(functools.partial(outer, getter), *args, **kwargs)


# -- getting variables -------------------------------------------------------------------


@export("get_variable")
def get_variable(
    name,
    shape=None,
    dtype=None,
    initializer=None,
    regularizer=None,
    trainable=None,
    collections=None,
    caching_device=None,
    partitioner=None,
    validate_shape=True,
    use_resource=None,
    custom_getter=None,
    constraint=None,
    synchronization=None,
    aggregation=None,
):
    """The variable of this name in the open scope: a new one, or with reuse the old one.

    Args:
      name: its name within the scope.
      shape: its shape; not for an initializer that is a value.
      dtype: its element type, by default the scope's, which is float32.
      initializer: a function of a shape and a dtype, or of nothing, or a value; by default
        Glorot's for floating types and zeros for others.
      regularizer: a function of the variable whose result is a regularization loss.
      trainable, collections, caching_device, validate_shape, use_resource, constraint,
        synchronization, aggregation: as for `tf.Variable`.
      partitioner: not supported.
      custom_getter: a function that is called in place of this, with what gets as its
        first argument.

    Raises:
      ValueError: when the variable exists without reuse, does not exist with reuse, or is
        of another shape or dtype; when there is neither a shape nor an initial value.
    """
    scope = get_variable_scope()
    given = {
        "initializer": initializer,
        "regularizer": regularizer,
        "partitioner": partitioner,
        "caching_device": caching_device,
        "use_resource": use_resource,
        "constraint": constraint,
    }
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype)
    # Names of variables depend on the variable scope alone.
    with NameScope(""):
        if dtype is not None and initializer is not None and not callable(initializer):
            found = convert_to_tensor(initializer).dtype.base_dtype
            if found is not dtype:
                raise ValueError(
                    f"Initializer type '{found}' and explicit dtype '{dtype}' don't match."
                )
        settings = {
            attribute: getattr(scope, attribute) if value is None else value
            for attribute, value in given.items()
        }
        getter = custom_getter or scope.custom_getter
        if custom_getter is not None and scope.custom_getter is not None:
            getter = functools.partial(_nested_getter, custom_getter, scope.custom_getter)
        get = _get_single if getter is None else functools.partial(getter, _get_single)
        return get(
            name=_joined(scope.name, name),
            shape=shape,
            dtype=scope.dtype if dtype is None else dtype,
            reuse=scope.reuse,
            trainable=trainable,
            collections=collections,
            validate_shape=validate_shape,
            **settings,
        )


def _get_single(
    name,
    shape=None,
    dtype=dtypes.float32,
    initializer=None,
    regularizer=None,
    reuse=None,
    trainable=None,
    collections=None,
    caching_device=None,
    partitioner=None,
    validate_shape=True,
    use_resource=None,
    constraint=None,
):
    if partitioner is not None:
        raise errors.UnsupportedOpError(f"variable {name}: partitioned variables")
    from_value = initializer is not None and not callable(initializer)
    if shape is not None and from_value:
        raise ValueError("If initializer is a constant, do not specify shape.")
    dtype, dims = dtypes.as_dtype(dtype), as_dims(shape)
    variables = _store().variables
    found = variables.get(name)
    if found is not None:
        return _checked(name, found, dims, dtype, reuse)
    if reuse is True:
        raise ValueError(
            f"Variable {name} does not exist, or was not created with tf.get_variable(). "
            "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
        )
    if initializer is None:
        if shape is None:
            raise ValueError(
                f"Variable {name} did not get an initializer, so its `shape` argument must be "
                "specified."
            )
        initializer = _default_initializer(name, dtype)
    value, value_dtype = _initial_value(initializer, from_value, dims, dtype)
    variable = Variable(
        value,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        name=name,
        dtype=value_dtype,
        validate_shape=validate_shape,
        use_resource=use_resource,
        constraint=constraint,
    )
    variables[name] = variable
    # TensorFlow calls the regularizer once to see whether it gives a loss, and then again.
    if regularizer is not None and regularizer(variable) is not None:
        with NameScope(name + "/Regularizer/"):
            loss = regularizer(variable)
        get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return variable


def _checked(name, variable, dims, dtype, reuse):
    """A variable that exists, if it may be had again as what is asked for."""
    if not reuse:
        raise ValueError(
            f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
            "reuse=tf.AUTO_REUSE in VarScope?"
        )
    if not compatible(dims, variable._dims):
        raise ValueError(
            f"Trying to share variable {name}, but specified shape {TensorShape(dims)} and "
            f"found shape {variable.shape}."
        )
    if not dtype.is_compatible_with(variable.dtype):
        raise ValueError(
            f"Trying to share variable {name}, but specified dtype {dtype.name} and found "
            f"dtype {variable.dtype.name}."
        )
    return variable


def _default_initializer(name, dtype):
    if dtype.is_floating:
        return GlorotUniform()
    if dtype.is_integer or dtype.is_bool or dtype is dtypes.string:
        return Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def _initial_value(initializer, from_value, dims, dtype):
    """What `tf.Variable` is to be given: an initial value and a dtype."""
    if from_value:
        return initializer, None
    if inspect.isclass(initializer):
        initializer = initializer()
    if dims is not None and None not in dims:
        return functools.partial(initializer, list(dims), dtype=dtype), dtype.base_dtype
    if _needs_no_arguments(initializer):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and "
        "the shape should not be provided or an instance of `tf.keras.initializers.*' and "
        "`shape` should be fully defined."
    )


def _needs_no_arguments(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return all(
        p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters
    )


@export("get_local_variable")
def get_local_variable(
    name, shape=None, dtype=None, initializer=None, collections=None, **settings
):
    """`get_variable`, of a local variable that is not trainable."""
    collections = [*(collections or ()), GraphKeys.LOCAL_VARIABLES]
    settings["trainable"] = False
    return get_variable(name, shape, dtype, initializer, collections=collections, **settings)


@export("no_regularizer")
def no_regularizer(_):
    """A regularizer that gives no loss; for a scope that is not to inherit one."""
    return None
