"""`infer-bench bench --labels`: quality beside speed, for trees, linear models and networks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from infer_bench.cli.main import run
from infer_bench.report.bench import BenchReport
from infer_bench.report.serialize import load_report
from tests.cli.gating import SAMPLES
from tests.networks import TRAINING, digits, save_full

QUICK = ["--rounds", "1", "--processes", "1", "--json", "r.json"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save_target(name: str) -> Any:
    target = pd.read_parquet(SAMPLES / f"{name}.parquet")["target"]
    target.to_frame().to_csv("y.csv", index=False)
    return target.to_numpy()


def load_saved() -> BenchReport:
    report: BenchReport = load_report(Path("r.json"))
    return report


def test_every_candidate_of_trees_has_the_quality_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    import lightgbm
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    truth, rows = save_target("digits"), str(SAMPLES / "digits.parquet")
    candidates = ["-e", "lightgbm:feed=ndarray", "-e", "onnxruntime"]
    assert run(["bench", str(SAMPLES / "digits.txt"), "-d", rows, "--labels", "y.csv", *candidates, *QUICK]) == 0
    booster = lightgbm.Booster(model_file=str(SAMPLES / "digits.txt"))
    scores = booster.predict(pd.read_parquet(rows)[booster.feature_name()])
    predicted = np.asarray(scores).argmax(axis=1)
    for result in load_saved().results:
        assert result.quality is not None
        assert result.quality.rows == len(truth)
        assert result.quality.accuracy == accuracy_score(truth, predicted)
        assert result.quality.f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
        assert result.quality.auc == pytest.approx(roc_auc_score(truth, scores, multi_class="ovr"))
    assert "accuracy" in capsys.readouterr().out


def test_labels_of_text_are_matched_by_name() -> None:
    save_target("tumour")
    arguments = ["-d", str(SAMPLES / "tumour.parquet"), "--labels", "y.csv", "-e", "onnxruntime:feed=ndarray"]
    assert run(["bench", str(SAMPLES / "tumour_zipmap.onnx"), *arguments, *QUICK]) == 0
    (result,) = load_saved().results
    assert result.quality is not None
    assert result.quality.accuracy > 0.95
    assert result.quality.auc is not None
    assert result.quality.auc > 0.95


def test_a_network_tells_its_classes_by_place() -> None:
    pixels, labels = digits()
    save_full(Path("n.onnx"))
    np.save("x.npy", pixels[TRAINING:])
    np.save("y.npy", labels[TRAINING:])
    assert run(["bench", "n.onnx", "-d", "x.npy", "--labels", "y.npy", "-e", "onnxruntime:feed=ndarray", *QUICK]) == 0
    (result,) = load_saved().results
    assert result.quality is not None
    assert result.quality.accuracy > 0.8
    np.save("y.npy", (labels[TRAINING:] + 3) % 10)
    assert run(["bench", "n.onnx", "-d", "x.npy", "--labels", "y.npy", "-e", "onnxruntime:feed=ndarray", *QUICK]) == 0
    (result,) = load_saved().results
    assert result.quality is not None
    assert result.quality.accuracy < 0.2


def test_labels_that_are_none_of_the_models_are_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    rows = pd.read_parquet(SAMPLES / "house.parquet")
    rows["target"].astype(str).to_frame().to_csv("y.csv", index=False)
    arguments = ["-d", str(SAMPLES / "house.parquet"), "--labels", "y.csv", "-e", "sklearn:feed=ndarray"]
    assert run(["bench", str(SAMPLES / "house_forest.joblib"), *arguments, *QUICK]) == 0
    (result,) = load_saved().results
    assert result.quality is None
    assert "no candidate predicts the classes that the labels name" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--labels", "y.csv"], 2, "--data"),
        (["-d", "x.csv", "--labels", "y.csv"], 6, "3 labels for 2 rows"),
        (["-d", "x.csv", "--labels", "x.csv"], 6, "2 columns"),
        (["-d", "x.csv", "--labels", "nowhere.csv"], 6, "nowhere.csv"),
        (["-d", "x.csv", "--labels", "f.csv"], 6, "fractions"),
        (["-d", "x.csv", "--labels", "y.csv", "--against", "m.txt"], 2, "plain run"),
        (["-d", "x.csv", "--labels", "y.csv", "--json", "y.csv"], 2, "would overwrite"),
    ],
)
def test_what_cannot_be_is_said_before_a_worker_starts(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.csv").write_text("a,b\n1,2\n3,4\n")
    Path("y.csv").write_text("y\n0\n1\n1\n")
    Path("f.csv").write_text("y\n0.5\n1\n")
    assert run(["bench", str(SAMPLES / "digits.txt"), *arguments]) == code
    output = capsys.readouterr()
    assert words in output.err
    assert not output.out
