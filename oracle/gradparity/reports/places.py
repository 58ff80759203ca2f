"""Places: where others find a check: its file in the repository, its page below a URL."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from gradparity.reports.pages import anchor, page_paths

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Where those find a check who are not in the folder of its run.

    Attributes:
      url: of the folder that holds report.html, without a slash at its end; None: it is
        nowhere to be had.
      folder: of the run, from the root of its repository; file names of the document are
        relative to it.
      pages: file and name of a case -> its page below the report's folder.
    """

    url: str | None = None
    folder: str = ""
    pages: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Json, url: str | None = None, folder: str = "") -> Places:
        """The places of a document's checks; see the class for the arguments."""
        return cls(url and url.rstrip("/"), folder, page_paths(document["cases"]))

    @property
    def report(self) -> str | None:
        """The URL of the whole report."""
        return self.url and f"{self.url}/report.html"

    def file(self, check: Json) -> str:
        """A check's case file, from the root of the repository."""
        return posixpath.normpath(posixpath.join(self.folder, check["file"]))

    def page(self, check: Json) -> str | None:
        """The URL of a check on its case's page."""
        if self.url is None:
            return None
        page = self.pages[check["file"], check["case"]]
        return f"{self.url}/{_quoted(page)}#{_quoted(anchor(check))}"


def _quoted(text: str) -> str:
    return quote(text, errors="backslashreplace")
