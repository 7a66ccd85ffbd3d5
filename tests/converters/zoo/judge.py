"""The written file, run by ONNX Runtime directly, against the library's own predictions."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.converters.zoo.oracle import Truth, ask
from tests.converters.zoo.rows import groups

DTYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(string)": object}


@dataclass(frozen=True)
class FileComparison:
    """How a file compares: `wrong` in words (empty when right), rows compared, and what the runtime `warned` of."""

    wrong: str
    rows: int
    confident: int
    warned: str


FAR = ("KNeighbors", "KMeans")
"""Models of distances: beyond 1e38 all points are equally far, and which one is nearest hangs on the last bit."""


# XGBoost 3.2 takes an unseen string for its neighbour in the alphabet or raises; the report says that it is missing.


def compare_file(path: Path, model: Any, training_rows: Any, tolerance: float) -> FileComparison:
    """Compare on every group of rows, as one batch and one at a time for some; and on no rows at all."""
    import onnxruntime

    rows = confident = 0
    with quiet() as messages:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        wrong = []
        for name, table in groups(model, training_rows).items():
            kind = f"{type(model).__module__}.{type(model).__name__}"
            if (name == "far" and type(model).__name__.startswith(FAR)) or (name == "unseen" and "xgboost" in kind):
                continue
            table_as_input = round_to_input(session, table)
            truth = ask(model, table_as_input)
            fault, loud = compare(truth, run_session(session, table_as_input), tolerance)
            wrong += [f"{name}: {fault}"] if fault else []
            rows, confident = rows + len(table_as_input), confident + loud
        fault = shapes(session, groups(model, training_rows)["ordinary"][:0])
        wrong += [fault] if fault else []
    return FileComparison("; ".join(wrong), rows, confident, messages[0] if messages else "")


def shapes(session: Any, none: Any) -> str:
    """A fault when no rows give predictions of another shape than declared."""
    for output, value in run_session(session, none).items():
        shape = next(o for o in session.get_outputs() if o.name == output).shape
        if isinstance(value, np.ndarray) and (len(value) or list(value.shape[1:]) != list(shape[1:])):
            return f"no rows: {output} has shape {value.shape}, declared {shape}"
    return ""


@contextlib.contextmanager
def quiet() -> Iterator[list[str]]:
    """What is written to stderr by anything, native code too, goes into the list."""
    messages: list[str] = []
    with tempfile.TemporaryFile() as file:
        stderr = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield messages
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            words = file.read().decode("utf-8", "replace")
            if "onnxruntime" in words:
                messages.append(words.strip().splitlines()[0][:200])


def round_to_input(session: Any, table: Any) -> Any:
    """The rows as the file can hold them: numbers rounded to float32 where that is what it takes."""
    if all(i.type != "tensor(float)" for i in session.get_inputs()):
        return table
    with np.errstate(over="ignore"):
        if not isinstance(table, pd.DataFrame):
            return np.asarray(table).astype(np.float32).astype(np.float64)
        numeric = [name for name, kind in table.dtypes.items() if getattr(kind, "kind", "O") in "fiu"]
        return table.astype(dict.fromkeys(numeric, np.float32)).astype(dict.fromkeys(numeric, np.float64))


def run_session(session: Any, table: Any) -> dict[str, Any]:
    """The outputs by name. Columns are matched by the names in the file's metadata."""
    inputs = session.get_inputs()
    columns = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    order = [f["name"] for f in json.loads(session.get_modelmeta().custom_metadata_map["infer_bench.spec"])["features"]]
    names = [str(name) for name in columns.columns]
    if set(order) == set(names):
        columns = columns.set_axis(names, axis=1)[order]
    if len(inputs) == 1 and inputs[0].type != "tensor(string)" and len(inputs[0].shape) == 2:
        dtype = DTYPES[inputs[0].type]
        with np.errstate(over="ignore"):
            feeds = {inputs[0].name: np.column_stack([_numbers(columns.iloc[:, i]) for i in range(columns.shape[1])])}
            feeds = {name: value.astype(dtype) for name, value in feeds.items()}
    else:
        feeds = {info.name: _column(columns.iloc[:, at], info) for at, info in enumerate(inputs)}
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def _numbers(column: Any) -> Any:
    return pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=float)


def _column(column: Any, info: Any) -> Any:
    if info.type == "tensor(string)":
        return np.array(["" if pd.isna(v) else str(v) for v in column], dtype=object).reshape(-1, 1)
    with np.errstate(over="ignore"):
        return _numbers(column).astype(DTYPES[info.type]).reshape(-1, 1)


def compare(truth: Truth, outputs: dict[str, Any], tolerance: float) -> tuple[str, int]:
    """A difference in words, or nothing; and how many rows are answered that the library refuses."""
    answerable = ~truth.refusals
    numeric = next((outputs[n] for n in ("probabilities", "scores", "prediction") if n in outputs), None)
    confident = 0
    if numeric is not None and len(numeric) == len(answerable):
        confident = int(np.isfinite(numeric[~answerable]).all(axis=1).sum())
    if not answerable.any():
        return "", confident
    fault, tied = _values(truth, numeric, answerable, tolerance)
    labels = outputs.get("label")
    if not fault and truth.labels is not None and labels is not None:
        differ = np.array([a != b for a, b in zip(truth.labels.tolist(), labels[answerable].tolist(), strict=True)])
        differ &= ~tied
        if differ.any():
            at = int(differ.argmax())
            fault = f"{differ.sum()} labels, {truth.labels[at]!r} became {labels[answerable][at]!r}"
    if not fault and truth.labels is not None and labels is None:
        fault = "no labels"
    return fault, confident


def _values(truth: Truth, numeric: Any, answerable: Any, tolerance: float) -> tuple[str, Any]:
    none = np.zeros(int(answerable.sum()), bool)
    if truth.values is None:
        return "", none
    if numeric is None:
        return "no numbers", none
    ours, theirs = truth.values, np.asarray(numeric, dtype=float)[answerable].reshape(int(answerable.sum()), -1)
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape}, not {ours.shape}", none
    if tolerance > 1e-9:
        with np.errstate(over="ignore"):
            ours = np.where(np.isfinite(ours), ours.astype(np.float32).astype(float), ours)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        delta = np.where(same, 0.0, np.abs(ours - theirs) / np.maximum(1.0, np.abs(ours)))
    bad = ~(delta <= tolerance)
    tied = none
    if ours.shape[1] > 1:
        top = np.sort(ours, axis=1)
        tied = ~(top[:, -1] - top[:, -2] > 4 * tolerance)
    elif truth.labels is not None:
        tied = np.abs(ours[:, 0]) <= 4 * tolerance
    tied = tied & (delta.max(axis=1, initial=0.0) > 0)
    if not bad.any():
        return "", tied
    row = int(bad.any(axis=1).argmax())
    return f"{bad.any(axis=1).sum()} rows, max {np.nanmax(delta):.1e}, e.g. {ours[row]} became {theirs[row]}", tied
