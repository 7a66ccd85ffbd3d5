"""CatBoost, where it is installed: what its own export gets right and wrong."""

import importlib.util
from collections.abc import Iterator
from typing import Any

from tests.converters.zoo.case import Case, numbers, score, three, two


def cases() -> Iterator[Case]:
    """All of them; none without the library."""
    if importlib.util.find_spec("catboost") is None:
        return
    for loss in ("Logloss", "CrossEntropy"):
        yield Case(f"cat {loss}", lambda loss=loss: _defer_fit("CatBoostClassifier", two, loss), "cbm")  # type: ignore[misc]
    for loss in ("MultiClass", "MultiClassOneVsAll"):
        yield Case(f"cat {loss}", lambda loss=loss: _defer_fit("CatBoostClassifier", three, loss), "cbm")  # type: ignore[misc]
    for loss in ("RMSE", "MAE", "Quantile", "Poisson", "Tweedie:variance_power=1.5"):
        yield Case(f"cat {loss}", lambda loss=loss: _defer_fit("CatBoostRegressor", _positive, loss), "cbm")  # type: ignore[misc]


def _positive(rows: Any) -> Any:
    values = score(rows)
    return values - values.min()


def _defer_fit(kind: str, target: Any, loss: str) -> Any:
    import catboost

    rows = numbers()
    settings = {"iterations": 6, "depth": 3, "loss_function": loss, "verbose": False, "allow_writing_files": False}
    return getattr(catboost, kind)(**settings).fit(rows, target(rows)), rows
