"""What GitHub Actions shows of a run: annotations, and the summary of its step. Pure; `cli.github` writes them."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Literal

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench.names import name_results
from infer_bench.reporters.formats.markdown import Markdown
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate.groups import group_checks
from infer_bench.reporters.text.layout import clean
from infer_bench.reporters.text.notices import select_notices

__all__ = ["SUMMARY_BYTES", "annotate", "summarize"]

SUMMARY_BYTES = 1024 * 1024
"""The size beyond which GitHub refuses a step's summary as a whole."""

_MOST = 10
"""Annotations of one level that GitHub shows for a step."""

_ENDING = "\n\n> **Note:** cut off here: GitHub takes no more than 1 MiB. The report that `--json` writes has it all.\n"

Level = Literal["error", "warning", "notice"]
_Annotation = tuple[Level, str, str]
_LEVELS: dict[str, Level] = {
    "pass": "notice",
    "advisory": "notice",
    "inconclusive": "warning",
    "regressed": "error",
    "different": "error",
    "failed": "error",
    "not-comparable": "error",
}


def annotate(report: Report[Any]) -> str:
    """Workflow commands, one a line: what failed, what could not be told, and the verdict. May be empty.

    GitHub shows ten of a level; where there are more, the tenth says how many are left.
    """
    entries = sorted(_list_annotations(report), key=lambda one: ("error", "warning", "notice").index(one[0]))
    levels = groupby(entries, key=lambda one: one[0])
    lines = [line for level, alike in levels for line in _write_commands(level, list(alike))]
    return "".join(f"{line}\n" for line in lines)


def _write_commands(level: Level, entries: list[_Annotation]) -> Iterator[str]:
    if len(entries) > _MOST:
        more = len(entries) - _MOST + 1
        entries = [*entries[: _MOST - 1], (level, "infer-bench", f"and {more} more: see the report")]
    for _, title, message in entries:
        yield f"::{level} title={_escape_property(title)}::{_escape_data(message)}"


def _list_annotations(report: Report[Any]) -> Iterable[_Annotation]:
    yield from _annotate_verdict(report)
    if report.gate is not None:
        for group in group_checks(report):
            for check in group.checks:
                if check.outcome != "pass":
                    yield _LEVELS[check.outcome], f"infer-bench: {group.name}", gate_columns.describe_check(check)
    elif report.command == "bench" and (report.verdict is None or report.verdict.status != "not-comparable"):
        yield from _annotate_failures(report)
    for text, hint in bench_columns.collect_notices(select_notices(report, "warning")):
        yield "notice", "infer-bench", f"{text}\n{hint}" if hint else text


def _annotate_verdict(report: Report[Any]) -> Iterable[_Annotation]:
    if (verdict := report.verdict) is not None and (verdict.reasons or report.gate is not None):
        reasons = "\n".join(verdict.reasons) or f"exit code {verdict.exit_code}"
        yield _LEVELS[verdict.status], f"infer-bench {report.command}: {verdict.status}", reasons


def _annotate_failures(report: Report[BenchResult]) -> Iterable[_Annotation]:
    for name, result in zip(name_results(report), report.results, strict=True):
        if result.failed is not None:
            yield "error", f"infer-bench: {name}", bench_columns.explain_failure(result)


def _escape_data(text: str) -> str:
    """A message: line breaks stay, nothing else steers the log."""
    lines = "\n".join(map(clean, text.replace("\r\n", "\n").split("\n")))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def summarize(report: Report[Any], limit_bytes: int = SUMMARY_BYTES) -> str:
    """The report as markdown of at most `limit_bytes` bytes of UTF-8, cut between two of its parts."""
    text = Markdown().render(report) + "\n"
    if len(text.encode()) <= limit_bytes:
        return text
    beginning = text.encode()[: max(0, limit_bytes - len(_ENDING.encode()))].decode(errors="ignore")
    whole, _, _ = beginning.rpartition("\n\n") if "\n\n" in beginning else beginning.rpartition("\n")
    return whole + _ENDING if whole else ""
