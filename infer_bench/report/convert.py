"""The frozen types of a conversion: what was written, and how far it was compared. See `common`."""

from dataclasses import dataclass

from infer_bench.report.common import ModelInfo, Report


@dataclass(frozen=True, slots=True)
class CheckedGroup:
    """Rows of one kind on which a converted file was compared with the original.

    `max_relative_delta` is the largest |difference| / max(1, |reference|). `refused` counts the rows that the original
    library refuses to answer (scikit-learn raises on NaN, say), and `answered_though_refused` those of them to which
    the file gives an answer other than NaN.
    """

    name: str
    rows: int
    max_abs_delta: float
    max_relative_delta: float
    label_changes: int
    non_finite_mismatches: int = 0
    refused: int = 0
    answered_though_refused: int = 0


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """A conversion that was run and compared. `output` is None when no file was written, `failed` then says why."""

    source: ModelInfo
    output: ModelInfo | None
    route: str
    precision: str
    input_dtype: str
    tolerance: float
    groups: tuple[CheckedGroup, ...] = ()
    failed: str | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return bool(self.groups)


ConvertReport = Report[ConvertResult]
