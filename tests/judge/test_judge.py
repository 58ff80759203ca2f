"""Every verdict that follows from two outcomes, and the sentence that goes with it."""

import numpy as np
import pytest

from gradparity.judge.judge import crashed, judge, timed_out, unchecked
from gradparity.judge.verdict import Kind, Rule, Word
from gradparity.language.check import ExpectedError, Tolerance
from gradparity.outcome import Outcome

NEXT_AFTER_2 = float(np.nextafter(np.float32(2), np.float32(3)))


# ---- values -------------------------------------------------------------------------------


def test_equal_answers_agree_bit_for_bit(check, answer, dense, sparse):
    one_side = answer(dense([1.0, 2.0]), None, sparse([[3.0]], [0], [4, 1]))
    verdict = judge(check(), one_side, one_side)
    assert (verdict.word, verdict.reason) == (Word.AGREE, "equal bit for bit")
    assert verdict.bit_equal
    assert verdict.max_ulp == 0
    assert [c.where for c in verdict.comparisons] == [
        "gradient 0 (w1)",
        "gradient 2 (w3), values",
        "gradient 2 (w3), indices",
        "gradient 2 (w3), dense_shape",
        "y 0 (y)",
    ]


def test_the_sentence_of_a_difference_names_tensor_element_values_and_distance(
    check, answer, dense
):
    oracle = answer(dense([1.0, 2.0, 3.0]), dense([2.0, 3.0, 4.0]))
    wrong = answer(dense([1.0, 2.0, 3.0]), dense([2.0, 3.0, 5.0]))
    verdict = judge(check(), oracle, wrong)
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.VALUE)
    assert verdict.reason == (
        "gradient 1 (w2): element [2] is 4.0 in TensorFlow and 5.0 here "
        "(1 of 3 elements differ, worst 2097152 ulp at [2]; allowed 0 ulp or ±3.8e-06)"
    )
    assert not verdict.bit_equal


def test_a_scalar_has_no_element_to_name(check, answer, dense):
    verdict = judge(check(), answer(dense(4.0)), answer(dense(-4.0)))
    assert verdict.reason.startswith("gradient 0 (w1): 4.0 in TensorFlow and -4.0 here (worst ")


def test_the_ulp_budget_is_that_of_the_ops_in_the_oracles_graph(check, answer, dense):
    strict = Tolerance("only the ulp budget is of interest here", atol=0.0)
    oracle = answer(dense([1.0, 2.0]), op_types=["Exp", "MatMul"])
    near = answer(dense([1.0, NEXT_AFTER_2]), op_types=["Mul"])
    verdict = judge(check(tolerance=strict), oracle, near)
    assert (verdict.word, verdict.max_ulp) == (Word.AGREE, 1)
    assert verdict.reason == "equal within the ulp budget, worst 1 ulp"
    assert verdict.comparisons[0].rule is Rule.ULP
    assert not verdict.bit_equal
    # The implementation's graph has no say: it could hold anything.
    assert judge(check(tolerance=strict), near, oracle).word is Word.DIFFER


def test_what_passes_by_scale_says_so(check, answer, dense):
    verdict = judge(check(), answer(dense([100.0, 0.0])), answer(dense([100.0, 1e-6])))
    assert (verdict.word, verdict.comparisons[0].rule) == (Word.AGREE, Rule.SCALE)
    assert verdict.reason.startswith("equal within the scale of the tensor, worst ")


def test_a_tolerance_of_the_check_replaces_the_default(check, answer, dense):
    oracle, near = answer(dense([2.0, 3.0])), answer(dense([2.01, 3.0]))
    assert judge(check(), oracle, near).word is Word.DIFFER
    loose = check(tolerance=Tolerance("for this test", rtol=0.01))
    assert judge(loose, oracle, near).word is Word.AGREE


def test_the_forward_values_are_judged_too(check, answer, dense):
    verdict = judge(
        check(), answer(dense(3.0), ys=[dense(1.0)]), answer(dense(3.0), ys=[dense(1.5)])
    )
    assert verdict.kind is Kind.VALUE
    assert verdict.reason.startswith("y 0 (y): 1.0 in TensorFlow and 1.5 here")


