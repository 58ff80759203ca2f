"""Plan: the operations that some fetches need, compiled to a flat list of kernel calls."""

import sys

import numpy as np

from numpy_tf.framework import errors
from numpy_tf.framework.graph import Operation

_DISCARD = -1  # the slot of an output that is not kept
_FOLDED_BYTES = 1 << 20  # constants of constants are kept up to this size
# Of a reference variable these give its memory: what takes their output sees later updates.
_SHARE_MEMORY = frozenset({"Identity", "StopGradient"})


class Plan:
    """What a session runs for some fetches: steps over a flat list of values.

    A step takes values from slots of the list and puts its result into another. A slot is
    used again once its value has been taken for the last time, so that buffers live no
    longer than they must; a large buffer that an elementwise step takes for the last time
    holds its result. What depends on constants alone is computed in the first run only.

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
        for position, op in enumerate(compiler.operations):
            compiler.add(position, op)
        self._steps = compiler.steps
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
        op = None
        try:
            for op, kernel, a, b, rest, out in self._steps:  # noqa: B007 (errors name it)
                if rest is None:
                    if b is not None:
                        values[out] = kernel(values[a], values[b])
                    elif a is not None:
                        values[out] = kernel(values[a])
                    else:
                        values[out] = kernel()
                else:
                    results = kernel(*[values[slot] for slot in rest])
                    if out.__class__ is int:
                        values[out] = results
                    else:
                        for slot, result in zip(out, results, strict=True):
                            if slot is not _DISCARD:
                                values[slot] = result
        except errors.OpError as error:
            if error.op is None:
                error.op = op
            raise
        except Exception as error:
            raise _explained(op, error) from error
        return [
            None if slot is None else values[slot].read() if is_ref else values[slot]
            for slot, is_ref in self._results
        ]


class _Compiler:
    """Turns operations into steps, one after the other, giving each value its slot."""

    def __init__(self, leaves, fed, state, of_function):
        self.operations = _needed(leaves, fed)
        self.initial = [None] * len(fed)
        self.steps = []
        self._state = state
        self._fed = {id(tensor) for tensor in fed}
        self._fed_by_value = set() if of_function else self._fed
        self._slots = {id(tensor): slot for slot, tensor in enumerate(fed)}
        self._last_use = _last_uses(self.operations)
        self._kept = self._fed | {id(leaf) for leaf in leaves}
        self._constants = {}  # id of tensor -> its value, the same in every run
        self._live = set()  # ids of tensors whose slot holds the reference that they share
        self._has_updates = any(any(op.definition.ref_inputs(op)) for op in self.operations)
        self._free = []

    def add(self, position, op):
        """Appends the steps of one operation, or folds it into a constant."""
        definition = op.definition
        if definition.name == "Const":
            self._keep_constant(op.outputs[0], op.attrs["value"])
            return
        if definition.kernel is None and definition.bind is None:
            raise errors.UnsupportedOpError(f"op {op.type} ({op.name}) cannot be run")
        needed = None
        if definition.bind is not None:
            needed = [not self._is_discarded(tensor) for tensor in op.outputs]
        kernel = definition.bound_kernel(op, self._state, needed)
        if self._fold(op, kernel):
            return
        if self._share(op):
            return
        inputs, reads = self._inputs(op)
        dying = {
            key
            for key in map(id, op.inputs)
            if key not in self._kept and self._last_use[key] == position
        }
        self._free.extend(reads)
        self._free.extend(self._slots[key] for key in dying)
        outputs = [self._output(tensor) for tensor in op.outputs]
        if isinstance(kernel, np.ufunc) and dying and outputs[0] is not _DISCARD:
            kernel = _in_place(op, kernel, dying)
        self.steps.append(_step(op, kernel, inputs, outputs))

    def results(self, leaves):
        """For each leaf its slot, and whether that holds a reference to be read."""
        return [
            (None, False)
            if isinstance(leaf, Operation)
            else (self._slots[id(leaf)], self._is_reference(leaf))
            for leaf in leaves
        ]

    def _new_slot(self):
        if self._free:
            return self._free.pop()
        self.initial.append(None)
        return len(self.initial) - 1

    def _keep_constant(self, tensor, value):
        key = id(tensor)
        self._kept.add(key)
        if key in self._fed:
            return
        # Loaded before the first step, so its slot serves nothing else.
        self._slots[key] = len(self.initial)
        self.initial.append(value)
        self._constants[key] = value

    def _fold(self, op, kernel):
        """Computes an operation of constants now, if it is sure to give the same each time."""
        definition = op.definition
        if (
            not definition.depends_on_inputs_alone
            or not op.inputs
            or op.control_inputs
            or any(id(tensor) not in self._constants for tensor in op.inputs)
            or any(id(tensor) in self._fed for tensor in op.outputs)
        ):
            return False
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

    def _share(self, op):
        """Lets the output of an operation stand for the reference that it is a read of."""
        if not self._has_updates or op.type not in _SHARE_MEMORY:
            return False
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

    def _inputs(self, op):
        """The slots of the inputs, and those of them that hold references read for this."""
        inputs, reads = [], []
        for tensor, takes_ref in zip(op.inputs, op.definition.ref_inputs(op), strict=True):
            slot = self._slots[id(tensor)]
            fed = id(tensor) in self._fed_by_value
            if takes_ref and fed:
                raise errors.invalid_argument(
                    f"Input {len(inputs)} of node {op.name} was passed "
                    f"{tensor.dtype.base_dtype.name}, which was fed for {tensor.name}, "
                    f"incompatible with expected {tensor.dtype.name}.",
                )
            if self._is_reference(tensor) and not takes_ref:
                read = self._new_slot()
                self.steps.append((op, _read_reference, slot, None, None, read))
                reads.append(read)
                slot = read
            inputs.append(slot)
        return inputs, reads

    def _output(self, tensor):
        if self._is_discarded(tensor):
            return _DISCARD
        slot = self._slots[id(tensor)] = self._new_slot()
        return slot

    def _is_discarded(self, tensor):
        """Whether the fed value stands instead, or nobody takes it."""
        key = id(tensor)
        return key in self._fed or (key not in self._last_use and key not in self._kept)


def _step(op, kernel, inputs, outputs):
    if len(outputs) == 1 and outputs[0] is not _DISCARD:
        if len(inputs) <= 2:
            first, second = [*inputs, None, None][:2]
            return (op, kernel, first, second, None, outputs[0])
        return (op, kernel, None, None, inputs, outputs[0])
    return (op, _as_tuple(kernel, len(outputs)), None, None, inputs, outputs)


def _as_tuple(kernel, count):
    """A kernel whose results are always as many as the op's outputs."""
    if count == 1:
        return lambda *inputs: (kernel(*inputs),)
    if count == 0:

        def nothing(*inputs):
            kernel(*inputs)
            return ()

        return nothing
    return kernel


