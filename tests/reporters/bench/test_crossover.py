"""Who overtakes whom as batches grow, and where."""

from dataclasses import replace

import pytest

from infer_bench.report.bench import BenchResult, Speedup
from infer_bench.reporters.bench.crossover import find_crossovers
from infer_bench.reporters.bench.groups import BatchGroup, group_results
from infer_bench.reporters.bench.sentences.sweep import describe_sweep
from tests import reports
from tests.reports import US


def row(name: str, batch: int, p50_ns: int, width: float = 0.01) -> BenchResult:
    bounds = {"p50": (round(p50_ns * (1 - width)), round(p50_ns * (1 + width)))}
    return replace(
        reports.result(f"{name}:feed=ndarray", batch=batch, request=reports.latency(p50_ns, intervals=bounds)),
        rows_per_s=batch * 1e9 / p50_ns,
        processes=reports.processes(),
    )


def sweep(batches: tuple[int, ...], width: float = 0.01) -> tuple[BatchGroup, ...]:
    """One candidate of 10 µs and 1 µs a row, one of 110 µs and 0.5 µs a row: equally fast at 200 rows."""
    rows = [
        row(name, batch, fixed + per_row * batch, width)
        for batch in batches
        for name, fixed, per_row in (("lightgbm", 10 * US, US), ("onnxruntime", 110 * US, US // 2))
    ]
    return group_results(rows, {})[0]


@pytest.mark.parametrize("batches", [(1, 64, 1000), (1, 48_744), (150, 180, 250, 300)])
def test_the_crossover_is_where_a_fixed_part_and_one_a_row_are_equal(batches: tuple[int, ...]) -> None:
    (crossover,) = find_crossovers(sweep(batches))
    assert (crossover.before, crossover.after) == ("lightgbm feed=ndarray", "onnxruntime feed=ndarray")
    assert crossover.batch == pytest.approx(200, rel=1e-3)
    assert crossover.batch is not None
    assert crossover.last <= crossover.low < crossover.batch < crossover.high <= crossover.first


def test_the_interval_is_where_the_intervals_of_both_overlap() -> None:
    (crossover,) = find_crossovers(sweep((1, 64, 1000), width=0.05))
    assert crossover.low == pytest.approx((110 * 0.95 - 10 * 1.05) / (1.05 - 0.5 * 0.95), rel=0.01)
    assert crossover.high == pytest.approx((110 * 1.05 - 10 * 0.95) / (0.95 - 0.5 * 1.05), rel=0.01)


def test_one_sentence_says_it() -> None:
    assert describe_sweep(sweep((1, 64, 1000))) == (
        "lightgbm feed=ndarray leads at batch 64 and onnxruntime feed=ndarray from 1,000 on: "
        "they cross at about 200 (190–210)."
    )
    assert describe_sweep(sweep((1, 64))) == "lightgbm feed=ndarray leads at every batch size."
    assert describe_sweep(sweep((1,))) == ""
    assert describe_sweep(sweep((1, 64, 1000), width=2.0)) == (
        "No candidate is shown to overtake another: intervals overlap."
    )


def test_sizes_at_which_intervals_overlap_are_named() -> None:
    groups = (*sweep((1, 64)), *sweep((100,), width=0.5))
    assert describe_sweep(groups) == "lightgbm feed=ndarray leads at batch 1 and 64; at 100 intervals overlap."


def test_other_predictions_and_one_process_lead_nobody() -> None:
    groups = sweep((1, 64, 1000))
    wrong = [
        replace(group, results=tuple(replace(result, label_changes=3) for result in group.results)) for group in groups
    ]
    assert describe_sweep(wrong) == ""
    alone = [
        replace(group, results=tuple(replace(r, processes=r.processes[:1]) for r in group.results)) for group in groups
    ]
    assert describe_sweep(alone) == ""


def test_pairs_show_a_lead_that_the_intervals_of_each_do_not() -> None:
    """Both are slower in the same rounds: the table says 1.3 to 1.4 times faster, and so must the sentence."""
    groups = []
    for group in sweep((1, 64), width=0.9):
        first, second = group.results
        speedup = Speedup(second.candidate, 1.35, 1.3, 1.4, second.model.path)
        groups.append(replace(group, results=(replace(first, speedup=speedup), second)))
    assert describe_sweep(groups) == "lightgbm feed=ndarray leads at every batch size."
    unsure = [
        replace(
            group, results=(replace(first, speedup=Speedup(second.candidate, 1.1, 0.9, 1.4, first.model.path)), second)
        )
        for group in sweep((1, 64))
        for first, second in [group.results]
    ]
    assert "No candidate is shown to overtake" in describe_sweep(unsure)
    slower = [
        replace(
            group, results=(first, replace(second, speedup=Speedup(first.candidate, 0.7, 0.6, 0.8, first.model.path)))
        )
        for group in sweep((1, 64), width=0.9)
        for first, second in [group.results]
    ]
    assert describe_sweep(slower) == "lightgbm feed=ndarray leads at every batch size."
