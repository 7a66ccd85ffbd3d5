"""PyTorch exported programs (`.pt2`), opened to be converted.

A pickled module or a state dict is refused: the one runs code when it is opened, the other holds no computation.
"""

import zipfile
from pathlib import Path
from typing import Any

from infer_bench.errors import MissingDependency, ModelError, NotConvertible
from infer_bench.formats.archives import zipped
from infer_bench.formats.pickle_family import EXPORT


def load_program(path: str | Path, *, trusted: bool = False) -> Any:
    """Open a `.pt2` file; raises `ModelError` for a pickled module, a state dict, or a broken one.

    Raises `UnsafePickle` where it would run code of its maker's, unless it is `trusted`.
    """
    from infer_bench.engines.torch import loading

    _check_kind(Path(path))
    return loading.load_program(import_torch(), str(path), trusted=trusted)


def import_torch() -> Any:
    """The library. Raises `MissingDependency` without it."""
    try:
        import torch
    except ImportError:
        raise MissingDependency("torch", "torch") from None
    return torch


def _check_kind(path: Path) -> None:
    """Tell a `.pt2` archive from other files, without opening any of it."""
    if not path.is_file():
        raise ModelError(f"{path.name} does not exist")
    if not zipfile.is_zipfile(path) or zipped(path)[1] != "torch-pt2":
        raise NotConvertible(f"{path.name} is no PyTorch exported program", EXPORT)


def refuse_training_mode(program: Any) -> None:
    """Raises `NotConvertible` for a program that does not answer alike twice."""
    from infer_bench.engines.torch.mutation import describe_program_state
    from infer_bench.engines.torch.training_mode import find_training_operators

    for remark in (*find_training_operators(import_torch(), program).remarks, *describe_program_state(program)):
        raise NotConvertible(f"the program {remark.message}", remark.hint)


def list_inputs(program: Any) -> list[Any]:
    """What is known of each input tensor that the user gives."""
    names = set(program.graph_signature.user_inputs)
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    return [value for value in values if hasattr(value, "shape")]
