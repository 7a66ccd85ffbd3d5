"""Requests that are drawn for networks: what a run has shown that they take."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from infer_bench.engines.onnxruntime.engine import OnnxRuntime
from infer_bench.errors import DataError, UsageError
from infer_bench.model import ModelRef
from infer_bench.request_choices import RequestChoices
from infer_bench.workers.tasks.draw_requests import DrawnRequests, DrawRequests, draw_for_session

helper, kinds = onnx.helper, onnx.TensorProto
Inputs = Mapping[str, tuple[int, Sequence[Any] | None]]


def draw(
    folder: Path,
    nodes: Sequence[Any],
    inputs: Inputs,
    constants: Mapping[str, Any] | None = None,
    output: int = kinds.FLOAT,
    choices: RequestChoices | None = None,
) -> DrawnRequests:
    """What is drawn for a graph of these nodes, whose output is `y`."""
    stored = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    values = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    graph = helper.make_graph(list(nodes), "g", values, [helper.make_tensor_value_info("y", output, None)], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = folder / "model.onnx"
    onnx.save(model, path)
    options = {name: option.default for name, option in OnnxRuntime.options.items()}
    session = OnnxRuntime().open(ModelRef(str(path), "onnx", "onnx", "0", 1), options)
    return draw_for_session(session, DrawRequests(4, 0, choices or RequestChoices()))


def shapes_of(requests: DrawnRequests) -> dict[str, tuple[int, ...]]:
    return {row.name: row.shapes[0] for row in requests.inputs}


def codes_of(requests: DrawnRequests) -> list[str]:
    return [remark.code for remark in requests.remarks]


def test_ids_stay_within_an_embedding_and_tokens_within_positions(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["embedded"]),
        helper.make_node("Gather", ["places", "position_ids"], ["placed"]),
        helper.make_node("Add", ["embedded", "placed"], ["y"]),
    ]
    inputs = {name: (kinds.INT64, ["batch", "tokens"]) for name in ("input_ids", "position_ids")}
    constants = {"words": np.random.default_rng(0).random((30, 4), np.float32), "places": np.ones((8, 4), np.float32)}
    requests = draw(tmp_path, nodes, inputs, constants)
    assert shapes_of(requests) == {"input_ids": (1, 16), "position_ids": (1, 16)}
    assert requests.columns["input_ids"].max() in range(8, 30)
    assert requests.columns["position_ids"].max() == 7
    assert [row.shape_is_drawn for row in requests.inputs] == [True, True]


def test_an_image_takes_the_first_size_that_runs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["image"], ["numbers"], to=kinds.FLOAT),
        helper.make_node("Reshape", ["numbers", "shape"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["y"]),
    ]
    constants = {"shape": np.array([-1, 48 * 320 * 3]), "weights": np.ones((48 * 320 * 3, 1), np.float32)}
    requests = draw(tmp_path, nodes, {"image": (kinds.UINT8, ["n", "h", "w", 3])}, constants)
    assert shapes_of(requests) == {"image": (1, 48, 320, 3)}
    assert requests.columns["image"].dtype == np.uint8
    assert requests.columns["image"].max() == 255


def test_what_runs_and_answers_nothing_is_passed_over(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Slice", ["sound", "start", "stop", "axis"], ["tail"]),
        helper.make_node("Mul", ["tail", "two"], ["y"]),
    ]
    constants = {"start": np.array([512]), "stop": np.array([10**6]), "axis": np.array([1]), "two": np.float32(2)}
    assert shapes_of(draw(tmp_path, nodes, {"sound": (kinds.FLOAT, [None, None])}, constants)) == {"sound": (1, 576)}


def test_a_branch_is_chosen_by_what_the_model_compares_with(tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("z", kinds.FLOAT, None)
    same = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "then", [], [x])
    wrong = helper.make_graph([helper.make_node("Reshape", ["x", "odd"], ["z"])], "else", [], [x])
    nodes = [
        helper.make_node("Equal", ["sr", "rate"], ["is_known"]),
        helper.make_node("If", ["is_known"], ["y"], then_branch=same, else_branch=wrong),
    ]
    inputs: Inputs = {"x": (kinds.FLOAT, ["batch", 4]), "sr": (kinds.INT64, [])}
    requests = draw(tmp_path, nodes, inputs, {"rate": np.array(16000), "odd": np.array([7, 7])})
    assert requests.columns["sr"].tolist() == [16000] * 4


def test_a_guess_that_is_refused_is_followed_by_zeros_and_ones(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["number", "three"], ["index"]),
        helper.make_node("Gather", ["table", "index"], ["y"]),
    ]
    requests = draw(
        tmp_path, nodes, {"number": (kinds.INT64, [64])}, {"three": np.array(3), "table": np.ones(3, np.float32)}
    )
    assert not requests.columns["number"].any()
    assert requests.inputs[0].rule == "zeros, as the model does not say what it holds"


def test_answers_that_differ_from_run_to_run_are_told(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["noise"], seed=1.0),
        helper.make_node("Add", ["x", "noise"], ["y"]),
    ]
    requests = draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", 2, 4])})
    assert codes_of(requests) == []  # the operators are named where the model is opened


def test_answers_that_say_nothing_are_told(tmp_path: Path) -> None:
    inputs: Inputs = {"x": (kinds.FLOAT, ["batch", 2, 4])}
    zero = helper.make_node("Sub", ["x", "x"], ["zero"])
    nan = draw(tmp_path, [zero, helper.make_node("Div", ["zero", "zero"], ["y"])], inputs)
    constant = draw(tmp_path, [zero, helper.make_node("Cos", ["zero"], ["y"])], inputs)
    empty = draw(tmp_path, [zero, helper.make_node("NonZero", ["zero"], ["y"])], inputs, output=kinds.INT64)
    messages = [requests.remarks[0].message for requests in (nan, constant, empty)]
    assert messages[0] == "for drawn requests 'y' is never finite"
    assert messages[1] == "two requests that were drawn get the same answer"
    assert messages[2] == "for drawn requests 'y' is empty"


def test_a_network_that_takes_nothing_is_refused_with_what_to_give(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    with pytest.raises(DataError, match=r"no request could be drawn \(8 shapes were tried, first x 1x16\)") as raised:
        draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", "t"])}, {"shape": np.array([7, 7])})
    assert raised.value.hint == "give requests with --data FILE.npz, or say --shape x:1x16"
    choices = RequestChoices({"x": ((1, 49),)})
    assert shapes_of(
        draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", "t"])}, {"shape": np.array([7, 7])}, choices=choices)
    )


def test_choices_that_fit_no_input_are_a_mistake_of_the_user(tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    with pytest.raises(UsageError, match="no input 'z'"):
        draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", "t"])}, choices=RequestChoices({"z": ((1,),)}))


def test_a_network_that_takes_no_single_request_gets_two_stacked(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gather", ["x", "second"], ["y"], axis=0)]
    constants = {"second": np.array([1])}
    requests = draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", 2, 3])}, constants)
    assert shapes_of(requests) == {"x": (2, 2, 3)}
    assert codes_of(requests) == ["stacked-requests"]
    choices = RequestChoices({"x": ((1, 2, 3),)})
    with pytest.raises(DataError, match="no request could be drawn"):
        draw(tmp_path, nodes, {"x": (kinds.FLOAT, ["batch", 2, 3])}, constants, choices=choices)


def test_a_guess_has_to_hold_for_more_requests_than_two(tmp_path: Path) -> None:
    """Of the name `which` the first two draws are zeros."""
    nodes = [
        helper.make_node("Mul", ["which", "three"], ["index"]),
        helper.make_node("Gather", ["table", "index"], ["y"]),
    ]
    requests = draw(
        tmp_path, nodes, {"which": (kinds.INT64, [])}, {"three": np.array(3), "table": np.ones(3, np.float32)}
    )
    assert requests.inputs[0].rule == "zeros, as the model does not say what it holds"


def test_text_that_is_read_as_a_number_is_one(tmp_path: Path) -> None:
    nodes = [helper.make_node("Reshape", ["x", "all"], ["flat"]), helper.make_node("Cast", ["flat"], ["y"], to=1)]
    requests = draw(tmp_path, nodes, {"x": (kinds.STRING, ["batch", 4])}, {"all": np.array([-1])})
    assert requests.inputs[0].rule == "0 to 9 as text, which the model casts"
    assert set(requests.columns["x"].ravel()) <= set("0123456789")
    assert codes_of(requests) == []


def test_numbers_of_a_conversation_beside_columns_are_of_a_network(tmp_path: Path) -> None:
    """No column of a table has the type of `id`."""
    nodes = [
        helper.make_node("Cast", ["id"], ["number"], to=kinds.INT32),
        helper.make_node("Add", ["x", "number"], ["y"]),
    ]
    inputs = {"x": (kinds.INT32, [None, 1]), "id": (kinds.UINT64, [None, 1])}
    assert shapes_of(draw(tmp_path, nodes, inputs, output=kinds.INT32)) == {"x": (1, 1), "id": (1, 1)}


def test_what_an_encoder_gave_is_no_state(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["embedded"]),
        helper.make_node("Add", ["embedded", "encoder_hidden_states"], ["sum"]),
        helper.make_node("Add", ["sum", "decoder_state"], ["y"]),
    ]
    inputs = {"input_ids": (kinds.INT64, ["batch", "tokens"])}
    states = {name: (kinds.FLOAT, ["batch", "tokens", 4]) for name in ("encoder_hidden_states", "decoder_state")}
    requests = draw(
        tmp_path, nodes, {**inputs, **states}, {"words": np.random.default_rng(0).random((30, 4), np.float32)}
    )
    assert {row.name: row.rule for row in requests.inputs[1:]} == {
        "encoder_hidden_states": "uniform in [0, 1)",
        "decoder_state": "a state, empty at first",
    }


def test_after_what_the_memory_does_not_hold_smaller_ones_are_tried_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["size"], start=1),
        helper.make_node("Pow", ["size", "twelve"], ["huge"]),
        helper.make_node("ConstantOfShape", ["huge"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    requests = draw(tmp_path, nodes, {"x": (kinds.FLOAT, [3, "n"])}, {"twelve": np.int64(12)})
    assert shapes_of(requests) == {"x": (3, 1)}
    (remark,) = (remark for remark in requests.remarks if remark.code == "out-of-memory")
    assert remark.message == "the memory does not suffice for a request of x 3x16: it is a smaller one"
    monkeypatch.setattr("infer_bench.workers.tasks.draw_requests.draw_requests", refuse_memory)
    with pytest.raises(DataError, match=r"no request could be drawn .*MemoryError"):
        draw(tmp_path, nodes, {"x": (kinds.FLOAT, [3, "n"])}, {"twelve": np.int64(12)})


def refuse_memory(*_: Any) -> Any:
    raise MemoryError
