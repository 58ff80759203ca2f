"""YAML text to plain data that knows where in its file each value stands.

A case file comes from a stranger. Only plain data is read: no tags, no duplicate keys, no
second document, no aliases that multiply without bound. Scalars follow YAML 1.2's core
schema (as editors do), so `1e-3` is a number and `no` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

from gradparity.language.check import Position
from gradparity.language.problems import CaseErrors, CaseProblem

DataPath: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_NODES = 100_000  # after aliases are expanded
MAX_DEPTH = 50
MAX_NUMBER_LENGTH = 400  # characters of one number; float64's longest exact value is shorter

REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")  # $name, ${name}

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_SYNTAX_HINTS = (
    ("mapping values are not allowed", "quote the text: a colon and a blank start a mapping"),
    ("could not find expected ':'", "a key needs a colon and a blank after it"),
    ("did not find expected ',' or ']'", "a list that was opened with '[' is not closed"),
    ("did not find expected ',' or '}'", "a mapping that was opened with '{' is not closed"),
    ("expected ',' or ']'", "a list that was opened with '[' is not closed"),
    ("expected ',' or '}'", "a mapping that was opened with '{' is not closed"),
    ("did not find expected key", "check the indentation of this line and the one above"),
    ("did not find expected '-' indicator", "check the indentation of this line"),
    ("found character that cannot start any token", "quote the text"),
)


class Place(NamedTuple):
    """Where a value stands: its start, and how offsets in its text map to the file.

    Attributes:
      line: of its first character, from 1.
      column: from 1.
      indent: for a literal block (`|`), by how many characters its lines are indented; the
        text starts on the line after `line`. None for other values.
      text_column: where a one-line text begins that stands in the file letter by letter, after
        its quote if it has one. None for other values.
      text: the value as it stands in the file, before a matrix entry is put in.
      spans: where a matrix entry was put in: the start and end of what it became, and the
        start of the reference that it replaced, ascending.
    """

    line: int
    column: int
    indent: int | None = None
    text_column: int | None = None
    text: str = ""
    spans: tuple[tuple[int, int, int], ...] = ()

    def locate(self, offset: int) -> tuple[int, int]:
        """The line and column in the file of the character `offset` of the value's text."""
        offset = self._before_substitution(offset)
        if self.indent is not None:
            before = self.text[:offset]
            line = before.count("\n")
            return self.line + 1 + line, self.indent + offset - (before.rfind("\n") + 1) + 1
        if self.text_column is not None:
            return self.line, self.text_column + offset
        return self.line, self.column

    def _before_substitution(self, offset: int) -> int:
        shift = 0
        for new_start, new_end, old_start in self.spans:
            if offset < new_start:
                break
            if offset < new_end:
                return old_start
            old_end = old_start + self._length_at(old_start)
            shift = old_end - new_end
        return offset + shift

    def _length_at(self, old_start: int) -> int:
        match = REFERENCE.match(self.text, old_start)
        return len(match.group()) if match else 0


@dataclass(frozen=True)
class Document:
    """A case file as plain data, with the place of each value and key.

    Attributes:
      path: the file.
      lines: its text.
      data: dictionaries, lists, strings, numbers, booleans and None.
      places: data path -> where the value stands.
      keys: data path -> where the key that leads to the value stands.
    """

    path: Path
    lines: tuple[str, ...]
    data: Any
    places: Mapping[DataPath, Place] = field(default_factory=dict)
    keys: Mapping[DataPath, Place] = field(default_factory=dict)

    def problem(
        self,
        path: DataPath,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        offset: int | None = None,
    ) -> CaseProblem:
        """A problem at the value of `path`, at its key, or at a character of its text.

        A path that leads to no value stands for its nearest ancestor that does.
        """
        places = self.keys if key and path in self.keys else self.places
        while path and path not in places:
            path = path[:-1]
        place = places.get(path, Place(1, 1))
        line, column = (place.line, place.column) if offset is None else place.locate(offset)
        return problem_at(self.path, self.lines, line, column, message, hint)

    def position(self, path: DataPath) -> Position:
        """Where the value stands."""
        place = self.places[path]
        return Position(self.path, place.line, place.column)

    def line_of(self, path: DataPath, offset: int | None = None) -> int:
        """The line of the file on which the value, or a character of its text, stands."""
        place = self.places[path]
        return place.line if offset is None else place.locate(offset)[0]