def _read_reference(cell):
    return cell.read()


# -- results in place of what is not needed any more --------------------------------------

_LARGE = 1 << 14  # elements from which a new buffer costs more than looking for an old one


def _in_place(op, ufunc, dying):
    """An elementwise kernel that writes over an input taken for the last time, if it is large."""
    dtype = op.outputs[0].dtype
    for which, tensor in enumerate(op.inputs):
        dims = tensor.dims
        small = dims is not None and None not in dims and np.prod(dims, dtype=float) < _LARGE
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


def _last_uses(operations):
    """The id of a tensor -> the position of the last operation that takes it."""
    last = {}
    for position, op in enumerate(operations):
        for tensor in op.inputs:
            last[id(tensor)] = position
    return last


# -- results and errors ------------------------------------------------------------------


def _result(value):
    """A fetched value, safe to hand out: the caller may change it."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return value[()]
        if not value.flags.writeable or value.base is not None:
            return value.copy()
    return value


def _explained(op, error):
    """A kernel's NumPy error as the error class that TensorFlow raises there."""
    if isinstance(error, ValueError) and "broadcast" in str(error):
        return errors.InvalidArgumentError(None, op, f"Incompatible shapes in {op.type}: {error}")
    if isinstance(error, (ValueError, IndexError, TypeError)):
        return errors.InvalidArgumentError(None, op, f"{op.type}: {error}")
    if isinstance(error, MemoryError):
        return errors.ResourceExhaustedError(None, op, f"{op.type}: {error}")
    return error
