"""tf.gradients: builds the operations that compute derivatives.

The algorithm is TensorFlow's, operation by operation, because what a program can observe
depends on it: which gradients are None, in which order contributions are summed, which
errors arise. An operation is differentiated once all its between-consumers have been;
"between" operations lie on a path from an x to a y that crosses only trainable tensors.
"""

import gc
from collections import deque
from contextlib import contextmanager, nullcontext
from enum import Enum

from numpy_tf.framework import dtypes
from numpy_tf.framework.behavior import behavior
from numpy_tf.framework.composite import CompositeTensor
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import function_graphs, maybe_captured
from numpy_tf.framework.graph import (
    NameScope,
    Tensor,
    executing_eagerly,
    get_default_graph,
)
from numpy_tf.framework.indexed_slices import (
    IndexedSlices,
    convert_to_tensor_or_indexed_slices,
    densify,
)
from numpy_tf.framework.nest import flatten
from numpy_tf.framework.op_def import GRADIENTS
from numpy_tf.framework.tensor_shape import merge_dims
from numpy_tf.framework.within import asking, leaving, lies_within, note_reached
from numpy_tf.observer import Ending, current_observer
from numpy_tf.ops.array.basic import Identity
from numpy_tf.ops.array.fill import ones, zeros, zeros_like
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.intermediates import seen_outside
from numpy_tf.ops.control_flow import grouped_tuple
from numpy_tf.ops.math.arithmetic import AddN, add_n
from numpy_tf.ops.math.cast import cast
from numpy_tf.ops.state.resource import handle_dtype, is_resource_variable, variable_shape


@export("UnconnectedGradients")
class UnconnectedGradients(Enum):
    """What `tf.gradients` gives for an x that the ys do not depend on."""

    NONE = "none"
    ZERO = "zero"


