"""What follows from a quantisation: why each form was not written, and what stands behind the figures."""

from collections.abc import Iterator
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.quantize import QuantizeResult
from infer_bench.reporters.inputs import describe_inputs
from infer_bench.reporters.quantize.columns import describe_check, name_form
from infer_bench.reporters.text import numbers

MOST_BLAMED = 3


def list_sentences(report: Report[Any]) -> Iterator[str]:
    """One after the other, by form, and at last what drawn rows hold."""
    results: tuple[QuantizeResult, ...] = report.results[1:]
    blamed = [result for result in results if result.blame]
    for result in results:
        yield from describe_form(result, blame=result.saturates or result in blamed[:1])
    if report.inputs:
        yield f"rows were drawn from the model: {describe_inputs(report.inputs)}"


def describe_form(result: QuantizeResult, *, blame: bool = True) -> Iterator[str]:
    """Why it failed or broke a limit, what saturates, what depends on the batch, and which layers are to `blame`."""
    name = name_form(result)
    if result.failed is not None:
        yield f"{name}: {result.failed}"
        return
    short = [check for check in result.checks if check.outcome != "pass"]
    if short:
        yield f"{name}: {'; '.join(map(describe_check, short))}"
    yield from _describe_layers(result, name)
    slower = [time for time in result.times if time.high is not None and time.high < 1]
    if result.output is not None and slower:
        ratios = ", ".join(
            numbers.ratio(time.ratio) + (f" at batch {time.batch}" if time.batch else "") for time in slower
        )
        yield f"{name}: smaller, not faster here: {ratios}"
    if result.saturates and result.max_abs_delta is not None:
        precise = numbers.delta(result.precise_max_abs_delta)
        yield (
            f"{name}: sums saturate on this CPU (max |Δ| {numbers.delta(result.max_abs_delta)}, without it {precise}): "
            "a CPU with VNNI gives other predictions"
        )
    if result.batch_invariant is False:
        moves = numbers.delta(result.batch_max_abs_delta)
        yield f"{name}: not batch-invariant: a row's prediction moves by up to {moves} with the rows beside it"
    if result.blame and blame:
        yield f"{name}: {_blame_layers(result)}"


def _blame_layers(result: QuantizeResult) -> str:
    """What leaving one layer out changes; layers that change no digit that is shown are not named."""
    whole = numbers.delta(result.blame_max_abs_delta)
    changes = {b.layer: text for b in result.blame[:MOST_BLAMED] if (text := numbers.delta(b.max_abs_delta)) != whole}
    if not changes:
        return f"no layer alone is to blame: with any one left in float32 Δ stays {whole}"
    parts = [f"{layer}: Δ {whole} → {text}" for layer, text in changes.items()]
    return f"with one layer left in float32: {', '.join(parts)}"


def _describe_layers(result: QuantizeResult, name: str) -> Iterator[str]:
    partial = [entry for entry in result.layers if entry.quantised < entry.layers]
    if partial:
        counts = (
            f"{entry.quantised} of {entry.layers} {entry.operator}" + (f" ({entry.reason})" if entry.reason else "")
            for entry in partial
        )
        yield f"{name}: quantised are {', '.join(counts)}"
