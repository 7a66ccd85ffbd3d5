"""Rows are drawn by the rules of every command: from tables, names and shapes; what is drawn calibrates or judges."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench.data.tensors.stacking import MOST_BYTES
from infer_bench.errors import DataError, UsageError
from infer_bench.formats.identify import identify
from infer_bench.measure.quantize.drawn_rows import DRAWN, count_requests, draw_rows, split_requests
from infer_bench.measure.quantize.network_tools import NetworkTools
from infer_bench.measure.quantize.rows import STACK, Rows
from infer_bench.measure.quantize.settings import QuantizeSettings
from infer_bench.model import TensorInput
from infer_bench.request_choices import RequestChoices, parse_choices
from infer_bench.workers.tasks.quantize import NetworkTensor
from tests.networks import save_convolutional, save_full

TABLE = 30_000
Shape = Sequence[int | str]


def draw(model: Path, folder: Path, seed: int = 0, choices: RequestChoices | None = None) -> Rows:
    tools = NetworkTools(identify(str(model)), folder, 300.0)
    try:
        return draw_rows(tools, tools.prepare(), QuantizeSettings(seed=seed, requests=choices or RequestChoices()))
    finally:
        tools.close()


def save(
    path: Path, nodes: Sequence[Any], constants: Mapping[str, Any], inputs: Mapping[str, tuple[int, Shape | None]]
) -> Path:
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    entries = [helper.make_tensor_value_info(name, dtype, shape) for name, (dtype, shape) in inputs.items()]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "network", entries, [output], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def save_text(path: Path) -> Path:
    """Ids of a table, masked, then averaged and multiplied."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "axis"], ["weights"]),
        helper.make_node("Mul", ["rows", "weights"], ["masked"]),
        helper.make_node("ReduceMean", ["masked"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["y"]),
    ]
    random = np.random.default_rng(0)
    table, w = (random.normal(size=shape).astype(np.float32) for shape in ((TABLE, 4), (4, 4)))
    constants = {"table": table, "w": w, "axis": np.array([2])}
    ids = (TensorProto.INT64, ("batch", "tokens"))
    return save(path, nodes, constants, {"ids": ids, "attention_mask": ids})


