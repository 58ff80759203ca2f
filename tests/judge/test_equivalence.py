"""Outputs that are not unique count as equal when they mean the same, and only then."""

import numpy as np
import pytest

from gradparity.judge.equivalence import EQUIVALENCES
from gradparity.judge.judge import judge
from gradparity.judge.verdict import Kind, Rule, Word
from gradparity.outcome import Maker, Outcome
from gradparity.recordings.answer import from_outcome, to_outcome

GENERATOR = np.random.default_rng(5)
TALL = GENERATOR.normal(size=(5, 3))
COMPLEX = GENERATOR.normal(size=(4, 4)) + 1j * GENERATOR.normal(size=(4, 4))
HERMITIAN = COMPLEX + COMPLEX.conj().T
SYMMETRIC = HERMITIAN.real + HERMITIAN.real.T
TWICE_ONE = np.diag([1.0, 1.0, 3.0])
SIGNS = np.array([1.0, -1.0, -1.0])
ROTATION = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])


@pytest.fixture
def word(check, dense):
    """The verdict on two sides' outputs of one op; the gradients agree unless they are given."""

    def judged(op, ours, theirs, gradients=((2.5,), (2.5,)), outputs=None):
        numbers = range(len(ours)) if outputs is None else outputs
        sides = [
            Outcome(
                ys=[dense(y, y.dtype.name) for y in side],
                gradients=[dense(g) for g in gradient],
                op_types=(op,),
                made_by=[Maker(op, op.lower(), number) for number in numbers],
            )
            for side, gradient in zip((ours, theirs), gradients, strict=True)
        ]
        return judge(check(), *sides)

    return judged


def svd(a, full=False):
    u, s, vh = np.linalg.svd(a, full_matrices=full)
    return [s, u, vh.conj().T]


def of_meaning(verdict):
    return [c.where for c in verdict.comparisons if c.rule is Rule.MEANING]


def test_columns_of_u_and_v_may_change_sign_together(word):
    s, u, v = svd(TALL)
    verdict = word("Svd", [s, u, v], [s, u * SIGNS, v * SIGNS])
    assert verdict.word is Word.AGREE
    assert of_meaning(verdict) == ["y 1", "y 2"]
    assert "unique" in verdict.reason


def test_a_sign_that_u_alone_changes_is_a_difference(word):
    s, u, v = svd(TALL)
    verdict = word("Svd", [s, u, v], [s, u * SIGNS, v])
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.VALUE)


def test_a_wrong_element_is_a_difference_under_any_sign(word):
    s, u, v = svd(TALL)
    wrong = u * SIGNS
    wrong[0, 1] += 1e-6
    assert word("Svd", [s, u, v], [s, wrong, v * SIGNS]).word is Word.DIFFER


def test_singular_values_are_unique(word):
    s, u, v = svd(TALL)
    verdict = word("Svd", [s, u, v], [s * (1 + 1e-9), u * SIGNS, v * SIGNS])
    assert verdict.word is Word.DIFFER
    assert {d.where for d in verdict.differences} == {"y 0 (y)"}


def test_u_alone_may_change_signs(word):
    _, u, _ = svd(TALL)
    assert word("Svd", [u], [u * SIGNS], outputs=[1]).word is Word.AGREE


def test_further_columns_of_a_full_u_may_be_any_basis_of_what_is_left(word):
    s, u, v = svd(TALL, full=True)
    turned = u.copy()
    turned[:, 3:] = u[:, 3:] @ np.array([[0.6, -0.8], [0.8, 0.6]])
    assert word("Svd", [s, u, v], [s, turned, v]).word is Word.AGREE
    assert word("Svd", [s, u, v], [s, np.roll(turned, 1, axis=-1), v]).word is Word.DIFFER


def test_complex_vectors_may_have_any_phase(word):
    values, vectors = np.linalg.eigh(HERMITIAN)
    phases = np.exp(1j * np.array([0.3, 1.0, -2.0, 0.0]))
    assert (
        word("SelfAdjointEigV2", [values, vectors], [values, vectors * phases]).word is Word.AGREE
    )
    assert word("SelfAdjointEigV2", [values, vectors], [values, vectors * 2]).word is Word.DIFFER


