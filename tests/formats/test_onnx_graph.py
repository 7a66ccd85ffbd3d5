"""What is read off the wire is what the onnx package says, however the numbers were packed."""

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from infer_bench.errors import ModelError
from infer_bench.formats import onnx_graph, protobuf
from infer_bench.formats.protobuf import integers
from tests.formats.conftest import save_onnx

DOUBLES = np.array([0.1, -1e300, np.inf])
ATTRIBUTES: dict[str, Any] = {
    "whole": [0, 1, -1, 127, 128, 2**62, -(2**63), 2**63 - 1],
    "one": -3,
    "reals": [0.1, -2.5, float("inf")],
    "texts": ["a", "é", ""],
    "text": "plain",
    "raw doubles": numpy_helper.from_array(DOUBLES),
    "doubles": helper.make_tensor("t", onnx.TensorProto.DOUBLE, [3], DOUBLES),
    "floats": helper.make_tensor("t", onnx.TensorProto.FLOAT, [2], [0.5, 0.25]),
}


def model() -> onnx.ModelProto:
    node = helper.make_node("Odd", ["x"], ["y"], domain="d", **ATTRIBUTES)
    value = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    return helper.make_model(helper.make_graph([node], "g", value[:1], value[1:]))


def test_attributes() -> None:
    (node,) = onnx_graph.nodes(model().SerializeToString())
    assert (node.op, node.inputs, node.outputs) == ("Odd", ("x",), ("y",))
    assert set(node.attributes) == set(ATTRIBUTES)
    assert onnx_graph.ints(node, "whole") == ATTRIBUTES["whole"]
    assert onnx_graph.ints(node, "one") == [-3]
    assert onnx_graph.strings(node, "texts") == ATTRIBUTES["texts"]
    assert onnx_graph.strings(node, "text") == ["plain"]
    assert onnx_graph.floats(node, "reals") == np.array(ATTRIBUTES["reals"], np.float32).tolist()
    assert onnx_graph.floats(node, "doubles") == onnx_graph.floats(node, "raw doubles") == DOUBLES.tolist()
    assert onnx_graph.floats(node, "floats") == [0.5, 0.25]
    for read in (onnx_graph.ints, onnx_graph.floats, onnx_graph.strings):
        assert read(node, "none") == []


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    octets = []
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_packed_numbers_are_those_of_single_fields(values: list[int]) -> None:
    packed = b"".join(map(varint, values))
    one_field = memoryview(bytes([8 << 3 | 2]) + varint(len(packed)) + packed)
    many_fields = memoryview(b"".join(bytes([8 << 3]) + varint(value) for value in values))
    assert integers(one_field, 8) == integers(many_fields, 8) == values


@pytest.mark.parametrize("packed", [b"\x80", b"\x01\xff", b"\x80" * 12 + b"\x01"])
def test_packed_numbers_that_are_cut_off(packed: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        integers(memoryview(bytes([8 << 3 | 2]) + varint(len(packed)) + packed), 8)


@pytest.mark.parametrize("data", [b"\x3a\x05ab", b"\x3a\x02\x0a\x7f", b"\x00", struct.pack("<q", -1)])
def test_bytes_that_are_no_model(data: bytes) -> None:
    with pytest.raises(ModelError, match="no ONNX model"):
        onnx_graph.nodes(data)


def test_an_attribute_that_is_cut_off() -> None:
    node = onnx_graph.Node("Odd", (), (), {"whole": memoryview(b"\x42\x09\x01")})
    for read in (onnx_graph.ints, onnx_graph.floats, onnx_graph.strings):
        with pytest.raises(ModelError, match="attribute whole"):
            read(node, "whole")


def test_a_large_ensemble_is_not_read_number_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_onnx(tmp_path / "model")
    model = onnx.load(tmp_path / "model")
    model.graph.node[0].attribute.append(helper.make_attribute("nodes_treeids", list(range(5000))))
    (tmp_path / "model").write_bytes(model.SerializeToString())
    counts: Counter[str] = Counter()
    read_fields = protobuf.fields

    def count(data: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
        for field in read_fields(data):
            counts["fields"] += 1
            yield field

    monkeypatch.setattr(protobuf, "fields", count)
    monkeypatch.setattr(onnx_graph, "fields", count)
    onnx_graph.check_onnx(tmp_path / "model")
    assert 0 < counts["fields"] < 100
