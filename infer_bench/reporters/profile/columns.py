"""What stands in a profile, whatever draws it: sections of rows of text, and the lines around them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.model import PHASES
from infer_bench.report.common import Report
from infer_bench.report.profile import (
    CallFrame,
    Change,
    FunctionCost,
    MemoryUse,
    OperatorCost,
    ProfileDiff,
    ProfileResult,
    Step,
)
from infer_bench.reporters.text import numbers

SAME_WITHIN = 0.02
"""A ratio of two times nearer to 1 is called the same."""
MOST_OPERATORS = 20
"""So many nodes of a graph are listed; the report holds all."""
MOST_KINDS = 8
_LIBRARY = re.compile(r"^.*[\\/](?:site-packages|dist-packages|python3\.\d+)[\\/]")


@dataclass(frozen=True, slots=True)
class Section:
    """A title, the columns' heads and rows of cells. The first `left` columns are text, the others are numbers.

    Where there is too little room, the columns `gives_way` are cut in that order, with `paths` at their beginning.
    `bars` are shares from 0 to 1, one a row, for what can draw them after the text columns; None where there is none.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    bars: tuple[float | None, ...] = ()
    gives_way: tuple[int, ...] = (0,)
    paths: bool = False


def write_heading(report: Report[Any], row: ProfileResult) -> tuple[str, str]:
    """`one request, p50 0.71 ms` and what it holds for."""
    what = "one request" if row.batch == 1 else f"one batch of {numbers.count(row.batch)}"
    request = row.request
    if request is None:
        return row.candidate, f"failed: {row.failed}" if row.failed else ""
    has_median = request.p50_ns is not None
    middle = f"p50 {numbers.duration(request.p50_ns)}" if has_median else f"mean {numbers.duration(request.mean_ns)}"
    return f"{what}, {middle}", ", ".join(
        part for part in (_name_candidate(row), *_describe_conditions(report, row)) if part
    )


def _name_candidate(row: ProfileResult) -> str:
    engine, _, options = row.candidate.partition(":")
    return f"{engine} {options.replace(',', ' ')}".strip() if engine == row.engine else row.candidate


def _describe_conditions(report: Report[Any], row: ProfileResult) -> Iterable[str]:
    threads = str(row.options.get("threads", report.settings.get("threads")))
    rows = report.settings.get("rows_cycled")
    if row.engine != "callable" and threads.isdigit() and "threads=" not in row.candidate:
        yield numbers.plural(int(threads), "thread")
    what = "request" if row.model is not None and row.model.inputs is not None else "row"
    if isinstance(rows, int):
        yield f"the same {what} again and again" if rows == 1 else f"{numbers.plural(rows, what)} cycled"


def tabulate_phases(row: ProfileResult, *, with_steps: bool) -> Section | None:
    """The request by phase, with `split` each with the library's steps in it, and what the phases do not explain."""
    typical, rest = row.typical, row.unaccounted_ns
    if typical is None or rest is None:
        return None
    whole, bars = max(1, typical.request_ns), []
    rows: list[tuple[str, str, str, str]] = []
    for name in (*PHASES, "waiting"):
        time_ns = getattr(typical, f"{name}_ns")
        if not time_ns and name not in row.does:
            continue
        what = "for what is awaited" if name == "waiting" else row.does.get(name, "")
        rows.append((name, what, numbers.duration(time_ns), numbers.percent(time_ns / whole)))
        bars.append(time_ns / whole)
        for step in (step for step in row.steps if with_steps and step.phase == name):
            rows.append(
                (f"  {_name_step(step)}", "", numbers.duration(step.own_ns), numbers.percent(step.own_ns / whole))
            )
            bars.append(None)
    probe = f"(probe cost {numbers.duration(row.probe_ns)}, taken off)"
    rows.append(("unaccounted", probe, numbers.duration(rest), _format_signed(rest / whole)))
    return Section("", ("", "", "", ""), tuple(rows), 2, (*bars, None), (1, 0))


def _format_signed(share: float) -> str:
    """A share below 0 is below 1 % as well."""
    text = numbers.percent(abs(share))
    return f"-{text}" if share < 0 and not text.startswith("<") else text


