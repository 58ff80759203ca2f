"""One side's answers: runs TensorFlow programs in a namespace, here or behind JSON lines.

This file is all that another environment needs: it runs on Python 3.7 and later with
nothing but that environment's TensorFlow (or whatever module wears `tf.compat.v1`'s API)
and NumPy, so it imports nothing from gradparity.

As a script it speaks JSON lines on stdin and stdout:

    -> {"run": 7, "program": {"build": "...", "gradients": "...", ...}}
    <- {"ready": {...versions and configuration...}}          once, at the start
    <- {"id": 7, "outcome": {...}}                            one for each request, in order

and ends when stdin does. As a nursery it imports its namespace once and forks such workers,
see `nurse`.
"""

import argparse
import array
import base64
import contextlib
import functools
import gc
import importlib
import json
import os
import platform
import re
import select
import signal
import socket
import sys
import threading
import time
import traceback
import weakref

PROTOCOL = 1
MESSAGE_LIMIT = 2000  # characters kept of an error message
TRACE_LIMIT = 100_000  # characters looked at: TensorFlow appends whole stack traces
PARENT_WATCH = 1.0  # seconds between two looks at whether the parent still lives
THREADS_END = 0.5  # seconds in which threads that were joined are gone for the system, too
ORPHANED = 1  # the exit status of a worker whose parent has ended
ORDER_LIMIT = 4096  # bytes in an order to a nursery
COLLECT_EVERY = 64  # programs between two garbage collections; graphs are reference cycles


# Of a stack trace in a message: each frame that is not the program's own, with its source line.
FRAMES_OF_LIBRARIES = re.compile(
    r'^( *)File "(?!<)[^"\n]*", line \d+.*\n?(?:\1 +(?!File ").*\n?)*', re.MULTILINE
)
# What no two runs or machines have in common in messages, and what stands for it.
UNSTABLE = [
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "0x..."),
    (re.compile(r"\bCustomGradient-\d+\b"), "CustomGradient-..."),
    (re.compile(r"\bFuncGraph\(name=(\w+?)_\d+, id=\d+\)"), r"FuncGraph(name=\1_..., id=...)"),
    (re.compile(r"[^\s\"'(]*/site-packages/"), ""),
    # It counts frames of libraries, too.
    (re.compile(r"\[elided \d+ identical lines from previous traceback\]\n?"), ""),
]


@contextlib.contextmanager
def no_context():
    """A context that does nothing, as often as it is asked to."""
    yield


def stable_message(text):
    """An error's message without addresses, paths and counters; it may be cut."""
    text = FRAMES_OF_LIBRARIES.sub("", text[:TRACE_LIMIT])[: 2 * MESSAGE_LIMIT]
    for pattern, replacement in UNSTABLE:
        text = pattern.sub(replacement, text)
    return text[:MESSAGE_LIMIT]


def execute(program, tf, np, session_config=None, path=None):
    """Runs one program in the namespace `tf` and returns its outcome.

    Args:
      program: the stages of a check as source code, see `gradparity.program.Program`:
        "build" (ends by binding `ys`, `xs` and `feeds`) and "gradients" (binds `gradients`).
      tf: the module that wears `tensorflow.compat.v1`'s API.
      np: NumPy.
      session_config: passed to `tf.Session` when not None.
      path: by which of the namespace's paths the program is asked, see `AsWritten`.

    Returns:
      A JSON-able dictionary; `gradparity.outcome.Outcome` describes its fields.
    """
    path = path or AsWritten(tf)
    graph, namespace, recording = path.begin()
    names = {"tf": namespace, "np": np}
    outcome = {"ys": [], "gradients": [], "error": None, "op_types": [], "seconds": {}}
    stage = "build"
    # TensorFlow's ops point into the code that made them, and read it when an error of the
    # run names them: it must outlive the run (without this, TensorFlow 2.21 segfaults).
    code = []
    started = time.perf_counter()
    try:
        with graph.as_default(), recording:
            code.append(compiled(program["build"], "<build>"))
            exec(code[-1], names)
            stage, started = _stage_done(outcome, stage, started, "gradients")
            code.append(compiled(program["gradients"], "<gradients>"))
            exec(code[-1], names)
            stage, started = _stage_done(outcome, stage, started, "run")
            ys, gradients = names["ys"], names["gradients"]
            settings = {} if session_config is None else {"config": session_config}
            with tf.Session(graph=graph, **settings) as session:
                if tf.global_variables():
                    session.run(tf.global_variables_initializer(), names["feeds"])
                fetches = [tensor for tensor in ys + gradients if tensor is not None]
                values = iter(path.run(session, fetches, names["feeds"]))
            outcome["ys"] = [_describe(y, next(values), np) for y in ys]
            outcome["made_by"] = [_maker(y) for y in ys]
            outcome["gradients"] = [
                None if gradient is None else _describe(gradient, next(values), np)
                for gradient in gradients
            ]
            _stage_done(outcome, stage, started, None)
    except Exception as error:  # whatever the program raises is its answer
        outcome["seconds"][stage] = time.perf_counter() - started
        outcome["ys"], outcome["gradients"] = [], []
        outcome["error"] = {
            "stage": stage,
            "type": type(error).__name__,
            "message": stable_message(str(error)),
            "line": _source_line(error, "<%s>" % stage),
        }
    outcome["op_types"] = sorted({op.type for op in graph.get_operations()})
    return outcome


