"""Whatever two sides answer, in every dtype: the judge is symmetric and never equates what differs.

The equality of reference is written another way than the judge's: element by element, from
the bits.
"""

import struct

import ml_dtypes
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gradparity.judge.compare import compare
from gradparity.judge.judge import judge
from gradparity.judge.tolerance import Limits
from gradparity.judge.verdict import Kind, Rule, Word
from gradparity.language.check import Case, Check, Position, Tolerance
from gradparity.outcome import DenseResult, Outcome, SparseResult
from gradparity.program import Program

FLOATING = ["float16", "bfloat16", "float32", "float64"]
COMPLEX = {"complex64": "float32", "complex128": "float64"}
OTHER = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]
UNUSUAL = ["float8_e5m2", "float8_e4m3fn"]
DTYPES = [*FLOATING, *COMPLEX, *OTHER, *UNUSUAL, "string"]

EXACT = Tolerance("nothing is tolerated", rtol=0.0, atol=0.0, ulp=0)


def numpy_dtype(name):
    return np.dtype(getattr(np, name, None) or getattr(ml_dtypes, name))


def element_size(name):
    return numpy_dtype(name).itemsize


def special_bits(name):
    """Bit patterns that are easily confused: zeros, infinities, NaNs, the least, the largest."""
    if name in COMPLEX:
        part = special_bits(COMPLEX[name])
        width = 4 * element_size(name)
        return [a | (b << width) for a in part for b in part]
    if name == "bool":
        return [0, 1]
    width = 8 * element_size(name)
    sign = 1 << (width - 1)
    some = [0, 1, sign - 1, sign, sign + 1, 2 * sign - 1]
    if name in FLOATING:
        infinity = int(np.array(np.inf, numpy_dtype(name)).view(f"u{width // 8}"))
        some += [infinity - 1, infinity, infinity + 1, sign + infinity, sign + infinity - 1]
    return some


def bits(name):
    special = st.sampled_from(special_bits(name))
    if name == "bool":
        return special
    return st.one_of(special, st.integers(0, 2 ** (8 * element_size(name)) - 1))


def array(name, elements, shape):
    if name == "string":
        texts = np.empty(len(elements), dtype=object)
        texts[:] = elements
        return texts.reshape(shape)
    size = element_size(name)
    data = b"".join(element.to_bytes(size, "little") for element in elements)
    return np.frombuffer(data, numpy_dtype(name)).reshape(shape)


@st.composite
def tensors(draw, dtypes=DTYPES):
    name = draw(st.sampled_from(dtypes))
    shape = draw(st.lists(st.integers(0, 3), max_size=2).map(tuple))
    one = st.binary(max_size=2) if name == "string" else bits(name)
    count = int(np.prod(shape, dtype=int))
    value = array(name, draw(st.lists(one, min_size=count, max_size=count)), shape)
    known = st.lists(st.booleans(), min_size=len(shape), max_size=len(shape))
    partly = known.map(lambda flags: tuple(n if f else None for n, f in zip(shape, flags)))  # noqa: B905
    return DenseResult(name, draw(st.one_of(st.none(), partly)), value)


def results():
    slices = st.builds(
        SparseResult,
        tensors(),
        tensors(["int32", "int64"]),
        st.one_of(st.none(), tensors(["int32", "int64"])),
    )
    return st.one_of(st.none(), tensors(), slices)


def outcomes():
    lists = st.lists(results(), min_size=1, max_size=2)
    return st.builds(lambda gradients, ys: Outcome(ys=ys, gradients=gradients), lists, lists)


def check(**fields):
    case = Case("a/b", "cases/a/b.yaml", "…", "…", "…")
    position = Position("cases/a/b.yaml", 1, 1)
    return Check("a/b::y~x", case, position, Program("tf1", "", ""), ["y"], ["x"], **fields)


def same_number(a, b):
    """Whether two real numbers are the same bits, or NaN both."""
    if a != a or b != b:
        return bool(a != a and b != b)
    return a.tobytes() == b.tobytes()


def same_element(name, a, b):
    if name in COMPLEX:
        return same_number(a.real, b.real) and same_number(a.imag, b.imag)
    if name in FLOATING:
        return same_number(a, b)
    return a == b if name == "string" else a.tobytes() == b.tobytes()


def same(a, b):
    """Equality by definition: of class, dtype, shapes, and element by element."""
    if a is None or b is None:
        return a is b
    if isinstance(a, SparseResult) or isinstance(b, SparseResult):
        return type(a) is type(b) and all(
            same(getattr(a, part), getattr(b, part))
            for part in ("values", "indices", "dense_shape")
        )
    statics = a.static_shape == b.static_shape
    return (
        (a.dtype, a.value.shape, statics) == (b.dtype, b.value.shape, True)
        and len(a.value.flat) == len(b.value.flat)
        and all(
            same_element(a.dtype, x, y)
            for x, y in zip(a.value.reshape(-1), b.value.reshape(-1), strict=True)
        )
    )


