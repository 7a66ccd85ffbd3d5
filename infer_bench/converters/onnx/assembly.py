"""From a finished graph to the file: its nodes, the versions of the operators, and what the file says of itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.converters.onnx.graph import Graph
from infer_bench.formats.protobuf import encode_field

_GRAPH, _NODE = 7, 1
"""Fields of ONNX's ModelProto and GraphProto."""


def assemble(
    g: Graph,
    name: str,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    *,
    opsets: Mapping[str, int],
    ir_version: int,
    metadata: Mapping[str, Any],
) -> bytes:
    """The serialized `ModelProto`.

    `opsets` are versions by domain, and `metadata` is added as JSON under `infer_bench.` keys.
    """
    from onnx import ModelProto, helper

    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = ModelProto(producer_name="infer-bench", ir_version=ir_version, opset_import=imports)
    properties = {
        key if key.startswith("infer_bench.") else f"infer_bench.{key}": json.dumps(value, default=str)
        for key, value in metadata.items()
    }
    helper.set_model_props(model, properties)
    graph = helper.make_graph([], name, list(inputs), list(outputs), g.initializers)
    nodes = [encode_field(_NODE, node.SerializeToString() + g.attributes.get(node.name, b"")) for node in g.nodes]
    data: bytes = model.SerializeToString() + encode_field(_GRAPH, b"".join(nodes) + graph.SerializeToString())
    return data
