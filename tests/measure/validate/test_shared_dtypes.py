"""Probes are requests that every side can hold: whole numbers, ranges and strings as the narrower input takes them."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pandas as pd
import pytest
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from infer_bench import validate
from infer_bench.measure.validate.probes.rows import probes
from infer_bench.model import Feature, ModelSpec
from infer_bench.report.validate import ValidateReport

DTYPES = {"count": "int32", "byte": "uint8", "flag": "bool", "half": "float16", "single": "float"}
WEIGHTS = {"count": 0.5, "byte": 0.25, "flag": -2.0, "half": 1.5, "single": 3.0}
N = 200


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline of whole numbers, floats and text with its ordinary export, and rows of it."""
    place = tmp_path_factory.mktemp("mixed")
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 90, N),
            "income": random.lognormal(3, 1, N).astype(np.float32).astype(float),
            "children": random.integers(0, 5, N),
            "job": random.choice(["nurse", "cook", "clerk"], N),
        }
    )
    target = (frame.age > 50).astype(int) + (frame.job == "nurse") > 0
    steps = [("num", StandardScaler(), ["age", "income", "children"]), ("cat", OneHotEncoder(), ["job"])]
    model = Pipeline([("columns", ColumnTransformer(steps)), ("model", LogisticRegression())]).fit(frame, target)
    types = {"age": Int64TensorType, "income": FloatTensorType, "children": Int64TensorType, "job": StringTensorType}
    inputs = [(name, kind([None, 1])) for name, kind in types.items()]
    graph = convert_sklearn(model, initial_types=inputs, options={id(model): {"zipmap": False}})
    (place / "model.pkl").write_bytes(pickle.dumps(model))
    (place / "model.onnx").write_bytes(graph.SerializeToString())
    frame.to_parquet(place / "rows.parquet")
    frame.assign(age=frame.age + 0.5).to_parquet(place / "fractions.parquet")
    return place


def run(place: Path, *names: str, data: str = "", **settings: Any) -> ValidateReport:
    rows: dict[str, Any] = {"data": str(place / data)} if data else {}
    reference, candidate = (str(place / name) for name in names)
    return validate(reference, candidate, **rows, **settings)


@pytest.mark.usefixtures("few_probes")
@pytest.mark.parametrize("data", ["rows.parquet", ""])
@pytest.mark.parametrize("names", [("model.pkl", "model.onnx"), ("model.onnx", "model.pkl")])
def test_an_export_of_a_mixed_frame_is_the_same(mixed: Path, names: tuple[str, str], data: str) -> None:
    report = run(mixed, *names, data=data)
    groups = {group.name: group for group in report.results[0].groups}
    compared = [groups[name] for name in ("drawn", "thresholds", "zero", "one at a time", "shuffled columns")]
    assert not any(group.failing for group in compared), compared
    assert all(group.max_abs_delta < 1e-6 for group in compared)


def test_fractions_of_the_user_s_own_that_a_side_cuts_off_are_the_cause(mixed: Path) -> None:
    report = run(mixed, "model.pkl", "model.onnx", data="fractions.parquet", probes="off")
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    (cause,) = report.results[0].causes
    assert cause.name == "input cast"
    assert "integers in age" in cause.detail
    assert cause.fix.endswith("--input-dtype float64")


def weigh(place: Path, dtypes: dict[str, str]) -> Path:
    """A graph that adds its inputs, one a column, with their weights."""
    inputs = ", ".join(f"{dtype}[N, 1] {name}" for name, dtype in dtypes.items())
    lines = [f"{name}_f = Cast<to = 1>({name})" for name in dtypes]
    lines += [f"{name}_c = Constant<value = float {{{WEIGHTS[name]}}}>()" for name in dtypes]
    lines += [f"{name}_w = Mul({name}_f, {name}_c)" for name in dtypes]
    lines.append(f"y = Sum({', '.join(f'{name}_w' for name in dtypes)})")
    text = f'<ir_version: 10, opset_import: ["": 17]> weigh ({inputs}) => (float[N, 1] y) {{ {" ".join(lines)} }}'
    path = place / "weigh.onnx"
    onnx.save(onnx.parser.parse_model(text), path)
    return path


@pytest.mark.parametrize("turned", [False, True])
def test_every_dtype_is_given_what_it_holds(tmp_path: Path, turned: bool) -> None:
    frame = pd.DataFrame(np.eye(len(WEIGHTS)), columns=list(WEIGHTS))
    model = LinearRegression(fit_intercept=False).fit(frame, list(WEIGHTS.values()))
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model))
    names = [str(tmp_path / "m.pkl"), str(weigh(tmp_path, DTYPES))]
    report = validate(*(reversed(names) if turned else names))
    groups = {group.name: group for group in report.results[0].groups}
    for name in ("drawn", "zero", "one at a time", "shuffled columns"):
        assert not groups[name].failing, groups[name]


def test_whole_numbers_lie_beside_the_thresholds_of_their_column() -> None:
    spec = ModelSpec("raw", (Feature("n", "integer", dtype="uint8"), Feature("x")), ("output",))
    groups = {probe.name: probe.table for probe in probes(spec, {"n": (2.5, 400.0)}, float32=True, seed=0)}
    assert set(groups["thresholds"].columns["n"].tolist()) == {1, 2, 3, 4, 255}
    assert 0 in groups["zero"].columns["n"].tolist()
    for table in groups.values():
        assert table.columns["n"].dtype.kind == "i"


def test_a_category_that_a_side_takes_as_an_integer_has_no_fractions() -> None:
    category = Feature("c", "category", (0, 3), dtype="int64")
    names = {probe.name for probe in probes(ModelSpec("raw", (category,), ("output",)), {}, float32=False, seed=0)}
    assert "unseen categories" in names
    assert "fractional categories" not in names
