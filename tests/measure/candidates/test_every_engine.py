"""`-e all`: what is installed and reads the model takes part, and what is not is a line that names its extra."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from infer_bench import bench
from infer_bench.engines import registry
from infer_bench.engines.registry import EngineInfo
from infer_bench.errors import UsageError
from infer_bench.measure.candidates.candidates import plan_candidates
from infer_bench.measure.candidates.every_engine import expand_all
from infer_bench.model import ModelRef

SAMPLE = Path(__file__).parents[3] / "sample_models" / "tumour_zipmap.onnx"
ONNX = ModelRef("m.onnx", "onnx", "onnx", "aa", 9)
PIPE = ModelRef("m.joblib", "sklearn", "joblib", "bb", 9)
TEXT = ModelRef("m.txt", "lightgbm", "lightgbm-text", "cc", 9)
TEXTS = frozenset({"lightgbm-text"})


class Reader:
    """An engine of another distribution for LightGBM's files."""

    name, formats, options = "swift", TEXTS, registry.get("lightgbm").options


def install(monkeypatch: pytest.MonkeyPatch, *infos: EngineInfo) -> None:
    """Let there be these engines beside the others."""
    others, get = [info for info in registry.available() if not info.name.startswith("swift")], registry.get
    monkeypatch.setattr(registry, "available", lambda: [*others, *infos])
    monkeypatch.setattr(registry, "get", lambda name: Reader() if name.startswith("swift") else get(name))


def expand(models: Sequence[ModelRef], *texts: str) -> list[str]:
    return expand_all(models, texts)[0]


def test_every_engine_that_reads_the_model_stands_behind_the_default_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, EngineInfo("swift", TEXTS, version="1.0"), EngineInfo("swift2", TEXTS, problem="no swift2"))
    texts, optional, notices = expand_all([TEXT], ["all"])
    assert texts[:3] == ["lightgbm:feed=dataframe", "lightgbm:feed=ndarray", "onnxruntime:feed=ndarray"]
    assert "swift:feed=ndarray" in texts
    assert optional == texts
    assert not any(text.startswith(("swift2", "xgboost", "sklearn", "catboost", "http", "callable")) for text in texts)
    assert [notice.message for notice in notices if notice.candidate == "swift2"] == ["swift2 left out: no swift2"]


def test_a_pickle_is_for_the_engines_of_its_family() -> None:
    assert not any(text.startswith(("lightgbm", "xgboost")) for text in expand([PIPE], "all"))
    assert expand([ONNX], "all")[0] == "onnxruntime:feed=ndarray"


def test_what_is_named_keeps_its_place_and_its_failure() -> None:
    texts, optional, _ = expand_all([TEXT], ["onnxruntime:feed=ndarray", "all"])
    assert texts[0] == "onnxruntime:feed=ndarray"
    assert texts.count("onnxruntime:feed=ndarray") == 1
    plans = plan_candidates([TEXT], texts, 1, optional=optional)
    assert [plan.explicit for plan in plans] == [True] + [False] * (len(plans) - 1)
    assert expand_all([TEXT], ["lightgbm"]) == (["lightgbm"], [], [])


def test_elsewhere_it_is_no_candidate() -> None:
    with pytest.raises(UsageError, match="'all' stands for every engine in a bench"):
        plan_candidates([TEXT], ["all"], 1)


def test_a_bench_of_all_measures_what_is_there() -> None:
    report = bench(str(SAMPLE), candidates=["all"], rounds=1, processes=1, probes=False)
    assert report.results[0].candidate == "onnxruntime:feed=ndarray"
    assert all(result.failed is None for result in report.results)
