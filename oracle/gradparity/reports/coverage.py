"""Coverage for people: lines for the terminal, and a page with a row for each op."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

from gradparity.coverage import Coverage, Group, Row, Status
from gradparity.reports.wording import plural

WIDTH = 100
CHECKS = 5  # named in each place of the page and the terminal; all of them are in the JSON
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


def page(coverage: Coverage, document: Mapping[str, Any]) -> str:
    """coverage.html: totals, and a table of all ops for each group.

    Args:
      coverage: what was measured.
      document: the report.json that it was measured in; versions and links are from it.
    """
    from gradparity.reports.pages import anchor, environment, page_paths

    paths = page_paths(document["cases"])
    checks = document["checks"]

    def link(index: int) -> tuple[str, str]:
        """The page of a check, and its place there."""
        check = checks[index]
        return paths[check["file"], check["case"]], anchor(check)

    def examples(row: Row) -> list[int]:
        """One check for each order and dtype, then others, `CHECKS` in all."""
        found = [by_word for _, by_word in sorted(row.calls.items())] or [row.met]
        firsts = [indices[0] for by_word in found for indices in by_word.values()]
        others = [i for by_word in found for indices in by_word.values() for i in indices]
        return list(dict.fromkeys(firsts + others))[:CHECKS]

    return (
        environment(dict(document))
        .get_template("coverage.html")
        .render(
            root="",
            coverage=coverage,
            totals=coverage.totals(),
            groups=Group,
            meanings=MEANINGS,
            tones=TONES,
            words=_words,
            link=link,
            examples=examples,
        )
    )
