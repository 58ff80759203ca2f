"""Telling: a story as lines of text, each of spans with a style; no terminal is known here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from gradparity.blame import finding
from gradparity.blame.graph import UNFETCHABLE, Op
from gradparity.explain import rules
from gradparity.explain.reasons import Dead, dead_ends, left_out
from gradparity.explain.story import (
    Arrival,
    Call,
    Contribution,
    Fate,
    Gradient,
    Passed,
    Step,
    Story,
)
from gradparity.language.check import Check
from gradparity.reports.exact import element_texts, layout

if TYPE_CHECKING:
    import numpy as np

SHORT = 12  # elements that are shown in full; of longer tensors so many less
BEGINNING = 6
ROWS = 8  # of IndexedSlices
CODE_WIDTH = 90  # characters of a line of the program, where it is quoted
OPS = 12  # named in a list of those that are left out

PLAIN, TITLE, CODE, VALUE, DIM, STOP, NONE = (
    *("", "bold", "cyan", "green", "dim", "bold red", "yellow"),
)

WITHIN = "it lies within a body; the operation that has the body answers for it"

ENDS = frozenset({Fate.STOPPED, Fate.NOT_DIFFERENTIABLE, Fate.RAISED})
"""Where a gradient that came in goes no further."""

Span = tuple[str, str]


@dataclass(frozen=True)
class Line:
    """One line: how far it is indented, and its spans of (text, style)."""

    indent: int
    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        """The line without styles."""
        return " " * self.indent + "".join(text for text, _ in self.spans)


def tell(story: Story, check: Check) -> Iterator[Line]:
    """The whole explanation, but for TensorFlow's word on it."""
    yield Line(0, ((check.case.about, TITLE),))
    yield from _program(story)
    for number, call in enumerate(story.calls, 1):
        yield from _Teller(story, call, number, len(story.calls)).lines()
    if story.error:
        yield Line(0)
        place = "" if story.error_line is None else f"line {story.error_line} "
        message = story.error.strip().partition("\n")[0]
        where = place or "the run "
        yield Line(0, ((f"Here {where}raises ", TITLE), (message, STOP)))
        return
    if [call.gradients for call in story.calls] == [story.results]:
        return  # told already
    yield Line(0)
    yield Line(0, (("The answers", TITLE),))
    for name, gradient in zip(check.xs, story.results, strict=False):
        shown = ("None", NONE) if gradient is None else (gradient_text(gradient, story), VALUE)
        yield Line(2, ((f"{name}  ", PLAIN), shown))


def _program(story: Story) -> Iterator[Line]:
    yield Line(0)
    width = len(str(len(story.lines)))
    for number, text in enumerate(story.lines, 1):
        if text != "feeds = {}":
            yield Line(2, ((f"{number:{width}}  ", DIM), (text, CODE)))


