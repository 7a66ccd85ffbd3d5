"""Whether a model file holds together, checked before a native parser sees it."""

from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.identify.lightgbm_text import check_lightgbm
from infer_bench.identify.protobuf import check_onnx
from infer_bench.identify.xgboost_model import check_xgboost
from infer_bench.model import ModelRef


def check_structure(ref: ModelRef) -> None:
    """Check counts, lengths and index ranges of a LightGBM text, an XGBoost JSON or UBJSON, or an ONNX file.

    Files of other formats pass. Raises `ModelError` saying what is wrong.
    """
    file = Path(ref.path)
    try:
        if ref.format == "lightgbm-text":
            check_lightgbm(file)
        elif ref.format in ("xgboost-json", "xgboost-ubj"):
            check_xgboost(file, ref.format)
        elif ref.format == "onnx":
            check_onnx(file)
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None
