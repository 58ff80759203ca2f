"""Outputs that are not unique: what two answers of such an op must have in common.

An eigenvector may have either sign (or any phase), and vectors of equal eigenvalues may be any
basis of their space. Two libraries, or two versions of one, choose differently and both are
right. Such outputs are compared by what they mean: by products in which the choice cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from gradparity.judge.compare import Compared, LimitsOf, compare_values
from gradparity.judge.verdict import Rule
from gradparity.outcome import DenseResult, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Outputs: TypeAlias = Mapping[int, Array]  # output number -> its value, of those asked for


@dataclass(frozen=True)
class Equivalence:
    """What the outputs of an op mean.

    Attributes:
      vectors: the numbers of the outputs that are not unique; the others are compared plainly.
      meaning: from one side's outputs, and the oracle's, to arrays that all right answers
        share: an array for each thing that is determined, named for people.
      why: what the choice is, and where it is documented.
    """

    vectors: Sequence[int]
    meaning: Callable[[Outputs, Outputs], Iterator[tuple[str, Array]]]
    why: str


def by_meaning(
    compared: Compared,
    names: Sequence[str],
    oracle: Outcome,
    implementation: Outcome,
    limits_of: LimitsOf,
) -> Compared:
    """A comparison in which ys that differ by a choice alone count as equal, by `Rule.MEANING`.

    Args:
      compared: what was found when every y was compared plainly.
      names: what each y is called in it.
      oracle: its answer, which also says which operations the ys come from.
      implementation: the other's answer.
      limits_of: see `LimitsOf`.
    """
    for (type, _), outputs in _not_unique(oracle).items():
        if not _differ_in_choice_alone(type, outputs, oracle, implementation, limits_of):
            continue
        vectors = EQUIVALENCES[type].vectors
        chosen = {names[y] for output, y in outputs.items() if output in vectors}
        chosen &= {found.where for found in compared.differences}
        compared = Compared(
            [found for found in compared.differences if found.where not in chosen],
            [
                replace(found, rule=Rule.MEANING, max_ulp=None) if found.where in chosen else found
                for found in compared.comparisons
            ],
        )
    return compared


def _not_unique(outcome: Outcome) -> dict[tuple[str, str], dict[int, int]]:
    """Op type and name -> its output -> the y that it is, for the ops of the table."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for position, maker in enumerate(outcome.made_by):
        if maker is not None and maker.type in EQUIVALENCES:
            found.setdefault((maker.type, maker.op), {})[maker.output] = position
    return found


def _differ_in_choice_alone(
    type: str,
    outputs: Mapping[int, int],
    oracle: Outcome,
    implementation: Outcome,
    limits_of: LimitsOf,
) -> bool:
    """Whether both sides' outputs of one operation have all in common that is determined."""
    import numpy as np

    sides: list[dict[int, Array]] = [{}, {}]
    for output, y in outputs.items():
        results = oracle.ys[y], implementation.ys[y] if y < len(implementation.ys) else None
        one, other = results
        if not isinstance(one, DenseResult) or not isinstance(other, DenseResult):
            return False
        alike = one.dtype == other.dtype and one.static_shape == other.static_shape
        a, b = one.value, other.value
        if not alike or a.dtype != b.dtype or a.shape != b.shape or not np.isfinite([a, b]).all():
            return False
        sides[0][output], sides[1][output] = a, b
    ours, theirs = (meanings(type, side, sides[0]) for side in sides)
    return all(
        compare_values(name, ours[name], theirs[name], limits_of)[1] is None for name in ours
    )


def meanings(type: str, outputs: Outputs, oracle: Outputs) -> dict[str, Array]:
    """What one side's outputs determine: name -> array.

    Args:
      type: an op type of `EQUIVALENCES`.
      outputs: of one side.
      oracle: of the oracle, whose eigenvalues tell which vectors belong to one space.

    """
    # Adding 0 makes -0 of a product +0: the sign of a zero depends on the choice.
    found = EQUIVALENCES[type].meaning(outputs, oracle)
    return {name: array + array.dtype.type(0) for name, array in found}


def _eigen(outputs: Outputs, oracle: Outputs) -> Iterator[tuple[str, Array]]:
    """SelfAdjointEigV2: the projector V Vᴴ on the space of each eigenvalue."""
    values, vectors = oracle.get(0), outputs.get(1)
    if vectors is not None:
        for columns, label in _spaces(values, vectors.shape[-1]):
            yield f"projector of eigenvectors {label}", _outer(vectors, vectors, columns)


