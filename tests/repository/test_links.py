"""Links and paths in the Markdown of this repository lead somewhere, anchors included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "examples/*/*.md", "benchmarks/*.md")
    for page in ROOT.glob(pattern)
)
FOLDERS = ("benchmarks", "cases", "docs", "examples", "impl", "oracle", "requirements", "tests")
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]+")


def tokens(page: Path) -> Iterator[Token]:
    """Every token of a page, those within lines included."""
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: list[str] = []
    heading = False
    for token in tokens(page):
        if token.type == "inline" and heading:
            text = "".join(child.content for child in token.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            number = sum(re.sub(r"-\d+$", "", anchor) == slug for anchor in found)
            found.append(f"{slug}-{number}" if number else slug)
        heading = token.type == "heading_open"
    return set(found)


def broken(page: Path) -> Iterator[str]:
    """What in a page leads nowhere; a guide may speak of files that it lets its reader write."""
    written = set(re.findall(r"^<!-- file: (\S+) -->$", page.read_text("utf-8"), re.MULTILINE))
    for token in tokens(page):
        if token.type == "link_open":
            target = str(token.attrs["href"])
            path, _, anchor = target.partition("#")
            file = (page.parent / path) if path else page
            if "://" in target:
                continue
            if not file.exists() or (anchor and anchor not in anchors(file)):
                yield target
        elif token.type == "code_inline" and PATH.fullmatch(token.content):
            if not (ROOT / token.content).exists() and token.content not in written:
                yield f"`{token.content}`"
        elif token.type == "text" and "](" in token.content:
            yield f"no link: {token.content}"


@pytest.mark.parametrize("name", PAGES)
def test_links_and_paths_lead_somewhere(name):
    assert list(broken(ROOT / name)) == []


@pytest.mark.parametrize(
    "line",
    [
        "[a page](nowhere.md)",
        "[a heading](#no-such-heading)",
        "[a heading elsewhere](other.md#no-such-heading)",
        "[a space in it](#a heading)",
        "`docs/nowhere.md`",
    ],
)
def test_what_leads_nowhere_is_found(tmp_path, line):
    (tmp_path / "other.md").write_text("# Other\n")
    (tmp_path / "page.md").write_text(f"# A heading\n\n{line}\n")

    assert len(list(broken(tmp_path / "page.md"))) == 1


@pytest.mark.parametrize(
    "line",
    ["[a page](other.md)", "[here](#a-heading-with-code)", "[there](other.md#other-1)"],
)
def test_what_leads_somewhere_is_not(tmp_path, line):
    (tmp_path / "other.md").write_text("# Other\n\n## Other\n")
    (tmp_path / "page.md").write_text(f"# A heading, with `code`\n\n{line}\n")

    assert list(broken(tmp_path / "page.md")) == []
