"""Requests a second a core that hold a limit, and their price."""

from dataclasses import replace

import pytest

from infer_bench.cli.main import run
from infer_bench.errors import UsageError
from infer_bench.measure.bench.capacity import Price, add_capacity, read_price, read_terms
from infer_bench.report.bench import BenchResult, Capacity
from infer_bench.reporters.bench.groups import group_results
from infer_bench.reporters.bench.sentences.capacity import describe_capacity
from infer_bench.reporters.registry import render
from tests import reports
from tests.reports import US


def steady(p50_ns: int = 100 * US, **more: object) -> BenchResult:
    """Every request of three processes took as long."""
    base = replace(reports.credit()[1], request=replace(reports.latency(p50_ns), floor_ns=0), cpu_share=1.0)
    blocks = [replace(r, request_ns=(p50_ns,) * 200) for r in base.processes[0].rounds]
    processes = tuple(replace(process, rounds=tuple(blocks)) for process in base.processes)
    return replace(base, processes=processes, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("0.05/h", Price(0.05)),
        ("$.05/h", Price(0.05, "$")),
        ("0.05 EUR/hour", Price(0.05, "EUR")),
        ("2€ / h", Price(2, "€")),
    ],
)
def test_prices(text: str, price: Price) -> None:
    assert read_price(text) == price


@pytest.mark.parametrize("text", ["cheap", "0.05", "0/h", "-1/h", "5/min", "nan/h"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(UsageError, match="is no price"):
        read_price(text)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--price", "1/h"], "--price needs a limit"),
        (["--slo", "rss<3GB"], "--slo limits a percentile"),
        (["--slo", "onnxruntime.p99<3ms"], "--slo limits a percentile"),
        (["--slo", "p99"], "is no limit"),
        (["--slo", "p99<5ms", "--limit", "p99<5ms"], "--slo goes with a plain run"),
    ],
)
def test_what_makes_no_sense_is_one_line(options: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "model.txt", *options]) == 2
    assert says in capsys.readouterr().err


def test_the_price_is_that_of_the_cores_that_a_rate_keeps() -> None:
    terms = read_terms("p99<1s", "$0.36/h")
    capacity = add_capacity(steady(), terms).capacity
    assert capacity is not None
    assert capacity.rate_per_core == pytest.approx(9500)
    assert capacity.cost_per_million == pytest.approx(0.36 / 3600 / 9500 * 1e6)
    busy = add_capacity(steady(cpu_share=4.0), terms).capacity
    assert busy is not None
    assert busy.rate_per_core == pytest.approx(9500 / 4)


def test_too_few_samples_and_means_of_calls_say_nothing() -> None:
    few = steady()
    few = replace(few, processes=tuple(replace(p, rounds=p.rounds[:1]) for p in few.processes[:1]))
    terms = read_terms("p99<1s", None)
    assert add_capacity(few, terms).capacity is None
    means = steady()
    assert means.request is not None
    assert add_capacity(replace(means, request=replace(means.request, unit="batch-mean")), terms).capacity is None


def capable(name: str, rate: float | None, low: float, high: float, **more: object) -> BenchResult:
    result = reports.result(f"{name}:feed=ndarray", request=reports.latency(100 * US))
    capacity = Capacity("p99<5ms", rate, None if rate is None else 50 / rate, "$", low, high)
    return replace(result, capacity=capacity, **more)  # type: ignore[arg-type]


def sentence(*results: BenchResult) -> str:
    return describe_capacity(group_results(results, {})[0][0])


def test_the_cheapest_is_named_where_its_processes_show_it() -> None:
    slow, fast = capable("lightgbm", 500, 450, 520), capable("onnxruntime", 900, 800, 950)
    assert sentence(slow, fast) == (
        "onnxruntime holds p99<5ms at 900 requests/s a core, $0.0556 a million: the cheapest."
    )
    near = capable("lightgbm", 850, 700, 910)
    assert sentence(near, fast).endswith("; that lightgbm costs more is not shown.")
    assert sentence(replace(fast, label_changes=3), slow).startswith("lightgbm holds")
    broken = capable("lightgbm", None, 0, 0)
    assert sentence(broken) == "No candidate holds p99<5ms, not even a request at a time."
    text = render(reports.report(slow, fast, broken, settings={"slo": "p99<5ms", "price": "$0.18/h"}), "table")
    assert "900 (800–950)" in text
    assert "limit broken" in text
