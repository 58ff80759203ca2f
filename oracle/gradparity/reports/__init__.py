"""Reports: what a run found, as files for machines and people, and in the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradparity.results import RunRecord

if TYPE_CHECKING:
    from gradparity.comparison.report import Report
    from gradparity.reports.places import Places

MANY = 1000  # checks, from which on several processes write their pages sooner than one
GENERATOR = '<meta name="generator" content="gradparity'  # how a page of ours is known


def write_all(
    record: RunRecord,
    folder: Path,
    earlier: Report | None = None,
    baseline: str | None = None,
    registry: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Writes report.json, report.md, report.html and the pages that it links to.

    Args:
      record: a run; an interrupted one is reported as such.
      folder: where to; made when it does not exist. Pages of an earlier report in the
        same folder that this one does not write again are removed.
      earlier: an earlier run's report, to tell what changed since; see `reports.changes`.
      baseline: what to call it when it is another than the last one.
      registry: what the oracle's TensorFlow can differentiate (`recordings.registry`): with it
        coverage.html is written too.

    Returns:
      The paths written, report.json, report.md and report.html first.

    Raises:
      OSError: the folder or a file in it cannot be written.
    """
    from gradparity.reports.document import document

    return write_document(document(record, earlier, baseline, registry), folder)


def write_document(
    document: dict[str, Any], folder: Path, places: Places | None = None
) -> list[Path]:
    """As `write_all`, from the contents of a report.json.

    Args:
      document: of a run.
      folder: where to.
      places: where readers of report.md find the checks; None: nowhere but in the folder.
    """
    from gradparity.reports.document import to_text
    from gradparity.reports.markdown import markdown

    first = {"report.json": to_text(document), "report.md": markdown(document, places)}
    written = [write_text(folder / name, text) for name, text in first.items()]
    return written + write_pages(document, folder)


def write_pages(document: dict[str, Any], folder: Path) -> list[Path]:
    """Writes the HTML report alone, as `write_all` does."""
    from gradparity.reports.pages import page_names, pages
    from gradparity.reports.shares import cores, in_shares

    def write(part: int, parts: int) -> None:
        for name, text in pages(document, part, parts).items():
            write_text(folder / name, text)

    in_shares(write, cores() if len(document["checks"]) >= MANY else 1)
    written = [folder / name for name in page_names(document)]
    _remove_stale_pages(folder, written)
    return written


def write_text(path: Path, text: str) -> Path:
    """Writes a file, and makes the folders above it.

    Raises:
      OSError: that is not possible.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A file name that is not valid text holds lone surrogates, which UTF-8 cannot.
    path.write_bytes(text.encode("utf-8", "backslashreplace"))
    return path


def _remove_stale_pages(folder: Path, written: Collection[Path]) -> None:
    """Removes pages of an earlier report in `folder`; files of others stay."""
    current = set(written)
    for path in (*folder.glob("coverage.html"), *(folder / "cases").rglob("*.html")):
        if path not in current and GENERATOR in path.read_text("utf-8", "replace")[:400]:
            path.unlink()
