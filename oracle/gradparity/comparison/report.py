"""Report: a report.json read back, whole or as far as it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from gradparity.reports.document import FORMAT, VERSION

Json: TypeAlias = dict[str, Any]

NEEDED = ("oracle", "implementation", "checks")
CHECK_NEEDED = ("id", "file", "line", "profile", "xs", "ys", "verdict", "oracle", "implementation")


class ReportError(Exception):
    """A file that is no report; the message says which, why and what to do."""


@dataclass(frozen=True)
class Report:
    """The contents of a report.json.

    Attributes:
      path: where it was read.
      document: its contents; of a torn file all whole lines of it.
      torn: whether the file's end is missing, as when a disk is full.
    """

    path: Path
    document: Json
    torn: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it tells of a run that came to its end."""
        return "end" in self.document

    @property
    def checks(self) -> Mapping[str, Json]:
        """Check id -> the check, in the order of the run."""
        return {check["id"]: check for check in self.document["checks"]}


def read(path: Path) -> Report:
    """Reads a report.json; a folder stands for the one in it.

    Raises:
      ReportError: there is none, or it is none that this version can read.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        raise ReportError(
            f"There is no report {file}; make one with: gradparity run --report {file.parent}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(
            f"{file} cannot be read: {error}. A run writes it: gradparity run --report {path}"
        ) from None
    try:
        document, torn = json.loads(text), False
    except ValueError as error:
        document, torn = _mended(text), True
        if document is None:
            raise ReportError(
                f"{file} is not JSON: {error}. Name the report.json of a run."
            ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReportError(f"{file} is not a report of gradparity. Name the report.json of a run.")
    if document.get("version") != VERSION:
        raise ReportError(
            f"{file} is a report of version {document.get('version')!r}, and this gradparity reads "
            f"version {VERSION}. Run it again with this one."
        )
    document.setdefault("checks", [])
    _require(file, document, NEEDED, "")
    for number, check in enumerate(document["checks"]):
        _require(file, check, CHECK_NEEDED, f"check {number}: ")
    return Report(file, document, torn)


def _mended(text: str) -> Any:
    """The document that a torn file begins, without its torn line; None when it begins none.

    `reports.document.to_text` writes a line for each key, and one for each case and check.
    """
    whole_lines = text[: text.rfind("\n")].rstrip(",\n ")
    for closing in ("}", "]}"):
        try:
            return json.loads(whole_lines + closing)
        except ValueError:
            continue
    return None


def _require(file: Path, item: Any, keys: tuple[str, ...], where: str) -> None:
    missing = [key for key in keys if not isinstance(item, dict) or key not in item]
    if missing:
        raise ReportError(f"{file}: {where}{', '.join(missing)} is missing. Run it again.")
