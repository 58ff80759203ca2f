"""The graph, and gradients in it: autograd differentiates functions, TensorFlow graphs.

A graph is recorded as nodes that compute their value from those of their inputs. What
`gradients` returns are such nodes: to compute one, autograd traces the graph below it and walks
the trace back. Every derivative, of any order, is autograd's own; this module says where a
gradient enters the graph and where it is held up, and nothing of how it flows.
"""

import contextlib
import itertools
import warnings

import numpy as np
from autograd.builtins import tuple as traced_tuple
from autograd.core import VJPNode, backward_pass
from autograd.extend import defvjp, primitive
from autograd.tracer import isbox, trace

warnings.filterwarnings("ignore", "Output seems independent of input", UserWarning)


class UnsupportedOpError(AttributeError):
    """Neither autograd nor this adapter has such a thing: a gap, which is no wrong answer."""


class DType:
    """A dtype: NumPy and TensorFlow call it by the same name."""

    def __init__(self, name):
        self.name, self.base_dtype = name, self


DTYPES = {
    name: DType(name)
    for name in (
        *("float16", "float32", "float64", "complex64", "complex128"),
        *("int32", "int64", "bool"),
    )
}
DEFAULTS = {"float64": "float32", "int64": "int32"}
"""NumPy's dtype of Python numbers -> TensorFlow's."""


class Shape(tuple):
    """A static shape, of which everything is known."""

    ndims = property(len)

    def as_list(self):
        return list(self)


class Tensor:
    """A node: a function of the values of its inputs.

    autograd knows neither dtype nor shape before there is a value. So each node is computed
    once as it is made, with samples in the place of what will be fed.
    """

    _numbers = itertools.count()

    def __init__(self, function, inputs=(), sample=None):
        self.function, self.inputs = function, tuple(inputs)
        self.number = next(Tensor._numbers)  # no input has a larger one
        if sample is None:
            sample = self.compute({x: x.sample for x in self.inputs}, SAMPLES, ())
        self.sample = sample
        self.dtype = DType(np.asarray(sample).dtype.name)
        self.shape = Shape(np.shape(sample))

    def compute(self, values, feeds, calls):
        """Its value, from those of its inputs; see `evaluate`."""
        return self.function(*(values[x] for x in self.inputs))

    def __getattr__(self, name):
        raise UnsupportedOpError(f"a tensor's {name}")


SAMPLES = {}  # placeholder -> a value of its dtype and shape


def evaluate(tensors, feeds, calls=()):
    """The values of tensors.

    Args:
      tensors: nodes of the graph.
      feeds: node -> its value, in place of what it would compute.
      calls: of `tf.gradients` that are under way: for each the x, the zero by which autograd
        follows it, and the tensors beyond which nothing flows.
    """
    values = {}
    for tensor in _in_order(tensors):
        value = feeds[tensor] if tensor in feeds else tensor.compute(values, feeds, calls)
        for x, zero, stops in calls:
            if tensor in stops and isbox(value) and value._trace == zero._trace:
                value = value._value  # forgotten by this call alone: others follow it
            if tensor is x:
                value = entered(value, zero)
        values[tensor] = value
    return [values[tensor] for tensor in tensors]


def _in_order(tensors):
    """The tensors and all that they are computed from, inputs first."""
    found, left = set(), list(tensors)
    while left:
        tensor = left.pop()
        if tensor not in found:
            found.add(tensor)
            left += tensor.inputs
    return sorted(found, key=lambda tensor: tensor.number)


@primitive
def entered(value, zero):
    """`value`, which autograd takes for a function of `zero` as well: the gradient of a sum."""
    return value


defvjp(entered, lambda ans, value, zero: lambda g: g, lambda ans, value, zero: lambda g: g)


