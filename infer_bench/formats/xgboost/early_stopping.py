"""What early stopping wrote into an XGBoost model, and who reads it how.

`Booster.predict` uses all iterations. XGBoost's scikit-learn wrappers use those up to the best one, and mark the files
that they save, so that a file says whose predictions are meant.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from infer_bench.errors import ModelError

Kind = Literal["classifier", "regressor", "ranker"]
KINDS: tuple[Kind, ...] = get_args(Kind)

BEST, WRAPPER = "best_iteration", "scikit_learn"
"""Attributes of a model: the best iteration (from 0), and what a wrapper's `save_model` leaves."""


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Early stopping that left iterations beyond the `best` one (from 0) of `iterations`."""

    best: int
    iterations: int

    @property
    def used(self) -> int:
        """How many iterations there are up to the best."""
        return self.best + 1

    def describe(self, *, best: bool) -> str:
        """In words, which iterations are used: those up to the best, or all."""
        found = f"early stopping found iteration {self.best:,} best"
        if best:
            return (
                f"{found}: {self.used:,} of {self.iterations:,} iterations are used, as its scikit-learn wrapper does"
            )
        return f"{found}: all {self.iterations:,} iterations are used, as Booster.predict does"


def early_stopping(attributes: Mapping[str, str], iterations: int) -> EarlyStopping | None:
    """None where all iterations are used in any case. Raises `ModelError` for a best iteration that is no number."""
    best = attributes.get(BEST)
    if best is None:
        return None
    if not str(best).isdecimal():
        raise ModelError(f"the XGBoost model's best_iteration {str(best)[:20]!r} is no number", "save it again")
    return EarlyStopping(int(best), iterations) if int(best) + 1 < iterations else None


def saved_by_wrapper(attributes: Mapping[str, str]) -> bool:
    """Whether a scikit-learn wrapper saved the model, which predicts with the iterations up to the best."""
    return WRAPPER in attributes


def wrapper_kind(attributes: Mapping[str, str]) -> Kind | None:
    """Which wrapper saved the model; None where none did, or where it does not say."""
    try:
        kind = json.loads(attributes[WRAPPER])["_estimator_type"]
    except (KeyError, TypeError, ValueError):
        return None
    return kind if kind in KINDS else None