def test_all_differences_are_kept_the_coarsest_first_and_gradients_before_ys(
    check, answer, dense, sparse
):
    oracle = answer(dense(1.0), dense([2.0]), dense([[3.0]]), ys=[dense(4.0), dense(5.0)])
    wrong = answer(dense(1.5), None, sparse([[3.0]], [0]), ys=[dense(4.0, "float64"), dense([5.0])])
    verdict = judge(check(), oracle, wrong)
    assert [d.kind for d in verdict.differences] == [
        Kind.NONE,
        Kind.SPARSITY,
        Kind.DTYPE,
        Kind.SHAPE,
        Kind.VALUE,
    ]
    assert verdict.kind is Kind.NONE
    assert verdict.reason == (
        "gradient 1 (w2): a float32 tensor of shape [1] in TensorFlow and None here; and 4 more"
    )
    both_values = judge(
        check(), answer(dense(1.0), ys=[dense(2.0)]), answer(dense(1.5), ys=[dense(2.5)])
    )
    assert [d.where for d in both_values.differences] == ["gradient 0 (w1)", "y 0 (y)"]


def test_dtype_and_shape_read_as_sentences(check, answer, dense):
    def reason(oracle, wrong):
        return judge(check(), answer(oracle), answer(wrong)).reason

    assert reason(dense(3.0), dense(3.0, "float64")) == (
        "gradient 0 (w1): dtype float32 in TensorFlow and float64 here"
    )
    assert reason(dense([3.0], static_shape=(None,)), dense([3.0])) == (
        "gradient 0 (w1): static shape [?] in TensorFlow and [1] here"
    )


@pytest.mark.parametrize("lost", ["gradient", "y"])
def test_a_result_too_few_is_a_difference(check, answer, dense, lost):
    oracle = answer(dense(3.0), dense(4.0), ys=[dense(1.0), dense(2.0)])
    short = (
        answer(dense(3.0), ys=[dense(1.0), dense(2.0)])
        if lost == "gradient"
        else answer(dense(3.0), dense(4.0), ys=[dense(1.0)])
    )
    verdict = judge(check(), oracle, short)
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.NONE)
    assert verdict.reason == f"{lost}s: 2 of them in TensorFlow and 1 of them here"
    assert judge(check(), short, oracle).word is Word.DIFFER


# ---- errors -------------------------------------------------------------------------------


def test_an_undeclared_error_of_the_oracle_is_an_invalid_case(check, error):
    both = error("LookupError", "gradients", "No gradient defined\nlong trace")
    verdict = judge(check(), both, both)
    assert verdict.word is Word.INVALID
    assert verdict.reason == (
        'TensorFlow raises LookupError in stage gradients: "No gradient defined"; '
        "if the error is meant, declare it with `raises:`"
    )


def test_a_declared_error_on_both_sides_agrees(check, error):
    declared = check(raises=ExpectedError("ValueError"))
    verdict = judge(declared, error(message="one text"), error(message="another"))
    assert (verdict.word, verdict.reason) == (
        Word.AGREE,
        "both raise ValueError in stage gradients",
    )


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (ExpectedError("TypeError"), "declared is TypeError, but"),
        (ExpectedError("ValueError", stage="run"), "declared is ValueError in stage run, but"),
        (
            ExpectedError("ValueError", match="Length mis"),
            "declared is ValueError with a message that matches 'Length mis', but",
        ),
    ],
    ids=["type", "stage", "match"],
)
def test_another_error_of_the_oracle_than_the_declared_one_is_a_changed_oracle(
    check, error, declared, told
):
    both = error("ValueError", "gradients", "no such thing")
    verdict = judge(check(raises=declared), both, both)
    assert verdict.word is Word.ORACLE_CHANGED
    assert verdict.reason == (
        f'{told} TensorFlow raises ValueError in stage gradients: "no such thing"'
    )


def test_a_declared_error_that_the_oracle_no_longer_raises_is_a_changed_oracle(
    check, answer, dense, error
):
    verdict = judge(check(raises=ExpectedError("ValueError")), answer(dense(3.0)), error())
    assert verdict.word is Word.ORACLE_CHANGED
    assert verdict.reason == "declared is ValueError, but TensorFlow raises no error"


