"""Reasons: why an operation is not between the xs and the ys, and why a gradient is None."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from gradparity.blame.graph import Graph, Op
from gradparity.blame.probe import TRAINABLE
from gradparity.explain.story import Call, Fate, Step


class Outside(str, Enum):
    """Why an operation is not between."""

    NOT_FROM_XS = "no x leads there"
    CUT = "the way from an x to a y goes through a tensor whose dtype carries no gradient"
    NOT_TO_YS = "an x leads there, but nothing leads on to a y"

    def __str__(self) -> str:
        return self.value


def left_out(call: Call, graph: Graph) -> dict[Outside, list[Op]]:
    """The operations on one of the two ways alone, by the reason why."""
    back = _ancestors(call.ys, graph)
    forward = _reachable(call.xs, graph)
    found: dict[Outside, list[Op]] = {reason: [] for reason in Outside}
    variables = tuple(f"{op.name}/" for op in graph.ops if op.type in ("VariableV2", "VarHandleOp"))
    for op in graph.ops:
        if op.name not in call.existing or op.name in call.between:
            continue
        if op.name.startswith(variables) and op.name not in back:
            continue  # it initializes or saves: no business of a gradient
        if op.name in back:
            found[Outside.CUT if op.name in forward else Outside.NOT_FROM_XS].append(op)
        elif op.name in call.reached:
            found[Outside.NOT_TO_YS].append(op)
    return {reason: ops for reason, ops in found.items() if ops}


@dataclass(frozen=True)
class Dead:
    """Where a way from an x towards the ys ends.

    Attributes:
      step: the step at which it does, or None when it is at a tensor that carries no gradient.
      tensor: what the gradient did not get to.
    """

    step: Step | None
    tensor: str


def dead_ends(x: str, call: Call, graph: Graph) -> list[Dead]:
    """Why the gradient of an x is None: where each way from it ends; none: there is no way."""
    back = _ancestors(call.ys, graph)
    consumers = _consumers(graph)
    found: list[Dead] = []
    seen, pending = set(), [x] if x in graph.producers else []
    while pending:
        tensor = pending.pop(0)
        if tensor in seen:
            continue
        seen.add(tensor)
        if graph.producers[tensor].outputs[tensor] not in TRAINABLE:
            if any(op.name in back for op in consumers.get(tensor, ())):
                found.append(Dead(None, tensor))
            continue
        for op in _once(consumers.get(tensor, ())):
            step = call.step_of.get(op.name)
            if step is None:
                pending += op.outputs if op.name in back else ()
            elif step.fate is Fate.NO_GRADIENT:
                pending += op.outputs
            else:
                found.append(Dead(step, tensor))
    return found


def _ancestors(tensors: Iterable[str], graph: Graph) -> set[str]:
    found: set[str] = set()
    pending = [graph.producers[t] for t in tensors if t in graph.producers]
    while pending:
        op = pending.pop()
        if op.name not in found:
            found.add(op.name)
            pending += [graph.producers[t] for t in op.inputs if t in graph.producers]
    return found


def _reachable(tensors: Iterable[str], graph: Graph) -> set[str]:
    """The operations that tensors lead to, whatever the dtypes on the way."""
    consumers = _consumers(graph)
    found: set[str] = set()
    pending = [graph.producers[t] for t in tensors if t in graph.producers]
    while pending:
        op = pending.pop()
        if op.name not in found:
            found.add(op.name)
            pending += [taker for t in op.outputs for taker in consumers.get(t, ())]
    return found


def _consumers(graph: Graph) -> dict[str, list[Op]]:
    found: dict[str, list[Op]] = {}
    for op in graph.ops:
        for tensor in op.inputs:
            found.setdefault(tensor, []).append(op)
    return found


def _once(ops: Iterable[Op]) -> list[Op]:
    return list({op.name: op for op in ops}.values())
