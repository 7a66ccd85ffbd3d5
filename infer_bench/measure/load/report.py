"""The report of a load, before anything is measured."""

import datetime
from collections.abc import Iterator

from infer_bench.formats.files import names_service
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.load.expected_outputs import MOST_BYTES, ExpectedOutputs
from infer_bench.measure.load.service import RowSource, Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.common import Notice, Report
from infer_bench.report.load import LoadReport
from infer_bench.version import __version__

_CLOSED_LOOP = Notice(
    "closed-loop",
    "a closed loop waits for its answers: what would have come while the service stood still is missing here",
    "--rate sends what is due",
)
_PACKAGES = ("httptools", "uvloop")
"""The generator's own libraries."""
_SETTINGS = (
    "rate",
    "concurrency",
    "find_rate",
    "duration_s",
    "warmup_s",
    "connections",
    "arrivals",
    "timeout_s",
    "batch",
    "seed",
    "on",
)


def begin_report(target: str, rows: RowSource, service: Service, settings: LoadSettings) -> LoadReport:
    """Settings, environment and what is to be noted of them."""
    count = len(service.payloads.requests) if rows.has_tensors else rows.table.rows
    about: dict[str, object] = {"rows_source": rows.source, "rows_cycled": count}
    about |= {name: getattr(settings, name) for name in _SETTINGS}
    if not names_service(target):
        about["served"] = target
    if settings.check is not None:
        about |= {"check": settings.check, "max_delta": settings.max_delta}
    return Report(
        command="load",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=about | {"limits": [limit.text for limit in settings.limits]},
        environment=describe((*PACKAGES, *_PACKAGES)),
        results=(),
        notices=(*((_CLOSED_LOOP,) if settings.concurrency else ()), *_note_comparison(service, rows)),
    )


def _note_comparison(service: Service, rows: RowSource) -> Iterator[Notice]:
    """What is to be said of how a network's answers are compared."""
    if not isinstance(service.expected, ExpectedOutputs):
        return
    yield from service.expected.notices
    if service.expected.requests < len(rows.requests):
        text = f"the first {service.expected.requests:,} of {len(rows.requests):,} requests take turns"
        size = f"their outputs, with what rounding makes of them, fill {MOST_BYTES >> 20} MiB"
        yield Notice("requests-left-out", f"{text}: {size}", level="note")
