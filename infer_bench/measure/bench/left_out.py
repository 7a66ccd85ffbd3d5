"""Who stands in no row of a report although it was to be measured, and why."""

from collections.abc import Sequence

from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.starts import StartTooLate
from infer_bench.report.common import Notice


def note_left_out(measurements: Measurements, *, several: bool) -> list[Notice]:
    """A notice for each, and a single one for all that had no time; of `several` models each names its own."""
    candidates, failures = measurements.left_out, measurements.failures
    late = [e for e in candidates if isinstance(failures[e.key], StartTooLate)]
    notices = [
        Notice("left-out", f"{e.label} left out: {error.message}", error.hint, e.label, several * e.model.path)
        for e in candidates
        if len(late) <= 1 or e not in late
        if (error := failures[e.key])
    ]
    return [*notices, _note_late(late, measurements, several)] if len(late) > 1 else notices


def _note_late(late: Sequence[Candidate], measurements: Measurements, several: bool) -> Notice:
    error = measurements.failures[late[0].key]
    names = dict.fromkeys(f"{e.model.name} ({e.label})" if several else e.label for e in late)
    return Notice("left-out", f"{', '.join(names)} left out: {error.message}", error.hint)
