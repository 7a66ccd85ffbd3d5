"""`infer-bench profile` on model files: which phase is the bottleneck, and what ran an ONNX graph's operators."""

import json
from pathlib import Path

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.report.serialize import load_report
from tests.cli.quiet import closing_without_noise

QUICK = ["--requests", "40"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "record.json").write_text(json.dumps({"column_1": 2.5, "x": 3}))
    return tmp_path


def profile(*arguments: str) -> int:
    return run(["profile", *arguments])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    lightgbm = pytest.importorskip("lightgbm")
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 200))
    settings = {"objective": "binary", "num_leaves": 4, "verbose": -1, "num_threads": 1}
    path = tmp_path_factory.mktemp("model") / "model.txt"
    lightgbm.train(settings, lightgbm.Dataset(rows, label=rows[:, 0] > 0), 5).save_model(path)
    return str(path)


def test_the_frame_is_the_bottleneck_of_one_feed_and_not_of_the_other(
    model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sentences, texts = {}, {}
    for feed in ("dataframe", "ndarray"):
        quick = ("--profiler", "none", "--requests", "200", "--json", "r.json")
        assert profile(model, "-e", f"lightgbm:feed={feed}", *quick) == 0
        texts[feed], sentences[feed] = capsys.readouterr().out, closing_without_noise(load_report("r.json"))
    assert "feed=ndarray can save up to" in sentences["dataframe"]
    assert f"Try: infer-bench bench {model} -e lightgbm:feed=ndarray -e onnxruntime" in sentences["dataframe"]
    assert "DataFrame + reindex" in texts["dataframe"]
    assert "feed=ndarray can" not in sentences["ndarray"]
    assert "DataFrame" not in texts["ndarray"] + sentences["ndarray"]


def test_operators_tell_the_provider_that_ran_them_and_a_required_one_fails(
    model: str, monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    assert run(["convert", model, "-o", "model.onnx"]) == 0
    capsys.readouterr()
    quick = ("--profiler", "none", "--memory", *QUICK)
    assert profile("model.onnx", "--require-provider", "cpu", "--json", "r.json", *quick) == 0
    row = load_report("r.json").results[0]
    assert "TreeEnsemble" in {cost.op_type for cost in row.operators}
    assert {cost.provider for cost in row.operators} == {"CPUExecutionProvider"}
    assert row.memory is not None
    assert row.memory.start_rss_bytes < row.memory.load_rss_bytes
    assert row.memory.peak_bytes > 0
    capsys.readouterr()
    assert profile("model.onnx", "--require-provider", "cuda", *quick) == 6
    assert "did not run on CUDAExecutionProvider" in capsys.readouterr().err
    assert not list(folder.glob("operators*"))


def test_records_that_do_not_fit_the_model_are_refused(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile(model, "--input", "record.json", "--profiler", "none", *QUICK) == 6
    assert "it knows Column_0" in capsys.readouterr().err
