"""On how many rows answers were compared, where time or memory did not last for all of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from infer_bench.measure.candidates.rows import Rows
from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Notice

FEW_COMPARED = "few-compared"
MANY = 256
"""So many distinct rows show most of what any would: below it is a warning."""
_HINT = "validate compares all of them"


def note_compared_rows(
    measurements: Iterable[Measurement], results: Sequence[BenchResult], rows_by_model: Mapping[str, Rows]
) -> Iterator[Notice]:
    """One notice, of the candidate that answered the smallest part of its rows, where it is not all of them."""
    batches = {result.batch for result in results if result.max_abs_delta is not None}
    counts = [
        (answered, total)
        for measurement in measurements
        if measurement.batch in batches and (rows := rows_by_model.get(measurement.candidate.model.path))
        if (answered := count_answered(measurement)) < (total := len(next(iter(rows.columns.values()), ())))
    ]
    if counts:
        answered, total = min(counts, key=lambda count: count[0] / count[1])
        text = f"max |Δ| is of {answered:,} of {total:,} rows: there was no time to answer the others"
        yield Notice(FEW_COMPARED, text, _HINT, level="warning" if answered < MANY else "note")


def count_answered(measurement: Measurement) -> int:
    """Rows, or requests of a network, whose answers are known; all of them where none is, which is said elsewhere."""
    if measurement.outputs is not None:
        columns = list(measurement.outputs.columns.values())
        return len(columns[0]) * measurement.batch if columns else _ALL
    return _ALL if measurement.predictions is None else len(measurement.predictions)


_ALL = 1 << 62