@export("AggregationMethod")
class AggregationMethod:
    """How contributions to one gradient are summed: all at once, or pair by pair."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


_AGGREGATION_METHODS = [
    AggregationMethod.ADD_N,
    AggregationMethod.EXPERIMENTAL_TREE,
    AggregationMethod.EXPERIMENTAL_ACCUMULATE_N,
]


@export("gradients")
def gradients(
    ys,
    xs,
    grad_ys=None,
    name="gradients",
    colocate_gradients_with_ops=False,
    gate_gradients=False,
    aggregation_method=None,
    stop_gradients=None,
    unconnected_gradients=UnconnectedGradients.NONE,
):
    """Symbolic derivatives of the sum of `ys` with respect to each x.

    Args:
      ys: a tensor or a list of them.
      xs: a tensor or variable, or a list of them.
      grad_ys: for each y its weight, of y's shape (not checked); None for ones.
      name: the name scope of what is built.
      colocate_gradients_with_ops: whether gradients ask for the device of their operation.
      gate_gradients: whether an operation's input gradients wait for each other.
      aggregation_method: an `AggregationMethod`.
      stop_gradients: tensors whose operations are not differentiated through.
      unconnected_gradients: None or zeros for an x that the ys do not depend on.

    Returns:
      A list, for each x a tensor, IndexedSlices or None.

    Raises:
      LookupError: when an operation on the way has no registered gradient.
      ValueError, TypeError: for arguments that do not fit, as TensorFlow has them.
      RuntimeError: when the graph is finalized and something is to be built, and outside a
        graph while TensorFlow 2's behaviour is on.
    """
    return gradients_in(
        get_default_graph(),
        ys,
        xs,
        grad_ys,
        name,
        colocate_gradients_with_ops,
        gate_gradients,
        aggregation_method,
        stop_gradients,
        unconnected_gradients,
    )


def gradients_in(
    source,
    ys,
    xs,
    grad_ys=None,
    name="gradients",
    colocate_gradients_with_ops=False,
    gate_gradients=False,
    aggregation_method=None,
    stop_gradients=None,
    unconnected_gradients=UnconnectedGradients.NONE,
):
    """As `gradients`, which it does; the ys are those of the graph `source`.

    The default graph gets the operations: it may be a function's body that captures what it
    needs of `source`.
    """
    if executing_eagerly():
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled. "
            "Use tf.GradientTape instead."
        )
    # Resource variables are read before, and zeros made after, outside the scope of the rest.
    ys = [convert_to_tensor(y) if is_resource_variable(y) else y for y in _as_list(ys)]
    xs = _as_list(xs)
    grad_ys = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    stop_gradients = [] if stop_gradients is None else _as_list(stop_gradients)
    xs = [x.handle if is_resource_variable(x) else x for x in xs]
    if any(isinstance(item, (IndexedSlices, CompositeTensor)) for item in (*ys, *xs)):
        sources, ys, grad_ys = map(_gradient_sources, (xs, ys, grad_ys))
        grads = gradients_in(
            source,
            ys,
            sources,
            grad_ys,
            name,
            colocate_gradients_with_ops,
            gate_gradients,
            aggregation_method,
            stop_gradients,
            unconnected_gradients,
        )
        return [
            x.with_gradient(grad) if isinstance(x, CompositeTensor) else grad
            for x, grad in zip(xs, grads, strict=True)
        ]
    try:
        unconnected_gradients = UnconnectedGradients(unconnected_gradients)
    except ValueError:
        raise ValueError(
            f"Unknown value for unconnected_gradients: '{unconnected_gradients}'"
        ) from None
    ys = [seen_outside(y, source) if lies_within(y, source) else y for y in ys]
    within = [x for x in xs if lies_within(x, source)]
    in_scope = [t for t in (*ys, *xs, *stop_gradients, *grad_ys) if not _is_of_v1_body(t)]
    with NameScope(name, "gradients", in_scope):
        graph = get_default_graph()
        graph.unique_name("uid")  # TensorFlow reserves this name, so later names depend on it
        ys = [convert_to_tensor_or_indexed_slices(y, name="y") for y in ys]
        xs = [convert_to_tensor_or_indexed_slices(x, name="x", as_ref=True) for x in xs]
        seeds = _seeds(grad_ys, ys, colocate_gradients_with_ops)
        observer = current_observer()
        if observer is not None:
            observer.started(ys, xs, grad_ys, seeds)
        edges = _Edges(xs, source, within)
        backprop = _Backprop(
            graph, edges, colocate_gradients_with_ops, gate_gradients, aggregation_method, observer
        )
        with (
            _collector_paused(),
            _stopping_at([t.op for t in stop_gradients]) as stop_ops,
            asking(within) as answers,
        ):
            backprop.run(ys, xs, seeds, stop_ops)
    backprop.answered(within, answers)
    grads = [backprop.result(x, unconnected_gradients) for x in xs]
    if observer is not None:
        observer.finished(grads)
    return grads


def _gradient_sources(items):
    """The tensors that are differentiated in place of composite ones."""
    found = [
        item.gradient_source() if isinstance(item, CompositeTensor) else item
        for item in flatten(items)
    ]
    if any(isinstance(item, IndexedSlices) for item in found):
        # TensorFlow unpacks a composite tensor into its components and asks again; those of
        # IndexedSlices are IndexedSlices again, so it never ends (seen in 2.21).
        raise RecursionError("maximum recursion depth exceeded")
    return found


def _is_of_v1_body(tensor):
    """Whether a tensor is of a branch or loop of TensorFlow 1, which has no graph of its own."""
    graph = getattr(tensor, "graph", None)
    return not behavior.control_flow_v2 and graph is not None and graph.building_function


_stops = []  # of the calls of `gradients` that are under way, each within the one before


@contextmanager
def _stopping_at(ops):
    """Gives the operations to stop at: these, and in a body's derivative those of the caller."""
    _stops.append(ops)
    try:
        yield [op for ops in _stops for op in ops]
    finally:
        _stops.pop()


@contextmanager
def _collector_paused():
    """Building adds objects that all stay; the collector would walk them for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


# -- the seeds ---------------------------------------------------------------------------


def _seeds(grad_ys, ys, colocate):
    """The gradient of each y with respect to itself: its weight, or ones."""
    if len(grad_ys) != len(ys):
        raise ValueError(f"Length mismatch. Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    graph = get_default_graph()
    converted = [
        g
        if isinstance(g, CompositeTensor)
        else convert_to_tensor_or_indexed_slices(g, name="grad_y")
        for g in grad_ys
    ]
    seeds = []
    for i, (y, grad_y) in enumerate(zip(ys, converted, strict=True)):
        y_op = y.op
        with graph.colocate_with(y_op) if colocate else nullcontext():
            if grad_y is None:
                if y.dtype.is_complex:
                    raise TypeError(
                        f"Gradients of complex tensors ({y}) must set grad_ys "
                        f"(y.dtype = {y.dtype.base_dtype.name})"
                    )
                seeds.append(ones(shape_of(y), dtype=y.dtype.base_dtype, name=f"grad_ys_{i}"))
                continue
            _check_seed_family(y, grad_y)
            seeds.append(_named_identity(grad_y, f"grad_ys_{i}"))
    return seeds


def _check_seed_family(y, grad_y):
    """TypeError unless the weight is of y's family: only that is checked, not the dtype."""
    of_y, of_seed = y.dtype.base_dtype, grad_y.dtype.base_dtype
    if of_y.is_floating or of_y.is_integer:
        fits = of_seed.is_floating or of_seed.is_integer
        kind, wanted = "real or integer-valued", "real or integer"
    elif of_y.is_complex:
        fits = of_seed.is_complex
        kind, wanted = "complex-valued", "real"
    elif of_y is dtypes.variant:
        fits = of_seed is dtypes.variant
        kind, wanted = "variant", "variant"
    elif of_y is dtypes.resource:
        if of_seed is dtypes.resource:
            raise TypeError(
                f"Input gradient {grad_y} for resource tensor {y} should not be a resource"
            )
        return
    else:
        raise TypeError(
            f"Tensor {y} with type {of_y.name} must be numeric to obtain a default gradient"
        )
    if not fits:
        raise TypeError(
            f"Gradient type {of_seed.name} generated for {kind} tensor {y} with type "
            f"{of_y.name} must be {wanted}"
        )