def problem_at(
    path: Path, lines: tuple[str, ...], line: int, column: int, message: str, hint: str = ""
) -> CaseProblem:
    """A problem at a line and column of a file."""
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return CaseProblem(Position(path, line, column), message, text, hint)


def read(path: Path) -> Document:
    """Reads a case file.

    Raises:
      CaseErrors: the file cannot be read or is not plain YAML data; the problem names the
        first place that is wrong.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _refusal(
                path, f"the file has {size:,} bytes; a case may have at most {MAX_BYTES:,}"
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _refusal(path, f"is not UTF-8 text (byte {error.start})") from None
    return parse(text.replace("\r\n", "\n").replace("\r", "\n"), path)


def parse(text: str, path: Path) -> Document:
    """Parses the text of a case file; `path` is what problems name. Raises CaseErrors."""
    lines = tuple(text.split("\n"))
    _refuse_tabs(path, lines)
    composer = _Composer(path, lines, text)
    try:
        root = composer.compose(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        raise CaseErrors([_syntax_problem(error, path, lines)]) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1
        message = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise CaseErrors([problem_at(path, lines, line, column, message)]) from None
    if root is None:
        raise _refusal(path, "the file is empty", "`gradparity new NAME` writes one to start from")
    document = Document(path, lines, None, {}, {})
    return Document(path, lines, _plain(root, (), document), document.places, document.keys)


@dataclass(eq=False)
class _Node:
    """A composed node: `value` is a scalar, a list of nodes, or a list of (key, node)."""

    kind: str
    value: Any
    place: Place
    size: int = 1
    depth: int = 0
    open: bool = False


class _Composer:
    """Builds nodes from parser events, without recursion, refusing what is not plain data."""

    def __init__(self, path: Path, lines: tuple[str, ...], text: str) -> None:
        self._path = path
        self._lines = lines
        self._text = text
        self._anchors: dict[str, _Node] = {}
        self._stack: list[_Node] = []
        self._root: _Node | None = None

    def compose(self, events: Iterable[Any]) -> _Node | None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(
                        event, "a second document starts here", "a file is one case: remove '---'"
                    )
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._aliased(event), event)
            elif isinstance(event, yaml.ScalarEvent):
                self._refuse_tag(event)
                node = self._scalar(event)
                self._anchor(event, node)
                self._add(node, event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._refuse_tag(event)
                kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
                node = _Node(kind, [], self._place(event), open=True)
                self._anchor(event, node)
                self._stack.append(node)
                self._limit_depth(len(self._stack), event)
            elif isinstance(event, yaml.CollectionEndEvent):
                node = self._stack.pop()
                node.open = False
                self._add(node, event)
        return self._root

    def _add(self, node: _Node, event: Any) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        self._limit_depth(parent.depth, event)
        if parent.size > MAX_NODES:
            raise self._refuse(
                event, f"the file holds more than {MAX_NODES:,} values once aliases are expanded"
            )
        if parent.kind == "list":
            parent.value.append(node)
        elif parent.value and parent.value[-1][1] is None:
            parent.value[-1] = (parent.value[-1][0], node)
        else:
            self._add_key(parent, node, event)

    def _limit_depth(self, depth: int, event: Any) -> None:
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"lists and mappings nest deeper than {MAX_DEPTH}")

    def _add_key(self, parent: _Node, node: _Node, event: Any) -> None:
        if node.kind != "scalar":
            raise self._refuse_at(node.place, "a key must be a word, not a list or mapping")
        key = node.place.text
        for other, _ in parent.value:
            if other.place.text == key:
                raise self._refuse_at(
                    node.place,
                    f"duplicate key {key!r}",
                    f"it stands already on line {other.place.line}: remove one",
                )
        parent.value.append((node, None))

    def _aliased(self, event: Any) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._refuse(event, f"the alias *{event.anchor} has no anchor &{event.anchor}")
        if node.open:
            raise self._refuse(event, f"the alias *{event.anchor} contains itself")
        return node

    def _anchor(self, event: Any, node: _Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _scalar(self, event: Any) -> _Node:
        place = self._place(event)
        value: Any = event.value
        if event.style is None or event.style == "":
            try:
                value = _resolve(event.value)
            except ValueError as error:
                raise self._refuse_at(place, str(error)) from None
        return _Node("scalar", value, place)

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        text = getattr(event, "value", "")
        style = getattr(event, "style", None)
        if event.anchor is not None and text:
            # The mark is the anchor's: the scalar itself follows it.
            skipped = re.match(r"&\S+\s+", self._text[mark.index :])
            if skipped and "\n" not in skipped.group():
                return self._scalar_place(line, column + skipped.end(), mark.index, text, style)
        return self._scalar_place(line, column, mark.index, text, style)

    def _scalar_place(self, line: int, column: int, index: int, text: str, style: Any) -> Place:
        if style == "|":
            return Place(line, column, indent=self._block_indent(line, text), text=text)
        source = self._lines[line - 1] if line <= len(self._lines) else ""
        text_column = column + 1 if style in ("'", '"') else column
        if not text or not source.startswith(text, text_column - 1):
            return Place(line, column, text=text)
        return Place(line, column, text_column=text_column, text=text)

    def _block_indent(self, header_line: int, text: str) -> int:
        for number, line in enumerate(text.split("\n")):
            if line.strip() and header_line + number < len(self._lines):
                return len(self._lines[header_line + number]) - len(line)
        return 0

    def _refuse_tag(self, event: Any) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._refuse(
                event, f"the tag {tag!r} is not allowed", "a case is plain data: remove the tag"
            )

    def _refuse(self, event: Any, message: str, hint: str = "") -> CaseErrors:
        mark = event.start_mark
        return self._refuse_at(Place(mark.line + 1, mark.column + 1), message, hint)

    def _refuse_at(self, place: Place, message: str, hint: str = "") -> CaseErrors:
        return CaseErrors(
            [problem_at(self._path, self._lines, place.line, place.column, message, hint)]
        )


def _plain(node: _Node, path: DataPath, document: Document) -> Any:
    """A node as plain data; notes the place of each value and key in `document`."""
    places: Any = document.places
    places[path] = node.place
    if node.kind == "list":
        return [_plain(item, (*path, i), document) for i, item in enumerate(node.value)]
    if node.kind == "map":
        keys: Any = document.keys
        data = {}
        for key, value in node.value:
            name = key.place.text
            keys[(*path, name)] = key.place
            data[name] = _plain(value, (*path, name), document)
        return data
    return node.value


def _resolve(text: str) -> Any:
    """A plain scalar's value by YAML 1.2's core schema. Raises ValueError, for people."""
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    special = _SPECIAL_FLOAT.fullmatch(text)
    if special:
        return float(text.replace(".", ""))
    is_int = _INT.fullmatch(text)
    if not is_int and not _FLOAT.fullmatch(text):
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(f"a number of {len(text):,} digits is too long")
    if is_int:
        base = {"0x": 16, "0o": 8}.get(text[:2], 10)
        return int(text, base)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is larger than any float64; write .inf if infinity is meant")
    return value


def _refuse_tabs(path: Path, lines: tuple[str, ...]) -> None:
    problems = [
        problem_at(
            path,
            lines,
            number,
            line.index("\t") + 1,
            "a tab in the indentation",
            "YAML is indented with spaces: replace the tab",
        )
        for number, line in _indented_by_tabs(lines)
    ]
    if problems:
        raise CaseErrors(problems)


def _indented_by_tabs(lines: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        indentation = line[: len(line) - len(line.lstrip())]
        if "\t" in indentation and line.strip():
            yield number, line


def _syntax_problem(error: yaml.MarkedYAMLError, path: Path, lines: tuple[str, ...]) -> CaseProblem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    line = min(line, len(lines))
    problem = error.problem or "is not valid YAML"
    if lines[line - 1][column - 1 : column] == "\t":
        return problem_at(path, lines, line, column, "a tab", "YAML wants spaces: replace the tab")
    hint = next((hint for part, hint in _SYNTAX_HINTS if part in problem), "")
    if error.context and error.context_mark:
        opened = error.context_mark.line + 1
        problem += f" ({error.context}, line {opened})"
    return problem_at(path, lines, line, column, f"not valid YAML: {problem}", hint)


def _refusal(path: Path, message: str, hint: str = "") -> CaseErrors:
    return CaseErrors([problem_at(path, (), 1, 1, message, hint)])
