"""The frozen types of a comparison: how far answers lie apart, on which rows, and why. See `common`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infer_bench.report.common import ModelInfo, Report, Rounding

LABEL = "label"
"""The meaning of outputs of which the labels alone were compared: there are no figures on numbers."""


@dataclass(frozen=True, slots=True)
class TensorDelta:
    """An output of a network: what it is, and how it was compared.

    `shape` and `dtype` are those of the first request's, or of the `unlike_request`, the first in which the candidate's
    shape is another one (`candidate_shape`); `candidate_dtype` is None where it is the same. With `varies` other
    requests give other shapes. `largest` is the reference's largest magnitude, None for text. `unequal` values of an
    `exact` output (integers, truth values, text) differ, beside `ties`, which rounding makes of either. `rounding` is
    None where nothing measures it. `label_changes` are the places at which the largest of what looks like the scores of
    classes is another one, None for other outputs, and `label_ties` those where rounding alone decides which.
    """

    dtype: str
    shape: tuple[int, ...]
    candidate_dtype: str | None = None
    candidate_shape: tuple[int, ...] | None = None
    varies: bool = False
    unlike_request: int | None = None
    largest: float | None = None
    exact: bool = False
    unequal: int = 0
    ties: int = 0
    label_changes: int | None = None
    label_ties: int = 0
    rounding: Rounding | None = None


@dataclass(frozen=True, slots=True)
class OutputDelta:
    """How far one output of a group's rows lies apart, as the fields of the same names in `ValidateGroup`.

    `tensor` is None but for a network that is fed by tensors, where `failing` counts requests.
    """

    output: str
    max_abs_delta: float
    mean_abs_delta: float
    p999_abs_delta: float
    max_relative_delta: float
    max_ulps_float32: int
    max_ulps_float64: int
    rmse: float
    failing: int
    flips: int
    non_finite_mismatches: int
    tensor: TensorDelta | None = None


@dataclass(frozen=True, slots=True)
class ValidateGroup:
    """Rows of one kind compared: the user's (`data`), or probes made to find differences.

    Maxima and means are over the pairs of finite answers of all outputs. `failing` rows are beyond the tolerance,
    finite on one side only, answered by one side only (`refusals`), or change their label or side of the threshold.
    `histogram` counts |Δ| by decade: "-8" holds 1e-8 to 1e-7, "exact" none. `p999_abs_delta` is too high by less than
    1 %. `passing_atol` is the smallest that would pass, None when none would. `refused_by_both` rows were not
    compared, since neither side gives them a number, and neither were those `answered_though_refused`: probes that the
    reference refuses and the candidate answers. `rounding` is None where the reference has no float64 form.
    Of a network a row is a request; `missing_outputs` are those that the candidate lacks, `extra_outputs` those that it
    alone has, which are not compared.
    """

    name: str
    rows: int
    max_abs_delta: float
    label_changes: int | None
    flips: int
    non_finite_mismatches: int
    mean_abs_delta: float = 0.0
    p999_abs_delta: float = 0.0
    max_relative_delta: float = 0.0
    max_ulps_float32: int = 0
    max_ulps_float64: int = 0
    rmse: float = 0.0
    argmax_changes: int | None = None
    rank_correlation: float | None = None
    failing: int = 0
    refusals: int = 0
    refused_by_both: int = 0
    answered_though_refused: int = 0
    passing_atol: float | None = 0.0
    passing_rtol: float | None = 0.0
    histogram: Mapping[str, int] = field(default_factory=dict)
    outputs: tuple[OutputDelta, ...] = ()
    note: str = ""
    rounding: Rounding | None = None
    missing_outputs: tuple[str, ...] = ()
    extra_outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why rows differ: applied to the reference, it gives the candidate's answers to `rows_explained` rows.

    Causes are found jointly: `rows_explained` counts what all of a result's causes explain together. `tree`, `feature`,
    `split`, `value` and `row` (of `group`) are the first decision that comes out otherwise, where a cause is one.
    """

    name: str
    rows_explained: int
    rows_examined: int = 0
    detail: str = ""
    fix: str = ""
    group: str | None = None
    row: int | None = None
    tree: int | None = None
    feature: str | None = None
    split: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class WorstRow:
    """One of the rows that differ most: its number in its group, and both answers (None where there is no number).

    `place` is that of the number in an output that is a tensor.
    """

    group: str
    row: int
    output: str
    reference: float | None
    candidate: float | None
    abs_delta: float
    features: Mapping[str, float | int | bool | str | None] = field(default_factory=dict)
    place: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedModel:
    """One side of a comparison: what was opened, by which engine, and the dtype that its library was fed.

    `engine` is "saved" for predictions read from a file. `converted_from` is the path of the model where that was
    converted for the engine: then `model` is what the conversion left in its cache, under a name that says nothing.
    """

    engine: str
    model: ModelInfo
    fed: str = ""
    converted_from: str = ""

    @property
    def title(self) -> str:
        """The name of the model's file: `model.txt`, or `model.txt as ONNX`."""
        name = (self.converted_from or self.model.path).replace("\\", "/").rsplit("/", 1)[-1]
        return f"{name} as ONNX" if self.converted_from else name


@dataclass(frozen=True, slots=True)
class ValidateResult:
    """A reference and a candidate compared on groups of rows. `failed` says why there was nothing to compare.

    `smallest_passing_atol` is the least tolerance that would pass, None when none would: labels changed, or answers are
    finite on one side only. `by_rounding`: multiples of what the reference rounds decided, and not `atol` and `rtol`.
    """

    reference: ComparedModel
    candidate: ComparedModel
    smallest_passing_atol: float | None
    atol: float
    rtol: float
    output_meaning: str = ""
    groups: tuple[ValidateGroup, ...] = ()
    causes: tuple[Cause, ...] = ()
    not_explained: int = 0
    why: str = ""
    worst: tuple[WorstRow, ...] = ()
    different: bool = False
    rows_per_s: float | None = None
    failed: str | None = None
    by_rounding: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return any(group.rows for group in self.groups)


ValidateReport = Report[ValidateResult]
