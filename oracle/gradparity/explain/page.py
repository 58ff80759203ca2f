"""Page: an explanation as one HTML file, with a picture; it needs neither network nor scripts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import gradparity
from gradparity.explain.drawing import NAMES
from gradparity.explain.picture import NoPicture, Picture, picture
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
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=ChoiceLoader(
            [PackageLoader("gradparity.explain"), PackageLoader("gradparity.reports")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(NAMES)
    return templates.get_template("page.html").render(
        css=asset("assets/report.css") + asset("assets/picture.css"),
        version=gradparity.__version__,
        check=check,
        lines=lines,
        classes=CLASSES,
        picture=_picture(story),
    )


def _picture(story: Story) -> Picture | None:
    with suppress(NoPicture):
        return picture(story)
    return None
