"""Names of results that stay the same from run to run: the key under which a dashboard keeps their history."""

from collections.abc import Iterable

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench.groups import name_models
from infer_bench.reporters.text.layout import clean

__all__ = ["name_measured", "name_results", "number_repeats"]


def name_measured(report: Report[BenchResult]) -> list[tuple[str, BenchResult]]:
    """The results that hold numbers, each with its name."""
    pairs = zip(name_results(report), report.results, strict=True)
    return [(name, result) for name, result in pairs if bench_columns.has_numbers(result)]


def name_results(report: Report[BenchResult]) -> list[str]:
    """`credit.txt lightgbm:feed=ndarray batch=1`, one for each result, all different.

    The model's whole path stands where two models have the same file name. What is equal even so is numbered: the
    second one ends in `#2`.
    """
    names = name_models(result.model.path for result in report.results)
    return number_repeats(
        clean(" ".join((names[result.model.path], result.candidate, f"batch={result.batch}")))
        for result in report.results
    )


def number_repeats(texts: Iterable[str]) -> list[str]:
    """The texts, those that came before with a number behind them."""
    names: dict[str, None] = {}
    for text in texts:
        name, number = text, 1
        while name in names:
            number += 1
            name = f"{text} #{number}"
        names[name] = None
    return list(names)
