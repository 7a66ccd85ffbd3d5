"""A bench of networks: requests of arrays, one at a time and stacked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.data.tensors import stacking
from infer_bench.errors import CannotRun, DataError
from infer_bench.measure.api import bench
from infer_bench.report.bench import BenchReport
from infer_bench.reporters.registry import render
from infer_bench.request_choices import Fill, RequestChoices
from tests.graphs import VOICE

onnx = pytest.importorskip("onnx")
parser = pytest.importorskip("onnx.parser")
FIXED = "fixed (float[1, 2, 3] x) => (float[1, 2, 3] y) { y = Relu(x) }"


def save(folder: Path, graph: str, name: str = "m.onnx") -> str:
    path = folder / name
    onnx.save(parser.parse_model(f'<ir_version: 9, opset_import: ["" : 18]> {graph}'), path)
    return str(path)


def save_requests(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "requests.npz", **arrays)
    return str(folder / "requests.npz")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> BenchReport:
    folder = tmp_path_factory.mktemp("voice")
    sound = np.arange(20, dtype=np.float32).reshape(5, 4)
    data = save_requests(folder, input=sound, state=np.zeros((2, 5, 3), np.float32), sr=np.array(2))
    return bench([save(folder, VOICE)], data=data, batches=(1, 2), rounds=1, processes=1)


def test_requests_are_measured_alone_and_stacked(report: BenchReport) -> None:
    assert [(result.batch, result.failed) for result in report.results] == [(1, None), (2, None)]
    assert all(result.request is not None and result.max_abs_delta is None for result in report.results)
    assert report.settings["rows_cycled"] == 5
    assert report.settings["rows_source"] == "requests.npz"
    assert report.results[0].model.inputs == 3


def test_it_is_called_a_network_and_no_trees_are_spoken_of(report: BenchReport) -> None:
    text = render(report, "table")
    assert "ONNX network, 3 inputs" in text
    assert "5 requests cycled" in text
    assert "trees" not in text
    assert not {"few-rows", "same-row"} & {notice.code for notice in report.notices}


CENTRED = """
centred (float[N, 2, 2] x) => (float[N, 2, 2] y, int64[N, 2] z, float total) {
    first = Constant<value = int64[1] {0}>()
    mean = ReduceMean<keepdims = 1>(x, first)
    y = Sub(x, mean)
    z = ArgMax<axis = 1, keepdims = 0>(x)
    total = ReduceSum<keepdims = 0>(x)
}
"""


def test_answers_that_depend_on_their_neighbours_are_a_finding(tmp_path: Path, report: BenchReport) -> None:
    assert [result.batch_invariant for result in report.results] == [None, True]
    data = save_requests(tmp_path, x=np.arange(12, dtype=np.float32).reshape(3, 2, 2))
    centred = bench([save(tmp_path, CENTRED)], data=data, batches=(1, 2), rounds=1, processes=1)
    assert [result.batch_invariant for result in centred.results] == [None, False]
    (notice,) = (notice for notice in centred.notices if notice.code == "not-batch-invariant")
    assert "in a batch of 2, 'y' lies up to 2 of 0 from that of the same requests alone" in notice.message


def test_a_batch_that_a_fixed_model_cannot_take_fails_alone(tmp_path: Path) -> None:
    data = save_requests(tmp_path, x=np.zeros((3, 2, 3), np.float32))
    report = bench([save(tmp_path, FIXED)], data=data, batches=(1, 4), rounds=1, processes=1)
    alone, stacked = report.results
    assert alone.failed is None
    assert stacked.failed is not None
    assert stacked.failed.startswith("the model takes one request at a time: no input has a free batch axis")


def test_what_does_not_fit_ends_before_a_measurement(tmp_path: Path) -> None:
    model = save(tmp_path, FIXED)
    with pytest.raises(DataError, match=r"the input is x float32 \(1, 2, 3\), and requests.npz has float32 \(3, 9\)"):
        bench([model], data=save_requests(tmp_path, x=np.zeros((3, 9), np.float32)))
    data = save_requests(tmp_path, x=np.zeros((3, 2, 3), np.float32))
    with pytest.raises(CannotRun, match="no rows of a table"):
        bench([model], data=data, candidates=["onnxruntime:feed=dataframe"])


def test_an_array_that_is_no_table_is_none_for_a_model_of_rows(tmp_path: Path) -> None:
    model = save(tmp_path, "rows (float[N, 2] x) => (float[N, 2] y) { y = Relu(x) }")
    with pytest.raises(DataError, match="3-dimensional array"):
        bench([model], data=save_requests(tmp_path, x=np.zeros((3, 1, 2), np.float32)))


CLASSES = "net (float[N, 3, 1] x) => (float[N, 3] p) { f = Flatten(x) p = Softmax(f) }"


def test_true_classes_of_a_network_s_requests(tmp_path: Path) -> None:
    data = save_requests(tmp_path, x=np.array([[5, 0, 0], [0, 5, 0], [0, 0, 5]], np.float32)[..., None])
    np.save(tmp_path / "y.npy", np.array([0, 1, 1]))
    model, labels = save(tmp_path, CLASSES), str(tmp_path / "y.npy")
    report = bench([model], data=data, labels=labels, batches=(1, 2), rounds=1, processes=1)
    assert [result.quality and result.quality.accuracy for result in report.results] == [pytest.approx(2 / 3)] * 2
    np.save(tmp_path / "y.npy", np.array([0, 1]))
    with pytest.raises(DataError, match="2 labels for 3 requests"):
        bench([model], data=data, labels=labels)


SERVICE = """
def add_up(request):
    assert request["sr"].shape == () and len(request["state"]) == 2
    return {"stateN": request["state"] + 1, "output": request["input"].sum(axis=1) / request["sr"]}

