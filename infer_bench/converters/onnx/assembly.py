"""From a finished graph to the model: its nodes, the versions of the operators, and what the file says of itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infer_bench.converters.onnx.graph import Graph


def assemble(
    g: Graph,
    name: str,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    *,
    opsets: Mapping[str, int],
    ir_version: int,
    metadata: Mapping[str, Any],
) -> Any:
    """The `ModelProto`; `opsets` are versions by domain, and `metadata` is added as JSON under `infer_bench.` keys."""
    from onnx import helper

    graph = helper.make_graph([], name, list(inputs), list(outputs), g.initializers)
    graph.node.extend(g.nodes)
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, producer_name="infer-bench", ir_version=ir_version, opset_imports=imports)
    properties = {
        key if key.startswith("infer_bench.") else f"infer_bench.{key}": json.dumps(value, default=str)
        for key, value in metadata.items()
    }
    helper.set_model_props(model, properties)
    return model