def _named_identity(seed, name):
    if isinstance(seed, CompositeTensor):
        return seed  # which is refused where it is added up
    if not isinstance(seed, IndexedSlices):
        return Identity(seed, name=name)
    shape = seed.dense_shape
    return IndexedSlices(
        Identity(seed.values, name=f"{name}_values"),
        Identity(seed.indices, name=f"{name}_indices"),
        None if shape is None else Identity(shape, name=f"{name}_shape"),
    )


# -- which operations --------------------------------------------------------------------


class _Edges:
    """How operations are connected, across the borders of functions' bodies too.

    An operation in a body takes what its placeholders stand for, unless that placeholder is
    one of the xs.

    Args:
      xs: tensors.
      source: the graph of the ys.
      within: those of the xs that lie within branches and loops of that graph.

    Attributes:
      inputs: operation -> what it takes.
      consumers: tensor -> the operations that take it.
    """

    def __init__(self, xs, source, within):
        self._xs = {id(x) for x in xs}
        self._functions = function_graphs(source)
        self.inputs = self._crossing_inputs if self._functions else _own_inputs
        self.consumers = self._crossing_consumers if self._functions else Tensor.consuming
        if within:
            inside = self.consumers
            self.consumers = lambda tensor: [*inside(tensor), *leaving(tensor)]

    def _crossing_inputs(self, op):
        graph = op.graph
        if not graph.building_function:
            return op.inputs
        if op.type == "Placeholder":
            initial = graph.initial_values.get(id(op.made))
            return () if initial is None else (initial[1],)
        return [t if id(t) in self._xs else maybe_captured(t) for t in op.inputs]

    def _crossing_consumers(self, tensor):
        found = list(tensor.consuming())
        for graph in self._functions:
            placeholder = graph.placeholder_of(tensor)
            if placeholder is not None:
                found.extend(self._crossing_consumers(placeholder))
            for variable, initial in graph.initial_values.values():
                if initial is tensor:
                    found.append(variable.op)
        return found


def _own_inputs(op):
    return op.inputs


def _reached_from(ops, edges):
    """The operations that `ops` lead to through trainable tensors, themselves included."""
    reached, pending = set(), list(ops)
    while pending:
        op = pending.pop()
        if op in reached:
            continue
        reached.add(op)
        for output in op.outputs:
            if output.dtype.is_trainable:
                pending.extend(edges.consumers(output))
    return reached


def _between(to_ops, reached, edges):
    """Those of `reached` that lead to `to_ops`."""
    between, pending = set(), list(to_ops)
    while pending:
        op = pending.pop()
        if op in reached and op not in between:
            between.add(op)
            pending.extend([tensor.op for tensor in edges.inputs(op)])
    return between


def _pending_counts(between, edges):
    """For each operation how many times its outputs are taken by between operations."""
    counts = dict.fromkeys(between, 0)
    for op in between:
        for tensor in edges.inputs(op):
            producer = tensor.op
            if producer in counts:
                counts[producer] += 1
    return counts


_WHEN_STOPPED = "_gradient_when_stopped"


# -- the walk ----------------------------------------------------------------------------


