"""Arrays become requests by the ranks of array and input, or one line says what is expected."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.errors import DataError
from infer_bench.measure.quantize.arrays import read_requests
from infer_bench.measure.quantize.rows import STACK, read_rows, warn_of_range
from infer_bench.workers.tasks.quantize import NetworkTensor

IMAGE = NetworkTensor("input:0/image", "float32", (None, 1, 4, 4))
IDS = NetworkTensor("ids", "int64", (None, 6))
ONE = NetworkTensor("x", "float32", (1, 3))
PAIRS = NetworkTensor("x", "float32", (2, 3))
SCALAR = NetworkTensor("rate", "int64", ())


def save(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def test_a_free_batch_is_stacked_and_a_fixed_one_is_filled(tmp_path: Path) -> None:
    images = np.zeros((10, 1, 4, 4))
    requests = read_requests(save(tmp_path / "a.npz", **{IMAGE.name: images}), [IMAGE], STACK)
    assert (requests.count, requests.stack) == (10, STACK)
    assert requests.arrays[IMAGE.name].dtype == np.dtype(np.float32)
    assert read_requests(save(tmp_path / "b.npz", x=np.zeros((10, 3))), [PAIRS], STACK).stack == 2
    assert read_requests(save(tmp_path / "c.npz", x=np.zeros((10, 2, 3))), [PAIRS], STACK).stack == 0
    assert read_requests(save(tmp_path / "d.npz", rate=np.arange(5)), [SCALAR], STACK).stack == 0


def test_a_single_array_and_a_table_need_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((7, 3), dtype=np.float64))
    assert read_requests(str(tmp_path / "x.npy"), [ONE], STACK).count == 7
    (tmp_path / "x.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    requests = read_requests(str(tmp_path / "x.csv"), [ONE], STACK)
    np.testing.assert_array_equal(requests.arrays["x"], [[1, 2, 3], [4, 5, 6]])
    assert read_requests(save(tmp_path / "x.npz", anything=np.zeros((4, 3))), [ONE], STACK).count == 4


@pytest.mark.parametrize(
    ("arrays", "tensors", "words"),
    [
        ({"x": np.zeros((4, 2))}, [ONE], r"x float32 \(1, 3\), and a.npz has float64 \(4, 2\)"),
        ({"x": np.zeros(3)}, [ONE], "float64"),
        ({"y": np.zeros((4, 3)), "z": np.zeros(4)}, [ONE], "no array 'x'"),
        ({"ids": np.zeros((4, 6)), "z": np.zeros(4)}, [IDS], "'z' that the model does not take"),
        ({"ids": np.full((4, 6), 0.5)}, [IDS], "whole numbers"),
        ({"ids": np.full((4, 6), np.nan)}, [IDS], "whole numbers"),
        ({"ids": np.zeros((0, 6), dtype=np.int64)}, [IDS], "has no rows"),
        ({"x": np.zeros((4, 3)), "ids": np.zeros((5, 6), dtype=np.int64)}, [PAIRS, IDS], "differ in length"),
        ({"x": np.array([["a"] * 3])}, [ONE], "<U1"),
    ],
)
def test_what_does_not_fit_is_one_line(
    arrays: dict[str, Any], tensors: list[NetworkTensor], words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words) as refusal:
        read_requests(save(tmp_path / "a.npz", **arrays), tensors, STACK)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY\x01", b"\x80\x04K\x01."])
def test_broken_files_are_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError):
        read_requests(str(tmp_path / "a.npz"), [ONE], STACK)
    with pytest.raises(DataError, match="no such"):
        read_requests(str(tmp_path / "b.npz"), [ONE], STACK)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="pickle"):
        read_requests(str(tmp_path / "a.npz"), [ONE], STACK)


def test_no_row_calibrates_and_judges(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x=np.arange(300.0).reshape(100, 3))
    np.save(tmp_path / "y.npy", np.arange(100) % 7)
    rows = read_rows(path, None, str(tmp_path / "y.npy"), [ONE], seed=3)
    ours, theirs = (set(part.arrays["x"][:, 0].tolist()) for part in (rows.calibrating, rows.judging))
    assert not ours & theirs
    assert len(ours | theirs) == 100
    assert len(ours) == 25
    assert rows.labels is not None
    np.testing.assert_array_equal(rows.labels, (rows.judging.arrays["x"][:, 0] / 3).astype(int) % 7)
    again = read_rows(path, None, None, [ONE], seed=3)
    np.testing.assert_array_equal(again.judging.arrays["x"], rows.judging.arrays["x"])


def test_rows_that_select_layers_neither_calibrate_nor_judge(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x=np.arange(300.0).reshape(100, 3))
    rows = read_rows(path, None, None, [ONE], seed=0, select=True)
    assert rows.selecting is not None
    parts = [set(part.arrays["x"][:, 0].tolist()) for part in (rows.calibrating, rows.selecting, rows.judging)]
    assert [len(part) for part in parts] == [25, 18, 57]
    assert len(set.union(*parts)) == 100
    few = save(tmp_path / "b.npz", x=np.zeros((4, 3)))
    with pytest.raises(DataError, match="too few rows"):
        read_rows(few, None, None, [ONE], seed=0, select=True)


def test_rows_of_another_scale_are_warned_of(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = generator.random((400, 3)).astype(np.float32)
    near = read_rows(save(tmp_path / "a.npz", x=values), None, None, [ONE], seed=0)
    assert warn_of_range(near) == []
    small = save(tmp_path / "s.npz", x=values / 255)
    far = read_rows(small, str(tmp_path / "a.npz"), None, [ONE], seed=0)
    (notice,) = warn_of_range(far)
    assert notice.code == "calibration-range"
    assert "99" in notice.message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_range_is_made_of_what_is_not_finite(value: float, tmp_path: Path) -> None:
    values = np.zeros((10, 3))
    values[4, 1] = value
    with pytest.raises(DataError, match="1 rows of 'x'"):
        read_rows(save(tmp_path / "a.npz", x=values), None, None, [ONE], seed=0)


def test_labels_are_counted_and_whole(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", x=np.zeros((10, 3)))
    for labels, words in ((np.zeros(9), "9 labels for 10 rows"), (np.full(10, 0.5), "fractions")):
        np.save(tmp_path / "y.npy", labels)
        with pytest.raises(DataError, match=words):
            read_rows(path, None, str(tmp_path / "y.npy"), [ONE], seed=0)
