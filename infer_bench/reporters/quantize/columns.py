"""The cells of a form's row."""

from collections.abc import Sequence

from infer_bench.report.quantize import LimitCheck, QuantizeResult
from infer_bench.reporters.bench.columns import fill_quality
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name

METRICS = {"accuracy": "accuracy drop", "flips": "classes that flip", "delta": "max |Δ|"}


def list_titles(results: Sequence[QuantizeResult]) -> dict[str, str]:
    """Key → title of the columns that some row fills."""
    batches = sorted({time.batch for result in results for time in result.times})
    titles = {
        "size": "size",
        **{f"time{batch}": f"speed ×{batch}" if batch else "speed" for batch in batches},
        "delta": "max |Δ|",
    }
    if any(result.flips for result in results):
        titles["flips"] = "flips"
    if any(result.quality for result in results):
        titles |= {"accuracy": "accuracy", "f1": "F1", "auc": "AUC"}
    return {**titles, "outcome": "limits"}


def fill_cells(result: QuantizeResult) -> dict[str, str]:
    """Key → text."""
    cells = {
        "size": numbers.size(result.bytes),
        "delta": numbers.delta(result.max_abs_delta),
        "outcome": describe_outcome(result),
    }
    cells |= {f"time{time.batch}": numbers.speedup(time.ratio, time.low, time.high) for time in result.times}
    if result.flips is not None:
        cells["flips"] = f"{result.flips.flips}"
    if result.quality is not None:
        cells |= fill_quality(result.quality)
    return cells


def describe_outcome(result: QuantizeResult) -> str:
    """What became of a form, in a word."""
    if result.failed is not None:
        return "failed"
    if result.output is not None:
        return "written"
    outcomes = {check.outcome for check in result.checks}
    return next((word for word in ("broken", "undecided", "pass") if word in outcomes), "")


def describe_written(results: Sequence[QuantizeResult]) -> str:
    """Which file is written, and how small it is."""
    for result in results:
        if result.output is not None:
            sizes = f"{numbers.size(result.output.bytes)} of {numbers.size(result.model.bytes)}"
            return f"{file_name(result.output.path)} is written: {name_form(result)}, {sizes}"
    return "no file is written"


def name_form(result: QuantizeResult) -> str:
    """The form, and how many layers it leaves in float32."""
    if not result.excluded:
        return result.title
    return f"{result.title}, {numbers.plural(len(result.excluded), 'layer')} in float32"


def describe_check(check: LimitCheck) -> str:
    """A limit and how near it was: `classes that flip 0.22 % (0 to 1.3 %), limit 1 %`."""
    if check.metric == "delta":
        return f"{METRICS['delta']} {numbers.delta(check.value)}, limit {check.limit:g}"
    low, high = (f"{value * 100:.2f}" for value in (check.low, check.high))
    return f"{METRICS[check.metric]} {check.value * 100:.2f} % ({low} to {high} %), limit {check.limit * 100:g} %"
