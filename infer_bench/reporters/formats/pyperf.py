"""pyperf's JSON, for `pyperf stats`, `hist` and `compare_to`: a run a process, with every sample in seconds."""

import json
from typing import Any

from infer_bench.report.bench import BenchResult, Process
from infer_bench.report.common import Environment, Report
from infer_bench.report.gate import Side
from infer_bench.reporters.bench.names import name_measured, number_repeats
from infer_bench.reporters.gate.groups import find_sides

_VERSION = "1.0"
_SMALLEST_S = 1e-12
"""What stands for a sample that the floor swallowed whole: pyperf takes no zero."""


class Pyperf:
    """One benchmark a result. A sample is corrected for the loop's floor and divided by its calls, as in the report."""

    name = "pyperf"
    commands = frozenset({"bench"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole document, on a line a run."""
        common = _describe_machine(report.environment) | {
            "unit": "second",
            "infer_bench_version": _clean_line(report.tool_version),
        }
        results, sides = name_measured(report), find_sides(report)
        pairs = zip(
            number_repeats(_clean_line(name) for name, _ in results), (result for _, result in results), strict=True
        )
        entries = (_make_benchmark(name, result, sides.get(id(result))) for name, result in pairs)
        benchmarks = [benchmark for benchmark in entries if benchmark]
        metadata = {key: value for key, value in common.items() if value}
        return json.dumps({"version": _VERSION, "metadata": metadata, "benchmarks": benchmarks}) + "\n"


def _describe_machine(machine: Environment) -> dict[str, Any]:
    texts = {
        "cpu_model_name": machine.cpu_model,
        "platform": f"{machine.os} {machine.machine}",
        "python_version": machine.python,
    }
    return {"cpu_count": machine.cpus_logical, **{key: _clean_line(text) for key, text in texts.items()}}


def _make_benchmark(name: str, result: BenchResult, side: Side | None) -> dict[str, Any] | None:
    runs = [entry for process in result.processes if (entry := _make_run(process, result))["values"]]
    texts = {"name": name, "infer_bench_model_sha256": result.model.sha256}
    texts |= {"python_version": side.python if side else ""}  # of the interpreter that it ran in
    about = {key: line for key, text in texts.items() if (line := _clean_line(text))}
    return {"metadata": {**about, "infer_bench_batch": result.batch}, "runs": runs} if runs else None


def _make_run(process: Process, result: BenchResult) -> dict[str, Any]:
    floor = result.request.floor_ns if result.request else 0
    values = [
        _convert_to_seconds(sample - floor, block.calls_per_sample)
        for block in process.rounds
        for sample in block.request_ns
    ]
    loops = {block.calls_per_sample for block in process.rounds if block.calls_per_sample > 1}
    about: dict[str, Any] = {"loops": loops.pop()} if len(loops) == 1 else {}
    if process.peak_rss_bytes > 0:
        about["mem_max_rss"] = process.peak_rss_bytes
    return {"metadata": about, "values": values}


def _convert_to_seconds(ns: int, calls: int) -> float:
    return max(_SMALLEST_S, ns / max(1, calls) / 1e9)


def _clean_line(text: str) -> str:
    """One line of text that UTF-8 can hold: pyperf refuses line breaks in its metadata."""
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())
