"""A comparison of two runs as text for the terminal, as Markdown and as one HTML file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradparity.comparison.answers import COARSENESS, Change, Kind
from gradparity.comparison.compare import SIDES, Cause, CheckChange, Comparison, Turn
from gradparity.comparison.report import Report
from gradparity.reports import wording
from gradparity.reports.markdown import LIMIT, RESERVED, code_span, prose

if TYPE_CHECKING:
    from rich.console import Console

LISTED = 10  # checks of each section in the terminal
LINES = 4  # changes of one answer that are spelled out
SAME_ANSWER = frozenset({Kind.BITS, Kind.MESSAGE})

CAUSES = {
    Cause.NEW: "the check is new",
    Cause.GONE: "the check is gone",
    Cause.EDITED: "the check was edited",
    Cause.ORACLE: "another oracle",
    Cause.IMPLEMENTATION: "the implementation",
    Cause.TOLERANCE: "another tolerance",
    Cause.EXPECTATION: "another expectation of the case",
    Cause.JUDGE: "the judge or the ledger",
    Cause.UNKNOWN: "not known: the oracle says nothing of itself that changed",
}
KINDS = {
    Kind.ANSWER: "answer or none",
    Kind.NAME: "a name that is not there",
    Kind.ERROR: "error",
    Kind.STAGE: "stage of the error",
    Kind.NONE: "None or a gradient",
    Kind.SPARSITY: "dense or IndexedSlices",
    Kind.DTYPE: "dtype",
    Kind.SHAPE: "shape",
    Kind.VALUE: "value, beyond the tolerance",
    Kind.BITS: "bits only, within the tolerance",
    Kind.MESSAGE: "text of the error",
}


@dataclass(frozen=True)
class Section:
    """Changed checks that are told of under one heading.

    Attributes:
      title: the heading.
      style: how the terminal shows it.
      holds: whether a changed check belongs here; the first section that wants it has it.
    """

    title: str
    style: str
    holds: Callable[[CheckChange], bool]


SECTIONS = (
    Section("Worse", "bold red", lambda change: change.turn is Turn.WORSE),
    Section("Better", "bold green", lambda change: change.turn is Turn.BETTER),
    Section("Another verdict", "bold", lambda change: change.turn is Turn.OTHERWISE),
    Section("New", "bold", lambda change: Cause.NEW in change.causes),
    Section("Gone", "bold", lambda change: Cause.GONE in change.causes),
    Section("Edited", "bold", lambda change: Cause.EDITED in change.causes),
    Section(
        "The same answers but for bits or words",
        "bold",
        lambda change: change.kinds <= SAME_ANSWER,
    ),
    Section("The oracle answers otherwise", "bold yellow", lambda change: bool(change.oracle)),
    Section("The implementation answers otherwise", "bold yellow", lambda change: True),
)


def sections(comparison: Comparison) -> dict[str, list[CheckChange]]:
    """Heading -> the changed checks under it; headings without any are left out."""
    found: dict[str, list[CheckChange]] = {section.title: [] for section in SECTIONS}
    for change in comparison.changed:
        found[next(s.title for s in SECTIONS if s.holds(change))].append(change)
    return {title: changes for title, changes in found.items() if changes}


def headline(comparison: Comparison) -> str:
    """The comparison in one sentence."""
    changed, total = len(comparison.changed), len(comparison.changed) + comparison.same
    if not total:
        return "Nothing could be compared: the reports have no check in common."
    if not changed:
        return f"Nothing changed in {wording.plural(total, 'check')}."
    turns = Counter(change.turn for change in comparison.changed)
    told = [f"{turns[t]:,} {t.value}" for t in (Turn.WORSE, Turn.BETTER) if turns[t]]
    words = f"; verdicts: {', '.join(told)}" if told else ""
    return f"{changed:,} of {wording.plural(total, 'check')} changed{words}."


def facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What stands above the list of changes: a name and a line for each fact."""
    for name, report in (("before", comparison.before), ("after", comparison.after)):
        yield name, _of(report)
        if not report.is_whole:
            why = "its file is torn" if report.torn else "the run was interrupted"
            count = wording.plural(len(report.checks), "check")
            yield "", f"incomplete: {why}; it has {count}"
    if comparison.unjudged:
        checks = wording.plural(comparison.unjudged, "check")
        verb = "is" if comparison.unjudged == 1 else "are"
        yield "", f"{checks} of the one run {verb} not compared: the other did not come so far"
    for setting in comparison.settings:
        profiles = ", ".join(setting.profiles)
        yield (
            setting.side,
            f"{setting.name} ({profiles}): {setting.before} → {setting.after}",
        )
    for cause, kinds in by_cause(comparison).items():
        counts = ", ".join(f"{count:,} {KINDS[kind]}" for kind, count in kinds.items())
        total = sum(cause in change.causes for change in comparison.changed)
        yield "because", f"{CAUSES[cause]}: {total:,}" + (f" ({counts})" if counts else "")


