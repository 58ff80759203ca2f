"""The search: from which tensors differ to the operations that make them so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gradparity.blame.graph import Graph, Op
from gradparity.blame.probe import TRAINABLE


@dataclass(frozen=True)
class Suspect:
    """Operations that can only be judged together, since nothing is known in between.

    Attributes:
      ops: one operation, or those that tensors connect of which nothing is known.
      arriving: the tensors known to agree: its inputs (values) or its outputs (gradients).
      leaving: the tensors of the other end that are known.
      differing: those of `leaving` that differ.
    """

    ops: Sequence[Op]
    arriving: Sequence[str]
    leaving: Sequence[str]
    differing: Sequence[str]


def suspects_by_value(
    graph: Graph, known: Collection[str], differing: Collection[str]
) -> list[Suspect]:
    """The operations whose inputs agree and of whose values one differs, the first ones first.

    Args:
      graph: of the oracle.
      known: the tensors whose values could be compared.
      differing: those of them that differ.
    """
    found = []
    for ops in _units(graph.ops, graph, known):
        inside = {tensor for op in ops for tensor in op.outputs}
        taken = [t for op in ops for t in op.inputs if t in known and t not in inside]
        made = [tensor for tensor in inside if tensor in known]
        found.append(_suspect(ops, taken, made, differing))
    found.sort(key=lambda suspect: graph.positions[suspect.ops[-1].name])
    return [each for each in found if _guilty(each, differing)]


def suspects_by_gradient(
    graph: Graph, known: Collection[str], differing: Collection[str]
) -> list[Suspect]:
    """The operations that gradients that agree reach and one that differs leaves.

    The last operations of the graph come first, as gradients do.

    Args:
      graph: of the oracle.
      known: the tensors at which both gradients could be compared.
      differing: those of them at which they differ.
    """
    found = []
    on_path = [op for op in graph.ops if op.between]
    for ops in _units(on_path, graph, known, TRAINABLE):
        inside = {tensor for op in ops for tensor in op.outputs}
        taken = [t for op in ops for t in op.inputs if t in known and t not in inside]
        made = [tensor for tensor in inside if tensor in known]
        found.append(_suspect(ops, made, taken, differing))
    found.sort(key=lambda suspect: -graph.positions[suspect.ops[-1].name])
    return [each for each in found if _guilty(each, differing)]


def _suspect(
    ops: Sequence[Op], arriving: Iterable[str], leaving: Iterable[str], differing: Collection[str]
) -> Suspect:
    gone = list(dict.fromkeys(leaving))
    return Suspect(ops, sorted(set(arriving)), gone, [t for t in gone if t in differing])


def _guilty(suspect: Suspect, differing: Collection[str]) -> bool:
    return bool(suspect.differing) and not any(t in differing for t in suspect.arriving)


def _units(
    ops: Sequence[Op],
    graph: Graph,
    known: Collection[str],
    dtypes: Collection[str] | None = None,
) -> list[list[Op]]:
    """The operations, those in one list that are connected through tensors not known.

    A constant connects nothing: it stands by itself beside each that takes it. Nor does a
    tensor of a dtype other than `dtypes`, where these are given.
    """
    leader = {op.name: op.name for op in ops}

    def lead(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for op in ops:
        for tensor in op.inputs:
            producer = graph.producers.get(tensor)
            if tensor in known or producer is None or not producer.inputs:
                continue
            if dtypes is not None and producer.outputs[tensor] not in dtypes:
                continue
            if producer.name in leader:
                leader[lead(op.name)] = lead(producer.name)
    units: dict[str, list[Op]] = {}
    for op in ops:
        units.setdefault(lead(op.name), []).append(op)
    return list(units.values())
