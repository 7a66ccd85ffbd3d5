"""What LightGBM's text and XGBoost's JSON say of the model in them, read without either library."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain
from infer_bench.engines.lightgbm import describe_model
from infer_bench.engines.session import require_readable
from infer_bench.engines.xgboost import booster as boosters
from infer_bench.errors import EngineError
from infer_bench.formats.lightgbm.text import LightGBMModel, read_lightgbm_text
from infer_bench.formats.lightgbm.trees import MISSING_NAN, MISSING_ZERO
from infer_bench.formats.xgboost.early_stopping import early_stopping, saved_by_wrapper
from infer_bench.formats.xgboost.json import XGBoostModel, read_xgboost_model
from infer_bench.model import ModelRef, ModelSpec

FORMATS = frozenset({"lightgbm-text", "xgboost-json", "xgboost-ubj"})


@dataclass(frozen=True, slots=True, eq=False)
class TreeFile:
    """A file's model: what it computes, its columns that are fed as codes, the `dtype` in which its library compares.

    One of `lightgbm` and `xgboost` is what the file says, the other None.
    """

    spec: ModelSpec
    encoded: tuple[str, ...]
    dtype: Any
    lightgbm: LightGBMModel | None = None
    xgboost: XGBoostModel | None = None

    @property
    def objective(self) -> str:
        """What was minimised, in the library's own words; empty for a function of the user's."""
        if self.lightgbm is not None:
            return self.lightgbm.header.objective
        return self.xgboost.outline.objective if self.xgboost is not None else ""

    @property
    def coded_places(self) -> list[int]:
        """The columns that hold codes of the user's own, of which LightGBM leaves out the fraction."""
        features = enumerate(self.spec.features) if self.lightgbm is not None else ()
        return [i for i, feature in features if feature.kind == "category" and feature.name not in self.encoded]

    @property
    def has_categories(self) -> bool:
        """Whether some column is split on sets of categories."""
        return any(feature.kind == "category" for feature in self.spec.features)

    def domain(self) -> Domain:
        """The thresholds and category codes of the trees."""
        columns = self.spec.feature_names
        if self.lightgbm is not None:
            trees = self.lightgbm.trees
            missing = np.unique(trees.split_feature[trees.decision_type & (MISSING_ZERO | MISSING_NAN) != 0])
            thresholds = {columns[i]: values for i, values in trees.thresholds().items()}
            return Domain(thresholds, frozenset(columns[i] for i in missing.tolist()))
        table = None if self.xgboost is None else self.xgboost.trees
        thresholds = {} if table is None else {columns[i]: values for i, values in table.thresholds().items()}
        return Domain(thresholds, frozenset(thresholds))


def read_tree_file(model: ModelRef) -> TreeFile:
    """What the file says. Raises `ModelError` for a broken one."""
    require_readable(model.path)
    data = Path(model.path).read_bytes()
    return _of_lightgbm(data, model) if model.format == "lightgbm-text" else _of_xgboost(data, model)


def _of_lightgbm(data: bytes, model: ModelRef) -> TreeFile:
    content = read_lightgbm_text(data, model.name)
    header = content.header
    spec = describe_model(header, len(content.trees.leaves))
    encoded = tuple(header.features[i] for i in header.pandas_columns())
    return TreeFile(spec, encoded, np.float64, lightgbm=content)


def _of_xgboost(data: bytes, model: ModelRef) -> TreeFile:
    content = read_xgboost_model(data, model.name)
    spec = boosters.spec(content.outline, content.features, None)
    encoded = tuple(feature.name for feature in content.features if feature.categories)
    return TreeFile(spec, encoded, np.float32, xgboost=content)


def refuse_foreign(file: TreeFile, model: ModelRef) -> None:
    """Raise `EngineError` for what no library but the file's own computes as that does."""
    if file.lightgbm is not None:
        _refuse_lightgbm(file.lightgbm, model)
    if file.xgboost is not None:
        _refuse_xgboost(file.xgboost, model)


def _refuse_lightgbm(content: LightGBMModel, model: ModelRef) -> None:
    if content.unknown:
        raise EngineError(f"{model.name} holds {content.unknown[0]}, which is not known here")
    if content.trees.linear is not None:
        raise EngineError(f"{model.name} has linear leaves, which only LightGBM computes")
    if (content.trees.decision_type & MISSING_ZERO).any():
        raise EngineError(f"{model.name} takes zeros for missing (zero_as_missing), which only LightGBM does")


def _refuse_xgboost(content: XGBoostModel, model: ModelRef) -> None:
    if content.unknown:
        raise EngineError(f"{model.name} holds {content.unknown[0]}, which is not known here")
    if content.trees is None or not content.outline.trees:
        raise EngineError(f"{model.name} has no trees")
    if content.illegible:
        raise EngineError(f"the categories of {content.illegible[0]!r} are stored cut short")
    per_iteration = max(1, content.outline.outputs)
    stopping = early_stopping(content.attributes, content.outline.trees // per_iteration)
    if stopping is not None and saved_by_wrapper(content.attributes):
        raise EngineError(f"{stopping.describe(best=True)}, and this engine uses all", "save the iterations used alone")
