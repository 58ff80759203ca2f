"""Records whose keys know their meaning: read from a document, and published as JSON Schema.

A record is a frozen dataclass whose fields carry `key(…)` as metadata. The same description serves
the reader, its messages, editors through the schema, and the type checker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from gradparity.language.problems import CaseProblem, nearest
from gradparity.language.yaml_source import DataPath, Document

Schema = dict[str, Any]


@dataclass(frozen=True)
class Form:
    """What the value of a key must look like.

    Attributes:
      said: what it must be, for people: "'order' must be a whole number from 1 to 6".
      schema: the same for editors.
      fits: whether a value has this form.
      read: makes a part of the record of a value that fits; by default the value itself.
      words: the words among which it must be one, for the nearest spelling.
    """

    said: str
    schema: Schema
    fits: Callable[[Any], bool]
    read: Callable[[_Reader, Any, DataPath], Any] | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record:
    """A mapping with known keys. `given` holds those that the file has."""

    given: frozenset[str]
    shorthand: ClassVar[str] = ""  # the key that a bare text stands for


R = TypeVar("R", bound=Record)


def key(form: Form, about: str, *examples: Any) -> dict[str, Any]:
    """The metadata of a field that is a key of a file.

    A key without a default is required; one whose default is None may be null in the file.
    """
    return {"form": form, "about": about, "examples": examples}


def keys_of(cls: type[Record]) -> Mapping[str, dataclasses.Field[Any]]:
    """The fields of a record that are keys of a file, by name."""
    known = _KEYS.get(cls)
    if known is None:
        fields = dataclasses.fields(cls)
        known = _KEYS[cls] = {field.name: field for field in fields if "form" in field.metadata}
    return known


_KEYS: dict[type[Record], Mapping[str, dataclasses.Field[Any]]] = {}


# Forms


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def anything(schema: Schema) -> Form:
    """Any value: another module gives it its meaning; `schema` is for editors."""
    return Form("anything", schema, lambda value: True)


TEXT = Form("text", {"type": "string"}, lambda value: isinstance(value, str))
SENTENCE = Form(
    "text, and not empty",
    {"type": "string", "pattern": r"\S"},
    lambda value: isinstance(value, str) and bool(value.strip()),
)
FLAG = Form("true or false", {"type": "boolean"}, lambda value: isinstance(value, bool))
NOT_NEGATIVE = Form(
    "a number that is not negative",
    {"type": "number", "minimum": 0},
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value >= 0,
)


def whole(low: int, high: int) -> Form:
    """A whole number from `low` to `high`."""
    return Form(
        f"a whole number from {low} to {high}",
        {"type": "integer", "minimum": low, "maximum": high},
        lambda value: _is_whole(value) and low <= value <= high,
    )


def one_of(*words: str) -> Form:
    """One of some words."""
    said = f"one of {', '.join(words)}"
    return Form(said, {"enum": list(words)}, lambda value: value in words, words=words)


def list_of(schema: Schema) -> Form:
    """A list of anything."""
    return Form("a list", {"type": "array", "items": schema}, lambda value: isinstance(value, list))


def record(cls: type[Record]) -> Form:
    """A record."""
    schema: Schema = {"$ref": f"#/$defs/{cls.__name__}"}
    if cls.shorthand:
        schema = {"anyOf": [{"type": "string"}, schema]}

    def fits(value: Any) -> bool:
        return isinstance(value, dict) or (bool(cls.shorthand) and isinstance(value, str))

    return Form(
        "a mapping", schema, fits, lambda reader, data, path: reader.record(cls, data, path)
    )


def records(cls: type[Record]) -> Form:
    """A list of records, not empty."""
    schema = {"type": "array", "items": {"$ref": f"#/$defs/{cls.__name__}"}, "minItems": 1}
    return Form(
        "a list, and not empty",
        schema,
        lambda value: isinstance(value, list) and bool(value),
        lambda reader, data, path: [
            reader.item(cls, item, (*path, i)) for i, item in enumerate(data)
        ],
    )


def named_records(cls: type[Record]) -> Form:
    """A mapping from names to records."""
    return Form(
        "a mapping",
        {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{cls.__name__}"}},
        lambda value: isinstance(value, dict),
        lambda reader, data, path: {
            name: reader.item(cls, item, (*path, name)) for name, item in data.items()
        },
    )


# Reading


def read(cls: type[R], document: Document) -> tuple[R | None, list[CaseProblem]]:
    """A document as a record; None when there are problems."""
    reader = _Reader(document)
    made = reader.item(cls, document.data, ())
    return (None, reader.problems) if reader.problems else (made, [])


class _Reader:
    def __init__(self, document: Document) -> None:
        self.problems: list[CaseProblem] = []
        self._document = document

    def item(self, cls: type[R], data: Any, path: DataPath) -> R | None:
        if isinstance(data, dict):
            return self.record(cls, data, path)
        self._problem(path, f"{_name(path)} must be a mapping, not {_kind(data)}")
        return None

    def record(self, cls: type[R], data: Any, path: DataPath) -> R | None:
        """The record, or None when something in it is wrong: its problems are noted."""
        if not isinstance(data, dict):  # checked by the form: the shorthand
            short: Any = {cls.shorthand: data}
            return cls(**short, given=frozenset(short))
        before = len(self.problems)
        fields = keys_of(cls)
        for name in data:
            if name not in fields:
                hint = nearest(name, fields) or f"known keys: {', '.join(fields)}"
                self._problem((*path, name), f"unknown key {name!r}", hint, key=True)
        values = {
            name: self._value(data[name], field, (*path, name))
            for name, field in fields.items()
            if name in data
        }
        for name, field in fields.items():
            if name not in data and field.default is dataclasses.MISSING:
                about = field.metadata["about"]
                self._problem(path, f"missing key {name!r}", f"{name}: {about}")
        if len(self.problems) > before:
            return None
        return cls(**values, given=frozenset(data))

    def _value(self, data: Any, field: dataclasses.Field[Any], path: DataPath) -> Any:
        form: Form = field.metadata["form"]
        if data is None and field.default is None:
            return None
        if form.fits(data):
            return data if form.read is None else form.read(self, data, path)
        hint = ""
        if form.words:
            hint = nearest(str(data), form.words)
        elif form in (TEXT, SENTENCE) and isinstance(data, int | float):
            hint = "put it in quotes"
        self._problem(path, f"{field.name!r} must be {form.said}, not {_kind(data)}", hint)
        return None

    def _problem(self, path: DataPath, message: str, hint: str = "", *, key: bool = False) -> None:
        self.problems.append(self._document.problem(path, message, hint, key=key))


_KINDS: Mapping[type, str] = {dict: "a mapping", list: "a list", type(None): "null"}


def _kind(data: Any) -> str:
    if isinstance(data, dict | list) or data is None:
        empty = "an empty list" if data == [] else ""
        return empty or _KINDS[type(data)]
    return repr(data) if isinstance(data, str) else str(data).lower()


def _name(path: DataPath) -> str:
    if not path:
        return "a case"
    last = path[-1]
    return repr(last) if isinstance(last, str) else f"each of {path[-2]!r}"


# The schema


def json_schema(cls: type[Record]) -> Schema:
    """What editors need to know of a record."""
    properties = {}
    fields = keys_of(cls)
    for name, field in fields.items():
        schema = dict(field.metadata["form"].schema)
        schema["description"] = field.metadata["about"]
        if field.metadata["examples"]:
            schema["examples"] = list(field.metadata["examples"])
        if field.default not in (dataclasses.MISSING, None):
            schema["default"] = field.default
        properties[name] = schema
    required = [name for name, field in fields.items() if field.default is dataclasses.MISSING]
    return {
        "description": _first_line(cls.__doc__),
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def any_of(*schemas: Schema) -> Schema:
    """A value of any of these forms."""
    return {"anyOf": list(schemas)}


def shared(name: str) -> Schema:
    """A reference to a definition of the schema."""
    return {"$ref": f"#/$defs/{name}"}


def definitions(classes: Iterable[type[Record]]) -> dict[str, Schema]:
    """The schemas of records, by the names that forms refer to."""
    return {cls.__name__: json_schema(cls) for cls in classes}
