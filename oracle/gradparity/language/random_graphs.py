"""Random graphs: short programs with several outputs, dead ends and shared paths, and queries.

They are about which gradients there are and in which order they are summed. Every operation is
one whose values TensorFlow and NumPy compute to the same bits, so that nothing is left to
tolerance.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

STRIDE = 1_000_003  # between the random streams of two seeds
MAX_DEGREE = 8  # of a value as a polynomial of the inputs, so that none leaves float32


@dataclass(frozen=True)
class _Tensor:
    """A name of the graph.

    Attributes:
      name: the name.
      size: its shape, a key of `_SHAPES`.
      degree: as a polynomial of the inputs.
      sources: the names that its gradient reaches, itself included.
    """

    name: str
    size: str
    degree: int
    sources: frozenset[str]


@dataclass(frozen=True)
class _Form:
    """A statement that the generator may write.

    Attributes:
      code: with {0}, {1}… for its operands.
      takes: the sizes that each operand may have.
      gives: the size of each output; "broadcast" is the larger of the operands'.
      weight: how often it is taken.
      passes: which operands each output has a gradient to.
      degree: of the output, from those of the operands.
    """

    code: str
    takes: Sequence[Sequence[str]]
    gives: Sequence[str]
    weight: int = 2
    passes: Sequence[Sequence[int]] | None = None
    degree: Callable[[Sequence[int]], int] = max


# Rows of some length, so that a sum in another order shows in one of its elements at least;
# a size is broadcast with those before it.
_SHAPES: Mapping[str, Sequence[int]] = {"pair": (2, 6), "one": (1, 6), "row": (6,)}
_ANY = tuple(_SHAPES)
_PAIR = ("pair",)
_NOTHING: Sequence[Sequence[int]] = ((),)

_FORMS = (
    _Form("{0} + {1}", (_ANY, _ANY), ("broadcast",), 8),
    _Form("{0} - {1}", (_ANY, _ANY), ("broadcast",), 4),
    _Form("{0} * {1}", (_ANY, _ANY), ("broadcast",), 6, degree=sum),
    _Form("tf.maximum({0}, {1})", (_ANY, _ANY), ("broadcast",)),
    _Form("tf.square({0})", (_ANY,), ("broadcast",), 3, degree=lambda of: 2 * of[0]),
    _Form("-{0}", (_ANY,), ("broadcast",)),
    _Form("tf.identity({0})", (_ANY,), ("broadcast",), 3),
    _Form("tf.abs({0})", (_ANY,), ("broadcast",)),
    _Form("tf.add_n([{0}, {1}, {2}])", (_PAIR, _PAIR, _PAIR), ("pair",), 4),
    _Form("tf.where({0} > 0.0, {1}, {2})", (_PAIR, _PAIR, _PAIR), ("pair",), 2, ((1, 2),)),
    _Form("tf.reduce_sum({0}, axis=0)", (_PAIR,), ("row",)),
    _Form("tf.gather({0}, [1, 0])", (_PAIR,), ("pair",)),
    # Several outputs.
    _Form("tf.identity_n([{0}, {1}])", (_ANY, _ANY), ("first", "second"), 6),
    _Form("tf.split(tf.concat([{0}, {1}], 0), 2)", (_PAIR, _PAIR), ("pair", "pair"), 4),
    _Form("tf.split({0}, 2)", (_PAIR,), ("one", "one"), 3),
    _Form("tf.unstack(tf.stack([{0}, {1}]))", (_PAIR, _PAIR), ("pair", "pair"), 4),
    _Form("tf.unstack({0}, num=2)", (_PAIR,), ("row", "row"), 4),
    # Dead ends.
    _Form("tf.stop_gradient({0})", (_ANY,), ("broadcast",), 3, _NOTHING),
    _Form("tf.floor({0})", (_ANY,), ("broadcast",), 2, _NOTHING),
    _Form("tf.cast(tf.cast({0}, tf.int32), tf.float32)", (_ANY,), ("broadcast",), 1, _NOTHING),
)


def random_graph(given: Mapping[str, int], number: int) -> dict[str, Any]:
    """The inputs, graph and queries of one random graph.

    Args:
      given: "seed", and how many "operations" and "queries".
      number: which graph of the seed.
    """
    draw = _Draw(given["seed"] * STRIDE + number)
    inputs: dict[str, Any] = {
        "x": {"variable": draw.values("pair")},
        "w": {"variable": draw.values("pair")},
        "p": {"placeholder": [None, 6], "feed": draw.values("pair")},
        "s": {"constant": draw.values("row")},
    }
    graph = _Graph(draw)
    for name in inputs:
        graph.add(name, "row" if name == "s" else "pair", 1, ())
    for _ in range(given["operations"]):
        graph.statement()
    queries = [graph.query(f"query-{i + 1}") for i in range(given["queries"])]
    return {"inputs": inputs, "graph": "\n".join(graph.lines) + "\n", "gradients": queries}


class _Draw:
    """Choices, all made of `random()`: Python promises to keep its sequence, and no other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, count: int) -> int:
        return int(self._random() * count)

    def one(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def several(self, items: Iterable[T], count: int) -> list[T]:
        """Up to `count` different items, in any order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]

    def chance(self, part: float) -> bool:
        return self._random() < part

    def values(self, size: str) -> dict[str, Any]:
        """Numbers that fill their mantissas."""
        shape = list(_SHAPES[size])
        return {"uniform": shape, "seed": self.below(10_000), "low": -1.5, "high": 1.5}


@dataclass
class _Graph:
    """A graph while it is written."""

    draw: _Draw
    lines: list[str] = field(default_factory=list)
    tensors: dict[str, _Tensor] = field(default_factory=dict)
    consumed: set[str] = field(default_factory=set)

    def add(self, name: str, size: str, degree: int, sources: Iterable[str]) -> None:
        self.tensors[name] = _Tensor(name, size, degree, frozenset({name, *sources}))

    def statement(self) -> None:
        """Writes one statement: a form that fits, over operands of which late ones are likelier."""
        while True:
            form = self.draw.one(_TICKETS)
            operands = [self._operand(sizes) for sizes in form.takes]
            degree = form.degree([operand.degree for operand in operands])
            if degree <= MAX_DEGREE:
                break
        names = [f"t{self._made() + i + 1}" for i in range(len(form.gives))]
        code = form.code.format(*(operand.name for operand in operands))
        self.lines.append(f"{', '.join(names)} = {code}")
        self.consumed.update(operand.name for operand in operands)
        passes = form.passes or [range(len(operands))] * len(names)
        for name, size, through in zip(names, form.gives, passes, strict=True):
            sources = [source for i in through for source in operands[i].sources]
            self.add(name, _size(size, operands), degree, sources)

    def _made(self) -> int:
        return sum(name.startswith("t") for name in self.tensors)

    def _operand(self, sizes: Sequence[str]) -> _Tensor:
        fitting = [tensor for tensor in self.tensors.values() if tensor.size in sizes]
        return self.draw.one(fitting[-6:] if self.draw.chance(0.6) else fitting)

    def query(self, identifier: str) -> dict[str, Any]:
        """A query that could fail: among its xs are one that a y depends on, and a y itself.

        That y is asked for twice over, with a weight which is neither zero nor one, and is
        not stopped: whatever becomes of the others, the gradients are not trivial.
        """
        draw, tensors = self.draw, list(self.tensors.values())
        made = [t for t in tensors if t.name.startswith("t")]
        late = made[len(made) // 2 :]
        ys = draw.several(late, 1 + draw.below(2))
        connected = sorted({source for y in ys for source in y.sources})
        xs = list(dict.fromkeys([ys[0].name, draw.one(connected)]))
        xs += draw.several((t.name for t in tensors if t.name not in xs), draw.below(4))
        query: dict[str, Any] = {
            "id": identifier,
            "ys": [f"2.0 * {ys[0].name}", *(y.name for y in ys[1:])],
            "xs": draw.several(xs, len(xs)),
            "grad_ys": [
                None if y is not ys[0] and draw.chance(0.3) else draw.values(y.size) for y in ys
            ],
        }
        if draw.chance(0.4):
            stopped = draw.several(self.tensors, 1 + draw.below(2))
            query["stop_gradients"] = stopped
        elif draw.chance(0.3):
            query["stop_gradient_at"] = [draw.one(sorted(self.consumed - {ys[0].name}))]
        if draw.chance(0.25):
            query["unconnected_gradients"] = "zero"
        return query


_TICKETS = [form for form in _FORMS for _ in range(form.weight)]


def _size(given: str, operands: Sequence[_Tensor]) -> str:
    if given in ("first", "second"):
        return operands[("first", "second").index(given)].size
    if given != "broadcast":
        return given
    return min((operand.size for operand in operands), key=_ANY.index)
