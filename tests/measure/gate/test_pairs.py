"""Whom `--against` and `--against-python` name."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infer_bench.engines import registry
from infer_bench.errors import ModelError, UsageError
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.gate.pairs import make_pairs
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.model import ModelRef

ONNX, TEXT = ModelRef("new.onnx", "onnx", "onnx", "aa", 9), ModelRef("new.txt", "lightgbm", "lightgbm-text", "bb", 9)
OLD = {"old.onnx": ModelRef("old.onnx", "onnx", "onnx", "cc", 9), "new.onnx": ONNX, "service:old": None}


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {**registry.BUILT_IN, "fake": "tests.fakes:FakeEngine"})


def identify(name: str) -> ModelRef:
    return OLD.get(name) or identify_model(name)


def pair_up(
    models: Sequence[ModelRef], texts: Sequence[str], against: str | None, python: str | None = None
) -> list[Pair]:
    return make_pairs(models, texts, against, python, identify=identify, to_onnx=lambda model: model, threads=1)


def names(pair: Pair) -> tuple[str, str, str, str]:
    assert pair.baseline is not None
    ours, theirs = pair.candidate, pair.baseline
    return ours.model.path, ours.label, theirs.model.path, theirs.label


def test_a_model_is_opened_by_the_same_candidate() -> None:
    (usual,) = pair_up([ONNX], [], "old.onnx")
    assert names(usual) == ("new.onnx", "onnxruntime:feed=ndarray", "old.onnx", "onnxruntime:feed=ndarray")
    (texts,) = pair_up([ONNX], ["onnxruntime:threads=2"], "old.onnx")
    assert names(texts) == ("new.onnx", "onnxruntime:threads=2", "old.onnx", "onnxruntime:threads=2")


def test_a_model_of_another_family_is_opened_by_its_own_library() -> None:
    (pair,) = pair_up([TEXT], [], "old.onnx")
    assert names(pair) == ("new.txt", "lightgbm:feed=ndarray", "old.onnx", "onnxruntime:feed=ndarray")
    (with_text,) = pair_up([TEXT], ["lightgbm:feed=dataframe"], "old.onnx")
    assert names(with_text) == ("new.txt", "lightgbm:feed=dataframe", "old.onnx", "onnxruntime:feed=ndarray")


def test_a_candidate_opens_the_same_model() -> None:
    (pair,) = pair_up([ONNX], ["onnxruntime:threads=2"], "onnxruntime:threads=1")
    assert names(pair) == ("new.onnx", "onnxruntime:threads=2", "new.onnx", "onnxruntime:threads=1")
    bare = pair_up([TEXT], [], "lightgbm")
    assert names(bare[0])[3] == "lightgbm"


def test_a_function_is_another_version_of_the_users_code() -> None:
    function = ModelRef("service:new", "callable", "python", "", 0)
    (pair,) = pair_up([function], [], "service:old")
    assert names(pair) == ("service:new", "callable", "service:old", "callable")
    (beside,) = pair_up([ONNX], [], "service:old")
    assert names(beside) == ("new.onnx", "onnxruntime:feed=ndarray", "service:old", "callable")


@pytest.mark.parametrize("against", ["new.onnx", "onnxruntime:feed=ndarray"])
def test_nobody_is_compared_with_itself(against: str) -> None:
    with pytest.raises(UsageError, match="compared with itself"):
        pair_up([ONNX], [], against)


def test_of_several_candidates_the_one_that_is_the_baseline_is_left_out() -> None:
    texts = ["onnxruntime:threads=1", "onnxruntime:threads=2", "onnxruntime:threads=2"]
    pairs = pair_up([ONNX], texts, "onnxruntime:threads=1")
    assert [names(pair)[1] for pair in pairs] == ["onnxruntime:threads=2"]


def test_several_models_each_have_their_match() -> None:
    other = ModelRef("other.onnx", "onnx", "onnx", "dd", 9)
    assert [names(pair)[::2] for pair in pair_up([ONNX, other], [], "old.onnx")] == [
        ("new.onnx", "old.onnx"),
        ("other.onnx", "old.onnx"),
    ]


def test_an_unknown_engine_is_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError):
        pair_up([ONNX], [], "onnxruntim")
    with pytest.raises(UsageError):
        pair_up([ONNX], [], "onnxruntime:thread=1")


def test_a_file_that_is_called_like_an_engine_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("onnxruntime").write_text("a,b\n1,2\n")
    with pytest.raises(ModelError):
        pair_up([ONNX], ["onnxruntime:threads=2"], "onnxruntime")


def test_without_a_baseline_there_is_none() -> None:
    assert pair_up([ONNX], [], None)[0].baseline is None


def test_another_interpreter_runs_the_same_candidate() -> None:
    (pair,) = pair_up([ONNX], [], None, sys.executable)
    assert pair.baseline is not None
    assert pair.baseline.label == pair.candidate.label
    assert pair.baseline.interpreter == os.path.abspath(sys.executable)
    assert pair.baseline.key != pair.candidate.key
    assert not pair.candidate.interpreter
