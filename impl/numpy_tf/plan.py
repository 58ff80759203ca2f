"""Plan: the operations that some fetches need, compiled to a flat list of kernel calls."""

import math
import operator
import sys

import numpy as np

from numpy_tf import blocks, steps
from numpy_tf.forwarding import Memory
from numpy_tf.framework import errors
from numpy_tf.framework.dtypes import float32, float64
from numpy_tf.framework.graph import Operation
from numpy_tf.steps import DISCARD

_FOLDED_BYTES = 1 << 20  # constants of constants are kept up to this size
# Of a reference variable these give its memory: what takes their output sees later updates.
_SHARE_MEMORY = frozenset({"Identity", "StopGradient"})
# Python's operators do the same to two NumPy scalars, without making arrays of them first.
_OF_SCALARS = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.negative: operator.neg,
}


class Plan:
    """What a session runs for some fetches: steps over a flat list of values.

    A step takes values from slots of the list and puts its result into another. A slot is
    used again once its value has been taken for the last time, so that buffers live no
    longer than they must; a large buffer that an elementwise step takes for the last time
    holds its result, and a row of elementwise steps on large arrays is one step. What depends
    on constants alone is computed in the first run only.

    Args:
      leaves: the tensors and operations that are fetched.
      fed: the tensors that are fed; what they are computed from is not needed.
      state: the session's variables and random streams.
      of_function: whether `fed` are the inputs of a function's body: then what is fed for a
        tensor of reference type is the reference, not its value.
    """

    def __init__(self, leaves, fed, state, of_function=False):
        self._held = (leaves, fed)  # so that the ids of both stay theirs
        compiler = _Compiler(leaves, fed, state, of_function)
        compiler.compile()
        self._steps = compiler.steps
        self._operations = compiler.step_operations
        self._initial = compiler.initial
        self._results = compiler.results(leaves)

    def run(self, fed_values):
        """The leaves' values, in order; None for an operation.

        Raises:
          errors.OpError: what a kernel raises, with its operation.
        """
        with np.errstate(all="ignore"):
            return [None if value is None else _result(value) for value in self.compute(fed_values)]

    def compute(self, fed_values):
        """As `run`, for a function's body: the values themselves, not to be changed."""
        values = self._initial.copy()
        values[: len(fed_values)] = fed_values
        steps.run(self._steps, self._operations, values)
        return [
            None if slot is None else values[slot].read() if is_ref else values[slot]
            for slot, is_ref in self._results
        ]


