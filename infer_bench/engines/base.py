"""What an engine is: an adapter to one library, which times nothing, logs nothing and knows no command line.

This module is what an engine of another distribution is written against; `engines.session` and `engines.feeds` hold
what most sessions have in common.

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
from infer_bench.model import Feature, Kind, ModelRef, ModelSpec
from infer_bench.typing import Array, Floats

Request = Mapping[str, Any]
"""A request. For batch 1 a record {column: scalar}; for larger batches a table {column: array (batch,)}.

Missing numbers are NaN or absent, missing strings are None. A network's is {input: array} whatever the batch, each
array of its input's whole shape.
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One `key=value` of a candidate: its meaning, default and (when closed) the values it may take."""

    help: str
    default: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a model's inputs are interesting: per feature the sorted finite values at which its output may change.

    For a numeric feature these are the split thresholds; for a category the known codes or values. A feature that the
    model never reads has no entry. Used to draw rows when the user gives none. `missing` names the features for which
    the model has a way for NaN. `rows` are training rows that the model stores (rows, features), in the order of its
    features; None for a model that stores none.
    """

    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    rows: Floats | None = None


class Session(Protocol):
    """A loaded model. It is called by one thread; what it raises on a request is an `EngineError` of one line.

    A session may offer more than these: `predictions_and_labels(inputs)` gives the canonical output and the library's
    own labels (rows,), which need not be those of the largest probability, and `texts(outputs)` the text (rows,) in
    them. One whose `spec.inputs` are tensors gives with `named_outputs(outputs)` every output by its name, in the
    library's own dtype and shape; its canonical output is one row of all numbers in them.
    """

    spec: ModelSpec

    def preprocess(self, request: Request) -> Any:
        """Turn a request into what `predict` eats, as the candidate's feed does it.

        Columns are told by their names, not by their places; keys that the model does not know are left out. The result
        may be a buffer that the next request overwrites. Raises `EngineError` naming the column whose value does not
        fit.
        """

    def predict(self, inputs: Any) -> Any:
        """Call the library, and nothing else. Raises `EngineError` for what it refuses, and once it is closed."""

    def postprocess(self, outputs: Any) -> Floats:
        """Turn the library's output into the canonical one, float64 (rows, outputs).

        Raises `EngineError` when it has other columns than `spec.outputs`.
        """

    def labels(self, predictions: Floats) -> Array | None:
        """The class labels (rows,), of those in `spec.classes`, that belong to canonical `predictions` (rows, outputs).

        None for a model without classes; `argmax_labels` is the usual rule.
        """

    def domain(self) -> Domain:
        """Where the model's inputs are interesting; an empty `Domain` when that cannot be read."""

    def close(self) -> None:
        """Release what the library holds; a second call does nothing."""


class Engine(Protocol):
    """An adapter to one library. An instance holds no model and imports nothing heavy."""

    name: str
    """What a candidate calls it: the name of its entry point."""
    formats: frozenset[str]
    """The formats that it opens (`ModelRef.format`)."""
    requires: tuple[str, ...]
    """Modules that must be importable, the library itself first."""
    extra: str
    """The extra of infer-bench that installs it; empty where nothing is needed or another distribution has it."""
    options: Mapping[str, Option]
    """What a candidate may choose. `feed`, `fill`, `unknown`, `threads` and `api` mean the same for every engine."""

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Top-level modules that a worker may keep from being imported, since this candidate does not need them."""

    def open(self, model: ModelRef, options: Mapping[str, str]) -> Session:
        """Load the model.

        `options` are complete and checked, and `allow_pickle` beside them is `yes` where the user trusts the file.
        Raises `ModelError` for a file that is missing, broken or of another library, `EngineError` for what the library
        refuses, and `MissingDependency`, which names the `pip install`, when it is not installed.
        """


def check_options(engine: Engine, options: Mapping[str, str]) -> dict[str, str]:
    """Defaults filled in and values checked; raises `OptionError` naming the known keys or values."""
    complete = {key: option.default for key, option in engine.options.items()}
    for key, value in options.items():
        option = engine.options.get(key)
        if option is None:
            raise OptionError(f"{engine.name} has no option {key!r}", f"known: {', '.join(sorted(engine.options))}")
        if option.choices and value not in option.choices:
            raise OptionError(f"{engine.name}:{key} cannot be {value!r}", f"one of: {', '.join(option.choices)}")
        complete[key] = value
    return complete


def argmax_labels(spec: ModelSpec, predictions: Floats) -> Array | None:
    """The class labels (rows,) of the canonical output (rows, outputs); None for a model without classes.

    p > 0.5 is the second class of a binary model; of several classes the first of the largest is taken. Ties at
    exactly 0.5 go to the first class, as `numpy.argmax` over (1 - p, p) does.
    """
    if spec.task == "binary" and len(spec.classes) == 2:
        places = (predictions[:, 0] > 0.5).astype(np.intp)
    elif spec.task == "multiclass" and spec.classes:
        places = predictions.argmax(axis=1)
    else:
        return None
    return np.asarray(np.asarray(spec.classes, dtype=object)[places])


def as_columns(values: Any) -> Floats:
    """`values` as float64 (rows, outputs), all axes but the first made one. Raises `EngineError` if not numeric."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EngineError(f"the answer is not numeric: {error}") from None
    return array.reshape(-1, 1) if array.ndim < 2 else array.reshape(len(array), math.prod(array.shape[1:]))


def make_features(count: int, names: Sequence[str] = (), kind: Kind = "float") -> tuple[Feature, ...]:
    """Columns called `names` where there are `count` of them, else by invented names: `f0`, `f1`, …"""
    if len(names) == count:
        return tuple(Feature(name, kind) for name in names)
    return tuple(Feature(f"f{i}", kind, invented=True) for i in range(count))