@functools.lru_cache(maxsize=32)  # a case asks the same graph for many gradients in a row
def compiled(source, filename):
    """A stage's source as code."""
    return compile(source, filename, "exec")


def _stage_done(outcome, stage, started, following):
    now = time.perf_counter()
    outcome["seconds"][stage] = now - started
    return following, now


def _source_line(error, filename):
    """The line of the program's source in which `error` arose, or None."""
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == filename
    ]
    return lines[0] if lines else None


def _maker(symbol):
    """The op of several outputs that made a tensor: its type, its name, and which output it is."""
    op = getattr(symbol, "op", None)
    if len(getattr(op, "outputs", ())) < 2:
        return None
    return [op.type, op.name, symbol.value_index]


def _describe(symbol, value, np):
    """A fetched tensor or IndexedSlices: what was known before the run, and its value."""
    if hasattr(symbol, "indices"):
        return {
            "kind": "sparse",
            "values": _describe(symbol.values, value.values, np),
            "indices": _describe(symbol.indices, value.indices, np),
            "dense_shape": None
            if symbol.dense_shape is None
            else _describe(symbol.dense_shape, value.dense_shape, np),
        }
    shape = symbol.shape
    return {
        "kind": "dense",
        "dtype": symbol.dtype.base_dtype.name,
        "static_shape": None if shape.ndims is None else shape.as_list(),
        "value": encode_array(np.asarray(value)),
    }


@functools.lru_cache(maxsize=None)  # NumPy makes a name anew each time it is asked
def dtype_name(dtype):
    """The name of a NumPy dtype."""
    return dtype.name


def encode_array(array):
    """An array as JSON: exact, for every dtype; strings as a flat list of base64 texts."""
    encoded = {"dtype": dtype_name(array.dtype), "shape": list(array.shape)}
    if array.dtype.kind in "OSU":
        encoded["dtype"] = "string"
        encoded["strings"] = [
            _base64(item if isinstance(item, bytes) else str(item).encode("utf-8"))
            for item in array.ravel().tolist()
        ]
    else:
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        encoded["bytes"] = _base64(array.tobytes())
    return encoded


def _base64(data):
    return base64.b64encode(data).decode("ascii")


class AsWritten:
    """A path through a namespace: the graph as it is built, gradients by `tf.gradients`.

    Args:
      tf: the module that wears `tensorflow.compat.v1`'s API.
    """

    def __init__(self, tf):
        self._tf = tf

    def begin(self):
        """For one program: a new graph, what it sees as `tf`, and a context to build it in."""
        return self._tf.Graph(), self._tf, no_context()

    def run(self, session, fetches, feeds):
        """What `tf.Session.run` returns for a list of fetches."""
        return session.run(fetches, feeds)


class NotCompiledError(Exception):
    """XLA left ops of the graph that compute something to TensorFlow's own kernels."""