class _Compiler:
    """Turns operations into steps, one after the other, giving each value its slot.

    Attributes:
      steps: see `numpy_tf.steps`.
      step_operations: for each step the operation that it computes.
      initial: the values before the first step.
    """

    def __init__(self, leaves, fed, state, of_function):
        self.initial = [None] * len(fed)
        self.steps = []
        self.step_operations = []
        self._state = state
        self._operations = _needed(leaves, fed)
        self._fed = {id(tensor) for tensor in fed}
        self._fed_by_value = set() if of_function else self._fed
        self._slots = {id(tensor): slot for slot, tensor in enumerate(fed)}
        self._last_use, self._has_references = _uses(self._operations)
        self._fetched = {id(leaf) for leaf in leaves}
        self._kept = self._fed | self._fetched
        self._constants = {}  # id of tensor -> its value, the same in every run
        self._scalars = {}  # id of a constant of shape () -> the slot that has it as a scalar
        self._live = set()  # ids of tensors whose slot holds the reference that they share
        self._has_updates = self._has_references and any(
            any(op.definition.ref_inputs(op)) for op in self._operations
        )
        self._free = []
        self._row = []  # elementwise operations not yet compiled: (position, op, kernel, inputs)
        self._memory = None

    def compile(self):
        """Appends the steps of all operations."""
        for position, op in enumerate(self._operations):
            self._add(position, op)
        self._end_row()

    def _add(self, position, op):
        """Appends the steps of one operation, or folds it into a constant."""
        definition = op.definition
        if definition.name == "Const":
            self._keep_constant(op.outputs[0], op.attrs["value"])
            return
        kernel = definition.kernel
        if definition.bind is not None:
            needed = [not self._is_discarded(tensor) for tensor in op.outputs]
            kernel = definition.bound_kernel(op, self._state, needed)
        elif kernel is None:
            raise errors.UnsupportedOpError(f"op {op.type} ({op.name}) cannot be run")
        elif definition.kernel_attrs or definition.runs_in is not None:
            kernel = definition.bound_kernel(op, self._state)
        inputs = op.inputs
        if inputs and id(inputs[0]) in self._constants and self._is_constant(op):
            if not self._fold(op, kernel):
                self._append(position, op, kernel, inputs)  # a row goes on behind it
            return
        if self._has_updates and op.type in _SHARE_MEMORY and self._share(op):
            return
        if definition.name == "AddN" and len(inputs) > 2:
            inputs = self._as_summed(op)
        if definition.elementwise and self._suits_a_row(op):
            if self._row and self._row[0][1].made.dims != op.made.dims:
                self._end_row()
            self._row.append((position, op, kernel, inputs))
            return
        self._end_row()
        self._append(position, op, kernel, inputs)

    def _append(self, position, op, kernel, inputs):
        slots, reads = self._taken(op, inputs) if self._has_references else (None, ())
        if slots is None:
            slots = [self._slots[id(tensor)] for tensor in inputs]
        last_use, kept = self._last_use, self._kept
        dying = {key for key in map(id, inputs) if last_use[key] == position and key not in kept}
        self._free.extend(reads)
        self._free.extend([self._slots[key] for key in dying])
        outputs = [self._output(tensor) for tensor in op.outputs]
        if kernel.__class__ is np.ufunc:
            dims = op.made.dims
            if dims == ():
                if kernel in _OF_SCALARS and op.made.dtype in (float32, float64):
                    kernel = _OF_SCALARS[kernel]
                    slots = list(map(self._scalar_slot, inputs, slots))
            elif dying and outputs[0] is not DISCARD:
                kernel = _in_place(op, kernel, dying)
        self._append_step(op, kernel, slots, outputs)

    def _append_step(self, op, kernel, inputs, outputs):
        self.steps.append(steps.step(kernel, inputs, outputs))
        self.step_operations.append(op)

    def results(self, leaves):
        """For each leaf its slot, and whether that holds a reference to be read."""
        return [
            (None, False)
            if isinstance(leaf, Operation)
            else (self._slots[id(leaf)], self._is_reference(leaf))
            for leaf in leaves
        ]

    # -- rows of elementwise operations --------------------------------------------------

    def _suits_a_row(self, op):
        """Whether an operation can be computed by blocks together with others of its shape."""
        return (
            blocks.suits(op)
            and not self._is_discarded(op.made)
            and not any(map(self._is_reference, op.inputs))
        )

    def _end_row(self):
        """Appends what was held back for a row: as one step, when it is of several operations."""
        row = self._row
        if not row:
            return
        self._row = []
        if len(row) == 1:
            for call in row:
                self._append(*call)
            return
        end = row[-1][0]
        kernel = blocks.Row(
            [call[1:] for call in row],
            lambda t: id(t) in self._kept or self._last_use[id(t)] > end,
        )
        taken = [id(tensor) for tensor in kernel.inputs]
        slots = [self._slots[key] for key in taken]
        self._free.extend(
            self._slots[key]
            for key in taken
            if self._last_use[key] <= end and key not in self._kept
        )
        outputs = [self._output(tensor) for tensor in kernel.outputs]
        self._append_step(row[0][1], kernel, slots, outputs)

    # -- sums ----------------------------------------------------------------------------

    def _as_summed(self, op):
        """The inputs of an AddN in the order in which TensorFlow sums them."""
        if self._memory is None:
            self._memory = Memory(self._operations, self._fed, self._fetched)
        place = self._memory.place_summed_into(op)
        inputs = list(op.inputs)
        inputs[0], inputs[place] = inputs[place], inputs[0]
        return inputs

    # -- constants -----------------------------------------------------------------------

    def _keep_constant(self, tensor, value):
        key = id(tensor)
        self._kept.add(key)
        if key in self._fed:
            return
        # Loaded before the first step, so its slot serves nothing else.
        self._slots[key] = len(self.initial)
        self.initial.append(value)
        self._constants[key] = value

    def _scalar_slot(self, tensor, slot):
        """The slot of an operand of scalars: that of a constant with its value as a scalar."""
        key = id(tensor)
        if key not in self._constants:
            return slot
        if key not in self._scalars:
            self._scalars[key] = len(self.initial)
            self.initial.append(self._constants[key][()])
        return self._scalars[key]

    def _is_constant(self, op):
        """Whether an operation is sure to give the same each time."""
        return (
            op.definition.depends_on_inputs_alone
            and not op.control_inputs
            and all(id(tensor) in self._constants for tensor in op.inputs)
            and not any(id(tensor) in self._fed for tensor in op.outputs)
        )

    def _fold(self, op, kernel):
        """Computes an operation of constants now, unless it fails or is large."""
        try:
            with np.errstate(all="ignore"):
                value = kernel(*[self._constants[id(tensor)] for tensor in op.inputs])
        except Exception:  # it is the run's to raise
            return False
        values = value if len(op.outputs) > 1 else (value,)
        if not all(isinstance(v, (np.ndarray, np.generic)) for v in values):
            return False
        if sum(v.nbytes for v in values) > _FOLDED_BYTES:
            return False
        for tensor, value in zip(op.outputs, values, strict=True):
            if isinstance(value, np.ndarray) and value.flags.writeable:
                value = value.view()
                value.flags.writeable = False
            self._keep_constant(tensor, value)
        return True

    # -- references ----------------------------------------------------------------------

    def _share(self, op):
        """Lets the output of an operation stand for the reference that it is a read of."""
        source, output = op.inputs[0], op.outputs[0]
        if not self._is_reference(source) or self._is_discarded(output):
            return False
        self._slots[id(output)] = self._slots[id(source)]
        self._live.add(id(output))
        self._kept |= {id(source), id(output)}
        return True

    def _is_reference(self, tensor):
        """Whether its slot holds a reference, to be read by what takes a value."""
        is_ref = tensor.dtype.is_ref and id(tensor) not in self._fed_by_value
        return is_ref or id(tensor) in self._live

    def _taken(self, op, inputs):
        """The slots of the inputs, and those of them that hold references read for this."""
        slots, reads = [], []
        for tensor, takes_ref in zip(inputs, op.definition.ref_inputs(op), strict=True):
            slot = self._slots[id(tensor)]
            fed = id(tensor) in self._fed_by_value
            if takes_ref and fed:
                raise errors.invalid_argument(
                    f"Input {len(slots)} of node {op.name} was passed "
                    f"{tensor.dtype.base_dtype.name}, which was fed for {tensor.name}, "
                    f"incompatible with expected {tensor.dtype.name}.",
                )
            if self._is_reference(tensor) and not takes_ref:
                read = self._new_slot()
                self._append_step(op, _read_reference, [slot], [read])
                reads.append(read)
                slot = read
            slots.append(slot)
        return slots, reads

    # -- slots ---------------------------------------------------------------------------

    def _new_slot(self):
        if self._free:
            return self._free.pop()
        self.initial.append(None)
        return len(self.initial) - 1

    def _output(self, tensor):
        if self._is_discarded(tensor):
            return DISCARD
        slot = self._slots[id(tensor)] = self._new_slot()
        return slot

    def _is_discarded(self, tensor):
        """Whether the fed value stands instead, or nobody takes it."""
        key = id(tensor)
        return key in self._fed or (key not in self._last_use and key not in self._kept)