@pytest.mark.parametrize(
    "wrong",
    [("TypeError", "gradients", "bad seed"), ("ValueError", "run", "bad seed")],
    ids=["type", "stage"],
)
def test_another_class_or_stage_in_the_implementation_differs(check, error, wrong):
    declared = check(raises=ExpectedError("ValueError"))
    verdict = judge(declared, error(message="bad seed"), error(*wrong))
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.ERROR)
    assert verdict.reason == (
        'TensorFlow raises ValueError in stage gradients: "bad seed", '
        f'the implementation {wrong[0]} in stage {wrong[1]}: "bad seed"'
    )
    assert verdict.differences[0].kind is Kind.ERROR


def test_a_declared_match_binds_the_implementation_too(check, error):
    declared = check(raises=ExpectedError("ValueError", match="Length mismatch"))
    oracle = error(message="Length mismatch. Passed 1 grad_ys for 2 ys")
    assert judge(declared, oracle, error(message="Length mismatch")).word is Word.AGREE
    assert judge(declared, oracle, error(message="bad seed")).word is Word.DIFFER


def test_an_error_on_one_side_alone_differs(check, answer, dense, error):
    raised = error("TypeError", "run", "bad")
    verdict = judge(check(), answer(dense(3.0)), raised)
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.ERROR)
    assert verdict.reason == (
        'TensorFlow raises no error, the implementation TypeError in stage run: "bad"'
    )
    verdict = judge(check(raises=ExpectedError("ValueError")), error(), answer(dense(3.0)))
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.ERROR)


# ---- unsupported --------------------------------------------------------------------------


def test_an_implementation_may_say_that_it_lacks_an_op(check, answer, dense, error):
    lacking = error("UnsupportedOpError", "build", "numpy_tf has no op Igamma yet")
    verdict = judge(check(), answer(dense(3.0)), lacking)
    assert verdict.word is Word.UNSUPPORTED
    assert verdict.reason == 'the implementation lacks an op: "numpy_tf has no op Igamma yet"'
    declared = check(raises=ExpectedError("ValueError"))
    assert judge(declared, error(), lacking).word is Word.UNSUPPORTED


def test_a_name_that_the_module_does_not_have_is_a_lacking_op(check, answer, dense, error):
    igamma = check(build="y = tf.math.igamma(w1, w2) + np.pi")
    missing = error("AttributeError", "build", "module 'numpy_tf.math' has no attribute 'igamma'")
    verdict = judge(igamma, answer(dense(3.0)), missing)
    assert verdict.word is Word.UNSUPPORTED
    assert verdict.reason == "the implementation lacks tf.math.igamma"


@pytest.mark.parametrize(
    "fault",
    [
        ("AttributeError", "build", "module 'numpy' has no attribute 'product'"),
        ("AttributeError", "build", "'Tensor' object has no attribute 'igamma'"),
        ("AttributeError", "run", "module 'numpy_tf.math' has no attribute 'igamma'"),
        ("NotImplementedError", "build", "later"),
        ("ImportError", "build", "module 'numpy_tf.math' has no attribute 'igamma'"),
    ],
    ids=lambda fault: fault[2],
)
def test_other_faults_of_the_implementation_are_differences(check, answer, dense, error, fault):
    igamma = check(build="y = tf.math.igamma(w1, w2)")
    verdict = judge(igamma, answer(dense(3.0)), error(*fault))
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.ERROR)


# ---- expect -------------------------------------------------------------------------------


def test_a_documented_value_that_both_sides_give_agrees(check, answer, dense, sparse):
    both = answer(dense([0.1, np.inf]), None, sparse([[3.0]], [0], [4, 1]))
    expect = [[0.1, float("inf")], None, {"values": [[3]], "indices": [0], "dense_shape": [4, 1]}]
    assert judge(check(expect=expect), both, both).word is Word.AGREE
    expect[2] = {"values": [[3]], "indices": [0]}
    assert judge(check(expect=expect), both, both).word is Word.AGREE


def test_a_documented_value_off_by_one_is_a_changed_oracle_even_when_the_sides_agree(
    check, answer, dense
):
    both = answer(dense([5.0, 1.0]))
    verdict = judge(check(expect=[[5, 2]]), both, both)
    assert verdict.word is Word.ORACLE_CHANGED
    assert verdict.reason == (
        "in TensorFlow gradient 0 (w1): element [1] is 1.0, documented is 2.0 "
        "(1 of 2 elements depart)"
    )


