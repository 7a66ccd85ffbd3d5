"""The frozen types of a conversion: what was written, and how far it was compared. See `common`."""

from dataclasses import dataclass

from infer_bench.report.common import ModelInfo, Report, Rounding


@dataclass(frozen=True, slots=True)
class CheckedGroup:
    """Rows of one kind on which a converted file was compared with the original.

    `max_relative_delta` is the largest |difference| / max(1, |reference|). `refused` counts the rows that the original
    library refuses to answer (scikit-learn raises on NaN, say), and `answered_though_refused` those of them to which
    the file gives an answer other than NaN. `failing` rows are beyond the tolerance where that is not a share of the
    size; `rounding` is None where the original has no float64 form.
    """

    name: str
    rows: int
    max_abs_delta: float
    max_relative_delta: float
    label_changes: int
    non_finite_mismatches: int = 0
    refused: int = 0
    answered_though_refused: int = 0
    failing: int = 0
    rounding: Rounding | None = None


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """A conversion that was run and compared. `output` is None when no file was written, `failed` then says why.

    `criterion` is what answers must meet: `relative` (|difference| / max(1, |reference|) up to `tolerance`), `rounding`
    (multiples of what the original rounds, in float32) or `given` (`tolerance` + `rtol` x |reference|, the user's).
    """

    source: ModelInfo
    output: ModelInfo | None
    route: str
    precision: str
    input_dtype: str
    tolerance: float
    groups: tuple[CheckedGroup, ...] = ()
    failed: str | None = None
    criterion: str = "relative"
    rtol: float = 0.0

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return bool(self.groups)


ConvertReport = Report[ConvertResult]
