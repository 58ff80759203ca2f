"""tf.while_loop: a body is computed again and again while a condition holds.

An operation `While` holds a FuncGraph for the condition and one for the body; what they
take from outside goes round as loop variables that never change. Its gradient is another
such operation that runs backwards: each intermediate of the body that it needs is pushed
onto a list in every forward iteration (the forward operation gets the list as one more
loop variable) and popped in the backward one.
"""

from numpy_tf.backprop import UnconnectedGradients, gradients_in, zeros_for
from numpy_tf.framework import dtypes, errors
from numpy_tf.framework.conversion import convert_to_tensor
from numpy_tf.framework.export import export
from numpy_tf.framework.func_graph import (
    FuncGraph,
    build,
    components,
    control_flow_v2,
    is_tensor_array,
    with_components,
)
from numpy_tf.framework.graph import NameScope, get_default_graph
from numpy_tf.framework.indexed_slices import IndexedSlices, densify
from numpy_tf.framework.nest import assert_same_structure, flatten, map_structure, pack_sequence_as
from numpy_tf.framework.op_def import REQUIRED, op
from numpy_tf.framework.tensor_shape import TensorShape, as_dims, bracket_dims, compatible
from numpy_tf.framework.within import answer, asked_in, is_reached
from numpy_tf.ops.array.basic import Identity, StopGradient
from numpy_tf.ops.array.constant import constant
from numpy_tf.ops.array.fill import zeros, zeros_like
from numpy_tf.ops.array.shape import shape as shape_of
from numpy_tf.ops.array.shape import squeeze
from numpy_tf.ops.array.stack import concat
from numpy_tf.ops.control.bodies import as_indexed_slices
from numpy_tf.ops.control.tensor_list import (
    TensorListPopBack,
    TensorListPushBack,
    element_shape_tensor,
    empty_tensor_list,
)
from numpy_tf.ops.math.arithmetic import AddV2, Maximum, add_n
from numpy_tf.ops.math.comparison import LogicalAnd
from numpy_tf.ops.state.resource import variable_shape
from numpy_tf.plan import Plan

_COUNTERS = 2  # the first loop variables: how many iterations were done, and how many may be
_ZERO = UnconnectedGradients.ZERO
_REFUSED = "_refused"  # an attribute: why no session can run the loop


# -- the operation -------------------------------------------------------------------------


def _output_dims(op):
    return op.attrs["output_shapes"]


def _takes_references(op):
    """References are passed on to the body as they are."""
    return tuple(placeholder.dtype.is_ref for placeholder in op.attrs["body"].inputs)


def _bind(op, state, needed):
    """The kernel that goes round with those loop variables that matter for what is needed."""
    cond, body = op.attrs["cond"], op.attrs["body"]
    if _REFUSED in op.attrs:
        raise errors.invalid_argument(
            f"Input 1 of a Merge of {op.name} was passed {op.attrs[_REFUSED]}."
        )
    kept = _loop_variables_needed(cond, body, needed)
    changing = [k for k, i in enumerate(kept) if body.outputs[i] is not body.inputs[i]]
    condition = Plan(cond.outputs, [cond.inputs[i] for i in kept], state, of_function=True)
    iteration = Plan(
        [body.outputs[kept[k]] for k in changing],
        [body.inputs[i] for i in kept],
        state,
        of_function=True,
    )
    position = {i: k for k, i in enumerate(kept)}
    results_at = [position[i] if used else None for i, used in enumerate(needed)]
    single = len(needed) == 1

    def kernel(*inputs):
        values = [inputs[i] for i in kept]
        while condition.compute(values)[0]:
            for k, value in zip(changing, iteration.compute(values), strict=True):
                values[k] = value
        if single:
            return values[0]
        return [None if at is None else values[at] for at in results_at]

    return kernel


def _loop_variables_needed(cond, body, needed):
    """The loop variables that the condition and the needed outputs depend on, in order."""
    kept = _inputs_used(cond, cond.outputs)
    kept.update(i for i, used in enumerate(needed) if used)
    return sorted(_with_predecessors(body, kept))


