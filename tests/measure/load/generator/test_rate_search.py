"""What a trial of a search is, and how it is judged."""

from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.generator import rate_search, recovery
from infer_bench.measure.load.generator.rate_search import judge_trial, plan_trial, read_outcome
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LatencyLimit, LimitStatus, SearchOutcome
from tests.measure.load.generator.results import make_result
from tests.stub_service import Exchange, serve

SETTINGS = LoadSettings(find_rate=True, limits=(parse_bound("p99<20ms"),), duration_s=1.0, seed=7)


def allow(count: int) -> int:
    return min(count, 500)


def test_a_trial_is_long_enough_for_its_percentile() -> None:
    trial = plan_trial(100.0, SETTINGS, 0, allow)
    assert trial.duration_s * 100 >= 473
    assert plan_trial(10_000.0, SETTINGS, 0, allow).duration_s == 2.0


@pytest.mark.parametrize(
    ("limit", "duration_s", "warmup_s"), [("p99<5ms", 1.0, 0.5), ("p50<200ms", 20.0, 1.0), ("p50<3s", 60.0, 2.0)]
)
def test_a_trial_is_so_long_that_a_service_which_falls_behind_breaks_the_limit(
    limit: str, duration_s: float, warmup_s: float
) -> None:
    trial = plan_trial(1_000.0, replace(SETTINGS, limits=(parse_bound(limit),)), 1, allow)
    assert (trial.duration_s, trial.warmup_s) == (duration_s, warmup_s)


def test_a_trial_has_the_connections_that_its_limit_takes() -> None:
    assert plan_trial(100.0, SETTINGS, 0, allow).connections == 64
    assert plan_trial(10_000.0, SETTINGS, 0, allow).connections == 400
    assert plan_trial(100_000.0, SETTINGS, 0, allow).connections == 500


def test_only_the_first_trial_warms_up_as_long() -> None:
    first, second = (plan_trial(100.0, SETTINGS, number, allow) for number in (0, 1))
    assert (first.warmup_s, second.warmup_s) == (2.0, 0.5)
    assert (first.seed, second.seed) == (7, 8)


@pytest.mark.parametrize(
    ("status", "value_ns", "outcome"),
    [
        ("holds", 1_000_000, "holds"),
        ("broken", 30_000_000, "broken"),
        ("broken", None, "broken"),
        ("undecided", 1_000_000, "holds"),
        ("undecided", 30_000_000, "undecided"),
        ("undecided", None, "undecided"),
    ],
)
def test_a_limit_that_holds_with_the_lag_holds(status: LimitStatus, value_ns: int | None, outcome: str) -> None:
    limit = LatencyLimit("p99<20ms", "p99", 20e6, value_ns, status)
    assert read_outcome(judge_trial(make_result(limits=(limit,)))) == outcome


def exit_of(search: SearchOutcome) -> tuple[str, int]:
    limit = LatencyLimit("p99<20ms", "p99", 20e6, 1, "holds")
    verdict = conclude([make_result(limits=(limit,), search=search)])
    return verdict.status, verdict.exit_code


def test_what_a_search_concludes() -> None:
    assert exit_of(SearchOutcome(100.0, 105.0, 20, "precision")) == ("pass", 0)
    assert exit_of(SearchOutcome(100.0, None, 20, "generator")) == ("inconclusive", 3)
    assert exit_of(SearchOutcome(None, 0.4, 20, "nothing-holds")) == ("regressed", 1)
    assert exit_of(SearchOutcome(None, 105.0, 20, "precision")) == ("inconclusive", 3)


def test_a_service_that_breaks_every_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second request fails at any rate: the search goes down, and comes to an end."""
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n")

    def handle(exchange: Exchange) -> None:
        if exchange.number % 2:
            exchange.reply_json({"error": "no"}, "500 Internal Server Error")
        else:
            exchange.reply_json({"predictions": [[0.5]]})

    monkeypatch.setattr(rate_search, "LONGEST_TRIAL_S", 0.1)
    monkeypatch.setattr(recovery, "PAUSE_S", 0.0)
    limits = (parse_bound("p60<200ms"),)
    settings = LoadSettings(find_rate=True, rate=400.0, limits=limits, duration_s=0.01, warmup_s=0.0, timeout_s=600.0)
    with serve(handle) as url:
        report = load(url, data=str(rows), settings=settings)
    assert report.results[0].search is not None
    assert report.verdict is not None
    assert report.verdict.exit_code in (1, 3)  # a busy machine leaves it undecided
