"""Tensors: what both sides answered with one tensor, beside each other, for a case's page."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.ulp import COMPONENT, REAL_DTYPES
from gradparity.reports import wording
from gradparity.reports.exact import layout

if TYPE_CHECKING:
    import numpy as np

Json: TypeAlias = dict[str, Any]

LARGE = 64  # elements; a larger tensor is shown as a picture first

RULES = {
    None: "values differ",
    "bits": "bit for bit",
    "ulp": "within the ulp budget",
    "scale": "by the scale of the tensor",
    "meaning": "in what is unique of it",
}
TONES = {None: "wrong", "bits": "good"}  # of the others: near
UNREADABLE = (ValueError, SyntaxError, KeyError, TypeError, AttributeError, OverflowError)
"""What reading elements raises when they are of a dtype that NumPy has not."""


def tensor_rows(check: Json) -> Iterator[Json]:
    """A row for each dense tensor of a check, gradients first.

    Yields:
      label: "gradient 0 (w1)"; for a part of `tf.IndexedSlices` with ", values" and so on.
      same: whether both sides answered letter by letter the same.
      cells: the oracle's and the implementation's answer, or one for both where they are the
        same: its type and its values as (text, mark, title). None where a side has no such
        tensor.
      compared: how the judge found them to compare, in words.
      tone: "good", "near", "wrong" or "".
      size: how many elements it has.
      large: whether its values are more than one takes in at a look.
      worst: the elements furthest apart: index, oracle, implementation, distance.
      heat_map: of a large tensor, as `heat_map.heat_map` makes it; else None.
      farthest: what the last colour of a difference stands for.
    """
    comparisons = {c["where"]: c for c in check["comparisons"]}
    for group, number, label in wording.tensor_labels(check):
        answers = []
        for side in wording.SIDES:
            results = (check[side] or {group: ()})[group]
            answers.append(wording.parts(results[number]) if number < len(results) else {})
        for part in ("", "values", "indices", "dense_shape"):
            if any(part in answer for answer in answers):
                one, other = (answer.get(part, _ABSENT) for answer in answers)
                where = f"{label}, {part}" if part else label
                yield _row(check, where, label, one, other, comparisons.get(where))


_ABSENT: Json = {}


def _row(
    check: Json,
    where: str,
    label: str,
    one: Json | None,
    other: Json | None,
    comparison: Json | None,
) -> Json:
    same = one == other
    kinds = [d["kind"] for d in check["differences"] if d["where"] in (label, where)]
    given = [tensor for tensor in (one, other) if tensor]
    size = max((math.prod(tensor["shape"]) for tensor in given), default=0)
    dtypes = {tensor["dtype"] for tensor in given}
    mark = "near" if comparison and comparison["rule"] else "wrong"
    titles = {} if same or comparison is None else _distances(one, other)
    cells = [_cell(one, other, mark, titles)]
    heat_map = None
    if size > LARGE:
        heat_map = (comparison or {}).get("heat_map") or _heat_map(one, other)
    return {
        "label": where,
        "same": same,
        "cells": cells if same else [*cells, _cell(other, one, mark, titles)],
        "compared": _compared(comparison, kinds, both_none=one is other is None),
        "tone": _tone(comparison, kinds),
        "size": size,
        "large": size > LARGE,
        "worst": [_worst(element) for element in (comparison or {}).get("worst", ())],
        "heat_map": heat_map,
        "farthest": "2⁶⁴ ulp" if dtypes & {*REAL_DTYPES, *COMPONENT} else "the largest",
    }


def _tone(comparison: Json | None, kinds: Collection[str]) -> str:
    if kinds:
        return "wrong"
    return TONES.get(comparison["rule"], "near") if comparison else ""


def _compared(comparison: Json | None, kinds: Collection[str], both_none: bool) -> str:
    words = []
    if comparison is not None:
        words.append(RULES[comparison["rule"]])
        if comparison["max_ulp"]:
            words.append(f"{comparison['max_ulp']:,} ulp")
    elif both_none:
        words.append("both None")
    words += [f"{kind} differs" for kind in dict.fromkeys(kinds) if kind != "value"]
    return ", ".join(words) or "not compared"


def _worst(element: Json) -> Json:
    ulp = element["ulp"]
    return {
        **element,
        "index": f"[{', '.join(map(str, element['index']))}]",
        "ulp": "–" if ulp is None else f"{ulp:,}",
    }


def _arrays(one: Json | None, other: Json | None) -> Iterator[np.ndarray[Any, Any]]:
    """The elements that are written of two tensors that can be compared, else nothing."""
    if one and other and (one["dtype"], one["shape"]) == (other["dtype"], other["shape"]):
        from gradparity.recordings.tensor_text import from_element_texts

        for tensor in (one, other):
            yield from_element_texts(tensor["values"], tensor["dtype"])


def _distances(one: Json | None, other: Json | None) -> Mapping[int, str]:
    """Place of an element that differs -> how far, for people."""
    from gradparity.reports.elements import distances, ulps_or_none

    try:
        arrays = list(_arrays(one, other))
    except UNREADABLE:
        return {}
    if not arrays:
        return {}
    apart = distances(*arrays)
    ulps = {int(n): ulps_or_none(arrays[0], apart[n]) for n in apart.nonzero()[0]}
    return {n: f"{found:,} ulp" for n, found in ulps.items() if found is not None}


def _heat_map(one: Json | None, other: Json | None) -> Json | None:
    from gradparity.reports.heat_map import heat_map

    try:
        arrays = list(_arrays(one, other))
    except UNREADABLE:
        return None
    if not arrays or not one or arrays[0].size < math.prod(one["shape"]):
        return None
    first, second = (array.reshape(one["shape"]) for array in arrays)
    return heat_map(first, second)


def _cell(
    tensor: Json | None, other: Json | None, mark: str, titles: Mapping[int, str]
) -> Json | None:
    if tensor is _ABSENT:
        return None
    if tensor is None:
        return {"type": "None", "spans": (), "sha256": None}
    comparable = other and other["shape"] == tensor["shape"]
    return {
        "type": wording.type_text(tensor),
        "spans": _spans(tensor, other["values"] if other and comparable else (), mark, titles),
        "sha256": tensor.get("sha256"),
    }


def _spans(
    tensor: Json, others: Collection[str], mark: str, titles: Mapping[int, str]
) -> list[tuple[str, str, str]]:
    """A tensor's values as (text, mark, title): elements that differ from `others` are marked."""
    values = tensor["values"]
    differ = [a != b for a, b in zip(values, others, strict=True)] if others else []
    if not any(differ):
        return [(wording.values_text(tensor), "", "")]
    spans = [("", "", "")]
    for piece in layout(tensor["shape"], len(values)):
        text = piece if isinstance(piece, str) else values[piece]
        if not isinstance(piece, str) and differ[piece]:
            spans += [(text, mark, titles.get(piece, "")), ("", "", "")]
        else:
            spans[-1] = (spans[-1][0] + text, "", "")
    return spans
