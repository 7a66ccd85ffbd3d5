"""The one sentence of a comparison that its reader came for."""

from infer_bench.report.bench import BenchResult
from infer_bench.reporters.bench.groups import BatchGroup, Comparison, read_percentile
from infer_bench.reporters.bench.sentences.sentence import name_result, say_batch
from infer_bench.reporters.bench.sentences.speeds import compare_speeds
from infer_bench.reporters.text import numbers


def write_headline(model: Comparison) -> str:
    """Who is faster, where that is shown; else the lowest p50 and the doubt. Empty where nothing was measured."""
    sentences = compare_speeds(model)
    told = next((sentence.text for sentence in sentences if not sentence.is_doubt), "")
    return told or " ".join([*(_name_lowest(group) for group in model[:1]), *(s.text for s in sentences[:1])]).strip()


def _name_lowest(group: BatchGroup) -> str:
    measured_results = {id(result): result for result in group.results if _read_p50(result) is not None}
    if not measured_results:
        return ""
    lowest = min(measured_results.values(), key=lambda result: _read_p50(result) or 0)
    name, time = name_result(lowest, group), numbers.duration(_read_p50(lowest))
    if len(measured_results) == 1:
        return f"{name} has a p50 of {time}{say_batch(group)}."
    return f"{name} has the lowest p50{say_batch(group)}, {time}."


def _read_p50(result: BenchResult) -> int | None:
    return None if result.failed is not None or result.request is None else read_percentile(result.request, "p50")
