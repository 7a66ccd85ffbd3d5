"""An exported program's module in float64: its weights, its constants and the dtypes that its graph names."""

import copy
from typing import Any

from infer_bench.errors import EngineError

CHECKS = ("_assert_tensor_metadata", "_guards_fn")
"""Nodes that compute nothing: they would refuse another dtype or size."""
_HALF = ("float16", "bfloat16", "float8")


def widen_module(library: Any, program: Any) -> Any:
    """A new module of the program, in float64. Raises `EngineError` where parts of it do not work in float32."""
    module = copy.deepcopy(program.module())  # modules of one program share their weights
    for part in list(module.modules()):
        if hasattr(part, "graph"):
            _widen_graph(library, part)
    tensors = [*module.parameters(), *module.buffers()]
    if any(str(tensor.dtype).removeprefix("torch.").startswith(_HALF) or tensor.is_quantized for tensor in tensors):
        raise EngineError("parts of the network do not work in float32")
    return module.double()


def _widen_graph(library: Any, module: Any) -> None:
    for node in list(module.graph.nodes):
        if any(check in str(node.target) for check in CHECKS):
            module.graph.erase_node(node)
            continue
        if "quantize" in str(node.target):
            raise EngineError("parts of the network are quantised")
        node.args = _widen(library, node.args)
        node.kwargs = _widen(library, node.kwargs)
    module.recompile()


def _widen(library: Any, value: Any) -> Any:
    """Arguments of a node with float64 for float32."""
    if isinstance(value, library.dtype):
        if str(value).removeprefix("torch.").startswith(_HALF):
            raise EngineError(f"parts of the network work in {str(value).removeprefix('torch.')}")
        return library.float64 if value == library.float32 else value
    if isinstance(value, dict):
        return {key: _widen(library, entry) for key, entry in value.items()}
    return type(value)(_widen(library, entry) for entry in value) if type(value) in (list, tuple) else value