@dataclass(frozen=True)
class _Teller:
    """Tells of one call of `tf.gradients`."""

    story: Story
    call: Call
    number: int
    count: int

    def lines(self) -> Iterator[Line]:
        call = self.call
        yield Line(0)
        if call.within:
            named = f"Call {self.number} of {self.count}: tf.gradients within a body"
            yield Line(0, ((named, TITLE), (f" (line {call.line})", DIM)))
            yield from self._inside(call, "what it is asked for")
            return
        ys, xs = self._tensors(call.ys), self._tensors(call.xs)
        where = "" if call.line is None else f" (line {call.line})"
        which = f"Call {self.number} of {self.count}: " if self.count > 1 else ""
        yield Line(0, ((f"{which}tf.gradients({ys}, {xs})", TITLE), (where, DIM)))
        yield Line(0)
        yield from self._between()
        yield Line(0)
        yield from self._seeds()
        if call.steps:
            yield Line(0, (("In the rules below, in is the gradient that came in.", DIM),))
        for number, step in enumerate(call.steps, 1):
            yield Line(0)
            yield from self._step(step, number)
        yield Line(0)
        yield from self._results()

    # What is processed

    def _between(self) -> Iterator[Line]:
        call, graph = self.call, self.story.graph
        ops = [op for op in graph.ops if op.name in call.between]
        if not ops:
            yield Line(0, (("No operation lies between the xs and the ys.", PLAIN),))
        else:
            one = len(ops) == 1
            told = "One operation lies" if one else f"{len(ops)} operations lie"
            yield Line(
                0,
                (
                    (f"{told} between ", PLAIN),
                    ("the xs and the ys, reached from both sides: ", PLAIN),
                    (self._ops(ops), CODE),
                ),
            )
        for reason, others in left_out(call, graph).items():
            yield Line(0, (("Left out: ", DIM), (self._ops(others), DIM), (f" ({reason})", DIM)))
        stops = {op.name: op for op in graph.ops if op.name in call.stops}
        for name in sorted(call.stops):  # of one within a body there is no tensor here
            named = self._outputs(stops[name]) if name in stops else f"'{name}'"
            told = ": it may get a gradient, and nothing goes further from there"
            yield Line(0, (("stop_gradients names ", PLAIN), (named, STOP), (told, PLAIN)))

    def _seeds(self) -> Iterator[Line]:
        for seed in self.call.seeds:
            why = "its weight in grad_ys" if seed.given else "ones, as grad_ys gives no weight"
            yield Line(
                0,
                (
                    (f"{self._tensor(seed.y)} starts with ", PLAIN),
                    (gradient_text(seed.gradient, self.story), VALUE),
                    (f" ({why})", DIM),
                ),
            )

    # The steps

    def _step(self, step: Step, number: int) -> Iterator[Line]:
        yield Line(0, ((f"{number}. {finding.title([step.op])}", TITLE), *self._place(step.op)))
        for arrival in step.arrivals:
            yield from self._arrival(step, arrival)
        yield from self._ending(step)
        if step.fate is not Fate.DIFFERENTIATED:
            return
        yield from self._control_flow(step)
        for index, passed in enumerate(step.passed):
            yield from self._passed(step, index, passed)

    def _place(self, op: Op) -> Iterator[Span]:
        forward = finding.differentiated(op, self.story.graph)
        line = op.line if forward is None else forward.line
        if forward is not None:
            yield f", in the gradient of {finding.title([forward])}", PLAIN
        if line is not None:
            yield f"  line {line}: ", DIM
            yield shorten(self.story.lines[line - 1], CODE_WIDTH, placeholder=" …"), CODE

    def _arrival(self, step: Step, arrival: Arrival) -> Iterator[Line]:
        name = self._receiver(arrival.tensor)
        story, parts = self.story, arrival.contributions
        if not parts:
            if arrival.total is not None and len(step.arrivals) > 1:
                told = f"{name} got no gradient, but a sibling did: zeros stand in, "
                yield Line(3, ((told, NONE), (gradient_text(arrival.total, story), VALUE)))
            return
        assert arrival.total is not None
        total = gradient_text(arrival.total, story)
        if len(parts) == 1:
            source = self._source(parts[0])
            told = f"comes in at {name}, {source}: "
            yield Line(3, ((told, PLAIN), (total, VALUE)))
            return
        yield Line(3, ((f"{name} had {len(parts)} contributions:", PLAIN),))
        for part in parts:
            text = gradient_text(part.gradient, story)
            yield Line(5, ((text, VALUE), (f"  {self._source(part)}", DIM)))
        yield Line(3, ((f"{self._sum_rule(arrival)} ", PLAIN), (total, VALUE)))

    @staticmethod
    def _sum_rule(arrival: Arrival) -> str:
        sparse = [part.gradient.indices is not None for part in arrival.contributions]
        if all(sparse):
            return "all are IndexedSlices: their rows are put one after the other, not added up:"
        if any(sparse):
            return "the IndexedSlices among them are made dense, then AddN sums them:"
        assert arrival.total is not None
        if arrival.total.made_by != "AddN":
            return "they are summed, in this order:"
        return "AddN sums them, taking them in this order:"

    def _source(self, contribution: Contribution) -> str:
        source = contribution.source
        return "the start" if source is None else f"from {finding.title([source])}"

    def _ending(self, step: Step) -> Iterator[Line]:
        told = {
            Fate.DIFFERENTIATED: "",
            Fate.STOPPED: "stops here: stop_gradients names it, so nothing goes further",
            Fate.AT_AN_X: "done: it is an x, and no other x lies before it",
            Fate.NO_GRADIENT: "nothing has come in, so nothing goes out",
            Fate.NOT_DIFFERENTIABLE: f"ends here: {step.op.type} is declared not differentiable",
            Fate.RAISED: "its gradient function raises, or there is none",
        }[step.fate]
        if step.fate is Fate.AT_AN_X and not step.arrivals[0].contributions:
            told = f"nothing has come in; {told.removeprefix('done: ')}"
        if step.op.type == "StopGradient" and step.fate is Fate.NOT_DIFFERENTIABLE:
            told = "ends here: it is tf.stop_gradient, a constant to differentiation"
        if told:
            yield Line(3, ((told, STOP if step.fate in ENDS else DIM),))

    def _passed(self, step: Step, index: int, passed: Passed) -> Iterator[Line]:
        story, op = self.story, step.op
        name = self._receiver(passed.tensor)
        if passed.gradient is None:
            if passed.tensor in self._from_between:
                yield Line(3, ((f"{name} gets None: {op.type} has no gradient for it", NONE),))
            return
        rule = self._rule(step, index, passed.gradient)
        value = gradient_text(passed.gradient, story)
        spans: list[Span] = [(f"{name} gets ", PLAIN)]
        if rule:
            spans.append((f"{rule} = ", PLAIN))
        spans.append((value, VALUE))
        if passed.tensor not in self._from_between:
            spans.append(("  (dropped: it is not between)", DIM))
        yield Line(3, tuple(spans))

    def _rule(self, step: Step, index: int, gradient: Gradient) -> str:
        op = step.op
        if step.has_own_rule:
            return "by the program's own gradient function"
        inputs = [self._tensor(tensor) for tensor in op.inputs]
        rule = rules.formula(op.type, index, inputs, self._tensor(next(iter(op.outputs))))
        if not rule:
            built = () if step.inside else dict.fromkeys(step.built)
            return f"by {', '.join(built)}" if built else ""
        if self._is_complex(op) and rules.has_factor(op.type):
            rule += " (with complex conjugates)"
        if self._was_broadcast(step, gradient):
            rule += ", summed over the axes along which it was broadcast"
        return rule

    @cached_property
    def _from_between(self) -> set[str]:
        return {
            tensor
            for op in self.story.graph.ops
            if op.name in self.call.between
            for tensor in op.outputs
        }

    @staticmethod
    def _is_complex(op: Op) -> bool:
        return any(dtype.startswith("complex") for dtype in op.outputs.values())

    def _was_broadcast(self, step: Step, gradient: Gradient) -> bool:
        total = step.arrivals[0].total
        if step.op.type not in rules.BROADCASTING or total is None:
            return False
        came, went = (self.story.values.get(g.values) for g in (total, gradient))
        return came is not None and went is not None and came.shape != went.shape

    def _control_flow(self, step: Step) -> Iterator[Line]:
        kind = finding.title([step.op]).partition(" ")[0]
        values = self.story.values
        if kind == "while_loop":
            count = values.get(next(iter(step.op.outputs)))
            passes = "as many passes" if count is None else f"{int(count)} passes"
            yield Line(
                3,
                (
                    (
                        f"the loop made {passes}; its gradient is another loop of as many, the "
                        "last pass first",
                        PLAIN,
                    ),
                ),
            )
        elif kind == "cond":
            chosen = values.get(step.op.inputs[0])
            taken = ""
            if chosen is not None and chosen.dtype == bool and chosen.size == 1:
                taken = f": here the {'true' if chosen.item() else 'false'} one's"
            told = f"its gradient is another cond, of the gradients of both branches{taken}"
            yield Line(3, ((told, PLAIN),))
        body = "one of its branches" if kind == "cond" else "its body"
        for call in step.inside:
            yield from self._inside(call, body)

    def _inside(self, call: Call, body: str) -> Iterator[Line]:
        """A call within a body: which operations it came to, without values."""
        processed = [s for s in call.steps if s.fate is not Fate.NO_GRADIENT]
        if not processed:
            return
        names = ", ".join(
            f"{finding.title([s.op])}{'' if s.fate is Fate.DIFFERENTIATED else ' (ends)'}"
            for s in processed[:OPS]
        )
        more = f", and {len(processed) - OPS} more" if len(processed) > OPS else ""
        yield Line(3, ((f"{body} is differentiated in this order: ", PLAIN), (names + more, CODE)))

    # The results

    def _results(self) -> Iterator[Line]:
        for x, gradient in zip(self.call.xs, self.call.gradients, strict=False):
            name = self._tensor(x)
            if gradient is not None:
                spans: list[Span] = [(f"d/d{name} = ", PLAIN)]
                spans.append((gradient_text(gradient, self.story), VALUE))
                if x not in self.story.graph.producers:
                    spans.append((f"  {WITHIN}", DIM))
                elif not self._arrived(x):
                    told = "  zeros for None, as unconnected_gradients='zero' asks"
                    spans.append((told, NONE))
                    spans.append((f": {self._why_none(x)}", DIM))
                yield Line(0, tuple(spans))
            else:
                yield Line(
                    0,
                    ((f"d/d{name} = ", PLAIN), ("None", NONE), (f"  {self._why_none(x)}", DIM)),
                )

    def _arrived(self, x: str) -> bool:
        return any(
            arrival.total is not None
            for step in self.call.steps
            for arrival in step.arrivals
            if arrival.tensor == x
        )

    def _why_none(self, x: str) -> str:
        if x not in self.story.graph.producers:
            return WITHIN
        dead = dead_ends(x, self.call, self.story.graph)
        if not dead:
            return "no way leads from it to the ys"
        ways = "its way ends" if len(dead) == 1 else "each way from it ends"
        return f"{ways} at " + ", and at ".join(self._dead(each) for each in dead[:OPS])

    def _dead(self, dead: Dead) -> str:
        if dead.step is None:
            dtype = self.story.graph.producers[dead.tensor].outputs[dead.tensor]
            return f"{self._tensor(dead.tensor)}, whose dtype {dtype} carries no gradient"
        op = dead.step.op
        line = "" if op.line is None else f" (line {op.line})"
        why = {
            Fate.STOPPED: ", which stop_gradients names",
            Fate.NOT_DIFFERENTIABLE: ", which is not differentiable",
            Fate.DIFFERENTIATED: f", which has no gradient for {self._tensor(dead.tensor)}",
        }.get(dead.step.fate, "")
        return f"{finding.title([op])}{line}{why}"

    # Names

    def _tensor(self, tensor: str) -> str:
        return finding.tensor_text(tensor, self.story.graph).replace(":0'", "'")

    def _receiver(self, tensor: str) -> str:
        producer = self.story.graph.producers.get(tensor)
        is_variable = producer is not None and producer.type in ("VariableV2", "VarHandleOp")
        return f"the variable {self._tensor(tensor)}" if is_variable else self._tensor(tensor)

    def _tensors(self, tensors: Sequence[str]) -> str:
        return f"[{', '.join(map(self._tensor, tensors))}]"

    def _outputs(self, op: Op) -> str:
        return " and ".join(self._tensor(tensor) for tensor in op.outputs)

    @staticmethod
    def _ops(ops: Sequence[Op]) -> str:
        names = ", ".join(finding.title([op]) for op in ops[:OPS])
        return names + (f", and {len(ops) - OPS} more" if len(ops) > OPS else "")