def _eig(outputs: Outputs, oracle: Outputs) -> Iterator[tuple[str, Array]]:
    """Eig: the projector on each eigenvector, which has length 1 and any phase."""
    yield from _eigen({1: outputs[1]} if 1 in outputs else {}, {})


def _svd(outputs: Outputs, oracle: Outputs) -> Iterator[tuple[str, Array]]:
    """Svd: for each singular value the projectors U Uᴴ and V Vᴴ and the map U Vᴴ.

    Of a singular value 0, and of the columns beyond the last one in full matrices, U and V are
    not tied to each other.
    """
    import numpy as np

    values, u, v = oracle.get(0), outputs.get(1), outputs.get(2)
    sizes = [matrix.shape[-1] for matrix in (u, v) if matrix is not None]
    count = min(sizes, default=0) if values is None else values.shape[-1]
    for columns, label in _spaces(values, count):
        for name, matrix in (("U", u), ("V", v)):
            if matrix is not None:
                yield f"projector of {name}'s columns {label}", _outer(matrix, matrix, columns)
        tied = values is None or bool(np.all(values[..., columns] > _nothing(values)))
        if u is not None and v is not None and tied:
            yield f"U Vᴴ of columns {label}", _outer(u, v, columns)
    for name, matrix in (("U", u), ("V", v)):
        if matrix is not None and matrix.shape[-1] > count:
            rest = slice(count, None)
            yield f"projector of {name}'s further columns", _outer(matrix, matrix, rest)


def _qr(outputs: Outputs, oracle: Outputs) -> Iterator[tuple[str, Array]]:
    """Qr: for each column of Q, with its row of R, their product and the projector."""
    import numpy as np

    q, r = outputs.get(0), outputs.get(1)
    count = min(r.shape[-2:]) if r is not None else min(q.shape[-2:]) if q is not None else 0
    for column in range(count):
        only = slice(column, column + 1)
        if q is not None:
            yield f"projector of Q's column {column}", _outer(q, q, only)
        if r is not None:
            rows = np.swapaxes(r, -1, -2)
            yield f"Rᴴ R of row {column}", _outer(rows, rows, only)
        if q is not None and r is not None:
            yield f"Q R of column {column}", q[..., :, only] @ r[..., only, :]
    if q is not None and q.shape[-1] > count:
        yield "projector of Q's further columns", _outer(q, q, slice(count, None))


def _outer(a: Array, b: Array, columns: slice) -> Array:
    """A Bᴴ, over some of their columns."""
    import numpy as np

    product: Array = a[..., :, columns] @ np.conj(np.swapaxes(b[..., :, columns], -1, -2))
    return product


def _spaces(values: Array | None, count: int) -> Iterator[tuple[slice, str]]:
    """The columns that belong together: those whose values are equal up to rounding.

    Where values of one matrix of a batch are equal those columns are taken together in all.
    Without values each column stands by itself.
    """
    import numpy as np

    start = 0
    for column in range(1, count + 1):
        if column < count and values is not None:
            gaps = np.abs(values[..., column] - values[..., column - 1])
            if np.any(gaps <= _nothing(values)[..., 0]):
                continue
        yield (
            slice(start, column),
            f"{start}" if column == start + 1 else f"{start} to {column - 1}",
        )
        start = column


def _nothing(values: Array) -> Array:
    """What is as good as 0 beside the largest of some values: shape [..., 1]."""
    import numpy as np

    largest = np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    return np.asarray(largest * np.finfo(values.dtype).eps * 8 * max(values.shape[-1], 1))


EQUIVALENCES: Mapping[str, Equivalence] = {
    "SelfAdjointEigV2": Equivalence(
        (1,),
        _eigen,
        "an eigenvector times any factor of size 1 is one, and vectors of one eigenvalue are "
        "any orthonormal basis of its space",
    ),
    "Eig": Equivalence((1,), _eig, "an eigenvector of length 1 times any phase is one"),
    "Svd": Equivalence(
        (1, 2),
        _svd,
        "a column of U and its column of V may be multiplied by one common factor of size 1, "
        "and columns of one singular value be mixed",
    ),
    "Qr": Equivalence(
        (0, 1), _qr, "a column of Q and its row of R may be multiplied by opposite phases"
    ),
}
"""Op type -> what its outputs mean; ops that are not here have one right answer."""
