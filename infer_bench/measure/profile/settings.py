"""What a profile is told: everything but the model, the rows and the candidates."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from infer_bench.errors import UsageError
from infer_bench.measure.settings import MAX_BATCH, Settings
from infer_bench.report.profile import Profiler
from infer_bench.request_choices import RequestChoices

Sort = Literal["cumulative", "own"]
Form = Literal["", "pstats", "pyinstrument", "speedscope"]

PROFILERS: tuple[Profiler, ...] = get_args(Profiler)
FORMS: dict[str, Profiler] = {"pstats": "cprofile", "pyinstrument": "pyinstrument", "speedscope": "pyinstrument"}
"""The profiler that writes a file of each form."""
SORTS: tuple[Sort, ...] = get_args(Sort)
DEFAULT_REQUESTS = 2_000
DEFAULT_BUDGET_S = 10.0
_EITHER = "--requests 200 makes so many, --budget 5s as many as fit"


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """`requests` are made in the timed run and again under the profiler, `budget_s` bounds both together.

    When neither is given: 2,000 requests, in 10 s at the most. `form` is the file that the profiler shall make;
    `choices` are what a network's drawn requests are to be.
    """

    profiler: Profiler = "cprofile"
    batch: int = 1
    threads: int = 1
    requests: int | None = None
    budget_s: float | None = None
    sort: Sort = "cumulative"
    top: int = 20
    split: bool = False
    memory: bool = False
    require_provider: str | None = None
    form: Form = ""
    interval_s: float = 0.001
    allow_pickle: bool = False
    seed: int = 0
    timeout_s: float = 120.0
    choices: RequestChoices = field(default_factory=RequestChoices)

    def __post_init__(self) -> None:
        self._require(self.profiler in PROFILERS, f"the profiler is one of {', '.join(PROFILERS)}")
        self._require(self.sort in SORTS, f"sort is one of {', '.join(SORTS)}")
        self._require(1 <= self.batch <= MAX_BATCH, f"a batch size is 1 to {MAX_BATCH:,}")
        self._require(1 <= self.threads <= 1024, "threads are 1 to 1024")
        self._require(self.requests is None or 1 <= self.requests <= 100_000_000, "requests are 1 to 100,000,000")
        self._require(self.budget_s is None or 0 < self.budget_s < 1e6, "the budget is a positive number of seconds")
        self._require(self.requests is None or self.budget_s is None, "give requests or a budget, not both", _EITHER)
        self._require(self.seed >= 0, "the seed is a whole number from 0 on")
        self._require(1 <= self.top <= 100_000, "top is 1 to 100,000")
        self._require(1e-5 <= self.interval_s <= 10, "the interval is 0.00001 to 10 seconds")
        self._require(0 < self.timeout_s < 1e6, "the time limit is a positive number of seconds")
        writer = FORMS.get(self.form, self.profiler)
        self._require(self.profiler == writer, f"{self.form} is what {writer} writes")

    @staticmethod
    def _require(holds: bool, message: str, hint: str = "") -> None:
        if not holds:
            raise UsageError(message, hint)

    @property
    def limit_s(self) -> float:
        """The bound on each of the two runs, in s."""
        return (self.budget_s or (DEFAULT_BUDGET_S if self.requests is None else 2e6)) / 2

    @property
    def target_requests(self) -> int:
        """How many requests each of the two runs makes unless time runs out."""
        return 100_000_000 if self.budget_s is not None else self.requests or DEFAULT_REQUESTS

    def as_bench_settings(self) -> Settings:
        """The same, for what a bench shares with a profile: workers and rows."""
        return Settings(
            batches=(self.batch,),
            threads=self.threads,
            allow_pickle=self.allow_pickle,
            seed=self.seed,
            timeout_s=self.timeout_s,
            requests=self.choices,
        )


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Where requests come from: a file of rows, or a JSON file of records, or neither."""

    data: str | None = None
    input: str | None = None

    def __post_init__(self) -> None:
        if self.data is not None and self.input is not None:
            raise UsageError("rows come from --data or from --input, not both")
