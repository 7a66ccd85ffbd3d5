"""Tables in shared memory: what was written is read, in order, and a reader's writes stay its own."""

import numpy as np
import pytest

from infer_bench.typing import Columns
from infer_bench.workers.shared import SharedTable, read_columns, shared_tables

pytestmark = pytest.mark.skipif(not shared_tables(1), reason="this system has no anonymous files")


@pytest.fixture
def table() -> SharedTable:
    return shared_tables(1)[0]


def test_a_table_is_read_as_it_was_written(table: SharedTable) -> None:
    columns = {
        "a": np.arange(5.0),
        "text": np.array(["x", None, "y", "", "z"], dtype=object),
        "b": np.arange(5, dtype=np.int64),
        "c": np.array([True, False, True, True, False]),
        "d": np.linspace(0, 1, 5, dtype=np.float32),
    }
    table.write(columns)
    shared, others = table.divide(columns)
    assert list(others) == ["text"]
    copy = read_columns(shared, others)
    assert list(copy) == list(columns)
    assert all(copy[n].dtype == c.dtype and copy[n].tolist() == c.tolist() for n, c in columns.items())


def test_tensors_are_read_as_they_were_written(table: SharedTable) -> None:
    columns: Columns = {
        "images": np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4),
        "half": np.ones((2, 5), np.float16),
        "sliced": np.arange(12.0).reshape(4, 3)[::2],
        "empty": np.zeros((2, 0, 4), np.float32),
    }
    table.write(columns)
    shared, others = table.divide(columns)
    assert list(others) == ["empty"]
    copy = read_columns(shared, others)
    assert all(copy[n].dtype == c.dtype and np.array_equal(copy[n], c) for n, c in columns.items())


def test_columns_that_were_not_written_come_along(table: SharedTable) -> None:
    column, own = np.arange(3.0), np.ones(3)
    table.write({"a": column})
    shared, others = table.divide({"renamed": column, "own": own})
    assert list(others) == ["own"]
    assert list(shared.places) == ["renamed"]


def test_what_a_reader_writes_is_its_own(table: SharedTable) -> None:
    column = np.zeros(4)
    table.write({"a": column})
    shared, others = table.divide({"a": column})
    read_columns(shared, others)["a"][:] = 7
    assert read_columns(shared, others)["a"].tolist() == [0, 0, 0, 0]
    assert column.tolist() == [0, 0, 0, 0]


def test_shared_memory_is_written_again_with_a_larger_table(table: SharedTable) -> None:
    for size in (3, 0, 100_000, 7):
        column = np.arange(float(size))
        table.write({"a": column})
        assert np.array_equal(read_columns(*table.divide({"a": column}))["a"], column)
