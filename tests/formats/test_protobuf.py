"""Integers packed on the wire."""

import numpy as np
import pytest

from infer_bench.formats.protobuf import encode_field, encode_integers, integers

INTS = 8
AttributeProto = pytest.importorskip("onnx").AttributeProto
HARD = [0, 1, 127, 128, 255, 16_383, 16_384, 1 << 32, (1 << 63) - 1, -1, -(1 << 63), 5]


def test_packed_integers_are_those_of_protobuf_and_of_the_reader() -> None:
    data = encode_field(INTS, encode_integers(np.array(HARD)))
    assert list(AttributeProto.FromString(data).ints) == HARD
    assert integers(memoryview(data), INTS) == HARD


def test_no_integers_take_no_room() -> None:
    assert encode_integers(np.zeros(0, dtype=np.int64)) == b""


def test_long_fields_and_high_numbers() -> None:
    data = encode_field(20, b"x" * 300)
    assert data[:4] == bytes([20 << 3 & 0x7F | 2 | 0x80, 1, 300 & 0x7F | 0x80, 300 >> 7])
    assert data[4:] == b"x" * 300
