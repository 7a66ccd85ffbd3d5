"""How generated examples are drawn, and what the tests' processes inherit.

Examples are the same ones for the same commit; `HYPOTHESIS_PROFILE=explore python -m pytest tests/stats` draws others,
and more. No test is timed: machines are shared.

A script's background job ignores SIGINT, and what `nohup` runs SIGHUP, and so would all that they start: what is
interrupted here must not.
"""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
