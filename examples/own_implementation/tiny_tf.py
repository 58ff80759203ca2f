"""A tape over NumPy that wears as much of tf.compat.v1's API as small graphs need."""

import contextlib
from types import SimpleNamespace

import numpy as np

__version__ = "0.1"
float16, float32, float64, int32 = map(np.dtype, ("float16", "float32", "float64", "int32"))
TAPE = []  # the tensors of the graph, in the order in which they were made


class UnsupportedOpError(Exception):
    """A class of this name tells gradparity of a gap, which is no wrong answer."""


class Tensor:
    def __init__(self, value, *flows):
        self.value, self.flows = value, flows  # flows: each input, and its share of a gradient
        self.dtype = SimpleNamespace(name=value.dtype.name, base_dtype=value.dtype)
        self.shape = SimpleNamespace(ndims=value.ndim, as_list=lambda: list(value.shape))
        TAPE.append(self)

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return multiply(self, other)

    __radd__, __rmul__ = __add__, __mul__


def constant(value, dtype=float32, name=None):
    return Tensor(np.array(value, dtype))


Variable = constant  # the value that it begins with is the only one


def add(x, y, name=None):
    x, y = _alike(x, y)
    return Tensor(x.value + y.value, (x, lambda dz: dz), (y, lambda dz: dz))


def multiply(x, y, name=None):
    x, y = _alike(x, y)
    return Tensor(x.value * y.value, (x, lambda dz: dz * y), (y, lambda dz: dz * x))


def square(x, name=None):
    return Tensor(np.square(x.value), (x, lambda dy: dy * (2 * x)))


def stop_gradient(x, name=None):
    return Tensor(x.value)


def _alike(x, y):
    if not isinstance(y, Tensor):
        y = Tensor(np.full_like(x.value, y))
    if x.value.shape != y.value.shape:
        raise UnsupportedOpError("broadcasting")
    return x, y


def gradients(ys, xs, grad_ys=None, stop_gradients=(), **more):
    if more:
        raise UnsupportedOpError(f"tf.gradients with {', '.join(more)}")
    found = {}

    def flow(x, dx):
        found[x] = found[x] + dx if x in found else dx

    for y, weight in zip(ys, grad_ys or [None] * len(ys), strict=True):
        flow(y, Tensor(np.ones_like(y.value)) if weight is None else weight)
    for y in TAPE[::-1]:
        if y in found and y not in stop_gradients:
            for x, share in y.flows:
                flow(x, share(found[y]))
    return [found.get(x) for x in xs]


class Graph:
    def as_default(self):
        TAPE.clear()
        return contextlib.nullcontext(self)

    def get_operations(self):
        return []


class Session(contextlib.nullcontext):
    def __init__(self, graph=None):
        super().__init__(self)

    def run(self, fetches, feeds):
        return [tensor.value for tensor in fetches]


def global_variables():
    return []  # so none asks to be initialized


def disable_v2_behavior():
    pass


enable_v2_behavior = disable_v2_behavior
