"""A largest difference that is of a part of the rows says so."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench.compared_rows import note_compared_rows
from infer_bench.measure.schedule.measurements import Measurement, NetworkOutputs

ROWS: Any = {"m": SimpleNamespace(columns={"x": np.zeros(1_000)})}
CANDIDATE: Any = SimpleNamespace(model=SimpleNamespace(path="m"))


def measure(answered: int, batch: int = 1, *, network: bool = False) -> Measurement:
    outputs = NetworkOutputs({"y": np.zeros((answered, 3)), "z": np.zeros((answered, 1))}) if network else None
    return Measurement(CANDIDATE, batch, predictions=np.zeros((answered, 1)), outputs=outputs)


def describe(*measurements: Measurement, delta: float | None = 0.0) -> list[tuple[str, str]]:
    results: Any = [SimpleNamespace(batch=1, max_abs_delta=None), SimpleNamespace(batch=1, max_abs_delta=delta)]
    return [(notice.message, notice.level) for notice in note_compared_rows(measurements, results, ROWS)]


@pytest.mark.parametrize("network", [False, True])
def test_the_smallest_part_is_told(network: bool) -> None:
    ((message, level),) = describe(measure(1_000), measure(4, network=network), measure(900))
    assert "4 of 1,000 rows" in message
    assert level == "warning"
    ((_, level),) = describe(measure(1_000), measure(900, network=network))
    assert level == "note"


def test_nothing_is_said_of_all_rows_nor_where_nothing_was_compared() -> None:
    assert describe(measure(1_000), measure(1_000)) == []
    assert describe(measure(4), measure(4), delta=None) == []
    assert describe(measure(1_000), measure(4, batch=64)) == []
    assert describe(Measurement(CANDIDATE, 1), measure(1_000)) == []