quietly = np.errstate(all="ignore")  # signalling NaNs


@given(outcomes(), outcomes())
@quietly
def test_the_judge_is_symmetric(a, b):
    forth, back = judge(check(), a, b), judge(check(), b, a)
    assert (forth.word, forth.kind) == (back.word, back.kind)
    assert forth.comparisons == back.comparisons
    places = [(d.where, d.kind, d.index, d.count) for d in forth.differences]
    assert places == [(d.where, d.kind, d.index, d.count) for d in back.differences]


def copied(result):
    if result is None:
        return None
    if isinstance(result, SparseResult):
        return SparseResult(*map(copied, (result.values, result.indices, result.dense_shape)))
    return DenseResult(result.dtype, result.static_shape, result.value.copy())


@given(outcomes())
@quietly
def test_an_answer_agrees_with_its_copy_bit_for_bit(a):
    copy = Outcome(ys=[*map(copied, a.ys)], gradients=[*map(copied, a.gradients)])
    verdict = judge(check(tolerance=EXACT), a, copy)
    assert not verdict.differences
    assert all(comparison.rule is Rule.BITS for comparison in verdict.comparisons)


@settings(max_examples=500)
@given(results(), results())
@quietly
def test_answers_agree_without_tolerance_only_when_they_are_equal_by_definition(a, b):
    verdict = judge(check(tolerance=EXACT), Outcome(gradients=[a]), Outcome(gradients=[b]))
    assert (not verdict.differences) == same(a, b)


@st.composite
def with_one_element_changed(draw):
    """A tensor, the same with other bits in one element, and where that is."""
    tensor = draw(tensors().filter(lambda t: t.value.size))
    name, value = tensor.dtype, tensor.value
    at = draw(st.integers(0, value.size - 1))
    flat = value.reshape(-1).copy()
    if name == "string":
        flat[at] = draw(st.binary(max_size=2))
    else:
        flat[at : at + 1] = array(name, [draw(bits(name))], (1,))
    return tensor, DenseResult(name, tensor.static_shape, flat.reshape(value.shape)), at


def exactly(dtype):
    return Limits(ulp=0, eps_factor=0.0)


@settings(max_examples=500)
@given(with_one_element_changed())
@quietly
def test_one_wrong_element_is_found_where_it_is(case):
    a, b, at = case
    equal = same_element(a.dtype, a.value.reshape(-1)[at], b.value.reshape(-1)[at])
    compared = compare("x", a, b, exactly)
    if equal:
        assert compared.differences == []
        assert [c.rule for c in compared.comparisons] == [Rule.BITS]
    else:
        (difference,) = compared.differences
        assert difference.kind is Kind.VALUE
        assert difference.index == np.unravel_index(at, a.value.shape)
        assert (difference.count, difference.total) == (1, a.value.size)


@given(tensors(), st.sampled_from(["none", "sparsity", "dtype", "static", "shape"]))
@quietly
def test_another_class_dtype_or_shape_is_told_by_its_kind(a, what):
    indices = DenseResult("int32", (0,), np.zeros(0, np.int32))
    static = () if a.static_shape is None else None
    other_dtype = "int8" if a.dtype != "int8" else "uint8"
    others = {
        "none": (None, Kind.NONE),
        "sparsity": (SparseResult(a, indices, None), Kind.SPARSITY),
        "dtype": (DenseResult(other_dtype, a.static_shape, a.value), Kind.DTYPE),
        "static": (DenseResult(a.dtype, static, a.value), Kind.SHAPE),
        "shape": (DenseResult(a.dtype, a.static_shape, a.value[np.newaxis]), Kind.SHAPE),
    }
    other, kind = others[what]
    for one, two in ((a, other), (other, a)):
        verdict = judge(check(), Outcome(gradients=[one]), Outcome(gradients=[two]))
        assert (verdict.word, verdict.kind) == (Word.DIFFER, kind)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(1, 2**20))
@quietly
def test_a_scalar_beyond_its_limits_differs_whatever_the_limits(value, steps):
    """A scalar is its own scale: eight eps of the smaller, and not one ulp-step of slack more."""
    a = np.float32(value)
    pattern = struct.unpack("<I", a.tobytes())[0]
    b = np.frombuffer(struct.pack("<I", min(pattern + steps, 2**32 - 1)), np.float32)[0]
    gradients = [DenseResult("float32", (), np.asarray(x)) for x in (a, b)]
    outcomes = (Outcome(gradients=[gradient], op_types=["MatMul"]) for gradient in gradients)
    verdict = judge(check(), *outcomes)
    finite = np.isfinite(b)
    excused = 8 * 2.0**-23 * min(abs(float(a)), abs(float(b)))
    equal = bool(finite) and abs(float(a) - float(b)) <= excused and not (a == b == 0)
    assert (not verdict.differences) == equal
