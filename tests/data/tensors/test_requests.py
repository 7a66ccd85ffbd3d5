"""A user's arrays as a network's requests, and what is said of those that are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.data.tensors.files import holds_tensors
from infer_bench.data.tensors.requests import read_requests
from infer_bench.errors import DataError, UsageError
from infer_bench.model import TensorInput

IMAGES = TensorInput("images:0", "float32", ("batch", 3, None, None), 0)
FIXED = TensorInput("x", "float32", (1, 3, 8))
STATE = TensorInput("state", "float32", (2, "batch", 4), 1)
FRAMES = TensorInput("frames", "float32", ("time", 5))
RATE = TensorInput("rate", "int64", ())
WORDS = TensorInput("words", "object", ("n", 2), 0)
FLAG = TensorInput("flag", "bool", (1,), optional=True)


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "requests.npz", **arrays)
    return folder / "requests.npz"


def floats(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("tensor", "array", "shape"),
    [
        (IMAGES, floats(7, 1, 3, 4, 6), (7, 1, 3, 4, 6)),
        (IMAGES, floats(7, 2, 3, 4, 6), (7, 2, 3, 4, 6)),
        (IMAGES, floats(7, 3, 4, 6), (7, 1, 3, 4, 6)),
        (FIXED, floats(7, 1, 3, 8), (7, 1, 3, 8)),
        (FIXED, floats(7, 3, 8), (7, 1, 3, 8)),
        (FIXED, floats(1, 3, 8), (1, 1, 3, 8)),
        (STATE, floats(7, 2, 1, 4), (7, 2, 1, 4)),
        (STATE, floats(2, 7, 4), (7, 2, 1, 4)),
        (FRAMES, floats(7, 9, 5), (7, 9, 5)),
        (FRAMES, floats(9, 5), (1, 9, 5)),
        (RATE, np.array(16000), (1,)),
        (RATE, np.array([8000, 16000]), (2,)),
        (TensorInput("any", "float32", None), floats(2, 3), (1, 2, 3)),
    ],
)
def test_the_number_of_axes_tells_what_a_request_is(
    tensor: TensorInput, array: Any, shape: tuple[int, ...], tmp_path: Path
) -> None:
    column = read_requests(save(tmp_path, **{tensor.name: array}), [tensor]).columns[tensor.name]
    assert column.shape == shape
    assert sorted(column.ravel().tolist()) == sorted(array.ravel().tolist())
    assert column[0].flags.c_contiguous


def test_a_state_s_entries_are_its_own(tmp_path: Path) -> None:
    array = floats(2, 7, 4)
    column = read_requests(save(tmp_path, state=array), [STATE]).columns["state"]
    assert np.array_equal(column[3][:, 0], array[:, 3])


def test_an_array_of_one_request_is_fed_to_all(tmp_path: Path) -> None:
    path = save(tmp_path, frames=floats(9, 5), rate=16000, state=floats(2, 6, 4))
    table = read_requests(path, [FRAMES, STATE, RATE, FLAG])
    assert table.names == ("frames", "state", "rate")
    assert table.rows == 6
    assert table.columns["frames"].shape == (6, 9, 5)
    assert table.columns["frames"].strides[0] == 0
    assert table.record(5)["rate"] == 16000


def test_only_numbers_that_stay_the_same_are_cast(tmp_path: Path) -> None:
    path = save(tmp_path, x=floats(2, 3, 8).astype(np.float64), rate=np.array([1, 2], np.uint8))
    table = read_requests(path, [FIXED, RATE])
    assert {name: column.dtype.name for name, column in table.columns.items()} == {"x": "float32", "rate": "int64"}
    texts = read_requests(save(tmp_path, words=np.array([["a", "bc"]])), [WORDS])
    assert texts.columns["words"].tolist() == [[["a", "bc"]]]
    assert texts.columns["words"].dtype == object


WRONG: dict[str, tuple[dict[str, Any], list[TensorInput], str]] = {
    "a name": ({"image": floats(2, 3, 4, 6)}, [IMAGES], "no array 'images:0' \\('image' is close\\)"),
    "a name too many": ({"x": floats(1, 3, 8), "y": floats(1)}, [FIXED], "an array 'y', which is no input"),
    "an input without a name": ({"arr_0": floats(1, 3, 8)}, [FIXED, RATE], "no array 'x'"),
    "a rank": ({"x": floats(3, 8)}, [FIXED], r"x float32 \(1, 3, 8\), and requests.npz has float32 \(3, 8\)"),
    "a size": ({"x": floats(5, 3, 9)}, [FIXED], r"has float32 \(5, 3, 9\)"),
    "a size of an entry": ({"x": floats(5, 1, 3, 9)}, [FIXED], r"has float32 \(5, 1, 3, 9\)"),
    "a fixed batch": ({"s": floats(50, 1, 4)}, [TensorInput("s", "float32", (2, 1, 4))], r"has float32 \(50, 1, 4\)"),
    "whole numbers": ({"x": np.zeros((1, 3, 8), np.int64)}, [FIXED], r"has int64 \(1, 3, 8\)"),
    "fractions": ({"rate": np.array([0.5])}, [RATE], "has float64"),
    "a number too large": ({"rate": np.array([2**63], np.uint64)}, [RATE], "not all of them are numbers that it can"),
    "a float too large": ({"x": np.full((1, 3, 8), 1e300)}, [FIXED], "some numbers are too large"),
    "text": ({"x": np.full((1, 3, 8), "a")}, [FIXED], "has <U1"),
    "numbers of requests": ({"x": floats(5, 3, 8), "rate": np.arange(4)}, [FIXED, RATE], "number of requests"),
    "none": ({"x": floats(0, 3, 8)}, [FIXED], "has no requests"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_line(name: str, tmp_path: Path) -> None:
    arrays, inputs, reason = WRONG[name]
    with pytest.raises(DataError, match=reason) as caught:
        read_requests(save(tmp_path, **arrays), inputs)
    assert "\n" not in str(caught.value)


def test_one_array_needs_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", floats(7, 3, 8))
    assert read_requests(tmp_path / "x.npy", [FIXED, FLAG]).columns["x"].shape == (7, 1, 3, 8)
    np.savez(tmp_path / "x.npz", floats(7, 3, 8))
    assert read_requests(tmp_path / "x.npz", [FIXED]).rows == 7
    with pytest.raises(DataError, match="no array 'x'"):
        read_requests(tmp_path / "x.npy", [FIXED, RATE])


def test_a_table_is_a_matrix_or_a_column_an_input(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,c\n1,2,3\n4,5,6.5\n", encoding="utf-8")
    matrix = TensorInput("x", "float32", ("n", None), 0)
    assert read_requests(tmp_path / "rows.csv", [matrix]).columns["x"].tolist() == [[[1, 2, 3]], [[4, 5, 6.5]]]
    inputs = [TensorInput("a", "float32", ("n", 1), 0), TensorInput("b", "int64", ())]
    table = read_requests(tmp_path / "rows.csv", inputs)
    assert {name: column.shape for name, column in table.columns.items()} == {"a": (2, 1, 1), "b": (2,)}
    with pytest.raises(DataError, match="not all of them are numbers that it can hold"):
        read_requests(tmp_path / "rows.csv", [TensorInput("c", "int64", ())])
    with pytest.raises(DataError, match="no array 'd'"):
        read_requests(tmp_path / "rows.csv", [TensorInput("d", "int64", ())])


def test_onnx_s_test_data_is_a_request_a_folder(tmp_path: Path) -> None:
    helper = pytest.importorskip("onnx.numpy_helper")
    for k, size in enumerate((4, 4, 6)):
        folder = tmp_path / f"test_data_set_{k}"
        folder.mkdir()
        parts = [("", floats(1, 3, size, size)), ("rate", np.array(k)), ("words", np.array([["a", "b"]], object))]
        for i, (name, array) in enumerate(parts):
            (folder / f"input_{i}.pb").write_bytes(helper.from_array(array, name).SerializeToString())
        (folder / "output_0.pb").write_bytes(b"")
    assert holds_tensors(tmp_path)
    table = read_requests(tmp_path, [IMAGES, RATE, WORDS])
    assert [image.shape for image in table.columns["images:0"]] == [(1, 3, 4, 4), (1, 3, 4, 4), (1, 3, 6, 6)]
    assert table.columns["rate"].tolist() == [0, 1, 2]
    assert table.columns["words"].tolist() == [[["a", "b"]]] * 3
    assert read_requests(tmp_path / "test_data_set_2", [IMAGES, RATE, WORDS]).rows == 1
    assert read_requests(tmp_path / "test_data_set_0/input_0.pb", [IMAGES]).rows == 1
    with pytest.raises(DataError, match="a tensor number 2, and the model has 2"):
        read_requests(tmp_path, [IMAGES, RATE])
    (tmp_path / "test_data_set_1/input_1.pb").write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"test_data_set_1/input_1.pb is no tensor that can be read"):
        read_requests(tmp_path, [IMAGES, RATE, WORDS])


@pytest.mark.parametrize(
    "dtype",
    [
        "object",
        "bool",
        "float16",
        "float32",
        "float64",
        *(f"{kind}{8 * n}" for kind in ("int", "uint") for n in (1, 2, 4, 8)),
    ],
)
@pytest.mark.parametrize("raw", [True, False])
def test_every_type_of_a_tensor_is_read(dtype: str, raw: bool, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    array = np.array([[0, 1], [1, 1]]).astype(dtype) if dtype != "object" else np.array([["a", ""], ["ä", "b"]], object)
    kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    values = array.reshape(-1).tolist()
    tensor = onnx.helper.make_tensor(
        "x", kind, array.shape, [v.encode() for v in values] if dtype == "object" else values
    )
    tensor = onnx.numpy_helper.from_array(array, "x") if raw else tensor
    (tmp_path / "input_0.pb").write_bytes(tensor.SerializeToString())
    column = read_requests(tmp_path, [TensorInput("x", dtype, (2, 2))]).columns["x"]
    assert column.dtype == array.dtype
    assert np.array_equal(column[0], array)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such data file"):
        read_requests(tmp_path / "x.npz", [FIXED])
    with pytest.raises(DataError, match="has no files input_0"):
        read_requests(tmp_path, [FIXED])
    np.savez(tmp_path / "o.npz", x=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="object array, which is a pickle"):
        read_requests(tmp_path / "o.npz", [FIXED])
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"cannot read b\.npz"):
        read_requests(tmp_path / "b.npz", [FIXED])


@pytest.mark.parametrize(
    ("array", "shape"),
    [(floats(7, 3, 8), (7, 1, 3, 8)), (floats(7, 1, 3, 8), (7, 1, 3, 8)), (floats(1, 3, 8), (1, 1, 3, 8))],
)
def test_a_shape_tells_the_requests_of_an_input_without_a_rank_apart(tmp_path: Path, array: Any, shape: Any) -> None:
    inputs, path = [TensorInput("x", "float32", None)], save(tmp_path, x=array)
    assert np.shape(read_requests(path, inputs).columns["x"]) == (1, *array.shape)
    assert np.shape(read_requests(path, inputs, {"x": [(1, 3, 8)]}).columns["x"]) == shape


def test_a_shape_of_an_input_that_has_one_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, x=floats(7, 3, 8))
    with pytest.raises(UsageError, match=r"the model itself says that it takes x float32 \(1, 3, 8\)"):
        read_requests(path, [FIXED], {"x": [(1, 3, 8)]})
    with pytest.raises(UsageError, match="has no input 'y'"):
        read_requests(path, [FIXED], {"y": [(1, 3, 8)]})
    with pytest.raises(UsageError, match="x has several"):
        read_requests(path, [TensorInput("x", "float32", None)], {"x": [(1,), (2,)]})