def _with_predecessors(body, numbers, trainable_only=False):
    """These loop variables and all that they are computed from, in any number of iterations."""
    found, pending, seen = set(numbers), list(numbers), {}
    while pending:
        outputs = [body.outputs[pending.pop()]]
        for number in _inputs_used(body, outputs, seen, trainable_only):
            if number not in found:
                found.add(number)
                pending.append(number)
    return found


def _inputs_used(graph, outputs, seen=None, trainable_only=False):
    """Which of a body's inputs its outputs are computed from; `seen` are operations to pass by."""
    numbers = {id(placeholder): i for i, placeholder in enumerate(graph.inputs)}
    seen = {} if seen is None else seen
    found, pending = set(), list(outputs)
    operations = []
    while pending or operations:
        if pending:
            tensor = pending.pop()
            if trainable_only and not tensor.dtype.is_trainable:
                continue
            number = numbers.get(id(tensor))
            if number is not None:
                found.add(number)
                continue
            operations.append(tensor.op)
        op = operations.pop()
        if op in seen:
            continue
        seen[op] = True
        pending.extend(op.inputs)
        operations.extend(op.control_inputs)
    return found


def _gradient(op, *grads):
    if not control_flow_v2():
        _refuse_what_v1_cannot(op)
    if _REFUSED in op.attrs:
        return [zeros_for(t) if t.dtype.is_trainable else None for t in op.inputs]
    build_gradient = _gradient_v2 if control_flow_v2() else _gradient_v1
    found = build_gradient(op, list(grads))
    return [*found, *[None] * (len(op.inputs) - len(found))]  # it got more inputs meanwhile


def _refuse_what_v1_cannot(op):
    """TensorFlow 1's loops have no second order, nor a derivative built in another loop."""
    graph = get_default_graph()
    while graph.building_function and graph.differentiates is not op.graph:
        if graph is op.graph:
            break
        if graph.initial_values:
            raise ValueError(
                f"Cannot use '{op.name}/f_count' as input to '{op.name}/f_count_1' because they "
                "are in different while loops. See info log for more details."
            )
        graph = graph.outer_graph
    if "_of_gradient" in op.attrs:
        raise TypeError("Second-order gradient for while loops not supported.")


_LOOP = "input: [T] -> output: [T]"
_ATTRS = {"cond": REQUIRED, "body": REQUIRED, "output_shapes": REQUIRED, "parallel_iterations": 10}


@op(_LOOP, **_ATTRS)
class While:
    """The loop variables after the last iteration."""

    stateful = True
    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


@op(_LOOP, **_ATTRS)
class StatelessWhile:
    """As `While`, of a condition and body that have no state."""

    shape = _output_dims
    bind = _bind
    ref_inputs = _takes_references
    gradient = _gradient


def _add_while(variables, cond, body, dims, name, attrs=()):
    """Adds the operation; returns its outputs."""
    stateful = any(
        operation.definition.stateful and operation.type != "Placeholder"
        for graph in (cond, body)
        for operation in graph.operations
    )
    with get_default_graph().control_dependencies([*cond.control_captures, *body.control_captures]):
        outputs = (While if stateful else StatelessWhile)(
            variables, cond=cond, body=body, output_shapes=dims, name=name
        )
    operation = outputs[0].op
    operation.attrs = {**operation.attrs, **dict(attrs)}
    if not control_flow_v2():
        # In TensorFlow 1 each output has an operation of its own, and so its own path back.
        operation.attrs["_outputs_apart"] = True
        body.owner = operation
    return outputs


# -- for programs --------------------------------------------------------------------------


