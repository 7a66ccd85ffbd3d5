"""Whether networks answer requests in a batch as they answer them alone."""

from collections.abc import Iterable, Iterator

from infer_bench.measure.schedule.measurements import Measurement
from infer_bench.report.common import Notice
from infer_bench.workers.tasks.batch_invariance import OutputShift

NOT_BATCH_INVARIANT = "not-batch-invariant"
_HINT = (
    "numbers that depend on the whole batch do this, such as those of dynamic quantisation: serve it as it was checked"
)


def is_batch_invariant(measurement: Measurement) -> bool | None:
    """None where nothing is known: of batches of one, of models of rows, of outputs that are not one part a request."""
    if measurement.invariance is None or not measurement.invariance.outputs:
        return None
    return not any(shift.differs for shift in measurement.invariance.outputs)


def note_batches(measurements: Iterable[Measurement], *, several: bool) -> Iterator[Notice]:
    """A warning for each candidate whose answers depend on their neighbours, of the first batch that shows it.

    With `several` models each names its own.
    """
    warned = set()
    for measurement in measurements:
        candidate = measurement.candidate
        if is_batch_invariant(measurement) is False and candidate.key not in warned:
            warned.add(candidate.key)
            shifts = measurement.invariance.outputs if measurement.invariance else ()
            worst = max((s for s in shifts if s.differs), key=lambda s: s.largest / s.scale if s.scale else 0.0)
            text = f"not batch-invariant: in a batch of {measurement.batch:,}, {_describe(worst)}"
            path = candidate.model.path if several else ""
            yield Notice(NOT_BATCH_INVARIANT, text, _HINT, candidate.label, path)


def _describe(shift: OutputShift) -> str:
    if not shift.scale and not shift.largest:
        return f"{shift.name!r} is not what it is for the same requests alone"
    return f"{shift.name!r} lies up to {shift.largest:.3g} of {shift.scale:.3g} from that of the same requests alone"
