"""How generated examples are drawn: the same ones for the same commit, or new ones on request.

`HYPOTHESIS_PROFILE=explore python -m pytest tests/stats` draws others, and more. No test is timed: machines are shared.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
