"""Outputs: the files and lines that CI systems read, which `run` and `report` write of a run."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

if TYPE_CHECKING:
    from gradparity.comparison.report import Report
    from gradparity.reports.places import Places

Json: TypeAlias = dict[str, Any]

BADGE_FORMATS = (".json", ".svg")
STEP_SUMMARY = 1_000_000  # bytes; GitHub refuses a step's summary of more than 1 MiB
# Where the root of the repository is, as GitHub Actions and GitLab CI tell.
ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


@dataclass(frozen=True)
class Outputs:
    """What to write of a run beside its report; each attribute is the option of its name."""

    junit: Path | None
    code_quality: Path | None
    badge: Path | None
    annotations: str
    baseline: Path | None
    report_url: str | None

    def prepare(self) -> None:
        """Makes the folders, so that what cannot be written is said before a long run.

        Raises:
          OSError: one cannot be made, or is not to be written in.
        """
        for path in (self.junit, self.code_quality, self.badge):
            if path is not None:
                prepare(path)

    @property
    def baseline_name(self) -> str | None:
        """What to call the baseline; None when none was named."""
        return None if self.baseline is None else self.baseline.as_posix()

    def earlier(self) -> Report | None:
        """The baseline; None when none was named.

        Raises:
          ReportError: it is no report, or of a run that did not end.
        """
        from gradparity.comparison.report import ReportError, read

        if self.baseline is None:
            return None
        report = read(self.baseline)
        if not report.is_whole:
            raise ReportError(
                f"{report.path} tells of a run that did not end: it is no baseline. "
                "Name the report.json of one that did."
            )
        return report

    def places(self, document: Json) -> Places:
        """Where readers of the outputs find the checks of a document."""
        from gradparity.reports.places import Places

        return Places.of(document, self.report_url, folder_in_repository(os.environ, os.getcwd()))

    def write(self, document: Json) -> None:
        """Writes what was asked for.

        Raises:
          OSError: a file cannot be written.
        """
        from gradparity.reports import write_text

        places = self.places(document)
        if self.junit is not None:
            from gradparity.reports.junit import junit

            write_text(self.junit, junit(document, places))
        if self.code_quality is not None:
            from gradparity.reports.code_quality import code_quality

            write_text(self.code_quality, code_quality(document, places))
        if self.badge is not None:
            from gradparity.reports import badge

            text = badge.svg if self.badge.suffix == ".svg" else badge.endpoint
            write_text(self.badge, text(document))
        if self._on_github():
            _tell_github(document, places)

    def _on_github(self) -> bool:
        on_actions = os.environ.get("GITHUB_ACTIONS") == "true"
        return self.annotations == "github" or (self.annotations == "auto" and on_actions)


def _tell_github(document: Json, places: Places) -> None:
    """Prints annotations, and adds the report to the summary of the step, if there is room.

    Raises:
      OSError: the summary cannot be written.
    """
    from gradparity.reports.annotations import workflow_commands
    from gradparity.reports.markdown import markdown

    for line in workflow_commands(document, places):
        click.echo(line)
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    path, text = Path(name), markdown(document, places).encode("utf-8", "backslashreplace")
    there = path.stat().st_size if path.exists() else 0
    if there + len(text) > STEP_SUMMARY:
        click.echo("::notice::The job summary is full: this run is not in it.")
        return
    with path.open("ab") as file:
        file.write(text)


def folder_in_repository(environ: Mapping[str, str], folder: str) -> str:
    """A folder from the root of the repository that CI checked out; "" outside of CI."""
    for variable in ROOTS:
        root = environ.get(variable)
        if root:
            inside = os.path.relpath(os.path.realpath(folder), os.path.realpath(root))
            if inside != os.curdir and not inside.startswith(os.pardir):
                return Path(inside).as_posix()
    return ""


def prepare(path: Path) -> None:
    """Makes the folder of a file.

    Raises:
      OSError: it cannot be made, or the file not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path if path.exists() else path.parent
    if not os.access(target, os.W_OK):
        raise PermissionError(f"no permission to write {path}")


def _badge_file(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix not in BADGE_FORMATS:
        raise click.BadParameter(
            f"{path} is neither .json, for shields.io's endpoint badge, nor .svg, a picture."
        )
    return path


def _folder_url(context: click.Context, option: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(("https://", "http://")) or any(c in url for c in " \"'<>?#\n"):
        raise click.BadParameter(
            f"{url!r} is not the address of a folder, such as https://example.org/report/."
        )
    return url.removesuffix("report.html")


def _file(name: str, help: str, **settings: Any) -> Callable[[Any], Any]:
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option(name, metavar="FILE", type=kind, help=help, **settings)


OPTIONS = (
    _file("--junit", "Write the checks as JUnit XML."),
    _file("--code-quality", "Write what fails as GitLab's code quality JSON."),
    _file(
        "--badge",
        "Write a badge: .json for shields.io's endpoint badge, .svg for a picture.",
        callback=_badge_file,
    ),
    click.option(
        "--annotations",
        type=click.Choice(["auto", "github", "none"]),
        default="auto",
        show_default=True,
        help="Print what fails as GitHub's annotations, and add report.md to the job's summary; "
        "auto: where GITHUB_ACTIONS is true.",
    ),
    click.option(
        "--baseline",
        metavar="REPORT",
        type=click.Path(path_type=Path),
        help="An earlier report.json, or its folder: the reports say what changed since.  "
        "[default: the last run of the same report folder]",
    ),
    click.option(
        "--report-url",
        metavar="URL",
        callback=_folder_url,
        help="Where the report's folder will be found: outputs link to its pages.",
    ),
)


def options(function: Callable[..., None]) -> Callable[..., None]:
    """Gives a command these options, as one argument `outputs`."""

    @functools.wraps(function)
    def command(*arguments: Any, **values: Any) -> None:
        own = {field.name: values.pop(field.name) for field in fields(Outputs)}
        function(*arguments, outputs=Outputs(**own), **values)

    for option in reversed(OPTIONS):
        command = option(command)
    return command