def _name_step(step: Step) -> str:
    often = step.calls_per_request
    return f"{step.name} ({numbers.number(round(often, 1))} calls)" if often > 1.05 else step.name


def describe_start(row: ProfileResult) -> str:
    """The first request apart from the steady ones, and what came before it."""
    if row.first_request_ns is None:
        return ""
    steady = "steady" if row.warmup_steady else "not steady"
    parts = [
        f"import {numbers.coarse(row.import_ns)}",
        f"load {numbers.coarse(row.load_ns)}",
        f"first request {numbers.duration(row.first_request_ns)}",
        f"{steady} after {numbers.coarse(row.warmup_ns)} of warm-up",
    ]
    if row.cpu_share is not None:
        parts.append(f"CPU {numbers.percent(row.cpu_share)} of wall time")
    return ", ".join(parts)


def tabulate_functions(row: ProfileResult) -> Section | None:
    """The functions that took most under the profiler: as shares, since their times are no latencies."""
    if not row.functions:
        return None
    whole = max(1, row.profiled_ns)
    rows = tuple(
        (
            name_function(cost),
            *_format_calls(cost),
            numbers.percent(cost.own_ns / whole),
            _format_at_most(cost.cumulative_ns / whole),
        )
        for cost in row.functions
    )
    head = ("", "own", "cumulative") if row.functions[0].calls is None else ("", "calls", "own", "cumulative")
    title = f"top {len(rows)} of {numbers.plural(row.function_count, 'function')}"
    if row.profiler == "none":
        return Section(title, head, rows, paths=True)
    slowed = f"; slowed {numbers.ratio(row.slowdown)}" if row.slowdown is not None else ""
    how = f"({row.profiler}, {numbers.plural(row.profiled_requests, 'request')}{slowed})"
    return Section(f"{title} {how}", head, rows, paths=True)


def _format_at_most(share: float) -> str:
    return numbers.percent(min(1.0, share))


def _format_calls(cost: FunctionCost) -> tuple[str, ...]:
    """Nothing of a sampling profiler, which knows none."""
    return () if cost.calls is None else (numbers.count(cost.calls),)


def name_function(cost: FunctionCost | CallFrame) -> str:
    """`pandas/core/frame.py:466(__init__)`; a built-in by its own name."""
    if cost.file in ("~", "", "<built-in>"):
        return cost.name
    return f"{shorten_path(cost.file)}:{cost.line}({cost.name})"


def shorten_path(path: str) -> str:
    """A library's file from its package on, any other by its last two parts."""
    inside = _LIBRARY.sub("", path)
    return inside if inside != path else "/".join(re.split(r"[\\/]", path)[-2:])


def tabulate_operators(row: ProfileResult) -> tuple[Section, ...]:
    """The graph's nodes that take longest, and what ran them; of many, also what each kind takes in all."""
    if not row.operators:
        return ()
    whole = max(1, sum(cost.mean_ns for cost in row.operators))
    count, longest = len(row.operators), row.operators[:MOST_OPERATORS]
    shapes = any(cost.shape for cost in longest)
    head = ("", "type", *(("output",) if shapes else ()), "provider", "share")
    rows = tuple(
        (
            *(cost.name, cost.op_type, *((cost.shape,) if shapes else ()), cost.provider),
            numbers.percent(cost.mean_ns / whole),
        )
        for cost in longest
    )
    title = "operators" if count <= MOST_OPERATORS else f"top {MOST_OPERATORS} of {numbers.count(count)} operators"
    title += f" (ONNX Runtime's own profile, {numbers.plural(row.operator_requests, 'request')})"
    nodes = Section(title, head, rows, len(head) - 1, gives_way=(0, 1, *range(2, len(head) - 1)))
    return (nodes,) if count <= MOST_OPERATORS else (_tabulate_kinds(row.operators, whole), nodes)


