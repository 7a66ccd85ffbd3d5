"""What ONNX Runtime says of an error, without what helps nobody outside of its own sources."""

import os
import re

from infer_bench.engines.session import first_line

_CODE = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE = re.compile(r"[^\s:]*/onnxruntime/\S+\.(?:cc|cpp|h|hpp):\d+ ")
_FUNCTION = re.compile(r"(?:(?<![\w.])[\w<>*&]+(?:::[\w<>*&]+)* )?onnxruntime::[\w:~<>]+\([^()]*\)\S* ")
_LOADING = re.compile(r"Load model from .*? failed: ?")
_UNKNOWN_OPERATOR = re.compile(r"is not a registered function/op|No opset import for domain")
_MOST = 300


def shorten_error(error: BaseException, path: str = "") -> str:
    """Its first line without codes, places and functions of ONNX Runtime's sources; the model at `path` by its name."""
    text = _FUNCTION.sub("", _SOURCE.sub("", _CODE.sub("", first_line(error, 10_000))))
    text = text.replace(path, os.path.basename(path)) if path else text
    text = _LOADING.sub("", text)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"


def suggest(reason: str) -> str:
    """What helps a user whose model cannot be loaded for this reason; empty where nothing is known."""
    if _UNKNOWN_OPERATOR.search(reason):
        return "operators that come with a library of their own are not loaded: export the model without them"
    return ""
