"""What came of a candidate's probes, as the report has it."""

from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.validation import CandidateState
from infer_bench.report.bench import ProbeTest


def describe_test(state: CandidateState) -> ProbeTest:
    """The figures over all kinds of probes, and the causes that were found."""
    groups = [group for group in state.groups.values() if group.comparison.rows]
    parts = [group.comparison for group in groups]
    changes = [part.label_changes for part in parts if part.label_changes is not None]
    return ProbeTest(
        rows=sum(part.rows for part in parts),
        failing=sum(part.failing for part in parts),
        max_abs_delta=max((part.max_abs for part in parts), default=0.0),
        label_changes=sum(changes) if changes else None,
        non_finite_mismatches=sum(part.pooled.non_finite_mismatches for part in parts),
        refusals=sum(part.refusals for part in parts),
        groups={group.group: group.comparison.failing for group in groups if group.comparison.failing},
        causes=state.explanation.causes,
        why=state.explanation.why or _first_complaint(groups),
    )


def _first_complaint(groups: list[GroupComparison]) -> str:
    """What a library said of the first row that it alone refused."""
    return next((group.complaint for group in groups if group.comparison.refusals and group.complaint), "")
