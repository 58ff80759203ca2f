"""CaseProblem: one thing wrong in a case file, said so that its author can mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gradparity.language.check import Position


@dataclass(frozen=True)
class CaseProblem:
    """What is wrong, where, and what to do about it.

    Attributes:
      position: the file, line and column.
      message: what is wrong, one sentence.
      source_line: the offending line of the file, as it stands.
      hint: what to do, or "".
    """

    position: Position
    message: str
    source_line: str = ""
    hint: str = ""

    def render(self) -> str:
        """`path:line:column: error: message`, the line, a caret below it, and the hint."""
        place = self.position
        lines = [f"{place.path}:{place.line}:{place.column}: error: {self.message}"]
        if self.source_line.strip():
            # Tabs are kept below tabs, so that the caret stands under the character it means.
            before = self.source_line[: place.column - 1]
            blank = "".join("\t" if character == "\t" else " " for character in before)
            lines += [f"    {self.source_line}", f"    {blank}^"]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


class CaseErrors(Exception):
    """One or more case files are invalid; carries every problem found, in file order."""

    def __init__(self, problems: Sequence[CaseProblem]) -> None:
        super().__init__("\n".join(problem.render() for problem in problems))
        self.problems = tuple(problems)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known spelling nearest to `word`, or "" when none is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else ""


def in_file_order(problems: Iterable[CaseProblem]) -> list[CaseProblem]:
    """The problems without repetitions, by line and column.

    One mistake in a file that a matrix multiplies is found once for each entry, and is
    still one mistake.
    """
    unique = {(p.position, p.message): p for p in problems}
    return sorted(unique.values(), key=lambda p: (p.position.line, p.position.column))