def by_cause(comparison: Comparison) -> dict[Cause, dict[Kind, int]]:
    """Cause -> in what it changed answers, and in how many checks that is the coarsest."""
    found: dict[Cause, Counter[Kind]] = {}
    for change in comparison.changed:
        for cause in change.causes:
            changes = {
                Cause.ORACLE: change.oracle,
                Cause.UNKNOWN: change.oracle,
                Cause.IMPLEMENTATION: change.implementation,
                Cause.EDITED: (*change.oracle, *change.implementation),
            }.get(cause, ())
            kinds = sorted((one.kind for one in changes), key=COARSENESS.__getitem__)
            found.setdefault(cause, Counter()).update(kinds[:1])
    return {
        cause: {kind: found[cause][kind] for kind in Kind if found[cause][kind]}
        for cause in Cause
        if cause in found
    }


def _of(report: Report) -> str:
    document = report.document
    versions = wording.versions_line(document["oracle"], document["implementation"])
    return f"{report.path}: {versions}, {document.get('started_at', 'time unknown')}"


def title(change: CheckChange) -> str:
    """What became of the verdict: "agree → differ", or the one word where it stayed."""
    before, after = change.verdicts
    if before is None or after is None:
        return str(after or before)
    return before if before == after else f"{before} → {after}"


def lines(change: CheckChange, names: dict[str, str]) -> Iterator[str]:
    """A changed check in a few lines: why, and in what."""
    if not {Cause.NEW, Cause.GONE} & set(change.causes):
        yield f"because of {', '.join(CAUSES[cause] for cause in change.causes)}"
    if change.turn is not Turn.SAME and change.reasons[1]:
        yield change.reasons[1]
    for side in SIDES:
        answers: Sequence[Change] = getattr(change, side)
        for one in answers[:LINES]:
            yield f"{names[side]}: {change_text(one)}"
        if len(answers) > LINES:
            yield f"{names[side]}: and {len(answers) - LINES} more"


def change_text(change: Change) -> str:
    """One change of an answer in one line."""
    subject = (
        change.where
        if change.where == change.kind.value
        else (f"{change.where}, {KINDS[change.kind]}")
    )
    ulp = f"{change.ulp:,} ulp" if change.kind is Kind.BITS and change.ulp else ""
    extra = "; ".join(filter(None, (ulp, change.detail)))
    return f"{subject}: {change.before} → {change.after}" + (f" ({extra})" if extra else "")


def names(comparison: Comparison) -> dict[str, str]:
    """Side -> what it is called."""
    return wording.names(comparison.after.document)


def text(comparison: Comparison, console: Console, listed: int = LISTED) -> None:
    """Prints a comparison.

    Args:
      comparison: what changed.
      console: where to; it decides about colour.
      listed: how many checks of each section are named.
    """
    from rich.text import Text

    def line(*spans: tuple[str, str]) -> None:
        parts = ((wording.printable(content), style) for content, style in spans)
        console.print(Text.assemble(*parts), soft_wrap=True)

    sides = names(comparison)
    styles = {section.title: section.style for section in SECTIONS}
    for heading, changes in sections(comparison).items():
        line((f"{heading} ({len(changes):,})", styles[heading]))
        for change in changes[:listed]:
            line((f"  {title(change):<20} ", ""), (f"{change.id}  ", "bold"), (change.place, "dim"))
            for told in lines(change, sides):
                line((f"    {' '.join(told.split())}", ""))
        if len(changes) > listed:
            line((f"  ... and {len(changes) - listed:,} more", ""))
        line()
    line((headline(comparison), "bold"))
    last = ""
    for name, fact in facts(comparison):
        line((f"  {'' if name == last else name:<16}", "dim"), (fact, ""))
        last = name or last


def markdown(comparison: Comparison) -> str:
    """A comparison as GitHub-flavoured Markdown of at most `LIMIT` characters."""
    sides = names(comparison)
    told = "\n".join(
        f"- {prose(f'{name}: {fact}' if name else fact)}" for name, fact in facts(comparison)
    )
    result = f"### gradparity compare: {prose(headline(comparison))}\n\n{told}\n"
    left = 0
    for heading, changes in sections(comparison).items():
        result += f"\n<details><summary>{heading} ({len(changes):,})</summary>\n\n"
        for change in changes:
            block = f"- {prose(title(change))} {code_span(change.id)} {code_span(change.place)}\n"
            block += "".join(f"  - {prose(line)}\n" for line in lines(change, sides))
            if len(result) + len(block) > LIMIT - RESERVED:
                left += 1
            else:
                result += block
        result += "\n</details>\n"
    if left:
        result += (
            f"\n{left:,} changed checks are left out, to keep this below {LIMIT:,} characters.\n"
        )
    return result


def html(comparison: Comparison) -> str:
    """A comparison as one HTML file that needs no other."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    import gradparity
    from gradparity.reports.pages import asset

    environment = Environment(
        loader=PackageLoader("gradparity.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = "{:,}".format
    return environment.get_template("comparison.html").render(
        css=asset("assets/report.css") + asset("assets/case.css"),
        version=gradparity.__version__,
        headline=headline(comparison),
        facts=list(facts(comparison)),
        table=by_cause(comparison),
        kinds=[kind for kind in Kind if any(kind in row for row in by_cause(comparison).values())],
        causes=CAUSES,
        kind_names=KINDS,
        sections=sections(comparison),
        title=title,
        lines=lines,
        names=names(comparison),
    )
