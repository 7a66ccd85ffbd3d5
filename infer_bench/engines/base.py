"""What an engine is: an adapter to one library, which times nothing, logs nothing and knows no command line.

The canonical output, fixed here so that no two engines can disagree about shape, is a float64 array (rows, outputs):

- `binary`: one column, the probability of `spec.classes[1]`;
- `multiclass`: one column a class, in the order of `spec.classes`;
- `regression`, `ranking`: one column a target;
- `raw`: the model's own outputs, flattened to (rows, outputs).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from infer_bench.errors import EngineError, OptionError
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import Array, Floats

Request = Mapping[str, Any]
"""A request. For batch 1 a record {column: scalar}; for larger batches a table {column: 1-D array of `batch` values}.

Missing numbers are NaN or absent, missing strings are None.
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One `key=value` of a candidate: its meaning, default and (when closed) the values it may take."""

    help: str
    default: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a model's inputs are interesting: per feature the sorted finite values at which its answer may change.

    For a numeric feature these are the split thresholds; for a category the known codes or values. A feature that the
    model never reads has no entry. Used to draw rows when the user gives none. `rows` are training rows that the model
    has kept (rows, features), in the order of its features; None for a model that keeps none.
    """

    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    rows: Floats | None = None


class Session(Protocol):
    """A loaded model, ready to answer."""

    spec: ModelSpec

    def preprocess(self, request: Request) -> Any:
        """Turn a request into what `predict` eats, as the candidate's feed does it."""

    def predict(self, inputs: Any) -> Any:
        """Call the library, and nothing else."""

    def postprocess(self, outputs: Any) -> Floats:
        """Turn the library's answer into the canonical output, float64 (rows, outputs)."""

    def labels(self, predictions: Floats) -> Array | None:
        """The class labels (rows,) that belong to canonical `predictions`; None for a model without classes."""

    def domain(self) -> Domain:
        """Where the model's inputs are interesting; an empty `Domain` when that cannot be read."""

    def close(self) -> None:
        """Release what the library holds."""


class Engine(Protocol):
    """An adapter to one library. An instance holds no model and imports nothing heavy."""

    name: str
    formats: frozenset[str]
    requires: tuple[str, ...]
    """Modules that must be importable, the library itself first."""
    extra: str
    """The extra of infer-bench that installs it."""
    options: Mapping[str, Option]

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Modules that a worker may keep from being imported, since this candidate does not need them."""

    def open(self, model: ModelRef, options: Mapping[str, str]) -> Session:
        """Load the model. Raises `ModelError` or `EngineError`; `options` are complete and checked."""


def check_options(engine: Engine, given: Mapping[str, str]) -> dict[str, str]:
    """Defaults filled in and values checked; raises `OptionError` naming the known keys or values."""
    complete = {key: option.default for key, option in engine.options.items()}
    for key, value in given.items():
        option = engine.options.get(key)
        if option is None:
            raise OptionError(f"{engine.name} has no option {key!r}", f"known: {', '.join(sorted(engine.options))}")
        if option.choices and value not in option.choices:
            raise OptionError(f"{engine.name}:{key} cannot be {value!r}", f"one of: {', '.join(option.choices)}")
        complete[key] = value
    return complete


def argmax_labels(spec: ModelSpec, predictions: Floats) -> Array | None:
    """The class label of each row of the canonical output: p > 0.5 for a binary model, the first maximum otherwise.

    Ties at exactly 0.5 go to the first class, as `numpy.argmax` over (1 - p, p) does.
    """
    if spec.task == "binary" and len(spec.classes) == 2:
        predicted = (predictions[:, 0] > 0.5).astype(np.intp)
    elif spec.task == "multiclass" and spec.classes:
        predicted = predictions.argmax(axis=1)
    else:
        return None
    labels: Array = np.asarray(spec.classes, dtype=object)[predicted]
    return labels


def columns(values: Any, outputs: int | None = None) -> Floats:
    """`values` as float64 (rows, outputs); raises `EngineError` when it is not numeric or has the wrong width."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EngineError(f"the answer is not numeric: {error}") from None
    array = array.reshape(-1, 1) if array.ndim < 2 else array.reshape(len(array), math.prod(array.shape[1:]))
    if outputs is not None and array.shape[1] != outputs:
        raise EngineError(f"the answer has {array.shape[1]} columns where the model should give {outputs}")
    return array


def names(count: int, given: Sequence[str] = ()) -> tuple[str, ...]:
    """The given feature names, or `f0`, `f1`, … when the model holds none."""
    return tuple(given) if len(given) == count else tuple(f"f{i}" for i in range(count))
