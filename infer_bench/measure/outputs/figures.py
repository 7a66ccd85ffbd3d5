"""From the comparison of outputs to the figures of a report. Pure."""

from collections.abc import Iterable

from infer_bench.measure.outputs.group import NetworkGroup
from infer_bench.report.common import Rounding
from infer_bench.report.validate import OutputDelta, TensorDelta, WorstRow
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.rounding import DIFFERENT, SAME
from infer_bench.stats.agreement.tensors.output_comparison import OutputComparison


def report_outputs(group: NetworkGroup) -> tuple[OutputDelta, ...]:
    """One entry an output, in the reference's order."""
    return tuple(_output(output, group.limits) for output in group.comparison.outputs.values())


def _output(output: OutputComparison, limits: Limits) -> OutputDelta:
    tally = output.tally
    return OutputDelta(
        output=output.name,
        max_abs_delta=tally.max_abs,
        mean_abs_delta=tally.mean_abs,
        p999_abs_delta=tally.quantile(0.999),
        max_relative_delta=tally.max_relative,
        max_ulps_float32=tally.max_ulps32,
        max_ulps_float64=tally.max_ulps64,
        rmse=tally.rmse,
        failing=len(output.failing(limits)),
        flips=0,
        non_finite_mismatches=tally.non_finite_mismatches,
        tensor=_tensor(output, limits),
    )


def _tensor(output: OutputComparison, limits: Limits) -> TensorDelta:
    dtype, other = (_name_dtype(name) for name in output.dtypes)
    changes, ties = output.label_changes(limits)
    return TensorDelta(
        dtype=dtype,
        shape=output.unlike[1] if output.unlike else output.shapes[0],
        candidate_dtype=other if other != dtype else None,
        candidate_shape=output.unlike[2] if output.unlike else None,
        varies=output.varies,
        unlike_request=output.unlike[0] if output.unlike else None,
        largest=None if dtype == "text" else output.largest,
        exact=output.is_exact,
        unequal=output.unequal,
        ties=sum(request.ties for request in output.requests),
        label_changes=changes if output.scores else None,
        label_ties=ties if output.scores else 0,
        rounding=_rounding(output) if limits.by_rounding else None,
    )


def _name_dtype(name: str) -> str:
    return "text" if name == "object" or name.startswith(("str", "bytes")) else name


def _rounding(output: OutputComparison) -> Rounding | None:
    """The multiple where it is the largest; None where nothing measures it."""
    pool = output.worst_pool()
    if pool is None or output.method is None:
        return None
    if output.method == "noise":
        own, other = pool.unit, pool.other
    else:
        own, other = (pool.other, pool.own) if output.by_candidate else (pool.own, pool.other)
    return Rounding(pool.ratio, own, other, SAME, DIFFERENT, output.method, output.by_candidate)


def worst_requests(groups: Iterable[NetworkGroup], limits: Limits) -> tuple[WorstRow, ...]:
    """The places that differ most in the requests that differ, one a request and output."""
    lines = [
        WorstRow(
            group.name, request.number, name, _number(at.reference), _number(at.candidate), at.delta, place=at.place
        )
        for group in groups
        for name, output in group.comparison.outputs.items()
        for failing in [output.failing(limits)]
        for request in output.requests
        if (at := request.furthest) is not None and request.number in failing
    ]
    lines.sort(key=lambda line: (-line.abs_delta, line.group != "data", line.group, line.row))
    return tuple(lines[: limits.worst])


def _number(value: float) -> float | None:
    return None if value != value else value
