"""What is loaded: a service that runs, or a model that is served for the time being."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import quote

from infer_bench.data import Table
from infer_bench.errors import UsageError
from infer_bench.formats.files import names_service
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.load.local_server import serve_model
from infer_bench.measure.load.reference import draw_rows
from infer_bench.measure.load.service import RowSource, read_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.settings import DEFAULT_ROWS
from infer_bench.progress import Progress

MOST_CHECKED = 64
"""So many requests are drawn for a check, whose model answers each up to five times, to know what it rounds."""
_HOST = re.compile(r"[\w.-]+:\d+(/.*)?|localhost(/.*)?")


@contextlib.contextmanager
def open_target(
    target: str, data: str | None, settings: LoadSettings, progress: Progress
) -> Iterator[tuple[str, RowSource]]:
    """The address to be loaded, and the rows to send there. Raises `UsageError` and `CannotRun`."""
    if names_service(target):
        yield target, read_rows(data, settings.batch)
        return
    if _HOST.fullmatch(target):
        raise UsageError(f"{target!r} is no address", f"write http://{target}")
    model = identify_model(target, allow_pickle=settings.server.allow_pickle)
    rows = _read_or_draw(target, data, settings, progress)
    progress.update(0, f"starting a server for {target}")
    with serve_model(target, settings.server) as url:
        yield (f"{url}/v2/models/{quote(PurePath(model.path).stem)}" if rows.has_tensors else url), rows


def _read_or_draw(target: str, data: str | None, settings: LoadSettings, progress: Progress) -> RowSource:
    if data is not None:
        return read_rows(data, settings.batch)
    progress.update(0, f"drawing rows from {target}")
    requests = DEFAULT_ROWS if settings.check is None else MOST_CHECKED
    rows, source = draw_rows(target, settings.batch, settings.seed, settings.server, requests), "drawn from the model"
    return RowSource(rows, source) if isinstance(rows, Table) else RowSource(Table({}), source, requests=rows)
