"""The tables of tolerance are complete, give reasons, and are overridden by name only."""

from dataclasses import fields

import ml_dtypes
import pytest

from gradparity.judge.tolerance import (
    LEAST_DOCUMENTED_ULP,
    PRECISIONS,
    ULP_BUDGETS,
    documented_limits,
    limits,
)
from gradparity.judge.ulp import REAL_DTYPES
from gradparity.language.check import Tolerance


def test_every_floating_dtype_has_its_eps_and_a_reason_for_its_factor():
    assert set(PRECISIONS) == set(REAL_DTYPES)
    for dtype, precision in PRECISIONS.items():
        assert precision.eps == float(ml_dtypes.finfo(dtype).eps)
        assert precision.factor * precision.eps < 0.01
        assert precision.why


@pytest.mark.parametrize("op", sorted(ULP_BUDGETS))
def test_every_budget_has_a_figure_for_each_dtype_and_a_reason(op):
    budget = ULP_BUDGETS[op]
    assert {field.name for field in fields(budget)} == {*REAL_DTYPES, "why"}
    assert all(0 <= getattr(budget, dtype) <= 10 for dtype in REAL_DTYPES)
    assert budget.why


def test_the_budget_of_a_graph_is_the_sum_over_its_kinds_of_op():
    assert limits("float32", ["Exp", "Tanh", "Mul", "Placeholder"]).ulp == 3 + 5
    assert limits("float64", ["Exp", "Tanh", "Mul", "Placeholder"]).ulp == 2 + 5
    assert limits("float32", ["Exp", "Exp", "Exp"]).ulp == limits("float32", ["Exp"]).ulp
    assert limits("float32", ["Mul", "Add", "Sqrt"]).ulp == 0


def test_a_complex_tensor_has_the_limits_of_its_parts():
    assert limits("complex64", ["Exp"]) == limits("float32", ["Exp"])
    assert limits("complex128", ["Exp"]) == limits("float64", ["Exp"])


def test_the_rule_by_scale_allows_a_few_eps_of_the_largest_magnitude():
    assert limits("float32", []).absolute(scale=100.0) == 8 * 2.0**-23 * 100.0


def test_an_override_replaces_what_it_names_and_nothing_else():
    default = limits("float32", ["Exp"])
    by_ulp = limits("float32", ["Exp"], Tolerance("…", ulp=0))
    assert (by_ulp.ulp, by_ulp.absolute(1.0), by_ulp.rtol) == (0, default.absolute(1.0), 0.0)
    by_rtol = limits("float32", ["Exp"], Tolerance("…", rtol=1e-3))
    assert (by_rtol.ulp, by_rtol.absolute(1.0), by_rtol.rtol) == (3, default.absolute(1.0), 1e-3)
    by_atol = limits("float32", ["Exp"], Tolerance("…", atol=0.0))
    assert (by_atol.ulp, by_atol.absolute(1e30), by_atol.rtol) == (3, 0.0, 0.0)


def test_documented_values_have_no_rule_by_scale_and_a_few_ulps():
    assert documented_limits("float32", []).ulp == LEAST_DOCUMENTED_ULP
    assert documented_limits("float32", ["Sigmoid"]).ulp == 7
    assert documented_limits("float32", []).absolute(1e9) == 0.0
    assert documented_limits("float32", [], Tolerance("…", ulp=0)).ulp == 0
    assert documented_limits("float32", [], Tolerance("…", atol=1e-4)).absolute(1.0) == 1e-4
