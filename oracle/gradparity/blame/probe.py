"""The probe: runs inside a side, records a program's gradient calls and answers about them.

Its source travels to the worker as text, in front of the program: like worker.py it runs on
Python 3.7 and later with nothing but the namespace that it is given. All that it finds out it
answers as tensors, the description of a graph as a string, so that a worker needs not know it.
"""

import json

TRAINABLE = frozenset(
    ["float16", "bfloat16", "float32", "float64", "complex64", "complex128", "resource", "variant"]
)
"""What `tf.gradients` crosses, by dtype."""

FUNCTIONAL = frozenset(
    [
        *("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"),
        *("PartitionedCall", "StatefulPartitionedCall", "SymbolicGradient"),
    ]
)
"""Ops whose work is done in graphs of their own."""

DEAD_ENDS = frozenset(
    ["Switch", "RefSwitch", "Enter", "RefEnter", "NextIteration", "RefNextIteration"]
)
"""Ops of TensorFlow 1's control flow with outputs that no session can fetch."""

ARGUMENTS = (
    *("ys", "xs", "grad_ys", "name", "colocate_gradients_with_ops", "gate_gradients"),
    *("aggregation_method", "stop_gradients", "unconnected_gradients"),
)
"""Of `tf.gradients`, in order."""


class Namespace:
    """Stands in for `tf` in a program; whatever is not watched is the namespace's own."""

    def __init__(self, tf, probe):
        self._watched = {
            "gradients": probe.gradients,
            "hessians": probe.hessians,
            "cond": probe.cond,
            "while_loop": probe.while_loop,
        }
        self._tf = tf

    def __getattr__(self, name):
        """A watched function, else the namespace's."""
        return self._watched.get(name) or getattr(self._tf, name)


class Call:
    """One call of `tf.gradients`: tensors, the other arguments, what it gave or raised."""

    def __init__(self, ys, xs, settings):
        self.ys = ys
        self.xs = xs
        self.settings = settings
        self.results = []
        self.error = None


