"""Whether a model file holds together, checked before a native parser sees it."""

from pathlib import Path

from infer_bench.errors import ModelError
from infer_bench.formats.lightgbm.text import check_lightgbm
from infer_bench.formats.onnx_graph import check_onnx
from infer_bench.formats.xgboost.json import check_xgboost
from infer_bench.model import ModelRef


def check_structure(ref: ModelRef) -> None:
    """Check counts, lengths and index ranges of a LightGBM text, an XGBoost JSON or UBJSON, or an ONNX file, and
    the length of a CatBoost file.

    Files of other formats pass. Raises `ModelError` saying what is wrong.
    """
    file = Path(ref.path)
    try:
        if ref.format == "lightgbm-text":
            check_lightgbm(file)
        elif ref.format in ("xgboost-json", "xgboost-ubj"):
            check_xgboost(file)
        elif ref.format == "onnx":
            check_onnx(file)
        elif ref.format == "catboost-cbm":
            _check_catboost(file)
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None


def _check_catboost(file: Path) -> None:
    """The header is `CBM1` and the length of the core that follows, four bytes, little-endian."""
    with file.open("rb") as stream:
        head = stream.read(8)
    announced, present = int.from_bytes(head[4:8], "little"), file.stat().st_size - 8
    if present < announced:
        raise ModelError(
            f"{file.name} is truncated: it promises {announced:,} bytes and holds {max(present, 0):,}", "copy it again"
        )
