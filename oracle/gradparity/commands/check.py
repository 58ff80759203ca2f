"""`gradparity check`: validates case files, without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import click

INVALID = 2


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def command(paths: tuple[Path, ...]) -> None:
    """Validate case files: every key, value, name and line of code; nothing is run.

    PATHS are case files and folders of them; by default the folder `cases`.
    """
    from gradparity.language.loading import read

    corpus = read(paths or [Path("cases")])
    for problem in corpus.problems:
        click.echo(problem.render(), err=True)
    if corpus.problems:
        places = {problem.position.path for problem in corpus.problems}
        problems = _count(len(corpus.problems), "problem")
        click.echo(f"{problems} in {_count(len(places), 'file')}", err=True)
        sys.exit(INVALID)
    files = _count(len(corpus.files), "file")
    click.echo(f"{files}, {_count(len(corpus.checks), 'check')}: all valid")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
