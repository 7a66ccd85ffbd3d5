"""The trees of an ONNX file, believed only when they predict as ONNX Runtime does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines.onnxruntime.engine import OnnxRuntime, OnnxSession
from infer_bench.errors import NotConvertible
from infer_bench.model import ModelRef
from infer_bench.trees.ensemble import Ensemble, levels
from infer_bench.trees.evaluate import predict
from infer_bench.trees.probes import probe_rows
from infer_bench.trees.readers.onnx.graph import read_onnx
from infer_bench.typing import Bools, Floats

NEAR = 1e-5
"""Predictions this near, as a share of their size, are the same in float32 arithmetic."""
SMALLEST = 0.05
"""ONNX Runtime's sigmoid is a polynomial: below this size its error is one of probabilities, not a share of them."""
RELIABLE = 0.999
ROWS = 1_500


def read_onnx_trees(model: ModelRef, options: Mapping[str, str]) -> Ensemble:
    """The trees of an ONNX file. Raises `NotConvertible` where they cannot be read or do not predict as it does."""
    defaults = {name: option.default for name, option in OnnxRuntime.options.items()}
    session = OnnxRuntime().open(model, {**defaults, **options})
    if not isinstance(session, OnnxSession):
        raise NotConvertible("a network of tensors has no trees")
    if any(feature.kind != "float" or feature.categories for feature in session.spec.features):
        raise NotConvertible("a graph with columns of categories cannot be read")
    for ensemble in read_onnx(Path(model.path).read_bytes(), session.output_name, session.spec):
        levels(ensemble)
        if _reproduces(ensemble, session):
            return ensemble
    raise NotConvertible("the trees, as read, do not answer as the graph does")


def _reproduces(ensemble: Ensemble, session: OnnxSession) -> bool:
    groups = probe_rows(ensemble, seed=1, limit=ROWS)
    rows = np.concatenate(list(groups.values()))
    with np.errstate(over="ignore"):
        fits = ~np.isinf(rows.astype(np.float32)).any(axis=1)
    # An infinity is compared only where the graph is said to refuse it.
    rows = rows[fits if ensemble.refuses == "nothing" else fits | np.isinf(rows).any(axis=1)]
    columns: dict[str, Any] = {f.name: rows[:, i] for i, f in enumerate(ensemble.features)}
    expectation = session.postprocess(session.predict(session.preprocess(columns)))
    with np.errstate(invalid="ignore"):
        predictions = predict(ensemble, rows)
    if ensemble.task == "binary" and predictions.shape[1] == 2:
        predictions = predictions[:, 1:]
    smallest = SMALLEST if ensemble.task in ("binary", "multiclass") else 0.0
    if predictions.shape != expectation.shape:
        return False
    return bool(_agree(predictions, expectation, smallest).mean() >= RELIABLE)


def _agree(one: Floats, other: Floats, smallest: float) -> Bools:
    """Which rows (rows,) agree in all outputs; below `smallest` a share of it is what counts."""
    sizes = np.abs(other[np.isfinite(other)])
    smallest = max(smallest, float(np.median(sizes)) if sizes.size else 0.0)
    with np.errstate(all="ignore"):
        near = np.abs(one - other) <= NEAR * np.maximum(np.abs(other), smallest)
    return np.asarray((near | (one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1))
