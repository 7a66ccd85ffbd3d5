"""The model and the one behind it: who answers, why, and whether they agree."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.errors import CannotRun, PredictionsDiffer, UsageError
from infer_bench.model import ModelSpec
from infer_bench.serving import application
from infer_bench.serving.app import open_paths
from infer_bench.serving.comparison import compare_pair
from infer_bench.serving.paths.dual_path import align
from infer_bench.serving.paths.predictions import Predictions
from infer_bench.serving.paths.served_model import choose_candidate
from infer_bench.serving.settings import ModelPlan, ServingSettings
from tests.engines.zoo import NAMES, SavedModel, frame, matrix, target
from tests.serving.client import ask, converse, counters, predict

ROW = {"age": 0.5, "income": 1.0, "debt": -1.0, "years": 0.25}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the same columns in another order, which refuses NaN."""
    import joblib
    from sklearn.linear_model import LogisticRegression

    rows = matrix(missing=False)
    path = tmp_path_factory.mktemp("strict") / "strict.joblib"
    joblib.dump(LogisticRegression().fit(frame(rows)[list(reversed(NAMES))], target(rows)), path)
    return path


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX graph that answers NaN to NaN: the sum of its four columns, which it does not name."""
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    graph = (
        "sum (float[N, 4] x) => (float[N, 1] y) { w = Constant<value = float[4, 1] {1, 1, 1, 1}>() y = MatMul(x, w) }"
    )
    path = tmp_path_factory.mktemp("linear") / "sum.onnx"
    onnx.save(parser.parse_model(f'<ir_version: 10, opset_import: ["" : 17]> {graph}'), path)
    return path


def test_the_fallback_answers_what_the_model_refuses(strict: Path, binary: SavedModel) -> None:
    app = application(str(strict), binary.model.path)
    assert predict(app, ROW).json()["path"] == "primary"
    missing = predict(app, {**ROW, "income": None}).json()
    assert missing["path"] == "fallback"
    alone = predict(application(binary.model.path), {**ROW, "income": None}).json()
    assert missing["predictions"] == alone["predictions"]
    assert missing["labels"] == alone["labels"]
    assert counters(app)['infer_bench_fallbacks_total{reason="refused"}'] == 1


def test_the_fallback_answers_in_place_of_nan(linear: Path, zoo: Callable[[str], SavedModel]) -> None:
    app = application(str(linear), zoo("sklearn").model.path, allow_pickle=True)
    row = dict(zip(("f0", "f1", "f2", "f3"), ROW.values(), strict=True))
    whole = predict(app, row).json()
    assert (whole["path"], whole["predictions"]) == ("primary", [[pytest.approx(0.75)]])
    missing = predict(app, {**row, "f1": None}).json()
    assert missing["path"] == "fallback"
    assert np.isfinite(missing["predictions"]).all()
    assert counters(app)['infer_bench_fallbacks_total{reason="non-finite"}'] == 1


def test_where_both_give_nan_the_model_answers(linear: Path) -> None:
    app = application(str(linear), str(linear))
    row = dict.fromkeys(("f0", "f1", "f2", "f3"))
    assert predict(app, row).json()["path"] == "primary"
    assert predict(app, row).json()["predictions"] == [[None]]


def test_a_model_that_cannot_be_loaded_is_replaced(tmp_path: Path, binary: SavedModel) -> None:
    broken = tmp_path / "fast.onnx"
    broken.write_bytes(b"\x08\x09" + b"\x00" * 30)
    app = application(str(broken), binary.model.path)
    body = predict(app, ROW).json()
    assert (body["path"], body["model"]) == ("fallback", "fast")
    assert counters(app)['infer_bench_fallbacks_total{reason="load"}'] == 1
    info = ask(app, "GET", "/model-info").json()
    assert (info["name"], info["path"], info["family"]) == ("fast", "fallback", "lightgbm")


def test_another_file_than_at_the_start_is_not_served(binary: SavedModel) -> None:
    path, settings = binary.model.path, ServingSettings()
    sha256 = choose_candidate(path, "", settings).artefact.sha256
    assert open_paths(ModelPlan(path, sha256=sha256), settings)[0].primary is not None
    with pytest.raises(CannotRun, match="another file than the server started with"):
        open_paths(ModelPlan(path, sha256="0" * 64), settings)
    paths, error = open_paths(ModelPlan(path, path, sha256="0" * 64), settings)
    assert (paths.primary, paths.main) == (None, paths.fallback)
    assert "another file" in error
    with pytest.raises(CannotRun, match="another file"):
        open_paths(ModelPlan(path, path, fallback_sha256="0" * 64), settings)


def test_what_neither_answers_is_refused_as_the_model_refuses_it(strict: Path) -> None:
    response = predict(application(str(strict), str(strict)), {**ROW, "income": None})
    assert response.status_code == 422
    assert "NaN" in response.json()["error"]


@pytest.mark.parametrize(("max_delta", "differences"), [(100.0, 0), (0.0, 3)])
def test_a_share_of_the_requests_is_asked_of_both(
    linear: Path, binary: SavedModel, max_delta: float, differences: int
) -> None:
    app = application(str(linear), binary.model.path, shadow=1.0, max_delta=max_delta)
    row = dict(zip(("f0", "f1", "f2", "f3"), ROW.values(), strict=True))

    async def talk(client: Any) -> None:
        for body in ([row, row], row):
            assert (await client.post("/predict", json=body)).status_code == 200
        assert app.service.shadow is not None
        while app.service.shadow._waiting:
            await asyncio.sleep(0)

    converse(app, talk)
    numbers = counters(app)
    assert numbers["infer_bench_shadow_rows_total"] == 3
    assert numbers["infer_bench_shadow_differences_total"] == differences
    app.close()


def test_a_shadow_needs_a_second_model(binary: SavedModel) -> None:
    with pytest.raises(UsageError, match="no fallback"):
        application(binary.model.path, shadow=0.5)


@pytest.mark.parametrize(
    ("theirs", "values", "labels", "expected_values", "expected_labels"),
    [
        (("no", "yes"), [[0.2]], ["no"], [[0.2]], ["no"]),
        (("yes", "no"), [[0.2]], ["yes"], [[0.8]], ["yes"]),
        ((0, 1), [[0.2]], [0], [[0.2]], ["no"]),
    ],
)
def test_classes_are_matched(theirs: Any, values: Any, labels: Any, expected_values: Any, expected_labels: Any) -> None:
    ours = ModelSpec("binary", (), ("output",), ("no", "yes"))
    other = ModelSpec("binary", (), ("output",), theirs)
    result = align(Predictions(np.array(values), labels, {}), other, ours)
    np.testing.assert_allclose(result.values, expected_values)
    assert result.labels == expected_labels


def test_labels_are_of_the_model_s_own_types() -> None:
    ours = ModelSpec("binary", (), ("output",), (False, True))
    for theirs, label in (((0, 1), 1), ((1.0, 0.0), 1.0)):
        result = align(Predictions(np.array([[0.8]]), [label], {}), ModelSpec("binary", (), ("output",), theirs), ours)
        assert result.labels is not None
        assert result.labels[0] is True


def pair(model: str, fallback: str) -> Any:
    settings = ServingSettings()
    sides = (choose_candidate(path, "", settings) for path in (model, fallback))
    return compare_pair(*sides, max_delta=None, threads=1, allow_pickle=False)


def test_both_are_compared_before_the_port_opens(binary: SavedModel, strict: Path, capsys: Any) -> None:
    assert pair(binary.model.path, binary.model.path).sentence == "model.txt and model.txt agree on 1,000 drawn rows"
    with pytest.raises(
        PredictionsDiffer, match=r"strict.joblib and its fallback model.txt differ on .* of 1,000 drawn rows"
    ):
        pair(str(strict), binary.model.path)
    assert run(["serve", str(strict), "--fallback", binary.model.path, "--port", "0"]) == 4
    assert "labels change" in capsys.readouterr().err


def test_models_of_other_outputs_do_not_stand_behind_each_other(strict: Path, tmp_path: Path) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    rows = matrix(missing=False)
    joblib.dump(LogisticRegression().fit(frame(rows), np.arange(len(rows)) % 3), tmp_path / "three.joblib")
    with pytest.raises(PredictionsDiffer, match="an answer has 3 columns where the reference's has 1"):
        pair(str(tmp_path / "three.joblib"), str(strict))


def test_a_model_that_cannot_be_opened_is_known_before(binary: SavedModel, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx.helper")
    graph = onnx.make_graph(
        [onnx.make_node("NoSuchOperator", ["x"], ["y"])],
        "g",
        [onnx.make_tensor_value_info("x", 1, [None, 4])],
        [onnx.make_tensor_value_info("y", 1, [None, 1])],
    )
    path = tmp_path / "strange.onnx"
    path.write_bytes(
        onnx.make_model(graph, ir_version=9, opset_imports=[onnx.make_opsetid("", 17)]).SerializeToString()
    )
    assert "strange.onnx" in pair(str(path), binary.model.path).error
