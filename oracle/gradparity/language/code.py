"""Code: a piece of Python source with its syntax tree, and where each node stands in it."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Literal

MAX_LENGTH = 50_000  # characters
MAX_DEPTH = 150  # of the syntax tree; every pass over it recurses


@dataclass(frozen=True)
class CodeProblem:
    """Something that a case's code may not say; `offset` counts characters of the text."""

    offset: int
    message: str
    hint: str = ""


class CodeError(Exception):
    """The text is refused before it is looked at in detail."""

    def __init__(self, problem: CodeProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Code:
    """Parsed source.

    Attributes:
      text: the source.
      tree: its tree: `ast.Module` for statements, `ast.Expression` for one expression.
      lines: the source's lines.
      starts: the offset of each line's first character.
    """

    text: str
    tree: ast.Module | ast.Expression
    lines: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def body(self) -> ast.expr:
        """The node of the one expression."""
        assert isinstance(self.tree, ast.Expression)
        return self.tree.body

    def start(self, node: ast.AST) -> int:
        """The offset of the node's first character."""
        return self._offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))

    def end(self, node: ast.AST) -> int:
        """The offset after the node's last character."""
        return self._offset(getattr(node, "end_lineno", 1), getattr(node, "end_col_offset", 0))

    def _offset(self, line: int, column: int) -> int:
        text = self.lines[line - 1]
        if not text.isascii():  # the tree counts bytes of UTF-8
            column = len(text.encode("utf-8")[:column].decode("utf-8", "ignore"))
        return self.starts[line - 1] + column


def parse(text: str, mode: Literal["exec", "eval"]) -> Code:
    """Parses statements ("exec") or one expression ("eval").

    Raises:
      CodeError: it is not Python, or too long or too deep to be looked at.
    """
    if len(text) > MAX_LENGTH:
        raise CodeError(CodeProblem(0, f"code of more than {MAX_LENGTH:,} characters"))
    lines = tuple(text.split("\n"))
    starts = tuple(_line_starts(lines))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a stranger's text is not our news
            tree = ast.parse(text, mode=mode)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        line = min(max(line, 1), len(lines))
        offset = min(starts[line - 1] + max(column - 1, 0), len(text))
        raise CodeError(CodeProblem(offset, f"not valid Python: {error.msg}")) from None
    except (RecursionError, MemoryError):
        raise CodeError(CodeProblem(0, "the code nests too deeply")) from None
    except ValueError as error:  # a null character, or a number of too many digits
        raise CodeError(CodeProblem(0, f"not valid Python: {error}")) from None
    assert isinstance(tree, ast.Module | ast.Expression)
    code = Code(text, tree, lines, starts)
    # Every level of a tree takes a character at least: most texts are too short to be deep.
    deep = _too_deep(tree) if len(text) > MAX_DEPTH else None
    if deep is not None:
        raise CodeError(CodeProblem(code.start(deep), "the code nests too deeply"))
    return code


def bare_name(text: str) -> Code:
    """As `parse` of an expression that is one name, which most are."""
    node = ast.Name(
        text, ast.Load(), lineno=1, col_offset=0, end_lineno=1, end_col_offset=len(text.encode())
    )
    return Code(text, ast.Expression(node), (text,), (0,))


def _line_starts(lines: tuple[str, ...]) -> list[int]:
    starts, offset = [], 0
    for line in lines:
        starts.append(offset)
        offset += len(line) + 1
    return starts


def _too_deep(tree: ast.AST) -> ast.AST | None:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return None
    return next((node for node in level if hasattr(node, "lineno")), None)
