"""Links that lead out of docs/: what they show of the repository becomes pages of the site.

The pages are read on GitHub, where `../cases/tutorial/diamond.yaml` is a file beside them, and in
a site that must be whole in itself. So each file that a page links to is shown in a page of its
own, and each folder is a list of what is in it. A link that leads nowhere is a warning, which
fails a strict build.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).parents[2]
FOLDER = "repository"
LINK = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the extension."""
    app.connect("source-read", redirect)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": False}


def redirect(app: Sphinx, page: str, source: list[str]) -> None:
    """Lets links out of docs/ lead to the site's pages of what they name."""

    def to_page(link: re.Match[str]) -> str:
        path = link[1].rstrip("/")
        if not (ROOT / path).exists():
            logger.warning("%s links to %s, which is not there", page, path, location=page)
            return link[0]
        linked(app).add(path)
        return f"]({FOLDER}:{path})"

    source[0] = LINK.sub(to_page, source[0])


def linked(app: Sphinx) -> set[str]:
    """The paths that pages link to, kept with what else is known of the pages."""
    if not hasattr(app.env, "linked_paths"):
        app.env.linked_paths = set()
    return app.env.linked_paths


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file that is linked to, and for each folder with all below it."""
    left, done = sorted(linked(app)), set()
    while left:
        path = left.pop()
        if path in done:
            continue
        done.add(path)
        place = ROOT / path
        if place.is_dir():
            shown = sorted(child for child in place.iterdir() if not hidden(child))
            left += [f"{path}/{child.name}" for child in shown]
            body = listing(place.name, shown)
        else:
            body = text(place)
        context = {"title": path, "body": f'<h1 class="path">{html.escape(path)}</h1>{body}'}
        yield f"{FOLDER}/{path}", context, "page.html"


def hidden(path: Path) -> bool:
    """Whether a folder's page leaves it out, as what tools leave behind."""
    return path.name.startswith((".", "__pycache__"))


def listing(folder: str, children: list[Path]) -> str:
    """A list of links."""
    items = "".join(
        f'<li><a href="{folder}/{child.name}.html">{child.name}</a></li>' for child in children
    )
    return f"<ul>{items}</ul>"


def text(file: Path) -> str:
    """A file, highlighted."""
    try:
        lexer = get_lexer_for_filename(file.name)
    except ClassNotFound:
        lexer = get_lexer_for_filename("any.txt")
    return highlight(file.read_text(encoding="utf-8"), lexer, HtmlFormatter())