# -- values ------------------------------------------------------------------------------


def gradient_text(gradient: Gradient, story: Story) -> str:
    """A gradient's value: dense, or IndexedSlices by their rows."""
    values = story.values.get(gradient.values)
    if gradient.indices is None:
        return _no_value(gradient.values, story) if values is None else value_text(values)
    indices = story.values.get(gradient.indices)
    if values is None or indices is None:
        return "IndexedSlices"
    shape = None if gradient.dense_shape is None else story.values.get(gradient.dense_shape)
    of = "" if shape is None else f" of shape {shape.tolist()}"
    rows = [
        f"row {index}: {value_text(row)}"
        for index, row in zip(indices[:ROWS].tolist(), values[:ROWS], strict=False)
    ]
    if len(values) > ROWS:
        rows.append(f"… {len(values) - ROWS} more")
    return f"IndexedSlices{of} {{{'; '.join(rows)}}}"


def _no_value(tensor: str, story: Story) -> str:
    producer = story.graph.producers.get(tensor)
    if producer is not None and producer.outputs[tensor] in UNFETCHABLE:
        return f"({producer.outputs[tensor]}: not to be shown)"  # a list of tensors, for one
    return "(no value)"  # since the run raises


def value_text(value: np.ndarray[Any, Any]) -> str:
    """An array in one line: in full when it is short, else its shape and how it begins."""
    count = value.size if value.size <= SHORT else BEGINNING
    texts = element_texts(value, count)
    if count < value.size:
        return f"{value.dtype.name}{list(value.shape)} [{', '.join(texts)}, …]"
    pieces: Iterable[str | int] = layout(list(value.shape), count)
    return "".join(
        " ".join(piece.split()) + " " * piece.endswith((" ", "\n"))
        if isinstance(piece, str)
        else texts[piece]
        for piece in pieces
    )
