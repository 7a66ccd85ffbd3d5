"""Which texts an ONNX graph lists for which of its columns."""

import onnx
import onnx.helper as make
import pytest

from infer_bench.errors import ModelError
from infer_bench.formats.graph_uses.known_texts import find_known_texts

ML = "ai.onnx.ml"


def encoder(source: str, texts: list[str], op: str = "OneHotEncoder", name: str = "cats_strings") -> onnx.NodeProto:
    return make.make_node(op, [source], [f"{source}_{op}"], domain=ML, **{name: texts})


def graph(nodes: list[onnx.NodeProto], inputs: dict[str, int], places: dict[str, list[int]]) -> bytes:
    values = [
        make.make_tensor_value_info(name, onnx.TensorProto.STRING, [None, width]) for name, width in inputs.items()
    ]
    stored = [make.make_tensor(name, onnx.TensorProto.INT64, [len(where)], where) for name, where in places.items()]
    return bytes(make.make_model(make.make_graph(nodes, "g", values, [], stored)).SerializeToString())


def test_categories_are_followed_back_through_joined_and_selected_columns() -> None:
    nodes = [
        make.make_node("Concat", ["a", "b"], ["joined"], axis=1),
        make.make_node("ArrayFeatureExtractor", ["joined", "last"], ["one"], domain=ML),
        make.make_node("Gather", ["joined", "first"], ["others"], axis=1),
        encoder("one", ["x", "y"]),
        encoder("others", ["p"], "LabelEncoder", "keys_strings"),
        encoder("one_OneHotEncoder", ["is no column any more"]),
    ]
    data = graph(nodes, {"a": 1, "b": 2}, {"last": [2], "first": [0, 1]})
    assert find_known_texts(data, {"a": 1, "b": 2}) == {("b", 1): ("x", "y"), ("a", 0): ("p",), ("b", 0): ("p",)}


def test_several_encoders_of_a_column_add_up() -> None:
    nodes = [make.make_node("Identity", ["a"], ["same"]), encoder("a", ["x", "y"]), encoder("same", ["y", "z"])]
    assert find_known_texts(graph(nodes, {"a": 1}, {}), {"a": 1}) == {("a", 0): ("x", "y", "z")}


def test_places_beyond_the_columns_and_graphs_without_texts() -> None:
    nodes = [make.make_node("Gather", ["a", "far"], ["one"], axis=1), encoder("one", ["x"])]
    assert find_known_texts(graph(nodes, {"a": 1}, {"far": [7]}), {"a": 1}) == {}
    assert find_known_texts(graph([], {"a": 1}, {}), {"a": 1}) == {}
    with pytest.raises(ModelError):
        find_known_texts(b"\x3a\xff", {"a": 1})
