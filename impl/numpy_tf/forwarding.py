"""Forwarding: which of its inputs an AddN of TensorFlow sums into, which decides its order.

TensorFlow's AddN looks for the first input whose memory nobody else has a use for, puts its
result there, and so sums that input first; the one that stood first takes its place. Float
sums differ in bits by that. (Seen in TensorFlow 2.21 on one thread.)
"""

from collections import deque
from operator import itemgetter

# Their first output is the memory of their first input.
_PASS_ON = frozenset(
    {
        "CheckNumerics",
        "EnsureShape",
        "ExpandDims",
        "Identity",
        "PlaceholderWithDefault",
        "PreventGradient",
        "Reshape",
        "Squeeze",
        "StopGradient",
    }
)
# The same, where they have nothing to do.
_PASS_ON_UNCHANGED = frozenset(
    {
        "BroadcastTo",
        "Cast",
        "Imag",
        "Pad",
        "Real",
        "Slice",
        "StridedSlice",
        "Sum",
        "Tile",
        "Transpose",
    }
)
# Their outputs, or the parts of them, are each the memory of the input in the same place.
_PASS_ALL_ON = frozenset({"IdentityN"})
# What they give belongs to the graph, to a variable or to the caller.
_HELD = frozenset({"Const", "Placeholder", "ReadVariableOp"})


class Memory:
    """Whose memory the tensors of some operations are, and who uses it when.

    Args:
      operations: those of a run, in an order in which each comes after its inputs.
      fed: the ids of the tensors that are fed.
      fetched: the ids of those that are fetched.
    """

    def __init__(self, operations, fed, fetched):
        self._kept = fed | fetched
        self._started = started(operations, fed)
        self._sharing = {}  # id of a tensor -> the tensors that are the same memory, maker first
        self._users = {}  # id of a tensor -> the operations that take it, once for each time
        for op in operations:
            for tensor in op.inputs:
                self._users.setdefault(id(tensor), []).append(op)
            for output in op.outputs:
                source = _same_memory(op, output)
                sharing = [] if source is None else self._sharing.setdefault(id(source), [source])
                sharing.append(output)
                self._sharing[id(output)] = sharing

    def place_summed_into(self, add_n):
        """The place of the input that an AddN sums first; 0 when no input's memory is free."""
        for place, tensor in enumerate(add_n.inputs):
            if self._is_free(tensor, add_n):
                return place
        return 0

    def _is_free(self, tensor, taker):
        """Whether nobody has a use for a tensor's memory any more when `taker` starts."""
        sharing = self._sharing.get(id(tensor), (tensor,))
        maker = sharing[0]
        if maker.dtype.is_ref or maker.op.type in _HELD:
            return False
        if any(id(t) in self._kept for t in sharing):
            return False
        users = [op for t in sharing for op in self._users.get(id(t), ())]
        position = self._started[taker]
        return users.count(taker) == 1 and all(
            op is taker or self._started[op] < position for op in users
        )


def _same_memory(op, output):
    """The input whose memory an output is, or None."""
    if op.type in _PASS_ON:
        return op.inputs[0]
    if op.type in _PASS_ALL_ON:
        return op.inputs[output.value_index]
    if op.type in _PASS_ON_UNCHANGED:
        source = op.inputs[0]
        dims = source.dims
        known = dims is not None and None not in dims
        if known and output.dims == dims and output.dtype is source.dtype:
            return source
    return None


# TensorFlow runs them at once where they become ready; others may wait for a free thread.
_CHEAP = _PASS_ON | {"Const", "NoOp", "Placeholder", "ReadVariableOp", "Shape", "VarHandleOp"}


def started(operations, fed):
    """Operation -> its place in the order in which TensorFlow's executor starts them.

    On one thread it works through a queue, at first of what waits for nothing. After an
    operation it goes on with those that it made ready, cheap ones first, and of the others
    with the last; the rest of them join the queue.
    """
    takers, waits, roots = {}, {}, {}
    for op in operations:
        for tensor in op.inputs:
            takers.setdefault(id(tensor), []).append(op)
            if id(tensor) in fed:
                roots[id(tensor)] = (tensor.op.index, None, [id(tensor)])
        for before in op.control_inputs:
            takers.setdefault(before, []).append(op)
        waits[op] = len(op.inputs) + len(op.control_inputs)
        if not waits[op]:
            roots[op] = (op.index, op, None)
    order = {}
    queue = deque(sorted(roots.values(), key=itemgetter(0)))
    while queue:
        at_once = deque([queue.popleft()])
        while at_once:
            _, op, made = at_once.popleft()
            if op is not None:
                order[op] = len(order)
                made = [*map(id, op.outputs), op]
            ready = []
            for key in made:
                for taker in takers.get(key, ()):
                    waits[taker] -= 1
                    if not waits[taker]:
                        ready.append((taker.index, taker, None))
            at_once.extend(item for item in ready if item[1].type in _CHEAP)
            others = [item for item in ready if item[1].type not in _CHEAP]
            if others and not at_once:
                at_once.append(others.pop())
            queue.extend(others)
    return order
