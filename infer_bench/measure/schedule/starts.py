"""Which processes of a bench start by themselves, timed, and which start at the same time, untimed."""

import math
from collections.abc import Sequence
from pathlib import Path

from infer_bench.errors import CannotRun
from infer_bench.libraries import of_engine
from infer_bench.machine.environment import count_usable_cpus
from infer_bench.machine.processes import available_memory_bytes, resident_bytes, storage_read_bytes
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.settings import Settings

TIMED_SHARE = 1 / 3
"""Of the layouts: one of three, two of five."""
LAYOUTS_TOGETHER = 2
MEMORY_SHARE = 0.25
"""Of the memory that is free, for the processes that wait beside those which are measured."""
LATE = 0.4
"""Where so much of a budget went into what precedes the starts, there is no time for one after the other."""
STARTS_SHARE = 0.85
"""So much of a budget may be spent when all have started: the rest is for the fewest rounds, and for the report."""
LEAST_WAIT_S = 0.05
"""So long one is waited for all the same: it may have started meanwhile."""
COLD_BYTES = 16 << 20
"""A layout whose processes read more than this from a disk shows the disk: the next one is timed too."""


class StartTooLate(CannotRun):
    """A process that was not waited for, since the budget had ended."""

    def __init__(self, budget_s: float) -> None:
        super().__init__(f"it took too long to start for a budget of {budget_s:g} s", "give a larger --budget")


class StartPlan:
    """Says of each layout how many start with it, after what the timed ones have shown. `root` is where /proc lies.

    Only models of libraries whose second process takes nothing from the first overlap: on a CPU, without a compiler.
    A `budget` that bounds the starts ends them too; where it is late already, or would not hold one start after the
    other of about `start_ns` each, those of one layout are not timed.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        settings: Settings,
        budget: Budget | None = None,
        root: Path = Path("/"),
        start_ns: int = 0,
    ) -> None:
        self._starts_ns = len(candidates) * start_ns
        self._root, self._layouts = root, settings.processes
        self._timed = math.ceil(settings.processes * TIMED_SHARE)
        is_bounded = budget is not None and budget.bounds_all
        self._budget = budget if budget is not None and budget.bounds_starts else None
        self._budget_s = settings.budget_s or 0.0
        fits = not is_bounded and count_usable_cpus(settings.affinity, root) > 1
        self._may_overlap = fits and all(map(can_start_twice, candidates))
        self._read_bytes, self._resident_bytes = 0, dict[int, int]()

    @property
    def left_s(self) -> float | None:
        """Until all that start must have answered a request; None where they may take as long as they do."""
        if self._budget is None:
            return None
        return max(LEAST_WAIT_S, STARTS_SHARE * self._budget_s - self._budget.used_ns / 1e9)

    def order(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that import pandas last where time may run out before all have started."""
        return list(candidates) if self._budget is None else sorted(candidates, key=_imports_pandas)

    def note_timed(self, index: int, pid: int) -> None:
        """A process of the layout of that number has answered its first request."""
        self._read_bytes += storage_read_bytes(pid, self._root)
        self._resident_bytes[index] = self._resident_bytes.get(index, 0) + resident_bytes(pid, self._root)

    def count_layouts(self, index: int) -> int:
        """How many layouts start at the same time, from this one on; 0: this one, its processes one after the other."""
        if self._budget is not None:
            return int(index == 0 and self._is_late(self._budget))
        if not self._may_overlap or index < self._timed_layouts or not self._leaves_memory():
            return 0
        return min(LAYOUTS_TOGETHER, self._layouts - index)

    def lets_wait(self, index: int, pids: Sequence[int]) -> bool:
        """Whether processes that have started may wait, while that layout is timed, for a later one that overlaps."""
        waiting_bytes = sum(resident_bytes(pid, self._root) for pid in pids)
        fits = 0 < waiting_bytes <= MEMORY_SHARE * available_memory_bytes(self._root)
        return self._may_overlap and index < self._timed_layouts < self._layouts and fits

    @property
    def _timed_layouts(self) -> int:
        return self._timed + (self._read_bytes > COLD_BYTES)

    def _is_late(self, budget: Budget) -> bool:
        end_ns = budget.used_ns + self._starts_ns
        return budget.used_ns > LATE * budget.limit_ns or end_ns > STARTS_SHARE * budget.limit_ns

    def _leaves_memory(self) -> bool:
        layout_bytes = max(self._resident_bytes.values(), default=0)
        return 0 < layout_bytes * LAYOUTS_TOGETHER <= MEMORY_SHARE * available_memory_bytes(self._root)


def can_start_twice(candidate: Candidate) -> bool:
    """Whether two processes of a candidate may start at the same time: of a function or a service nobody knows it."""
    library, options = of_engine(candidate.engine.name), candidate.options
    is_library = library is not None and candidate.engine.name not in ("callable", "http")
    compiles = (library is not None and library.compiles) or options.get("compile") == "yes"
    is_on_cpu = options.get("providers", "cpu") == "cpu" and options.get("device", "cpu") == "cpu"
    return is_library and not compiles and is_on_cpu


def _imports_pandas(candidate: Candidate) -> bool:
    return candidate.options.get("feed") == "dataframe"
