"""tf.cond and tf.switch_case: one of several functions' bodies is computed.

An operation `If` or `Case` holds a FuncGraph for each branch. Its gradient is another such
operation, of the branches' derivatives.
"""

from collections import deque

from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.dtypes import ANY
from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import (
    FuncGraph,
    build,
    components,
    control_flow_v2,
    with_components,
)
from numpy_tf.framework.graph import NameScope, Tensor, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices
from numpy_tf.framework.nest import assert_same_structure, flatten
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import bracket_dims
from numpy_tf.ops.array.basic import Identity
from numpy_tf.ops.array.shape import squeeze
from numpy_tf.ops.control.bodies import answer_within, derivatives_of, match_index_dtypes
from numpy_tf.ops.control.intermediates import bodies_of
from numpy_tf.plan import Plan

# -- the operations ------------------------------------------------------------------------


def _output_dims(op):
    return op.attrs["output_shapes"]


def _takes_references(op):
    """References are passed on to the branches as they are."""
    inner = bodies_of(op)[0].inputs
    return (False, *(placeholder.dtype.is_ref for placeholder in inner))


def _bind(op, state, needed):
    """The kernel that computes the needed outputs of the branch that is chosen."""
    branches = bodies_of(op)
    plans = [
        Plan(
            [tensor for tensor, used in zip(graph.outputs, needed, strict=True) if used],
            graph.inputs,
            state,
            of_function=True,
        )
        for graph in branches
    ]
    choose = _by_number if op.type in ("Case", "StatelessCase") else _by_truth
    all_needed, single = all(needed), len(needed) == 1

    def kernel(chosen, *inputs):
        results = plans[choose(chosen, len(plans))].compute(inputs)
        if single:
            return results[0] if results else None
        if all_needed:
            return results
        there = iter(results)
        return [next(there) if used else None for used in needed]

    return kernel


def _by_number(value, count):
    number = int(value)
    return number if 0 <= number < count else count - 1


def _by_truth(value, count):
    if value.dtype != bool:
        raise errors.invalid_argument(f"Input 'pred' passed {value.dtype.name} expected bool")
    if value.ndim:
        raise errors.invalid_argument(
            f"The second input must be a scalar, but it has shape {bracket_dims(value.shape)}",
        )
    return 0 if value else 1


def _gradient(op, *grads):
    name = "gradient" if op.type in ("Case", "StatelessCase") else "cond"
    derivatives = derivatives_of(op, grads)
    results = _build(op.inputs[0], derivatives, name, op.type)
    return [None, *answer_within(derivatives, results)]


_CONDITIONAL = "cond: Tcond, input: [Tin] -> output: [Tout]"
_ATTRS = {"output_shapes": REQUIRED, "Tout": REQUIRED}


@op(_CONDITIONAL, Tcond=ANY, then_branch=REQUIRED, else_branch=REQUIRED, **_ATTRS)
class If:
    """What `then_branch` gives where the condition is true, else what `else_branch` does."""

    stateful = True
    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


@op(_CONDITIONAL, Tcond=ANY, then_branch=REQUIRED, else_branch=REQUIRED, **_ATTRS)
class StatelessIf:
    """As `If`, of branches that have no state."""

    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


@op("branch_index: int32, input: [Tin] -> output: [Tout]", branches=REQUIRED, **_ATTRS)
class Case:
    """What the branch of that number gives; the last where there is none."""

    stateful = True
    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


@op("branch_index: int32, input: [Tin] -> output: [Tout]", branches=REQUIRED, **_ATTRS)
class StatelessCase:
    """As `Case`, of branches that have no state."""

    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


# -- building them -------------------------------------------------------------------------


