"""Evaluates the forward program of a check at other inputs, in the oracle's environment.

Like worker.py, whose pinning it shares, this file runs on Python 3.7 and later with nothing
but that environment's TensorFlow and NumPy. It never asks for a gradient: `tf.gradients` and
`tf.hessians` are replaced by stand-ins, which write down what is asked and give placeholders,
to be fed with numbers that somebody else finds by differencing.

As a script it speaks JSON lines on stdin and stdout, one reply for each request, in order:

    -> {"open": {"build": "...", "gradients": "..."}}
    <- {"opened": {"calls": [...], "stops": [...], ...}}    or {"unjudgeable": "..."}
    -> {"evaluate": {"precision": "float64", "fetches": [...], "feeds": {name: stacked}}}
    <- {"values": [stacked, ...]}                           or {"failed": "..."}
"""

import argparse
import base64
import importlib.util
import json
import os
import re
import sys

# float32 and its kind -> what stands for them; TensorFlow's numbers of dtypes, from types.proto.
PRECISIONS = {
    "float64": {1: 2, 19: 2, 14: 2, 8: 18},
    "complex128": {1: 18, 2: 18, 19: 18, 14: 18, 8: 18},
    "as written": {},
}
STOPS = "StopGradient"
CHANGES_STATE = re.compile(
    r"(Assign|Scatter(Add|Sub|Mul|Div|Min|Max|Update|Nd(Add|Sub|Update))$|Resource(Scatter|Apply)"
    r"|ResourceCountUpTo|Apply|CountUpTo)"
)


class Unjudgeable(Exception):
    """What the program asks has no derivative that differencing could find; it says why."""


