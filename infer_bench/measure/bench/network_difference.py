"""How far the outputs of two networks lie apart, for a row of the table. Pure."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from infer_bench.measure.outputs.names import pair_names, rename_outputs
from infer_bench.measure.schedule.measurements import NetworkOutputs
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions
from infer_bench.stats.agreement.tensors.network_comparison import NetworkComparison, compare_networks
from infer_bench.stats.agreement.tensors.output_comparison import OutputComparison
from infer_bench.typing import Columns

MOST_REQUESTS = 128
"""So many are compared: each is looked at output by output. `validate` compares all."""


_DESCRIBED: "WeakKeyDictionary[NetworkOutputs, WeakKeyDictionary[NetworkOutputs, dict[str, Any]]]" = WeakKeyDictionary()
"""By candidate and reference: reports are made again and again while a run goes on."""


def describe_difference(reference: NetworkOutputs, candidate: NetworkOutputs, batch: int = 1) -> dict[str, Any]:
    """The fields of a result that say whether it predicts what the reference does, output by output.

    Each answer is one of `batch` requests.
    """
    by_reference = _DESCRIBED.setdefault(candidate, WeakKeyDictionary())
    if reference not in by_reference:
        by_reference[reference] = _describe(reference.columns, candidate.columns, batch)
    return by_reference[reference]


def _describe(ours: Columns, candidate: Columns, batch: int) -> dict[str, Any]:
    theirs = rename_outputs(candidate, pair_names(list(ours), list(candidate)))
    count, limits = min(_count(ours), _count(theirs), MOST_REQUESTS), Limits(worst=0)
    if not count:
        return {"delta_note": "no answers"}
    comparison = compare_networks(_take(ours, count), _take(theirs, count), limits)
    outputs = comparison.outputs.values()
    changes = [output.label_changes(limits) for output in outputs if output.scores]
    note = _note(comparison)
    return {
        "max_abs_delta": None if note else _largest_difference(list(outputs)),
        "label_changes": sum(number - ties for number, ties in changes) if changes else None,
        "non_finite_mismatches": sum(output.tally.non_finite_mismatches for output in outputs if not output.is_exact),
        "delta_rows": count * batch,
        "delta_note": note,
    }


def _largest_difference(outputs: Sequence[OutputComparison]) -> float | None:
    """Of floats; 0 where all outputs are exact, since unequal ones are a note. None without outputs."""
    floats = [output.tally.max_abs for output in outputs if not output.is_exact]
    return max(floats, default=0.0 if outputs else None)


def _count(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _take(columns: Columns, count: int) -> NamedPredictions:
    requests = {name: [np.asarray(column[i]) for i in range(count)] for name, column in columns.items()}
    return NamedPredictions(requests, np.zeros(count, dtype=np.bool_))


def _note(comparison: NetworkComparison) -> str:
    """What no number says: outputs that one side lacks, of other sizes, or exact values that differ."""
    if comparison.missing:
        return f"it lacks the output {comparison.missing[0]!r}"
    return next((note for output in comparison.outputs.values() if (note := _note_output(output))), "")


def _note_output(output: OutputComparison) -> str:
    if output.unlike is not None:
        number, ours, theirs = output.unlike
        return f"{output.name!r} of request {number} has the size {theirs} where the reference gives {ours}"
    if output.is_exact and output.unequal:
        return f"{output.unequal:,} values of {output.name!r} are not the reference's"
    return "" if output.is_exact or output.tally.finite else f"{output.name!r} is nowhere finite on both sides"
