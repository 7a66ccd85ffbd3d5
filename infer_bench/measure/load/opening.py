"""What is loaded: a service that runs, or a model that is served for the time being."""

import contextlib
import re
from collections.abc import Iterator

from infer_bench.errors import UsageError
from infer_bench.formats.files import names_service
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.load.local_server import serve_model
from infer_bench.measure.load.reference import draw_rows
from infer_bench.measure.load.service import RowSource, read_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.progress import Progress

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
    identify_model(target, allow_pickle=settings.server.allow_pickle)
    if data is None:
        progress.update(0, f"drawing rows from {target}")
        rows = RowSource(draw_rows(target, settings.batch, settings.seed, settings.server), "drawn from the model")
    else:
        rows = read_rows(data, settings.batch)
    progress.update(0, f"starting a server for {target}")
    with serve_model(target, settings.server) as url:
        yield url, rows
