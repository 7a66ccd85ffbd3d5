"""The sentences below a model's table, and those below the whole report."""

from collections.abc import Container, Iterable
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench.groups import BatchGroup, list_phases, name_percentiles
from infer_bench.reporters.bench.sentences.answers import describe_differences, describe_uncompared
from infer_bench.reporters.bench.sentences.bottleneck import find_bottleneck
from infer_bench.reporters.bench.sentences.capacity import describe_capacity
from infer_bench.reporters.bench.sentences.compilation import describe_compilations
from infer_bench.reporters.bench.sentences.probes import describe_probes
from infer_bench.reporters.bench.sentences.sentence import Sentence, enumerate_names
from infer_bench.reporters.bench.sentences.speeds import compare_speeds
from infer_bench.reporters.bench.sentences.sweep import describe_sweep
from infer_bench.reporters.inputs import describe_inputs
from infer_bench.reporters.text import numbers


def describe_model(groups: Iterable[BatchGroup]) -> list[Sentence]:
    """What holds for one model: the fastest candidate at each batch size, other predictions, and the bottleneck."""
    groups = tuple(groups)
    return [
        *compare_speeds(groups),
        *([Sentence(sweep)] if (sweep := describe_sweep(groups)) else []),
        *(Sentence(text) for group in groups if (text := describe_capacity(group))),
        *describe_compilations(groups),
        *describe_differences(groups),
        *describe_probes(groups),
        *describe_uncompared(groups),
        *find_bottleneck(groups[0]),
    ]


def explain_missing(report: Report[Any], *, phases: bool, shown: Container[str] | None = None) -> str:
    """What `n/a` stands for: how many samples the missing percentiles take of the requests and, if shown, their phases.

    Only of the columns in `shown`, where there are some; empty where none is missing.
    """
    measured = [result for result in report.results if isinstance(result, BenchResult) and result.request]
    parts = [result.request for result in measured if result.request is not None]
    parts += [part for result in measured for part in list_phases(result)] if phases else []
    names = [name for name in name_percentiles(report.settings) if shown is None or name in shown]
    needs = {name: part.needs[name] for name in names for part in parts if name in part.needs}
    if not needs:
        return ""
    takes = enumerate_names([f"{name} takes {numbers.count(count)}" for name, count in needs.items()])
    return f"n/a: too few samples; {takes} (--rounds and --budget make more)"


def describe_report(report: Report[Any]) -> list[Sentence]:
    """What holds for the whole run: where its rows came from, and whether it was finished."""
    sentences = []
    if not report.complete:
        sentences.append(Sentence("The run was not finished: these are the rounds up to its end.", "alarm"))
    if report.inputs:
        inputs = describe_inputs(report.inputs)
        sentences.append(Sentence(f"Requests were drawn from the model ({inputs}); --data measures on yours."))
    elif report.settings.get("rows_source") == "drawn from the model":
        sentences.append(Sentence("The rows were drawn from the model itself; --data measures on yours."))
    if any(result.request and result.request.unit == "batch-mean" for result in report.results):
        tail = ", which hides the tail (n/a)" if any(map(_lacks_tail, report.results)) else ""
        sentences.append(Sentence(f"* too fast to time one call: each sample is the mean of several{tail}."))
    return sentences


def _lacks_tail(result: BenchResult) -> bool:
    latency = result.request
    if latency is None or latency.unit != "batch-mean":
        return False
    return latency.p99_ns is None and "p99" not in latency.needs
