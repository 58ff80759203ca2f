"""Blocks: a row of elementwise operations on large arrays, computed piece by piece.

An array that does not fit the processor's cache is read from memory and written back by every
operation. A row of operations of which each element depends on the same element of the others
is computed block by block instead, so that what lies between them never leaves the cache; each
kernel sees the same elements, so the bits are the same.
"""

import math

import numpy as np

from numpy_tf.framework.dtypes import bool_, float32, float64
from numpy_tf.steps import run, step

_BLOCK_BYTES = 1 << 16  # some ten such blocks are in use at a time and fit the second cache
_LEAST_ELEMENTS = 1 << 15  # below, the whole arrays fit it
_DTYPES = frozenset({bool_, float32, float64})


def suits(op):
    """Whether an elementwise operation may be large and has inputs of its own shape, or scalars."""
    dims = op.made.dims
    if dims is None or (None not in dims and math.prod(dims) < _LEAST_ELEMENTS):
        return False
    tensors = (op.made, *op.inputs)
    return (
        all(t.dtype in _DTYPES and (t.dims == dims or t.dims == ()) for t in tensors)
        and sum(t.dims == dims for t in tensors) > 1
    )


class Row:
    """The kernel that computes a row of operations.

    Args:
      calls: an operation, its kernel and the tensors that this takes; for each, in order.
      is_needed: tells of a tensor that the row computes whether it is needed outside.

    Attributes:
      inputs: the tensors that it takes.
      outputs: those that it gives, in order.
    """

    def __init__(self, calls, is_needed):
        made = {id(op.made) for op, _, _ in calls}
        taken = {id(t): t for _, _, inputs in calls for t in inputs if id(t) not in made}
        self.inputs = list(taken.values())
        self.outputs = [op.made for op, _, _ in calls if is_needed(op.made)]
        self._operations = [op for op, _, _ in calls]
        self._whole = [i for i, t in enumerate(self.inputs) if t.dims != ()]
        self._dtypes = [np.dtype(t.dtype.as_numpy_dtype) for t in self.outputs]
        last_use = {id(t): i for i, (_, _, inputs) in enumerate(calls) for t in inputs}
        kept = {*taken, *map(id, self.outputs)}
        slots = {key: slot for slot, key in enumerate(taken)}
        free, self._steps = [], []
        self._width = len(slots)
        for i, (op, kernel, inputs) in enumerate(calls):
            taken_slots = [slots[id(t)] for t in inputs]
            free += {slots[id(t)] for t in inputs if last_use[id(t)] == i and id(t) not in kept}
            if free:
                slots[id(op.made)] = free.pop()
            else:
                slots[id(op.made)] = self._width
                self._width += 1
            self._steps.append(step(kernel, taken_slots, [slots[id(op.made)]]))
        self._result_slots = [slots[id(t)] for t in self.outputs]

    def __call__(self, *inputs):
        """The outputs for these inputs: an array for one, else a list."""
        shape = inputs[self._whole[0]].shape
        if math.prod(shape) < _LEAST_ELEMENTS or not self._agree(inputs, shape):
            values = self._computed(inputs)
            results = [values[slot] for slot in self._result_slots]
        else:
            results = self._by_blocks(inputs, shape)
        return results if len(results) != 1 else results[0]

    def _agree(self, inputs, shape):
        """Whether the inputs are as the static shapes promise, and lie in one piece."""
        whole = set(self._whole)
        for i, value in enumerate(inputs):
            if i in whole:
                if value.shape != shape or not value.flags.c_contiguous:
                    return False
            elif value.shape:
                return False
        return True

    def _computed(self, inputs):
        values = [*inputs, *[None] * (self._width - len(inputs))]
        run(self._steps, self._operations, values)
        return values

    def _by_blocks(self, inputs, shape):
        values = list(inputs)
        flat = [(i, inputs[i].reshape(-1)) for i in self._whole]
        results = [np.empty(shape, dtype) for dtype in self._dtypes]
        parts = [
            (result.reshape(-1), slot)
            for result, slot in zip(results, self._result_slots, strict=True)
        ]
        length = _BLOCK_BYTES // max(array.itemsize for array in results)
        for start in range(0, flat[0][1].size, length):
            block = slice(start, start + length)
            for i, array in flat:
                values[i] = array[block]
            computed = self._computed(values)
            for result, slot in parts:
                result[block] = computed[slot]
        return results
