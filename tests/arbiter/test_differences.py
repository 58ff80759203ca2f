"""What samples tell of a derivative: its value, its error, and where there is none."""

import numpy as np
import pytest

from gradparity.arbiter.differences import estimate, steps

EPSILON = float(np.finfo(np.float64).eps)


def at_zero(*parts, epsilon=EPSILON):
    """The estimates for a sum of functions of t, at t = 0."""
    h = steps(epsilon)
    above, below, at = (
        np.array([[f(t) for f in parts] for t in points]) for points in (h, -h, [0.0])
    )
    return estimate(above[None], below[None], at[0], h, epsilon)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (lambda t: np.sin(1 + t), np.cos(1)),
        (lambda t: np.exp(3 * t), 3.0),
        (lambda t: 1e6 * t + 5, 1e6),
        (lambda t: t**3, 0.0),
        (lambda t: 1 / (2 + t), -0.25),
        (lambda t: np.log(0.01 + t), 100.0),
    ],
)
def test_a_smooth_function_has_its_derivative_to_nine_digits_and_no_kink(function, derivative):
    with np.errstate(invalid="ignore"):
        found = at_zero(function)
    assert found.value[0] == pytest.approx(derivative, rel=1e-9, abs=1e-11)
    assert abs(found.value[0] - derivative) <= 10 * found.error[0]
    assert not found.kinked[0]


def test_the_derivative_of_a_sum_is_found_though_large_parts_cancel():
    found = at_zero(lambda t: 1e8 + np.sin(t), lambda t: -1e8)
    assert found.value[0] == pytest.approx(1.0, abs=10 * found.error[0])


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (abs, -1.0, 1.0),
        (lambda t: max(t, 0.0), 0.0, 1.0),
        (lambda t: max(3 * t, -2 * t) + np.sin(t), -1.0, 4.0),
    ],
)
def test_a_kink_is_seen_with_the_derivatives_of_both_sides(function, low, high):
    found = at_zero(function)
    assert found.kinked[0]
    assert found.low[0] == pytest.approx(low, abs=1e-3)
    assert found.high[0] == pytest.approx(high, abs=1e-3)


def test_kinks_that_cancel_in_the_sum_are_seen_in_its_parts():
    assert at_zero(abs, lambda t: -abs(t)).kinked[0]


def test_a_kink_beside_the_point_is_none_at_the_point():
    found = at_zero(lambda t: max(t - 0.001, 0.0) + 2 * t)
    assert found.value[0] == pytest.approx(2.0)
    assert not found.kinked[0]


def test_one_sided_derivatives_that_grow_without_bound_are_no_range():
    found = at_zero(lambda t: np.sqrt(abs(t)))
    assert found.kinked[0]
    assert found.low[0] == -np.inf
    assert found.high[0] == np.inf


@pytest.mark.parametrize("function", [lambda t: np.sqrt(t), lambda t: np.log(t), lambda t: t / t])
def test_where_a_function_ends_nothing_converges(function):
    with np.errstate(all="ignore"):
        found = at_zero(lambda t: function(np.float64(t)))
    assert not np.isfinite(found.value[0])
    assert found.error[0] == np.inf


def test_a_jump_does_not_converge_to_a_derivative():
    found = at_zero(lambda t: float(t > 0))
    assert found.error[0] > 0.05 * abs(found.value[0]) or not np.isfinite(found.value[0])


def test_noise_makes_the_error_large():
    random = np.random.default_rng(1)
    found = at_zero(lambda t: t + 1e-6 * random.normal())
    off = abs(found.value[0] - 1.0)
    assert off <= 10 * found.error[0]
    assert found.error[0] > 1e-9


def test_in_single_precision_steps_stay_large():
    assert steps(2.0**-23)[-1] > steps(2.0**-52)[-1]
    found = at_zero(lambda t: float(np.float32(np.sin(1 + t))), epsilon=2.0**-23)
    assert found.value[0] == pytest.approx(np.cos(1), abs=1e-3)