def brighten(request):
    return request["photo"].astype("float32") / 255
"""


def test_a_function_is_handed_the_arrays_of_the_network_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voice_service.py").write_text(SERVICE, encoding="utf-8")
    sound = np.arange(20, dtype=np.float32).reshape(5, 4)
    data = save_requests(tmp_path, input=sound, state=np.zeros((2, 5, 3), np.float32), sr=np.array(2))
    candidates = ["onnxruntime", "voice_service:add_up"]
    report = bench([save(tmp_path, VOICE)], data=data, candidates=candidates, batches=(1, 2), rounds=1, processes=1)
    assert [result.failed for result in report.results] == [None] * 4
    assert "few-rows" not in {notice.code for notice in report.notices}


def test_a_function_beside_it_takes_the_requests_that_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drawn_service.py").write_text(SERVICE, encoding="utf-8")
    requests = RequestChoices(shapes={"input": ((1, 7),)}, fills={"sr": Fill(2, 2)})
    models = [save(tmp_path, VOICE), "drawn_service:add_up"]
    report = bench(models, requests=requests, rounds=1, processes=1)
    assert [result.failed for result in report.results] == [None, None]
    assert report.results[1].max_abs_delta == pytest.approx(0, abs=1e-5)


def test_a_function_alone_is_handed_an_entry_of_each_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo_service.py").write_text(SERVICE, encoding="utf-8")
    data = save_requests(tmp_path, photo=np.zeros((3, 8, 8, 3), np.uint8))
    report = bench(["photo_service:brighten"], data=data, batches=(1, 2), rounds=1, processes=1)
    assert [result.failed for result in report.results] == [None, None]
    assert report.settings["rows_cycled"] == 3


def test_so_many_requests_take_turns_as_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacking, "MOST_BYTES", 60)
    data = save_requests(tmp_path, x=np.zeros((7, 1, 2, 3), np.float32))
    report = bench([save(tmp_path, FIXED)], data=data, rounds=1, processes=1)
    assert report.settings["rows_cycled"] == 2
    assert "requests-left-out" in {notice.code for notice in report.notices}


def test_networks_of_other_ranks_answer_the_same_requests_of_a_file_or_have_no_speedup(tmp_path: Path) -> None:
    with_ranks = save(tmp_path, "a (float[N, 2, 3] x) => (float[N, 2, 3] y) { y = Relu(x) }", "ranked.onnx")
    free = save(tmp_path, "a (float x) => (float y) { y = Relu(x) }", "free.onnx")
    model = onnx.load(free)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.ClearField("shape")
    onnx.save(model, free)
    data = save_requests(tmp_path, x=np.ones((4, 2, 3), np.float32))
    quick: dict[str, Any] = {"data": data, "candidates": ["onnxruntime"], "rounds": 1, "processes": 1}
    same = bench([with_ranks, free], **quick)
    assert [result.max_abs_delta for result in same.results] == [None, 0.0]
    assert same.results[1].speedup is not None
    assert not {"one-request", "unlike-requests"} & {notice.code for notice in same.notices}
    apart = bench([with_ranks, free], **quick, requests=RequestChoices(shapes={"x": ((4, 2, 3),)}))
    assert [result.speedup for result in apart.results] == [None, None]
    assert apart.results[1].delta_note == "its requests have other sizes"
    assert [n.hint for n in apart.notices if n.code == "unlike-requests"] == [
        "--shape x:1x2x3 says what one request is"
    ]


def test_an_input_that_one_network_lacks_is_said(tmp_path: Path) -> None:
    two = "a (float[N, 2, 3] x, float[N, 2, 3] mask) => (float[N, 2, 3] y) { y = Relu(x) }"
    paths = [save(tmp_path, two, "two.onnx"), save(tmp_path, two.replace(", float[N, 2, 3] mask", ""), "one.onnx")]
    report = bench(paths, candidates=["onnxruntime"], rounds=1, processes=1)
    assert [notice.message for notice in report.notices if notice.code == "other-inputs"] == [
        "one.onnx has no input 'mask': it answered without what the reference was fed there"
    ]
