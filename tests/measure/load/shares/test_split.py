"""Shares of a schedule, and the clocks by which they begin."""

import numpy as np
import pytest

from infer_bench.measure.load.generator.schedule import plan_schedule, take_share
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.shares.clocks import ClockOffset, ClockReading, Round, find_offsets
from infer_bench.report.load import Arrivals
from infer_bench.stats.load.histogram import add_histograms, build_histogram
from infer_bench.typing import Samples

SECOND = 1_000_000_000


def settings_of(arrivals: Arrivals, rate: float = 1_000.0) -> LoadSettings:
    return LoadSettings(rate=rate, duration_s=20.0, warmup_s=1.0, arrivals=arrivals)


@pytest.mark.parametrize("arrivals", ["poisson", "constant"])
@pytest.mark.parametrize("of", [1, 2, 7])
def test_all_shares_together_are_what_one_generator_sends(arrivals: Arrivals, of: int) -> None:
    settings = settings_of(arrivals)
    whole = plan_schedule(settings)
    shares = [take_share(whole, settings, i, of) for i in range(of)]
    places = np.concatenate([share.places for share in shares])
    assert sorted(places.tolist()) == list(range(21_000))
    assert (np.sort(np.concatenate([share.times for share in shares])) == whole.times).all()
    assert sum(share.warmup for share in shares) == whole.warmup == 1_000
    for share in shares:
        assert (whole.times[share.places] == share.times).all()
        assert (share.times[share.warmup :] >= SECOND).all()
        assert abs(len(share.places) - 21_000 / of) < 300
    assert take_share(whole, settings, 0, of).places.tolist() == shares[0].places.tolist()


def test_a_share_of_a_poisson_process_is_one_of_its_own() -> None:
    settings = settings_of("poisson", 5_000.0)
    whole = plan_schedule(settings)
    counts: list[Samples] = []
    for index in range(2):
        gaps = np.diff(take_share(whole, settings, index, 2).times) / (SECOND / 2_500)
        assert abs(gaps.mean() - 1) < 0.02
        assert abs(gaps.std() - 1) < 0.02
        assert abs((gaps > 1).mean() - np.exp(-1)) < 0.01
        counts.append(np.histogram(take_share(whole, settings, index, 2).times, bins=2_000)[0])
    assert abs(np.corrcoef(np.stack(counts)).min()) < 0.1


def test_a_share_of_evenly_spaced_requests_is_evenly_spaced() -> None:
    settings = settings_of("constant")
    share = take_share(plan_schedule(settings), settings, 1, 4)
    assert set(np.diff(share.times).tolist()) == {4_000_000}


def test_histograms_of_shares_add_up_to_that_of_the_whole() -> None:
    durations = np.random.default_rng(0).lognormal(13, 2, 9_000).astype(np.int64)
    parts = [build_histogram(durations[i::3]) for i in range(3)]
    assert add_histograms(parts) == build_histogram(durations)
    assert add_histograms([]) == build_histogram(durations[:0])


def rounds_of(machine: str, *readings: tuple[int, int, int]) -> list[Round]:
    return [(before, {"w": ClockReading(now, machine)}, after) for before, now, after in readings]


def test_an_offset_lies_between_question_and_answer_of_every_round() -> None:
    rounds = rounds_of("other", (0, 1_005, 20), (100, 1_110, 114), (200, 1_212, 230))
    assert find_offsets(rounds, "ours") == {"w": ClockOffset(1_000, 5)}


def test_one_machine_has_one_clock_unless_it_shows_another() -> None:
    assert find_offsets(rounds_of("ours", (0, 5, 20)), "ours") == {"w": ClockOffset(0, 0)}
    assert find_offsets(rounds_of("ours", (0, 1_005, 20)), "ours")["w"].offset_ns == 995
