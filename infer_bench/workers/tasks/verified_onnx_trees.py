"""The trees of an ONNX file, believed only when they answer as ONNX Runtime does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.engines.onnxruntime.engine import OnnxRuntime, OnnxSession
from infer_bench.errors import NotConvertible
from infer_bench.model import ModelRef
from infer_bench.trees.ensemble import Ensemble, levels
from infer_bench.trees.evaluate import predict
from infer_bench.trees.probes import probe_rows
from infer_bench.trees.readers.onnx.graph import read_onnx
from infer_bench.typing import Floats

NEAR = 1e-5
"""Answers this near, as a share of their size, are the same in float32 arithmetic."""
LEAST = 0.05
"""ONNX Runtime's sigmoid is a polynomial: below this size its error is one of probabilities, not a share of them."""
RELIABLE = 0.999
ROWS = 1_500


def read_onnx_structure(model: ModelRef, options: Mapping[str, str]) -> Ensemble:
    """The trees of an ONNX file. Raises `NotConvertible` where they cannot be read or do not reproduce its answers."""
    defaults = {name: option.default for name, option in OnnxRuntime.options.items()}
    session = OnnxRuntime().open(model, {**defaults, **options})
    if any(feature.kind != "float" or feature.categories for feature in session.spec.features):
        raise NotConvertible("a graph with columns of categories cannot be read")
    for ensemble in read_onnx(Path(model.path).read_bytes(), session.answer, session.spec):
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
    wanted = session.postprocess(session.predict(session.preprocess(columns)))
    with np.errstate(invalid="ignore"):
        found = predict(ensemble, rows)
    if ensemble.task == "binary" and found.shape[1] == 2:
        found = found[:, 1:]
    least = LEAST if ensemble.task in ("binary", "multiclass") else 0.0
    return found.shape == wanted.shape and bool(_alike(found, wanted, least).mean() >= RELIABLE)


def _alike(one: Floats, other: Floats, least: float) -> npt.NDArray[np.bool_]:
    """Which rows (rows,) agree in all outputs; below `least` a share of it is what counts."""
    known = np.abs(other[np.isfinite(other)])
    least = max(least, float(np.median(known)) if known.size else 0.0)
    with np.errstate(all="ignore"):
        near = np.abs(one - other) <= NEAR * np.maximum(np.abs(other), least)
    return np.asarray((near | (one == other) | (np.isnan(one) & np.isnan(other))).all(axis=1))
