"""Tensors: what both sides answered with one tensor, beside each other, for a case's page."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from gradparity.reports import wording
from gradparity.reports.exact import layout

Json: TypeAlias = dict[str, Any]

RULES = {
    None: "values differ",
    "bits": "bit for bit",
    "ulp": "within the ulp budget",
    "scale": "by the scale of the tensor",
    "meaning": "in what is unique of it",
}


def tensor_rows(check: Json) -> Iterator[Json]:
    """A row for each dense tensor of a check, gradients first.

    Yields:
      label: "gradient 0 (w1)"; for a part of `tf.IndexedSlices` with ", values" and so on.
      same: whether both sides answered letter by letter the same.
      cells: the oracle's and the implementation's answer, or one for both where they are the
        same: its type and its marked values. None where a side has no such tensor.
      compared: how the judge found them to compare, in words.
    """
    comparisons = {c["where"]: c for c in check["comparisons"]}
    for group, number, label in wording.tensor_labels(check):
        answers = []
        for side in wording.SIDES:
            results = (check[side] or {group: ()})[group]
            answers.append(wording.parts(results[number]) if number < len(results) else {})
        for part in ("", "values", "indices", "dense_shape"):
            if not any(part in answer for answer in answers):
                continue
            where = f"{label}, {part}" if part else label
            comparison = comparisons.get(where)
            mark = "near" if comparison and comparison["rule"] else "wrong"
            one, other = (answer.get(part, _ABSENT) for answer in answers)
            kinds = [d["kind"] for d in check["differences"] if d["where"] in (label, where)]
            same = one == other
            cells = [_cell(one, other, mark)]
            yield {
                "label": where,
                "same": same,
                "cells": cells if same else [*cells, _cell(other, one, mark)],
                "compared": _compared(comparison, kinds, both_none=one is other is None),
            }


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


_ABSENT: Json = {}


def _cell(tensor: Json | None, other: Json | None, mark: str) -> Json | None:
    if tensor is _ABSENT:
        return None
    if tensor is None:
        return {"type": "None", "spans": (), "sha256": None}
    comparable = other and other["shape"] == tensor["shape"]
    return {
        "type": wording.type_text(tensor),
        "spans": _spans(tensor, other["values"] if other and comparable else (), mark),
        "sha256": tensor.get("sha256"),
    }


def _spans(tensor: Json, others: Collection[str], mark: str) -> list[tuple[str, str]]:
    """A tensor's values as (text, mark) pairs: elements that differ from `others` are marked."""
    values = tensor["values"]
    differ = [a != b for a, b in zip(values, others, strict=True)] if others else []
    if not any(differ):
        return [(wording.values_text(tensor), "")]
    spans = [("", "")]
    for piece in layout(tensor["shape"], len(values)):
        text = piece if isinstance(piece, str) else values[piece]
        if not isinstance(piece, str) and differ[piece]:
            spans += [(text, mark), ("", "")]
        else:
            spans[-1] = (spans[-1][0] + text, "")
    return spans
