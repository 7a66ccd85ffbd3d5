"""What a TorchScript file says of its inputs where infer-bench wrote it: TorchScript itself keeps no shapes."""

import json
from dataclasses import astuple, dataclass

from infer_bench.model import TensorInput

FILE = "infer-bench.json"
"""Its name among the archive's extra files."""


@dataclass(frozen=True, slots=True)
class ScriptSignature:
    """The inputs in their order. `outputs`: where the only input is rows of float32, how many columns each row gets."""

    inputs: tuple[TensorInput, ...]
    outputs: int | None = None


def write_signature(signature: ScriptSignature) -> str:
    """As JSON."""
    return json.dumps({"inputs": [astuple(tensor) for tensor in signature.inputs], "outputs": signature.outputs})


def read_signature(text: str | bytes) -> ScriptSignature | None:
    """None for what is no signature: any archive may hold an extra file of that name."""
    try:
        document = json.loads(text)
        inputs = tuple(_read_input(*entry) for entry in document["inputs"])
        outputs = document["outputs"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return ScriptSignature(inputs, outputs if isinstance(outputs, int) else None)


def _read_input(name: object, dtype: object, shape: object, axis: object, optional: object) -> TensorInput:
    """Raises `TypeError` for what is none."""
    if not isinstance(shape, list) or not all(size is None or isinstance(size, int | str) for size in shape):
        raise TypeError
    return TensorInput(str(name), str(dtype), tuple(shape), axis if isinstance(axis, int) else None, bool(optional))
