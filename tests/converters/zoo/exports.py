"""What plain converters make of the zoo's models, and what ONNX Runtime predicts for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def export(model: Any, training_rows: Any) -> bytes:
    """The plain converter's file, as its manual says: float32 in, no ZipMap. Raises what the converter raises."""
    module = type(model).__module__.partition(".")[0]
    if module in ("lightgbm", "xgboost"):
        onnx = _convert_booster(module, model, np.asarray(training_rows).shape[1])
    elif module == "catboost":
        return _export_catboost(model)
    else:
        onnx = _convert_estimator(model, training_rows)
    data: bytes = onnx.SerializeToString()
    return data


def _convert_booster(module: str, model: Any, width: int) -> Any:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    convert = onnxmltools.convert_lightgbm if module == "lightgbm" else onnxmltools.convert_xgboost
    types = [("input", FloatTensorType([None, width]))]
    more = {"zipmap": False} if module == "lightgbm" else {}
    return convert(model, initial_types=types, target_opset=15, **more)


def _convert_estimator(model: Any, training_rows: Any) -> Any:
    from skl2onnx import to_onnx
    from sklearn.base import is_classifier

    options = {id(model): {"zipmap": False}} if is_classifier(model) else None
    sample = training_rows[:1]
    if isinstance(sample, pd.DataFrame):
        numeric = [name for name, kind in sample.dtypes.items() if getattr(kind, "kind", "O") == "f"]
        sample = sample.astype(dict.fromkeys(numeric, np.float32))
    else:
        sample = np.asarray(sample, dtype=np.float32)
    try:
        return to_onnx(model, sample, options=options)
    except NameError:  # an estimator that has no such option
        return to_onnx(model, sample)


def _export_catboost(model: Any) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plain.onnx"
        model.save_model(str(path), format="onnx")
        return path.read_bytes()


def predictions(path: Path, table: Any) -> dict[str, Any]:
    """`numbers` (rows, outputs), probabilities before others, and `labels` (rows,); None for what there is not."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = session.get_outputs()
    by_name = dict(zip([o.name for o in outputs], session.run(None, _feeds(session, table)), strict=True))
    numbers = [o.name for o in outputs if o.type not in ("tensor(string)", "tensor(int64)", "tensor(bool)")]
    labels = [o.name for o in outputs if o.name not in numbers]
    name_of_numbers = next((name for name in numbers if "prob" in name), numbers[0] if numbers else None)
    return {
        "numbers": None if name_of_numbers is None else _matrix(by_name[name_of_numbers], len(table)),
        "labels": np.asarray(by_name[labels[0]]).reshape(-1) if labels else None,
    }


def _matrix(values: Any, rows: int) -> Any:
    if isinstance(values, list):
        values = [list(row.values()) for row in values]
    return np.asarray(values, dtype=float).reshape(rows, -1)


def _feeds(session: Any, table: Any) -> dict[str, Any]:
    inputs = session.get_inputs()
    columns = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    if len(inputs) == 1 and inputs[0].type == "tensor(float)":
        return {inputs[0].name: columns.to_numpy(dtype=float).astype(np.float32)}
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(double)": np.float64}
    return {
        info.name: columns.iloc[:, i].to_numpy().astype(kinds.get(info.type, object)).reshape(-1, 1)
        for i, info in enumerate(inputs)
    }
