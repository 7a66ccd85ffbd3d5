"""Engines that run the files of LightGBM and XGBoost: as those do, on rows made to find differences, or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from infer_bench.engines import sklearnex
from infer_bench.engines.nvforest import has_infinite_splits
from infer_bench.engines.tree_files.near_zero import KAPPA, move_thresholds
from infer_bench.engines.tree_files.read import read_tree_file
from infer_bench.errors import EngineError, ModelError
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.validate.probes.rows import probes
from infer_bench.model import ModelRef
from tests.converters.zoo import lightgbm_models, xgboost_models
from tests.converters.zoo.case import list_cases, write
from tests.engines.zoo import answer, open_session

CASES = {case.name: case for case in (*list_cases(lightgbm_models.cases()), *list_cases(xgboost_models.cases()))}
ENGINES = ("treelite", "lleaves", "tl2cgen", "sklearnex", "nvforest")
OPTIONS: dict[str, dict[str, str]] = {"nvforest": {"device": "cpu"}}
MODULES = {"sklearnex": "daal4py"}
RIGHT = (
    *(
        "lgb binary",
        "lgb multiclass",
        "lgb rf multiclassova",
        "lgb sigmoid 2.5",
        "lgb reg_sqrt",
        "lgb 3 bins",
        "lgb codes",
    ),
    *("lgb categories", "lgb no missing", "lgb tied zeros", "lgb poisson", "lgb early stopping text"),
    *("xgb binary", "xgb softprob", "xgb dart", "xgb poisson", "xgb forest", "xgb early stopping json"),
)
OWN_LIMITS = {
    ("lleaves", "lgb rf multiclassova"): "does not average",
    ("tl2cgen", "xgb targets"): "several targets",
    ("tl2cgen", "lgb binary"): "lower 32 bits are all ones",
    ("treelite", "xgb categories"): "splits on categories",
    ("nvforest", "xgb categories"): "splits on categories",
    ("tl2cgen", "xgb categories"): "splits on categories",
    ("sklearnex", "xgb categories"): "splits on categories",
    ("sklearnex", "lgb binary"): "rounds LightGBM's thresholds to float32",
    ("sklearnex", "xgb poisson"): "leaves out what count:poisson does",
    ("sklearnex", "xgb dart"): "weights of dart's trees",
    ("sklearnex", "xgb targets"): "several targets",
    ("sklearnex", "xgb forest classes"): "forest of several classes",
}
"""What one engine refuses and others may compute."""
REFUSED = {
    "lgb linear": "linear leaves",
    "lgb zero_as_missing": "zeros for missing",
    "xgb gblinear": "no trees",
    "xgb no trees": "no trees",
    "xgb early stopping wrapper": "early stopping found iteration",
}


def save(name: str, folder: Path) -> ModelRef:
    model, _ = CASES[name].train()
    return identify_model(str(write(model, "txt" if name.startswith("lgb") else "json", folder)), allow_pickle=False)


def reads(engine: str, name: str) -> bool:
    """Whether the engine opens files of this kind, and does without being allowed to."""
    if (engine, name) in OWN_LIMITS:
        return False
    return name.startswith({"lleaves": "lgb", "tl2cgen": "xgb", "sklearnex": "xgb"}.get(engine, ""))


@pytest.mark.parametrize(("engine", "name"), [(e, n) for e in ENGINES for n in RIGHT if reads(e, n)])
def test_it_answers_probes_as_the_files_own_library(engine: str, name: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES.get(engine, engine))
    model = save(name, tmp_path)
    own, other = open_session(model.family, model), open_session(engine, model, **OPTIONS.get(engine, {}))
    assert (own.spec.task, own.spec.outputs, own.spec.features) == (
        other.spec.task,
        other.spec.outputs,
        other.spec.features,
    )
    thresholds = own.domain().thresholds
    assert other.domain().thresholds == thresholds
    tolerance = 1e-5 if model.family == "xgboost" else 1e-6
    for probe in list(probes(own.spec, thresholds, float32=model.family == "xgboost", seed=1))[:-2]:
        ours, theirs = (answer(session, dict(probe.table.columns)) for session in (own, other))
        np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance, err_msg=probe.name)


@pytest.mark.parametrize(
    ("engine", "name", "reason"),
    [(e, n, REFUSED[n]) for e in ENGINES for n in REFUSED if reads(e, n)]
    + [(engine, name, reason) for (engine, name), reason in OWN_LIMITS.items()],
)
def test_what_it_would_compute_otherwise_is_refused(engine: str, name: str, reason: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES.get(engine, engine))
    with pytest.raises(EngineError, match=reason):
        open_session(engine, save(name, tmp_path))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("lgb sigmoid 2.5", "sigmoid=2.5"),
        ("lgb reg_sqrt", "squares the sum"),
        ("lgb codes", "splits on categories"),
        ("xgb dart", "weights of dart's trees"),
    ],
)
def test_what_the_builder_leaves_out_is_refused_even_where_its_rounding_is_allowed(
    name: str, reason: str, tmp_path: Path
) -> None:
    model = save(name, tmp_path)
    if name == "xgb dart":
        rename_dart(Path(model.path))
    with pytest.raises(EngineError, match=reason):
        sklearnex.refuse(read_tree_file(model), model, {"allow": "unsafe"})


def rename_dart(path: Path) -> None:
    """As XGBoost 3.3 and newer store it: a gbtree that holds the weights."""
    content = json.loads(path.read_text())
    booster = content["learner"]["gradient_booster"]
    if "gbtree" in booster:
        inner = {**booster["gbtree"]["model"], "weight_drop": booster["weight_drop"]}
        content["learner"]["gradient_booster"] = {"name": "gbtree", "model": inner}
    path.write_text(json.dumps(content))


def test_nvforest_runs_on_a_gpu_or_says_that_there_is_none(tmp_path: Path) -> None:
    pytest.importorskip("nvforest")
    runtime = pytest.importorskip("cuda.bindings.runtime")
    model = save("xgb binary", tmp_path)
    if runtime.cudaGetDevice()[0] != runtime.cudaError_t.cudaSuccess:
        with pytest.raises(EngineError, match="nvForest finds no GPU: cudaError") as caught:
            open_session("nvforest", model)
        assert caught.value.hint == "nvforest:device=cpu runs it on the CPU"
        return
    session = open_session("nvforest", model)
    rows = {name: np.linspace(-2, 2, 40) for name in session.spec.feature_names}
    np.testing.assert_allclose(answer(session, rows), answer(open_session("xgboost", model), rows), atol=1e-6)


@pytest.mark.parametrize("engine", ["tl2cgen", "sklearnex"])
def test_a_refusal_for_a_known_fault_can_be_overruled(engine: str, tmp_path: Path) -> None:
    pytest.importorskip(MODULES.get(engine, engine))
    model = save("lgb binary", tmp_path)
    rows = {name: np.linspace(-2, 2, 40) for name in open_session("lightgbm", model).spec.feature_names}
    own = answer(open_session("lightgbm", model), rows)
    np.testing.assert_allclose(answer(open_session(engine, model, allow="unsafe"), rows), own, atol=1e-6)


def test_thresholds_near_zero_move_to_the_end_of_the_band() -> None:
    text = b"a=1\ntree_sizes=9 9\nthreshold=0 -1e-36 0.5 0 -1e-30\ndecision_type=2 2 2 1 2\nleft_child=1\n"
    below = repr(float(np.nextafter(-KAPPA, -1))).encode()
    kappa = repr(KAPPA).encode()
    moved = b" ".join((kappa, below, b"0.5 0 -1e-30"))
    assert move_thresholds(text) == text.replace(b"0 -1e-36 0.5 0 -1e-30", moved)


def test_a_file_tells_its_objective_and_its_codes(tmp_path: Path) -> None:
    file = read_tree_file(save("lgb codes", tmp_path))
    assert file.objective == "binary"
    assert file.has_categories
    assert [file.spec.features[i].kind for i in file.coded_places] == ["category"] * len(file.coded_places)
    assert file.coded_places


def test_a_split_at_infinity_is_seen(tmp_path: Path) -> None:
    assert has_infinite_splits(read_tree_file(save("lgb early stopping text", tmp_path)))
    assert not has_infinite_splits(read_tree_file(save("lgb no missing", tmp_path)))
    assert not has_infinite_splits(read_tree_file(save("xgb binary", tmp_path)))


def test_a_broken_file_is_said_so(tmp_path: Path) -> None:
    model = save("lgb binary", tmp_path)
    path = Path(model.path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ModelError):
        read_tree_file(model)
