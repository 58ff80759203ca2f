"""Rules: what an op's gradient function makes of what comes in, in a few words.

A table for readers, not for computing: the numbers in an explanation are those that the
gradient ops gave. An op that is not here is explained by the ops that its gradient consists of.
"""

from __future__ import annotations

from collections.abc import Mapping

SUM = ("in", "in")
DIVISION = ("in / {1}", "-in · {0} / {1}²")
LARGER = ("in where {0} >= {1}, else 0", "in where {0} < {1}, else 0")
SMALLER = ("in where {0} <= {1}, else 0", "in where {0} > {1}, else 0")
SPREAD = ("in, spread over the elements that were summed",)
ROWS = ("the rows of in, at the places they were taken from",)
EXTREME = ("in at the largest, shared equally among equals; else 0",)

FORMULAS: Mapping[str, tuple[str, ...]] = {
    "Add": SUM,
    "AddV2": SUM,
    "Sub": ("in", "-in"),
    "Mul": ("in · {1}", "in · {0}"),
    "Div": DIVISION,
    "RealDiv": DIVISION,
    "Pow": ("in · {1} · {0}^({1} - 1)", "in · {out} · log({0}) where {0} > 0, else 0"),
    "Maximum": LARGER,
    "Minimum": SMALLER,
    "SquaredDifference": ("in · 2 · ({0} - {1})", "-in · 2 · ({0} - {1})"),
    "Neg": ("-in",),
    "Square": ("in · 2 · {0}",),
    "Sqrt": ("in / (2 · {out})",),
    "Rsqrt": ("-in · {out}³ / 2",),
    "Exp": ("in · {out}",),
    "Log": ("in / {0}",),
    "Log1p": ("in / (1 + {0})",),
    "Sin": ("in · cos({0})",),
    "Cos": ("-in · sin({0})",),
    "Tanh": ("in · (1 - {out}²)",),
    "Sigmoid": ("in · {out} · (1 - {out})",),
    "Relu": ("in where {0} > 0, else 0",),
    "Abs": ("in · sign({0})",),
    "Reciprocal": ("-in · {out}²",),
    "Softplus": ("in · sigmoid({0})",),
    "Sign": ("0: it is flat wherever it has a derivative",),
    "Identity": ("in",),
    "ReadVariableOp": ("in",),
    "Reshape": ("in, in the shape of {0}",),
    "ExpandDims": ("in, in the shape of {0}",),
    "Squeeze": ("in, in the shape of {0}",),
    "Cast": ("in, in {0}'s dtype",),
    "Transpose": ("in, transposed back",),
    "Sum": SPREAD,
    "Mean": ("in, spread over the elements and divided by their number",),
    "Max": EXTREME,
    "Min": ("in at the smallest, shared equally among equals; else 0",),
    "MatMul": (
        "the matrix product of in and {1}, transposed to fit",
        "the matrix product of in and {0}, transposed to fit",
    ),
    "AddN": ("in",) * 64,
    "Gather": ROWS,
    "GatherV2": ROWS,
    "ResourceGather": ROWS,
    "GatherNd": ROWS,
    "StridedSlice": ("in at the places that were taken, zeros elsewhere",),
    "Slice": ("in at the places that were taken, zeros elsewhere",),
    "ConcatV2": ("its own part of in",) * 64,
    "Pack": ("its own row of in",) * 64,
    "Unpack": ("what came in at the outputs, put together again",),
    "Select": ("", "in where {0}, else 0", "in where not {0}, else 0"),
    "SelectV2": ("", "in where {0}, else 0", "in where not {0}, else 0"),
    "BiasAdd": ("in", "in, summed over all axes but the channels'"),
    "Softmax": ("(in - sum(in · {out})) · {out}",),
    "Tile": ("in, its copies summed",),
}
"""Op type -> for each input what it gets. Placeholders: `{0}`, `{1}`: inputs; `{out}`: output 0."""

BROADCASTING = frozenset(
    [
        *("Add", "AddV2", "Sub", "Mul", "Div", "RealDiv", "Pow", "Maximum", "Minimum"),
        *("SquaredDifference", "SelectV2"),
    ]
)
"""Ops whose smaller input is repeated: what it gets is summed over the repetitions."""


def formula(type: str, index: int, inputs: list[str], out: str) -> str:
    """What an op gives to one input, in its own tensors' names; "" when there is no rule here."""
    known = FORMULAS.get(type, ())
    return known[index].format(*inputs, out=out) if index < len(known) else ""


def has_factor(type: str) -> bool:
    """Whether an op's rule multiplies by inputs or outputs: by conjugates, if they are complex."""
    return any("{" in text for text in FORMULAS.get(type, ()))
