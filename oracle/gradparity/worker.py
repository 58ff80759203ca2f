"""One side's answers: runs TensorFlow programs in a namespace, here or behind JSON lines.

This file is all that another environment needs: it runs on Python 3.7 and later with
nothing but that environment's TensorFlow (or whatever module wears `tf.compat.v1`'s API)
and NumPy, so it imports nothing from gradparity.

As a script it speaks JSON lines on stdin and stdout:

    -> {"run": 7, "program": {"build": "...", "gradients": "...", ...}}
    <- {"ready": {...versions and configuration...}}          once, at the start
    <- {"id": 7, "outcome": {...}}                            one for each request, in order

and ends when stdin does.
"""

import argparse
import base64
import contextlib
import gc
import importlib
import json
import os
import platform
import re
import sys
import threading
import time
import traceback

PROTOCOL = 1
MESSAGE_LIMIT = 2000  # characters kept of an error message
TRACE_LIMIT = 100_000  # characters looked at: TensorFlow appends whole stack traces
PARENT_WATCH = 1.0  # seconds between two looks at whether the parent still lives
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
]


def stable_message(text):
    """An error's message without addresses, paths and counters; it may be cut."""
    text = FRAMES_OF_LIBRARIES.sub("", text[:TRACE_LIMIT])[: 2 * MESSAGE_LIMIT]
    for pattern, replacement in UNSTABLE:
        text = pattern.sub(replacement, text)
    return text[:MESSAGE_LIMIT]


def execute(program, tf, np, session_config=None):
    """Runs one program in the namespace `tf` and returns its outcome.

    Args:
      program: the stages of a check as source code, see `gradparity.program.Program`:
        "build" (ends by binding `ys`, `xs` and `feeds`) and "gradients" (binds `gradients`).
      tf: the module that wears `tensorflow.compat.v1`'s API.
      np: NumPy.
      session_config: passed to `tf.Session` when not None.

    Returns:
      A JSON-able dictionary; `gradparity.outcome.Outcome` describes its fields.
    """
    names = {"tf": tf, "np": np}
    outcome = {"ys": [], "gradients": [], "error": None, "op_types": [], "seconds": {}}
    graph = tf.Graph()
    stage = "build"
    # TensorFlow's ops point into the code that made them, and read it when an error of the
    # run names them: it must outlive the run (without this, TensorFlow 2.21 segfaults).
    code = []
    started = time.perf_counter()
    try:
        with graph.as_default():
            code.append(compile(program["build"], "<build>", "exec"))
            exec(code[-1], names)
            stage, started = _stage_done(outcome, stage, started, "gradients")
            code.append(compile(program["gradients"], "<gradients>", "exec"))
            exec(code[-1], names)
            stage, started = _stage_done(outcome, stage, started, "run")
            ys, gradients = names["ys"], names["gradients"]
            settings = {} if session_config is None else {"config": session_config}
            with tf.Session(graph=graph, **settings) as session:
                if tf.global_variables():
                    session.run(tf.global_variables_initializer(), names["feeds"])
                fetches = [tensor for tensor in ys + gradients if tensor is not None]
                values = iter(session.run(fetches, names["feeds"]))
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


def encode_array(array):
    """An array as JSON: exact, for every dtype; strings as a flat list of base64 texts."""
    encoded = {"dtype": array.dtype.name, "shape": list(array.shape)}
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


class GradientFunctions:
    """Records which registered gradient functions TensorFlow looks up and is about to call.

    TensorFlow's `gradients` asks `ops.get_gradient_function(op)` at the moment at which it
    differentiates an op, and only then; None means "not differentiable" and is not called.
    """

    def __init__(self, ops_module):
        self._called = set()
        self._original = ops_module.get_gradient_function
        ops_module.get_gradient_function = self._recording

    def _recording(self, op):
        function = self._original(op)
        if function is not None:
            self._called.add(op.type)
        return function

    def take(self):
        """The op types recorded since the last call."""
        called, self._called = sorted(self._called), set()
        return called


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


# oneDNN changes bits of matmul, softmax and convolution gradients; the rest keeps libraries
# to one thread and the GPU out of sight.
PINNED_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def pin_environment():
    """Fixes what changes TensorFlow's bits or noise; must precede TensorFlow's import."""
    os.environ.update(PINNED_ENVIRONMENT)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pinned_session_config(tf):
    """A `tf.ConfigProto` under which a graph runs as written, the same way every time.

    Grappler and constant folding change values (`(p + 1e8) - 1e8` becomes p) and crash on
    long chains; more than one thread changes the order of sums.
    """
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    options = config.graph_options
    options.rewrite_options.disable_meta_optimizer = True
    options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    options.optimizer_options.do_constant_folding = False
    return config


SESSION_SETTINGS = {
    "intra_op_parallelism_threads": 1,
    "inter_op_parallelism_threads": 1,
    "disable_meta_optimizer": True,
    "opt_level": "L0",
    "do_constant_folding": False,
}


class Side:
    """A namespace made ready to answer: imported, pinned, in one profile.

    Args:
      namespace: the module to import, e.g. "tensorflow.compat.v1" or "numpy_tf".
      profile: "tf1" (`tf.disable_v2_behavior()`) or "v2" (TensorFlow 2's flags).
    """

    def __init__(self, namespace, profile):
        pin_environment()
        import numpy

        self._np = numpy
        self._tf = _import_namespace(namespace)
        is_tensorflow = self._tf.__name__.startswith("tensorflow")
        self._gradient_functions = None
        self._session_config = None
        if is_tensorflow:
            from tensorflow.python.framework import ops

            self._gradient_functions = GradientFunctions(ops)
            self._session_config = pinned_session_config(self._tf)
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
            "environment": PINNED_ENVIRONMENT if is_tensorflow else {},
            "session": SESSION_SETTINGS if is_tensorflow else {},
        }

    def run(self, program):
        """The outcome of one program, as `execute` gives it."""
        self._count += 1
        if self._count % COLLECT_EVERY == 0:
            gc.collect()
        outcome = execute(program, self._tf, self._np, self._session_config)
        self._registered_gradients.forget()
        if self._gradient_functions is not None:
            outcome["gradient_functions"] = self._gradient_functions.take()
        return outcome


def _import_namespace(namespace):
    """Imports `namespace`; `tensorflow.compat.v1` is an attribute, not always a module."""
    if namespace == "tensorflow.compat.v1":
        return importlib.import_module("tensorflow").compat.v1
    return importlib.import_module(namespace)


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
    """Ends this process soon after its parent, even in the midst of a graph that never ends."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(PARENT_WATCH)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main():
    """Answers requests on stdin until it ends."""
    # The script's own folder would let gradparity's modules shadow the environment's.
    if os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--profile", choices=["tf1", "v2"], required=True)
    parser.add_argument("--path", action="append", default=[], help="prepended to sys.path")
    parser.add_argument("--memory-limit", type=int, metavar="BYTES", help="for programs")
    arguments = parser.parse_args()
    sys.path[:0] = arguments.path
    end_with_parent()
    # Replies own the real stdout; anything a library or a program prints goes to stderr.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    side = Side(arguments.namespace, arguments.profile)
    # TensorFlow's modules are a million objects that every collection would walk through:
    # 3 ms for each program.
    gc.freeze()
    if arguments.memory_limit is not None:
        limit_memory(arguments.memory_limit)
    serve(side, requests, replies)


if __name__ == "__main__":
    main()
