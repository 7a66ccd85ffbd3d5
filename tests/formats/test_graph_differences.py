"""Nodes that two graphs have at the same places and that do something else."""

from typing import Any

import pytest
from onnx import helper, parser

from infer_bench.errors import ModelError
from infer_bench.formats.graph_differences import OtherNode, find_other_nodes

GRAPH = """<ir_version: 9, opset_import: ["" : 17, "own" : 1]>
g (float[n, 2] x, float[n, 2] z) => (float[n, 2] y) {
    a = LeakyRelu<alpha = 0.1>(x)
    b = Less(a, z)
    c = Where(b, a, z)
    d = Add(c, z)
    y = own.f(d)
}
<domain: "own", opset_import: ["" : 17]> f (p) => (r) { r = Softmax<axis = 1>(p) }"""


def _bytes(graph: str) -> bytes:
    content: bytes = parser.parse_model(graph).SerializeToString()
    return content


@pytest.mark.parametrize(
    ("part", "other", "nodes"),
    [
        ("n", "n", []),
        ("alpha = 0.1", "alpha = 0.2", [OtherNode("LeakyRelu", "a", "alpha")]),
        ("alpha = 0.1", "alpha = 0.10000001", []),
        ("LeakyRelu<alpha = 0.1>", "LeakyRelu", []),
        ("Less", "LessOrEqual", [OtherNode("Less", "b", "LessOrEqual in its place")]),
        ("Where(b, a, z)", "Where(b, z, a)", [OtherNode("Where", "c", "its inputs in another order")]),
        ("Add(c, z)", "Add(z, c)", []),
        ("axis = 1", "axis = 0", [OtherNode("Softmax", "r", "axis")]),
        ('"" : 17, "own"', '"" : 18, "own"', []),
        ("d = Add(c, z)", "e = Add(c, z) d = Identity(e)", []),
    ],
)
def test_nodes_that_do_something_else_are_named(part: str, other: str, nodes: list[Any]) -> None:
    assert part in GRAPH
    changed = GRAPH.replace("alpha = 0.1", "alpha = 0.3") if '"own"' in part else GRAPH
    assert find_other_nodes(_bytes(GRAPH), _bytes(changed.replace(part, other))) == nodes


def test_what_is_no_model_is_one_line() -> None:
    with pytest.raises(ModelError, match="no ONNX model"):
        find_other_nodes(helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString(), b"\x3a\xff")