def _build(chosen, branches, name, like):
    """Adds the operation that chooses among branches; returns its outputs as they have them.

    Args:
      chosen: the condition, or the branch's number.
      branches: their `FuncGraph`s; they get inputs for all that any of them captures.
      name: the operation's name.
      like: "If" or "Case", or the same without state.
    """
    inputs = _share_inputs(branches)
    outputs = zip(*(graph.outputs for graph in branches), strict=True)
    dims = [_most_specific(tensors) for tensors in outputs]
    stateful = any(op.definition.stateful for graph in branches for op in _own_operations(graph))
    attrs = {"output_shapes": dims, "Tout": [t.dtype.base_dtype for t in branches[0].outputs]}
    waits = [op for graph in branches for op in graph.control_captures]
    with get_default_graph().control_dependencies(waits):
        if like.endswith("Case"):
            definition = Case if stateful else StatelessCase
            made = definition(chosen, inputs, branches=list(branches), name=name, **attrs)
        else:
            definition = If if stateful else StatelessIf
            then_branch, else_branch = branches
            made = definition(
                chosen, inputs, then_branch=then_branch, else_branch=else_branch, name=name, **attrs
            )
    outputs = made if isinstance(made, list) else []
    if outputs and not control_flow_v2():
        for graph in branches:
            graph.owner = outputs[0].op
        # In TensorFlow 1 each output has an operation of its own, and so its own path back.
        outputs[0].op.attrs = {**outputs[0].op.attrs, "_outputs_apart": True}
    return with_components(branches[0].structured_outputs, [Identity(t) for t in outputs])


def _own_operations(graph):
    return (op for op in graph.operations if op.type != "Placeholder")


def _share_inputs(branches):
    """Gives all branches the same inputs, and returns what the operation takes for them.

    In TensorFlow 1 each branch has a way of its own for a tensor that it takes, and the
    gradients of both ways are added as they arrive; later versions share it.
    """
    shared = []
    taken = set()
    for graph in branches if control_flow_v2() else reversed(branches):
        for tensor in graph.external_captures:
            if not control_flow_v2() or id(tensor) not in taken:
                taken.add(id(tensor))
                shared.append((tensor, graph))
    if not control_flow_v2():
        arrival = _order_of_arrival(branches)
        shared.sort(key=lambda pair: arrival.get(id(pair[1].placeholder_of(pair[0])), len(shared)))
    for graph in branches:
        ordered = []
        for tensor, by in shared:
            mine = by is graph or control_flow_v2()
            placeholder = graph.placeholder_of(tensor) if mine else None
            if placeholder is None:
                placeholder = graph.add_input(tensor.dtype, tensor.dims)
                if mine:
                    graph.set_capture(tensor, placeholder)
                else:
                    graph.set_origin(placeholder, tensor)
            ordered.append(placeholder)
        graph.inputs = ordered
    return [tensor for tensor, _ in shared]


def _order_of_arrival(branches):
    """The order in which placeholders get gradients, where both branches are one graph.

    Each operation waits for all its uses, and the queue begins with the results, for each
    that of the false branch first.

    Returns:
      id of a placeholder -> its number; only for those that lead to a result.
    """
    reached, pending = set(), [p.op for graph in branches for p in graph.inputs]
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            trainable = [t for t in op.outputs if t.dtype.is_trainable]
            pending.extend(consumer for t in trainable for consumer in t.consuming())
    results = [
        t.op for pair in zip(*(g.outputs for g in branches), strict=True) for t in pair[::-1]
    ]
    waiting, pending = {}, [op for op in results if op in reached]
    while pending:
        op = pending.pop()
        if op not in waiting:
            waiting[op] = 0
            pending.extend(t.op for t in op.inputs if t.op in reached)
    for op in waiting:
        for tensor in op.inputs:
            if tensor.op in waiting:
                waiting[tensor.op] += 1
    queue = deque(op for op in dict.fromkeys(results) if waiting.get(op) == 0)
    arrival = {}
    while queue:
        op = queue.popleft()
        if op.type == "Placeholder":
            arrival[id(op.made)] = len(arrival)
        for tensor in op.inputs:
            if tensor.op in waiting:
                waiting[tensor.op] -= 1
                if not waiting[tensor.op]:
                    queue.append(tensor.op)
    return arrival


def _most_specific(tensors):
    """The static shape that all have: None for a dimension, or rank, in which they differ."""
    dims = tensors[0].dims
    for tensor in tensors[1:]:
        other = tensor.dims
        if dims is None or other is None or len(dims) != len(other):
            return None
        dims = tuple(a if a == b else None for a, b in zip(dims, other, strict=True))
    return dims


# -- for programs --------------------------------------------------------------------------


