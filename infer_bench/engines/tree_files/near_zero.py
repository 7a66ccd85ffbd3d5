"""LightGBM's zero: it reads a number as near to zero as ±κ as zero, which other libraries do not.

So that they decide as it does, a threshold within ±κ is moved to the end of that band: no number but zero lies there
for LightGBM, and zero stays on its side.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from infer_bench.engines.tree_files.read import TreeFile
from infer_bench.formats.lightgbm.trees import CATEGORICAL
from infer_bench.model import ModelRef

KAPPA = float(np.float32(1e-35))
_BELOW = float(np.nextafter(-KAPPA, -np.inf))
_SPLITS = re.compile(rb"^threshold=(.*)\ndecision_type=(.*)$", re.MULTILINE)


@contextlib.contextmanager
def file_for_others(file: TreeFile, model: ModelRef) -> Iterator[str]:
    """The path of a file that any library decides alike: the model's own, or a copy with its thresholds moved."""
    if file.lightgbm is None or not _needs_move(file):
        yield model.path
        return
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        path = Path(folder) / "model.txt"
        path.write_bytes(move_thresholds(Path(model.path).read_bytes()))
        yield str(path)


def _needs_move(file: TreeFile) -> bool:
    if file.lightgbm is None:
        return False
    trees = file.lightgbm.trees
    numeric = trees.threshold[trees.decision_type & CATEGORICAL == 0]
    return bool(((np.abs(numeric) <= KAPPA) & (numeric != KAPPA)).any())


def move_thresholds(text: bytes) -> bytes:
    """The model's text with its thresholds moved; the sizes of its trees stay, which LightGBM alone goes by."""
    return _SPLITS.sub(_move_splits, text)


def _move_splits(splits: re.Match[bytes]) -> bytes:
    kinds = [int(kind) for kind in splits[2].split()]
    pairs = zip(splits[1].split(), kinds, strict=True)
    values = [value if kind & CATEGORICAL else _move(value) for value, kind in pairs]
    return b"threshold=" + b" ".join(values) + b"\ndecision_type=" + splits[2]


def _move(value: bytes) -> bytes:
    number = float(value)
    if not abs(number) <= KAPPA:
        return value
    return repr(KAPPA if number >= 0 else _BELOW).encode()
