"""What varied: the machine, or a candidate by itself. Fixed work, timed before each block, tells them apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from infer_bench.measure.bench.in_use import InUse
from infer_bench.report.bench import BenchResult, Process
from infer_bench.report.common import Notice
from infer_bench.stats.shape import TwoGroups, find_two_groups, spread
from infer_bench.typing import Array, Samples

UNSTEADY_MACHINE = "unsteady-machine"
HIGH_VARIANCE = "high-variance"
BIMODAL = "bimodal"

SPREAD_LIMIT = 0.1
"""Robust coefficient of variation between the blocks of a process above which a row is called noisy."""
ENOUGH_BLOCKS = 5
QUEUED_LIMIT = 0.2
"""Share of the time that requests wait for a CPU above which all times are too long, however steady they are."""
MACHINE_SHARE = 0.5
"""The machine is to blame where the fixed work varied by this share of what the requests did, or more."""


@dataclass(frozen=True, slots=True)
class Variation:
    """How far the blocks of a process vary, and what the machine did meanwhile: IQR / 1.349 / median, over processes.

    `work` is that of the fixed work before the blocks. `queue` is that of how many times longer the blocks lasted for
    the time in which others held the CPU, which was a share of `queued` of the whole. None where it was not measured.
    """

    requests: float
    work: float | None
    queue: float | None
    queued: float

    @property
    def is_noisy(self) -> bool:
        """Whether the requests vary so much that the reader is to know."""
        return self.requests > SPREAD_LIMIT

    @property
    def is_of_machine(self) -> bool:
        """Whether the machine explains it, or was others' for so long that nothing can be said of the candidate."""
        return self.is_queued or max(self.work or 0.0, self.queue or 0.0) >= MACHINE_SHARE * self.requests

    @property
    def is_queued(self) -> bool:
        """Whether others held the CPU for so long that all times are too long."""
        return self.queued > QUEUED_LIMIT

    @property
    def is_of_candidate(self) -> bool:
        """Whether the machine was seen to be steady."""
        return self.work is not None and self.queue is not None and not self.is_of_machine


def measure_variation(result: BenchResult) -> Variation | None:
    """The variation of a row; None where no process has enough blocks.

    Blocks cycle the same rows, so that what differs between them is not the rows.
    """
    medians = [[np.median(r.request_ns) for r in process.rounds if r.request_ns] for process in result.processes]
    requests = _spread(np.array(part) for part in medians)
    if requests is None:
        return None
    work, queue = (_spread(map(values, result.processes)) for values in (_work_times, _dilations))
    return Variation(requests, work, queue, _queued_share(result))


def _queued_share(result: BenchResult) -> float:
    """The share of the measured time that others held the CPU; a wait that began before a block is cut."""
    rounds = [r for process in result.processes for r in process.rounds]
    return sum(min(r.queued_ns or 0, r.wall_ns) for r in rounds) / max(1, sum(r.wall_ns for r in rounds))


def _spread(processes: Iterable[Array]) -> float | None:
    """The median over the processes that have enough blocks; None without any."""
    spreads = [spread(values) for values in processes if len(values) >= ENOUGH_BLOCKS]
    return float(np.median(spreads)) if spreads else None


def _work_times(process: Process) -> Array:
    """The fixed work before each block, ns."""
    return np.array([r.reference_ns for r in process.rounds if r.reference_ns > 0], dtype=np.int64)


def _dilations(process: Process) -> Array:
    """How many times longer each block lasted than without the time in which others held the CPU."""
    waits = [(r.wall_ns, r.queued_ns) for r in process.rounds if r.queued_ns is not None]
    return np.array([wall_ns / (wall_ns - queued_ns) for wall_ns, queued_ns in waits if wall_ns > queued_ns])


