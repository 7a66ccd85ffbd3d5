"""A model to try a gate on where the user names none: trees drawn at random, which answer in about 50 µs."""

from pathlib import Path

import numpy as np

from infer_bench.errors import MissingDependency
from infer_bench.typing import Columns

FEATURES, TREES, DEPTH = 50, 800, 4
ROWS = 1024


def write_model(path: Path) -> None:
    """An ONNX regression of complete trees. Raises `MissingDependency` without onnx and ONNX Runtime."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        raise MissingDependency("onnxruntime", "convert") from None
    from infer_bench.converters.onnx.writer import write_onnx
    from infer_bench.model import Feature
    from infer_bench.trees.ensemble import LEAF, LEQ, Ensemble, Nodes

    random, inner = np.random.default_rng(0), 2**DEPTH - 1
    size = 2 * inner + 1
    place = np.arange(size)
    first = np.repeat(np.arange(TREES) * size, size)
    is_split = np.tile(place < inner, TREES)
    count = TREES * size
    nodes = Nodes(
        mode=np.where(is_split, LEQ, LEAF),
        feature=np.where(is_split, random.integers(0, FEATURES, count), -1),
        threshold=np.where(is_split, random.normal(size=count), 0.0),
        left=np.where(is_split, first + np.tile(2 * place + 1, TREES), -1),
        right=np.where(is_split, first + np.tile(2 * place + 2, TREES), -1),
        missing_left=np.zeros(count, dtype=np.bool_),
        zero_missing=np.zeros(count, dtype=np.bool_),
        value=np.where(is_split, 0.0, random.normal(size=count) / TREES).reshape(-1, 1),
        member_start=np.zeros(count + 1, dtype=np.int64),
        members=np.zeros(0),
    )
    ensemble = Ensemble(
        family="lightgbm",
        task="regression",
        features=tuple(Feature(f"f{i}") for i in range(FEATURES)),
        nodes=nodes,
        roots=np.arange(TREES) * size,
        output=np.zeros(TREES, dtype=np.int64),
        base=np.zeros(1),
    )
    path.write_bytes(write_onnx(ensemble, precision="float32"))


def draw_rows() -> Columns:
    """Rows for that model: normal numbers."""
    values = np.random.default_rng(1).normal(size=(FEATURES, ROWS)).astype(np.float32).astype(np.float64)
    return {f"f{i}": column for i, column in enumerate(values)}
