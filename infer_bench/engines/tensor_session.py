"""What sessions of networks have in common: named tensors go in, and every output comes out by its name."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain, Request
from infer_bench.engines.session import Call, refuse_call
from infer_bench.errors import EngineError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import ModelSpec, TensorInput
from infer_bench.typing import Array, Floats


class TensorSession:
    """A loaded network of the inputs in `spec`. `predict` gives its outputs in the order of `spec.output_names`.

    `declared_outputs` are those of a file that says what they are, which a run may belie.
    """

    is_network = True
    declared_outputs: tuple[TensorInput, ...] = ()

    def __init__(self, spec: ModelSpec, feed: Callable[[Request], Any], predict: Call) -> None:
        self.spec, self.preprocess, self.predict = spec, feed, predict

    @abstractmethod
    def named_outputs(self, outputs: Any) -> dict[str, Array]:
        """Every output by its name, in the dtype and shape that the run gave it."""

    @abstractmethod
    def input_uses(self) -> dict[str, InputUse]:
        """What the network does with its inputs, by name."""

    def postprocess(self, outputs: Any) -> Floats:
        """All numbers of one request as a single row, float64 (1, numbers), output by output."""
        return as_row(self.named_outputs(outputs))

    def labels(self, predictions: Floats) -> Array | None:
        """None: which output is a class is not known."""
        return None

    def domain(self) -> Domain:
        """Empty: a network's inputs have no thresholds."""
        return Domain()

    def close(self) -> None:
        """Release the library's objects."""
        self.predict = refuse_call


def as_row(outputs: Mapping[str, Array]) -> Floats:
    """All numbers of a request's outputs as a single row, float64 (1, numbers), output by output."""
    rows = [array.reshape(1, -1).astype(np.float64) for array in outputs.values() if array.dtype.kind in "fiub"]
    return np.concatenate(rows, axis=1) if rows else np.empty((1, 0))


def require_arrays(options: Mapping[str, str]) -> None:
    """Raise `EngineError` for a feed of rows."""
    if options["feed"] != "ndarray":
        raise EngineError("the model takes tensors, and no rows of a table", "use feed=ndarray")