@export("cond")
def cond(pred, true_fn=None, false_fn=None, strict=False, name=None, fn1=None, fn2=None):
    """What `true_fn()` gives where `pred` is true, else what `false_fn()` gives.

    Args:
      pred: a scalar boolean tensor.
      true_fn, false_fn: functions without arguments that return nests of the same
        structure and dtypes.
      strict: whether a list of one result stays one.
      name: the name scope.
      fn1, fn2: older names of `true_fn` and `false_fn`.

    Raises:
      TypeError, ValueError: as TensorFlow has them, for functions that are none, a
        predicate that is no tensor, or results that do not fit together.
    """
    true_fn = _function(true_fn, fn1, "true_fn", "fn1")
    false_fn = _function(false_fn, fn2, "false_fn", "fn2")
    for function, argument in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(f"'{argument}' must be callable.")
    if control_flow_v2():
        return _cond_v2(pred, true_fn, false_fn, name)
    return _cond_v1(pred, true_fn, false_fn, strict, name)


def _function(new, old, name, old_name):
    if old is not None:
        if new is not None:
            raise TypeError(f"cond(): '{name}' and '{old_name}' may not be set simultaneously.")
        return old
    if new is None:
        raise TypeError(f"cond(): '{name}' argument required")
    return new


def _cond_v2(pred, true_fn, false_fn, name):
    if isinstance(pred, bool):
        raise TypeError("pred must not be a Python bool", pred)
    with NameScope(name or "cond") as scope:
        pred = _scalar(convert_to_tensor(pred))
        branches = _traced(["true", "false"], [true_fn, false_fn], scope, pred)
        _check_captures(branches, ["true_fn", "false_fn"])
        _check_same_outputs(branches, "tf.cond", ["true_fn", "false_fn"])
        return _build(pred, branches, scope, "If")


def _scalar(tensor):
    return tensor if tensor.dims == () else squeeze(tensor)


def _traced(names, functions, scope, for_operations):
    graphs = []
    for name, function in zip(names, functions, strict=True):
        graph = FuncGraph(f"{scope}{name}".replace("/", "_"), get_default_graph())
        build(graph, function, for_operations=for_operations)
        graphs.append(graph)
    return graphs


def _check_captures(branches, names):
    """ValueError when a branch takes a tensor of another one."""
    for graph, name in zip(branches, names, strict=True):
        for tensor in graph.external_captures:
            if tensor.graph in branches:
                other = names[branches.index(tensor.graph)]
                raise ValueError(f"Tensor {tensor.name} in {other} is accessed from {name}.")


def _check_same_outputs(branches, what, names):
    """TypeError when branches do not give the same; casts indices that differ."""
    first = branches[0]
    counts = [len(flatten(graph.structured_outputs)) for graph in branches]
    if len(set(counts)) > 1:
        raise AssertionError(counts)
    for graph, name in zip(branches[1:], names[1:], strict=True):

        def refuse(details, graph=graph, name=name):
            raise TypeError(
                f"{names[0]} and {name} arguments to {what} must have the same number, type, and "
                f"overall structure of return values.\n\n{names[0]} output: "
                f"{first.structured_outputs}\n{name} output: {graph.structured_outputs}\n\n"
                f"Error details:\n{details}"
            )

        try:
            assert_same_structure(first.structured_outputs, graph.structured_outputs)
        except (TypeError, ValueError) as error:
            refuse(str(error))
        pairs = list(
            zip(flatten(first.structured_outputs), flatten(graph.structured_outputs), strict=True)
        )
        for index, (a, b) in enumerate(pairs):
            if isinstance(a, IndexedSlices) != isinstance(b, IndexedSlices):
                raise TypeError(
                    f"Cannot reconcile {what} {index}-th outputs:\n  branches returned: {(a, b)}"
                )
        if [len(components(a)) for a, _ in pairs] != [len(components(b)) for _, b in pairs]:
            refuse("The two structures don't have the same nested structure.")
    match_index_dtypes(branches)
    for graph, name in zip(branches[1:], names[1:], strict=True):
        for a, b in zip(first.outputs, graph.outputs, strict=True):
            if a.dtype.base_dtype is not b.dtype.base_dtype:
                raise TypeError(
                    f"{names[0]} and {name} arguments to {what} must have the same number, type, "
                    f"and overall structure of return values.\n\nError details:\n{a} and {b} have "
                    "different types"
                )


