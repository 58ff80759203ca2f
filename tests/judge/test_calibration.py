"""Every tolerance is one that was measured, or says why it is larger."""

import numpy as np
import pytest

from gradparity import calibration
from gradparity.calibration import ELEMENTWISE, REDUCTIONS, inputs, largest, read
from gradparity.judge.tolerance import PRECISIONS, ULP_BUDGETS, limits
from gradparity.reports.calibration import page

MEASURED = read()
DTYPES = ("float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("chain", sorted(ULP_BUDGETS))
def test_no_budget_exceeds_what_was_measured_without_reason(chain):
    assert chain in MEASURED.ulp, f"measure it: gradparity calibrate --op '{chain}'"
    entries = [entry for entry in MEASURED.ulp if entry.partition(",")[0] == chain]
    for dtype in DTYPES:
        allowed = limits(dtype, calibration.names(chain)).ulp
        found = [MEASURED.ulp[entry].get(dtype, {}) for entry in entries]
        worst = max((d for causes in found for d in causes.values()), default=0)
        assert allowed <= worst or ULP_BUDGETS[chain].beyond, (dtype, allowed, found)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_scale_excuses_less_than_twice_what_was_measured(dtype):
    worst = max(max(dtypes[dtype].values()) for dtypes in MEASURED.scale.values())
    assert PRECISIONS[dtype].factor < 2 * worst


def test_the_figures_of_an_op_are_looked_up_alone_and_in_chains():
    measured = calibration.Measured(
        "2",
        "x",
        1,
        {"A": {"float32": {"lanes": 2}}, "B(A)": {"float32": {"XLA": 5, "lanes": 1}}},
        {},
    )
    assert largest("A", "float32", measured) == 5
    assert largest("B", "float32", measured) == 5
    assert largest("A", "float64", measured) == 0
    assert largest("C", "float32", measured) == 0


@pytest.mark.parametrize("op", [*ELEMENTWISE, *REDUCTIONS])
def test_inputs_are_the_same_each_time_and_within_the_domain(op):
    first, second = inputs(op, "float32"), inputs(op, "float32")
    for one, other in zip(first, second, strict=True):
        assert one.dtype == np.float32 and one.tobytes() == other.tobytes()
    if op in ELEMENTWISE:
        for array, (low, high) in zip(first, ELEMENTWISE[op].ranges, strict=True):
            assert np.float32(low) <= array.min() and array.max() <= np.float32(high)


def test_distances_count_only_where_both_are_normal_numbers():
    found = calibration.Measured("2", "x")
    one = np.float32([1.0, np.inf, 1e-42, 2.0])
    other = np.float32([np.nextafter(np.float32(1), np.float32(2)), 1.0, 3e-42, 2.0])
    calibration.note(found, "Exp", "float32", "lanes", one, other)
    assert found.ulp == {"Exp": {"float32": {"lanes": 1}}}


def test_the_page_is_what_the_tables_and_the_figures_say(request):
    written = (request.config.rootpath / "docs" / "tolerances.md").read_text("utf-8")
    again = "gradparity calibrate --measured --markdown docs/tolerances.md"
    assert written == page(MEASURED), f"write it anew: {again}"
