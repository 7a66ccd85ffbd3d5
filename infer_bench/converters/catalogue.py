"""The routes of models to ONNX, as data and as text: what is written exactly, and what is refused and why."""

import textwrap
from dataclasses import dataclass

from infer_bench.converters.sklearn.refusals import REFUSALS
from infer_bench.converters.sklearn.registry import PREDICTORS, TRANSFORMERS
from infer_bench.trees.readers.sklearn.ensembles import AVERAGED, BOOSTED, HISTOGRAM

_WIDTH, _NARROWEST = 120, 40
VECTORIZERS = "vectorizers of text with a Python function, files, dtype float32, or groups in the token_pattern"


@dataclass(frozen=True, slots=True)
class RouteInfo:
    """One line of the list of routes. `exactness` is "exact", or "refused" with the reason and what to do instead."""

    family: str
    estimators: tuple[str, ...]
    exactness: str
    note: str


def list_sklearn_routes() -> tuple[RouteInfo, ...]:
    """Every scikit-learn class that is written, and those whose refusal has a reason worth telling."""
    from infer_bench.converters.sklearn.convert import load_writers

    load_writers()
    trees = AVERAGED + BOOSTED + HISTOGRAM
    rest = sorted(set(PREDICTORS) - set(trees))
    return (
        RouteInfo("sklearn", tuple(sorted(trees)), "exact", "through the exact tree writer"),
        RouteInfo("sklearn", tuple(rest), "exact", "written in double; NaN where scikit-learn raises"),
        RouteInfo("sklearn", tuple(sorted(TRANSFORMERS)), "exact", "steps of a pipeline, written in double"),
        RouteInfo("sklearn", (VECTORIZERS,), "refused", "use its own analyzers, and token patterns of classes alone"),
        *(RouteInfo("sklearn", (name,), "refused", f"{why}: {do}") for name, (why, do) in sorted(REFUSALS.items())),
    )


BOOSTERS: tuple[RouteInfo, ...] = (
    RouteInfo(
        "lightgbm",
        ("all objectives, boosting modes, missing settings and categories", "linear trees"),
        "exact",
        "through the exact tree writer; an objective of one's own gives raw scores",
    ),
    RouteInfo("lightgbm", ("a classifier of one class",), "refused", "train it on two classes or more"),
    RouteInfo(
        "xgboost",
        ("gbtree, dart, gblinear", "all objectives and missing settings", "several targets, vector leaves, categories"),
        "exact",
        "through the exact tree writer; added up in float32, as XGBoost does",
    ),
    RouteInfo("xgboost", ("category names that are not ASCII",), "refused", "XGBoost stores them cut short: use codes"),
)
OTHERS: tuple[RouteInfo, ...] = (
    RouteInfo("catboost", ("numeric features, all grow policies",), "exact", "through the exact tree writer"),
    RouteInfo("catboost", ("categorical, text, embedding features",), "refused", "encode them as numbers first"),
    RouteInfo("catboost", ("RMSEWithUncertainty", "MultiLogloss"), "refused", "serve them with CatBoost"),
    RouteInfo("torch", ("exported programs (.pt2) of any signature",), "exact", "torch.onnx; free axes stay free"),
    RouteInfo("torch", ("TorchScript modules",), "exact", "an older exporter; needs --data"),
    RouteInfo("torch", ("pickled modules, state dicts",), "refused", "save torch.export.export(...) instead"),
)


def format_routes(width: int | None = None) -> str:
    """The routes as text, for `convert --list`, in lines of at most `width` columns."""
    columns = max(_NARROWEST, min(width or _WIDTH, _WIDTH))
    return "\n".join(_format(route, columns) for route in (*BOOSTERS, *list_sklearn_routes(), *OTHERS)) + "\n"


def _format(route: RouteInfo, columns: int) -> str:
    start = f"{route.family:10}{route.exactness:9}"
    text = f"{', '.join(route.estimators)}: {route.note}"
    return textwrap.fill(text, columns, initial_indent=start, subsequent_indent=" " * len(start))
