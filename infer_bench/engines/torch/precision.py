"""In which float dtype a PyTorch program or module computes each of its outputs: the narrowest one on the way there."""

from collections.abc import Iterable, Sequence
from typing import Any

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def find_precisions(program: Any, names: Sequence[str]) -> dict[str, str]:
    """Of an exported program, whose outputs are called `names`; nothing of those that are no floats."""
    on_the_way: dict[str, str] = {}
    for node in program.graph.nodes:
        ways = [on_the_way.get(source.name, "") for source in node.all_input_nodes]
        own = _float_of(node.meta.get("val")) if node.op == "call_function" else ""
        on_the_way[node.name] = _narrowest([own, *ways])
    outputs = zip(names, program.graph_signature.user_outputs, strict=True)
    return {name: way for name, output in outputs if (way := on_the_way.get(output, ""))}


def find_script_precisions(module: Any) -> dict[str, str]:
    """Of a TorchScript module, whose graph keeps no dtypes: float64 where all its float weights are; else nothing."""
    floats = {_float_of(tensor) for tensor in (*module.parameters(), *module.buffers())} - {""}
    return {"": "float64"} if floats == {"float64"} else {}


def _float_of(value: Any) -> str:
    dtype = str(getattr(value, "dtype", "")).removeprefix("torch.")
    return dtype if dtype in _FLOATS else ""


def _narrowest(names: Iterable[str]) -> str:
    return min(filter(None, names), key=_FLOATS.index, default="")
