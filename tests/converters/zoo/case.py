"""What a model of the zoo is, and the rows that all of them are trained on."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Train = Callable[[], tuple[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A model to convert: `train` gives it with the rows it was trained on (an array or a DataFrame).

    `save` is the file format; `is_refused` says that it cannot be converted, so that a refusal is right.
    """

    name: str
    train: Train
    save: str = "joblib"
    is_refused: bool = False


def write(model: Any, save: str, folder: Path) -> Path:
    """The model in a file of the format `save`."""
    path = folder / f"model.{save.partition('-')[0]}"
    if save in ("txt", "json", "ubj", "cbm"):
        model = getattr(model, "booster_", model) if save == "txt" else model
        model.save_model(str(path))
    elif save == "pkl":
        path.write_bytes(pickle.dumps(model))
    elif save == "skops":
        import skops.io

        skops.io.dump(model, path)
    else:
        import joblib

        joblib.dump(model, path, compress=3 if save == "joblib-compressed" else 0)
    return path


def reload(model: Any, save: str, path: Path) -> Any:
    """What the library makes of the file: of a native one a booster, whatever was saved."""
    if save == "txt":
        import lightgbm

        return lightgbm.Booster(model_file=str(path))
    if save in ("json", "ubj"):
        import xgboost

        return xgboost.Booster(model_file=str(path))
    return model


ROWS = 260
NAMES = ["age", "income", "stamp", "ratio", "flag"]


def numbers(*, missing: bool = True, seed: int = 0) -> Any:
    """Columns of very different sizes: small integers, heavy tails, seconds since 1970, near zero, mostly 0."""
    random = np.random.default_rng(seed)
    table = np.column_stack(
        [
            random.integers(18, 80, ROWS).astype(float),
            np.exp(random.normal(8, 2, ROWS)),
            1.7e9 + random.random(ROWS) * 1e6,
            random.normal(size=ROWS) * 1e-3,
            (random.random(ROWS) < 0.2) * random.integers(1, 4, ROWS),
        ]
    )
    if missing:
        table[random.random(table.shape) < 0.08] = np.nan
    return table


def score(rows: Any) -> Any:
    """What the targets are made of: a wavy function of the columns plus noise."""
    clean = np.nan_to_num(np.asarray(rows, dtype=float))
    sized = (clean - clean.mean(axis=0)) / np.maximum(clean.std(axis=0), 1e-12)
    noise = np.random.default_rng(9).normal(size=len(clean)) * 0.3
    return np.sin(sized[:, 0] * 2) + sized[:, 3] * 0.8 + (sized[:, 1] > 0) - sized[:, 4] * 0.5 + noise


def two(rows: Any) -> Any:
    """A binary target, int64."""
    return (score(rows) > 0.3).astype(int)


def three(rows: Any) -> Any:
    """A target of three classes, int64."""
    return np.digitize(score(rows), [-0.3, 0.8])


def frame(*, missing: bool = True) -> Any:
    """The numbers as a DataFrame."""
    return pd.DataFrame(numbers(missing=missing), columns=NAMES)


def categories() -> Any:
    """Numbers and unordered categories of strings, integers and booleans, some missing."""
    random = np.random.default_rng(3)
    table = frame()[["age", "ratio"]].copy()
    table["city"] = pd.Categorical(random.choice(["Rome", "Sao Paulo", "a, b", "x=1"], ROWS))
    table["kind"] = pd.Categorical(random.choice([3, 7, 11, 100], ROWS))
    table["open"] = pd.Categorical(random.choice([True, False], ROWS))
    table.loc[::17, "city"] = None
    table.loc[::19, "kind"] = None
    return table


def text() -> Any:
    """A table as pipelines get it: numbers with gaps, strings, no pandas categories."""
    random = np.random.default_rng(4)
    table = frame()[["age", "income", "ratio"]].copy()
    table["city"] = random.choice(["Rome", "São Paulo", "a, b", "x=1"], ROWS).astype(object)
    table["size"] = random.choice(["S", "M", "L"], ROWS).astype(object)
    return table


def list_cases(cases: Iterator[Case]) -> list[Case]:
    """The cases as a list, their names checked to be different."""
    all_cases = list(cases)
    assert len({case.name for case in all_cases}) == len(all_cases), "two cases of one name"
    return all_cases
