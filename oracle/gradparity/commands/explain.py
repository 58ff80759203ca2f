"""`gradparity explain`: tells in the terminal how the gradient flows through a case."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from gradparity.commands import options

if TYPE_CHECKING:
    from rich.console import Console

    from gradparity.explain.story import Story
    from gradparity.explain.telling import Line
    from gradparity.language.check import Check

INVALID, NO_ORACLE = 2, 3
LISTED = 20  # checks named when there are several
NEAREST = 5  # cases named when there is none of that name


@click.command("explain")
@click.argument("case")
@click.option(
    "-k",
    "expression",
    metavar="EXPR",
    help="Of the case's checks, the first whose id matches.",
)
@click.option(
    "--oracle",
    type=click.Choice(["recorded", "live", "none"]),
    default="recorded",
    show_default=True,
    help="Whose answer to hold the explanation against at the end.",
)
@options.recordings
@click.option(
    "--html",
    "html_path",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as one HTML file, with a picture, instead of to the terminal.",
)
@click.option("--no-color", is_flag=True, help="Plain text, on a terminal too.")
def command(
    case: str,
    expression: str | None,
    oracle: str,
    recordings: Path,
    html_path: Path | None,
    no_color: bool,
) -> None:
    """Tell step by step how the gradient flows through a case.

    CASE is a name below the folder `cases`, such as tutorial/diamond, or a file; `::` and the
    rest of a check's id choose one of its checks. Each op is told in the order in which
    tf.gradients processes it: what comes in, what it passes on and by which rule, what is
    stopped, summed, filled with zeros or dropped.

    It is numpy_tf that runs the program, and that is watched: its tf.gradients does what
    TensorFlow's does, op by op. At the end its answer is held against TensorFlow's.
    """
    checks = _checks(case)
    chosen = _chosen(checks, case, expression)

    from rich.console import Console

    from gradparity.explain.observing import observe
    from gradparity.explain.telling import Line, tell

    console = Console(color_system=None if no_color else "auto", highlight=False)
    story = observe(chosen.program)
    lines = [*tell(story, chosen)]
    if oracle != "none":
        from gradparity.explain.comparing import compared

        word = compared(chosen, story, recordings if oracle == "recorded" else None)
        lines += [Line(0), Line(0, word)]
    if html_path is not None:
        _write(html_path, chosen, story, lines)
        return
    if len(checks) > 1:
        _list(checks, chosen)
    place = chosen.position
    _print(Line(0, ((f"{chosen.id}  ({place.path}:{place.line})", "dim"),)), console)
    for line in lines:
        _print(line, console)


def _checks(case: str) -> list[Check]:
    """The checks of the case that is named; ends the program when there is none."""
    from gradparity.language.loading import load
    from gradparity.language.problems import CaseErrors

    name = case.partition("::")[0]
    try:
        checks = load([_path(name)])
    except CaseErrors as errors:
        _stop(str(errors))
    # One of the cases that a file generates.
    return [check for check in checks if check.case.name == name] or checks


def _path(name: str) -> Path:
    from gradparity.language.loading import CORPUS_FOLDER, ENDINGS, case_files, case_name

    given, root = Path(name), Path(CORPUS_FOLDER)
    stems = (root / given, root / given.parent)  # a file that generates cases is their folder
    for path in (given, *(Path(f"{stem}{ending}") for stem in stems for ending in ENDINGS)):
        if path.is_file():
            return path
    known = [case_name(path, root) for path in case_files(root)] if root.is_dir() else []
    wanted = given.with_suffix("").as_posix().removeprefix(f"{CORPUS_FOLDER}/")
    near = difflib.get_close_matches(wanted, known, NEAREST, cutoff=0.5)
    near += [each for each in known if wanted in each and each not in near][: NEAREST - len(near)]
    hint = "".join(f"\n  {each}" for each in near)
    hint = f"\nThe nearest names in {root}/ are:{hint}" if near else f"\nLook into {root}/."
    _stop(f"There is no case {name!r}.{hint}")


def _chosen(checks: Sequence[Check], case: str, expression: str | None) -> Check:
    """The check that `::` or `-k` picks, else the first."""
    from gradparity import selection

    _, separator, query = case.partition("::")
    if separator:
        labels = {check.id.partition("::")[2]: check for check in checks}
        found = [c for label, c in labels.items() if label == query] or [
            c for label, c in labels.items() if query in label
        ]
        if not found:
            near = difflib.get_close_matches(query, labels, NEAREST, cutoff=0.3) or labels
            known = "".join(f"\n  {label}" for label in list(near)[:LISTED])
            _stop(f"No check of that case is called {query!r}. There are:{known}")
        return found[0]
    if expression is None:
        return checks[0]
    try:
        selects = selection.parse(expression)
    except selection.SelectionError as error:
        raise click.BadParameter(str(error), param_hint="-k") from None
    for check in checks:
        if selects(check.id):
            return check
    _stop(f"-k {expression!r} matches none of the case's checks. See them without -k.")


def _list(checks: Sequence[Check], chosen: Check) -> None:
    click.echo(f"The case makes {len(checks)} checks; choose one with ::NAME or -k:")
    for check in checks[:LISTED]:
        mark = "*" if check is chosen else " "
        click.echo(f" {mark} {check.id.partition('::')[2]}")
    if len(checks) > LISTED:
        click.echo(f"   … and {len(checks) - LISTED} more")
    click.echo()


def _write(path: Path, check: Check, story: Story, lines: Sequence[Line]) -> None:
    from gradparity.explain.page import page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(check, story, lines), encoding="utf-8")
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}.")
    click.echo(f"{path}: {check.id}")


def _print(line: Line, console: Console) -> None:
    from rich.padding import Padding
    from rich.text import Text

    text = Text.assemble(*line.spans)
    if console.is_terminal:  # which is narrow: what does not fit goes on below the beginning
        console.print(Padding(text, (0, 0, 0, line.indent)))
    else:
        click.echo(line.text)


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(INVALID)
