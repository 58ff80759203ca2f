"""Settings that all tests share."""

import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes no example wrong: how long one takes says nothing here.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch):
    """What the code under test prints is the same wherever the tests are run."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