class Compiled(AsWritten):
    """Through XLA: TensorFlow clusters the ops of the graph and compiles what it can.

    A run in which another kernel than XLA's computed anything has no answer of XLA's.
    """

    def run(self, session, fetches, feeds):
        """See `AsWritten.run`. Raises NotCompiledError with the ops that XLA was not given."""
        metadata = self._tf.RunMetadata()
        options = self._tf.RunOptions(output_partition_graphs=True)
        values = session.run(fetches, feeds, options=options, run_metadata=metadata)
        rest = {
            node.op
            for partition in metadata.partition_graphs
            for node in partition.node
            if not (MOVES_DATA.match(node.op) or is_fallback(node))
        }
        if rest:
            raise NotCompiledError("XLA was not given: %s" % ", ".join(sorted(rest)))
        return values


# Ops that bring values to XLA's clusters, keep them between these or choose among them.
MOVES_DATA = re.compile(
    r"_\w+|Const|Placeholder\w*|Variable\w*|VarHandleOp|ReadVariableOp|Assign|AssignVariableOp"
    r"|VarIsInitializedOp|IsVariableInitialized|Identity|IdentityN|NoOp|ControlTrigger|Snapshot"
    r"|StopGradient|PreventGradient|(Ref)?(Switch|Merge|Enter|Exit|NextIteration)|LoopCond"
    r"|Shape|ShapeN|Size|Rank|Fill|Stack\w*V2|EmptyTensorList|TensorList\w+|TensorArray\w+V3"
)


def is_fallback(node):
    """Whether a node of a run graph is what would run a cluster that XLA did not compile."""
    return node.op == "StatefulPartitionedCall" and node.attr["f"].func.name.startswith("cluster_")


class NotExpressibleError(Exception):
    """`tf.GradientTape` has no way to say what `tf.gradients` was asked."""


class Taped(AsWritten):
    """Through `tf.GradientTape`, which watches every tensor from the moment it is made.

    So each of them can be an x, as it can be for `tf.gradients`. Gradients that TensorFlow's
    own code asks for, as in `tf.train.Optimizer.compute_gradients`, stay `tf.gradients`'.
    """

    def begin(self):
        """See `AsWritten.begin`."""
        tape = self._tf.GradientTape(persistent=True)
        watcher = weakref.ref(tape)  # a tape holds its graph where no garbage collector looks

        class WatchedGraph(self._tf.Graph):
            def _create_op_internal(self, *args, **kwargs):
                op = super(WatchedGraph, self)._create_op_internal(*args, **kwargs)
                # The inputs again: where variables are made a tape is deaf, and it forgets
                # the result of an operation that is registered as not differentiable.
                for tensor in list(op.inputs) + list(op.outputs):
                    if can_be_watched(tensor):
                        watcher().watch(tensor)
                return op

        return WatchedGraph(), TapedNamespace(self._tf, tape, WatchedGraph), self._recording(tape)

    @contextlib.contextmanager
    def _recording(self, tape):
        def made(next_creator, **kwargs):
            variable = next_creator(**kwargs)
            # A call of a function asks what is watched before there is an operation.
            if not hasattr(variable, "handle") and can_be_watched(variable.value()):
                tape.watch(variable.value())
            return variable

        with tape, self._tf.variable_creator_scope(made):
            yield


def can_be_watched(tensor):
    """Whether a tape may watch a tensor: of a floating-point dtype, or a variable's handle."""
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex or dtype.name == "resource"


