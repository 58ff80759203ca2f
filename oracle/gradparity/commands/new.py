"""`gradparity new`: writes a case file to start from."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

INVALID = 2
SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "case.schema.json"

TEMPLATE = """\
# yaml-language-server: $schema={schema}
about: The gradient of x squared is 2 x.   # the behaviour, one sentence
source: where this behaviour is documented
inputs:
  x: {{variable: [1.0, -2.0, 3.0]}}          # or placeholder: [null] with feed: […]; or constant
graph: |
  z = tf.square(x)                         # TensorFlow code; `tf` and `np` are there
gradients:
  - ys: z
    xs: [x]
    grad_ys: [[1.0, 0.5, -0.25]]           # one weight for each y; without it, ones
    expect: [[2.0, -2.0, -1.5]]            # optional: the documented value, one for each x
  - {{ys: z, xs: [x], stop_gradient_at: [x]}} # the same graph behind tf.stop_gradient(x)
"""


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Write a new case to start from: NAME becomes cases/NAME.yaml.

    A NAME that ends in .yaml or .yml is the path of the file itself.
    """
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(schema=_schema_from(path.parent)))
    except FileExistsError:
        _stop(f"{path} is there already; choose another name, or edit that file.")
    except OSError as error:
        _stop(f"{path} cannot be written: {error.strerror}.")
    click.echo(
        f"Wrote {path}, a valid case that passes. Next:\n"
        f"  edit it        (the first line gives your editor the schema: it completes and checks)\n"
        f"  gradparity check {path}\n"
        f"  gradparity run {path}"
    )


def _path(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", name):
        _stop(f"{name!r} is not a name for a case: use letters, digits, '_', '-' and '/'.")
    return Path("cases") / f"{name}.yaml"


def _schema_from(folder: Path) -> str:
    """How a file in `folder` names the schema.

    Relative when the schema lies below the current folder, as in a checkout or a virtual
    environment inside a project, so that the line holds for everybody who has the project;
    otherwise a file URI, which holds on this machine.
    """
    if SCHEMA.is_relative_to(Path.cwd()):
        return Path(os.path.relpath(SCHEMA, folder.resolve())).as_posix()
    return SCHEMA.as_uri()


def _stop(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(INVALID)
