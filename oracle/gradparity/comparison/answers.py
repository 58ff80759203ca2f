"""Changes of an answer: in what one side's two answers to one check differ, and how far."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.reports import wording

if TYPE_CHECKING:
    from gradparity.judge.tolerance import Limits

Json: TypeAlias = dict[str, Any]

# What Python says of a name or an argument that a module or function does not have.
MISSING = re.compile(
    r"(?:module '[\w.]+'|type object '\w+'|'\w+' object) has no attribute '(?P<name>\w+)'"
    r"|got an unexpected keyword argument '(?P<argument>\w+)'"
)
SHOWN = 160  # characters of an error's message


class Kind(str, Enum):
    """In what two answers differ, from the coarsest to the finest."""

    ANSWER = "answer"  # one is none: the process crashed, took too long, or was not asked
    NAME = "name"  # one stops at a name or argument that its namespace does not have
    ERROR = "error"  # one raises and the other does not, or they raise different classes
    STAGE = "stage"  # the same class of error, in another stage
    NONE = "none"  # a gradient is None in one
    SPARSITY = "sparsity"  # IndexedSlices against a dense tensor
    DTYPE = "dtype"
    SHAPE = "shape"  # the value's, or what is known of it before the run
    VALUE = "value"  # values beyond what the check's tolerance allows
    BITS = "bits"  # values within the tolerance
    MESSAGE = "message"  # the same error, in other words


COARSENESS = {kind: position for position, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Change:
    """One thing in which the later of two answers differs from the earlier.

    Attributes:
      where: which tensor, as in `judge.verdict.Comparison`; "error" or "answer" else.
      kind: in what.
      before: the earlier answer's side of it, short, for people.
      after: the later one's.
      ulp: the largest distance in units in the last place; None where it has no meaning.
      detail: what else there is to say.
    """

    where: str
    kind: Kind
    before: str
    after: str
    ulp: int | None = None
    detail: str = ""


def changes(
    before: Json | None,
    after: Json | None,
    tolerance: Mapping[str, Limits],
    names: Mapping[str, Sequence[str]],
    program: str = "",
) -> list[Change]:
    """In what two outcomes differ, the coarsest kind first.

    Args:
      before: an outcome as in report.json; None: there was no answer.
      after: the later one.
      tolerance: floating-point dtype -> what its tensors are allowed; dtypes that are not in
        it are allowed nothing.
      names: "gradients" and "ys" -> what their tensors are called.
      program: the source that was asked about. An error about a missing name counts as such
        only when the name stands there: else it is the namespace's own mistake.
    """
    if before is None or after is None:
        if before is after:
            return []
        was, is_ = ("no answer" if answer is None else "an answer" for answer in (before, after))
        return [Change("answer", Kind.ANSWER, was, is_)]
    if before["error"] is not None or after["error"] is not None:
        return list(_error_changes(before["error"], after["error"], program))
    found = [
        change
        for group, noun in (("gradients", "gradient"), ("ys", "y"))
        for change in _group_changes(
            noun, names.get(group, ()), before[group], after[group], tolerance
        )
    ]
    return sorted(found, key=lambda change: COARSENESS[change.kind])


def missing_name(error: Json | None, program: str) -> str | None:
    """The name or argument of the program that an error says is not there, or None."""
    if error is None or error["type"] not in ("AttributeError", "TypeError"):
        return None
    found = MISSING.search(error["message"])
    if found is None:
        return None
    name = found["name"] or f"{found['argument']}="
    return name if re.search(rf"\b{re.escape(name)}", program) else None


def error_text(error: Json | None) -> str:
    """An error in one line: "ValueError in stage build: message"."""
    if error is None:
        return "no error"
    line = " ".join(error["message"].split())
    shown = line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"
    return f"{error['type']} in stage {error['stage']}: {shown}"


def _error_changes(before: Json | None, after: Json | None, program: str) -> Iterator[Change]:
    names = missing_name(before, program), missing_name(after, program)
    texts = error_text(before), error_text(after)
    if names[0] != names[1]:
        detail = " and ".join(dict.fromkeys(name for name in names if name))
        yield Change("error", Kind.NAME, *texts, detail=detail)
    elif before is None or after is None or before["type"] != after["type"]:
        yield Change("error", Kind.ERROR, *texts)
    elif before["stage"] != after["stage"]:
        yield Change("error", Kind.STAGE, *texts)
    elif before["message"] != after["message"]:
        yield Change("error", Kind.MESSAGE, *texts)


def _group_changes(
    noun: str,
    names: Sequence[str],
    before: Sequence[Json | None],
    after: Sequence[Json | None],
    tolerance: Mapping[str, Limits],
) -> Iterator[Change]:
    if len(before) != len(after):
        yield Change(f"{noun}s", Kind.NONE, f"{len(before)} of them", f"{len(after)} of them")
    for number, (one, other) in enumerate(zip(before, after, strict=False)):
        name = f" ({names[number]})" if number < len(names) else ""
        yield from _result_changes(f"{noun} {number}{name}", one, other, tolerance)


def _result_changes(
    where: str, before: Json | None, after: Json | None, tolerance: Mapping[str, Limits]
) -> Iterator[Change]:
    if before == after:
        return
    if before is None or after is None:
        yield Change(where, Kind.NONE, _type_text(before), _type_text(after))
    elif before.get("kind") != after.get("kind"):
        yield Change(where, Kind.SPARSITY, _type_text(before), _type_text(after))
    elif before.get("kind") == "sparse":
        for part in ("values", "indices", "dense_shape"):
            yield from _result_changes(f"{where}, {part}", before[part], after[part], tolerance)
    else:
        yield from _tensor_changes(where, before, after, tolerance)


def _tensor_changes(
    where: str, before: Json, after: Json, tolerance: Mapping[str, Limits]
) -> Iterator[Change]:
    if before["dtype"] != after["dtype"]:
        yield Change(where, Kind.DTYPE, before["dtype"], after["dtype"])
    same_shape = before["shape"] == after["shape"]
    # As for the judge: a static shape that is just the value's says nothing of its own.
    says_nothing = all(one["static_shape"] == one["shape"] for one in (before, after))
    if before["static_shape"] != after["static_shape"] and not says_nothing:
        yield Change(
            where,
            Kind.SHAPE,
            wording.shape_text(before["static_shape"]),
            wording.shape_text(after["static_shape"]),
            detail="static shape",
        )
    if not same_shape:
        was, is_ = (wording.shape_text(one["shape"]) for one in (before, after))
        yield Change(where, Kind.SHAPE, was, is_)
    elif before["dtype"] == after["dtype"]:
        yield from _value_changes(where, before, after, tolerance.get(before["dtype"]))


def _value_changes(
    where: str, before: Json, after: Json, limits: Limits | None
) -> Iterator[Change]:
    if before["values"] == after["values"]:
        if before.get("sha256") != after.get("sha256"):
            count = f"{len(before['values']):,}"
            yield Change(
                where, Kind.VALUE, "others", "others", detail=f"beyond the first {count} elements"
            )
        return
    from gradparity.judge.compare import compare_values
    from gradparity.judge.tolerance import Limits
    from gradparity.recordings.tensor_text import from_element_texts

    was, is_ = (from_element_texts(one["values"], one["dtype"]) for one in (before, after))
    allowed = limits or Limits(ulp=0, eps_factor=0.0)
    comparison, difference = compare_values(where, was, is_, lambda dtype: allowed)
    some = f"of the first {was.size:,} elements" if "sha256" in before else ""
    if difference is not None:
        counts = f"{difference.count} of {difference.total} elements differ"
        yield Change(
            where,
            Kind.VALUE,
            difference.oracle,
            difference.implementation,
            comparison.max_ulp,
            "; ".join(filter(None, (counts, difference.detail, some))),
        )
        return
    index = next(
        i
        for i, pair in enumerate(zip(before["values"], after["values"], strict=True))
        if pair[0] != pair[1]
    )
    yield Change(
        where,
        Kind.BITS,
        before["values"][index],
        after["values"][index],
        comparison.max_ulp,
        some,
    )


def _type_text(result: Json | None) -> str:
    """What a result is, without its values: "float32 [2, 3]"."""
    if result is None:
        return "None"
    if result.get("kind") == "sparse":
        return f"IndexedSlices of {wording.type_text(result['values'])}"
    return wording.type_text(result)
