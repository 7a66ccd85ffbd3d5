"""CatBoost and PyTorch files, converted as a user does it: what is written, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import bench, convert, validate
from infer_bench.converters.base import ConvertOptions
from infer_bench.errors import CannotRun, MissingDependency, ModelError, NotConvertible

SETTINGS = {"iterations": 5, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
ROWS = np.random.default_rng(0).normal(size=(120, 4))
SCORE = ROWS @ np.array([1.0, -0.5, 0.3, 0.1])


def saved_catboost(path: Path, labels: Any, loss: str, threshold: float | None = None) -> str:
    library = pytest.importorskip("catboost")
    kind = library.CatBoostRegressor if loss == "MultiRMSE" else library.CatBoostClassifier
    model = kind(loss_function=loss, **SETTINGS).fit(ROWS, labels)
    if threshold is not None:
        model.set_probability_threshold(threshold)
    model.save_model(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("labels", "loss"),
    [
        (SCORE > 0, "Logloss"),
        (np.where(SCORE > 0, "yes", "no"), "Logloss"),
        (np.digitize(SCORE, [-0.5, 0.5]) * 3, "MultiClassOneVsAll"),
        (np.column_stack([SCORE, -SCORE]), "MultiRMSE"),
    ],
)
def test_catboost_files_answer_the_same(labels: Any, loss: str, tmp_path: Path) -> None:
    report = convert(saved_catboost(tmp_path / "model.cbm", labels, loss), str(tmp_path / "out.onnx"))
    assert report.results[0].failed is None
    assert (tmp_path / "out.onnx").exists()


def test_a_moved_threshold_is_refused(tmp_path: Path) -> None:
    path = saved_catboost(tmp_path / "model.cbm", SCORE > 0, "Logloss", threshold=0.3)
    with pytest.raises(CannotRun, match="threshold"):
        convert(path, str(tmp_path / "out.onnx"))


def test_a_truncated_catboost_file_is_refused_before_the_library_reads_it(tmp_path: Path) -> None:
    (tmp_path / "model.cbm").write_bytes(b"CBM1" + (5000).to_bytes(4, "little") + b"x" * 100)
    with pytest.raises(ModelError, match="promises 5,000 bytes and holds 100"):
        convert(str(tmp_path / "model.cbm"))


def test_a_missing_library_is_said_with_what_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "catboost.py").write_text("raise ModuleNotFoundError('absent', name='catboost')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "model.cbm").write_bytes(b"CBM1" + bytes(40))
    with pytest.raises(MissingDependency, match=r"infer-bench\[catboost\]"):
        convert(str(tmp_path / "model.cbm"))


def saved_torch(path: Path, network: Any, example: Any, *, free: bool = True) -> str:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    shapes = ({0: torch.export.Dim("batch")},) if free else None
    torch.export.save(torch.export.export(network.eval(), (example,), dynamic_shapes=shapes), str(path))
    return str(path)


def test_a_network_answers_the_same(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    path = saved_torch(tmp_path / "model.pt2", network, torch.randn(3, 4))
    report = convert(path, str(tmp_path / "out.onnx"))
    assert report.results[0].failed is None
    assert {"ordinary", "missing", "infinite", "one", "empty"} <= {group.name for group in report.results[0].groups}


def test_what_pytorch_rounds_itself_on_large_rows_refuses_no_network(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    layers = [
        torch.nn.Linear(20, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 3),
    ]
    path = saved_torch(tmp_path / "model.pt2", torch.nn.Sequential(*layers, torch.nn.Softmax(1)), torch.randn(3, 20))
    result = convert(path, str(tmp_path / "out.onnx")).results[0]
    assert (result.failed, result.criterion) == (None, "rounding")
    assert max(group.max_abs_delta for group in result.groups) > 1e-6
    assert all(group.rounding is None or group.rounding.ratio < 8 for group in result.groups)
    strict = convert(path, str(tmp_path / "no.onnx"), options=ConvertOptions(atol=1e-9)).results[0]
    assert "which is rounding" in str(strict.failed)


def test_a_layer_in_half_precision_is_another_network(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    first, second, last = torch.nn.Linear(4, 32), torch.nn.Linear(32, 32), torch.nn.Linear(32, 3)

    module: Any = torch.nn.Module

    class Half(module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = first, last
            self.second = torch.nn.Linear(32, 32).to(torch.float16)
            self.second.load_state_dict(second.state_dict())

        def forward(self, rows: Any) -> Any:
            hidden = torch.relu(self.first(rows)).to(torch.float16)
            return torch.softmax(self.last(torch.relu(self.second(hidden).to(torch.float32))), 1)

    network = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last, torch.nn.Softmax(1))
    paths = [
        saved_torch(tmp_path / f"{name}.pt2", form, torch.randn(3, 4))
        for name, form in (("whole", network), ("half", Half()))
    ]
    result = validate(*paths).results[0]
    assert (result.different, result.by_rounding) == (True, True)
    assert result.groups[0].max_abs_delta < 1e-3
    assert not validate(*reversed(paths)).results[0].by_rounding


def test_a_fixed_batch_of_rows_is_refused_and_whole_numbers_are_converted(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    fixed = saved_torch(tmp_path / "fixed.pt2", torch.nn.Linear(4, 2), torch.randn(3, 4), free=False)
    with pytest.raises(NotConvertible, match="fixed batch of 3"):
        convert(fixed)
    whole = saved_torch(tmp_path / "whole.pt2", torch.nn.Embedding(5, 3), torch.zeros(3, 2, dtype=torch.long))
    assert not list(tmp_path.glob("*.onnx"))
    assert convert(whole).results[0].failed is None
    assert [file.name for file in tmp_path.glob("*.onnx")] == ["whole.onnx"]


def test_a_program_of_a_fixed_batch_is_measured_at_it_and_compared(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Softmax(1))
    free, fixed = (
        saved_torch(tmp_path / f"{name}.pt2", network, torch.randn(3, 4), free=name == "free")
        for name in ("free", "fixed")
    )
    results = bench(fixed, batches=(3, 8), candidates=["torch"], rounds=1, processes=1).results
    assert [result.failed is None for result in results] == [True, False]
    assert str(results[1].failed).startswith("the model's batch is fixed at 3 (")
    assert not validate(free, fixed).results[0].different


def test_a_program_in_training_mode_is_noted_refused_and_named_as_the_cause(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layers = [torch.nn.Linear(4, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.3)]
    network = torch.nn.Sequential(*layers, torch.nn.Linear(16, 2))
    paths = {"eval": saved_torch(tmp_path / "eval.pt2", network, torch.randn(3, 4))}
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(network.train(), (torch.randn(3, 4),), dynamic_shapes=(batch,))
    torch.export.save(program, str(tmp_path / "train.pt2"))
    paths["train"] = str(tmp_path / "train.pt2")
    with pytest.raises(NotConvertible, match=r"works in training mode \(batch_norm, dropout\)"):
        convert(paths["train"])
    report = validate(paths["eval"], paths["train"])
    assert [cause.name for cause in report.results[0].causes] == ["training mode"]
    assert not [n for n in validate(paths["eval"], paths["eval"]).notices if n.code == "training-mode"]


def test_a_program_that_counts_its_requests_is_named_by_its_buffer(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Counting(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x: Any) -> Any:
            return x.sum(1, keepdim=True) + self.count.add_(1)

    path = saved_torch(tmp_path / "counting.pt2", Counting(), torch.randn(3, 4))
    with pytest.raises(NotConvertible, match=r"keeps state between requests \(count\)"):
        convert(path)
    assert [cause.name for cause in validate(path, path).results[0].causes] == ["state between requests"]