class _Backprop:
    """One call of `gradients`: the contributions so far, and the walk that adds to them."""

    def __init__(self, graph, edges, colocate, gate, aggregation_method, observer):
        self._graph = graph
        self._edges = edges
        self._colocate = colocate
        self._gate = gate
        self._aggregation_method = aggregation_method
        self._observer = observer
        # Operation -> for each output the list of contributions; once the operation has
        # been processed, their sum or None instead of each list.
        self._grads = {}
        self._stopped_calls = set()

    def run(self, ys, xs, seeds, stop_ops):
        """Processes every operation between the ys and the xs."""
        from_ops, to_ops = [x.op for x in xs], [y.op for y in ys]
        edges = self._edges
        reached = _reached_from(from_ops, edges)
        note_reached(reached)
        counts = _pending_counts(_between(to_ops, reached, edges), edges)
        for y, seed in zip(ys, seeds, strict=True):
            self._contribute(y, seed)
        ready = [op for op in dict.fromkeys(to_ops) if op in reached and counts.get(op, 0) == 0]
        # A call that is stopped is differentiated in another way, not passed by.
        self._stopped_calls = {op for op in stop_ops if _WHEN_STOPPED in op.attrs}
        stop = set(stop_ops) - self._stopped_calls
        ends = {  # nothing lies before an x that no other x leads to
            op
            for op in from_ops
            if not any(counts.get(tensor.op, 0) > 0 for tensor in edges.inputs(op))
        }
        if self._observer is not None:
            self._observer.found_between(reached, frozenset(counts), stop, ends)
        stop = stop | ends
        queue = deque(ready)
        while queue:
            op = queue.popleft()
            self._process(op, op in stop)
            for tensor in edges.inputs(op):
                producer = tensor.op
                count = counts.get(producer)
                if count is not None:
                    counts[producer] = count - 1
                    if count == 1:
                        queue.append(producer)

    def _contribute(self, tensor, grad):
        grads = self._grads.get(tensor.op)
        if grads is None:
            grads = self._grads[tensor.op] = [[] for _ in tensor.op.outputs]
        grads[tensor.value_index].append(grad)

    def _process(self, op, stopped):
        """Sums what reached the operation's outputs and passes it on to its inputs."""
        if self._colocate:
            with self._graph.colocate_with(op):
                self._differentiate(op, stopped)
        else:
            self._differentiate(op, stopped)

    def _differentiate(self, op, stopped):
        out_grads = self._aggregated(op)
        observer = self._observer
        if observer is not None:
            observer.processing(op, out_grads)
        if stopped or all(grad is None for grad in out_grads):
            if observer is not None:
                observer.ended(op, Ending.STOPPED if stopped else Ending.NO_GRADIENT)
            return
        if op.graph.building_function and id(op.made) in op.graph.initial_values:
            raise ValueError(
                f"Cannot compute gradient inside while loop with respect to op '{op.name}'. We do "
                "not support taking the gradient wrt or through the initial value of a loop "
                "variable. Gradients can be computed through loop invariants or wrt the input "
                "parameters to the loop body."
            )
        stopped_call = op in self._stopped_calls
        function = op.attrs[_WHEN_STOPPED] if stopped_call else gradient_function(op)
        if function is None:
            if observer is not None:
                observer.ended(op, Ending.NOT_DIFFERENTIABLE)
            return
        graph = self._graph
        if len(out_grads) > 1 and "_outputs_apart" not in op.attrs:
            out_grads = [
                zeros_for(output) if grad is None and output.dtype.is_trainable else grad
                for grad, output in zip(out_grads, op.outputs, strict=True)
            ]
            self._grads[op] = out_grads
        outer = graph.scope
        graph.scope = graph.unique_name(op.name + "_grad") + "/"
        try:
            in_grads = function(op, *out_grads)
            if not isinstance(in_grads, (list, tuple)):
                in_grads = [in_grads]
            if len(in_grads) != len(op.inputs):
                raise ValueError(
                    f"Num gradients {len(in_grads)} generated for op {op} "
                    f"do not match num inputs {len(op.inputs)}"
                )
            if self._gate and sum(grad is not None for grad in in_grads) > 1:
                with graph.device(None), graph.colocate_with(None, ignore_existing=True):
                    in_grads = grouped_tuple(in_grads)
        finally:
            graph.scope = outer
        inputs = self._edges.inputs(op)
        if observer is not None:
            observer.differentiated(op, out_grads, inputs, in_grads)
        for index, (tensor, grad) in enumerate(zip(inputs, in_grads, strict=True)):
            if grad is None:
                continue
            if grad.__class__ is not Tensor:
                # TensorFlow logs the gradients' names, and so refuses what has none.
                _ = grad.name
            elif tensor.dtype is not dtypes.resource:
                _check_shape(op, index, tensor, grad)
            self._contribute(tensor, grad)

    def _aggregated(self, op):
        """For each output the sum of its contributions, or None."""
        method = self._aggregation_method
        if method is not None and method not in _AGGREGATION_METHODS:
            raise ValueError(
                f"Invalid `aggregation_method` specified {method}. "
                f"Accepted values are {_AGGREGATION_METHODS}."
            )
        grads = self._grads.get(op)
        if grads is None:
            return [None] * len(op.outputs)
        for index, contributions in enumerate(grads):
            if not contributions:
                grads[index] = None
            elif len(contributions) == 1:
                grads[index] = _checked_contribution(contributions, 0, index)
            else:
                grads[index] = self._sum(op, contributions, index)
        return grads

    def _sum(self, op, contributions, index):
        if any(grad.__class__ is not Tensor for grad in contributions):
            for i in range(len(contributions)):
                _checked_contribution(contributions, i, index)
            if any(isinstance(grad, IndexedSlices) for grad in contributions):
                return _sum_with_slices(contributions)
        if self._aggregation_method in (None, AggregationMethod.ADD_N):
            return self._sum_by_device(contributions)
        with NameScope(op.name + "_gradient_sum"):
            total = contributions[0]
            for grad in contributions[1:]:
                total = add_n([total, grad])
            return total

    def _sum_by_device(self, contributions):
        """One AddN for each device, and one of their sums; each stays with its first term."""
        first = contributions[0].op
        if all(grad.op.device == first.device for grad in contributions):
            with self._graph.colocate_with(first, ignore_existing=True):
                return AddN(contributions)
        by_device = {}
        for grad in contributions:
            by_device.setdefault(grad.op.device, []).append(grad)
        sums = []
        for device in sorted(by_device):
            terms = by_device[device]
            with self._graph.colocate_with(terms[0].op, ignore_existing=True):
                sums.append(add_n(terms))
        return add_n(sums)

    def answered(self, xs, answers):
        """Takes in what operations answered of xs within their bodies."""
        for x in xs:
            grads = self._grads.setdefault(x.op, [None] * len(x.op.outputs))
            grads[x.value_index] = answers.get(id(x))

    def result(self, x, unconnected_gradients):
        """The gradient of one x."""
        grads = self._grads.get(x.op)
        grad = None if grads is None else grads[x.value_index]
        if isinstance(grad, list):  # contributions that were never summed: x was not reached
            raise AssertionError("gradients list should have been aggregated by now.")
        if grad is None and unconnected_gradients is UnconnectedGradients.ZERO:
            return zeros_for(seen_outside(x, self._graph))
        return grad


