"""What is held fast and what moves when a program is differenced."""

import numpy as np
import pytest

from gradparity.arbiter.derivative import Differentiator
from gradparity.arbiter.evaluation import (
    Call,
    Description,
    EvaluationFailed,
    Tensor,
    Undecidable,
)


class Functions:
    """Evaluates tensors that are functions of a dictionary of other tensors' values.

    Args:
      functions: name -> function of `values`, which computes or recalls a tensor by name.
      lacks: precisions in which it fails, as TensorFlow does without a kernel.
    """

    def __init__(self, functions, lacks=("complex128",)):
        self.functions = functions
        self.lacks = lacks
        self.runs = 0

    def evaluate(self, precision, fetches, feeds):
        if precision in self.lacks:
            raise EvaluationFailed(f"no kernel for {precision}")
        points = max([len(values) for values in feeds.values()], default=1)
        found = []
        for point in range(points):
            self.runs += 1
            known = {name: values[point] for name, values in feeds.items()}
            found.append([self._value(name, known) for name in fetches])
        return [np.stack(values) for values in zip(*found, strict=True)]

    def _value(self, name, known):
        if name not in known:
            known[name] = np.asarray(self.functions[name](lambda n: self._value(n, known)))
        return known[name]


def tensor(name, dtype="float64", needs=()):
    return Tensor(name, dtype, tuple(needs))


def call(ys, xs, output="g", weights=None, stopped=(), kind="gradients"):
    outputs = tuple(output if i == 0 else f"{output}{i}" for i in range(len(xs)))
    weights = tuple(weights) if weights else (None,) * len(ys)
    return Call(kind, outputs, tuple(ys), tuple(xs), weights, tuple(stopped))


@pytest.fixture
def derived():
    """The derivatives of the last of some calls, by a program of Python functions."""

    def make(functions, *calls, stops=(), lacks=("complex128",), op_types=("Unknown",)):
        last = len(calls) - 1
        description = Description(
            calls=calls,
            judged=tuple((last, i) for i in range(len(calls[-1].xs))),
            stops=tuple(stops),
            op_types=frozenset(op_types),
            dtypes=frozenset(["float64"]),
            conjugates=False,
        )
        evaluating = Functions(functions, lacks)
        differentiator = Differentiator(evaluating, description)
        return [differentiator.derivative(i) for i in range(len(calls[-1].xs))]

    return make


X, Y, Z, W = (tensor(name) for name in "xyzw")


def numbers(derivative):
    return derivative.estimates.value / derivative.scales


def test_a_gradient_is_weighted_by_grad_ys(derived):
    program = {
        "x": lambda value: [1.0, 2.0],
        "w": lambda value: [3.0, 5.0],
        "y": lambda value: value("x") ** 2,
    }
    (found,) = derived(program, call([Y], [X], weights=[W]))
    assert numbers(found) == pytest.approx([6, 20])


def test_a_weight_that_depends_on_x_is_held_fast(derived):
    program = {
        "x": lambda value: [1.0, 2.0],
        "w": lambda value: value("x") * 10,
        "y": lambda value: value("x") ** 2,
    }
    (found,) = derived(program, call([Y], [X], weights=[W]))
    assert numbers(found) == pytest.approx([20, 80])


def test_an_x_inside_the_path_of_another_is_no_boundary(derived):
    program = {
        "x": lambda value: [3.0],
        "z": lambda value: value("x") ** 2,
        "y": lambda value: value("z") * value("x"),
    }
    by_x, by_z = derived(program, call([Y], [X, Z]))
    assert numbers(by_x) == pytest.approx([27])
    assert numbers(by_z) == pytest.approx([3])


def test_what_stop_gradient_gives_is_held_fast(derived):
    program = {
        "x": lambda value: [3.0],
        "stopped": lambda value: value("x") ** 2,
        "y": lambda value: value("stopped") * value("x"),
    }
    (found,) = derived(program, call([Y], [X]), stops=[tensor("stopped")])
    assert numbers(found) == pytest.approx([9])


def test_a_tensor_of_stop_gradients_is_held_fast_except_as_the_x_itself(derived):
    program = {
        "x": lambda value: [3.0],
        "z": lambda value: value("x") ** 2,
        "y": lambda value: value("z") * value("x"),
    }
    by_x, by_z = derived(program, call([Y], [X, Z], stopped=[Z]))
    assert numbers(by_x) == pytest.approx([9])
    assert numbers(by_z) == pytest.approx([3])


def test_integers_among_the_ys_contribute_nothing(derived):
    program = {"x": lambda value: [1.6], "y": lambda value: np.round(value("x"))}
    (found,) = derived(program, call([tensor("y", "int32")], [X]))
    assert numbers(found) == pytest.approx([0])


def test_a_complex_gradient_is_conjugate_as_tensorflows_is(derived):
    program = {"x": lambda value: [0.1j, 2 + 1j], "y": lambda value: value("x") ** 2}
    (found,) = derived(program, call([tensor("y", "complex128")], [tensor("x", "complex128")]))
    assert found.along(np.array([-0.2j, 4 - 2j])) == pytest.approx(found.estimates.value, abs=1e-9)


def test_a_gradient_inside_the_program_is_differenced_at_every_point(derived):
    program = {"x": lambda value: [2.0, -1.0], "y": lambda value: value("x") ** 3}
    first = call([Y], [X], "g")
    (found,) = derived(program, first, call([tensor("g", needs=["g"])], [X], "h"))
    assert numbers(found) == pytest.approx([12, -6], rel=1e-6)