def test_a_documented_scalar_has_no_element_to_name(check, answer, dense):
    both = answer(dense(5.0))
    verdict = judge(check(expect=[4]), both, both)
    assert verdict.reason == "in TensorFlow gradient 0 (w1) is 5.0, documented is 4.0"


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        (None, "is a float32 tensor of shape [2], documented is None"),
        ([[5.0, 1.0]], "has shape [2], documented is [1, 2]"),
        (5.0, "has shape [2], documented is []"),
        ([5.0, -1.0], "element [1] is 1.0, documented is -1.0"),
        ([5.0, float("nan")], "element [1] is 1.0, documented is nan"),
        ({"values": [5.0], "indices": [0]}, "documented is IndexedSlices"),
    ],
)
def test_documents_of_another_kind_shape_or_value_are_departed_from(
    check, answer, dense, expected, reason
):
    both = answer(dense([5.0, 1.0]))
    verdict = judge(check(expect=[expected]), both, both)
    assert verdict.word is Word.ORACLE_CHANGED
    assert reason in verdict.reason


def test_a_documented_gradient_where_there_is_none_is_departed_from(check, answer, sparse):
    assert judge(check(expect=[[0.0]]), answer(None), answer(None)).word is Word.ORACLE_CHANGED
    slices = answer(sparse([[3.0]], [0], [4, 1]))
    dense_document = judge(check(expect=[[[3.0]]]), slices, slices)
    assert dense_document.word is Word.ORACLE_CHANGED
    assert "are written {values: …, indices: …, dense_shape: …}" in dense_document.reason


@pytest.mark.parametrize("part", ["values", "indices", "dense_shape"])
def test_each_part_of_documented_slices_counts(check, answer, sparse, part):
    slices = answer(sparse([[3.0]], [0], [4, 1]))
    expected = {"values": [[3.0]], "indices": [0], "dense_shape": [4, 1]}
    expected[part] = (np.array(expected[part]) + 1).tolist()
    verdict = judge(check(expect=[expected]), slices, slices)
    assert verdict.word is Word.ORACLE_CHANGED
    assert f"gradient 0 (w1), {part}: element" in verdict.reason
    if part == "dense_shape":
        without = answer(sparse([[3.0]], [0]))
        assert judge(check(expect=[expected]), without, without).word is Word.ORACLE_CHANGED


def test_a_documented_zero_has_a_sign(check, answer, dense):
    minus = answer(dense([-0.0, 3.0]))
    assert judge(check(expect=[[-0.0, 3.0]]), minus, minus).word is Word.AGREE
    assert judge(check(expect=[[0, 3]]), minus, minus).word is Word.ORACLE_CHANGED


def test_a_document_is_rounded_to_the_dtype_and_held_to_a_few_ulps(check, answer, dense):
    def word(value, expected, **fields):
        both = answer(dense([1000.0, value]))
        return judge(check(expect=[[1000.0, expected]], **fields), both, both).word

    four_ulp = 0.7310586 + 4 * 2.0**-24
    assert word(0.7310586, 0.7310585786300049) is Word.AGREE
    assert word(four_ulp, 0.7310585786300049) is Word.AGREE
    assert word(four_ulp + 2.0**-24, 0.7310585786300049) is Word.ORACLE_CHANGED
    assert word(0.7310586, 0.7311) is Word.ORACLE_CHANGED
    printed = Tolerance("the document prints four digits", atol=5e-5)
    assert word(0.7310586, 0.7311, tolerance=printed) is Word.AGREE
    # The scale of the tensor excuses nothing in a document.
    assert word(1e-6, 0.0) is Word.ORACLE_CHANGED


