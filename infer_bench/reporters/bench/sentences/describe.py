"""The sentences below a model's table, and those below the whole report."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.answers import describe_differences, describe_uncompared
from infer_bench.reporters.bench.sentences.bottleneck import find_bottleneck
from infer_bench.reporters.bench.sentences.sentence import Sentence
from infer_bench.reporters.bench.sentences.speeds import compare_speeds


def describe_model(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """What holds for one model: the fastest candidate at each batch size, other predictions, and the bottleneck."""
    groups = tuple(groups)
    return [
        *compare_speeds(groups),
        *describe_differences(groups),
        *describe_uncompared(groups),
        *find_bottleneck(groups[0]),
    ]


def describe_report(report: Report[Any]) -> list[Sentence]:
    """What holds for the whole run: where its rows came from, and whether it was finished."""
    sentences = []
    if not report.complete:
        sentences.append(Sentence("The run was not finished: these are the rounds up to its end.", "alarm"))
    if report.settings.get("rows_source") == "drawn from the model":
        sentences.append(Sentence("The rows were drawn from the model itself; --data measures on yours."))
    if any(result.request and result.request.unit == "batch-mean" for result in report.results):
        sentences.append(Sentence("* too fast to time one call: each sample is the mean of several."))
    return sentences
