"""The workers of a conversion."""

from typing import Any

import pytest

from infer_bench.measure.convert import round_trip
from infer_bench.measure.convert.round_trip import start_writer
from infer_bench.model import Family, ModelRef
from infer_bench.workers.tasks.convert import ImportWriter


class NotingWorker:
    """Notes what is posted to it."""

    def __init__(self, job: Any) -> None:
        self.posted: list[Any] = []

    def post(self, request: Any) -> None:
        self.posted.append(request)


@pytest.mark.parametrize(("family", "modules"), [("sklearn", ("sklearn",)), ("torch", ("torch",)), ("lightgbm", ())])
def test_the_writer_imports_a_library_ahead_where_that_reads_the_model(
    family: Family, modules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(round_trip, "Worker", NotingWorker)
    worker: Any = start_writer(ModelRef("/model", family, "pickle", "", 1))
    assert worker.posted == [ImportWriter(modules)]