class TapedNamespace:
    """`tf`, but that `tf.gradients` is `tape.gradient`, and the tape watches every graph."""

    def __init__(self, tf, tape, graph):
        self._tf = tf
        self._tape = tape
        self.Graph = graph

    def __getattr__(self, name):
        return getattr(self._tf, name)

    def hessians(self, *args, **kwargs):
        """Has no counterpart: `tape.jacobian` maps over rows in another way."""
        raise NotExpressibleError("tf.hessians has no counterpart in tf.GradientTape")

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
        **unconnected,
    ):
        """`tf.gradients` in the words of `tf.GradientTape.gradient`.

        What only names or places ops is left out.
        """
        for given, argument in (
            (gate_gradients, "gate_gradients"),
            (aggregation_method, "aggregation_method"),
        ):
            if given:
                raise NotExpressibleError("tf.GradientTape.gradient has no %s" % argument)
        for stop in listed(stop_gradients):
            # Nothing lies beyond a tensor without inputs: to stop there changes nothing.
            if not hasattr(stop, "op") or stop.op.inputs:
                raise NotExpressibleError("tf.GradientTape.gradient has no stop_gradients")
        targets = [self._target(y) for y in listed(ys)]
        weights = listed(grad_ys) or [None] * len(targets)
        if len(weights) != len(targets):
            raise NotExpressibleError("tf.GradientTape.gradient wants a weight for each y")
        weights = [self._tf.ones_like(y) if w is None else w for w, y in zip(weights, targets)]
        sources = [self._source(x) for x in listed(xs)]
        try:
            return self._tape.gradient(targets, sources, weights, **unconnected)
        except NotImplementedError as error:
            if "does not support graph control flow" not in str(error):
                raise
            raise NotExpressibleError(
                "tf.GradientTape knows no control flow of TensorFlow 1"
            ) from error

    def _target(self, y):
        self._refuse_what_is_no_tensor(y, "y")
        return self._tf.convert_to_tensor(y) if is_variable(y) else y

    def _source(self, x):
        """What a tape knows a tensor or variable by."""
        self._refuse_what_is_no_tensor(x, "x")
        if not is_variable(x) or hasattr(x, "handle"):
            return x
        # A tape is deaf where variables are made, and those of TensorFlow 1 are read there.
        value = x.value()
        reads = set(x.op.outputs[0].consumers()) - {value.op, x.initializer}
        if reads:
            raise NotExpressibleError(
                "tf.GradientTape sees no single x in a reference variable that is used by %s"
                % ", ".join(sorted({op.type for op in reads}))
            )
        return value

    def _refuse_what_is_no_tensor(self, given, noun):
        if not (isinstance(given, self._tf.Tensor) or is_variable(given)):
            raise NotExpressibleError(
                "tf.GradientTape takes no %s as %s" % (type(given).__name__, noun)
            )


def is_variable(given):
    """Whether this is a variable, of either kind: their classes have no base in common."""
    return hasattr(given, "initializer") and hasattr(given, "value")


def listed(given):
    """An argument that may be one thing, several or missing, as a list."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


PATHS = {"xla": Compiled, "tape": Taped}


class GradientFunctions:
    """Records which registered gradient functions TensorFlow calls, at which order and dtype.

    The order of an op is 1 in the program's own graph, and n + 1 when it was made while an op
    of order n was being differentiated: by its gradient function, or by `tf.gradients` around
    it, as the sums of gradients are. Ops that are copied rather than made (a function's body
    that TensorFlow imports again) count as the op whose gradient function asks for them.

    Each function in the registry gives way to one that records and calls it, with its name,
    signature and docstring; what it returns, raises and is given is untouched. TensorFlow
    looks functions up by name alone and compares none.

    Args:
      ops: the module `tensorflow.python.framework.ops`.
      gradients_util: the module `tensorflow.python.ops.gradients_util`.
    """

    def __init__(self, ops, gradients_util):
        self._calls = set()
        self._orders = {}  # op -> its order, of ops that were made by differentiation
        self._made = 1  # the order of ops that are made now
        self._outer = 1  # the order of the op whose gradient function runs now
        self._between = False  # in tf.gradients, but in no gradient function
        for name, entry in ops._gradient_registry._registry.items():
            if entry["type"] is not None:
                entry["type"] = self._recording(name, entry["type"])
        gradients_util._GradientsHelper = self._differentiating(gradients_util._GradientsHelper)
        ops.Graph._create_op_internal = self._noting(ops.Graph._create_op_internal)

    def _recording(self, name, function):
        @functools.wraps(function)
        def recorded(op, *gradients):
            order = self._order(op)
            for dtype in _float_dtypes(op, gradients):
                self._calls.add((order, dtype, name))
            before = self._made, self._outer, self._between
            self._made, self._outer, self._between = order + 1, order, False
            try:
                return function(op, *gradients)
            finally:
                self._made, self._outer, self._between = before
                if self._between:
                    self._made = max(self._made, order + 1)

        return recorded

    def _differentiating(self, helper):
        @functools.wraps(helper)
        def differentiated(ys, *arguments, **options):
            before = self._made, self._between
            each = ys if isinstance(ys, (list, tuple)) else [ys]
            orders = [self._order(getattr(y, "op", None)) for y in each]
            self._made, self._between = 1 + max(orders, default=1), True
            try:
                return helper(ys, *arguments, **options)
            finally:
                self._made, self._between = before

        return differentiated

    def _noting(self, create):
        @functools.wraps(create)
        def noted(graph, *arguments, **options):
            op = create(graph, *arguments, **options)
            if self._made > 1:
                self._orders[op] = self._made
            return op

        return noted

    def _order(self, op):
        return self._orders.get(op, self._outer)

    def take(self):
        """The calls since the last time: "ORDER DTYPE" -> the op types, sorted and in one text."""
        grouped = {}
        for order, dtype, name in sorted(self._calls):
            grouped.setdefault("%d %s" % (order, dtype), []).append(name)
        self._calls = set()
        self._orders.clear()
        return {group: " ".join(names) for group, names in grouped.items()}


def _float_dtypes(op, gradients):
    """The real and complex floating-point dtypes that a gradient function handles.

    They are those of the op's inputs and of the outputs that a gradient comes to: "other"
    when there is none, as with lists of tensors in a variant.
    """
    # A tape keeps no tensors that the gradient function does not look at, but the gradients.
    tensors = [*(op.inputs or ()), *gradients]
    tensors += [y for y, dy in zip(op.outputs or (), gradients) if dy is not None]
    dtypes = {tensor.dtype.base_dtype for tensor in tensors if hasattr(tensor, "dtype")}
    names = [dtype.name for dtype in dtypes if dtype.is_floating or dtype.is_complex]
    return names or ["other"]


class RegisteredGradients:
    """Forgets the gradient functions that a program registered, once it has been answered.

    `tf.RegisterGradient` and `tf.custom_gradient` register for the whole process, and no name
    twice: without this, what a program gets would depend on those that came before it.

    Args:
      tf: the namespace. TensorFlow's registry is known; another implementation shows its
        own, a dictionary with a key for each name, as `__gradient_registry__`.
    """

    def __init__(self, tf):
        self._names = getattr(tf, "__gradient_registry__", {})
        if tf.__name__.startswith("tensorflow"):
            from tensorflow.python.framework import ops

            self._names = ops._gradient_registry._registry
        self._own = frozenset(self._names)

    def forget(self):
        """Takes out the names that were not there at the start, but for TensorFlow's own."""
        if len(self._names) == len(self._own):
            return  # none goes and none is registered twice
        for name in set(self._names) - self._own:
            if _registered_by_tensorflow(self._names[name]):
                self._own |= {name}
            else:
                del self._names[name]


