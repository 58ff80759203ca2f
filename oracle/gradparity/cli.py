"""The command line: a table of commands, each imported only when it is called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import click

from gradparity import __version__


@dataclass(frozen=True)
class Entry:
    """A command: the module that holds it as `command`, and its line in the help."""

    module: str
    help: str


COMMANDS = {
    "run": Entry("gradparity.commands.run", "Ask TensorFlow and an implementation, and compare."),
    "check": Entry("gradparity.commands.check", "Validate case files; needs no TensorFlow."),
    "report": Entry("gradparity.commands.report", "Tell a run again, for CI or for people."),
    "explain": Entry("gradparity.commands.explain", "Tell how a gradient flows, step by step."),
    "record": Entry("gradparity.commands.record", "Write down what TensorFlow answers."),
    "compare": Entry("gradparity.commands.compare", "Explain what changed between two runs."),
    "coverage": Entry("gradparity.commands.coverage", "Say which gradient functions were asked."),
    "calibrate": Entry("gradparity.commands.calibrate", "Measure what tolerances must allow."),
    "accept": Entry("gradparity.commands.accept", "Accept differences as known, with a reason."),
    "mutants": Entry("gradparity.commands.mutants", "Prove that wrong implementations are caught."),
    "new": Entry("gradparity.commands.new", "Write a new case file to start from."),
}


class LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the module of one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            import difflib

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            if near and not ctx.resilient_parsing:
                ctx.fail(f"No such command {cmd_name!r}. Did you mean {near[0]!r}?")
            return None
        command = importlib.import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands' lines from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit status: 0 all pass; 1 some check fails; 2 a case or the call is invalid; "
        "3 the oracle could not be started."
    ),
)
@click.version_option(__version__, prog_name="gradparity")
def main() -> None:
    """Does an implementation compute gradients exactly as TensorFlow does?"""
