"""The tables of tolerance are complete, give reasons, and are overridden by name only."""

from dataclasses import fields
from pathlib import Path

import ml_dtypes
import pytest

from gradparity.judge.tolerance import (
    LEAST_DOCUMENTED_ULP,
    PRECISIONS,
    SUMMING,
    ULP_BUDGETS,
    documented_limits,
    limits,
)
from gradparity.judge.ulp import REAL_DTYPES
from gradparity.language import tf_names
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
    assert {field.name for field in fields(budget)} == {*REAL_DTYPES, "why", "beyond"}
    assert all(0 <= getattr(budget, dtype) <= 20 for dtype in REAL_DTYPES)
    assert budget.why


def test_the_budget_of_a_graph_is_the_sum_over_its_kinds_of_op():
    assert limits("float32", ["Exp", "Tanh", "Mul", "Placeholder"]).ulp == 3 + 5
    assert limits("float64", ["Exp", "Tanh", "Mul", "Placeholder"]).ulp == 2 + 5
    assert limits("float32", ["Exp", "Exp", "Exp"]).ulp == limits("float32", ["Exp"]).ulp
    assert limits("float32", ["Mul", "Add", "Sqrt"]).ulp == 0


def test_a_complex_tensor_has_the_limits_of_its_parts():
    assert limits("complex64", ["Sum"]) == limits("float32", ["Sum"])
    assert limits("complex128", ["Sum"]) == limits("float64", ["Sum"])


def test_the_rule_by_scale_allows_a_few_eps_of_the_largest_magnitude():
    assert limits("float32", ["Sum"]).absolute(scale=100.0) == 8 * 2.0**-23 * 100.0


@pytest.mark.parametrize("op", ["Mul", "Exp", "Sub", "GatherV2", "StridedSliceGrad"])
def test_a_graph_that_works_element_by_element_has_no_rule_by_scale(op):
    assert limits("float32", [op]).absolute(scale=100.0) == 0.0
    assert limits("float32", [op, "MatMul"]).absolute(scale=100.0) > 0.0
    assert limits("float32", [op], Tolerance("…", atol=0.5)).absolute(scale=100.0) == 0.5


def test_in_complex_tensors_every_product_is_a_sum():
    assert limits("complex64", ["Mul"]).absolute(scale=1.0) == 8 * 2.0**-23
    assert limits("float32", ["Mul", "Real"]).absolute(scale=1.0) == 8 * 2.0**-23


def test_every_op_that_sums_has_a_reason_and_is_an_op_of_tensorflow():
    assert all(SUMMING.values())
    named = Path(tf_names.__file__).with_name("tf_names.txt").read_text("utf-8").split()
    made_by_tensorflow = {"PartitionedCall", "StatefulPartitionedCall", "SymbolicGradient"}
    made_by_tensorflow |= {"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"}
    assert {op for op in SUMMING if f"raw_ops.{op}" not in named} <= made_by_tensorflow


def test_an_override_replaces_what_it_names_and_nothing_else():
    default = limits("float32", ["Exp", "AddN"])
    by_ulp = limits("float32", ["Exp", "AddN"], Tolerance("…", ulp=0))
    assert (by_ulp.ulp, by_ulp.absolute(1.0), by_ulp.rtol) == (0, default.absolute(1.0), 0.0)
    by_rtol = limits("float32", ["Exp", "AddN"], Tolerance("…", rtol=1e-3))
    assert (by_rtol.ulp, by_rtol.absolute(1.0), by_rtol.rtol) == (3, default.absolute(1.0), 1e-3)
    by_atol = limits("float32", ["Exp", "AddN"], Tolerance("…", atol=0.0))
    assert (by_atol.ulp, by_atol.absolute(1e30), by_atol.rtol) == (3, 0.0, 0.0)


def test_documented_values_have_no_rule_by_scale_and_a_few_ulps():
    assert documented_limits("float32", []).ulp == LEAST_DOCUMENTED_ULP
    assert documented_limits("float32", ["Sigmoid"]).ulp == 7
    assert documented_limits("float32", []).absolute(1e9) == 0.0
    assert documented_limits("float32", [], Tolerance("…", ulp=0)).ulp == 0
    assert documented_limits("float32", [], Tolerance("…", atol=1e-4)).absolute(1.0) == 1e-4
