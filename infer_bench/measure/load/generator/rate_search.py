"""Open loops at one rate after the other, until the highest is found at which the limits hold."""

import math
from collections.abc import Callable
from dataclasses import replace

from infer_bench.gates.limits import share_of
from infer_bench.machine.open_files import allow_connections
from infer_bench.measure.load.generator.open_loop import OpenLoad
from infer_bench.measure.load.generator.recovery import await_recovery
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import MOST_CONNECTIONS, LoadSettings
from infer_bench.progress import Progress
from infer_bench.report.load import LatencyLimit, LoadResult, SearchOutcome
from infer_bench.stats.load.rate_search import Outcome, RateSearch
from infer_bench.stats.percentiles import minimum_samples

START = 100.0
"""The first rate, where the user names none."""
LONGEST_TRIAL_S = 60.0
"""At the lowest rates: one that its percentile's requests do not fit into is not tried."""
_LIMITS_A_TRIAL = 100
"""A service that is short of a rate by 5 % is behind by 5 % of the trial at its end: that must be more than the limit.
And the queue of one that just holds it takes several times the limit to fill and to empty, which must happen often."""
_LIMITS_OF_WARMUP = 5
_USUAL_TRIALS = 25
_WARMUP_S = 0.5
"""Of every trial but the first."""
_NS = 1_000_000_000


class SearchLoad:
    """Trials of `RateSearch`; what is known can be read when it was broken off."""

    about = "finding the rate"

    def __init__(self, service: Service, settings: LoadSettings, progress: Progress) -> None:
        self._service, self._settings, self._progress = service, settings, progress
        least = count_needs(settings) / LONGEST_TRIAL_S
        self._search = RateSearch(max(least, settings.rate or START), least=least)
        self._results: list[LoadResult] = []

    def run(self) -> None:
        """Make trials until the search is at its end."""
        while (rate := self._search.next_rate()) is not None:
            count = self._search.trials
            self._progress.update(min(0.95, count / _USUAL_TRIALS), f"trial {count + 1}: {rate:,.6g} requests/s")
            settings = plan_trial(rate, self._settings, count)
            loop = OpenLoad(self._service, rate, settings)
            loop.run()
            (result,) = loop.build_results(True)
            self._results.append(judge_trial(result))
            outcome = read_outcome(self._results[-1])
            self._search.record(rate, outcome)
            if outcome != "holds":
                await_recovery(self._service, min(limit.value for limit in settings.limits))

    def build_results(self, is_over: bool) -> tuple[LoadResult, ...]:
        """Every trial in the order of the rates; the search's outcome stands in the first."""
        results = sorted(self._results, key=lambda result: result.rate_asked or 0.0)
        if not results:
            return ()
        search = self._search
        low = search.low if search.is_confirmed or not is_over else None
        outcome = SearchOutcome(low, search.high, search.trials, search.end if is_over else "unfinished")
        return (replace(results[0], search=outcome), *results[1:])


def count_needs(settings: LoadSettings) -> int:
    """How many requests the limits' percentiles take."""
    return max(minimum_samples(share_of(limit.metric) or 0.5) for limit in settings.limits)


def plan_trial(
    rate: float, settings: LoadSettings, number: int, allow: Callable[[int], int] = allow_connections
) -> LoadSettings:
    """The settings of the trial of that number, from 0.

    It takes as long as its percentiles take requests and as a service that falls behind takes to break the limit, and
    has twice the connections that one which just holds it would keep busy (Little's law): one that is short of them
    does not hold it.
    """
    limit_s = max(limit.value for limit in settings.limits) / _NS
    connections = min(MOST_CONNECTIONS, max(settings.connections, math.ceil(2 * rate * limit_s)))
    return replace(
        settings,
        rate=rate,
        duration_s=max(
            settings.duration_s,
            math.ceil(count_needs(settings) / rate * 1e3 + 1) / 1e3,
            min(LONGEST_TRIAL_S, _LIMITS_A_TRIAL * limit_s),
        ),
        warmup_s=settings.warmup_s
        if number == 0
        else min(settings.warmup_s, max(_WARMUP_S, _LIMITS_OF_WARMUP * limit_s)),
        connections=max(1, min(connections, allow(connections))),
        timeout_s=min(settings.timeout_s, max(1.0, 10 * limit_s)),
        seed=settings.seed + number,
    )


def judge_trial(result: LoadResult) -> LoadResult:
    """With limits that hold though the load is not valid, and broken ones that one trial alone would not show.

    What the generator is late by only adds to a latency that counts from due: a limit that holds with it, holds. One
    that is broken may have been broken by the generator. What chance does in a trial, it does not in three.
    """
    return replace(result, limits=tuple(map(_judge_limit, result.limits)))


def _judge_limit(limit: LatencyLimit) -> LatencyLimit:
    if limit.is_close:
        return replace(limit, status="broken", is_close=False)
    holds = limit.value_ns is not None and limit.value_ns < limit.limit_ns
    return replace(limit, status="holds") if limit.status == "undecided" and holds else limit


def read_outcome(result: LoadResult) -> Outcome:
    """Whether every limit of a trial held."""
    statuses = {limit.status for limit in result.limits}
    if "broken" in statuses:
        return "broken"
    return "holds" if statuses == {"holds"} else "undecided"
