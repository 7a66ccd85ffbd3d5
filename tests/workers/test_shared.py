"""Tables in shared memory: what was written is read, in order, and a reader's writes stay its own."""

import numpy as np
import pytest

from infer_bench.workers.shared import Block, blocks, placed

pytestmark = pytest.mark.skipif(not blocks(0) and not blocks(1), reason="this system has no anonymous files")


@pytest.fixture
def block() -> Block:
    return blocks(1)[0]


def test_a_table_is_read_as_it_was_written(block: Block) -> None:
    columns = {
        "a": np.arange(5.0),
        "text": np.array(["x", None, "y", "", "z"], dtype=object),
        "b": np.arange(5, dtype=np.int64),
        "c": np.array([True, False, True, True, False]),
        "d": np.linspace(0, 1, 5, dtype=np.float32),
    }
    block.write(columns)
    message = block.message("stream", columns)
    assert not set(message.arrays)
    found = placed(message, {"text": columns["text"]})
    assert list(found) == list(columns)
    assert all(found[n].dtype == c.dtype and found[n].tolist() == c.tolist() for n, c in columns.items())


def test_columns_that_were_not_written_come_along(block: Block) -> None:
    shared, own = np.arange(3.0), np.ones(3)
    block.write({"a": shared})
    message = block.message("stream", {"renamed": shared, "own": own})
    assert message.fields["names"] == ["own"]
    assert list(message.fields["shared"]["places"]) == ["renamed"]


def test_what_a_reader_writes_is_its_own(block: Block) -> None:
    column = np.zeros(4)
    block.write({"a": column})
    message = block.message("stream", {"a": column})
    one = placed(message, {})["a"]
    one[:] = 7
    assert placed(message, {})["a"].tolist() == [0, 0, 0, 0]
    assert column.tolist() == [0, 0, 0, 0]


def test_a_block_is_written_again_with_a_larger_table(block: Block) -> None:
    for size in (3, 0, 100_000, 7):
        column = np.arange(float(size))
        block.write({"a": column})
        message = block.message("stream", {"a": column})
        found = placed(message, {"a": column} if not size else {})
        assert np.array_equal(found["a"], column)
