"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# A busy machine makes no example wrong: how long one takes says nothing here.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
