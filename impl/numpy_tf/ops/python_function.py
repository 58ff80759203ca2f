"""Python functions as operations: py_func, numpy_function and py_function."""

import itertools
import traceback

import numpy as np

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.graph import get_default_graph
from numpy_tf.framework.op_def import NOT_DIFFERENTIABLE, REQUIRED, op

_numbers = itertools.count()

# Which of Python's errors is which of a run's.
_CLASSES = (
    ((TypeError, ValueError), "InvalidArgumentError"),
    ((StopIteration,), "OutOfRangeError"),
    ((MemoryError,), "ResourceExhaustedError"),
    ((NotImplementedError,), "UnimplementedError"),
    ((Exception,), "UnknownError"),
)


def _called(op, inputs):
    """What the operation's function returns, checked against its outputs.

    Raises:
      errors.OpError: in place of what the function raises; when results do not fit.
    """
    token, wanted = op.attrs["token"], op.attrs["Tout"]
    try:
        results = op.attrs["_function"](*inputs)
    except errors.OpError:
        raise
    except Exception as error:
        name = next(name for kinds, name in _CLASSES if isinstance(error, kinds))
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        message = f"{type(error).__name__}: {error}\n{text}"
        raise getattr(errors, name)(None, op, message) from error
    if len(results) != len(wanted):
        raise errors.InvalidArgumentError(
            None,
            op,
            f"{token} returns {len(results)} values, but expects to see {len(wanted)} values.",
        )
    for i, (result, dtype) in enumerate(zip(results, wanted, strict=True)):
        found = dtypes.as_dtype(result.dtype)
        if found is not dtype:
            raise errors.InvalidArgumentError(
                None,
                op,
                f"{i}-th value returned by {token} is {_name(found)}, but expects {_name(dtype)}",
            )
    return results[0] if len(results) == 1 else tuple(results)