class Gradient(Tensor):
    """The gradient of a weighted sum of ys by one x; its sample is None when there is none."""

    def __init__(self, ys, weights, x, stops):
        self.ys, self.weights, self.x, self.stops = ys, weights, x, stops
        super().__init__(None, [*ys, *weights, x])

    def compute(self, values, feeds, calls):
        """The gradient, by autograd; None when the ys do not depend on x for autograd."""

        def traced(zero):
            call = self.x, zero, self.stops
            return traced_tuple(evaluate(self.ys, feeds, (*calls, call)))

        _, end = trace(VJPNode.new_root(), traced, np.zeros_like(self.x.sample))
        return end and backward_pass(tuple(values[weight] for weight in self.weights), end)


def gradients(
    ys, xs, grad_ys=None, name=None, stop_gradients=(), unconnected_gradients="none", **more
):
    """As `tf.gradients`."""
    refuse("tf.gradients", more)
    ys, stops = _listed(ys), set(_listed(stop_gradients))
    weights = [None] * len(ys) if grad_ys is None else _listed(grad_ys)
    if len(weights) != len(ys):
        raise ValueError(f"{len(weights)} grad_ys for {len(ys)} ys")
    weights = [
        constant(np.ones_like(y.sample)) if weight is None else convert_to_tensor(weight)
        for y, weight in zip(ys, weights, strict=True)
    ]
    found = []
    for x in _listed(xs):
        gradient = Gradient(ys, weights, x, stops)
        if gradient.sample is not None:
            found.append(gradient)
        elif unconnected_gradients == "zero":
            found.append(constant(np.zeros_like(x.sample)))
        else:
            found.append(None)
    return found


def _listed(given):
    return list(given) if isinstance(given, (list, tuple)) else [given]


def refuse(what, arguments):
    """Raises UnsupportedOpError if there are any arguments."""
    if arguments:
        raise UnsupportedOpError(f"{what} with {', '.join(arguments)}")


def constant(value, dtype=None, name=None, **more):
    """As `tf.constant`."""
    refuse("tf.constant", more)
    array = np.array(value, None if dtype is None else numpy_dtype(dtype))
    if array.dtype.kind not in "fciub":
        raise UnsupportedOpError(f"tf.constant of {type(value).__name__}")
    if dtype is None and not isinstance(value, (np.ndarray, np.generic)):
        array = array.astype(DEFAULTS.get(array.dtype.name, array.dtype))
    return Tensor(lambda: array)


def Variable(initial_value, dtype=None, name=None, trainable=True, **more):
    """As `tf.Variable`, of which the initial value is the only one."""
    refuse("tf.Variable", more)
    return constant(initial_value, dtype)


def placeholder(dtype, shape=None, name=None):
    """As `tf.placeholder`."""
    if shape is None or None in shape:
        raise UnsupportedOpError("a shape of which not all is known before the run")
    tensor = Tensor(None, sample=np.ones(shape, numpy_dtype(dtype)))
    SAMPLES[tensor] = tensor.sample
    return tensor


def convert_to_tensor(value, dtype=None, name=None):
    """As `tf.convert_to_tensor`."""
    return value if isinstance(value, Tensor) else constant(value, dtype)


def numpy_dtype(dtype):
    """NumPy's dtype for one of TensorFlow's."""
    if getattr(dtype, "name", None) not in DTYPES:
        raise UnsupportedOpError(f"dtype {dtype}")
    return np.dtype(dtype.name)


class Graph:
    """As `tf.Graph`: there is one at a time."""

    def as_default(self):
        SAMPLES.clear()
        return contextlib.nullcontext(self)

    def get_operations(self):
        return []


class Session(contextlib.nullcontext):
    """As `tf.Session`."""

    def __init__(self, graph=None):
        super().__init__(self)

    def run(self, fetches, feeds):
        given = {x: np.asarray(value, numpy_dtype(x.dtype)) for x, value in feeds.items()}
        return evaluate(fetches, given)


def global_variables():
    """As `tf.global_variables`: there is none that asks to be initialized."""
    return []


def disable_v2_behavior():
    """Does nothing: both profiles are the same here."""


enable_v2_behavior = disable_v2_behavior