@export("while_loop")
def while_loop(
    cond,
    body,
    loop_vars,
    shape_invariants=None,
    parallel_iterations=10,
    back_prop=True,
    swap_memory=False,
    name=None,
    maximum_iterations=None,
    return_same_structure=False,
):
    """Repeats `body` while `cond` is true.

    Args:
      cond: takes the loop variables and returns a boolean scalar.
      body: takes the loop variables and returns new ones, of the same structure, dtypes and
        static shapes.
      loop_vars: a nest of tensors and tensor arrays.
      shape_invariants: a nest of static shapes that the loop variables keep, less precise
        than those that they begin with.
      parallel_iterations, swap_memory: for TensorFlow's signature.
      back_prop: whether gradients flow through the loop.
      name: the name scope.
      maximum_iterations: the most iterations, a number or scalar tensor.
      return_same_structure: whether a single loop variable is returned in its list.

    Raises:
      TypeError: for a `cond` or `body` that is no function, or a loop variable that changes
        its dtype.
      ValueError: without loop variables, or for one that changes its static shape.
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    if not control_flow_v2() and not flatten(loop_vars):
        raise ValueError("'loop_vars' must be provided.")
    return _Builder(cond, body, loop_vars, shape_invariants, maximum_iterations, back_prop).build(
        name, return_same_structure
    )


class _Builder:
    """One call of `while_loop`."""

    def __init__(self, cond, body, loop_vars, shape_invariants, maximum_iterations, back_prop):
        self._cond = cond
        self._body = body
        self._given = loop_vars
        self._shape_invariants = shape_invariants
        self._maximum_iterations = maximum_iterations
        self._back_prop = back_prop

    def build(self, name, return_same_structure):
        """Adds the loop; returns the loop variables after it."""
        with NameScope(name or "while") as scope:
            self._initial = map_structure(_loop_variable, list(self._given))
            invariants = self._invariants()
            flat = [t for leaf in flatten(self._initial) for t in components(leaf)]
            limit = self._maximum_iterations
            limit = convert_to_tensor(
                -1 if limit is None else limit, dtype=dtypes.int32, name="maximum_iterations"
            )
            if limit.dims:
                raise ValueError(
                    f"'maximum_iterations' must be a scalar. Received shape: {limit.shape}"
                )
            variables = [constant(0, name="loop_counter"), limit, *flat]
            dims = [(), (), *invariants]
            outer = get_default_graph()
            prefix = scope.replace("/", "_")
            cond = FuncGraph(prefix + "cond", outer)
            body = FuncGraph(prefix + "body", outer)
            for graph in (cond, body):
                for variable, known in zip(variables, dims, strict=True):
                    graph.add_input(variable.dtype.base_dtype, known)
            if not control_flow_v2():
                body.initial_values = {
                    id(p): (p, v) for p, v in zip(body.inputs, variables, strict=True)
                }
            self._trace_cond(cond)
            for tensor in cond.external_captures:
                body.capture(tensor)
            self._trace_body(body, len(flat))
            captures = body.external_captures
            _share_captures(cond, body)
            attrs = self._check(cond, body, [*variables, *captures], dims)
            outputs = _add_while(
                [*variables, *captures],
                cond,
                body,
                [*dims, *(t.dims for t in captures)],
                scope,
                attrs,
            )
            outputs = [Identity(t) for t in outputs[_COUNTERS : _COUNTERS + len(flat)]]
            if not self._back_prop:
                outputs = [StopGradient(t) for t in outputs]
        results = with_components(self._initial, outputs)
        if return_same_structure:
            return pack_sequence_as(self._given, flatten(results))
        leaves = flatten(results)
        if len(leaves) == 1:
            return leaves[0]
        return pack_sequence_as(self._given, leaves)

    def _invariants(self):
        """The static shape of each loop variable's components within the loop."""
        leaves = flatten(self._initial)
        if self._shape_invariants is None:
            return [t.dims for leaf in leaves for t in components(leaf)]
        given = _flatten_shapes(self._shape_invariants)
        if len(given) != len(leaves):
            raise ValueError(
                "'shape_invariants' must have the same structure as 'loop_vars': "
                f"{len(given)} shapes for {len(leaves)} variables."
            )
        found = []
        for leaf, shape in zip(leaves, given, strict=True):
            dims = as_dims(shape)
            if isinstance(leaf, IndexedSlices):
                count = None if dims is None else dims[0]
                rank = None if dims is None else len(dims)
                found.extend([dims, (count,), (rank,)][: len(components(leaf))])
            elif is_tensor_array(leaf):
                found.append(leaf.flow.dims)
            else:
                if not control_flow_v2():
                    _check_invariant(leaf, dims)
                found.append(dims)
        return found

    def _variables_of(self, graph):
        """The loop variables as the condition or body sees them."""
        count = sum(len(components(leaf)) for leaf in flatten(self._initial))
        return with_components(self._initial, graph.inputs[_COUNTERS : _COUNTERS + count])

    def _trace_cond(self, graph):
        def wanted():
            pred = convert_to_tensor(self._cond(*self._variables_of(graph)))
            if pred.dims != ():
                pred = squeeze(pred)
            if self._maximum_iterations is None:
                return pred
            return LogicalAnd(graph.inputs[0] < graph.inputs[1], pred)

        build(graph, wanted)
        pred = graph.outputs[0]
        if not control_flow_v2() and pred.dtype is not dtypes.bool_:
            raise TypeError(
                f"Input 'input' of 'LoopCond' Op has type {pred.dtype.name} that does not match "
                "expected type of bool."
            )

    def _trace_body(self, graph, count):
        def computed():
            counter, limit = graph.inputs[:_COUNTERS]
            outputs = self._body(*self._variables_of(graph))
            if not isinstance(outputs, (list, tuple, dict)):
                outputs = [outputs]
            # TensorFlow 1 wraps loop variables once more to count their iterations.
            if control_flow_v2():
                assert_same_structure(list(outputs), list(self._given), check_types=False)
            elif self._maximum_iterations is None or len(self._given) == 1:
                assert_same_structure(list(self._given), list(outputs))
            else:
                assert_same_structure(self._given, outputs)
            return [counter + 1, limit, list(outputs)]

        build(graph, computed)

    def _check(self, cond, body, variables, dims):
        """Checks what the body returns; in TensorFlow 1 another dtype is an error of the run.

        Returns:
          Attributes for the operation.
        """
        outputs = body.outputs
        if len(outputs) + len(body.captures) != len(variables):
            raise AssertionError(
                f"body_graph has {len(outputs) + len(body.captures)} outputs; "
                f"Expected: {len(variables)}"
            )
        for output, known, variable in zip(outputs, dims, variables, strict=False):
            if not _within(output.dims, known):
                raise ValueError(
                    f"Input tensor `{variable.name}` enters the loop with shape "
                    f"{TensorShape(known)}, but has shape {output.shape} after one iteration. To "
                    "allow the shape to vary across iterations, use the `shape_invariants` "
                    "argument of tf.while_loop to specify a less-specific shape."
                )
        body.outputs = [*outputs, *(placeholder for _, placeholder in body.captures)]
        for placeholder, output, variable in zip(body.inputs, body.outputs, variables, strict=True):
            if placeholder.dtype.base_dtype is not output.dtype.base_dtype:
                if not control_flow_v2():
                    changed = f"{output.dtype.name} incompatible with expected"
                    return {_REFUSED: f"{changed} {placeholder.dtype.base_dtype.name}"}
                raise TypeError(
                    f"Loop var {variable.name} enters the loop with type {placeholder.dtype} but "
                    f"has type {output.dtype} after 1 iteration. {variable.name} type should "
                    "remain constant."
                )
        return {}


