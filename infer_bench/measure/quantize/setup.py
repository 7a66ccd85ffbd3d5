"""What every form of a network is made from and judged by."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from infer_bench.converters.quantization.forms import FORMS
from infer_bench.converters.quantization.network import Layer
from infer_bench.errors import UsageError
from infer_bench.measure.candidates.models import describe_model
from infer_bench.measure.quantize.budget import Budget, fit_drawn
from infer_bench.measure.quantize.network_tools import NetworkTools, RowsFile
from infer_bench.measure.quantize.reference import Reference, read_reference
from infer_bench.measure.quantize.rows import Rows, warn_of_range
from infer_bench.measure.quantize.settings import ALPHA, QuantizeLimits, QuantizeSettings
from infer_bench.report.common import ModelInfo, Notice
from infer_bench.workers.tasks.quantize import NetworkDescription

DEFAULT_FLIPS = 0.01
NO_LIMIT = ("nothing says how much may be lost", "--max-delta 0.05, --max-flips 1% or --max-drop accuracy=0.5%")
FIRST = 32
"""So many rows tell how long all will take."""


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """What every form is made from and judged by. On the `trial` rows layers are left out to see what that helps."""

    tools: NetworkTools
    model: ModelInfo
    layers: tuple[Layer, ...]
    calibrating: RowsFile
    judging: RowsFile
    reference: Reference
    trial: RowsFile
    trial_reference: Reference
    settings: QuantizeSettings
    budget: Budget

    @property
    def alpha(self) -> float:
        """The chance of a wrong outcome that each form may have, so that all together have `ALPHA`."""
        return ALPHA / (len(FORMS) * (2 if self.settings.exclude_auto else 1))

    @property
    def free_layers(self) -> tuple[str, ...]:
        """The layers that may be quantised."""
        return tuple(layer.name for layer in self.layers if layer.constant and layer.name not in self.settings.exclude)

    def path(self, form: str, excluded: tuple[str, ...] = ()) -> str:
        """Where the file of a form stands."""
        suffix = f"-without-{len(excluded)}" if excluded != self.settings.exclude else ""
        return str(self.tools.folder / f"{form}{suffix}.onnx")


def set_up(
    tools: NetworkTools, network: NetworkDescription, rows: Rows, settings: QuantizeSettings
) -> tuple[Setup, Rows, list[Notice]]:
    """Run the original on all rows, and say what is judged and by what; with the rows that the budget has time for.

    Raises `UsageError` without a limit.
    """
    source, budget = tools.source, Budget(settings.budget_s)
    budget.row_s = _time_row(tools, rows)
    rows, fewer = fit_drawn(rows, budget)
    calibrating, judging = tools.save(rows.calibrating, "calibrating"), tools.save(rows.judging, "judging")
    flips_limited = settings.limits.max_flips is not None
    reference = read_reference(tools.run(source.path, judging), rows.labels, flips_limited=flips_limited)
    notices = [*_announce_rows(rows, reference), *warn_of_range(rows), *fewer, budget.announce(rows.judging.count)]
    if not settings.limits.any:
        settings = replace(settings, limits=_default_limits(reference, rows))
    if settings.limits.max_flips is not None and reference.scores is None:
        raise UsageError("no output of the model tells classes that could flip", "limit --max-delta")
    if settings.limits.max_delta is not None and not reference.compared_outputs:
        raise UsageError("no output of the model is a number that could differ", "limit --max-flips")
    trial, trial_reference = judging, reference
    if rows.selecting is not None:
        trial = tools.save(rows.selecting, "selecting")
        trial_reference = replace(reference, outputs=tools.run(source.path, trial), truth=None)
        if rows.selecting_labels is not None:
            trial_reference = read_reference(trial_reference.outputs, rows.selecting_labels, flips_limited=True)
    info = describe_model(source, None)
    own = Setup(tools, info, network.layers, calibrating, judging, reference, trial, trial_reference, settings, budget)
    return own, rows, notices


def _time_row(tools: NetworkTools, rows: Rows) -> float:
    """Seconds that the original takes for a row, of the first few."""
    stack = max(1, rows.judging.stack)
    first = tools.save(rows.judging.take(range(min(rows.judging.count, max(stack, FIRST // stack * stack)))), "first")
    start_s = time.monotonic()
    tools.run(tools.source.path, first)
    return (time.monotonic() - start_s) / first.count


def _default_limits(reference: Reference, rows: Rows) -> QuantizeLimits:
    if reference.scores is None or rows.are_drawn:
        raise UsageError(*NO_LIMIT)
    return QuantizeLimits(max_flips=DEFAULT_FLIPS)


def _announce_rows(rows: Rows, reference: Reference) -> Iterator[Notice]:
    kind = "drawn rows" if rows.are_drawn else "rows"
    selecting = "" if rows.selecting is None else f", {rows.selecting.count} select the layers that stay float32"
    message = f"{rows.calibrating.count} {kind} calibrate{selecting} and {rows.judging.count} others judge"
    classes = f"; classes are told by {reference.scores!r}" if reference.scores else ""
    yield Notice("rows-split", message + classes)
    if rows.are_drawn:
        yield Notice("drawn-rows", "rows that are drawn say nothing about accuracy", "judge on real ones with --data")
    yield from rows.notices
