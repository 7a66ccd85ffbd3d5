"""TorchScript modules written by torch's older exporter: the newer one takes no TorchScript."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.converters.torch.export import describe_failure, describe_model
from infer_bench.converters.torch.programs import import_torch
from infer_bench.engines.session import require
from infer_bench.errors import MissingDependency, NotConvertible
from infer_bench.formats.input_names import is_state
from infer_bench.model import ModelRef
from infer_bench.typing import Array

Shapes = Mapping[str, tuple[int, ...]]
Axes = Mapping[str, Mapping[int, str]]
_NEWER = "export the model with torch.export.save (.pt2)"


def write_script(model: ModelRef, path: Path, metadata: Mapping[str, str], request: Mapping[str, Array]) -> None:
    """Write a module that takes `request`, its arrays by the names of `forward`. Raises `NotConvertible`.

    The axes whose sizes the module lets be changed are free. The caller has seen to it that its code may run.
    """
    torch = import_torch()
    module = torch.jit.load(model.path, map_location="cpu")
    tensors = {name: torch.from_numpy(array) for name, array in request.items()}
    outputs = _name_outputs(torch, module, tensors)
    shapes = {name: array.shape for name, array in request.items()}
    free = find_free(shapes, lambda sizes: _runs(torch, module, tensors, sizes))
    try:
        _export(torch, module, tensors, path, outputs, free)
        refused = _list_refused(path, request, free)
        if refused:
            accepted_axes = {name: {i: s for i, s in axes.items() if s not in refused} for name, axes in free.items()}
            _export(torch, module, tensors, path, outputs, accepted_axes)
    except ImportError as error:
        raise MissingDependency(str(error.name or "onnx"), "torch") from None
    except Exception as error:  # noqa: BLE001 - the exporter raises one class an operator
        raise NotConvertible(f"PyTorch cannot export the module: {describe_failure(error)}", _NEWER) from None
    onnx = require("onnx", "torch")
    written = onnx.load(str(path))
    describe_model(written, metadata)
    path.write_bytes(written.SerializeToString())


def _name_outputs(torch: Any, module: Any, tensors: Mapping[str, Any]) -> list[str]:
    from infer_bench.engines.torch.script import describe_error, name_leaves

    try:
        with torch.inference_mode():
            return [name for name, _ in name_leaves(module(**tensors))]
    except Exception as error:  # noqa: BLE001 - PyTorch raises one class an operator
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise NotConvertible(f"the module does not take the request ({shapes}): {describe_error(error)}") from None


def _export(torch: Any, module: Any, tensors: Mapping[str, Any], path: Path, outputs: list[str], free: Axes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(tensors.values()),
            str(path),
            dynamo=False,
            input_names=list(tensors),
            output_names=outputs,
            dynamic_axes={name: dict(axes) for name, axes in free.items()},
        )


def _list_refused(path: Path, request: Mapping[str, Array], free: Axes) -> set[str]:
    """The axes that the module lets be changed and the file does not: some kernels of PyTorch do not look."""
    session = require("onnxruntime", "onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])
    shapes = {name: array.shape for name, array in request.items()}
    refused = set()
    for symbol in {symbol for axes in free.values() for symbol in axes.values()}:
        places = [(name, axis) for name, axes in free.items() for axis, other in axes.items() if other == symbol]
        changed = _change(shapes, places, 1)
        try:
            session.run(None, {name: np.zeros(changed[name], array.dtype) for name, array in request.items()})
        except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            refused.add(symbol)
    return refused


def find_free(shapes: Shapes, runs: Callable[[Shapes], bool]) -> Axes:
    """A name for each axis whose size may be another one, by input: equal sizes first change together.

    `runs` says whether the module takes requests of these shapes.
    """
    free: dict[str, dict[int, str]] = {}
    for group in _list_groups(shapes):
        places = [place for place in group if place[1] not in free.get(place[0], {})]
        if places and all(runs(_change(shapes, places, step)) for step in (1, 2)):
            symbol = _name(places[0], sum(len(axes) for axes in free.values()))
            for name, axis in places:
                free.setdefault(name, {})[axis] = symbol
    return free


def _list_groups(shapes: Shapes) -> Iterator[list[tuple[str, int]]]:
    """Axes of the same size anywhere, the same axis of all inputs with the same size there, and each axis alone.

    Not of states alone: kernels of recurrent layers do not look whether these fit, and read beyond them.
    """
    places = [(name, axis) for name, shape in shapes.items() for axis in range(len(shape))]
    sizes = {place: shapes[place[0]][place[1]] for place in places}
    groups = [[place for place in places if sizes[place] == size] for size in dict.fromkeys(sizes.values())]
    for axis, size in dict.fromkeys((place[1], sizes[place]) for place in places):
        groups.append([place for place in places if (place[1], sizes[place]) == (axis, size)])
    groups += [[place] for place in places]
    yield from (group for group in groups if not all(is_state(name) for name, _ in group))


def _change(shapes: Shapes, places: Sequence[tuple[str, int]], step: int) -> Shapes:
    return {
        name: tuple(size + step * ((name, axis) in places) for axis, size in enumerate(shape))
        for name, shape in shapes.items()
    }


def _name(place: tuple[str, int], count: int) -> str:
    return "batch" if place[1] == 0 and not count else f"{place[0]}_{place[1]}"


def _runs(torch: Any, module: Any, tensors: Mapping[str, Any], shapes: Shapes) -> bool:
    """Whether the module answers zeros of these shapes."""
    try:
        with torch.inference_mode():
            module(**{name: torch.zeros(shapes[name], dtype=tensor.dtype) for name, tensor in tensors.items()})
    except Exception:  # noqa: BLE001 - PyTorch raises one class an operator
        return False
    return True
