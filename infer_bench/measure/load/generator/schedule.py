"""When requests are due, and which of them are a worker's."""

from dataclasses import dataclass

import numpy as np

from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import Arrivals
from infer_bench.typing import Array, Samples

_NS = 1_000_000_000
_THINNING = 0x7468696E
"""Seeds the draw of workers, apart from that of times."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Requests of a load in order: `times` (requests,) in ns from its start, and `places` (requests,) in the whole.

    The first `warmup` of them are not measured.
    """

    times: Samples
    places: Array
    warmup: int


def plan_schedule(settings: LoadSettings) -> Schedule:
    """Every request of an open loop: of the warm-up, then of the measured time."""
    rate = settings.rate or 0.0
    warmup, count = round(rate * settings.warmup_s), round(rate * settings.duration_s)
    warmup_ns, duration_ns = round(settings.warmup_s * _NS), round(settings.duration_s * _NS)
    before = plan_arrivals(warmup, warmup_ns, settings.arrivals, settings.seed + 1)
    times = plan_arrivals(count, duration_ns, settings.arrivals, settings.seed)
    return Schedule(np.concatenate([before, times + warmup_ns]), np.arange(warmup + count), warmup)


def take_share(schedule: Schedule, settings: LoadSettings, index: int, of: int) -> Schedule:
    """What worker `index`, from 0, of so many sends; all shares together are the schedule.

    `constant`: requests in turn, which are evenly spaced again. `poisson`: each request falls to a worker at random, by
    the seed. A Poisson process thinned so is Poisson processes that are independent of each other.
    """
    size = len(schedule.places)
    if settings.arrivals == "constant":
        workers = np.arange(size) % of
    else:
        workers = np.random.default_rng((_THINNING, settings.seed)).integers(of, size=size)
    own = workers == index
    return Schedule(schedule.times[own], schedule.places[own], int(own[: schedule.warmup].sum()))


def plan_arrivals(count: int, duration_ns: int, arrivals: Arrivals, seed: int) -> Samples:
    """Times (count,) in ns from 0 to `duration_ns`, in order; the same for the same seed.

    `constant`: evenly spaced. `poisson`: those of a Poisson process of which it is known that `count` fall into the
    interval, which are independent and uniform, so that a rate asked for is had exactly.
    """
    if arrivals == "constant":
        return np.arange(count, dtype=np.int64) * duration_ns // max(1, count)
    times = np.random.default_rng(seed).random(count) * duration_ns
    return np.sort(times.astype(np.int64))