def _checked_contribution(contributions, i, index):
    grad = contributions[i]
    if not isinstance(grad, (Tensor, IndexedSlices)):
        raise TypeError(
            f"Invalid gradient {contributions} [index = {index}]. Gradients "
            "have to be either all Tensors or all IndexedSlices"
        )
    return grad


def gradient_function(op):
    """The function that differentiates an operation; None when it is not differentiable.

    Raises:
      LookupError: when none is registered.
    """
    given = op.attrs.get("_gradient_function")
    if given is not None:
        return given
    name = op.attrs.get("_gradient_op_type") or op.type
    try:
        return GRADIENTS[name]
    except KeyError:
        raise LookupError(
            f"No gradient defined for operation'{op.name}' (op type: {op.type}). "
            "In general every operation must have an associated `@tf.RegisterGradient` for "
            "correct autodiff, which this op is lacking. Insert `tf.stop_gradient` to treat "
            "the operation as a constant."
        ) from None


def _check_shape(op, index, tensor, grad):
    if grad.dims is tensor.dims or grad.dims == tensor.dims:
        return
    try:
        grad.dims = merge_dims(grad.dims, tensor.dims)
    except ValueError:
        raise ValueError(
            "Incompatible shapes between op input and calculated input gradient. "
            f"Forward operation: {op.name}. Input index: {index}. "
            f"Original input shape: {tensor.shape}. "
            f"Calculated input gradient shape: {grad.shape}"
        ) from None


def zeros_for(tensor):
    """Zeros of a tensor's shape; of a resource, those of its variable, or None."""
    if tensor.dtype is dtypes.resource:
        dtype = handle_dtype(tensor)
        return None if dtype is None else zeros(variable_shape(tensor), dtype=dtype)
    return zeros_like(tensor)


def _sum_with_slices(grads):
    """Contributions of which some are IndexedSlices: rows joined, or all made dense."""
    if not all(isinstance(grad, IndexedSlices) for grad in grads):
        return add_n([densify(grad) for grad in grads])
    indices = [grad.indices for grad in grads]
    if any(index.dtype is dtypes.int64 for index in indices):
        indices = [cast(index, dtypes.int64) for index in indices]
    shape = next((g.dense_shape for g in grads if g.dense_shape is not None), None)
    return IndexedSlices(concat([grad.values for grad in grads], 0), concat(indices, 0), shape)
