"""A recording file: the answers to the checks of one case file, laid out for review."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradparity.language.check import Case
from gradparity.recordings.answer import Answer, Json

FORMAT = "gradparity-recording"
VERSION = 2
OPS_DIGITS = 8


class RecordingError(Exception):
    """A recording that cannot be read; the message says which, where and what to do."""


@dataclass(frozen=True)
class Recorded:
    """What is recorded of one check: the content of its program, and the answer."""

    program: str
    answer: Answer


@dataclass(frozen=True)
class Recording:
    """The contents of a recording file.

    Attributes:
      file: the name of the case file, see `file_name`.
      configuration: the name of the configuration under which TensorFlow answered.
      checks: check id -> what is recorded of it, in the order of the case file.
    """

    file: str
    configuration: str
    checks: Mapping[str, Recorded]


def file_name(case: Case) -> str:
    """The name of a case's file: its path below the corpus's root, without the ending.

    It is the case's own name, unless the file generates several cases.
    """
    parts = case.name.split("/")
    while parts and parts[-1] != case.path.stem:
        parts.pop()
    return "/".join(parts) or case.name


def to_text(recording: Recording) -> str:
    """A recording as JSON with one line for each tensor.

    Checks with the same answer share it, and graphs with the same ops share their list.
    """
    ops: dict[str, Json] = {}
    shared: dict[str, Json] = {}
    for check, recorded in recording.checks.items():
        answer = recorded.answer
        entry = {
            "all": " ".join(answer.op_types),
            "differentiated": dict(answer.gradient_calls),
        }
        name = _name(entry)
        ops[name] = entry
        group = shared.setdefault(json.dumps(answer.results), {"checks": {}, **answer.results})
        group["checks"][_short(check, recording.file)] = f"{recorded.program} ops {name}"
    data: Json = {
        "format": FORMAT,
        "version": VERSION,
        "file": recording.file,
        "configuration": recording.configuration,
        "ops": ops,
        "answers": list(shared.values()),
    }
    return "".join(_laid_out(data)) + "\n"


def from_text(text: str, path: Path) -> Recording:
    """The inverse of `to_text`.

    Raises:
      RecordingError: the text is no recording of this format.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _unreadable(path, f"is not JSON: {error}") from None
    try:
        if (data["format"], data["version"]) != (FORMAT, VERSION):
            raise _unreadable(path, f"is not of the format {FORMAT}, version {VERSION}")
        ops = {
            name: (tuple(entry["all"].split()), dict(entry["differentiated"]))
            for name, entry in data["ops"].items()
        }
        checks: dict[str, Recorded] = {}
        for group in data["answers"]:
            results = {key: value for key, value in group.items() if key != "checks"}
            for check, reference in group["checks"].items():
                program, _, name = reference.partition(" ops ")
                answer = Answer(results, *ops[name])
                checks[_whole(check, data["file"])] = Recorded(program, answer)
        return Recording(data["file"], data["configuration"], checks)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path, f"lacks something: {type(error).__name__}: {error}") from None


def _unreadable(path: Path, problem: str) -> RecordingError:
    return RecordingError(
        f"{path} {problem}.\nRestore it, or remove it and record the case again: gradparity record"
    )


def _short(check: str, file: str) -> str:
    """The id without the file's name: "y~x", or "/graph-01::y~x" of a generated case."""
    return check.removeprefix(file).removeprefix("::")


def _whole(short: str, file: str) -> str:
    return file + short if short.startswith("/") else f"{file}::{short}"


def _name(entry: Json) -> str:
    """A name made of the content, so that a new entry renames no other."""
    return hashlib.sha256(json.dumps(entry).encode()).hexdigest()[:OPS_DIGITS]


def _laid_out(item: Any, indent: str = "") -> Iterator[str]:
    """JSON with a line for each scalar, and for each error as a whole."""
    if not item or not isinstance(item, (dict, list)) or "stage" in item:
        yield json.dumps(item, ensure_ascii=False)
        return
    inner = indent + " "
    before = "\n"
    if isinstance(item, dict):
        yield "{"
        for key, value in item.items():
            yield f"{before}{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from _laid_out(value, inner)
            before = ",\n"
        yield f"\n{indent}}}"
    else:
        yield "["
        for value in item:
            yield before + inner
            yield from _laid_out(value, inner)
            before = ",\n"
        yield f"\n{indent}]"
