"""Derivatives made by hand: no TensorFlow."""

import numpy as np
import pytest

from gradparity.arbiter.derivative import Derivative
from gradparity.arbiter.differences import Estimates


def make_derivative(values, *, error=1e-12, kinks=None, exact=False):
    """A derivative by each of some elements; `kinks` are their (low, high), or None."""
    values = np.asarray(values, np.float64)
    n = values.size
    kinks = kinks or [None] * n
    low = np.array([np.nan if kink is None else kink[0] for kink in kinks])
    high = np.array([np.nan if kink is None else kink[1] for kink in kinks])
    estimates = Estimates(
        value=values.ravel(),
        error=np.broadcast_to(np.asarray(error, np.float64), n).copy(),
        kinked=np.array([kink is not None for kink in kinks]),
        low=low,
        high=high,
        magnitude=np.zeros(n),
    )
    return Derivative(
        values.shape,
        np.eye(n),
        estimates,
        np.full(n, exact),
        tuple(range(n)),
        np.ones(n),
        np.zeros(n, bool),
    )


@pytest.fixture
def derivative():
    return make_derivative