def _cond_v1(pred, true_fn, false_fn, strict, name):
    with NameScope(name, "cond", [pred] if isinstance(pred, Tensor) else None) as scope:
        if isinstance(pred, bool):
            raise TypeError("'pred' must not be a Python bool.")
        pred = convert_to_tensor(pred)
        if pred.dtype.base_dtype is not dtypes.bool_:
            raise TypeError(
                f"Input 'pred' of 'Switch' Op has type {pred.dtype.base_dtype.name} that does not "
                "match expected type of bool."
            )
        if pred.dims:
            raise ValueError(f"Shape must be rank 0 but is rank {len(pred.dims)}")
        branches = []
        for function, which in ((true_fn, "true"), (false_fn, "false")):
            (graph,) = _traced([which], [function], scope, pred)
            if graph.structured_outputs is None:
                raise ValueError(f"'{which}_fn' must have a return value.")
            if any(result is None for result in flatten(graph.structured_outputs)):
                raise ValueError("None values not supported.")
            if not strict:
                graph.structured_outputs = _unpacked(graph.structured_outputs)
            branches.append(graph)
        _check_same_outputs_v1(*branches)
        return _build(pred, branches, scope, "If")


def _unpacked(result):
    single = isinstance(result, (list, tuple)) and len(result) == 1
    return result[0] if single else result


def _check_same_outputs_v1(true_graph, false_graph):
    true_result, false_result = true_graph.structured_outputs, false_graph.structured_outputs
    for error_class in (TypeError, ValueError):
        try:
            assert_same_structure(true_result, false_result, composites=True)
        except error_class as error:
            kind = "types" if error_class is TypeError else "values"
            raise error_class(
                f"Incompatible return {kind} of 'true_fn' and 'false_fn': {error}"
            ) from None
        except (TypeError, ValueError):
            continue
    if not true_graph.outputs:
        raise ValueError("'true_fn' and 'false_fn' must return at least one result.")
    match_index_dtypes([true_graph, false_graph])
    for a, b in zip(true_graph.outputs, false_graph.outputs, strict=True):
        if a.dtype.base_dtype is not b.dtype.base_dtype:
            raise ValueError(
                "Outputs of 'true_fn' and 'false_fn' must have the same type(s). Received "
                f"{a.dtype.name} from 'true_fn' and {b.dtype.name} from 'false_fn'."
            )


@export("switch_case")
def switch_case(branch_index, branch_fns, default=None, name="switch_case"):
    """What the function of that number gives; `default()`, or the last, where there is none.

    Args:
      branch_index: an int32 scalar.
      branch_fns: functions without arguments, a list of them, or a dictionary or list of
        pairs from number to function.
      default: as those.
      name: the name scope.
    """
    functions = _numbered(branch_fns, default)
    with NameScope(name) as scope:
        index = convert_to_tensor(branch_index, name="branch_index")
        names = [f"branch{i}" for i in range(len(functions))]
        branches = _traced(names, functions, scope, index)
        labels = [f"branches[{i}]" for i in range(len(functions))]
        _check_captures(branches, [f"branch {i}" for i in range(len(functions))])
        _check_same_outputs(branches, "tf.switch_case", labels)
        return _build(index, branches, scope, "Case")


def _numbered(branch_fns, default):
    if not branch_fns:
        raise ValueError("Must provide at least one item in 'branch_fns'")
    if not isinstance(branch_fns, (list, tuple, dict)):
        raise TypeError(
            f"'branch_fns' must be a list, tuple, or dict. Received {type(branch_fns).__name__}."
        )
    pairs = sorted(branch_fns.items()) if isinstance(branch_fns, dict) else list(branch_fns)
    if not isinstance(pairs[0], tuple):
        pairs = list(enumerate(pairs))
    numbers = [number for number, _ in pairs]
    if sorted(numbers) != list(range(len(numbers))):
        raise ValueError(
            "branch indices (keys) must form contiguous range of [0 to "
            f"{len(numbers)}) but found {{{','.join(map(str, numbers))}}}"
        )
    functions = [function for _, function in sorted(pairs, key=lambda pair: pair[0])]
    for function in [*functions, *([default] if default is not None else [])]:
        if not callable(function):
            raise TypeError("Each entry in 'branch_fns' must be callable.")
    return [*functions, functions[-1] if default is None else default]


__all__ = ["cond", "switch_case"]