def _registered_by_tensorflow(entry):
    """Whether an entry of the registry comes from a module of TensorFlow's that came late.

    TensorFlow 1.15 imports the module that registers While's gradient with the first loop, and
    never again. What it registers on behalf of a program are functions within functions.
    """
    function = entry.get("type") if isinstance(entry, dict) else entry
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__qualname__", "<locals>")
    return module.partition(".")[0].startswith("tensorflow") and "<locals>" not in name


MODES = ("default", "grappler", "xla", "tape", "onednn")

# oneDNN changes bits of matmul, softmax and convolution gradients; the rest keeps libraries
# to one thread and the GPU out of sight.
PINNED_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# The graph runs as written, the same way every time: Grappler and constant folding change
# values (`(p + 1e8) - 1e8` becomes p) and crash on long chains; more than one thread changes
# the order of sums.
SESSION_SETTINGS = {
    "intra_op_parallelism_threads": 1,
    "inter_op_parallelism_threads": 1,
    "disable_meta_optimizer": True,
    "opt_level": "L0",
    "do_constant_folding": False,
}

# Mode -> in what it departs from these two. XLA compiles at once and clusters of any size, or
# a graph that runs once would never reach it.
MODE_ENVIRONMENT = {
    "onednn": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "xla": {
        "TF_XLA_FLAGS": "--tf_xla_cpu_global_jit --tf_xla_min_cluster_size=1"
        " --tf_xla_enable_lazy_compilation=false"
    },
}
MODE_SETTINGS = {
    "grappler": {
        "disable_meta_optimizer": False,
        "opt_level": "L1",
        "do_constant_folding": True,
    },
    "xla": {"global_jit_level": "ON_2"},
}


def environment_of(mode):
    """The environment variables under which TensorFlow is imported in a mode."""
    return dict(PINNED_ENVIRONMENT, **MODE_ENVIRONMENT.get(mode, {}))


def settings_of(mode):
    """The settings of TensorFlow's sessions in a mode."""
    return dict(SESSION_SETTINGS, **MODE_SETTINGS.get(mode, {}))


