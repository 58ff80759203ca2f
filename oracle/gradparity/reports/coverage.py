"""Coverage for people: lines for the terminal, and a page with a row for each op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from textwrap import fill
from typing import Any

from gradparity.coverage import Coverage, Group, Row, Status
from gradparity.reports.wording import plural

WIDTH = 100
DTYPES = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
CHECKS = 5  # named in each place of the terminal; all of them are in the JSON
TONES = {
    Status.COVERED: "good",
    Status.MET: "good",
    Status.RAISES: "known",
    Status.FAILING: "wrong",
    Status.NOT_INVOKED: "open",
    Status.NOT_MET: "quiet",
    Status.OUT_OF_SCOPE: "quiet",
}
MEANINGS = {
    Group.FUNCTION: "registered with a gradient function",
    Group.NOT_DIFFERENTIABLE: "registered as not differentiable: the gradient is None",
    Group.UNREGISTERED: "floating point in and out, and not registered: tf.gradients raises",
}


def lines(coverage: Coverage) -> Iterator[str]:
    """The totals, then the ops that want a case, then those that cannot have one."""
    totals = coverage.totals()
    functions = totals[Group.FUNCTION.value]
    yield (
        f"TensorFlow {coverage.tensorflow}: {functions.get('covered', 0)} of "
        f"{functions['registered'] - functions.get('out of scope', 0)} gradient functions in scope "
        f"are covered, by {plural(totals['checks'], 'check')}"
    )
    for group in Group:
        counted = ", ".join(f"{number} {name}" for name, number in totals[group.value].items())
        yield f"  {group.value:<20}{counted}"
    for key in ("covered by order", "covered by dtype"):
        counted = ", ".join(f"{name}: {number}" for name, number in totals[key].items())
        yield f"  {key:<20}{counted or 'none'}"
    for status in (Status.FAILING, Status.RAISES, Status.NOT_INVOKED):
        yield from _named(f"{status.value}:", coverage.of(Group.FUNCTION, status))
    for reason, rows in _reasons(coverage.of(Group.FUNCTION, Status.OUT_OF_SCOPE)).items():
        yield from _named(f"out of scope, {reason}:", rows)


def _named(heading: str, rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        yield f"{heading} {len(rows)}"
        names = " ".join(row.op for row in rows)
        yield fill(names, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _reasons(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    reasons: dict[str, list[Row]] = {}
    for row in rows:
        reasons.setdefault(row.reason, []).append(row)
    return reasons


def op_lines(coverage: Coverage, op: str) -> Iterator[str]:
    """One op: at which order and dtype its gradient function was invoked, by which checks."""
    row = next(row for row in coverage.rows if row.op == op)
    yield f"{op}: {row.status.value}{': ' * bool(row.reason)}{row.reason}"
    yield f"  {MEANINGS[row.group]}; {_words(row.verdicts())}"
    places = {f"order {order}, {dtype}": row.calls[order, dtype] for order, dtype in row.calls}
    for place, by_word in dict(sorted(places.items())).items() or {"": row.met}.items():
        for word, checks in by_word.items():
            yield f"  {place}{': ' * bool(place)}{plural(len(checks), 'check')} {word}"
            yield from (f"    {coverage.checks[index]}" for index in checks[:CHECKS])
            if len(checks) > CHECKS:
                yield f"    ... and {len(checks) - CHECKS:,} more"


def _words(verdicts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in verdicts.items()) or "no check"


@dataclass(frozen=True)
class Mark:
    """How the map shows ops of one status: a symbol and a colour that say the same."""

    symbol: str
    classes: str
    meaning: str


MARKS: Mapping[tuple[Group, Status], Mark] = {
    (Group.FUNCTION, Status.COVERED): Mark("1", "good h2", "covered, with its highest order"),
    (Group.FUNCTION, Status.FAILING): Mark("≠", "wrong h4", "invoked, but no check agrees"),
    (Group.FUNCTION, Status.RAISES): Mark("!", "known h3", "invoked, but both sides raise"),
    (Group.FUNCTION, Status.NOT_INVOKED): Mark("○", "open h3", "not invoked"),
    (Group.FUNCTION, Status.OUT_OF_SCOPE): Mark("–", "out", "out of scope"),
    (Group.NOT_DIFFERENTIABLE, Status.MET): Mark("×", "broken h3", "not differentiable, met"),
    (Group.NOT_DIFFERENTIABLE, Status.NOT_MET): Mark(
        "×", "broken outline", "not differentiable, not met"
    ),
    (Group.UNREGISTERED, Status.MET): Mark("∄", "blue h3", "float op without registration, met"),
    (Group.UNREGISTERED, Status.NOT_MET): Mark(
        "∄", "blue outline", "float op without registration, not met"
    ),
}
DARKEST = 4  # of the steps by which colours become darker


@dataclass(frozen=True)
class Tile:
    """One op on the map.

    Attributes:
      op: its type.
      mark: how it is shown.
      symbol: what stands in the tile: the mark's symbol, or the highest order covered.
      text: all about it, in one line.
      orders: the orders and dtypes covered: "1 float32, 2 float32"; "" if none.
      counts: whether it is covered, or for others than gradient functions met.
    """

    op: str
    mark: Mark
    symbol: str
    text: str
    orders: str
    counts: bool


def _tile(row: Row) -> Tile:
    scope = (Group.FUNCTION, row.status) if row.status is Status.OUT_OF_SCOPE else None
    mark = MARKS[scope or (row.group, row.status)]
    covered = sorted(row.covered())
    orders = ", ".join(f"{order} {dtype}" for order, dtype in covered)
    told = [row.reason or (_words(row.verdicts()) if row.verdicts() else "")]
    told += [f"orders and dtypes: {orders}"] if orders else []
    text = f"{row.op}: {row.status.value}" + "".join(f"; {part}" for part in told if part)
    symbol = mark.symbol
    if row.status is Status.COVERED:
        highest = max(order for order, _ in covered)
        symbol = str(highest)
        mark = replace(mark, classes=f"good h{min(highest + 1, DARKEST)}")
    return Tile(row.op, mark, symbol, text, orders, row.status in (Status.COVERED, Status.MET))


def tiles(coverage: Coverage) -> dict[str, list[Tile]]:
    """Family of gradient functions, the largest first, and the other groups -> their ops."""
    found: dict[str, list[Tile]] = {}
    for row in coverage.of(Group.FUNCTION):
        found.setdefault(row.family or Group.FUNCTION.value, []).append(_tile(row))
    families = dict(sorted(found.items(), key=lambda item: -len(item[1])))
    others = {
        group.value: [_tile(row) for row in coverage.of(group)]
        for group in Group
        if group is not Group.FUNCTION
    }
    return {name: ops for name, ops in {**families, **others}.items() if ops}


@dataclass(frozen=True)
class Cell:
    """What the table says of an op at one dtype.

    Attributes:
      classes: its colour, darker for more orders.
      calls: text and the index of a check: for each order covered that order, and one that
        covers it; or where checks called it and none agreed, "≠" and the first of them.
    """

    classes: str
    calls: Sequence[tuple[str, int]]


def _cell(row: Row, dtype: str) -> Cell:
    called = {order: words for (order, of), words in sorted(row.calls.items()) if of == dtype}
    covering = [(str(o), words["agree"][0]) for o, words in called.items() if "agree" in words]
    if covering:
        return Cell(f"good h{min(len(covering) + 1, DARKEST)}", covering)
    others = [index for words in called.values() for found in words.values() for index in found[:1]]
    return Cell("wrong h2", [("≠", others[0])]) if others else Cell("", ())


def headline(coverage: Coverage) -> str:
    """The coverage in one line: "320 of 372 gradient functions"."""
    functions = coverage.totals()[Group.FUNCTION.value]
    in_scope = functions["registered"] - functions.get("out of scope", 0)
    return f"{functions.get('covered', 0)} of {in_scope} gradient functions"


def page(coverage: Coverage, document: Mapping[str, Any]) -> str:
    """coverage.html: a map of all ops, totals, and a table for each group.

    Args:
      coverage: what was measured.
      document: the report.json that it was measured in; versions and links are from it.
    """
    from gradparity.reports.pages import check_url, environment, page_paths

    paths = page_paths(document["cases"])
    checks = document["checks"]

    def example(row: Row) -> int:
        """A check that says what the row's status does, where one does."""
        words = [words for _, words in sorted(row.calls.items())] or [row.met]
        agreeing = [word["agree"][0] for word in words if "agree" in word]
        return (agreeing or [indices[0] for word in words for indices in word.values()])[0]

    calls = {dtype for row in coverage.of(Group.FUNCTION) for _, dtype in row.calls}
    dtypes = [dtype for dtype in DTYPES if dtype in calls] + sorted(calls - set(DTYPES))
    shown = Counter((row.group, row.status) for row in coverage.rows)
    return (
        environment(dict(document))
        .get_template("coverage.html")
        .render(
            root="",
            coverage=coverage,
            totals=coverage.totals(),
            families=tiles(coverage),
            marks=[
                {**asdict(mark), "count": shown[place]}
                for place, mark in MARKS.items()
                if shown[place]
            ],
            dtypes=dtypes,
            cells=lambda row: [_cell(row, dtype) for dtype in dtypes],
            groups=[group for group in Group if coverage.of(group)],
            meanings=MEANINGS,
            tones=TONES,
            words=_words,
            link=lambda index: check_url(checks[index], paths),
            example=example,
            checks=checks,
        )
    )
