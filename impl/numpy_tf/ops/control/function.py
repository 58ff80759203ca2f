"""tf.function: a Python function as one operation of the graph."""

import functools
import inspect

import numpy as np

from numpy_tf.backprop import zeros_for
from numpy_tf.framework import dtypes
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import (
    FuncGraph,
    build,
    components,
    is_tensor_array,
    with_components,
)
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices, densify
from numpy_tf.framework.nest import flatten, map_structure, pack_sequence_as
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import TensorShape, as_dims
from numpy_tf.ops.control.bodies import derivatives_of
from numpy_tf.plan import Plan
from numpy_tf.variable_store import variables_by_name


def _output_dims(op):
    return [tensor.dims for tensor in op.attrs["f"].outputs]


def _takes_references(op):
    return tuple(placeholder.dtype.is_ref for placeholder in op.attrs["f"].inputs)


def _bind(op, state, needed):
    graph = op.attrs["f"]
    wanted = [tensor for tensor, used in zip(graph.outputs, needed, strict=True) if used]
    plan = Plan([*wanted, *graph.control_outputs], graph.inputs, state, of_function=True)
    single = len(needed) == 1

    def kernel(*inputs):
        results = iter(plan.compute(inputs))
        outputs = [next(results) if used else None for used in needed]
        return outputs[0] if single else outputs

    return kernel


def _gradient(op, *grads):
    (derivative,) = derivatives_of(op, grads)
    return _call(derivative, [])


def _symbolic_gradient(op, *grads):
    """The gradient of a call that `stop_gradients` names: it is not stopped, but never None.

    TensorFlow 2.21 falls back to its older SymbolicGradient there (seen in `gradients_util`).
    """
    grads = [
        zeros_for(output) if grad is None else grad
        for output, grad in zip(op.outputs, grads, strict=True)
    ]
    return [
        zeros_for(x) if grad is None else densify(grad)
        for x, grad in zip(op.inputs, _gradient(op, *grads), strict=True)
    ]


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
    operation = made[0].op if isinstance(made, list) and made else None
    if operation is not None:
        operation.attrs = {**operation.attrs, "_gradient_when_stopped": _symbolic_gradient}
    return with_components(graph.structured_outputs, made if isinstance(made, list) else [])


class _Function:
    """A Python function whose calls are operations; see `function`."""

    def __init__(self, func, input_signature):
        functools.update_wrapper(self, func)
        self._func = func
        self._signature = input_signature

    def __call__(self, *args, **kwargs):
        with NameScope(None):
            args, kwargs = self._bound(args, kwargs)
            given = [list(args), kwargs]
            leaves = flatten(given)
            arguments = [t for leaf in leaves for t in _tensors_of(leaf)]
            graph = self._traced(given, arguments, variables_exist=False)
            if graph.creates_variables:
                graph = self._traced(given, arguments, variables_exist=True)
            return _call(graph, arguments)

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    def get_concrete_function(self, *specs):
        """The function of tensors of these `TensorSpec`s."""
        return _Function(self._func, list(specs) or self._signature)

    def _bound(self, args, kwargs):
        """The arguments in order, what is an array as a tensor; as the signature has them."""
        if self._signature is None:
            args, kwargs = map_structure(_as_argument, [list(args), kwargs])
            return args, kwargs
        try:
            bound = inspect.signature(self._func).bind(*args, **kwargs)
            given = [list(bound.args), bound.kwargs]
            specs, leaves = flatten(self._signature), flatten(given)
            if len(leaves) != len(specs):
                raise TypeError(f"{len(leaves)} arguments for {len(specs)} of the signature")
            tensors = [_cast(leaf, spec) for leaf, spec in zip(leaves, specs, strict=True)]
        except TypeError as error:
            raise TypeError(f"Binding inputs to tf.function failed due to `{error}`.") from None
        return pack_sequence_as(given, tensors)

    def _traced(self, given, arguments, variables_exist):
        graph = FuncGraph(getattr(self._func, "__name__", "function"), get_default_graph())
        graph.is_called = True
        graph.variables_exist = variables_exist
        inputs = iter([graph.add_input(t.dtype.base_dtype, t.dims) for t in arguments])
        leaves = [
            with_components(leaf, inputs) if _tensors_of(leaf) else leaf for leaf in flatten(given)
        ]
        args, kwargs = pack_sequence_as(given, leaves)
        build(graph, lambda: self._func(*args, **kwargs))
        return graph


class _WrappedFunction(_Function):
    """See `wrap_function`."""

    def __init__(self, func, input_signature):
        self._variables = {}
        super().__init__(self._with_own_variables, input_signature)
        self._wrapped = func
        graph = FuncGraph("wrapped", get_default_graph())
        graph.is_called = True
        inputs = [graph.add_input(s.dtype, as_dims(s.shape)) for s in flatten(input_signature)]
        build(graph, self._func, pack_sequence_as(input_signature, inputs))

    def _with_own_variables(self, *args):
        with variables_by_name(self._variables):
            return self._wrapped(*args)

    @property
    def variables(self):
        """The variables that it got by name."""
        return tuple(self._variables.values())


def _as_argument(leaf):
    """An argument as the function sees it: arrays and references as tensors, else as it is."""
    if isinstance(leaf, (np.ndarray, np.generic)) or hasattr(leaf, "_snapshot"):
        return convert_to_tensor(leaf)
    return leaf


def _tensors_of(leaf):
    """The tensors that an argument is passed as: none of a Python value or a variable."""
    if isinstance(leaf, (Tensor, IndexedSlices, CompositeTensor)) or is_tensor_array(leaf):
        return components(leaf)
    return []


def _cast(value, spec):
    tensor = convert_to_tensor(value, dtype=None if isinstance(value, Tensor) else spec.dtype)
    if tensor.dtype.base_dtype is not spec.dtype or not spec.shape.is_compatible_with(tensor.shape):
        found = TensorSpec(tensor.shape, tensor.dtype.base_dtype)
        raise TypeError(f"Can not cast {found!r} to {spec!r}")
    return tensor


@export("TensorSpec")
class TensorSpec:
    """What a tensor is known to be.

    Args:
      shape: its static shape.
      dtype: its element type.
      name: a name, or None.
    """

    __slots__ = ("dtype", "name", "shape")

    def __init__(self, shape, dtype=dtypes.float32, name=None):
        self.shape = TensorShape(shape)
        self.dtype = dtypes.as_dtype(dtype)
        self.name = name

    def __repr__(self):
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


@export("function")
def function(func=None, input_signature=None, **options):
    """A function of tensors whose calls are single operations.

    It is traced for each call, and branches and loops in it are those of TensorFlow 2. Python
    values among the arguments, and variables, the function sees as they are.

    Args:
      func: takes and returns nests of tensors; without it, a decorator is returned.
      input_signature: a nest of `TensorSpec`s for its arguments.
      **options: for TensorFlow's signature.

    Raises (when called):
      TypeError: for arguments that do not fit `input_signature`.
      ValueError: when each trace makes variables of its own.
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature, **options)
    return _Function(func, input_signature)


@export("wrap_function")
def wrap_function(fn, signature, name=None):
    """A TensorFlow 1 function whose calls are single operations.

    The variables that it gets by name are its own, and made once.

    Args:
      fn: takes and returns nests of tensors.
      signature: a list of `TensorSpec`s for its arguments.
      name: for TensorFlow's signature.
    """
    return _WrappedFunction(fn, list(signature))
