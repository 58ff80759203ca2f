"""Blame: what was found to make a check differ, and its wording."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from gradparity.blame.graph import Graph, Op
from gradparity.blame.search import Suspect


class Fault(str, Enum):
    """What is wrong with the operation that is named."""

    VALUE = "value"  # its inputs agree and its value differs
    GRADIENT = "gradient"  # the gradients that reach it agree, one that it passes on differs
    SUM = "sum"  # the contributions to a tensor's gradient agree, their sum differs
    SEED = "seed"  # the gradient of a y with respect to itself differs: its weight
    UNREACHED = "unreached"  # no operation passes a gradient on, and the answers differ
    ERROR = "error"  # one side raises there
    NOWHERE = "nowhere"  # no operation can be named


@dataclass(frozen=True)
class Blame:
    """Attributes:
    fault: what is wrong.
    sentence: all of it, for people.
    op: the name of the operation, or None where there is none to name.
    type: its op type, or None.
    gradient_of: where it is part of a gradient, the operation that was differentiated.
    inside: the control-flow construct in which it lies, such as "while_loop 'while'".
    file_line: the line of the case file that made it (or what it is the gradient of), or None.
    code: that line.
    agreeing: the tensors at which the sides were seen to agree.
    differing: those at which they were seen to differ.
    """

    fault: Fault
    sentence: str
    op: str | None = None
    type: str | None = None
    gradient_of: str | None = None
    inside: str | None = None
    file_line: int | None = None
    code: str = ""
    agreeing: Sequence[str] = ()
    differing: Sequence[str] = ()


@dataclass(frozen=True)
class Source:
    """Where operations come from: the lines of a program's build stage.

    Attributes:
      code: the stage.
      file_lines: for each line of it the line of the case file.
      skipped: how many lines the probe put before it.
    """

    code: str
    file_lines: Sequence[int]
    skipped: int

    def place(self, op: Op | None) -> tuple[int | None, str]:
        """The line of the case file and its text; None and "" when they are not known."""
        line = None if op is None or op.line is None else op.line - self.skipped
        if line is None or not 0 < line <= len(self.file_lines):
            return None, ""
        return self.file_lines[line - 1], self.code.split("\n")[line - 1].strip()


CONSTRUCTS = (
    ("while_loop", frozenset({"While", "StatelessWhile", "Enter", "LoopCond", "Exit"})),
    ("cond", frozenset({"If", "StatelessIf", "Merge", "Switch"})),
    ("function", frozenset({"PartitionedCall", "StatefulPartitionedCall", "SymbolicGradient"})),
)
"""What people call a region of control flow, by the op types that it consists of."""


def title(ops: Sequence[Op]) -> str:
    """Operations for people: "Mul 'mul_1'", "while_loop 'while'"."""
    regions = {op.region for op in ops if op.region}
    if regions:
        types = {op.type for op in ops}
        name = min(regions, key=len)
        return next((f"{word} '{name}'" for word, of in CONSTRUCTS if types & of), f"'{name}'")
    named = [f"{op.type} '{op.name}'" for op in ops if op.inputs] or [
        f"{op.type} '{op.name}'" for op in ops
    ]
    return named[0] if len(named) == 1 else "one of " + ", ".join(named)


def differentiated(op: Op, graph: Graph) -> Op | None:
    """The operation that `op` is a part of the gradient of: its name scope tells."""
    if "_grad/" not in op.name:
        return None
    parts = op.name.split("/")
    by_name = {each.name: each for each in graph.ops}
    for end in range(len(parts) - 1, 0, -1):
        if not parts[end - 1].endswith("_grad"):
            continue
        for start in range(end):
            name = re.sub("_grad$", "", "/".join(parts[start:end]))
            if name in by_name and name != op.name:
                return by_name[name]
    return None


def tensor_text(tensor: str, graph: Graph) -> str:
    """A tensor as the program calls it, or by its own name."""
    return graph.named.get(tensor, f"'{tensor}'")


def input_text(tensor: str, op: Op | None, graph: Graph) -> str:
    """An input for people: "input 1 (b)"."""
    if op is None or tensor not in op.inputs:
        return tensor_text(tensor, graph)
    numbers = [str(number) for number, name in enumerate(op.inputs) if name == tensor]
    noun = "inputs" if len(numbers) > 1 else "input"
    return f"{noun} {' and '.join(numbers)} ({tensor_text(tensor, graph)})"


def of_suspect(fault: Fault, suspect: Suspect, graph: Graph, source: Source) -> Blame:
    """The blame on a suspect whose value or gradient differs."""
    op = suspect.ops[0] if len(suspect.ops) == 1 else None
    chief = _chief(suspect.ops)
    if fault is Fault.VALUE:
        told = "its inputs agree, its value differs"
        if len(suspect.leaving) > 1:
            told = f"its inputs agree, its value {_listed(suspect.differing, graph)} differs"
    else:
        reach = (
            "gradient that reaches it agrees"
            if len(suspect.arriving) == 1
            else ("gradients that reach it agree")
        )
        to = " and ".join(input_text(tensor, op, graph) for tensor in suspect.differing[:3])
        told = f"the {reach}, what it passes to {to} differs"
    return _blame(fault, suspect.ops, chief, told, graph, source, suspect)


def of_sum(tensor: str, suspect: Suspect, graph: Graph, source: Source) -> Blame:
    """The blame on the sum of what several operations contribute to a tensor's gradient."""
    count = len(graph.consumers[tensor])
    producer = graph.producers[tensor]
    line, code = source.place(producer)
    where = f" (line {line}: `{code}`)" if line is not None else ""
    return Blame(
        Fault.SUM,
        f"AddN, the sum of the {count} gradients that reach {tensor_text(tensor, graph)}, "
        f"{title([producer])}{where}: each of them agrees, their sum differs",
        op=producer.name,
        type="AddN",
        file_line=line,
        code=code,
        agreeing=tuple(suspect.arriving),
        differing=(tensor,),
    )


def of_error(op: Op | None, told: str, graph: Graph, source: Source) -> Blame:
    """The blame for an error, on the operation at which it arises."""
    if op is None:
        return Blame(Fault.ERROR, f"no operation: {told}")
    return _blame(Fault.ERROR, [op], op, told, graph, source)


def _blame(
    fault: Fault,
    ops: Sequence[Op],
    chief: Op,
    told: str,
    graph: Graph,
    source: Source,
    suspect: Suspect | None = None,
) -> Blame:
    forward = differentiated(chief, graph)
    line, code = source.place(forward or chief)
    name = title(ops)
    where = f", in the gradient of {title([forward])}" if forward is not None else ""
    where += f" (line {line}: `{code}`)" if line is not None else ""
    return Blame(
        fault,
        f"{name}{where}: {told}",
        op=chief.region or chief.name,
        type=chief.type,
        gradient_of=None if forward is None else forward.name,
        file_line=line,
        code=code,
        agreeing=() if suspect is None else tuple(suspect.arriving),
        differing=() if suspect is None else tuple(suspect.differing),
    )


def _chief(ops: Sequence[Op]) -> Op:
    """Of several operations the one to be named: control flow first, then the last of them."""
    types = frozenset().union(*(of for _, of in CONSTRUCTS))
    control = [op for op in ops if op.type in types]
    return (control or [op for op in ops if op.inputs] or list(ops))[-1]


def _listed(tensors: Sequence[str], graph: Graph) -> str:
    return " and ".join(tensor_text(tensor, graph) for tensor in tensors[:3])
