"""The expressions of `-k`."""

import pytest

from gradparity.selection import SelectionError, parse

ID = "tutorial/weighted_sum::z1,z2~w1,w2[float32]"


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("tutorial", True),
        ("TUTORIAL", True),
        ("float64", False),
        ("not float64", True),
        ("tutorial and float32", True),
        ("tutorial and float64", False),
        ("float64 or weighted", True),
        ("tutorial float64", False),
        ("tutorial weighted", True),
        ("not tutorial or float32", True),
        ("not (tutorial or float32)", False),
        ("float64 and weighted or sum", True),  # `and` binds closer
        ("float64 and (weighted or sum)", False),
        ("not not tutorial", True),
        ("z1,z2~w1", True),
        ("[float32]", True),
    ],
)
def test_an_expression_means_what_it_means_in_pytest(expression, holds):
    assert parse(expression)(ID) is holds


@pytest.mark.parametrize("expression", ["", "  ", "and", "a or", "not", "(a", "a)", "a and and b"])
def test_a_malformed_expression_is_refused(expression):
    with pytest.raises(SelectionError):
        parse(expression)