def _read_reference(cell):
    return cell.read()


# -- results in place of what is not needed any more --------------------------------------

_LARGE = 1 << 14  # elements from which a new buffer costs more than looking for an old one


def _in_place(op, ufunc, dying):
    """An elementwise kernel that writes over an input taken for the last time, if it is large."""
    dtype = op.outputs[0].dtype
    for which, tensor in enumerate(op.inputs):
        dims = tensor.dims
        small = dims is not None and None not in dims and math.prod(dims) < _LARGE
        if id(tensor) in dying and tensor.dtype is dtype and not small:
            return _over_one(ufunc) if len(op.inputs) == 1 else _over_either(ufunc, which)
    return ufunc


def _owned(array):
    """Whether nothing else looks into an array's buffer: it is no view, nor a constant."""
    return array.base is None and array.flags.writeable


def _over_one(ufunc):
    def kernel(x):
        if x.size >= _LARGE and sys.getrefcount(x) == _ALONE and _owned(x):
            return ufunc(x, out=x)
        return ufunc(x)

    return kernel


def _over_either(ufunc, which):
    def kernel(x, y):
        over, other = (y, x) if which else (x, y)
        if (
            over.size >= _LARGE
            and (other.shape == over.shape or not other.shape)
            # One reference more than above: `over` itself.
            and sys.getrefcount(over) == _ALONE + 1
            and _owned(over)
        ):
            return ufunc(x, y, out=over)
        return ufunc(x, y)

    return kernel


def _references_to_a_lone_value():
    """How many references a kernel sees to a value that only its slot holds.

    A view, another slot or a caller would add to them: then the buffer is not free. The
    number is the interpreter's business, so it is asked.
    """
    values = [np.empty(1)]

    def kernel(x):
        return sys.getrefcount(x)

    return kernel(values[0])


_ALONE = _references_to_a_lone_value()


# -- what is needed ----------------------------------------------------------------------


def _needed(leaves, fed):
    """The operations that the leaves need, in the order of the graph."""
    fed_ids = {id(tensor) for tensor in fed}
    needed, pending = set(), []
    for leaf in leaves:
        if isinstance(leaf, Operation):
            pending.append(leaf)
        elif id(leaf) not in fed_ids:
            pending.append(leaf.op)
    while pending:
        op = pending.pop()
        if op in needed:
            continue
        needed.add(op)
        for tensor in op.inputs:
            if id(tensor) not in fed_ids and tensor.op not in needed:
                pending.append(tensor.op)
        pending.extend(op.control_inputs)
    return sorted(needed, key=_index)


def _index(op):
    return op.index


def _uses(operations):
    """The id of a tensor -> the position of the last that takes it; whether any is a reference."""
    last, has_references = {}, False
    for position, op in enumerate(operations):
        for tensor in op.inputs:
            last[id(tensor)] = position
            if tensor.dtype.is_ref:
                has_references = True
    return last, has_references


# -- results -----------------------------------------------------------------------------


def _result(value):
    """A fetched value, safe to hand out: the caller may change it."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return value[()]
        if not value.flags.writeable or value.base is not None:
            return value.copy()
    return value