def test_ids_are_rows_of_their_table_and_masks_hide_nothing(tmp_path: Path) -> None:
    rows = draw(save_text(tmp_path / "n.onnx"), tmp_path)
    ids, judged = (part.arrays["ids"] for part in (rows.calibrating, rows.judging))
    assert ids.dtype == np.int64
    assert ids.shape[1:] == judged.shape[1:]
    assert 0 <= ids.min() < ids.max() < TABLE
    assert ids.max() > TABLE // 2
    assert (rows.calibrating.arrays["attention_mask"] == 1).all()
    assert (rows.calibrating.count, rows.judging.count, rows.calibrating.stack) == (DRAWN // 4, DRAWN * 3 // 4, STACK)
    assert rows.calibrating.free
    assert [entry.name for entry in rows.inputs] == ["ids", "attention_mask"]
    (notice,) = [notice for notice in rows.notices if notice.code == "shape-drawn"]
    assert "--shape" in notice.hint


def test_shapes_sizes_and_values_may_be_chosen(tmp_path: Path) -> None:
    model, choices = save_text(tmp_path / "n.onnx"), parse_choices(["ids:1x9"], ["batch=1"], ["ids=3..5"])
    rows = draw(model, tmp_path, choices=choices)
    ids = rows.judging.arrays["ids"]
    assert (ids.shape, set(ids.ravel())) == ((DRAWN * 3 // 4, 9), {3, 4, 5})
    assert rows.calibrating.arrays["attention_mask"].shape[1:] == (9,)
    with pytest.raises(UsageError, match="no input 'id'"):
        draw(model, tmp_path, choices=parse_choices(["id:1x9"], [], []))
    with pytest.raises(UsageError, match="the model takes rows"):
        draw(save_full(tmp_path / "f.onnx"), tmp_path, choices=choices)
    with pytest.raises(UsageError, match="one shape"):
        QuantizeSettings(requests=parse_choices(["ids:1x9", "ids:1x8"], [], []))


def test_the_same_seed_gives_the_same_rows_and_no_row_calibrates_and_judges(tmp_path: Path) -> None:
    model = save_convolutional(tmp_path / "n.onnx")
    rows, again, other = (draw(model, tmp_path, seed) for seed in (3, 3, 4))
    images = rows.calibrating.arrays["x"]
    assert rows.are_drawn
    assert images.shape[1:] == (1, 8, 8)
    assert 0 <= images.min() < images.max() < 1
    np.testing.assert_array_equal(rows.judging.arrays["x"], again.judging.arrays["x"])
    assert not np.array_equal(images, other.calibrating.arrays["x"])
    ours, theirs = ({row.tobytes() for row in part.arrays["x"]} for part in (rows.calibrating, rows.judging))
    assert not ours & theirs


@pytest.mark.parametrize(("batch", "stack"), [("n", STACK), (8, 8), (1, 1)])
def test_a_model_of_columns_gets_the_rows_of_other_commands(batch: int | str, stack: int, tmp_path: Path) -> None:
    rows = draw(save_full(tmp_path / "n.onnx", batch=batch), tmp_path)
    values = rows.calibrating.arrays["x"]
    assert (values.dtype, values.shape) == (np.dtype(np.float32), (DRAWN // 4, 64))
    assert values.min() < -1
    assert (rows.judging.count, rows.judging.stack, rows.judging.free) == (DRAWN * 3 // 4, stack, batch == "n")
    assert rows.inputs == ()


def test_a_fixed_batch_is_filled_and_whole_requests_stay_whole() -> None:
    image, rate = TensorInput("x", "float32", (4, 3)), TensorInput("rate", "float32", ())
    assert count_requests([image]) == DRAWN // 4
    assert count_requests([image, rate]) == DRAWN
    columns = {"x": np.zeros((9, 4, 3), dtype=np.float32)}
    rows = split_requests(columns, [image], [NetworkTensor("y", "float32", (4, 2))])
    assert (rows.calibrating.count, rows.judging.count, rows.judging.stack) == (8, 28, 4)
    scalar = split_requests({**columns, "rate": np.zeros(9, dtype=np.float32)}, [image, rate], [])
    assert (scalar.calibrating.count, scalar.judging.count, scalar.judging.stack) == (2, 7, 0)
    one = TensorInput("x", "float32", ("n", 3), batch_axis=0)
    loss = split_requests({"x": np.zeros((9, 1, 3))}, [one], [NetworkTensor("y", "float32", (5,))])
    assert (loss.judging.stack, loss.judging.arrays["x"].shape) == (0, (7, 1, 3))
    steps = TensorInput("x", "float32", (None, "n", 3), batch_axis=1)
    assert split_requests({"x": np.zeros((9, 6, 1, 3))}, [steps], []).judging.stack == 0


def test_requests_whose_rows_an_output_does_not_tell_stay_whole(tmp_path: Path) -> None:
    w = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["m"]),
        helper.make_node("Reshape", ["m", "shape"], ["y"]),
    ]
    constants = {"w": w, "shape": np.array([-1, 4])}
    model = save(tmp_path / "n.onnx", nodes, constants, {"x": (TensorProto.FLOAT, ("batch", "tokens", 4))})
    rows = draw(model, tmp_path)
    assert (rows.judging.stack, rows.judging.count) == (0, DRAWN * 3 // 4)
    assert rows.judging.arrays["x"].shape[1] == 1


def test_large_requests_are_few_and_one_alone_is_refused() -> None:
    image = TensorInput("x", "float32", ("n", 3), batch_axis=0)
    few = split_requests({"x": np.zeros((2, 1, 3))}, [image], [])
    assert (few.calibrating.count, few.judging.count) == (1, 1)
    with pytest.raises(DataError, match=f"more than {MOST_BYTES >> 20} MiB") as refusal:
        split_requests({"x": np.zeros((1, 1, 3))}, [image], [])
    assert "--data" in refusal.value.hint


def test_what_cannot_be_drawn_is_said_with_its_input(tmp_path: Path) -> None:
    constants = {"w": np.ones((7, 7), dtype=np.float32), "shape": np.array([1009, 7])}
    nodes = [
        helper.make_node("Reshape", ["clip", "shape"], ["rows"]),
        helper.make_node("MatMul", ["rows", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["u"]),
        helper.make_node("MatMul", ["u", "w"], ["y"]),
    ]
    for shape, words in ((None, "'clip' may have any rank"), (("n", "k"), r"no request could be drawn \(.*clip 1x16")):
        model = save(tmp_path / "n.onnx", nodes, constants, {"clip": (TensorProto.FLOAT, shape)})
        with pytest.raises(DataError, match=words) as refusal:
            draw(model, tmp_path)
        assert "--shape clip:1x16" in refusal.value.hint
