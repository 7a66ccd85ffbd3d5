"""What plain converters make of the zoo's models, and what ONNX Runtime answers for it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def export(model: Any, trained: Any) -> bytes:
    """The plain converter's file, as its manual says: float32 in, no ZipMap. Raises what the converter raises."""
    module = type(model).__module__.partition(".")[0]
    if module in ("lightgbm", "xgboost"):
        made = _boosted(module, model, np.asarray(trained).shape[1])
    elif module == "catboost":
        return _catboost(model)
    else:
        made = _estimator(model, trained)
    data: bytes = made.SerializeToString()
    return data


def _boosted(module: str, model: Any, width: int) -> Any:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    convert = onnxmltools.convert_lightgbm if module == "lightgbm" else onnxmltools.convert_xgboost
    taken = [("input", FloatTensorType([None, width]))]
    more = {"zipmap": False} if module == "lightgbm" else {}
    return convert(model, initial_types=taken, target_opset=15, **more)


def _estimator(model: Any, trained: Any) -> Any:
    from skl2onnx import to_onnx
    from sklearn.base import is_classifier

    options = {id(model): {"zipmap": False}} if is_classifier(model) else None
    sample = trained[:1]
    if isinstance(sample, pd.DataFrame):
        numeric = [name for name, kind in sample.dtypes.items() if getattr(kind, "kind", "O") == "f"]
        sample = sample.astype(dict.fromkeys(numeric, np.float32))
    else:
        sample = np.asarray(sample, dtype=np.float32)
    try:
        return to_onnx(model, sample, options=options)
    except NameError:  # an estimator that has no such option
        return to_onnx(model, sample)


def _catboost(model: Any) -> bytes:
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
    held = session.get_outputs()
    found = dict(zip([o.name for o in held], session.run(None, _feeds(session, table)), strict=True))
    numbers = [o.name for o in held if o.type not in ("tensor(string)", "tensor(int64)", "tensor(bool)")]
    labels = [o.name for o in held if o.name not in numbers]
    chosen = next((name for name in numbers if "prob" in name), numbers[0] if numbers else None)
    return {
        "numbers": None if chosen is None else _matrix(found[chosen], len(table)),
        "labels": np.asarray(found[labels[0]]).reshape(-1) if labels else None,
    }


def _matrix(given: Any, rows: int) -> Any:
    if isinstance(given, list):
        given = [list(answer.values()) for answer in given]
    return np.asarray(given, dtype=float).reshape(rows, -1)


def _feeds(session: Any, table: Any) -> dict[str, Any]:
    inputs = session.get_inputs()
    columns = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    if len(inputs) == 1 and inputs[0].type == "tensor(float)":
        return {inputs[0].name: columns.to_numpy(dtype=float).astype(np.float32)}
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(double)": np.float64}
    return {
        held.name: columns.iloc[:, i].to_numpy().astype(kinds.get(held.type, object)).reshape(-1, 1)
        for i, held in enumerate(inputs)
    }
