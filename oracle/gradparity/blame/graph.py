"""Graph: what the probe tells of one gradient call, and which tensors of two sides are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

UNFETCHABLE = frozenset({"resource", "variant"})
"""Dtypes whose values no session gives."""


@dataclass(frozen=True)
class Op:
    """One operation.

    Attributes:
      name: unique in its graph.
      type: the op type, "MatMul".
      inputs: names of tensors.
      outputs: name of tensor -> dtype.
      between: whether it lies on a path from an x to a y that gradients can take.
      region: the control-flow construct that it is a part of, such as "while"; else "".
      fetchable: whether a session can give its outputs.
      line: of the program's build stage, from 1, or None.
    """

    name: str
    type: str
    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    between: bool
    region: str
    fetchable: bool
    line: int | None

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Op:
        """An operation from the probe's description of it."""
        inputs, outputs = tuple(described["inputs"]), dict(described["outputs"])
        return cls(**{**described, "inputs": inputs, "outputs": outputs})


@dataclass(frozen=True)
class Graph:
    """All operations that one call of `tf.gradients` can meet on one side.

    Attributes:
      ops: the ancestors of the ys, in the order of their making.
      ys: names of tensors.
      xs: names of tensors.
      results: names of the tensors that the call gave.
      labels: the program's name for a tensor -> the tensor's.
      error: what the call raised ("type", "message", and "op", the name of the operation that
        it raised at, or None), or None.
    """

    ops: Sequence[Op]
    ys: Sequence[str]
    xs: Sequence[str]
    results: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, call: Mapping[str, Any], labels: Mapping[str, str]) -> Graph:
        """A graph from the probe's description of a call."""
        regions = {op["region"] for op in call["ops"]} - {""}
        ops = [
            replace(op, region=op.region or _region_of(op.name, regions))
            for op in map(Op.from_json, call["ops"])
        ]
        return cls(ops, call["ys"], call["xs"], call["results"], labels, call["error"])

    @cached_property
    def producers(self) -> Mapping[str, Op]:
        """Tensor -> the operation that makes it."""
        return {tensor: op for op in self.ops for tensor in op.outputs}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Name of an operation -> its place in the order of their making."""
        return {op.name: position for position, op in enumerate(self.ops)}

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Op]]:
        """Tensor -> the operations on the path that take it, once for each time that they do."""
        found: dict[str, list[Op]] = {}
        for op in self.ops:
            for tensor in op.inputs if op.between else ():
                found.setdefault(tensor, []).append(op)
        return found

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Tensor -> the program's name for it."""
        found = {tensor: label for label, tensor in self.labels.items()}
        for op in self.ops:  # what is read of a variable goes by the variable's name
            if op.type in ("Identity", "ReadVariableOp") and op.inputs[0] in found:
                producer = self.producers.get(op.inputs[0])
                if producer is not None and producer.type in ("VariableV2", "VarHandleOp"):
                    found.setdefault(next(iter(op.outputs)), found[op.inputs[0]])
        return found

    def fetchable(self, tensor: str) -> bool:
        """Whether a session can give a tensor's value."""
        op = self.producers[tensor]
        return op.fetchable and op.outputs[tensor] not in UNFETCHABLE

    def on_path(self, tensor: str) -> bool:
        """Whether a gradient can arrive at a tensor."""
        op = self.producers.get(tensor)
        return (
            op is not None and op.between and (tensor in self.consumers or tensor in self.ys)
        ) or tensor in self.xs


def that_matter(graphs: Sequence[Graph]) -> list[int]:
    """Which of a program's gradient calls the last one depends on, itself included.

    A call that raised matters, too: nothing came after it.
    """
    found: list[int] = []
    for number in range(len(graphs) - 1, -1, -1):
        graph = graphs[number]
        used = any(t in graphs[later].producers for later in found for t in graph.results)
        if not found or used or graph.error is not None:
            found.append(number)
    return found[::-1]


def _region_of(name: str, regions: set[str]) -> str:
    """The region in whose name scope an operation lies: the Merge of a cond, for one."""
    scope = name
    while "/" in scope:
        scope = scope.rpartition("/")[0]
        if scope in regions:
            return scope
    return ""


def matched(one: Graph, other: Graph) -> dict[str, str]:
    """Which tensor of `other` is which of `one`.

    Names alone do not tell: one more constant on one side shifts all that follow. Matched are
    the ys, the xs and what the program itself has a name for; from there inputs are matched as
    long as op types are the same, and then operations of one type and name all of whose inputs
    are matched. Inside control flow nothing is: the sides build it in different ways.
    """
    pairs: dict[str, str] = {}
    taken: set[str] = set()
    for a, b in _anchors(one, other):
        pending = [(a, b)]
        while pending:
            a, b = pending.pop()
            if a in pairs or b in taken or a not in one.producers or b not in other.producers:
                continue
            pairs[a] = b
            taken.add(b)
            op, its = one.producers[a], other.producers[b]
            if _alike(op, its):
                pending += zip(op.outputs, its.outputs, strict=False)
                pending += zip(op.inputs, its.inputs, strict=True)
    by_name = {op.name: op for op in other.ops}
    for op in one.ops:
        found = by_name.get(op.name)
        if found is None or not op.inputs or not _alike(op, found):
            continue
        if all(
            _same_input(pair, pairs, one, other)
            for pair in zip(op.inputs, found.inputs, strict=True)
        ):
            for a, b in zip(op.outputs, found.outputs, strict=False):
                if a not in pairs and b not in taken:
                    pairs[a] = b
                    taken.add(b)
    return pairs


def _anchors(one: Graph, other: Graph) -> Iterator[tuple[str, str]]:
    yield from zip(one.ys, other.ys, strict=False)
    yield from zip(one.xs, other.xs, strict=False)
    for label, tensor in one.labels.items():
        if label in other.labels:
            yield tensor, other.labels[label]


def _alike(op: Op, its: Op) -> bool:
    same = op.type == its.type and len(op.inputs) == len(its.inputs)
    return same and not op.region and not its.region


def _same_input(pair: tuple[str, str], pairs: Mapping[str, str], one: Graph, other: Graph) -> bool:
    a, b = pair
    if a in pairs:
        return pairs[a] == b
    return one.producers[a].type == other.producers[b].type == "Const"