def test_inner_gradients_of_one_another_are_each_found_anew(derived):
    # left = g·dg/dw, where g = w·y' and y = x³: left = 9·w·x⁴, by x 36·w·x³.
    program = {
        "x": lambda value: [2.0],
        "w": lambda value: [5.0],
        "y": lambda value: value("x") ** 3,
        "left": lambda value: value("g") * value("h"),
    }
    first = call([Y], [X], "g", weights=[W])
    second = call([tensor("g", needs=["g"])], [W], "h")
    (found,) = derived(program, first, second, call([tensor("left", needs=["g", "h"])], [X], "i"))
    assert numbers(found) == pytest.approx([36 * 5 * 8], rel=1e-5)


def test_a_hessian_is_the_jacobian_of_the_inner_gradient(derived):
    program = {
        "x": lambda value: [1.0, 2.0],
        "y": lambda value: value("x")[0] ** 2 * value("x")[1],
    }
    inner = call([Y], [X], "g")
    (found,) = derived(program, inner, call([tensor("g", needs=["g"])], [X], "h", kind="jacobian"))
    assert found.shape == (2, 2)
    assert numbers(found) == pytest.approx([4, 2, 2, 0], abs=1e-6)


def test_the_complex_step_confirms_what_is_analytic_to_the_last_digits(derived):
    program = {"x": lambda value: np.array([20.0]), "y": lambda value: np.tanh(value("x"))}
    (found,) = derived(program, call([Y], [X]), lacks=(), op_types=["Tanh", "Const"])
    assert found.exact.all()
    assert numbers(found) == pytest.approx(1 / np.cosh(20.0) ** 2, rel=1e-12)


def test_the_complex_step_is_not_believed_where_differences_contradict_it(derived):
    # A branch cut of a complex power gives the real function an imaginary part.
    program = {
        "x": lambda value: np.array([-2.0]),
        "y": lambda value: (value("x") + 0j if np.iscomplexobj(value("x")) else value("x")) ** 3.0,
    }
    (found,) = derived(program, call([Y], [X]), lacks=(), op_types=["Pow", "Const"])
    assert numbers(found) == pytest.approx([12])


def test_many_elements_are_judged_by_some_of_them_and_by_random_directions(derived):
    program = {"x": lambda value: np.linspace(1, 2, 500), "y": lambda value: value("x") ** 2}
    (found,) = derived(program, call([Y], [X]))
    assert None in found.elements
    assert len(found.elements) < 20
    right = 2 * np.linspace(1, 2, 500)
    assert found.along(right) == pytest.approx(found.estimates.value)
    wrong = right.copy()
    wrong[123] *= 2
    assert found.along(wrong) != pytest.approx(found.estimates.value)


def test_an_infinite_y_that_does_not_depend_on_the_element_takes_nothing_from_it(derived):
    with np.errstate(divide="ignore"):
        program = {"x": lambda value: [1.0, 2.0], "y": lambda value: [np.inf, value("x")[1] ** 2]}
        (found,) = derived(program, call([Y], [X]))
    assert numbers(found) == pytest.approx([0, 4])


@pytest.mark.parametrize(
    ("program", "asked", "reason"),
    [
        ({"y": lambda v: v("x") * np.random.normal()}, call([Y], [X]), "random"),
        ({"y": lambda v: v("x")}, call([Y], [X], weights=[W]), "another shape"),
        ({"y": lambda v: v("x")[0]}, call([Y], [X], weights=[tensor("nan")]), "not finite"),
    ],
)
def test_without_a_function_there_is_no_opinion(derived, program, asked, reason):
    inputs = {"x": lambda v: [1.0, 2.0], "w": lambda v: [1.0], "nan": lambda v: np.nan}
    with pytest.raises(Undecidable, match=reason):
        derived({**inputs, **program}, asked)


def test_kernels_that_lack_float64_are_evaluated_as_written(derived):
    program = {
        "x": lambda value: np.array([1.0], np.float32),
        "y": lambda value: np.float32(np.sin(np.float32(value("x")))),
    }
    (found,) = derived(program, call([Y], [X]), lacks=("float64", "complex128"))
    assert numbers(found) == pytest.approx([np.cos(1)], rel=1e-3)


def test_the_second_derivative_at_a_kink_of_the_first_is_a_kink(derived):
    program = {"x": lambda value: [0.0], "y": lambda value: np.maximum(value("x"), 0.0) ** 2}
    first = call([Y], [X], "g")
    (found,) = derived(program, first, call([tensor("g", needs=["g"])], [X], "h"))
    assert found.estimates.kinked.all()


def test_an_inner_gradient_that_jumps_in_its_slope_costs_the_outer_one_digits(derived):
    def elu(x):
        return np.where(x > 0, x, np.expm1(np.minimum(x, 0.0)))

    program = {
        "x": lambda value: [0.0],
        "w": lambda value: [1.0],
        "y": lambda value: elu(value("x")) * value("w"),
    }
    first = call([Y], [X], "g")
    (found,) = derived(program, first, call([tensor("g", needs=["g"])], [W], "h"))
    (off,), (error,) = numbers(found) - 1, found.estimates.error
    assert 1e-7 < abs(off) < 10 * error < 1e-3


def test_a_gradient_of_a_gradient_at_a_kink_is_left_alone(derived):
    program = {"x": lambda value: [0.0], "y": lambda value: np.maximum(value("x"), 0.0)}
    first = call([Y], [X], "g")
    with pytest.raises(Undecidable, match="kink"):
        derived(program, first, call([tensor("g", needs=["g"])], [X], "h"))
