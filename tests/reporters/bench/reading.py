"""The sentences below a bench's table, of results that lie apart as they are told to."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from infer_bench.report.bench import BenchResult, Speedup
from infer_bench.reporters.bench.groups import group_results
from infer_bench.reporters.bench.sentences.describe import describe_model
from tests.reports import SETTINGS, credit

FRAME, ARRAY, ONNX = credit()
REFERENCE = FRAME.candidate


def sentences_of(*results: BenchResult) -> list[str]:
    (model,) = group_results(results, SETTINGS)
    return [sentence.text for sentence in describe_model(model)]


def alarms(*results: BenchResult) -> list[str]:
    (model,) = group_results(results, SETTINGS)
    return [sentence.text for sentence in describe_model(model) if sentence.tone == "alarm"]


def faster(result: BenchResult, ratio: float, low: float | None, high: float | None, **more: Any) -> BenchResult:
    return replace(result, speedup=Speedup(REFERENCE, ratio, low, high), **more)


def holds(sentences: Iterable[str], part: str) -> bool:
    return any(part in sentence for sentence in sentences)
