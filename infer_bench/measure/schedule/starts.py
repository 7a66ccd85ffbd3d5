"""Which processes of a bench start by themselves, timed, and which start at the same time, untimed."""

import math
from collections.abc import Sequence
from pathlib import Path

from infer_bench.libraries import of_engine
from infer_bench.machine.environment import count_usable_cpus
from infer_bench.machine.processes import available_memory_bytes, resident_bytes, storage_read_bytes
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.settings import Settings

TIMED_SHARE = 1 / 3
"""Of the layouts: one of three, two of five."""
LAYOUTS_TOGETHER = 2
MEMORY_SHARE = 0.25
"""Of the memory that is free, for the processes that wait beside those which are measured."""
COLD_BYTES = 16 << 20
"""A layout whose processes read more than this from a disk shows the disk: the next one is timed too."""


class StartPlan:
    """Says of each layout how many start with it, after what the timed ones have shown. `root` is where /proc lies.

    Only models of libraries whose second process takes nothing from the first overlap: on a CPU, without a compiler.
    """

    def __init__(self, candidates: Sequence[Candidate], settings: Settings, root: Path = Path("/")) -> None:
        self._root, self._layouts = root, settings.processes
        self._timed = math.ceil(settings.processes * TIMED_SHARE)
        fits = settings.budget_s is None and count_usable_cpus(settings.affinity, root) > 1
        self._may_overlap = fits and all(map(can_start_twice, candidates))
        self._read_bytes, self._resident_bytes = 0, dict[int, int]()

    def note_timed(self, index: int, pid: int) -> None:
        """A process of the layout of that number has answered its first request."""
        self._read_bytes += storage_read_bytes(pid, self._root)
        self._resident_bytes[index] = self._resident_bytes.get(index, 0) + resident_bytes(pid, self._root)

    def count_layouts(self, index: int) -> int:
        """How many layouts start at the same time, from this one on; 0: this one, its processes one after the other."""
        timed = self._timed + (self._read_bytes > COLD_BYTES)
        if not self._may_overlap or index < timed or not self._leaves_memory():
            return 0
        return min(LAYOUTS_TOGETHER, self._layouts - index)

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
