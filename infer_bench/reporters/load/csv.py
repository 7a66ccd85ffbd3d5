"""A load as rows of numbers: one a rate and kind of time."""

from dataclasses import fields
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult, Times
from infer_bench.reporters.text.csv import write_table

_ABOUT = ("target", "protocol", "loop", "arrivals", "rate_asked", "concurrency", "rate_achieved", "valid")
_NUMBERS = tuple(field.name for field in fields(Times) if field.name not in ("needs", "intervals"))
_HEAD = (
    *_ABOUT,
    "invalid_reasons",
    "connections",
    "waits",
    "errors",
    "bytes_sent",
    "bytes_received",
    "time",
    *_NUMBERS,
)


def render(report: Report[Any]) -> str:
    """The whole text, its lines ended by a line feed."""
    return write_table(_HEAD, (row for result in report.results for row in _list_rows(result)))


def _list_rows(result: LoadResult) -> list[dict[str, Any]]:
    about = {
        **{name: getattr(result, name) for name in _ABOUT},
        "invalid_reasons": " ".join(reason.code for reason in result.invalid_reasons),
        "connections": result.connections,
        "waits": result.waits,
        "errors": sum(result.errors.values()),
        "bytes_sent": result.bytes.sent,
        "bytes_received": result.bytes.received,
    }
    kinds = {"latency": result.latency, "service": result.service, **({"lag": result.lag} if result.lag else {})}
    return [
        about | {"time": name} | {number: getattr(times, number) for number in _NUMBERS}
        for name, times in {**kinds, **result.phases}.items()
    ]
