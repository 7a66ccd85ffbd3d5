"""How generated examples are drawn, and what the tests' processes inherit.

Examples are the same ones for the same commit; `HYPOTHESIS_PROFILE=explore python -m pytest tests/stats` draws others,
and more. No test is timed: machines are shared.

Threads of OpenMP sleep while they wait (`GOMP_SPINCOUNT`), and OpenBLAS has but one (`GOTO_NUM_THREADS`): there is a
test process on every core, and where all threads spin, a model that trains in a tenth of a second takes four. The names
that everybody knows are not set: the package reads them.

A script's background job ignores SIGINT, and what `nohup` runs SIGHUP, and so would all that they start: what is
interrupted here must not.
"""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.forking import BrokerProcess, Forking
from tests.skips import KnownSkipsOnly

os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("GOTO_NUM_THREADS", "1")

settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


forking = Forking()
brokers: list[BrokerProcess] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--known-skips-only", action="store_true", help="fail what is skipped for an unknown reason")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the processes of pytest-xdist share that of the one that starts them
        brokers.append(BrokerProcess())
    forking.install()
    if config.getoption("--known-skips-only"):
        config.pluginmanager.register(KnownSkipsOnly())


def pytest_runtest_setup(item: pytest.Item) -> None:
    forking.is_active = item.get_closest_marker("started_workers") is None


def pytest_unconfigure() -> None:
    for broker in brokers:
        broker.close()
