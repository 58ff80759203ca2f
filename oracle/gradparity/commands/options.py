"""Options that several commands have, worded once."""

from __future__ import annotations

from pathlib import Path

import click


def _module_under_test(context: click.Context, option: click.Parameter, name: str) -> str:
    from gradparity.implementations import ImplementationNameError, module_named

    try:
        return module_named(name)
    except ImplementationNameError as error:
        raise click.BadParameter(str(error)) from None


impl = click.option(
    "--impl",
    metavar="NAME",
    default="numpy_tf",
    show_default=True,
    callback=_module_under_test,
    help="The implementation under test: a module that wears the API of tensorflow.compat.v1, "
    "or the name of an entry point gradparity.implementations that stands for one.",
)

recordings = click.option(
    "--recordings",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("recordings"),
    show_default=True,
    help="The folder of recordings; below it there is one for each TensorFlow version.",
)

oracle_python = click.option(
    "--oracle-python",
    metavar="PATH",
    help="The interpreter of another environment, whose TensorFlow is asked (1.15 or later).  "
    "[default: this one's]",
)

jobs = click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many TensorFlow processes run at a time.  [default: 2, or 1 on one core]",
)

arbiter = click.option(
    "--arbiter",
    type=click.Choice(["all", "failing", "none"]),
    default="failing",
    show_default=True,
    help="On which checks to ask for a numerical derivative, a third opinion on who is wrong.",
)

time_limit = click.option(
    "--time-limit",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds for one check on one side.",
)

memory_limit = click.option(
    "--memory-limit",
    metavar="GB",
    type=click.FloatRange(min=0, min_open=True),
    default=4.0,
    show_default=True,
    help="Memory for one check on one side, beyond what the side's process takes by itself.",
)

# The worker's own table would have to be imported: `--help` answers without it.
MODES = ("default", "grappler", "xla", "tape", "onednn")

oracle_mode = click.option(
    "--oracle-mode",
    type=click.Choice(MODES),
    default="default",
    show_default=True,
    help="By which of TensorFlow's own paths the oracle answers; default: the graph as written.",
)

impl_mode = click.option(
    "--impl-mode",
    type=click.Choice(MODES),
    default="default",
    show_default=True,
    help="The same for --impl tensorflow.compat.v1: sets TensorFlow against itself.",
)

color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours; auto: on a terminal, as NO_COLOR and FORCE_COLOR say.",
)