def _loop_variable(leaf):
    if isinstance(leaf, IndexedSlices) or is_tensor_array(leaf):
        return leaf
    return convert_to_tensor(leaf)


def _flatten_shapes(shapes):
    """The leaves of a nest of static shapes, in which a list of dimensions is none."""
    if isinstance(shapes, (list, tuple)) and not _is_shape(shapes):
        return [leaf for part in shapes for leaf in _flatten_shapes(part)]
    return [shapes]


def _is_shape(value):
    return all(item is None or isinstance(item, int) for item in value) and not (
        value and all(item is None for item in value)
    )


def _check_invariant(tensor, dims):
    if not _within(tensor.dims, dims):
        raise ValueError(
            f"The shape invariant specified for {tensor.name} is not compatible with the initial "
            f"shape of the loop variable. It enters the loop with shape {tensor.shape}, but the "
            f"specified shape invariant is {TensorShape(dims)}."
        )


def _within(dims, invariant):
    """Whether all that `invariant` knows of a shape, `dims` knows the same."""
    if invariant is None:
        return True
    if dims is None or len(dims) != len(invariant):
        return False
    return all(known is None or known == dim for dim, known in zip(dims, invariant, strict=True))


def _share_captures(cond, body):
    """Gives the condition an input for each capture of the body, in the body's order."""
    for tensor, placeholder in body.captures:
        if cond.placeholder_of(tensor) is None:
            cond.set_capture(tensor, cond.add_input(placeholder.dtype, placeholder.dims))