@pytest.mark.parametrize(
    ("dtype", "value", "right", "wrong"),
    [
        ("int32", [1, 2], [1, 2], [1, 2.5]),
        ("int8", [1, 44], [1, 44], [1, 300]),
        ("bool", [True, False], [True, False], [True, True]),
        ("string", [b"", b"a"], ["", "a"], ["", "b"]),
        ("float32", [np.inf, 1.0], [float("inf"), 1], [1e40, 1]),
        ("complex64", [1 + 2j, 0], [1 + 2j, 0], [1 - 2j, 0]),
        ("complex64", [1 + 2j, 0], ["1 + 2j", 0], ["1-2j", 0]),
        ("bfloat16", [0.1, 3.0], [0.1, 3], [0.2, 3]),
    ],
)
def test_documents_are_read_in_the_dtype_of_the_result(
    check, answer, dense, dtype, value, right, wrong
):
    both = answer(dense(value, dtype))
    assert judge(check(expect=[right]), both, both).word is Word.AGREE
    assert judge(check(expect=[wrong]), both, both).word is Word.ORACLE_CHANGED


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ([[3.0, 4.0], None], "expect has 2 values for 1 gradients"),
        ([[[1.0], [2.0, 3.0]]], "its lists have different lengths"),
        ([["a", "b"]], "holds str32, and the result is float32"),
        ([[True, False]], "holds bool, and the result is float32"),
        ([[1j, 2.0]], "holds complex128, and the result is float32"),
        ([[None, 1.0]], "must hold numbers, booleans or strings alone"),
    ],
)
def test_a_document_that_is_no_array_of_the_dtype_is_an_invalid_case(
    check, answer, dense, expect, reason
):
    both = answer(dense([3.0, 4.0]))
    verdict = judge(check(expect=expect), both, both)
    assert verdict.word is Word.INVALID
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("dtype", "value", "expected", "reason"),
    [
        ("complex64", 1j, "1 plus j", "'1 plus j' is not a complex number, such as '1+2j'"),
        ("string", b"1", 1, "holds int64, and the result is string"),
        ("bool", True, 1, "holds int64, and the result is bool"),
    ],
)
def test_what_can_be_read_depends_on_the_dtype_of_the_result(
    check, answer, dense, dtype, value, expected, reason
):
    both = answer(dense(value, dtype))
    verdict = judge(check(expect=[expected]), both, both)
    assert verdict.word is Word.INVALID
    assert reason in verdict.reason


def test_documented_slices_with_other_parts_are_an_invalid_case(check, answer, sparse):
    slices = answer(sparse([[3.0]], [0], [4, 1]))
    for expected in ({"values": [[3.0]]}, {"values": [[3.0]], "indices": [0], "shape": [4, 1]}):
        verdict = judge(check(expect=[expected]), slices, slices)
        assert verdict.word is Word.INVALID
        assert "must have `values` and `indices`" in verdict.reason


def test_an_implementation_near_the_oracle_but_not_near_the_document_differs(check, answer, dense):
    oracle, near = answer(dense([100.0, 0.0])), answer(dense([100.0, 1e-6]))
    assert judge(check(), oracle, near).word is Word.AGREE
    verdict = judge(check(expect=[[100, 0]]), oracle, near)
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.VALUE)
    assert verdict.reason == (
        "in the implementation gradient 0 (w1): element [1] is 1e-06, documented is 0.0 "
        "(1 of 2 elements depart); TensorFlow's value is as documented"
    )
    assert len(verdict.differences) == 1


def test_a_difference_between_the_sides_is_told_as_one_though_the_document_shows_it_too(
    check, answer, dense
):
    verdict = judge(check(expect=[[5, 1]]), answer(dense([5.0, 1.0])), answer(dense([5.0, 2.0])))
    assert verdict.word is Word.DIFFER
    assert "is 1.0 in TensorFlow and 2.0 here" in verdict.reason


# ---- vacuity and intent -------------------------------------------------------------------

ZEROS, ONES = [0.0, -0.0], [1.0, 1.0]


@pytest.mark.parametrize(
    ("gradients", "told"),
    [
        ([None, None], "every gradient is None"),
        ([ZEROS, ZEROS], "every gradient is all zeros"),
        ([ONES, ONES], "every gradient is all ones"),
        ([[]], "every gradient is all zeros"),
        ([], "no gradient is asked for"),
    ],
    ids=["none", "zeros", "ones", "empty", "no xs"],
)
def test_trivial_gradients_make_a_check_vacuous_unless_it_says_that_they_are_meant(
    check, answer, dense, gradients, told
):
    both = answer(*(None if values is None else dense(values) for values in gradients))
    verdict = judge(check(), both, both)
    assert verdict.word is Word.VACUOUS
    assert verdict.reason.startswith(told)
    assert not verdict.word.passes
    assert judge(check(expect=gradients), both, both).word is Word.AGREE
    for stopped in (
        check(stopped=["z1"]),
        check(gradients="gradients = tf.gradients(ys, xs, stop_gradients=[w1])"),
    ):
        cut_off = gradients == [None, None]
        assert judge(stopped, both, both).word is (Word.AGREE if cut_off else Word.VACUOUS)


