"""Make every file of this folder again: `make samples`, or `python sample_models/make.py [FOLDER]`.

Seeded throughout: the same library versions give the same models. Each rows file holds rows that the model never saw
in training, with the answer in the extra column `target`.
"""

import argparse
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import onnx
import pandas as pd
import xgboost
from credit_data import credit_table
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
SEED = 20_260
QUIET = {"num_threads": 1, "seed": SEED, "deterministic": True, "force_col_wise": True, "verbosity": -1}
Split = tuple[pd.DataFrame, pd.DataFrame]


def make_credit(folder: Path) -> None:
    """`credit.txt` (LightGBM) and `credit_xgboost.json` on the same 12,000 rows; `credit.parquet` has 1,024 others."""
    train, rows = _credit_rows()
    features, target = train.drop(columns="target"), train["target"]
    settings = {**QUIET, "objective": "binary", "learning_rate": 0.03, "num_leaves": 31, "min_data_in_leaf": 40}
    sampling = {"feature_fraction": 0.3, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0}
    booster = lightgbm.train({**settings, **sampling}, lightgbm.Dataset(features, target), num_boost_round=300)
    booster.save_model(folder / "credit.txt")
    _make_credit_xgboost(features, target).save_model(folder / "credit_xgboost.json")
    _write(rows, folder / "credit.parquet")


def _make_credit_xgboost(features: pd.DataFrame, target: pd.Series) -> xgboost.Booster:
    settings = {
        "objective": "binary:logistic",
        "eta": 0.05,
        "max_depth": 5,
        "min_child_weight": 5,
        "lambda": 5.0,
        "subsample": 0.8,
        "colsample_bytree": 0.3,
        "tree_method": "hist",
        "nthread": 1,
        "seed": SEED,
    }
    return xgboost.train(settings, xgboost.DMatrix(features, target), num_boost_round=150)


def _credit_rows() -> Split:
    table = credit_table(13_024, SEED)
    return table.iloc[1024:], table.iloc[:1024]


def make_house(folder: Path) -> None:
    """`house_forest.joblib`: a random forest of 60 trees behind a StandardScaler, on 4,000 synthetic sales."""
    table = _house_table(5_024)
    train, rows = table.iloc[1024:], table.iloc[:1024]
    forest = RandomForestRegressor(60, min_samples_leaf=8, max_features=3, random_state=SEED, n_jobs=1)
    pipeline = Pipeline([("scale", StandardScaler()), ("forest", forest)])
    pipeline.fit(train.drop(columns="target"), train["target"])
    joblib.dump(pipeline, folder / "house_forest.joblib", compress=("zlib", 9))
    _write(rows, folder / "house.parquet")


def _house_table(rows: int) -> pd.DataFrame:
    """Five columns and a price that grows with the area and falls with age and distance."""
    draw = np.random.default_rng(SEED)
    area = np.round(np.exp(draw.normal(4.5, 0.4, rows)), 1)
    features = {
        "area_m2": area,
        "rooms": np.clip(np.round(area / 24 + draw.normal(0, 0.7, rows)), 1, 12).astype(np.int64),
        "age_years": np.floor(draw.gamma(1.6, 22, rows)),
        "distance_km": np.round(draw.gamma(2.0, 5.0, rows), 2),
        "energy_kwh_m2": np.round(draw.normal(150, 45, rows).clip(15)).astype(np.float32),
    }
    table = pd.DataFrame(features)
    value = 4_200 * np.exp(-table["distance_km"] / 25 - table["age_years"] / 180 - table["energy_kwh_m2"] / 900)
    table["target"] = np.round(area * value * np.exp(draw.normal(0, 0.12, rows)), -2)
    return table


def make_digits(folder: Path) -> None:
    """`digits.txt`: LightGBM with 10 classes on scikit-learn's handwritten digits (real data, 8 × 8 pixels)."""
    pixels, target = load_digits(return_X_y=True)
    table = pd.DataFrame(pixels.astype(np.float32), columns=[f"pixel_{i // 8}_{i % 8}" for i in range(64)])
    train, rows = _split(table.assign(target=target), 512)
    settings = {**QUIET, "objective": "multiclass", "num_class": 10, "num_leaves": 10, "learning_rate": 0.15}
    data = lightgbm.Dataset(train.drop(columns="target"), train["target"])
    lightgbm.train({**settings, "min_data_in_leaf": 8}, data, num_boost_round=40).save_model(folder / "digits.txt")
    _write(rows, folder / "digits.parquet")


def make_tumour(folder: Path) -> None:
    """`tumour_zipmap.onnx`: string labels and ZipMap, one named input a column, as skl2onnx writes it by default."""
    bunch = load_breast_cancer(as_frame=True)
    table = bunch.data.rename(columns=lambda name: name.replace(" ", "_"))
    train, rows = _split(table.assign(target=bunch.target_names[bunch.target]), 284)
    features = train.drop(columns="target")
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000))
    pipeline.fit(features.to_numpy(np.float32), train["target"].to_numpy(str))
    inputs = [(name, FloatTensorType([None, 1])) for name in features.columns]
    onnx.save(convert_sklearn(pipeline, "tumour", inputs, target_opset=17), folder / "tumour_zipmap.onnx")
    _write(rows, folder / "tumour.parquet")


def _split(table: pd.DataFrame, held_out: int) -> Split:
    train, rows = train_test_split(table, test_size=held_out, random_state=SEED, stratify=table["target"])
    return train, rows


def _write(rows: pd.DataFrame, path: Path) -> None:
    rows.to_parquet(path, index=False, compression="zstd")


def main() -> None:
    """Write all files into FOLDER, by default beside this script."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for make in (make_credit, make_house, make_digits, make_tumour):
        make(folder)


if __name__ == "__main__":
    main()
