"""A module of PyTorch in float64 and with numbers moved by an ulp: what PyTorch rounds when it computes it."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.rounding_runs import (
    Method,
    NamedArrays,
    RoundingRuns,
    choose_shake,
    move_request,
    shake_in_float64,
    works_in_float64,
)
from infer_bench.engines.session import errors_as
from infer_bench.errors import EngineError
from infer_bench.typing import Array

NameOutputs = Callable[[Sequence[Any]], NamedArrays]
Predict = Callable[[NamedArrays], Sequence[Any]]
DRAWS, FEWER_DRAWS = 3, 1
LARGE_BYTES = 256 << 20
"""A module with more weights is drawn once, since each draw holds a copy of them."""
_HALVES = ("float16", "bfloat16", "float8")


class Float64Runs:
    """A module that was widened: `make_predict` gives what runs one, by the names of its inputs."""

    method: Method = "float64"
    is_coarse = False

    def __init__(
        self,
        library: Any,
        wide: Any,
        make_predict: Callable[[Any], Predict],
        outputs: NameOutputs,
        precisions: Mapping[str, str],
    ) -> None:
        self.precisions = precisions
        self._outputs, self._predict = outputs, make_predict(wide)
        moved = copy.deepcopy(wide)
        _move_weights(library, moved, shake_in_float64)
        self._predict_moved = make_predict(moved)

    def exact(self, inputs: NamedArrays) -> NamedArrays:
        """See `RoundingRuns`."""
        return self._run(self._predict, {name: _widen(values) for name, values in inputs.items()})

    def shaken(self, inputs: NamedArrays) -> Sequence[NamedArrays]:
        """See `RoundingRuns`."""
        wide = {n: shake_in_float64(a, n) if a.dtype == np.float32 else a for n, a in inputs.items()}
        variant = {name: move_request(values, wide[name]) for name, values in inputs.items()}
        return [self._run(self._predict_moved, variant)]

    def _run(self, predict: Predict, inputs: NamedArrays) -> NamedArrays:
        with errors_as(EngineError, "the module cannot be computed in float64"):
            return self._outputs(predict(inputs))


class NoiseRuns:
    """A module as it is, with weights and inputs an ulp off."""

    method: Method = "noise"

    def __init__(
        self,
        library: Any,
        module: Any,
        make_predict: Callable[[Any], Predict],
        outputs: NameOutputs,
        precisions: Mapping[str, str],
    ) -> None:
        """Raises `EngineError` for a module that is quantised."""
        self.precisions = precisions
        weights = list(_list_weights(module))
        if any(tensor.is_quantized for _, tensor in weights):
            raise EngineError("parts of the network are quantised")
        self.is_coarse = any(str(tensor.dtype).removeprefix("torch.").startswith(_HALVES) for _, tensor in weights)
        self._outputs, self._predicts = outputs, list[Predict]()
        size = sum(tensor.numel() * tensor.element_size() for _, tensor in weights)
        for draw in range(DRAWS if size <= LARGE_BYTES else FEWER_DRAWS):
            variant = copy.deepcopy(module)
            _move_weights(library, variant, choose_shake(self.precisions, draw))
            self._predicts.append(make_predict(variant))

    def exact(self, inputs: NamedArrays) -> NamedArrays | None:
        """See `RoundingRuns`."""
        return None

    def shaken(self, inputs: NamedArrays) -> Sequence[NamedArrays]:
        """See `RoundingRuns`."""
        draws = []
        for draw, predict in enumerate(self._predicts):
            move = choose_shake(self.precisions, draw)
            variant = {name: move_request(values, move(values, name)) for name, values in inputs.items()}
            draws.append(self._outputs(predict(variant)))
        return draws


def open_rounding_runs(
    library: Any,
    modules: tuple[Callable[[], Any], Callable[[], Any]],
    make_predict: Callable[[Any], Predict],
    outputs: NameOutputs,
    method: Method,
    precisions: Mapping[str, str],
) -> RoundingRuns:
    """The runs of a module: `modules` make it in float64, and as it is. Raises `EngineError` where it has no such.

    `precisions` as in `RoundingRuns`.
    """
    if method == "float64" and works_in_float64(precisions):
        raise EngineError("the network works in float64 itself")
    wide, own = modules
    what = "PyTorch cannot compute the module in float64" if method == "float64" else "PyTorch cannot copy the module"
    with errors_as(EngineError, what):
        if method == "float64":
            return Float64Runs(library, wide(), make_predict, outputs, precisions)
        return NoiseRuns(library, own(), make_predict, outputs, precisions)


def _widen(values: Array) -> Array:
    return values.astype(np.float64) if values.dtype == np.float32 else values


def _list_weights(module: Any) -> Iterable[tuple[str, Any]]:
    """Parameters and buffers by name, each once."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def _move_weights(library: Any, module: Any, move: Callable[[Array, str], Array]) -> None:
    """Move the float weights of a module, in place; single numbers stay."""
    with library.no_grad():
        for name, tensor in _list_weights(module):
            if tensor.dtype == library.bfloat16:
                _move_bits(library, tensor, move, name)
            elif tensor.dtype in (library.float16, library.float32, library.float64):
                moved = np.ascontiguousarray(move(tensor.detach().cpu().numpy(), name))
                tensor.copy_(library.from_numpy(moved))


def _move_bits(library: Any, tensor: Any, move: Callable[[Array, str], Array], name: str) -> None:
    """As `move` chooses, numbers of bfloat16, which NumPy lacks, to the next one: bit patterns follow their size."""
    ones = np.ones(tuple(tensor.shape), np.float32)
    steps = library.from_numpy(np.sign(move(ones, name).astype(np.float64) - 1.0).astype(np.int16)).to(tensor.device)
    bits = tensor.view(library.int16)
    bits.add_(library.where(library.isfinite(tensor) & (tensor != 0), steps, library.zeros_like(steps)))
