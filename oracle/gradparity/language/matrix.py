"""`matrix`: one case file as several, with each combination of the matrix's values put in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradparity.language.problems import CaseErrors, CaseProblem, in_file_order, nearest
from gradparity.language.yaml_source import REFERENCE, DataPath, Document, Place

MAX_ENTRIES = 1_000
SUBSTITUTED = ("inputs", "graph", "gradients", "tolerance")  # where `$name` has its meaning


@dataclass(frozen=True)
class Entry:
    """One combination of the matrix's values.

    Attributes:
      values: what stands for each name; empty when the file has no matrix.
      document: the file with them put in.
    """

    values: Mapping[str, Any]
    document: Document


def entries(document: Document) -> list[Entry]:
    """The file once for each combination of its matrix's values, the last name fastest.

    Raises:
      CaseErrors: the matrix is malformed, or a `$name` is not in it.
    """
    matrix = document.data.get("matrix") if isinstance(document.data, dict) else None
    problems = list(_matrix_problems(document, matrix))
    if problems:
        raise CaseErrors(problems)
    if not any("$" in line for line in document.lines):
        return [Entry(values, document) for values in _combinations(matrix)]
    found = []
    for values in _combinations(matrix):
        substitution = _Substitution(document, values)
        substituted = substitution.run()
        problems += substitution.problems
        found.append(Entry(substitution.values, substituted))
    if problems:
        raise CaseErrors(in_file_order(problems))
    return found


def _combinations(matrix: Mapping[str, Sequence[Any]] | None) -> list[dict[str, Any]]:
    names = list(matrix or {})
    products = itertools.product(*(matrix.values() if matrix else ()))
    return [dict(zip(names, values, strict=True)) for values in products]


def spelled(value: Any) -> str:
    """A matrix value inside a longer text or in a check's id."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"inf": "np.inf", "-inf": "-np.inf"}.get(repr(value), "np.nan")
    return str(value)


def _matrix_problems(document: Document, matrix: Any) -> Iterator[CaseProblem]:
    if matrix is None:
        return
    at: DataPath = ("matrix",)
    if not isinstance(matrix, dict):
        yield document.problem(
            at,
            "'matrix' must map names to lists of values",
            "for example: matrix: {dtype: [float32, float64]}",
        )
        return
    for name, values in matrix.items():
        if not name.isidentifier():
            yield document.problem((*at, name), f"{name!r} is not a name", key=True)
        if not isinstance(values, list) or not values:
            yield document.problem((*at, name), f"matrix: {name!r} must be a list of values")
            continue
        for i, value in enumerate(values):
            if isinstance(value, dict | list) or (isinstance(value, str) and "\n" in value):
                yield document.problem(
                    (*at, name, i), "a matrix value must be one word, number or boolean"
                )
            elif any(type(value) is type(v) and spelled(value) == spelled(v) for v in values[:i]):
                yield document.problem((*at, name, i), f"{spelled(value)} stands here twice")
    counts = [len(values) for values in matrix.values() if isinstance(values, list)]
    if math.prod(counts) > MAX_ENTRIES:
        yield document.problem(
            at, f"the matrix has {math.prod(counts):,} combinations; at most {MAX_ENTRIES:,}"
        )


class _Substitution:
    """Puts one combination into the document, and keeps where everything came from."""

    def __init__(self, document: Document, values: Mapping[str, Any]) -> None:
        self.values = values
        self.problems: list[CaseProblem] = []
        self._document = document
        self._places: dict[DataPath, Place] = dict(document.places)

    def run(self) -> Document:
        data = self._document.data
        if isinstance(data, dict):
            data = {
                key: self._put(value, (key,)) if key in SUBSTITUTED else value
                for key, value in data.items()
            }
        return replace(self._document, data=data, places=self._places)

    def _put(self, value: Any, path: DataPath) -> Any:
        if isinstance(value, dict):
            return {key: self._put(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._put(item, (*path, i)) for i, item in enumerate(value)]
        if not isinstance(value, str) or "$" not in value:
            return value
        whole = REFERENCE.fullmatch(value)
        if whole:
            return self._value(whole.group(1) or whole.group(2), path, 0, value)
        pieces, spans, length, end = [], [], 0, 0
        for match in REFERENCE.finditer(value):
            found = self._value(match[1] or match[2], path, match.start(), match.group())
            before, text = value[end : match.start()], spelled(found)
            start = length + len(before)
            length, end = start + len(text), match.end()
            pieces += [before, text]
            spans.append((start, length, match.start()))
        place = self._places.get(path)
        if place is not None and spans:
            self._places[path] = place._replace(text=value, spans=tuple(spans))
        return "".join([*pieces, value[end:]])

    def _value(self, name: str, path: DataPath, offset: int, written: str) -> Any:
        if name in self.values:
            return self.values[name]
        known = ", ".join(f"${n}" for n in self.values)
        hint = nearest(f"${name}", [f"${n}" for n in self.values]) or (
            f"the matrix has {known}" if known else "the file has no `matrix`"
        )
        self.problems.append(
            self._document.problem(path, f"${name} is not in the matrix", hint, offset=offset)
        )
        return written
