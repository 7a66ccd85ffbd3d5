"""PyTorch exported programs (`.pt2`) to one ONNX file with a dynamic batch.

A pickled module or a state dict is refused: the one runs code when it is opened, the other holds no computation.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.errors import MissingDependency, ModelError, NotConvertible
from infer_bench.typing import Array

EXPORT = "save torch.export.export(model, args, dynamic_shapes=…) with torch.export.save instead"


def load_program(path: str | Path) -> Any:
    """Open a `.pt2` file; raises `NotConvertible` for a pickled module or state dict, `ModelError` for a broken one."""
    name = Path(path).name
    _refuse_pickles(Path(path))
    torch = _torch()
    try:
        return torch.export.load(str(path))
    except Exception as error:  # noqa: BLE001 - torch raises whatever its deserializer met
        raise ModelError(f"PyTorch cannot read {name}: {type(error).__name__}: {error}", "export it again") from None


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "torch") from None
    return torch


def _refuse_pickles(path: Path) -> None:
    """Tell a `.pt2` archive from what `torch.save` and `torch.jit.save` write, without opening any of it."""
    if not path.is_file():
        raise ModelError(f"{path.name} does not exist")
    if not zipfile.is_zipfile(path):
        raise NotConvertible(f"{path.name} is no PyTorch exported program", EXPORT)
    with zipfile.ZipFile(path) as archive:
        inside = [name.split("/", 1)[-1] for name in archive.namelist()]
    exported = any(name.endswith((".json", "archive_format")) for name in inside)
    if not exported or any(name.startswith("code/") for name in inside):
        what = "a TorchScript module" if any(name.startswith("code/") for name in inside) else "a pickled module"
        raise NotConvertible(f"{path.name} is {what} or a state dict, not an exported program", EXPORT)


def convert_torch(program: Any, *, metadata: Mapping[str, str] | None = None) -> bytes:
    """The ONNX file of an exported program (or of a `.pt2` file's path), serialized, with its weights inside.

    Raises `NotConvertible` for a fixed batch and for operators without an ONNX form.
    """
    torch = _torch()
    program = load_program(program) if isinstance(program, str | Path) else program
    _refuse_fixed_batch(torch, program)
    try:
        exported = torch.onnx.export(program, (), dynamo=True, verbose=False, external_data=False)
    except ImportError as error:
        raise MissingDependency(str(getattr(error, "name", "") or "onnxscript"), "torch") from None
    except Exception as error:  # noqa: BLE001 - the exporter raises one class a pass
        raise NotConvertible(f"PyTorch cannot export the program: {str(error)[:200]}") from None
    from onnx import helper

    model = exported.model_proto
    helper.set_model_props(model, {"infer_bench.family": '"torch"', **(metadata or {})})
    out = io.BytesIO(model.SerializeToString())
    return out.getvalue()


def _refuse_fixed_batch(torch: Any, program: Any) -> None:
    for value in _inputs(program):
        if not value.shape or isinstance(value.shape[0], torch.SymInt):
            continue
        raise NotConvertible(
            f"the program was exported for a fixed batch of {value.shape[0]}",
            "pass dynamic_shapes with torch.export.Dim('batch') for axis 0 to torch.export.export",
        )


def refuse_training_mode(program: Any) -> None:
    """Raises `NotConvertible` for a program that does not answer alike twice."""
    from infer_bench.engines.torch.training_mode import find_training_operators

    for remark in find_training_operators(_torch(), program).remarks:
        raise NotConvertible(f"the program {remark.message}", remark.hint)


def _inputs(program: Any) -> list[Any]:
    """What is known of each input tensor that the user gives."""
    names = set(program.graph_signature.user_inputs)
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    return [value for value in values if hasattr(value, "shape")]


def probe_rows(program: Any, seed: int = 0) -> dict[str, Array]:
    """Rows [rows, features] in double, of numbers that float32 holds: ordinary, zero, large, missing and infinite.

    A network has no thresholds to aim at. Each column in turn is missing or infinite, up to 64 of them.
    """
    width = int(_inputs(program)[0].shape[1])
    rng = np.random.default_rng(seed)
    ordinary = rng.normal(size=(500, width)).astype(np.float32).astype(np.float64)
    groups = {"ordinary": ordinary, "one": ordinary[:1], "empty": ordinary[:0], "zero": np.zeros((2, width))}
    groups["large"] = (ordinary[:50] * 1e3).astype(np.float32).astype(np.float64)
    for name, value in (("missing", np.nan), ("infinite", np.inf), ("minus infinite", -np.inf)):
        rows = ordinary[: min(width, 64) + 1].copy()
        rows[np.arange(len(rows) - 1), np.arange(len(rows) - 1)] = value
        rows[-1] = value
        groups[name] = rows
    return groups
