"""ONNX files of all shapes: what goes in, what comes out, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench.data import draw
from infer_bench.engines.base import Session
from infer_bench.errors import EngineError, ModelError
from tests.engines import zoo
from tests.engines.zoo import answer, answer_one_by_one, matrix, open_session, records, ref, target, three

F, D, INT, S = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING
UNNAMED = ("f0", "f1", "f2", "f3")


def save_graph(
    nodes: list[Any], inputs: Any, outputs: Any, path: Path, *, constants: Any = (), meta: Any = None
) -> Any:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value(*item) for item in inputs], [value(*item) for item in outputs], list(constants)
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, meta or {})
    onnx.save(model, path)
    return ref(path, "onnx", "onnx")


def weights(shape: tuple[int, int], kind: Any = np.float32) -> Any:
    return numpy_helper.from_array(np.arange(np.prod(shape)).reshape(shape).astype(kind) / 10, "w")


@pytest.mark.parametrize("kind", [F, D])
@pytest.mark.parametrize(
    ("op", "width", "task"),
    [
        ("Identity", 1, "regression"),
        ("Sigmoid", 1, "binary"),
        ("Softmax", 3, "multiclass"),
        ("Softmax", 2, "binary"),
        ("Identity", 2, "raw"),
    ],
)
def test_the_task_is_told_by_the_last_node(op: str, width: int, task: str, kind: int, tmp_path: Path) -> None:
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node(op, ["y"], ["z"])]
    model = save_graph(
        nodes,
        [("x", kind, ["n", 4])],
        [("z", kind, ["n", width])],
        tmp_path / "m.onnx",
        constants=[weights((4, width), dtype)],
    )
    rows = matrix(missing=False)
    for feed in ("ndarray", "packed", "dataframe"):
        session = open_session("onnxruntime", model, feed=feed)
        assert session.spec.task == task
        predictions = answer(session, zoo.table(rows, UNNAMED))
        assert predictions.shape == (60, 1 if task == "binary" else width)
        np.testing.assert_allclose(answer_one_by_one(session, zoo.table(rows, UNNAMED)), predictions, atol=1e-6)
        assert not session.domain().thresholds


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_converted_classifier_keeps_classes_and_probabilities(
    zipmap: bool, words: bool, classes: int, tmp_path: Path
) -> None:
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    rows = matrix(missing=False).astype(np.float32)
    codes = three(rows) if classes == 3 else target(rows)
    label = np.array(["low", "mid", "top"])[codes] if words else codes + 5
    forest = RandomForestClassifier(4, max_depth=3, random_state=0).fit(rows, label)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_onnx(forest, rows[:1], options={"zipmap": zipmap}).SerializeToString())
    session = open_session("onnxruntime", ref(path, "onnx", "onnx"))
    assert session.spec.classes == tuple(forest.classes_.tolist())
    assert session.spec.trees == 4
    predictions = answer(session, zoo.table(rows.astype(np.float64), UNNAMED))
    reference = forest.predict_proba(rows)
    np.testing.assert_allclose(predictions, reference if classes == 3 else reference[:, 1:], atol=1e-6)
    assert set(session.domain().thresholds) <= set(UNNAMED)
    assert session.domain().thresholds
    labels = open_session("onnxruntime", ref(path, "onnx", "onnx"), output="output_label" if zipmap else "label")
    hard = answer(labels, zoo.table(rows.astype(np.float64), UNNAMED))
    assert set(np.unique(hard)) == {0.0, 1.0}


@pytest.mark.parametrize(("words", "classes"), [(True, 2), (False, 3)])
def test_probabilities_in_an_output_a_class_are_read_together(words: bool, classes: int, tmp_path: Path) -> None:
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    rows = matrix(missing=False).astype(np.float32)
    codes = three(rows) if classes == 3 else target(rows)
    forest = RandomForestClassifier(4, max_depth=3, random_state=0)
    forest.fit(rows, np.array(["is low", "mid"])[codes] if words else codes - 1)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_onnx(forest, rows[:1], options={"zipmap": "columns"}).SerializeToString())
    session: Any = open_session("onnxruntime", ref(path, "onnx", "onnx"))
    assert session.spec.classes == tuple(forest.classes_.tolist())
    assert not session.spec.remarks
    table = zoo.table(rows.astype(np.float64), UNNAMED)
    reference = forest.predict_proba(rows)
    np.testing.assert_allclose(answer(session, table), reference if classes == 3 else reference[:, 1:], atol=1e-6)
    assert session.predictions_and_labels(session.preprocess(table))[1].tolist() == forest.predict(rows).tolist()
    alone = open_session("onnxruntime", ref(path, "onnx", "onnx"), output="sis low" if words else "i-1")
    np.testing.assert_allclose(answer(alone, table).ravel(), reference[:, 0], atol=1e-6)


def test_the_nearest_cluster_is_the_answer_and_not_the_distances(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scores"]),
        helper.make_node("ArgMin", ["scores"], ["nearest"], axis=1, keepdims=0),
        helper.make_node("Identity", ["nearest"], ["label"]),
    ]
    outputs = [("label", INT, ["n"]), ("scores", F, ["n", 3])]
    model = save_graph(nodes, [("x", F, ["n", 4])], outputs, tmp_path / "m.onnx", constants=[weights((4, 3))])
    session = open_session("onnxruntime", model)
    assert (session.spec.task, session.spec.outputs, session.spec.classes) == ("regression", ("output",), ())
    rows = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    columns = {name: rows[:, i] for i, name in enumerate(session.spec.feature_names)}
    output = session.postprocess(session.predict(session.preprocess(columns)))
    assert output.tolist() == [[0.0], [2.0]]


@pytest.mark.parametrize("feed", ["ndarray", "dataframe"])
def test_one_input_a_column_of_any_type(feed: str, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["count"], ["c"], to=F),
        helper.make_node(
            "LabelEncoder",
            ["city"],
            ["t"],
            domain="ai.onnx.ml",
            keys_strings=["Oslo", "Bonn"],
            values_floats=[3.0, 5.0],
            default_float=-1.0,
        ),
        helper.make_node("Add", ["age", "c"], ["s"]),
        helper.make_node("Add", ["s", "t"], ["y"]),
    ]
    inputs = [("age", F, ["n", 1]), ("count", INT, ["n", 1]), ("city", S, ["n", 1])]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value(*item) for item in inputs], [value("y", F, ["n", 1])])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "m.onnx")
    session = open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx"), feed=feed)
    assert [(f.name, f.kind) for f in session.spec.features] == [
        ("age", "float"),
        ("count", "integer"),
        ("city", "string"),
    ]
    columns: dict[str, Any] = {
        "city": np.array(["Oslo", "Bonn", "Rome", None], dtype=object),
        "age": np.array([0.5, 1, 2, 3]),
        "count": np.array([1, 2, 3, 4]),
    }
    reference = [[4.5], [8.0], [4.0], [6.0]]
    assert answer(session, columns).tolist() == reference
    assert answer_one_by_one(session, columns).tolist() == reference
    with pytest.raises(EngineError, match="count"):
        answer(session, {**records(columns)[0], "count": None})


def linear(path: Path, batch: Any = "n", meta: Any = None, columns: Any = 4) -> Any:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return save_graph(
        nodes, [("x", F, [batch, columns])], [("y", F, [batch, 1])], path, constants=[weights((4, 1))], meta=meta
    )


def test_a_fixed_batch_takes_its_own_size_only(tmp_path: Path) -> None:
    session = open_session("onnxruntime", linear(tmp_path / "m.onnx", batch=5))
    columns = zoo.table(matrix(5, missing=False), UNNAMED)
    assert answer(session, columns).shape == (5, 1)
    with pytest.raises(EngineError, match="exactly 5"):
        session.preprocess(records(columns)[0])


def test_the_converters_own_description_is_believed(tmp_path: Path) -> None:
    description = {
        "task": "regression",
        "outputs": ["price"],
        "features": [{"name": name, "kind": "float"} for name in zoo.NAMES[:3]]
        + [{"name": "city", "kind": "category", "categories": ["Bonn", "Oslo"], "encoded": True}],
    }
    session = open_session(
        "onnxruntime", linear(tmp_path / "m.onnx", meta={"infer_bench.spec": json.dumps(description)}, columns="k")
    )
    assert session.spec.outputs == ("price",)
    record = {"city": "Oslo", "debt": 1.0, "income": 2.0, "age": 3.0}
    np.testing.assert_allclose(answer(session, record), [[0.3 * 1 + 0.2 * 1 + 0.1 * 2]], rtol=1e-6)
    with pytest.raises(EngineError, match="broken"):
        open_session("onnxruntime", linear(tmp_path / "b.onnx", meta={"infer_bench.spec": "{"}))


def test_a_bound_run_answers_the_same_for_any_number_of_rows(tmp_path: Path) -> None:
    model = linear(tmp_path / "m.onnx")
    bound, plain = (open_session("onnxruntime", model, io_binding=binding) for binding in ("on", "off"))
    columns = zoo.table(matrix(missing=False), UNNAMED)
    for _ in range(2):
        np.testing.assert_array_equal(answer_one_by_one(bound, columns), answer_one_by_one(plain, columns))
        for rows in (60, 7, 60):
            part = {name: values[:rows] for name, values in columns.items()}
            np.testing.assert_array_equal(answer(bound, part), answer(plain, part))


def test_other_settings_answer_the_same(tmp_path: Path) -> None:
    model = linear(tmp_path / "m.onnx")
    columns = zoo.table(matrix(missing=False), UNNAMED)
    reference = answer(open_session("onnxruntime", model), columns)
    for options in ({"spinning": "off", "threads": "2"}, {"optimization": "off"}, {"output": "y"}):
        np.testing.assert_allclose(answer(open_session("onnxruntime", model, **options), columns), reference, rtol=1e-6)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    model = linear(tmp_path / "m.onnx")
    with pytest.raises(EngineError, match="no output 'nope'"):
        open_session("onnxruntime", model, output="nope")
    with pytest.raises(EngineError, match="CoreML"):
        open_session("onnxruntime", model, providers="coreml")


def test_a_binary_answer_that_is_no_probability_is_said_so(tmp_path: Path) -> None:
    session: Session = open_session("onnxruntime", zoo.onnxruntime(tmp_path).model)
    with pytest.raises(EngineError, match="no probability"):
        session.labels(session.postprocess([{"no": -1.16, "yes": 2.16}]))
    assert np.isnan(session.postprocess([{"no": float("nan"), "yes": float("nan")}])).all()


def test_external_data_outside_the_folder_is_rejected(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    linear(inside / "m.onnx")
    model = onnx.load(inside / "m.onnx")
    tensor = model.graph.initializer[0]
    (tmp_path / "w.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../w.bin")
    (inside / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="cannot load"):
        open_session("onnxruntime", ref(inside / "m.onnx", "onnx", "onnx"))


def test_nothing_is_written_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session("onnxruntime", zoo.onnxruntime(tmp_path).model)
    columns = zoo.table(matrix(missing=False), UNNAMED)
    answer(session, columns)
    assert capfd.readouterr() == ("", "")


def test_numbers_that_look_up_a_row_of_a_table_are_drawn_from_all_of_it(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["w", "user"], ["taste"]),
        helper.make_node("Cast", ["age"], ["years"], to=F),
        helper.make_node("Mul", ["taste", "years"], ["y"]),
    ]
    inputs, outputs = [("user", INT, ["batch"]), ("age", INT, ["batch", 1])], [("y", F, ["batch", 1])]
    model = save_graph(nodes, inputs, outputs, tmp_path / "m.onnx", constants=[weights((50, 1))])
    session = open_session("onnxruntime", model)
    assert [feature.positions for feature in session.spec.features] == [(0, 49), None]
    columns = draw(session.spec, {}, 1_000, seed=0).columns
    assert set(columns["user"].tolist()) == set(range(50))
    assert np.isfinite(answer(session, columns)).all()


def test_columns_of_floats_that_look_up_rows_are_drawn_as_their_positions(tmp_path: Path) -> None:
    body = "whole = Cast<to = 7>(x) rows = Gather(table, whole) y = ReduceSum<keepdims = 0>(rows, last)"
    graph = "g (float[N, 4] x) => (float[N, 4] y) <float[5, 2] table = {1,2,3,4,5,6,7,8,9,0}, int64[1] last = {2}>"
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph} {{ {body} }}')
    onnx.save(model, tmp_path / "ids.onnx")
    session = open_session("onnxruntime", ref(tmp_path / "ids.onnx", "onnx", "onnx"))
    assert [feature.positions for feature in session.spec.features] == [(0, 4)] * 4
    drawn = draw(session.spec, {}, 64, 0)
    assert {float(value) for column in drawn.columns.values() for value in column} == {0, 1, 2, 3, 4}
    outputs = session.postprocess(session.predict(session.preprocess(drawn.columns)))
    assert outputs.shape == (64, 4)
