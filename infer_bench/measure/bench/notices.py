"""What the reader of a benchmark should know, as data: pure rules from settings, environment and results to notices.

Codes are stable; scripts may match them. A hint never proposes a flag that is already in use.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from infer_bench.measure.bench.drift import DRIFT, note_drift
from infer_bench.measure.bench.in_use import InUse
from infer_bench.measure.bench.noise import (
    BIMODAL,
    HIGH_VARIANCE,
    UNSTEADY_MACHINE,
    note_groups,
    note_machine,
    note_variation,
)
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Environment, Notice

THREADS_EXCEED_CORES = "threads-exceed-cores"
QUOTA_THROTTLING = "quota-throttling"
SAME_ROW = "same-row"
FEW_ROWS = "few-rows"
BUSY_MACHINE = "busy-machine"
FLOOR_DOMINATES = "floor-dominates"
COLD_ROW = "cold-row"
DOUBLE_INSTALL = "double-install"

CODES = (
    THREADS_EXCEED_CORES,
    QUOTA_THROTTLING,
    UNSTEADY_MACHINE,
    HIGH_VARIANCE,
    DRIFT,
    BIMODAL,
    SAME_ROW,
    FEW_ROWS,
    BUSY_MACHINE,
    FLOOR_DOMINATES,
    COLD_ROW,
    DOUBLE_INSTALL,
)

THROTTLED_LIMIT = 0.01
"""Share of the measured time spent throttled above which it is said."""
ENOUGH_ROWS = 256
"""Below this the branch predictor remembers each row's way through the trees."""
FLOOR_LIMIT = 0.1
"""Share of a raw sample that the loop itself may take: below it the correction is small beside the figure."""
LOAD_LIMIT = 0.5
"""Load average a CPU at the start, above which others are taken to be at work."""


def find_notices(
    environment: Environment,
    results: Sequence[BenchResult],
    in_use: InUse,
    double_installs: Iterable[tuple[str, str]] = (),
) -> tuple[Notice, ...]:
    """Every notice that applies: those about the machine first, then those about each row, in the rows' order."""
    machine = [
        *_threads(environment, results, in_use),
        *_load(environment),
        *(() if in_use.tensors else (*_same_row(in_use), *_few_rows(in_use))),  # a network does the same work for all
        *_doubles(double_installs),
        *note_machine(results),
    ]
    rules = (_throttled, _vary, note_groups, _floor, _cold)
    several = len({result.model.path for result in results}) > 1
    rows = [
        replace(notice, model=result.model.path) if several else notice
        for result in results
        if result.failed is None
        for rule in rules
        for notice in rule(result, in_use)
    ]
    return tuple(dict.fromkeys((*machine, *rows)))


def _threads(environment: Environment, results: Sequence[BenchResult], in_use: InUse) -> Iterable[Notice]:
    """A candidate's own `threads` option wins over the setting; fewer than one CPU still runs one thread."""
    cores = max(1.0, environment.cpus_effective)
    threads_by_candidate = {result.candidate: _own_threads(result, in_use.threads) for result in results}
    most = max(threads_by_candidate.values(), default=in_use.threads)
    if most <= cores:
        return
    guilty = {name for name, threads in threads_by_candidate.items() if threads == most}
    limit = " (the cgroup's CPU quota)" if environment.cpus_quota == environment.cpus_effective else ""
    flag = "--threads " if in_use.threads == most else "threads="
    yield Notice(
        THREADS_EXCEED_CORES,
        f"{most} threads on {cores:g} effective CPUs{limit}: they wait for each other, which can cost a hundredfold",
        f"{flag}{int(cores)} or less",
        guilty.pop() if len(guilty) == 1 else None,
    )


def _own_threads(result: BenchResult, default: int) -> int:
    text = result.options.get("threads", "")
    return int(text) if text.isdigit() and int(text) > 0 else default


def _load(environment: Environment) -> Iterable[Notice]:
    load = environment.load_average_1m
    if load is None or load / max(1, environment.cpus_logical) <= LOAD_LIMIT:
        return
    yield Notice(
        BUSY_MACHINE,
        f"the load average was {load:.1f} on {environment.cpus_logical} CPUs when the run began",
        "close what else is running: long requests wait for it more than short ones, which bends ratios too",
        level="note",
    )


def _same_row(in_use: InUse) -> Iterable[Notice]:
    if in_use.rows == "same":
        yield Notice(
            SAME_ROW,
            "one row was repeated: the branch predictor learns its path, which flatters trees up to 6 times",
            "leave out --rows same to cycle distinct rows",
        )


def _few_rows(in_use: InUse) -> Iterable[Notice]:
    if in_use.rows != "same" and 0 < in_use.rows_cycled < ENOUGH_ROWS:
        yield Notice(
            FEW_ROWS,
            f"only {in_use.rows_cycled} rows take turns: the branch predictor learns their paths, which flatters trees",
            f"give --data with {ENOUGH_ROWS} rows or more",
        )


def _doubles(pairs: Iterable[tuple[str, str]]) -> Iterable[Notice]:
    for one, other in pairs:
        yield Notice(
            DOUBLE_INSTALL,
            f"{one} and {other} are both installed and overwrite each other's files",
            f"pip uninstall {one} {other}, then install the one you mean",
        )


def _throttled(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    throttled = sum(process.throttled_ns for process in result.processes)
    wall = sum(r.wall_ns for process in result.processes for r in process.rounds)
    if throttled > THROTTLED_LIMIT * wall:
        lower = f"--threads {max(1, in_use.threads // 2)}, or " if in_use.threads > 1 else ""
        yield Notice(
            QUOTA_THROTTLING,
            f"the CPU quota held the workers back for {throttled / 1e6:.0f} ms: the tails are the quota's",
            f"{lower}raise the container's CPU limit",
            result.candidate,
        )


def _vary(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    """The course that its requests take, which is also why its blocks vary; else that they do."""
    return list(note_drift(result, in_use)) or note_variation(result, in_use)


def _floor(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    request = result.request
    if request is None or request.p50_ns is None:
        return
    own = request.p50_ns * result.calls_per_sample
    if request.floor_ns > FLOOR_LIMIT * (own + request.floor_ns):
        yield Notice(
            FLOOR_DOMINATES,
            f"the loop itself takes {request.floor_ns} ns of a sample of {own + request.floor_ns} ns, corrected for",
            "read differences below the floor with care",
            result.candidate,
            level="note",
        )


def _cold(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    """A worker that keeps modules from being imported starts faster than a service that imports them."""
    if result.candidate in in_use.lean and result.cold_start_ns is not None:
        yield Notice(
            COLD_ROW,
            "its cold start and memory leave out libraries that this candidate does not need (such as pandas)",
            "a service that imports them anyway starts slower and takes more memory",
            result.candidate,
            level="note",
        )
