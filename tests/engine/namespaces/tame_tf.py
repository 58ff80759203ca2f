"""Just enough of TensorFlow's API for a worker: scalars, products, and their gradients."""

import contextlib

import numpy as np

__version__ = "0.0.1"


class DType:
    name = "float32"

    @property
    def base_dtype(self):
        return self


class Shape:
    ndims = 0

    def as_list(self):
        return []


class Tensor:
    dtype = DType()
    shape = Shape()

    def __init__(self, value, slopes=()):
        self.value = np.float32(value)
        self.slopes = dict(slopes) or {id(self): np.float32(1)}

    def __mul__(self, factor):
        slopes = {x: slope * factor for x, slope in self.slopes.items()}
        return Tensor(self.value * factor, slopes)


class Graph:
    def as_default(self):
        return contextlib.nullcontext(self)

    def get_operations(self):
        return []


class Session:
    def __init__(self, graph=None):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def run(self, fetches, feeds):
        return [tensor.value for tensor in fetches]


float32 = Tensor.dtype


def constant(value, dtype=float32, name=None):
    return Tensor(value)


def identity(x):
    return x


sin = cos = identity  # what a case's graph may call; the other namespace misbehaves in them


def gradients(ys, xs, **arguments):
    return [Tensor(ys[0].slopes[id(x)]) for x in xs]


def global_variables():
    return []


def disable_v2_behavior():
    pass


def enable_v2_behavior():
    pass


def misbehave(how):
    """What the other namespace does; this one does not."""