def _name(dtype):
    """The dtype's name in the runtime."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


def _unknown_shapes(op):
    return [None] * len(op.attrs["Tout"])


@op("input: [Tin] -> output: [Tout]", token=REQUIRED, Tout=REQUIRED)
class PyFunc:
    """What a function of arrays returns."""

    stateful = True
    shape = _unknown_shapes

    def kernel(*input, op):
        return _called(op, input)

    gradient = NOT_DIFFERENTIABLE


@op("input: [Tin] -> output: [Tout]", token=REQUIRED, Tout=REQUIRED)
class PyFuncStateless:
    """What a function of arrays returns that depends on nothing else."""

    stateful = True
    shape = _unknown_shapes

    def kernel(*input, op):
        return _called(op, input)

    gradient = NOT_DIFFERENTIABLE


@op("input: [Tin] -> output: [Tout]", token=REQUIRED, Tout=REQUIRED, is_async=False)
class EagerPyFunc:
    """What a function of tensors returns, which is differentiated as it was run."""

    stateful = True
    shape = _unknown_shapes

    def kernel(*input, op):
        return _called(op, input)

    def gradient(op, *grads):
        function = op.attrs["_function"]
        with get_default_graph().control_dependencies(list(op.outputs)):
            tout = [tensor.dtype.base_dtype for tensor in op.inputs]
            return _operation(EagerPyFunc, _Differentiated(function), grads, tout, None)


def _operation(definition, function, inputs, tout, name):
    """The outputs of an operation that calls `function`, or the operation if it has none."""
    tout = [dtypes.as_dtype(dtype) for dtype in tout]
    token = f"pyfunc_{next(_numbers)}"
    inputs = [convert_to_tensor(item) for item in inputs]
    graph = get_default_graph()
    with graph.extra_attrs({"_function": function}):
        outputs = definition(inputs, token=token, Tout=tout, name=name)
    return outputs or graph.operations[-1]


# -- functions of arrays -----------------------------------------------------------------


@export("py_func")
def py_func(func, inp, Tout, stateful=True, name=None):
    """What a Python function of arrays returns; no gradient goes through it.

    Args:
      func: a function of as many arrays as there are inputs that returns as many as `Tout`
        says (one alone, or a list).
      inp: tensors.
      Tout: the dtypes of what it returns, a list, or one dtype for one value.
      stateful: whether it may return something else for the same arrays.
      name: the operation's name.

    Returns:
      A list of tensors, or one; the operation when there is nothing to return.
    """
    definition = PyFunc if stateful else PyFuncStateless

    def function(*inputs):
        results = func(*[array[()] for array in map(np.asarray, inputs)])
        if results is None:
            return []
        results = results if isinstance(results, (list, tuple)) else [results]
        return [_array(result) for result in results]

    return _as_asked(definition, function, inp, Tout, name)


@export("numpy_function")
def numpy_function(func=None, inp=None, Tout=None, stateful=True, name=None):
    """The same as `py_func`."""
    return py_func(func, inp, Tout, stateful, name)


def _array(value):
    array = np.asarray(value, order="C")
    return array.astype(object) if array.dtype.kind in "SU" else array


def _as_asked(definition, function, inp, tout, name):
    if isinstance(tout, (list, tuple)):
        return _operation(definition, function, inp, tout, name)
    return _operation(definition, function, inp, [tout], name)[0]


# -- functions of tensors ----------------------------------------------------------------


@export("py_function")
def py_function(func=None, inp=None, Tout=None, name=None):
    """What a Python function of tensors returns that have their values; it differentiates.

    Args:
      func: a function of tensors whose `numpy()` is their value; it is called in each run.
      inp: tensors.
      Tout: the dtypes of what it returns, a list, or one dtype for one value.
      name: the operation's name.

    Returns:
      A list of tensors, or one; the operation when there is nothing to return.
    """
    tout = Tout if isinstance(Tout, (list, tuple)) else [Tout]
    recorded = _Recorded(func, [dtypes.as_dtype(dtype) for dtype in tout])
    return _as_asked(EagerPyFunc, recorded, inp, Tout, name)


class _Recorded:
    """A function of arrays that calls one of tensors, and keeps what it did.

    Attributes:
      last: the graph, inputs and outputs of the last call, until they are differentiated.
    """

    def __init__(self, function, tout):
        self._function = function
        self._tout = tout
        self.last = []

    def __call__(self, *arrays):
        from numpy_tf.extension.eager import EagerGraph

        graph = EagerGraph()
        inputs = [graph.tensor(array) for array in arrays]
        with graph.as_default():
            results = self._function(*inputs)
            if results is None:
                results = []
            results = results if isinstance(results, (list, tuple)) else [results]
            outputs = [
                convert_to_tensor(result, dtype)
                for result, dtype in zip(results, self._tout, strict=True)
            ]
        self.last = [(graph, inputs, outputs)]
        return [np.asarray(tensor.numpy()) for tensor in outputs]


class _Differentiated:
    """The function of output gradients that differentiates the last call of another."""

    def __init__(self, recorded):
        self._recorded = recorded
        self.last = []

    def __call__(self, *grads):
        from numpy_tf.backprop import gradients

        graph, inputs, outputs = self._recorded.last.pop()
        with graph.as_default():
            found = gradients(outputs, inputs, [graph.tensor(grad) for grad in grads])
        return [
            _zero(tensor.dtype) if grad is None else np.asarray(grad.numpy())
            for grad, tensor in zip(found, inputs, strict=True)
        ]


def _zero(dtype):
    """What TensorFlow has for an input that the function does not depend on: a scalar 0.0.

    That it is one of an integer's dtype, too, is an error there.
    """
    if not (dtype.is_floating or dtype.is_complex):
        raise TypeError(f"Cannot convert 0.0 to EagerTensor of dtype {dtype.name}")
    return np.zeros((), dtype.as_numpy_dtype)
