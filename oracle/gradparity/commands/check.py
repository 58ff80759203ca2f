"""`gradparity check`: validates case files, without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import click

INVALID = 2


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--no-cache", is_flag=True, help="Look at files again that are known to be valid.")
def command(paths: tuple[Path, ...], no_cache: bool) -> None:
    """Validate case files: every key, value, name and line of code; nothing is run.

    PATHS are case files and folders of them; by default the folder `cases`. Files that have
    not changed since they were found valid are not looked at again.
    """
    from gradparity.language.loading import find
    from gradparity.language.validated import Validated

    named, problems = find(paths or [Path("cases")])
    validated = None if no_cache else Validated()
    checks = 0
    for path, name in named:
        count = None if validated is None else validated.count(path, name)
        if count is None:
            from gradparity.language.loading import load_file
            from gradparity.language.problems import CaseErrors

            try:
                count = len(load_file(path, name))
            except CaseErrors as errors:
                problems += errors.problems
                continue
            if validated is not None:
                validated.remember(path, name, count)
        checks += count
    if validated is not None:
        validated.save()
    for problem in problems:
        click.echo(problem.render(), err=True)
    if problems:
        places = {problem.position.path for problem in problems}
        click.echo(f"{_count(len(problems), 'problem')} in {_count(len(places), 'file')}", err=True)
        sys.exit(INVALID)
    click.echo(f"{_count(len(named), 'file')}, {_count(checks, 'check')}: all valid")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
