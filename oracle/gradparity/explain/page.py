"""Page: an explanation as one HTML file, with a picture; it needs neither network nor scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import gradparity
from gradparity.explain import drawing as drawn
from gradparity.explain.telling import CODE, DIM, NONE, STOP, TITLE, VALUE, Line
from gradparity.reports.pages import asset

if TYPE_CHECKING:
    from gradparity.explain.story import Story
    from gradparity.language.check import Check

CLASSES = {TITLE: "title", CODE: "code", VALUE: "value", DIM: "dim", STOP: "stop", NONE: "none"}


def page(check: Check, story: Story, lines: Sequence[Line]) -> str:
    """The page.

    Args:
      check: what is explained.
      story: what happened; its last call of `tf.gradients`, if not within a body, is drawn.
      lines: the explanation.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    calls = [call for call in story.calls if not call.within]
    templates = Environment(
        loader=PackageLoader("gradparity.explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("page.html").render(
        css=asset("assets/report.css"),
        version=gradparity.__version__,
        check=check,
        lines=lines,
        classes=CLASSES,
        drawing=drawn.drawing(calls[-1], story) if calls else None,
        size=(drawn.WIDTH, drawn.HEIGHT),
    )