def test_vectors_of_one_eigenvalue_may_be_any_basis_of_its_space(word):
    values, vectors = np.linalg.eigh(TWICE_ONE)
    turned = vectors @ ROTATION
    assert word("SelfAdjointEigV2", [values, vectors], [values, turned]).word is Word.AGREE


def test_vectors_of_different_eigenvalues_may_not_be_mixed(word):
    values, vectors = np.linalg.eigh(SYMMETRIC[:3, :3])
    turned = vectors @ ROTATION
    assert word("SelfAdjointEigV2", [values, vectors], [values, turned]).word is Word.DIFFER


def test_a_batch_of_matrices_may_choose_each_for_itself(word):
    values, vectors = np.linalg.eigh(np.stack([SYMMETRIC[:3, :3], TWICE_ONE + SYMMETRIC[1:, 1:]]))
    changed = vectors * np.array([[[1.0, -1.0, 1.0]], [[-1.0, 1.0, 1.0]]])
    assert word("SelfAdjointEigV2", [values, vectors], [values, changed]).word is Word.AGREE


def test_q_and_r_may_change_sign_together(word):
    q, r = np.linalg.qr(TALL)
    assert word("Qr", [q, r], [q * SIGNS, SIGNS[:, None] * r]).word is Word.AGREE
    assert word("Qr", [q, r], [q * SIGNS, r]).word is Word.DIFFER


def test_an_eigenvector_of_any_matrix_has_any_phase(word):
    values, vectors = np.linalg.eig(COMPLEX)
    assert word("Eig", [values, vectors], [values, vectors * 1j]).word is Word.AGREE
    assert word("Eig", [values, vectors], [values, vectors[:, ::-1]]).word is Word.DIFFER


def test_a_gradient_that_depends_on_the_choice_makes_the_case_invalid(word):
    values, vectors = np.linalg.eigh(SYMMETRIC[:3, :3])
    sides = [values, vectors], [values, vectors * SIGNS]
    verdict = word("SelfAdjointEigV2", *sides, gradients=((2.5,), (-2.5,)))
    assert verdict.word is Word.INVALID
    assert "y 1" in verdict.reason
    assert not verdict.word.passes


def test_the_same_choice_leaves_a_gradient_to_be_compared(word):
    values, vectors = np.linalg.eigh(SYMMETRIC[:3, :3])
    verdict = word("SelfAdjointEigV2", *[[values, vectors]] * 2, gradients=((2.5,), (-2.5,)))
    assert (verdict.word, verdict.kind) == (Word.DIFFER, Kind.VALUE)


def test_the_same_outputs_of_an_op_with_one_answer_differ(word):
    _, u, _ = svd(TALL)
    assert word("Unpack", [u], [u * SIGNS], outputs=[0]).word is Word.DIFFER


def test_nan_is_not_excused(word):
    _, u, _ = svd(TALL)
    wrong = u * SIGNS
    wrong[0, 0] = np.nan
    assert word("Svd", [u], [wrong], outputs=[1]).word is Word.DIFFER


def test_a_recording_keeps_which_op_an_output_comes_from(dense):
    makers = [Maker("Svd", "svd", 1), Maker("Unpack", "unstack", 0), None]
    outcome = Outcome(ys=[dense(1.0)] * 3, made_by=makers)
    assert to_outcome(from_outcome(outcome)).made_by == (Maker("Svd", "svd", 1), None, None)


def test_other_recordings_have_no_word_of_it(dense):
    outcome = Outcome(ys=[dense(1.0)], made_by=[Maker("Unpack", "unstack", 0)])
    assert "made_by" not in from_outcome(outcome).results


@pytest.mark.parametrize("type", EQUIVALENCES)
def test_each_op_says_why(type):
    assert len(EQUIVALENCES[type].why) > 20