def _tabulate_kinds(operators: Sequence[OperatorCost], whole: int) -> Section:
    """Each kind of operator with its nodes and share; those that take next to nothing together."""
    kinds: dict[str, list[int]] = {}
    for cost in operators:
        kinds.setdefault(cost.op_type, []).append(cost.mean_ns)
    ordered = sorted(kinds.items(), key=lambda item: (-sum(item[1]), item[0]))
    rest = [ns for _, times in ordered[MOST_KINDS:] for ns in times]
    entries = ordered[:MOST_KINDS] + ([("others", rest)] if rest else [])
    rows = tuple((kind, numbers.count(len(times)), numbers.percent(sum(times) / whole)) for kind, times in entries)
    return Section("operators by type", ("", "nodes", "share"), rows)


def tabulate_memory(row: ProfileResult) -> Section | None:
    """Resident memory by stage, and what a request allocates."""
    use = row.memory
    if use is None:
        return None
    stages = (
        ("after the load", use.load_rss_bytes, use.start_rss_bytes),
        ("after the first request", use.first_request_rss_bytes, use.load_rss_bytes),
        ("after the warm-up", use.steady_rss_bytes, use.first_request_rss_bytes),
    )
    rows = [("interpreter", numbers.memory(use.start_rss_bytes), "")]
    rows += [(name, numbers.memory(now), f"+{numbers.size(max(0, now - before))}") for name, now, before in stages]
    rows += _fill_allocations(use)
    return Section("memory of the worker", ("", "resident", "more"), tuple(rows))


def _fill_allocations(use: MemoryUse) -> list[tuple[str, str, str]]:
    peak, retained = numbers.size(use.peak_bytes), numbers.size(max(0, use.retained_bytes))
    return [("a request, through Python (peak / kept)", peak, retained)]


def tabulate_difference(diff: ProfileDiff) -> tuple[Section, ...]:
    """What got faster and slower, by phase and by function, the largest change first."""
    title = f"from {diff.before} to {diff.after}" if diff.before != diff.after else "before and after"
    head = ("", "before", "after", "change", "")
    latencies = [change for change in (diff.request, *diff.phases) if change is not None]
    tables = [Section(title, head, tuple(_fill_change(change) for change in latencies))] if latencies else []
    if diff.functions:
        what = "the request" if diff.per == "request" else "the whole run"
        about = f"functions, own time under the profiler in % of {what} before"
        rows = tuple(_fill_function_change(change, max(1, diff.before_ns)) for change in diff.functions)
        tables.append(Section(about if latencies else f"{title}: {about}", head, rows, paths=True))
    return tuple(tables)


def _fill_change(change: Change) -> tuple[str, ...]:
    difference_ns = change.after_ns - change.before_ns
    times = (numbers.duration(change.before_ns), numbers.duration(change.after_ns))
    return (
        change.name,
        *times,
        ("+" if difference_ns > 0 else "") + numbers.duration(difference_ns),
        _judge_change(change),
    )


def _fill_function_change(change: Change, whole: int) -> tuple[str, ...]:
    """As shares: what takes a time under a profiler is no latency."""
    difference = (change.after_ns - change.before_ns) / whole
    shares = (numbers.percent(change.before_ns / whole), numbers.percent(change.after_ns / whole))
    return (
        _name_function(change.name),
        *shares,
        ("+" if difference > 0 else "") + _format_signed(difference),
        _judge_change(change),
    )


def _name_function(name: str) -> str:
    path, bracket, function = name.rpartition("(")
    return f"{shorten_path(path)}({function}" if bracket and path.endswith(".py") else name


def _judge_change(change: Change) -> str:
    if not change.before_ns:
        return "new"
    if not change.after_ns:
        return "gone"
    times = change.before_ns / change.after_ns
    if abs(times - 1) <= SAME_WITHIN:
        return "same"
    return f"{numbers.ratio(times)} faster" if times > 1 else f"{numbers.ratio(1 / times)} slower"


def tabulate_others(row: ProfileResult) -> list[Section]:
    """Everything below the phases that there is."""
    parts = (tabulate_functions(row), *tabulate_operators(row), tabulate_memory(row))
    return [section for section in parts if section] + list(tabulate_difference(row.diff) if row.diff else ())
