"""What a Python function sees inside a run: a graph whose tensors have their values at once."""

import numpy as np

from numpy_tf.framework.graph import Graph, Tensor
from numpy_tf.ops.array.constant import constant_from_array


class EagerTensor(Tensor):
    """A tensor of an `EagerGraph`: it can be looked at."""

    __slots__ = ()

    def numpy(self):
        """Its value: an array, or a NumPy scalar."""
        return self.graph.values[id(self)]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numpy(), dtype=dtype)

    def __bool__(self):
        return bool(self.numpy())

    def __int__(self):
        return int(self.numpy())

    __index__ = __int__

    def __float__(self):
        return float(self.numpy())

    def __len__(self):
        return len(self.numpy())

    def __iter__(self):
        return iter([self[i] for i in range(len(self))])


class EagerGraph(Graph):
    """A graph that runs each operation when it is made.

    Attributes:
      values: id of tensor -> its value.
    """

    def __init__(self):
        from numpy_tf.session import Session

        super().__init__()
        self.values = {}
        self._session = Session(graph=self)

    def add(self, operation):
        """Takes in a new operation and runs it."""
        super().add(operation)
        operation.control_inputs = ()  # they have run
        feeds = {tensor: self.values[id(tensor)] for tensor in operation.inputs}
        results = self._session.run(list(operation.outputs) or operation, feeds)
        for tensor, value in zip(operation.outputs, results or (), strict=True):
            tensor.__class__ = EagerTensor
            self.values[id(tensor)] = value

    def tensor(self, array):
        """A tensor with a value."""
        with self.as_default():
            return constant_from_array(np.asarray(array))