def load_worker():
    """worker.py beside this file's folder, without the package that both are part of."""
    folder = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    path = os.path.join(folder, "worker.py")
    spec = importlib.util.spec_from_file_location("gradparity_worker", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Namespace:
    """`tf` with stand-ins for what differentiates; `calls` is what was asked of them."""

    def __init__(self, tf, graph):
        self._tf, self._graph = tf, graph
        self.calls = []
        self.variables = {}  # name of a tensor -> the variable whose value it is

    def __getattr__(self, name):
        return getattr(self._tf, name)

    def gradients(
        self,
        ys,
        xs,
        grad_ys=None,
        name="gradients",
        colocate_gradients_with_ops=False,
        gate_gradients=False,
        aggregation_method=None,
        stop_gradients=None,
        unconnected_gradients=None,
    ):
        """Writes the question down; gives a placeholder for the gradient of each x."""
        call = {
            "kind": "gradients",
            "ys": [self._fetchable(y) for y in _listed(ys)],
            "xs": [self._fetchable(x) for x in _listed(xs)],
            "grad_ys": [None if s is None else self._fetchable(s) for s in _seeds(grad_ys, ys)],
            "stop_gradients": [self._fetchable(t) for t in _listed(stop_gradients or [])],
        }
        placeholders = [self._placeholder(x.dtype, x.shape) for x in call["xs"]]
        return self._written_down(call, placeholders)

    def hessians(self, ys, xs, name="hessians", **settings):
        """Writes down one gradient for each x, and the differences of its elements."""
        found = []
        for x in _listed(xs):
            (gradient,) = self.gradients(ys, [x])
            if gradient is None:
                raise Unjudgeable("a tensor that is no number has no Hessian")
            x = self._fetchable(x)
            call = {"kind": "jacobian", "ys": [gradient], "xs": [x], "grad_ys": [None]}
            shape = gradient.shape.concatenate(x.shape)
            made = self._written_down(
                dict(call, stop_gradients=[]), [self._placeholder(x.dtype, shape)]
            )
            found.append(made[0])
        return found

    def _placeholder(self, dtype, shape):
        if not (dtype.base_dtype.is_floating or dtype.base_dtype.is_complex):
            return None
        return self._tf.placeholder(dtype.base_dtype, shape)

    def _written_down(self, call, placeholders):
        call["outputs"] = placeholders
        self.calls.append(call)
        return placeholders

    def _fetchable(self, thing):
        """A tensor that can be fetched; a variable's value stands for it."""
        outermost = self._tf.get_default_graph() is self._graph
        if not outermost or self._graph._get_control_flow_context() is not None:
            raise Unjudgeable("tf.gradients is asked inside a branch, a loop or a function")
        if hasattr(thing, "initializer") and hasattr(thing, "initial_value"):
            # A read of its own, for which the variable is loaded; a program's own are fed.
            tensor = self._tf.identity(thing)
            self.variables[tensor.name] = thing
            return tensor
        tensor = self._tf.convert_to_tensor(thing)
        if tensor.dtype != tensor.dtype.base_dtype or tensor.dtype.name == "resource":
            raise Unjudgeable("a variable's handle is asked for by itself")
        if tensor.graph is not self._graph:
            raise Unjudgeable("tf.gradients is asked across graphs")
        return tensor


def _listed(things):
    return list(things) if isinstance(things, (list, tuple)) else [things]


def _seeds(grad_ys, ys):
    return [None] * len(_listed(ys)) if grad_ys is None else _listed(grad_ys)


class Opened:
    """A program, built once, that can be evaluated at any inputs.

    Args:
      program: "build" and "gradients", as `gradparity.program.Program` has them.
      tf: `tensorflow.compat.v1`.
      np: NumPy.
      config: the sessions' `tf.ConfigProto`.

    Raises:
      Unjudgeable: see there.
      Exception: whatever the program raises.
    """

    def __init__(self, program, tf, np, config):
        self._tf, self._np, self._config = tf, np, config
        self._loaded = {}
        self._codes = []  # TensorFlow reads the code that made an op when it reports an error
        graph = tf.Graph()
        namespace = Namespace(tf, graph)
        names = {"tf": namespace, "np": np}
        with graph.as_default():
            for stage in ("build", "gradients"):
                self._codes.append(compile(program[stage], "<%s>" % stage, "exec"))
                exec(self._codes[-1], names)
            self._initializers = [v.initializer.name for v in tf.global_variables()]
        self._graph = graph
        self._feeds = {
            tensor.name: np.asarray(value, tensor.dtype.base_dtype.as_numpy_dtype)
            for tensor, value in names["feeds"].items()
        }
        self._definition = graph.as_graph_def()
        self._loads = {
            name: (variable.initializer.name, variable.initializer.inputs[1].name)
            for name, variable in namespace.variables.items()
        }
        self.description = self._described(namespace.calls, names["gradients"])

    def _described(self, calls, gradients):
        """What there is to know before the first evaluation; JSON-able."""
        if not calls:
            raise Unjudgeable("the program asks for no gradient")
        outputs = {
            output.op: output.name
            for call in calls
            for output in call["outputs"]
            if output is not None
        }
        reached = self._ancestors(
            [t for call in calls for t in call["ys"] + call["grad_ys"] if t is not None]
        )
        self._refuse(reached)
        functions = self._definition.library.function
        types = {op.type for op in reached}
        types.update(node.op for function in functions for node in function.node_def)

        def about(tensor):
            return {
                "name": tensor.name,
                "dtype": tensor.dtype.base_dtype.name,
                "needs": sorted(outputs[op] for op in self._ancestors([tensor]) if op in outputs),
                "variable": tensor.name in self._loads,
            }

        def described(call):
            return {
                "kind": call["kind"],
                "outputs": [None if output is None else output.name for output in call["outputs"]],
                "ys": [about(y) for y in call["ys"]],
                "xs": [about(x) for x in call["xs"]],
                "grad_ys": [None if seed is None else about(seed) for seed in call["grad_ys"]],
                "stop_gradients": [about(t) for t in call["stop_gradients"]],
            }

        return {
            "calls": [described(call) for call in calls],
            "judged": [_origin(gradient, calls) for gradient in gradients],
            "stops": [
                about(op.outputs[0])
                for op in sorted(reached, key=lambda op: op.name)
                if op.type == STOPS
            ],
            "op_types": sorted(types),
            "dtypes": sorted({t.dtype.base_dtype.name for op in reached for t in op.outputs}),
            "conjugates": any(
                op.type.startswith("BatchMat") and (op.get_attr("adj_x") or op.get_attr("adj_y"))
                for op in reached
            ),
        }

    def _refuse(self, reached):
        for op in sorted(reached, key=lambda op: op.name):
            if CHANGES_STATE.match(op.type):
                raise Unjudgeable("the graph changes variables (%s)" % op.type)
            if op.type == STOPS and op._get_control_flow_context() is not None:
                raise Unjudgeable("tf.stop_gradient stands inside a branch or a loop")
        for function in self._definition.library.function:
            if any(node.op == STOPS for node in function.node_def):
                raise Unjudgeable("tf.stop_gradient stands inside a branch, a loop or a function")

    def _ancestors(self, tensors):
        """All ops that these tensors are computed from, their own included."""
        found = set()
        waiting = [tensor.op for tensor in tensors]
        while waiting:
            op = waiting.pop()
            if op not in found:
                found.add(op)
                waiting += [tensor.op for tensor in op.inputs]
                waiting += op.control_inputs
        return found

    def evaluate(self, precision, fetches, feeds):
        """The values of `fetches` at each of several points.

        Args:
          precision: a key of `PRECISIONS`.
          fetches: names of tensors.
          feeds: name -> values for it, stacked: `[points, ...]`. What is not fed is as in
            the program. A tensor that stands for a variable is loaded into the variable.

        Returns:
          For each fetch its values, stacked; NaN at points where its shape is another.

        Raises:
          Exception: whatever TensorFlow raises.
        """
        if precision not in self._loaded:
            self._loaded[precision] = _Loaded(
                self._definition,
                PRECISIONS[precision],
                self._initializers,
                self._feeds,
                self._tf,
                self._config,
            )
        return self._loaded[precision].evaluate(fetches, feeds, self._loads, self._np)

    def close(self):
        """Frees the sessions."""
        for loaded in self._loaded.values():
            loaded.session.close()


def _origin(gradient, calls):
    """Which output of which call a gradient is; None for none."""
    for i, call in enumerate(calls):
        for position, output in enumerate(call["outputs"]):
            if output is not None and output is gradient:
                return [i, position]
    return None


class _Loaded:
    """The program's graph in one precision, with a session of its own."""

    def __init__(self, definition, dtypes, initializers, feeds, tf, config):
        changed = type(definition)()
        changed.CopyFrom(definition)
        _change(changed, dtypes, tf)
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.import_graph_def(changed, name="")
        self.session = tf.Session(graph=self._graph, config=config)
        self._feeds = {name: self._cast(name, value) for name, value in feeds.items()}
        if initializers:
            self.session.run(initializers, self._feeds)
        self._callables = {}
        self._loaded = {}  # variable's tensor -> what was there at first, for those overwritten

    def _cast(self, name, value):
        return value.astype(self._dtype(name))

    def _dtype(self, name):
        return self._graph.get_tensor_by_name(name).dtype.base_dtype.as_numpy_dtype

    def evaluate(self, fetches, feeds, loads, np):
        points = max([len(values) for values in feeds.values()] or [1])
        feeds = {name: values.astype(self._dtype(name)) for name, values in feeds.items()}
        given = {name: values for name, values in feeds.items() if name not in loads}
        loaded = {name: values for name, values in feeds.items() if name in loads}
        run_fetches = sorted({name for name in fetches if name not in feeds})
        constant = {name: v for name, v in self._feeds.items() if name not in feeds}
        names = list(constant) + list(given)
        run = self._callable(run_fetches, names)
        self._restore(set(self._loaded) - set(loaded), loads)
        found = {name: [] for name in run_fetches}
        for point in range(points):
            for name, values in loaded.items():
                self._load(name, values[point], loads)
            arguments = list(constant.values()) + [values[point] for values in given.values()]
            for name, value in zip(run_fetches, run(*arguments)):
                found[name].append(np.asarray(value))
        return [feeds[name] if name in feeds else _stacked(found[name], np) for name in fetches]

    def _callable(self, fetches, feeds):
        key = tuple(fetches), tuple(feeds)
        if key not in self._callables:
            self._callables[key] = (
                self.session.make_callable(fetches, feeds) if fetches else lambda *arguments: []
            )
        return self._callables[key]

    def _load(self, name, value, loads):
        if name not in self._loaded:
            self._loaded[name] = self.session.run(name, self._feeds)
        initializer, argument = loads[name]
        self._callable([initializer], [argument])(value)

    def _restore(self, names, loads):
        for name in names:
            self._load(name, self._loaded[name], loads)
            del self._loaded[name]


def _stacked(values, np):
    """Arrays as one; where one has another shape than most, the function is not defined."""
    shapes = [value.shape for value in values]
    usual = max(set(shapes), key=shapes.count)
    return np.stack([v if v.shape == usual else np.full(usual, np.nan) for v in values])


def _change(definition, dtypes, tf):
    """Puts other dtypes in the place of a graph's own, everywhere in its definition."""
    nodes = list(definition.node)
    for function in definition.library.function:
        nodes += function.node_def
        for argument in list(function.signature.input_arg) + list(function.signature.output_arg):
            argument.type = dtypes.get(argument.type, argument.type)
            _forget_full_type(argument)
        for value in function.attr.values():
            _change_attribute(value, dtypes, tf)
    for node in nodes:
        _forget_full_type(node)
        for value in node.attr.values():
            _change_attribute(value, dtypes, tf)


def _forget_full_type(part):
    for field in ("experimental_type", "experimental_full_type"):
        if field in part.DESCRIPTOR.fields_by_name:
            part.ClearField(field)


def _change_attribute(value, dtypes, tf):
    value_kind = value.WhichOneof("value")
    if value_kind == "type":
        value.type = dtypes.get(value.type, value.type)
    elif value_kind == "tensor":
        _change_tensor(value.tensor, dtypes, tf)
    elif value_kind == "func":
        for part in value.func.attr.values():
            _change_attribute(part, dtypes, tf)
    elif value_kind == "list":
        for i, dtype in enumerate(value.list.type):
            value.list.type[i] = dtypes.get(dtype, dtype)
        for tensor in value.list.tensor:
            _change_tensor(tensor, dtypes, tf)


def _change_tensor(tensor, dtypes, tf):
    if tensor.dtype in dtypes:
        dtype = tf.as_dtype(dtypes[tensor.dtype]).as_numpy_dtype
        tensor.CopyFrom(tf.make_tensor_proto(tf.make_ndarray(tensor).astype(dtype)))


class Evaluator:
    """Answers requests, in one profile.

    Args:
      namespace: the module to import.
      profile: "tf1" or "v2".
      worker: the module that worker.py is.
    """

    def __init__(self, namespace, profile, worker):
        self._np, self._tf = worker.import_side(namespace, "default")
        self._worker = worker
        if profile == "tf1":
            self._tf.disable_v2_behavior()
        else:
            self._tf.enable_v2_behavior()
        self._config = worker.session_config(self._tf, worker.settings_of("default"))
        self._registered = worker.RegisteredGradients(self._tf)
        self._opened = None

    def answer(self, request):
        """The reply to one request."""
        return self._open(request["open"]) if "open" in request else self._evaluate(request)

    def _open(self, program):
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        try:
            self._opened = Opened(program, self._tf, self._np, self._config)
            return {"opened": self._opened.description}
        except Unjudgeable as reason:
            return {"unjudgeable": str(reason)}
        except Exception as error:  # the program's own, or one that the stand-ins bring about
            return {"unjudgeable": "it cannot be built without its gradients: %s" % _brief(error)}
        finally:
            self._registered.forget()

    def _evaluate(self, request):
        asked = request["evaluate"]
        try:
            feeds = {name: decode(array, self._np) for name, array in asked["feeds"].items()}
            values = self._opened.evaluate(asked["precision"], asked["fetches"], feeds)
            return {"values": [self._worker.encode_array(value) for value in values]}
        except Exception as error:  # whatever TensorFlow cannot do in this precision
            return {"failed": _brief(error)}


def decode(array, np):
    """The inverse of the worker's `encode_array`, for numbers that NumPy knows."""
    data = base64.b64decode(array["bytes"])
    return np.frombuffer(data, dtype=array["dtype"]).reshape(array["shape"])


def _brief(error):
    lines = str(error).strip().splitlines() or [""]
    return "%s: %s" % (type(error).__name__, lines[0][:200])


def main():
    """Answers requests on stdin until it ends."""
    worker = load_worker()
    if os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]  # modules beside this file would shadow the environment's
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--profile", choices=["tf1", "v2"], required=True)
    parser.add_argument("--path", action="append", default=[], help="prepended to sys.path")
    parser.add_argument("--memory-limit", type=int, metavar="BYTES")
    arguments = parser.parse_args()
    sys.path[:0] = arguments.path
    worker.end_with_parent()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    evaluator = Evaluator(arguments.namespace, arguments.profile, worker)
    if arguments.memory_limit is not None:
        worker.limit_memory(arguments.memory_limit)
    replies.write(json.dumps({"ready": True}) + "\n")
    replies.flush()
    for line in sys.stdin:
        replies.write(json.dumps(evaluator.answer(json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