def pin_environment(mode="default"):
    """Fixes what changes TensorFlow's bits or noise; must precede TensorFlow's import."""
    os.environ.update(environment_of(mode))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def session_config(tf, settings):
    """The `tf.ConfigProto` of the settings."""
    config = tf.ConfigProto(
        intra_op_parallelism_threads=settings["intra_op_parallelism_threads"],
        inter_op_parallelism_threads=settings["inter_op_parallelism_threads"],
    )
    options = config.graph_options
    options.rewrite_options.disable_meta_optimizer = settings["disable_meta_optimizer"]
    if not settings["disable_meta_optimizer"]:
        # Otherwise graphs of fewer than four nodes are left as they are.
        options.rewrite_options.min_graph_nodes = -1
    optimizer = options.optimizer_options
    optimizer.opt_level = getattr(tf.OptimizerOptions, settings["opt_level"])
    optimizer.do_constant_folding = settings["do_constant_folding"]
    if "global_jit_level" in settings:
        optimizer.global_jit_level = getattr(tf.OptimizerOptions, settings["global_jit_level"])
    return config


class Side:
    """A namespace made ready to answer: imported, pinned, in one profile.

    Args:
      namespace: the module to import, e.g. "tensorflow.compat.v1" or "numpy_tf".
      profile: "tf1" (`tf.disable_v2_behavior()`) or "v2" (TensorFlow 2's flags).
      mode: by which of TensorFlow's own paths programs are asked, one of `MODES`; another
        namespace knows "default" alone.
    """

    def __init__(self, namespace, profile, mode="default"):
        numpy, self._tf = import_side(namespace, mode)
        self._np = numpy
        is_tensorflow = self._tf.__name__.startswith("tensorflow")
        self._gradient_functions = None
        self._session_config = None
        self._path = PATHS.get(mode, AsWritten)(self._tf)
        if is_tensorflow:
            from tensorflow.python.framework import ops
            from tensorflow.python.ops import gradients_util

            self._gradient_functions = GradientFunctions(ops, gradients_util)
            self._session_config = session_config(self._tf, settings_of(mode))
        with contextlib.redirect_stdout(sys.stderr):
            if profile == "tf1":
                self._tf.disable_v2_behavior()
            else:
                self._tf.enable_v2_behavior()
        self._registered_gradients = RegisteredGradients(self._tf)
        self._count = 0
        self.description = {
            "protocol": PROTOCOL,
            "namespace": namespace,
            "profile": profile,
            "version": str(getattr(self._tf, "__version__", "unknown")),
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "machine": platform.machine(),
            "environment": environment_of(mode) if is_tensorflow else {},
            "session": settings_of(mode) if is_tensorflow else {},
        }
        if is_tensorflow:
            self.description["mode"] = mode

    def run(self, program):
        """The outcome of one program, as `execute` gives it."""
        self._count += 1
        if self._count % COLLECT_EVERY == 0:
            gc.collect()
        if self._gradient_functions is not None:
            self._gradient_functions.take()  # what another side in this process has called
        outcome = execute(program, self._tf, self._np, self._session_config, self._path)
        self._registered_gradients.forget()
        if self._gradient_functions is not None:
            outcome["gradient_calls"] = self._gradient_functions.take()
        return outcome


def import_side(namespace, mode):
    """NumPy and the namespace, imported under what a mode pins."""
    pin_environment(mode)
    import numpy

    if namespace == "tensorflow.compat.v1":  # an attribute, not always a module
        return numpy, importlib.import_module("tensorflow").compat.v1
    return numpy, importlib.import_module(namespace)


def serve(side, requests, replies):
    """Answers requests, one JSON line each, until the stream ends."""

    def reply(message):
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    reply({"ready": side.description})
    for line in requests:
        request = json.loads(line)
        reply({"id": request["run"], "outcome": side.run(request["program"])})


def limit_memory(more):
    """Lets this process take `more` bytes beyond what it has, where the system can see to it.

    What a program then asks in excess is refused, and becomes its error, or its death.
    """
    try:
        import resource

        with open("/proc/self/statm") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = taken + more if hard == resource.RLIM_INFINITY else min(taken + more, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ImportError, OSError, ValueError):
        pass  # no such limits on this system