# -- the gradient --------------------------------------------------------------------------


class _BodyGradient(FuncGraph):
    """The derivative of a body, which takes the body's intermediates from lists.

    Args:
      owner: the forward operation.
    """

    def __init__(self, owner):
        super().__init__(owner.attrs["body"].name + "_grad", get_default_graph())
        self._owner = owner
        self._forward = self.differentiates = owner.attrs["body"]
        self._intermediates = {}  # id of a tensor of the body -> what stands for it here
        self._popped = {}  # id of the placeholder of a list -> the list after it was popped

    def capture(self, tensor):
        """As of any body; of a tensor of the forward body, its value in that iteration."""
        if tensor.graph is not self._forward:
            return super().capture(tensor)
        while tensor.op.type == "Identity":  # its input is kept rather than the copy
            tensor = tensor.op.inputs[0]
        found = self._intermediates.get(id(tensor))
        if found is None:
            found = self._intermediates[id(tensor)] = self._in_that_iteration(tensor)
        return found

    def _in_that_iteration(self, tensor):
        owner, forward = self._owner, self._forward
        for i, (placeholder, output) in enumerate(
            zip(forward.inputs, forward.outputs, strict=True)
        ):
            if tensor is placeholder and tensor is output:
                return super().capture(owner.outputs[i])
        if tensor.op.type == "Const":
            return convert_to_tensor(tensor.op.attrs["value"])
        if tensor.dtype is dtypes.resource:
            return super().capture(_outer_resource(tensor, owner))
        output = _kept_list(tensor, owner)
        if output is None:
            output = _keep_list(tensor, owner)
        items = super().capture(output)
        rest, item = TensorListPopBack(
            items, element_shape_tensor(None), element_dtype=tensor.dtype.base_dtype
        )
        item.set_shape(tensor.shape)
        self._popped[id(items)] = rest
        return item

    def captured_outputs(self):
        """What goes round for each capture: itself, or a list without what was popped."""
        return [self._popped.get(id(placeholder), placeholder) for _, placeholder in self.captures]


def _outer_resource(tensor, owner):
    forward = owner.attrs["body"]
    while tensor.op.type != "Placeholder":
        if tensor.op.type not in ("Identity", "While", "StatelessWhile"):
            raise ValueError(
                "Taking gradient of a while loop which creates a resource in its body is not "
                f"supported: {tensor.op.name} ({tensor.op.type})"
            )
        tensor = tensor.op.inputs[tensor.value_index]
    number = next(i for i, placeholder in enumerate(forward.inputs) if placeholder is tensor)
    return owner.inputs[number]


def _kept_list(tensor, owner):
    """The owner's output that holds all values of an intermediate already, or None."""
    forward = owner.attrs["body"]
    for consumer in tensor.consuming():
        if consumer.type == "TensorListPushBack" and consumer.inputs[1] is tensor:
            items, pushed = consumer.inputs[0], consumer.outputs[0]
            for i, (placeholder, output) in enumerate(
                zip(forward.inputs, forward.outputs, strict=True)
            ):
                if placeholder is items and output is pushed:
                    return owner.outputs[i]
    return None