@pytest.mark.parametrize(
    "gradients",
    [[ZEROS, ONES], [None, ONES], [None, ZEROS], [[1.0, 2.0]], [[0.0, 1.0]], [ZEROS, [2.0]]],
)
def test_gradients_that_are_not_all_trivial_in_one_way_could_have_failed(
    check, answer, dense, gradients
):
    both = answer(*(None if values is None else dense(values) for values in gradients))
    assert judge(check(), both, both).word is Word.AGREE


def test_the_indices_of_slices_are_something_to_get_wrong(check, answer, sparse):
    both = answer(sparse([[1.0]], [2], [4, 1]))
    assert judge(check(), both, both).word is Word.AGREE


@pytest.mark.parametrize(("dtype", "value"), [("bool", [False]), ("string", [b""]), ("int32", [0])])
def test_zeros_of_any_dtype_are_zeros(check, answer, dense, dtype, value):
    both = answer(dense(value, dtype))
    assert judge(check(), both, both).word is Word.VACUOUS
    assert judge(check(intent="zero"), both, both).word is Word.AGREE


def test_a_difference_is_never_called_vacuous(check, answer, dense):
    verdict = judge(check(), answer(dense(ZEROS)), answer(dense([0.0, 1.0])))
    assert verdict.word is Word.DIFFER


def test_a_meant_error_is_not_vacuous(check, error):
    assert judge(check(raises=ExpectedError("ValueError")), error(), error()).word is Word.AGREE


@pytest.mark.parametrize(("intent", "values"), [("zero", ZEROS), ("ones", ONES)])
def test_an_intent_that_holds_agrees_and_one_that_does_not_is_an_invalid_case(
    check, answer, dense, intent, values
):
    trivial, other = answer(dense(values)), answer(dense([1.0, 2.0]))
    assert judge(check(intent=intent), trivial, trivial).word is Word.AGREE
    verdict = judge(check(intent=intent), other, other)
    assert verdict.word is Word.INVALID
    assert verdict.reason.startswith(
        f"intent is {intent!r}, but TensorFlow's gradient 0 (w1) is not all "
    )


def test_none_is_not_what_intent_means_unless_a_stop_has_cut_it_off(check, answer, dense):
    beside, alone = answer(None, dense(ZEROS)), answer(None, None)
    assert judge(check(intent="zero"), beside, beside).word is Word.AGREE
    verdict = judge(check(intent="zero"), alone, alone)
    assert verdict.word is Word.INVALID
    assert "None is not zeros" in verdict.reason
    assert judge(check(intent="zero", stopped=["z1"]), alone, alone).word is Word.AGREE


@pytest.mark.parametrize(
    ("weights", "gradients", "told"),
    [
        (["[2, 3]"], [[2.0, 3.0], [2.0, 3.0]], "the first weight"),
        (["[2, 3]", "[5, 7]"], [[2.0, 3.0], [5.0, 7.0]], "the weight of the y at its place"),
        (["[2, 3]", "[5, 7]"], [[7.0, 10.0], [7.0, 10.0]], "the sum of the weights"),
        (["[2, 3]", ""], [[3.0, 4.0]], "the sum of the weights"),
        (["np.full([2], 2.5)"], [[2.5, 2.5]], "the first weight"),
        (["-0.0"], [-0.0], "the first weight"),
    ],
)
def test_weights_that_come_back_unchanged_make_a_check_vacuous(
    check, answer, dense, weights, gradients, told
):
    ys = [dense([1.0, 1.0])] * len(weights)
    both = answer(*map(dense, gradients), ys=ys)
    # A scalar -0.0 is all zeros, too, which is said first.
    verdict = judge(check(weights=weights), both, both)
    assert verdict.word is Word.VACUOUS
    assert verdict.reason.startswith(f"every gradient is {told}") or gradients == [-0.0]
    meant = check(weights=weights, intent="pass_through")
    assert judge(meant, both, both).word is Word.AGREE
    assert judge(check(weights=weights, expect=gradients), both, both).word is Word.AGREE
    stopped = check(weights=weights, stopped=["z1"])
    assert judge(stopped, both, both).word is Word.VACUOUS


