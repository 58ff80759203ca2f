"""Badge: a run in two words and a colour, for a README."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from gradparity.judge.verdict import Word
from gradparity.reports import pages, wording
from gradparity.reports.legend import LEGEND

Json: TypeAlias = dict[str, Any]

LABEL = "tf.gradients parity"
# Names that shields.io knows -> the same colours, dark enough for white text.
COLORS = {"brightgreen": "#2e7d32", "red": "#c62828", "orange": "#b45309", "lightgrey": "#6b7280"}
CHARACTER = 6.5  # pixels on average, at the size of the template
MARGIN = 6


@dataclass(frozen=True)
class Badge:
    """What a badge says on its right side, and a key of `COLORS`."""

    message: str
    color: str


def badge(document: Json) -> Badge:
    """What a document's badge says: "8,616 agree", "3 of 90 differ".

    Red: something is wrong; orange: all that fails is open, such as an op that is wanting;
    grey: the run did not end, or judged nothing.
    """
    verdicts = {word: n for word, n in document["totals"]["verdicts"].items() if n}
    checks = document["totals"]["checks"]
    failing = {word: n for word, n in verdicts.items() if not Word(word).passes}
    if "end" not in document:
        return Badge("interrupted", "lightgrey")
    if not checks:
        return Badge("nothing judged", "lightgrey")
    if failing:
        verb = "differ" if set(failing) == {Word.DIFFER.value} else "fail"
        is_open = all(LEGEND[Word(word)].tone == "open" for word in failing)
        count = sum(failing.values())
        verb = f"{verb}s" if count == 1 else verb
        return Badge(f"{count:,} of {checks:,} {verb}", "orange" if is_open else "red")
    problems = wording.run_problems(document)
    if problems:
        return Badge(f"{wording.plural(len(problems), f'{problems[0][0]} problem')}", "red")
    return Badge(wording.verdict_counts(document["totals"]), "brightgreen")


def endpoint(document: Json) -> str:
    """The badge as the JSON that shields.io's endpoint badge asks for, version 1 of its schema."""
    shown = badge(document)
    data = {
        "schemaVersion": 1,
        "label": LABEL,
        "message": shown.message,
        "color": shown.color,
        "isError": shown.color == "red",
    }
    return json.dumps(data, indent=2) + "\n"


def svg(document: Json) -> str:
    """The badge as a picture that needs no network."""
    shown = badge(document)
    template = pages.environment(document).get_template("badge.svg")
    return template.render(
        label=LABEL,
        message=shown.message,
        color=COLORS[shown.color],
        left=_width(LABEL),
        right=_width(shown.message),
        margin=MARGIN,
    )


def _width(text: str) -> int:
    """Pixels for a text with its margins; the text is set to fit, whatever the font."""
    return round(len(text) * CHARACTER) + 2 * MARGIN