class Probe:
    """Watches one program.

    Args:
      tf: the namespace.
      decisions: what the first calls of `tf.cond` and `tf.while_loop` are replaced by: the
        branch (1 or 0), and the number of passes.
      counting: whether the first such call without a decision is to tell what it decides.
    """

    def __init__(self, tf, decisions, counting):
        self._tf = tf
        self._graph = tf.get_default_graph()
        self._decisions = list(decisions)
        self._counting = counting
        self._choice = None
        self._calls = []
        self.tf = Namespace(tf, self)

    # What a program calls

    def gradients(self, *arguments, **named):
        """As `tf.gradients`, noted down; an error is noted instead of raised."""
        settings = dict(zip(ARGUMENTS, arguments), **named)
        if not self._in_main_graph():
            return self._tf.gradients(**settings)
        ys, xs = _as_list(settings.pop("ys")), _as_list(settings.pop("xs"))
        settings.pop("name", None)
        call = None
        if all(_is_symbol(each) for each in ys + xs):
            call = Call([self._tensor(y) for y in ys], [_of_variable(x) for x in xs], settings)
            self._calls.append(call)
        try:
            results = self._tf.gradients(ys, xs, **settings)
        except Exception as error:
            if call is None:
                raise
            call.error = error
            return [None] * len(xs)
        if call is not None:
            call.results = [getattr(g, "values", g) for g in results if g is not None]
        return results

    def hessians(self, ys, xs, **named):
        """A Hessian times fixed weights, which differs wherever the Hessian is likely to."""
        tf = self._tf
        firsts = [g for g in self.gradients(ys, xs) if g is not None]
        firsts = [tf.convert_to_tensor(g) for g in firsts]
        weights = [
            tf.reshape(tf.cast(tf.range(1, tf.size(g) + 1), g.dtype), tf.shape(g)) for g in firsts
        ]
        return self.gradients(firsts, xs, grad_ys=weights)

    def cond(self, pred, true_fn=None, false_fn=None, strict=False, name=None, **named):
        """As `tf.cond`, or the branch that was decided on, as if it stood there by itself."""
        if named or not hasattr(pred, "value_index") or not self._in_main_graph():
            return self._tf.cond(pred, true_fn, false_fn, strict, name, **named)
        if self._decisions:
            result = (true_fn if self._decisions.pop(0) else false_fn)()
            if isinstance(result, (list, tuple)):
                result = type(result)(self._tensor(each) for each in result)
                return result[0] if len(result) == 1 and not strict else result
            return self._tensor(result)
        if self._choice is None:
            self._choice = self._tf.cast(pred, self._tf.int32) if self._counting else True
        return self._tf.cond(pred, true_fn, false_fn, strict, name)

    def while_loop(self, cond, body, loop_vars, *arguments, **named):
        """As `tf.while_loop`, or that many copies of the body, one after the other."""
        tf = self._tf
        if arguments or not self._in_main_graph() or not named.get("back_prop", True):
            return tf.while_loop(cond, body, loop_vars, *arguments, **named)
        values = [self._tensor(value) for value in _as_list(loop_vars)]
        if self._decisions:
            for _ in range(self._decisions.pop(0)):
                values = [self._tensor(value) for value in _as_list(body(*values))]
            alone = len(values) == 1 and not named.get("return_same_structure", False)
            return values[0] if alone else values
        if self._choice is None:
            self._choice = True
            if self._counting:
                limit = named.get("maximum_iterations")
                self._choice = tf.while_loop(
                    lambda count, *rest: cond(*rest),
                    lambda count, *rest: [count + 1, *_as_list(body(*rest))],
                    [tf.constant(0), *values],
                    **({} if limit is None else {"maximum_iterations": limit}),
                )[0]
        return tf.while_loop(cond, body, loop_vars, **named)

    def _in_main_graph(self):
        graph = self._tf.get_default_graph()
        context = getattr(graph, "_get_control_flow_context", lambda: None)()
        return graph is self._graph and context is None

    def _tensor(self, value):
        """A value as the tensor that TensorFlow makes of it; lists, TensorArrays stay."""
        if hasattr(value, "value_index") or hasattr(value, "flow"):
            return value
        if isinstance(value, (list, tuple, dict)) or value is None:
            return value
        return self._tf.convert_to_tensor(value)

    # What a request asks

    def answer(self, names, request):
        """The tensors that answer a request.

        Args:
          names: the program's names, for tensors to be called by.
          request: "call" (which one, from 0; absent for a description of all), and the names
            of the tensors whose value ("forward") and whose gradient ("gradients") is asked,
            and "local": pairs of outputs and inputs, of which the outputs' gradients are
            carried to the inputs and no further.

        Returns:
          The lists `ys` (a description as JSON, then forward values) and `gradients` (those
          asked for, then those of each local question; None after an error).
        """
        if self._counting:
            known = self._choice is not None and self._choice is not True
            return [self._text({"choice": known})] + [self._choice] * known, []
        if "call" not in request:
            return [self._text(self._description(names))], []
        call = self._calls[request["call"]]
        forward = [self._graph.get_tensor_by_name(name) for name in request["forward"]]
        asked = [self._graph.get_tensor_by_name(name) for name in request["gradients"]]
        gradients = self._tf.gradients(call.ys, asked, **call.settings) if asked else []
        incoming = dict(zip(request["gradients"], gradients))
        errors = {}
        for number, (outputs, inputs) in enumerate(request["local"]):
            try:
                gradients = gradients + self._local(call, outputs, inputs, incoming)
            except Exception as error:
                errors[number] = _error(error)
                gradients = gradients + [None] * len(inputs)
        return [self._text({"errors": errors}), *forward], gradients

    def _local(self, call, outputs, inputs, incoming):
        """What an operation makes of the gradients of its outputs, and nothing before it."""
        outputs = [name for name in outputs if incoming[name] is not None]
        ends = [self._graph.get_tensor_by_name(name) for name in inputs]
        kept = {key: call.settings.get(key) for key in ("gate_gradients", "aggregation_method")}
        return self._tf.gradients(
            [self._graph.get_tensor_by_name(name) for name in outputs],
            ends,
            grad_ys=[incoming[name] for name in outputs],
            stop_gradients=ends,
            **{key: value for key, value in kept.items() if value is not None},
        )

    def _text(self, data):
        return self._tf.constant(json.dumps(data))

    def _description(self, names):
        positions = {op: n for n, op in enumerate(self._graph.get_operations())}
        return {
            "labels": labels(names, self._graph),
            "choices": self._choice is not None,
            "calls": [self._describe(call, positions) for call in self._calls],
        }

    def _describe(self, call, positions):
        ends = [each.op for each in call.ys + call.xs]
        between = _between(_ancestors(y.op for y in call.ys), call)
        cone = sorted(_ancestors(ends), key=lambda op: positions[op])
        described = {
            "ys": [y.name for y in call.ys],
            "xs": [x.name for x in call.xs],
            "results": [result.name for result in call.results],
            "ops": [describe_op(op, op in between) for op in cone],
            "error": None,
        }
        if call.error is not None:
            culprit = self._culprit(call, [op for op in cone if op in between][::-1])
            described["error"] = dict(
                _error(call.error), op=None if culprit is None else culprit.name
            )
        return described

    def _culprit(self, call, between):
        """The operation at which differentiating raises, or None when it is at none.

        Asked for the outputs of the latest operations alone, `tf.gradients` differentiates
        what takes these and nothing before: the fewest that raise tell where.
        """
        stopped = _as_list(call.settings.get("stop_gradients") or [])

        def raises(xs, stops=()):
            settings = dict(call.settings, stop_gradients=stopped + list(stops))
            try:
                self._tf.gradients(call.ys, xs, **settings)
            except Exception:
                return True
            return False

        def outputs(count):
            return [t for op in between[:count] for t in op.outputs] or call.ys[:1]

        low, high = 0, len(between)  # does not raise with `low` of them, raises with `high`
        if raises(outputs(low)) or not raises(outputs(high)):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if raises(outputs(middle)) else (middle, high)
        takers = [op for op in between if any(t.op is between[high - 1] for t in op.inputs)]
        for op in takers[::-1]:  # what is behind it, it keeps gradients from
            if not raises(outputs(high), op.outputs[:1]):
                return op
        return takers[0] if takers else None