def end_with_parent():
    """Ends this process soon after its parent, even in the midst of a graph that never ends.

    Returns:
      A call that ends the watch, which is a thread.
    """
    parent = os.getppid()
    enough = threading.Event()

    def watch():
        while not enough.wait(PARENT_WATCH):
            if os.getppid() != parent:
                os._exit(ORPHANED)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()

    def end():
        enough.set()
        watcher.join()

    return end


def nurse(orders):
    """Forks a worker for each order, and returns in each of them what was ordered.

    Here it never returns: this process ends with the stream of orders, and its workers with it.

    Args:
      orders: a socket that keeps packets apart. A packet is the order as JSON and four
        descriptors: the worker's stdin, stdout and stderr, and a socket for its line. On its
        line the nursery tells the worker's process id and, when it has ended, its exit status,
        or minus the signal that killed it. Who hangs up wants the worker killed.
    """
    bell, striker = socket.socketpair()
    striker.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(striker.fileno(), warn_on_full_buffer=False)
    lines = {}  # process id -> its line
    while True:
        ready = select.select([orders, bell, *lines.values()], [], [])[0]
        if bell in ready:
            bell.recv(4096)
        for process, line in list(lines.items()):
            hung_up = line in ready
            if hung_up:
                os.kill(process, signal.SIGKILL)
            ended, status = os.waitpid(process, 0 if hung_up else os.WNOHANG)
            if ended:
                tell(line, -os.WTERMSIG(status) or os.WEXITSTATUS(status))
                lines.pop(process).close()
        if orders in ready:
            order, descriptors = receive_order(orders)
            if not descriptors:
                for process in lines:
                    os.kill(process, signal.SIGKILL)
                os._exit(0)  # TensorFlow would take a second to end
            line = socket.socket(fileno=descriptors.pop())
            process = os.fork()
            if not process:
                break
            for descriptor in descriptors:
                os.close(descriptor)
            lines[process] = line
            tell(line, process)
    leave_nursery([orders, bell, striker, line, *lines.values()], descriptors)
    return json.loads(order)


def leave_nursery(inherited, descriptors):
    """In a fork: lets go of what is the nursery's; takes stdin, stdout and stderr of its own."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for sock in inherited:
        sock.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)


def receive_order(orders):
    """One packet and its descriptors; none when the stream has ended."""
    size = array.array("i", range(4)).itemsize * 4
    packet, ancillary, _, _ = orders.recvmsg(ORDER_LIMIT, socket.CMSG_SPACE(size))
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    return packet, descriptors.tolist()


def tell(line, number):
    """Says a number on a worker's line, where somebody may have hung up."""
    with contextlib.suppress(OSError):
        line.sendall(b"%d\n" % number)


def is_alone():
    """Whether this process has one thread, so that a fork takes along all that there is."""
    deadline = time.monotonic() + THREADS_END
    try:
        while len(os.listdir("/proc/self/task")) > 1:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True
    except OSError:
        return False  # nobody can say


def main():
    """Answers requests on stdin until it ends."""
    # The script's own folder would let gradparity's modules shadow the environment's.
    if os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--profile", choices=["tf1", "v2"], default="tf1")
    parser.add_argument("--mode", choices=MODES, default="default")
    parser.add_argument("--path", action="append", default=[], help="prepended to sys.path")
    parser.add_argument("--memory-limit", type=int, metavar="BYTES", help="for programs")
    parser.add_argument("--nursery", action="store_true", help="stdin is a socket, see `nurse`")
    arguments = parser.parse_args()
    sys.path[:0] = arguments.path
    end_watch = end_with_parent()
    if arguments.nursery:
        import_side(arguments.namespace, arguments.mode)
        gc.freeze()
        end_watch()
        if not is_alone():
            sys.exit("There are threads after the import: a fork would lose them.")
        vars(arguments).update(nurse(socket.socket(fileno=os.dup(0))))
        end_with_parent()
    # Replies own the real stdout; anything a library or a program prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    side = Side(arguments.namespace, arguments.profile, arguments.mode)
    # TensorFlow's modules are a million objects that every collection would walk through:
    # 3 ms for each program.
    gc.freeze()
    if arguments.memory_limit is not None:
        limit_memory(arguments.memory_limit)
    serve(side, requests, replies)


if __name__ == "__main__":
    main()
