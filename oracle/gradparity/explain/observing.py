"""Observing: runs a check's program in numpy_tf, in this process, and writes its story down.

It is the one module of gradparity that knows numpy_tf by name: that implementation is asked for
what no other can be, to tell what its `tf.gradients` does while it does it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import numpy as np

import numpy_tf
from gradparity.blame.graph import UNFETCHABLE, Graph, Op
from gradparity.blame.probe import describe_op, labels
from gradparity.explain.story import (
    Arrival,
    Call,
    Contribution,
    Fate,
    Gradient,
    Passed,
    Seed,
    Step,
    Story,
)
from gradparity.program import Program
from gradparity.worker import RegisteredGradients, stable_message
from numpy_tf.observer import Ending, Observer, observed_by

tf: Any = numpy_tf  # its names are exported when it is imported, unseen by type checkers
FILE = "<program>"  # the name that the program is compiled under

OWN_GRADIENT = {"_gradient_function", "_gradient_op_type"}
"""Attributes by which an operation is differentiated in another way than its type is."""

FATES = {
    Ending.STOPPED: Fate.STOPPED,
    Ending.NO_GRADIENT: Fate.NO_GRADIENT,
    Ending.NOT_DIFFERENTIABLE: Fate.NOT_DIFFERENTIABLE,
}


def observe(program: Program) -> Story:
    """The story of one program; an error that it raises is part of it."""
    registered = RegisteredGradients(tf)
    if program.profile == "tf1":
        tf.disable_v2_behavior()
    else:
        tf.enable_v2_behavior()
    try:
        return _observed(program.build + program.gradients)
    finally:
        registered.forget()


def _observed(source: str) -> Story:
    graph = _LinedGraph()
    recorder = _Recorder(graph)
    names: dict[str, Any] = {"tf": tf, "np": np}
    results: list[Any] = []
    values: dict[str, np.ndarray[Any, Any]] = {}
    error: Exception | None = None
    try:
        with graph.as_default(), observed_by(recorder):
            exec(compile(source, FILE, "exec"), names)
            results = list(names["gradients"])
    except Exception as raised:  # whatever the program raises belongs to its story
        error = raised
    gradients = [_gradient(each) for each in results]
    if "feeds" in names:
        values, raised_in_run = _values(graph, recorder.calls, results, names)
        error = error or raised_in_run
    between = frozenset().union(*(call.between for call in recorder.calls))
    ops = [recorder.op(op, op.name in between) for op in graph.get_operations()]
    return Story(
        lines=source.rstrip("\n").split("\n"),
        graph=Graph(ops, (), (), labels=labels(names, graph)),
        calls=recorder.calls,
        results=gradients,
        values=values,
        error="" if error is None else f"{type(error).__name__}: {stable_message(str(error))}",
        error_line=None if error is None else _line_of(error),
    )


class _LinedGraph(tf.Graph):  # type: ignore[misc]
    """A graph that remembers which line of the program made an operation."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int | None] = {}

    def add(self, operation: Any) -> None:
        """Takes in a new operation."""
        super().add(operation)
        self.lines[operation.name] = _current_line()


def _current_line() -> int | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        frame = frame.f_back
    return None if frame is None else frame.f_lineno


def _line_of(error: Exception) -> int | None:
    trace, line = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