def _as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def labels(names, graph):
    """A program's name for a tensor of `graph` -> the tensor's own."""
    found = {}
    for label, value in names.items():
        if _is_symbol(value) and not label.startswith("_") and not hasattr(value, "indices"):
            tensor = _of_variable(value)
            if tensor.graph is graph:
                found[label] = tensor.name
    return found


def _is_symbol(value):
    """Whether a value is a tensor or a variable; its class may hold the attributes, too."""
    return not isinstance(value, type) and (hasattr(value, "value_index") or _has_handle(value))


def _has_handle(value):
    return hasattr(value, "initializer") and hasattr(value, "op") and hasattr(value.op, "outputs")


def _of_variable(value):
    """The tensor that stands for a variable in `tf.gradients`; a tensor for itself."""
    return value if hasattr(value, "value_index") else value.op.outputs[0]


def _ancestors(ops):
    found, pending = set(), list(ops)
    while pending:
        op = pending.pop()
        if op not in found:
            found.add(op)
            pending.extend(tensor.op for tensor in op.inputs)
    return found


def _between(cone, call):
    """The operations on a path from an x to a y, as `tf.gradients` finds them."""
    consumers = {}
    for op in cone:
        for tensor in op.inputs:
            if tensor.dtype.base_dtype.name in TRAINABLE:
                consumers.setdefault(tensor.op, []).append(op)
    reached, pending = set(), [x.op for x in call.xs if x.op in cone]
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            pending.extend(consumers.get(op, ()))
    return reached


def describe_op(op, between):
    """An operation as the data that `blame.graph.Op` is made of."""
    context = getattr(op, "_get_control_flow_context", lambda: None)()
    outer = context
    while outer is not None and outer.outer_context is not None:
        outer = outer.outer_context
    region = "" if outer is None else outer.name.rpartition("/")[0]
    if op.type in FUNCTIONAL:
        region = op.name
    outside = context is None or (op.type in ("Exit", "RefExit") and context is outer)
    return {
        "name": op.name,
        "type": op.type,
        "inputs": [tensor.name for tensor in op.inputs],
        "outputs": [[tensor.name, tensor.dtype.base_dtype.name] for tensor in op.outputs],
        "between": between,
        "region": region,
        "fetchable": outside and op.type not in DEAD_ENDS,
        "line": _line(op),
    }


def _line(op):
    """The line of the program's graph that made an operation, or None."""
    frames = getattr(op, "traceback", None) or ()
    lines = [frame.lineno for frame in frames if frame.filename == "<build>"]
    return lines[-1] if lines else None


def _error(error):
    return {"type": type(error).__name__, "message": str(error)[:2000]}
