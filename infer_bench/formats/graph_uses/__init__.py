"""What an ONNX graph does with its inputs: which numbers they may hold, and which sizes its operators ask of them."""

from infer_bench.formats.graph_uses.input_use import InputUse
from infer_bench.formats.graph_uses.trace import read_input_uses

__all__ = ["InputUse", "read_input_uses"]