class _Recorder(Observer):
    """Turns what numpy_tf tells into calls and steps.

    Attributes:
      calls: those that are not within others.
    """

    def __init__(self, graph: _LinedGraph) -> None:
        self.calls: list[Call] = []
        self._graph = graph
        self._sizes: list[int] = []  # of the graph, when each step under way began
        self._under_way: list[tuple[Call, dict[int, list[Contribution]]]] = []

    def op(self, op: Any, between: bool) -> Op:
        """An operation as data."""
        here = op.graph is self._graph
        line = self._graph.lines.get(op.name) if here else None
        described = Op.from_json(describe_op(op, between))
        return replace(described, line=line, fetchable=here)

    def started(self, ys: Any, xs: Any, grad_ys: Any, seeds: Any) -> None:
        """See `Observer`."""
        starts = [
            Seed(y.name, _some_gradient(seed), given is not None)
            for y, given, seed in zip(ys, grad_ys, seeds, strict=True)
        ]
        call = Call(
            ys=[y.name for y in ys],
            xs=[x.name for x in xs],
            seeds=starts,
            line=_current_line(),
            within=tf.get_default_graph() is not self._graph,
            existing=frozenset(op.name for op in self._graph.get_operations()),
        )
        if self._under_way:
            self._under_way[-1][0].steps[-1].inside.append(call)
        else:
            self.calls.append(call)
        contributions: dict[int, list[Contribution]] = {}
        for y, start in zip(ys, starts, strict=True):
            contributions.setdefault(id(y), []).append(Contribution(start.gradient, None))
        self._under_way.append((call, contributions))

    def found_between(self, reached: Any, between: Any, stops: Any, ends: Any) -> None:
        """See `Observer`."""
        call = self._under_way[-1][0]
        call.reached, call.between, call.stops = map(_names, (reached, between, stops))

    def processing(self, op: Any, out_grads: Any) -> None:
        """See `Observer`."""
        call, contributions = self._under_way[-1]
        arrivals = [
            Arrival(tensor.name, tuple(contributions.get(id(tensor), ())), _gradient(grad))
            for tensor, grad in zip(op.outputs, out_grads, strict=True)
        ]
        # Until it is known that it did not raise.
        call.steps.append(Step(self.op(op, True), arrivals, Fate.RAISED))
        self._sizes.append(len(self._graph.operations))

    def ended(self, op: Any, ending: Any) -> None:
        """See `Observer`."""
        self._sizes.pop()
        call, _ = self._under_way[-1]
        named = ending is not Ending.STOPPED or op.name in call.stops
        call.steps[-1].fate = FATES[ending] if named else Fate.AT_AN_X

    def differentiated(self, op: Any, out_grads: Any, inputs: Any, in_grads: Any) -> None:
        """See `Observer`."""
        call, contributions = self._under_way[-1]
        step = call.steps[-1]
        step.fate = Fate.DIFFERENTIATED
        step.has_own_rule = bool(OWN_GRADIENT & set(op.attrs))
        step.arrivals = [
            replace(arrival, total=_gradient(grad))
            for arrival, grad in zip(step.arrivals, out_grads, strict=True)
        ]
        step.passed = [
            Passed(tensor.name, _gradient(grad))
            for tensor, grad in zip(inputs, in_grads, strict=True)
        ]
        step.built = [made.type for made in self._graph.operations[self._sizes.pop() :]]
        for tensor, passed in zip(inputs, step.passed, strict=True):
            if passed.gradient is not None:
                arrived = contributions.setdefault(id(tensor), [])
                arrived.append(Contribution(passed.gradient, step.op))

    def finished(self, grads: Any) -> None:
        """See `Observer`."""
        call, _ = self._under_way.pop()
        call.gradients = [_gradient(grad) for grad in grads]


def _names(ops: Iterable[Any]) -> frozenset[str]:
    return frozenset(op.name for op in ops)


def _gradient(grad: Any) -> Gradient | None:
    return None if grad is None else _some_gradient(grad)


def _some_gradient(grad: Any) -> Gradient:
    if not hasattr(grad, "indices"):
        return Gradient(grad.name, made_by=grad.op.type)
    shape = grad.dense_shape
    return Gradient(
        grad.values.name,
        grad.indices.name,
        None if shape is None else shape.name,
        made_by=grad.values.op.type,
    )


def _values(
    graph: _LinedGraph,
    calls: Sequence[Call],
    results: Sequence[Any],
    names: dict[str, Any],
) -> tuple[dict[str, np.ndarray[Any, Any]], Exception | None]:
    """The value of each tensor that the story names and a session can give, from one run.

    Where it raises, each is asked for alone, and if the program's own fetches raise, that error
    is the second that is returned.
    """
    ours = {tensor.name: tensor for op in graph.get_operations() for tensor in op.outputs}
    gradients = [_gradient(each) for each in results]
    wanted = [part for grad in gradients if grad is not None for part in grad.parts]
    wanted += [name for call in calls for name in _named(call)]
    fetches = {
        name: ours[name]
        for name in dict.fromkeys(wanted)
        if name in ours and ours[name].dtype.base_dtype.name not in UNFETCHABLE
    }
    own = [tensor for tensor in (*names["ys"], *results) if tensor is not None]
    feeds, error = names["feeds"], None
    with graph.as_default(), tf.Session(graph=graph) as session:
        try:
            if tf.global_variables():
                session.run(tf.global_variables_initializer(), feeds)
            found, _ = session.run([fetches, own], feeds)
        except Exception:
            try:
                session.run(own, feeds)
            except Exception as raised:
                error = raised
            found = _one_by_one(session, fetches, feeds)
    return {name: np.asarray(value) for name, value in found.items()}, error


def _one_by_one(session: Any, fetches: Mapping[str, Any], feeds: Any) -> dict[str, Any]:
    """The values of those tensors that can be computed: a program may leave others aside."""
    found = {}
    for name, tensor in fetches.items():
        with suppress(Exception):
            found[name] = session.run(tensor, feeds)
    return found


def _named(call: Call) -> Iterator[str]:
    yield from (*call.ys, *call.xs)
    for seed in call.seeds:
        yield from seed.gradient.parts
    for step in call.steps:
        yield from (*step.op.inputs, *step.op.outputs)
        for arrival in step.arrivals:
            for contribution in arrival.contributions:
                yield from contribution.gradient.parts
            if arrival.total is not None:
                yield from arrival.total.parts
        for passed in step.passed:
            if passed.gradient is not None:
                yield from passed.gradient.parts
    for gradient in call.gradients:
        if gradient is not None:
            yield from gradient.parts
