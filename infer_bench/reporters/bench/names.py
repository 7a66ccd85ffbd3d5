"""Names of results that stay the same from run to run: the key under which a dashboard keeps their history."""

from collections import Counter
from collections.abc import Iterable

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.text.layout import clean
from infer_bench.reporters.text.paths import file_name

__all__ = ["measured", "names", "unique"]


def measured(report: Report[BenchResult]) -> list[tuple[str, BenchResult]]:
    """The results that hold numbers, each with its name."""
    return [pair for pair in zip(names(report), report.results, strict=True) if bench_columns.measured(pair[1])]


def names(report: Report[BenchResult]) -> list[str]:
    """`credit.txt lightgbm:feed=ndarray batch=1`, one for each result, all different.

    The model's whole path stands where two models have the same file name. What is equal even so is numbered: the
    second one ends in `#2`.
    """
    paths = {result.model.path for result in report.results}
    taken = Counter(map(file_name, paths))
    return unique(
        clean(" ".join((_model(result.model.path, taken), result.candidate, f"batch={result.batch}")))
        for result in report.results
    )


def _model(path: str, taken: Counter[str]) -> str:
    name = file_name(path)
    return name if name and taken[name] == 1 else path


def unique(given: Iterable[str]) -> list[str]:
    """The texts, those that came before with a number behind them."""
    made: dict[str, None] = {}
    for text in given:
        name, number = text, 1
        while name in made:
            number += 1
            name = f"{text} #{number}"
        made[name] = None
    return list(made)
