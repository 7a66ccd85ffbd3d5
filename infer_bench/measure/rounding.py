"""What rounding makes of a comparison, as the report has it."""

from collections.abc import Iterable

from infer_bench.report.common import Rounding
from infer_bench.stats.agreement.rounding import DIFFERENT, SAME, RoundingTally


def describe_rounding(tally: RoundingTally) -> Rounding | None:
    """Both errors at the size of request where the candidate's is the most multiples of the reference's."""
    worst = tally.worst
    return None if worst is None else Rounding(worst.ratio, worst.reference_rmse, worst.candidate_rmse, SAME, DIFFERENT)


def worst_rounding(roundings: Iterable[Rounding | None]) -> Rounding | None:
    """That of the largest ratio."""
    return max((one for one in roundings if one), key=lambda one: one.ratio, default=None)
