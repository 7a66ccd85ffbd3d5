"""A network in float16, but for what would not fit into it.

ONNX Runtime's CPU provider computes many float16 operators in float32, so that an overflow shows on no CPU; a device
that computes in half answers infinity or NaN there. Whatever comes near the largest half on the rows that calibrate is
left in float32.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.session import require
from infer_bench.typing import Array

Feed = Mapping[str, Array]
"""The arrays of one request, or of several that are stacked, by input."""
FLOAT, HALF = 1, 10
"""Element types, as ONNX numbers them."""
LARGEST_HALF = 65504.0
"""IEEE 754 binary16."""
_SHARE = 0.5
"""Of it may be used: other rows are larger than those that were run."""
_MOST_FEEDS = 8


def copy_network(network: Any) -> Any:
    """A copy to be changed."""
    copy = type(network)()
    copy.CopyFrom(network)
    return copy


def write_half(network: Any, feeds: Sequence[Feed], excluded: list[str]) -> Any:
    """The network in float16, inputs and outputs as they were; `excluded` and what overflows stay float32."""
    from onnxruntime.transformers import float16

    blocked = [*excluded, *find_overflowing_nodes(network, feeds)]
    model = float16.convert_float_to_float16(copy_network(network), keep_io_types=True, node_block_list=blocked)
    join_float32(model.graph, {name for node in network.graph.node for name in (*node.input, *node.output)})
    sort_nodes(model.graph)
    return model


def find_overflowing_nodes(network: Any, feeds: Sequence[Feed]) -> list[str]:
    """The names of the nodes that read or give a value beyond half of the largest half on these rows."""
    large = set(_large_values(network, feeds))
    return [node.name for node in network.graph.node if large & {*node.input, *node.output}]


def _large_values(network: Any, feeds: Sequence[Feed]) -> Iterator[str]:
    """The values of the graph that come near the largest half, among those whose type is known to be float32."""
    onnx, library = require("onnx", "quantize"), require("onnxruntime", "quantize")
    probe = copy_network(network)
    outputs = {value.name for value in probe.graph.output}
    floats = [v for v in probe.graph.value_info if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT]
    probe.graph.output.extend(value for value in floats if value.name not in outputs)
    settings = library.SessionOptions()
    settings.graph_optimization_level = library.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level, settings.intra_op_num_threads = 4, 1
    session = library.InferenceSession(probe.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs() if output.type == "tensor(float)"]
    largest = dict.fromkeys(names, 0.0)
    for feed in _single_requests(network, feeds):
        for name, array in zip(names, session.run(names, dict(feed)), strict=True):
            finite = np.abs(array[np.isfinite(array)])
            largest[name] = max(largest[name], float(finite.max()) if finite.size else 0.0)
    yield from (name for name, value in largest.items() if value > _SHARE * LARGEST_HALF)


def _single_requests(network: Any, feeds: Sequence[Feed]) -> Iterator[Feed]:
    """A few requests one at a time, since all inner values of a batch may fill the memory; a fixed batch as it is."""
    sizes = [value.type.tensor_type.shape.dim for value in network.graph.input]
    is_free = all(dims and not dims[0].dim_value > 1 for dims in sizes)
    for feed in feeds[:_MOST_FEEDS]:
        if not is_free:
            yield feed
            continue
        for row in range(min(_MOST_FEEDS, *(len(array) for array in feed.values()))):
            yield {name: array[row : row + 1] for name, array in feed.items()}


def join_float32(graph: Any, names: set[str]) -> None:
    """Let a node that stays float32 read its neighbour's float32 as it is: the converter casts to half in between.

    What is large would become infinite on the way. `names` are the values of the network before: one that the converter
    has added and casts to half is what a node that stays gives.
    """
    casts = {node.output[0]: (node.input[0], _target(node)) for node in graph.node if node.op_type == "Cast"}
    originals = {
        name: casts[source][0]
        for name, (source, target) in casts.items()
        if target == FLOAT and source in casts and casts[source][1] == HALF and casts[source][0] not in names
    }
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in originals:
                node.input[place] = originals[name]
    _drop_unused_casts(graph)


def _drop_unused_casts(graph: Any) -> None:
    """A cast to half that nobody reads any more would still overflow; nor is one needed that only such a cast reads."""
    while True:
        used = {name for node in graph.node for name in _reads(node)} | {value.name for value in graph.output}
        needed = [node for node in graph.node if node.op_type != "Cast" or node.output[0] in used]
        if len(needed) == len(graph.node):
            return
        del graph.node[:]
        graph.node.extend(needed)


def _target(cast: Any) -> int:
    """The element type that a Cast casts to."""
    return int(next((attribute.i for attribute in cast.attribute if attribute.name == "to"), 0))


def sort_nodes(graph: Any) -> None:
    """Put every node behind those that it reads from: the converter leaves casts where ONNX does not allow them."""
    waiting = list(graph.node)
    inner = {value for node in waiting for value in node.output}
    ready: set[str] = set()
    ordered: list[Any] = []
    while waiting:
        free = [node for node in waiting if all(name in ready or name not in inner for name in _reads(node))]
        if not free:
            return  # a cycle, which the checker names
        ordered += free
        ready |= {value for node in free for value in node.output}
        waiting = [node for node in waiting if not any(node is other for other in free)]
    del graph.node[:]
    graph.node.extend(ordered)


def _reads(node: Any) -> Iterator[str]:
    """The values that a node reads, those of its inner graphs included."""
    yield from node.input
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            own = {value for other in inner.node for value in other.output}
            yield from (name for other in inner.node for name in _reads(other) if name not in own)
