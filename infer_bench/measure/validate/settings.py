"""The settings of a comparison, and the tolerances that a project keeps in its `pyproject.toml`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from infer_bench.errors import UsageError
from infer_bench.project import project_table
from infer_bench.request_choices import RequestChoices

if TYPE_CHECKING:
    from infer_bench.stats.agreement.limits import Limits

Probes = Literal["on", "off", "only"]
InputDtype = Literal["float32", "float64"]

PROBES: tuple[Probes, ...] = get_args(Probes)
INPUT_DTYPES: tuple[InputDtype, ...] = get_args(InputDtype)

PROBABILITIES = frozenset({"binary", "multiclass"})
"""The tasks whose predictions are probabilities."""
MOST_PARTS = 1_000_000
DEFAULT_ATOL = 1e-4
UNBOUNDED_RTOL = 1e-5
"""The default beside atol for predictions that are no probabilities: their size is the user's unit."""


@dataclass(frozen=True, slots=True)
class PartNumber:
    """One part, `index` from 1 on, of so many that a comparison is cut into."""

    index: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "PartNumber":
        """`3/8`. Raises `UsageError`."""
        index, _, of = text.partition("/")
        if not (index.isascii() and index.isdigit() and of.isascii() and of.isdigit()):
            raise UsageError(f"a shard is written 3/8, the third of eight, not {text!r}")
        if not 1 <= int(index) <= int(of) <= MOST_PARTS:
            raise UsageError(
                f"there is no shard {text}", f"the first of eight is 1/8; up to {MOST_PARTS:,} are possible"
            )
        return cls(int(index), int(of))

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


@dataclass(frozen=True, slots=True)
class ValidateSettings:
    """Tolerances that are None are the defaults: atol 1e-4, rtol 0 for probabilities and 1e-5 for other predictions.

    Without either, a network that can be computed in float64 is compared in multiples of what it rounds itself.

    `threshold` is the decision threshold, `rows` limits the rows read, `input_dtype` rounds them before either model is
    fed, `worst` is how many of the worst rows are kept. With `strict`, a candidate that answers a probe which the
    reference refuses is different. `shard` (`3/8`) is the part of the rows that is compared; the first has the probes.
    `requests` are what the drawn requests of a network are to be.
    """

    atol: float | None = None
    rtol: float | None = None
    threshold: float | None = None
    probes: Probes = "on"
    rows: int | None = None
    worst: int = 10
    input_dtype: InputDtype | None = None
    strict: bool = False
    allow_pickle: bool = False
    threads: int = 1
    seed: int = 0
    timeout_s: float = 600.0
    shard: str | None = None
    requests: RequestChoices = field(default_factory=RequestChoices)

    def __post_init__(self) -> None:
        for name, value in (("atol", self.atol), ("rtol", self.rtol)):
            if value is not None and not 0 <= value < float("inf"):
                raise UsageError(f"{name} is a number from 0 on, not {value:g}")
        if self.threshold is not None and self.threshold != self.threshold:
            raise UsageError("the threshold is not a number")
        if self.rows is not None and self.rows < 1:
            raise UsageError("at least one row is needed")
        if self.seed < 0:
            raise UsageError("the seed is a whole number from 0 on")
        if not 0 <= self.worst <= 10_000:
            raise UsageError("worst is 0 to 10,000 rows")
        if self.probes not in PROBES:
            raise UsageError(f"probes cannot be {self.probes!r}", f"one of: {', '.join(PROBES)}")
        if not 1 <= self.threads <= 1024:
            raise UsageError("threads are 1 to 1024")
        if self.shard is not None:
            PartNumber.parse(self.shard)

    @property
    def part(self) -> PartNumber | None:
        """The part of the rows that is compared; None for all of them."""
        return None if self.shard is None else PartNumber.parse(self.shard)

    @property
    def has_first_part(self) -> bool:
        """Whether the first rows and the probes are compared here."""
        return self.part is None or self.part.index == 1

    def limits(self, *tasks: str) -> "Limits":
        """When two predictions of models of these tasks count as the same.

        As probabilities they count where one of the models gives them.
        """
        from infer_bench.stats.agreement.limits import Limits

        atol = DEFAULT_ATOL if self.atol is None else self.atol
        rtol = self.rtol
        if rtol is None:
            unbounded = self.atol is None and not PROBABILITIES & set(tasks)
            rtol = UNBOUNDED_RTOL if unbounded else 0.0
        by_rounding = self.atol is None and self.rtol is None
        return Limits(atol, rtol, self.threshold, self.worst, by_rounding=by_rounding)


def project_tolerances(start: Path | None = None) -> dict[str, Any]:
    """`atol`, `rtol` and `threshold` of `[tool.infer-bench]` in the nearest `pyproject.toml` at or above `start`.

    Raises `UsageError` when the file is broken or a value is no number.
    """
    table = project_table(start)
    return {name: _number(table[name], name) for name in ("atol", "rtol", "threshold") if name in table}


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no number: {value!r}")
    return float(value)
