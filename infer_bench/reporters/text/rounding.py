"""What two models' errors against float64 say, in words."""

from collections.abc import Iterable

from infer_bench.report.common import Rounding
from infer_bench.reporters.text import numbers

_MOST = 1_000


def find_worst(roundings: Iterable[Rounding | None]) -> Rounding | None:
    """The one of the largest ratio."""
    return max((one for one in roundings if one is not None), key=lambda one: one.ratio, default=None)


def format_multiple(rounding: Rounding | None) -> str:
    """`0.6×`, in multiples of what the reference rounds."""
    if rounding is None:
        return numbers.MISSING
    if rounding.ratio > _MOST:
        return f"> {_MOST:,}×"
    return f"{rounding.ratio:.1f}×" if rounding.ratio < 100 else f"{rounding.ratio:,.0f}×"


def describe_errors(rounding: Rounding, reference: str) -> str:
    """Both root mean squares, and the candidate's in multiples of what float32 rounds; `reference` names the other.

    Without float64, how far the two are apart, in multiples of what an ulp in weights and requests moves.
    """
    if rounding.method == "noise":
        sentence = f"{numbers.delta(rounding.candidate_rmse)} apart, where an ulp in weights and requests moves"
        multiple = f"{format_multiple(rounding)} ({_describe_band(rounding)})"
        return f"{sentence} {numbers.delta(rounding.reference_rmse)}: {multiple}"
    if rounding.of_candidate:
        errors = f"{reference} {numbers.delta(rounding.reference_rmse)}, {numbers.delta(rounding.candidate_rmse)}"
        return f"{errors}; {format_multiple(rounding)} what the candidate rounds ({_describe_band(rounding)})"
    errors = f"{numbers.delta(rounding.candidate_rmse)}, {reference} {numbers.delta(rounding.reference_rmse)}"
    return f"{errors}; {format_multiple(rounding)} what float32 rounds ({_describe_band(rounding)})"


def _describe_band(rounding: Rounding) -> str:
    if rounding.ratio <= rounding.same_up_to:
        return f"up to {rounding.same_up_to:g}× is the same"
    if rounding.ratio <= rounding.different_from:
        return f"up to {rounding.same_up_to:g}× is the same, above {rounding.different_from:g}× is another answer"
    return f"above {rounding.different_from:g}× is another answer"