def _keep_list(tensor, owner):
    """Adds a loop variable to the owner: the list of an intermediate's values."""
    cond, body, outer = owner.attrs["cond"], owner.attrs["body"], owner.graph
    with outer.as_default(), outer.control_dependencies(None), NameScope(""):
        empty = empty_tensor_list(
            tensor.dtype.base_dtype, tensor.dims, owner.inputs[1], name="accumulator"
        )
    empty.op.move_before(owner)
    with body.as_default(), body.control_dependencies(None):
        placeholder = body.add_input(dtypes.variant, ())
        body.set_capture(empty, placeholder)
        body.outputs.append(TensorListPushBack(placeholder, tensor))
    cond.set_capture(empty, cond.add_input(dtypes.variant, ()))
    owner.inputs = (*owner.inputs, empty)
    empty.add_consumer(owner)
    return owner.add_output(dtypes.variant, ())


def _is_differentiable(output):
    """Whether a body's output can have a gradient; lists of integers cannot."""
    if output.op.type == "TensorListPopBack" and output.value_index == 0:
        return output.op.attrs["element_dtype"].is_trainable
    return output.dtype.is_trainable


def _backward_loop(op, grads, derivatives):
    """Builds the loop that runs backwards; returns what goes round in it, after the last turn.

    Args:
      op: the forward operation.
      grads: gradients that go round, tensors or IndexedSlices.
      derivatives: takes what stands for them in the body; returns what they are in the
        iteration before, and a list of what else goes round: for each a tensor of the outer
        graph, its static shape in the loop, and what it is in the iteration before, as a
        function of its placeholder.

    Returns:
      The gradients, and a list of the further ones.
    """
    outer = get_default_graph()
    counter = constant(0, name="grad_counter")
    first = [counter, op.inputs[1], op.outputs[0], *(t for g in grads for t in components(g))]
    body = _BodyGradient(op)
    inputs = [body.add_input(t.dtype.base_dtype, t.dims) for t in first]
    further = []

    def computed():
        results, more = derivatives(with_components(list(grads), inputs[3:]))
        for initial, dims, following in more:
            placeholder = body.add_input(initial.dtype, dims)
            inputs.append(placeholder)
            further.append(initial)
            results = [*results, following(placeholder)]
        return [inputs[0] + 1, inputs[1], inputs[2], results]

    build(body, computed)
    body.inputs = inputs + [placeholder for _, placeholder in body.captures]
    body.outputs = body.outputs + body.captured_outputs()
    cond = FuncGraph(op.attrs["cond"].name + "_grad", outer)
    for placeholder in body.inputs:
        cond.add_input(placeholder.dtype, placeholder.dims)
    build(cond, lambda: cond.inputs[0] < cond.inputs[2])
    attrs = {} if control_flow_v2() else {"_of_gradient": True}
    variables = [*first, *further, *body.external_captures]
    # TensorFlow 1 takes the static shapes from what the loop begins with.
    dims = [t.dims for t in (body.outputs if control_flow_v2() else body.inputs)]
    outputs = _add_while(variables, cond, body, dims, f"{op.name}_grad", attrs)
    outputs = [Identity(t) for t in outputs[3 : len(first) + len(further)]]
    count = len(outputs) - len(further)
    return with_components(list(grads), outputs[:count]), outputs[count:]


def _gradient_v2(op, grads):
    """The gradients of all loop variables, of which captures are some that never change."""
    body = op.attrs["body"]
    present = [
        i
        for i, (grad, output) in enumerate(zip(grads, body.outputs, strict=False))
        if grad is not None and _is_differentiable(output)
    ]
    ys = [body.outputs[i] for i in present]
    xs = [body.inputs[i] for i in present]

    def derivatives(grad_ys):
        found = gradients_in(body, ys, xs, grad_ys, unconnected_gradients=_ZERO)
        return [densify(grad) for grad in found], []

    found, _ = _backward_loop(op, [densify(grads[i]) for i in present], derivatives)
    result = [None] * len(grads)
    for i, grad in zip(present, found, strict=True):
        result[i] = grad
    return result


