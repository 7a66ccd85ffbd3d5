"""Outputs that are columns of one tensor are classes only beside labels of the type that their names tell."""

from typing import NamedTuple

import pytest

from infer_bench.engines.onnxruntime.class_columns import find_class_columns, read_classes
from infer_bench.formats.onnx_graph import Node


class Output(NamedTuple):
    name: str
    type: str


@pytest.mark.parametrize(
    ("names", "label_type", "classes"),
    [
        (("i0", "i-7"), "tensor(int64)", (0, -7)),
        (("sno", "syes"), "tensor(string)", ("no", "yes")),
        (("score", "size"), "tensor(int64)", ()),
        (("i0", "i1"), "tensor(string)", ()),
        (("i0", "sno"), "tensor(int64)", ()),
        (("index", "inside"), "tensor(int64)", ()),
    ],
)
def test_columns_are_classes_beside_labels_of_their_type(
    names: tuple[str, ...], label_type: str, classes: tuple[int | str, ...]
) -> None:
    outputs = [Output("label", label_type), *(Output(name, "tensor(float)") for name in names)]
    nodes = [Node("Slice", ("probabilities", "start", "end"), (name,), {}) for name in names]
    assert read_classes(find_class_columns(outputs, nodes)) == classes
