"""Which axes of a TorchScript module a conversion leaves free: those of which something was compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import convert
from infer_bench.errors import EngineError, NotConvertible, WorkerCrashed
from infer_bench.formats.signature import read_signature
from infer_bench.measure.convert.networks.free_axes import (
    RequestTrials,
    are_near,
    check_axes,
    find_free,
    list_variants,
    resize,
)


def test_axes_of_one_size_change_together_and_what_is_refused_is_fixed() -> None:
    shapes = {"ids": (2, 9), "mask": (2, 9), "image": (1, 3, 32, 32)}

    def takes(sizes: Any) -> bool:
        return bool(sizes["ids"] == sizes["mask"] and sizes["image"][:2] == (1, 3))

    assert find_free(shapes, takes) == {
        "ids": {0: "batch", 1: "ids_1"},
        "mask": {0: "batch", 1: "ids_1"},
        "image": {2: "image_2", 3: "image_2"},
    }
    assert find_free({"x": (2, 4)}, lambda sizes: bool(sizes["x"][1] == 4)) == {"x": {0: "batch"}}
    assert find_free({"h0": (1, 2, 8)}, lambda sizes: True) == {}
    free = find_free({"x": (1, 7, 8), "h0": (1, 1, 16)}, lambda sizes: bool(sizes["x"][2] == 8))
    assert free == {"x": {0: "batch", 1: "x_1"}, "h0": {1: "batch"}}


def test_requests_are_repeated_or_cut_along_an_axis() -> None:
    columns = {"x": np.arange(6.0).reshape(1, 2, 3), "k": np.ones(1)}
    assert resize(columns, {"x": (3, 2), "k": ()})["x"].tolist() == [[[0, 1], [3, 4], [0, 1]]]
    variants = list_variants({"x": (2, 3), "k": ()}, {"x": {0: "batch", 1: "x_1"}}, ["batch", "x_1"])
    assert [variant["x"] for variant in variants] == [(3, 5), (1, 1), (4, 6)]


def test_an_axis_counts_where_requests_of_another_size_are_answered_alike() -> None:
    columns = {"x": np.zeros((1, 2, 3)), "y": np.zeros((1, 2))}
    axes = {"x": {0: "batch", 1: "x_1"}, "y": {0: "batch"}}
    free, tables = check_axes(columns, axes, lambda sizes: sizes["x"].shape[2] == 3 or None)
    assert (free, list(tables)) == (["batch"], ["x 3x3 y 3"])
    free, tables = check_axes(columns, axes, lambda sizes: sizes["x"].shape[1] == 2)
    assert (free, list(tables)) == (["x_1"], ["x 2x4"])
    free, tables = check_axes(columns, axes, lambda sizes: True)
    assert free == ["batch", "x_1"]
    assert list(tables) == ["x 3x3 y 3", "x 2x4", "x 3x5 y 3", "x 1x1 y 1", "x 4x6 y 4"]
    free, tables = check_axes(columns, axes, lambda sizes: 2 in sizes["x"].shape or sizes["x"].shape[2] == 3)
    assert (free, list(tables)) == (["batch"], ["x 3x3 y 3"])


def test_outputs_are_near_where_names_shapes_and_about_the_numbers_are_the_same() -> None:
    outputs = {"y": np.array([[1.0, np.nan]]), "k": np.array([3])}
    assert are_near(outputs, {"y": np.array([[1.001, np.nan]]), "k": np.array([4])})
    assert not are_near(outputs, {"y": np.array([[1.1, np.nan]]), "k": np.array([3])})
    assert not are_near(outputs, {"y": np.zeros((1, 3)), "k": np.array([3])})
    assert not are_near(outputs, {"y": outputs["y"]})


class Predictor:
    """One whose worker ends, or that refuses."""

    spec = "open"

    def __init__(self, error: Exception) -> None:
        self.worker, self.error, self.closed = self, error, False

    def ask(self, request: object) -> object:
        raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("error", "openings"), [(WorkerCrashed("SIGABRT"), 2), (EngineError("no"), 1)])
def test_a_worker_that_ends_is_an_answer(error: Exception, openings: int) -> None:
    predictors: list[Predictor] = []

    def open_network() -> Any:
        predictors.append(Predictor(error))
        return predictors[-1]

    trials = RequestTrials(open_network)
    assert [trials.takes({}), trials.takes({})] == [False, False]
    trials.close()
    assert (len(predictors), all(predictor.closed for predictor in predictors)) == (openings, True)


@pytest.mark.filterwarnings("ignore")
def test_sizes_that_the_kernels_do_not_check_are_fixed_in_the_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")

    class Voice(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.LSTM(8, 16, batch_first=True)

        def forward(self, sound: Any, h0: Any, c0: Any, loud: Any) -> Any:
            frames, (hidden, cell) = self.layer(sound, (h0, c0))
            return torch.where(loud, frames * 2, frames), hidden, cell

    arrays = {"sound": np.ones((2, 7, 8), np.float32), "loud": np.array(True)}
    arrays |= {name: np.zeros((1, 2, 16), np.float32) for name in ("h0", "c0")}
    arguments = tuple(torch.from_numpy(arrays[name]) for name in ("sound", "h0", "c0", "loud"))
    torch.jit.trace(Voice().eval(), arguments, check_trace=False).save(str(tmp_path / "m.pt"))
    np.savez(tmp_path / "rows.npz", allow_pickle=False, **arrays)
    report = convert(str(tmp_path / "m.pt"), data=str(tmp_path / "rows.npz"), allow_pickle=True)
    assert report.results[0].failed is None
    inputs = {tensor.name: tensor.shape for tensor in read_signature((tmp_path / "m.onnx").read_bytes()).inputs}
    assert inputs == {"sound": ("batch", "sound_1", 8), "h0": (1, "batch", 16), "c0": (1, "batch", 16), "loud": ()}
    assert [group.name for group in report.results[0].groups][:3] == ["data", "sound 3x7x8 h0 1x3x16", "sound 2x8x8"]
    with pytest.raises(NotConvertible, match="keeps no shapes"):
        convert(str(tmp_path / "m.pt"), allow_pickle=True)
