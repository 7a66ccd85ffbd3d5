"""What a comparison of models comes to: all that its report is made of, whoever compared which rows."""

from dataclasses import dataclass, field, replace

from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.group_comparison import GroupComparison, merge
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.report.common import Notice
from infer_bench.report.validate import ComparedModel, ValidateResult
from infer_bench.stats.agreement.limits import Limits


@dataclass(frozen=True, slots=True)
class LabelSentences:
    """Why labels alone were compared, what was assumed for it, and what would let numbers be compared."""

    reason: str
    remarks: tuple[str, ...]
    hint: str


@dataclass(frozen=True, slots=True, eq=False)
class CandidateSummary:
    """A candidate beside the reference: by what they are compared, and the comparison of each group of rows.

    `outputs` are the names of what was compared, `mapping` notices on how its columns were matched. `labels` is None
    where numbers were compared. `errors` ended the comparison, each with the number of the part that it ended.
    """

    name: str
    reference: ComparedModel
    candidate: ComparedModel
    limits: Limits
    output_meaning: str
    outputs: tuple[str, ...]
    groups: tuple[GroupComparison, ...]
    labels: LabelSentences | None = None
    mapping: tuple[Notice, ...] = ()
    errors: tuple[tuple[int, str], ...] = ()
    explanation: Explanation = field(default_factory=Explanation)

    @property
    def differs(self) -> bool:
        """Whether some row does."""
        return any(group.comparison.failing for group in self.groups)


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonSummary:
    """Every candidate, and what is to be known beside: notices that come before and after those on candidates.

    `float64_obstacle` says why what the reference rounds is not known.
    """

    settings: ValidateSettings
    candidates: tuple[CandidateSummary, ...]
    unopened: tuple[ValidateResult, ...] = ()
    matching: tuple[Notice, ...] = ()
    remarks: tuple[Notice, ...] = ()
    float64_obstacle: str = ""


def add(one: ComparisonSummary, other: ComparisonSummary) -> ComparisonSummary:
    """The summary of both sets of rows, of the same models; what the two say differently, the first one says."""
    pairs = zip(one.candidates, other.candidates, strict=True)
    return replace(one, candidates=tuple(_add(*pair) for pair in pairs))


def _add(one: CandidateSummary, other: CandidateSummary) -> CandidateSummary:
    groups = {group.group: group for group in one.groups}
    for group in other.groups:
        groups[group.group] = merge(groups[group.group], group) if group.group in groups else group
    errors = tuple(sorted({*one.errors, *other.errors}))
    return replace(one, groups=tuple(groups.values()), errors=errors)