def _gradient_v1(op, grads):
    """As TensorFlow 1 has it: for each tensor from outside a sum that begins with zeros.

    It is IndexedSlices when the body's derivative is, which begin with one row of zeros;
    and there is none for what no derivative of the body leads to, or what the outputs that
    were asked for do not depend on.
    """
    body = op.attrs["body"]
    asked = [i for i, grad in enumerate(grads) if grad is not None]
    leading = _with_predecessors(body, asked, trainable_only=True)
    invariant = [
        i
        for i, (placeholder, output) in enumerate(zip(body.inputs, body.outputs, strict=True))
        if placeholder is output
        and body.captured(placeholder) is not None
        and i in leading
        and is_reached(op.inputs[i])
    ]
    present = [
        i
        for i, placeholder in enumerate(body.inputs)
        if i in leading and body.captured(placeholder) is None
    ]
    seeds = [zeros_for(op.outputs[i]) if grads[i] is None else grads[i] for i in present]
    ys = [body.outputs[i] for i in present]
    variables = [body.inputs[i] for i in present]
    outer = get_default_graph()
    kinds = []

    def derivatives(grad_ys):
        asked = asked_in(body)
        sources = [*variables, *(body.inputs[i] for i in invariant), *asked]
        found = gradients_in(body, ys, sources, grad_ys)
        for x in reversed(asked):  # of one iteration alone, so that no session can fetch it
            answer(x, found.pop())
        results = [
            _like(seed, zeros_for(x) if grad is None else grad)
            for seed, x, grad in zip(grad_ys, variables, found, strict=False)
        ]
        for seed, grad in zip(grad_ys, results, strict=True):
            _check_components(seed, grad)
        more = []
        for i, grad in zip(invariant, found[len(variables) :], strict=True):
            kinds.append(grad)
            with outer.as_default():
                more.extend(_accumulated(op.inputs[i], grad))
        return results, more

    found, sums = _backward_loop(op, seeds, derivatives)
    result = [None] * len(op.inputs)
    for i, grad in zip(present, found, strict=True):
        result[i] = grad
    for i, grad in zip(invariant, with_components(kinds, sums), strict=True):
        result[i] = grad
    return result[: len(grads)]


def _like(seed, grad):
    """A gradient as IndexedSlices if that of the iteration after is."""
    if isinstance(seed, IndexedSlices) and not isinstance(grad, IndexedSlices):
        return as_indexed_slices(grad)
    return grad if isinstance(seed, IndexedSlices) else densify(grad)


def _check_components(seed, grad):
    """What goes round as IndexedSlices in TensorFlow 1 keeps the static shape of its parts."""
    if isinstance(seed, IndexedSlices):
        for before, after in zip(components(seed), components(grad), strict=False):
            if not compatible(before.dims, after.dims):
                raise errors.invalid_argument(
                    "Cannot update edge, incompatible shapes: "
                    f"{bracket_dims(after.dims)} and {bracket_dims(before.dims)}.",
                )


def _accumulated(tensor, grad):
    """A sum's beginning, static shape and continuation, for each component of a gradient."""
    if grad is None:
        return []
    if not isinstance(grad, IndexedSlices):
        if tensor.dtype is dtypes.variant:
            return [(zeros_like(tensor), (), lambda total: add_n([total, grad]))]
        if grad.dims is not None and None not in grad.dims:
            start = zeros(grad.dims, grad.dtype)
        else:
            start = zeros_for(tensor)
        return [(start, start.dims, lambda total: AddV2(total, grad))]
    dims = grad.values.dims
    if dims is not None and None not in dims:
        row = (1, *dims[1:])
    elif tensor.dtype is dtypes.resource:
        row = concat([[1], variable_shape(tensor)[1:]], 0)
    else:
        row = concat([[1], shape_of(tensor)[1:]], 0)
    start = zeros(row, grad.values.dtype)
    dims = None if start.dims is None else (None, *start.dims[1:])
    parts = [
        (start, dims, lambda rows: concat([rows, grad.values], 0)),
        (zeros([1], grad.indices.dtype), (None,), lambda at: concat([at, grad.indices], 0)),
    ]
    if grad.dense_shape is not None:
        rank = grad.dense_shape.dims
        none_yet = zeros_like(grad.dense_shape) if rank == (None,) else zeros(rank, dtypes.int32)
        parts.append((none_yet, None, lambda shape: Maximum(shape, grad.dense_shape)))
    return parts
