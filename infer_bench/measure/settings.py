"""The settings of a bench: everything but the models, the rows and the candidates."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from infer_bench.errors import UsageError
from infer_bench.request_choices import RequestChoices

Scenario = Literal["single_stream", "offline"]
RowsMode = Literal["rotate", "same"]

SCENARIOS: tuple[Scenario, ...] = get_args(Scenario)
ROWS_MODES: tuple[RowsMode, ...] = get_args(RowsMode)

DEFAULT_ROUNDS = 60
DEFAULT_PROCESSES = 3
DEFAULT_BUDGET_S = 60.0
DEFAULT_ROWS = 1024
MAX_THREADS = 1024
MAX_BATCH = 10_000_000
_EITHER = "--rounds 60 makes so many, --budget 5s as many as fit"


@dataclass(frozen=True, slots=True)
class Settings:
    """`rounds` are divided among the `processes`; `budget_s` bounds the run, the start of workers included.

    `labels` is a file of the rows' true classes. `require_provider` is the execution provider of ONNX Runtime that must
    run every node, and `requests` what the drawn requests of a network are to be. With `memory` it is also looked at
    what a request allocates. In a `thread_sweep` each candidate that names no number of threads itself is measured with
    each of these. Without `probes` no rows made to find differences are put to the candidates. When neither rounds nor
    a budget are given, 60 rounds are run, in 60 s of measuring at the most.
    """

    batches: tuple[int, ...] = (1,)
    threads: int = 1
    scenario: Scenario = "single_stream"
    rows_mode: RowsMode = "rotate"
    rounds: int | None = None
    budget_s: float | None = None
    processes: int = DEFAULT_PROCESSES
    percentiles: tuple[float, ...] = (50.0, 95.0, 99.0)
    reference: str | None = None
    allow_pickle: bool = False
    seed: int = 0
    timeout_s: float = 120.0
    affinity: tuple[int, ...] = ()
    labels: str | None = None
    require_provider: str | None = None
    memory: bool = False
    requests: RequestChoices = field(default_factory=RequestChoices)
    thread_sweep: tuple[int, ...] = ()
    probes: bool = True
    forms: bool = False
    keep_forms: str | None = None
    slo: str | None = None
    price: str | None = None

    def __post_init__(self) -> None:
        self._require(bool(self.batches), "at least one batch size is needed")
        self._require(all(1 <= b <= MAX_BATCH for b in self.batches), f"a batch size is 1 to {MAX_BATCH:,}")
        self._require(len(set(self.batches)) == len(self.batches), "a batch size is named twice")
        counts = (self.threads, *self.thread_sweep)
        self._require(all(1 <= count <= MAX_THREADS for count in counts), f"threads are 1 to {MAX_THREADS}")
        self._require(len(set(self.thread_sweep)) == len(self.thread_sweep), "a number of threads is named twice")
        self._require(self.scenario in SCENARIOS, f"scenario is one of {', '.join(SCENARIOS)}")
        self._require(self.rows_mode in ROWS_MODES, f"rows is one of {', '.join(ROWS_MODES)}")
        self._require(self.rounds is None or 1 <= self.rounds <= 100_000, "rounds are 1 to 100,000")
        self._require(self.budget_s is None or 0 < self.budget_s < 1e6, "the budget is a positive number of seconds")
        self._require(self.rounds is None or self.budget_s is None, "give rounds or a budget, not both", _EITHER)
        self._require(1 <= self.processes <= 100, "processes are 1 to 100")
        self._require(self.seed >= 0, "the seed is a whole number from 0 on")
        self._require(bool(self.percentiles), "at least one percentile is needed")
        self._require(all(0 < q < 100 for q in self.percentiles), "a percentile lies between 0 and 100")
        self._require(0 < self.timeout_s < 1e6, "the time limit is a positive number of seconds")

    @staticmethod
    def _require(holds: bool, message: str, hint: str = "") -> None:
        if not holds:
            raise UsageError(message, hint)

    @property
    def rounds_per_process(self) -> int:
        """How many rounds one set of processes runs at each batch size, unless time runs out."""
        if self.budget_s is not None:
            return 1_000_000
        return max(1, -(-(self.rounds or DEFAULT_ROUNDS) // self.processes))

    @property
    def limit_s(self) -> float:
        """The bound on the measuring."""
        return self.budget_s or (DEFAULT_BUDGET_S if self.rounds is None else 1e6)
