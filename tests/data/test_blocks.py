"""How rows are cut into blocks, and blocks put into parts: every row has one part, whoever asks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.data import Dataset, blocks
from infer_bench.data.blocks import cut, list_blocks, pieces, select
from infer_bench.data.file_digest import join_hashes
from infer_bench.errors import DataError

FILES = st.lists(st.lists(st.integers(0, 50), max_size=6), min_size=1, max_size=5)


@given(FILES, st.integers(1, 12), st.none() | st.integers(1, 120))
def test_every_block_is_in_one_part_and_the_parts_are_in_order(files: Any, parts: int, limit: int | None) -> None:
    whole = list_blocks(files, limit)
    divided = [block for index in range(1, parts + 1) for block in select(whole, index, parts)]
    assert tuple(divided) == whole
    assert [block.first for block in whole] == np.cumsum([0, *(block.rows for block in whole)])[:-1].tolist()
    assert sum(block.rows for block in whole) == min(sum(map(sum, files)), limit or 10**9)
    assert not whole or whole[0] in select(whole, 1, parts)


@given(FILES)
def test_a_block_knows_its_place(files: Any) -> None:
    flat = [(file, group, rows) for file, groups in enumerate(files) for group, rows in enumerate(groups)]
    for block in list_blocks(files):
        assert flat[block.number] == (block.file, block.group, block.rows)


def test_equal_row_groups_are_dealt_out_evenly() -> None:
    whole = list_blocks([[10] * 8])
    assert [len(select(whole, index, 4)) for index in (1, 2, 3, 4)] == [2, 2, 2, 2]
    assert [block.group for block in select(whole, 3, 8)] == [2]


@given(st.integers(1, 200_000), st.integers(1_000, 70_000))
def test_pieces_of_blocks_hold_every_row_once(rows: int, size: int) -> None:
    listed = list(pieces(rows, size, range(len(cut(rows)))))
    assert [first for _, first, _ in listed] == np.cumsum([0, *(count for *_, count in listed)])[:-1].tolist()
    assert sum(count for *_, count in listed) == rows == sum(cut(rows))
    assert all(first // blocks.BLOCK_ROWS == (first + count - 1) // blocks.BLOCK_ROWS for _, first, count in listed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet, table

    for name, start in (("b", 6), ("a", 0)):
        whole: list[Any] = list(range(start, start + 5))
        columns = {"x": np.arange(start, start + 5, dtype=np.float64), "n": [*whole[:-1], None if name == "b" else 0]}
        parquet.write_table(table(columns), tmp_path / f"{name}.parquet", row_group_size=2)
    return tmp_path


def test_a_pattern_of_files_is_one_table_sorted_by_name(folder: Path) -> None:
    dataset = Dataset.open(folder / "*.parquet")
    assert dataset.rows == 10
    assert [file.groups for file in dataset.files] == [(2, 2, 1), (2, 2, 1)]
    rows = [row for table in dataset.batches(4) for row in table.columns["x"].tolist()]
    assert rows == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert dataset.head(6).columns["x"].tolist() == rows[:6]
    names = ["a.parquet", "b.parquet"]
    assert dataset.sha256 == join_hashes(names, [Dataset.open(folder / name).sha256 for name in names])


def test_what_a_row_group_holds_does_not_depend_on_which_others_are_read(folder: Path) -> None:
    """A column of integers with a null in the last group is of floats in every group of that file."""
    dataset = Dataset.open(folder / "*.parquet")
    whole = dict(dataset.group_batches(8, range(6)))
    for number in range(6):
        ((own, table),) = dataset.group_batches(8, [number])
        assert own == number
        for name in ("x", "n"):
            assert np.array_equal(table.columns[name], whole[number].columns[name], equal_nan=True)
            assert table.columns[name].dtype == whole[number].columns[name].dtype
    assert whole[3].columns["n"].dtype == np.float64
    assert whole[0].columns["n"].dtype == np.int64


@pytest.mark.parametrize("suffix", ["npz", "csv", "json"])
def test_files_without_row_groups_are_cut_by_rows(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 3)
    file = tmp_path / f"rows.{suffix}"
    if suffix == "npz":
        np.savez(file, x=np.arange(8.0))
    elif suffix == "csv":
        pytest.importorskip("pyarrow")
        file.write_text("x\n" + "".join(f"{i}.0\n" for i in range(8)))
    else:
        file.write_text(str([{"x": float(i)} for i in range(8)]).replace("'", '"'))
    dataset = Dataset.open(file)
    assert dataset.files[0].groups == (3, 3, 2)
    parts = [(number, table.columns["x"].tolist()) for number, table in dataset.group_batches(2, [0, 2])]
    assert parts == [(0, [0.0, 1.0]), (0, [2.0]), (2, [6.0, 7.0])]


def test_files_that_do_not_fit_are_named(folder: Path) -> None:
    from pyarrow import parquet, table

    with pytest.raises(DataError, match=r"no data file matches"):
        Dataset.open(folder / "*.csv")
    parquet.write_table(table({"x": [1.0]}), folder / "c.parquet")
    with pytest.raises(DataError, match=r"c.parquet lacks the column 'n', unlike a.parquet"):
        Dataset.open(folder / "*.parquet")


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows[1].npz", x=np.arange(3.0))
    assert Dataset.open(tmp_path / "rows[1].npz").rows == 3