def note_machine(results: Sequence[BenchResult]) -> Iterable[Notice]:
    """One line for the whole run where the machine was as unsteady as what it measured, or was others' in good part."""
    rows = [result for result in results if result.failed is None]
    every = map(measure_variation, rows)
    noisy = [part for part in every if part is not None and part.is_noisy and part.is_of_machine]
    if not noisy:
        queued = max(map(_queued_share, rows), default=0.0)
        if queued > QUEUED_LIMIT:
            yield Notice(
                UNSTEADY_MACHINE,
                f"the machine was busy: requests waited for a CPU up to {_percent(queued)} of the time",
            )
        return
    worst = max(noisy, key=lambda part: part.requests)
    if worst.is_queued or (worst.queue or 0.0) > (worst.work or 0.0):
        why = f"requests waited for a CPU {_percent(worst.queued)} of the time and varied by {_percent(worst.requests)}"
    else:
        why = f"fixed work between the blocks varied by {_percent(worst.work or 0.0)}, requests by "
        why += _percent(worst.requests)
    yield Notice(UNSTEADY_MACHINE, f"the machine was unsteady: {why}")


def note_variation(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    """That a candidate varies by itself, or that nothing tells why it varies."""
    variation = measure_variation(result)
    if variation is None or not variation.is_noisy or variation.is_of_machine:
        return
    own = f"blocks of the same requests vary by {_percent(variation.requests)}"
    if variation.is_of_candidate:
        own += f", fixed work between them by {_percent(variation.work or 0.0)}: it is the candidate, not the machine"
        hint = "look at --phases; causes: its threads, its memory, what it caches" + _longer(in_use)
    else:
        hint = "quieten the machine" if in_use.budget_given else "quieten the machine, or measure longer with --budget"
    yield Notice(HIGH_VARIANCE, own, hint, result.candidate)


def _longer(in_use: InUse) -> str:
    return "" if in_use.budget_given else "; --budget measures longer"


def note_groups(result: BenchResult, in_use: InUse) -> Iterable[Notice]:
    """That the latencies of most processes form two groups: a warning where the machine had no two speeds itself."""
    groups = [(process, find_two_groups(_pool(process))) for process in result.processes if _pool(process).size]
    humps = [(process, two) for process, two in groups if two is not None]
    if not humps or len(humps) <= len(groups) / 2:
        return
    is_machine = sum(_machine_explains(process, two) for process, two in humps) > len(humps) / 2
    lower, upper, share = humps[0][1]
    calls = result.calls_per_sample
    places = f"{_percent(share)} around {_time(lower / calls)} and {_percent(1 - share)} around {_time(upper / calls)}"
    text = f"the latencies form two groups, {places}: one percentile describes neither"
    flag = "" if in_use.rows == "same" else ", try --rows same"
    hint = f"look at --phases{flag}; causes: {', '.join(_causes(in_use, is_machine))}"
    yield Notice(BIMODAL, text, hint, result.candidate, level="note" if is_machine else "warning")


def _causes(in_use: InUse, is_machine: bool) -> list[str]:
    """What may part the latencies; a machine whose fixed work had one speed is none."""
    causes = ["the machine, whose fixed work varied as well"] if is_machine else []
    causes += ["two kinds of row"] if in_use.rows != "same" else []
    causes += ["threads that sleep"] if in_use.threads > 1 else []
    return causes or ["caches, garbage collection, another process"]


def _machine_explains(process: Process, groups: TwoGroups) -> bool:
    """Whether the machine's slow tenth lies half as far above its fast tenth as the groups lie apart, or more.

    Also where waiting for a CPU makes up half of what the upper group took longer: a scheduler hands out whole slices.
    """
    queued_ns = sum(r.queued_ns or 0 for r in process.rounds)
    longer_ns = (
        (1 - groups.lower_share) * (groups.upper - groups.lower) * sum(len(r.request_ns) for r in process.rounds)
    )
    if queued_ns >= MACHINE_SHARE * longer_ns:
        return True
    apart = groups.upper / groups.lower - 1
    every = (values for values in (_work_times(process), _dilations(process)) if len(values) >= ENOUGH_BLOCKS)
    tenths = (np.quantile(values, (0.1, 0.9)) for values in every)
    return any(slow / fast - 1 >= MACHINE_SHARE * apart for fast, slow in tenths)


def _pool(process: Process) -> Samples:
    """The request samples of a process: int64 ns as stamped."""
    return np.array([ns for r in process.rounds for ns in r.request_ns], dtype=np.int64)


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _time(ns: float) -> str:
    return next(f"{ns / scale:.3g} {unit}" for scale, unit in _UNITS if ns >= scale or scale == 1)


_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
