"""What a graph does with its inputs, told from its bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest

from infer_bench.errors import ModelError
from infer_bench.formats.graph_uses import InputUse, read_input_uses

helper, kinds = onnx.helper, onnx.TensorProto


def uses_of(
    nodes: Sequence[Any],
    inputs: Mapping[str, tuple[int, Sequence[Any]]],
    constants: Mapping[str, Any] | None = None,
    functions: Sequence[Any] = (),
) -> dict[str, InputUse]:
    stored = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    values = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    graph = helper.make_graph(list(nodes), "g", values, [], stored)
    model: bytes = helper.make_model(graph, functions=list(functions)).SerializeToString()
    return read_input_uses(model)


TABLE = np.zeros((30, 4), np.float32)
IDS: dict[str, tuple[int, Sequence[Any]]] = {"ids": (kinds.INT64, ["batch", "tokens"])}


def test_ids_are_followed_to_the_rows_of_an_embedding() -> None:
    nodes = [
        helper.make_node("Cast", ["ids"], ["cast"], to=kinds.INT32),
        helper.make_node("Reshape", ["cast", "flat"], ["reshaped"]),
        helper.make_node("Gather", ["table", "reshaped"], ["rows"]),
    ]
    use = uses_of(nodes, IDS, {"table": TABLE, "flat": np.array([-1])})["ids"]
    assert (use.low, use.high, use.reason) == (0, 29, "a row of table (30 rows)")


def test_of_two_embeddings_the_smaller_counts_and_an_offset_is_taken_off() -> None:
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Add", ["ids", "two"], ["shifted"]),
        helper.make_node("Gather", ["table", "shifted"], ["others"]),
    ]
    use = uses_of(nodes, IDS, {"table": TABLE, "two": np.array(2)})["ids"]
    assert (use.low, use.high) == (0, 27)


def test_a_transposed_table_has_its_rows_on_the_other_axis() -> None:
    nodes = [
        helper.make_node("Transpose", ["table"], ["columns"], perm=[1, 0]),
        helper.make_node("Gather", ["columns", "ids"], ["rows"]),
    ]
    assert uses_of(nodes, IDS, {"table": TABLE})["ids"].high == 3


@pytest.mark.parametrize("depth", [np.array(257), np.array([257])])
def test_a_one_hot_encoding_limits_to_its_depth(depth: Any) -> None:
    nodes = [helper.make_node("OneHot", ["ids", "depth", "values"], ["hot"])]
    use = uses_of(nodes, IDS, {"depth": depth, "values": np.array([0, 1])})["ids"]
    assert (use.high, use.reason) == (256, "OneHot of depth 257")


def test_a_one_hot_encoding_may_be_a_comparison_with_all_numbers() -> None:
    nodes = [helper.make_node("Equal", ["ids", "numbers"], ["hot"])]
    assert uses_of(nodes, IDS, {"numbers": np.arange(257).reshape(1, 1, 257)})["ids"].high == 256


def test_a_scalar_is_compared_within_a_branch_and_a_function() -> None:
    graph = helper.make_graph([helper.make_node("Equal", ["rate", "known"], ["same"])], "branch", [], [])
    branch = helper.make_node("If", ["condition"], ["y"], then_branch=graph, else_branch=graph)
    call = helper.make_node("Compare", ["rate", "other"], ["z"], domain="own")
    body = [helper.make_node("Equal", ["a", "b"], ["c"])]
    function = helper.make_function("own", "Compare", ["a", "b"], ["c"], body, [helper.make_opsetid("", 18)])
    constants = {"condition": np.array(True), "known": np.array(16000), "other": np.array(8000)}
    uses = uses_of([branch, call], {"rate": (kinds.INT64, [])}, constants, [function])
    assert uses["rate"].constants == [16000, 16000, 8000]


def test_positions_in_what_the_run_computes_are_the_first() -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["hidden"]), helper.make_node("Gather", ["hidden", "last"], ["y"])]
    uses = uses_of(nodes, {"x": (kinds.FLOAT, ["n", 4]), "last": (kinds.INT64, [1])})
    assert (uses["last"].low, uses["last"].high) == (0, 0)


TOKENS: dict[str, tuple[int, Sequence[Any]]] = {**IDS, "at": (kinds.INT64, ["batch", "masked"])}


@pytest.mark.parametrize("op", ["Gather", "GatherElements", "ScatterElements"])
def test_positions_in_a_layer_of_tokens_go_as_far_as_a_request_has_tokens(op: str) -> None:
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "weights"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node(op, ["active", "at", "active"][: 3 if op.startswith("S") else 2], ["y"], axis=1),
    ]
    use = uses_of(nodes, TOKENS, {"table": TABLE, "weights": np.zeros((4, 8), np.float32)})["at"]
    assert use.high is None
    assert use.within({"ids": (1, 12), "at": (1, 3)}).high == 11


def test_positions_in_an_input_of_fixed_sizes_go_as_far_as_those() -> None:
    inputs: dict[str, tuple[int, Sequence[Any]]] = {
        "x": (kinds.FLOAT, ["n", 12, 7]),
        "at": (kinds.INT64, ["k", 2]),
        "u": (kinds.FLOAT, ["k"]),
    }
    nodes = [
        helper.make_node("ScatterElements", ["x", "at", "u"], ["y"], axis=2),
        helper.make_node("Add", ["at", "one"], ["next"]),
        helper.make_node("ScatterElements", ["x", "next", "u"], ["z"], axis=-2),
    ]
    use = uses_of(nodes, inputs, {"one": np.array(1)})["at"]
    assert (use.low, use.high, use.reason) == (0, 6, "a row of x (7 rows)")


def test_positions_along_several_axes_are_within_each_of_them_and_no_other() -> None:
    nodes = [helper.make_node("GatherND", ["table", "at"], ["y"])]
    at = {"at": (kinds.INT64, ["k", 2])}
    assert uses_of(nodes, at, {"table": np.zeros((90, 40, 3), np.float32)})["at"].high == 39


@pytest.mark.parametrize("op", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("layout", [0, 1])
def test_a_recurrence_goes_along_the_first_axis_of_what_it_reads(op: str, layout: int) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps_first"], perm=[1, 0, 2]),
        helper.make_node(op, ["steps_first", "w", "r"], ["y"], hidden_size=3, layout=layout),
    ]
    constants = {"w": np.zeros((1, 12, 4), np.float32), "r": np.zeros((1, 12, 3), np.float32)}
    use = uses_of(nodes, {"x": (kinds.FLOAT, [None, None, 4])}, constants)["x"]
    assert (use.time_axis, use.batch_axis) == ((None, None) if layout else (1, 0))


def test_layers_say_how_many_channels_and_columns_they_take() -> None:
    nodes = [
        helper.make_node("Transpose", ["image"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["channels_first", "mean"], ["centred"]),
        helper.make_node("Conv", ["centred", "kernels"], ["features"], group=2),
        helper.make_node("MatMul", ["rows", "weights"], ["hidden"]),
    ]
    constants = {
        "mean": np.zeros((1, 1, 1), np.float32),
        "kernels": np.zeros((8, 3, 3, 3), np.float32),
        "weights": np.zeros((80, 5), np.float32),
    }
    inputs = {"image": (kinds.UINT8, ["n", "h", "w", "c"]), "rows": (kinds.FLOAT, ["n", "t", "width"])}
    uses = uses_of(nodes, inputs, constants)
    assert (uses["image"].sizes, uses["rows"].sizes) == ({3: 6}, {2: 80})


def test_what_says_how_a_tensor_is_cut_is_an_operand() -> None:
    nodes = [
        helper.make_node("Slice", ["x", "start", "stop"], ["y"]),
        helper.make_node("Reshape", ["y", "shape"], ["z"]),
    ]
    names = ("start", "stop", "shape")
    uses = uses_of(nodes, {"x": (kinds.FLOAT, ["n"]), **{name: (kinds.INT64, [1]) for name in names}})
    assert [(uses[n].operand, uses[n].operand_value) for n in names] == [("Slice", 0), ("Slice", 1), ("Reshape", 1)]


def test_inputs_with_a_default_are_constants_and_broken_bytes_are_refused() -> None:
    nodes = [helper.make_node("Gather", ["table", "ids"], ["rows"])]
    assert list(uses_of(nodes, {**IDS, "table": (kinds.FLOAT, [30, 4])}, {"table": TABLE})) == ["ids"]
    with pytest.raises(ModelError, match="no ONNX model"):
        read_input_uses(b"\x3a\x7fnot a graph")


def test_a_deep_network_of_shortcuts_is_read_in_no_time() -> None:
    nodes = [helper.make_node("Add", [f"x{i}" if i else "x", f"x{i}" if i else "x"], [f"x{i + 1}"]) for i in range(200)]
    assert uses_of(nodes, {"x": (kinds.FLOAT, ["n", 4])})["x"].sizes == {}


@pytest.mark.parametrize("way", ["Where", "Mul"])
def test_a_position_that_may_count_from_the_end_is_one_from_the_beginning(way: str) -> None:
    """`ids + rows` where `ids < 0`, as PyTorch and JAX write it, and TensorFlow's converter with products."""
    nodes = [helper.make_node("Less", ["ids", "zero"], ["is_below"]), helper.make_node("Add", ["ids", "rows"], ["end"])]
    if way == "Where":
        nodes.append(helper.make_node("Where", ["is_below", "end", "ids"], ["place"]))
    else:
        nodes += [
            helper.make_node("Cast", ["is_below"], ["one"], to=kinds.INT64),
            helper.make_node("Not", ["is_below"], ["is_above"]),
            helper.make_node("Cast", ["is_above"], ["other"], to=kinds.INT64),
            helper.make_node("Mul", ["one", "end"], ["from_end"]),
            helper.make_node("Mul", ["ids", "other"], ["from_start"]),
            helper.make_node("Add", ["from_end", "from_start"], ["place"]),
        ]
    nodes.append(helper.make_node("Gather", ["table", "place"], ["y"]))
    use = uses_of(nodes, IDS, {"table": TABLE, "zero": np.array(0), "rows": np.array(30)})["ids"]
    assert (use.low, use.high) == (0, 29)


def test_ids_times_a_mask_are_ids() -> None:
    nodes = [helper.make_node("Mul", ["ids", "attention_mask"], ["seen"])]
    nodes.append(helper.make_node("Gather", ["table", "seen"], ["y"]))
    inputs = {**IDS, "attention_mask": (kinds.INT64, ["batch", "tokens"])}
    assert uses_of(nodes, inputs, {"table": TABLE})["ids"].high == 29
    by_another = [helper.make_node("Mul", ["ids", "count"], ["seen"]), nodes[1]]
    assert uses_of(by_another, {**IDS, "count": (kinds.INT64, [])}, {"table": TABLE})["ids"].high is None