@pytest.mark.parametrize(
    ("weights", "gradients"),
    [
        (["[2, 3]"], [[2.0, 3.5]]),
        (["[2, 3]"], [[2.0, 3.0], [4.0, 6.0]]),
        (["[2, 3]"], [[2.0, 3.0], None]),
        (["[2, 3]", "[5, 7]"], [[5.0, 7.0], [2.0, 3.0]]),
        ([None], [[2.0, 3.0]]),
        (None, [[2.0, 3.0]]),
        (["[2, 3]", "[5, 7, 11]"], [[7.0, 10.0]]),
        (["-0.0"], [0.5]),
    ],
    ids=[
        "one ulp off",
        "once doubled",
        "beside none",
        "crossed",
        "an expression",
        "not asked",
        "no sum",
        "a sign",
    ],
)
def test_gradients_that_depend_on_the_graph_are_not_handed_on(
    check, answer, dense, weights, gradients
):
    sizes = [1 + (source or "").count(",") for source in weights or ["[2, 3]"]]
    ys = [dense([1.0] * size) for size in sizes]
    both = answer(*(None if g is None else dense(g) for g in gradients), ys=ys)
    assert judge(check(weights=weights), both, both).word is Word.AGREE
    verdict = judge(check(weights=weights, intent="pass_through"), both, both)
    assert verdict.word is Word.INVALID
    assert "not the weights in grad_ys" in verdict.reason


def test_a_weight_handed_on_in_another_dtype_is_something_to_get_wrong(check, answer, dense):
    both = answer(dense([2.0, 3.0], "float64"), ys=[dense([1.0, 1.0])])
    assert judge(check(weights=["[2, 3]"]), both, both).word is Word.AGREE


# ---- no answer ----------------------------------------------------------------------------


def test_without_an_oracle_nothing_is_checked(check, answer, dense):
    assert judge(check(), None, answer(dense(3.0))).word is Word.UNCHECKED
    assert judge(check(), None, None).word is Word.UNCHECKED


def test_without_an_implementation_there_is_a_crash_unless_the_case_is_at_fault(
    check, answer, dense, error
):
    assert judge(check(), answer(dense(3.0)), None).word is Word.CRASHED
    assert judge(check(raises=ExpectedError("ValueError")), error(), None).word is Word.CRASHED
    assert judge(check(), error(), None).word is Word.INVALID


def test_the_engine_words_what_it_alone_can_see():
    assert crashed("implementation", "killed by SIGSEGV").reason == (
        "the implementation crashed: killed by SIGSEGV"
    )
    assert crashed("oracle", "killed by SIGSEGV").reason.startswith("TensorFlow crashed")
    assert timed_out("oracle", 30).reason == "TensorFlow did not answer within 30 s"
    assert unchecked("no TensorFlow here").reason == "no TensorFlow here"
    words = [crashed("oracle", "").word, timed_out("oracle", 1).word, unchecked("").word]
    assert words == [Word.CRASHED, Word.TIMED_OUT, Word.UNCHECKED]
    assert not any(word.passes for word in words)


def test_an_outcome_may_be_decoded_from_read_only_memory(check, dense):
    frozen = dense([1.0, 2.0])
    frozen.value.flags.writeable = False
    both = Outcome(gradients=[frozen], ys=[])
    other = Outcome(gradients=[dense([1.0, 3.0])], ys=[])
    assert judge(check(), both, both).word is Word.AGREE
    assert judge(check(), both, other).word is Word.DIFFER


def test_an_error_that_is_left_to_the_oracle_must_be_its(check, answer, dense, error):
    left = check(may_raise=("TypeError", "ValueError"))
    assert judge(left, error(), error(message="other words")).word is Word.AGREE
    assert judge(left, error(), error("TypeError")).kind is Kind.ERROR
    assert judge(left, error(), error(stage="run")).kind is Kind.ERROR
    assert judge(left, error(), answer(dense(3.0))).kind is Kind.ERROR
    assert judge(left, answer(dense(3.0)), error()).kind is Kind.ERROR
    assert judge(left, answer(dense(3.0)), answer(dense(3.0))).word is Word.AGREE
    assert judge(left, answer(dense(3.0)), answer(dense(4.0))).kind is Kind.VALUE


@pytest.mark.parametrize(
    "mistake", [("KeyError", "gradients"), ("ValueError", "build")], ids=["type", "stage"]
)
def test_not_every_error_is_left_to_the_oracle(check, error, mistake):
    verdict = judge(check(may_raise=("ValueError",)), error(*mistake), error(*mistake))
    assert verdict.word is Word.INVALID
