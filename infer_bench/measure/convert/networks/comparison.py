"""The file of a network beside the original, request by request."""

from dataclasses import dataclass

from infer_bench.data import Table
from infer_bench.errors import EngineError
from infer_bench.measure.outputs.blocks import cut_blocks
from infer_bench.measure.outputs.figures import report_outputs
from infer_bench.measure.outputs.group import NetworkGroup, named_predictions
from infer_bench.measure.rounding import worst_rounding
from infer_bench.report.common import Rounding
from infer_bench.report.convert import CheckedGroup
from infer_bench.report.validate import OutputDelta
from infer_bench.stats.agreement.limits import Limits
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.network_outputs import OutputVariants, PredictOutputs, PredictVariants


@dataclass(eq=False)
class NetworkComparison:
    """Both networks, each in a worker, and when they count as the same.

    `obstacle` is why it is not known what the original rounds, and `is_coarse` whether it works in less than float32.
    """

    original: Worker
    converted: Worker
    limits: Limits
    obstacle: str = ""
    is_coarse: bool = False

    def compare(self, name: str, table: Table) -> NetworkGroup:
        """Both on all requests. Raises `EngineError` where one of them answers none."""
        group = NetworkGroup(name, self.limits)
        for block in cut_blocks(table, lambda first: self.original.ask(PredictOutputs(first.columns)).outputs):
            columns = block.columns
            ours, theirs = (worker.ask(PredictOutputs(columns)) for worker in (self.original, self.converted))
            own = self._ask_variants(self.original, columns)
            other = None
            if own is None or own.is_coarse:
                other = self._ask_variants(self.converted, columns)
            self.is_coarse = self.is_coarse or bool(own and own.is_coarse)
            group.add(named_predictions(ours, ours.outputs, own), named_predictions(theirs, theirs.outputs, other))
        return group

    def _ask_variants(self, worker: Worker, columns: Columns) -> OutputVariants | None:
        if not self.limits.by_rounding:
            return None
        try:
            return worker.ask(PredictVariants(columns))
        except EngineError as error:
            self.obstacle = self.obstacle or error.message
            return None


def describe_group(group: NetworkGroup) -> CheckedGroup:
    """The figures of a report."""
    outputs = report_outputs(group)
    changes = [output.tensor.label_changes for output in outputs if output.tensor]
    return CheckedGroup(
        name=group.name,
        rows=group.comparison.requests,
        max_abs_delta=max((output.max_abs_delta for output in outputs), default=0.0),
        max_relative_delta=max((output.max_relative_delta for output in outputs), default=0.0),
        label_changes=sum(change for change in changes if change is not None),
        non_finite_mismatches=sum(output.non_finite_mismatches for output in outputs),
        refused=group.comparison.refused_by_both,
        failing=len(group.failing),
        rounding=_worst(outputs),
    )


def is_empty(group: NetworkGroup) -> bool:
    """Whether no request has a single value in any output: nothing was compared then."""
    return all(output.is_empty for output in group.comparison.outputs.values())


def describe_failure(group: NetworkGroup) -> str | None:
    """In words where the file answers otherwise; None where it does not."""
    if not group.failing:
        return None
    requests = f"{len(group.failing):,} of {group.comparison.requests:,} {group.name} requests"
    if group.comparison.missing:
        return f"the file lacks the outputs {', '.join(group.comparison.missing)}"
    outputs = [output for output in report_outputs(group) if output.failing]
    return (
        f"the file answers otherwise on {requests}: {'; '.join(map(_describe_output, outputs[:3]))}{_complaint(group)}"
    )


def _complaint(group: NetworkGroup) -> str:
    return f"; {group.complaint}" if group.complaint else ""


def _describe_output(output: OutputDelta) -> str:
    tensor = output.tensor
    if tensor is not None and tensor.candidate_shape is not None:
        return f"{output.output} has the size {tensor.candidate_shape} and not {tensor.shape}"
    if tensor is not None and tensor.candidate_dtype is not None:
        return f"{output.output} is {tensor.candidate_dtype} and not {tensor.dtype}"
    if tensor is not None and tensor.exact:
        return f"{output.output} has {tensor.unequal:,} other values"
    times = f", {tensor.rounding.ratio:,.1f} × what the original rounds" if tensor and tensor.rounding else ""
    return f"{output.output} by max |Δ| {output.max_abs_delta:.1e}{times}"


def _worst(outputs: tuple[OutputDelta, ...]) -> Rounding | None:
    return worst_rounding(output.tensor.rounding for output in outputs if output.tensor)
