"""LightGBM: objectives, boosting modes, missing values, categories, label types, names and file formats."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.converters.zoo.case import NAMES, ROWS, Case, categories, frame, numbers, score, three, two
from tests.converters.zoo.shared import (
    accented,
    as_labels,
    many_categories,
    mixed_score,
    one_category,
    positive,
    score_of,
    share,
    shops,
    strange_names,
    two_of,
    whole,
    wrapper,
)

QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "num_leaves": 7, "min_data_in_bin": 1, "seed": 2}
FOREST = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}
WRAPPER = {"n_estimators": 8, "num_leaves": 7, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
train_wrapper = wrapper("lightgbm", WRAPPER)


def booster(
    settings: dict[str, Any],
    target: Callable[[Any], Any],
    *,
    rows: Callable[[], Any] = numbers,
    rounds: int = 9,
    **data: Any,
) -> Callable[[], Any]:
    """Trains a booster."""

    def train() -> Any:
        import lightgbm

        table = rows()
        dataset = lightgbm.Dataset(table, target(table), **data)
        return lightgbm.train({**QUIET, **settings}, dataset, rounds), table

    return train


def grades(rows: Any) -> Any:
    """Relevance grades of ranking."""
    return three(rows)


def own_loss(scores: Any, data: Any) -> Any:
    """A squared error of one's own, with its hessian."""
    return scores - data.get_label(), np.ones_like(scores)


def stop_early() -> Any:
    """A booster with trees beyond its best iteration."""
    import lightgbm

    rows = numbers()
    random = np.random.default_rng(0)
    dataset = lightgbm.Dataset(rows[:150], random.integers(0, 2, 150))
    check = lightgbm.Dataset(rows[150:], random.integers(0, 2, 110), reference=dataset)
    quiet = {**QUIET, "objective": "binary", "metric": "binary_logloss", "learning_rate": 0.4}
    model = lightgbm.train(
        quiet, dataset, 40, valid_sets=[check], callbacks=[lightgbm.early_stopping(5, verbose=False)]
    )
    return model, rows


def stop_wrapper_early() -> Any:
    """A classifier stopped early."""
    import lightgbm

    rows = numbers()
    labels = np.random.default_rng(0).choice(["no", "yes", "maybe"], ROWS)
    model = lightgbm.LGBMClassifier(**{**WRAPPER, "n_estimators": 40, "learning_rate": 0.4})
    stop = [lightgbm.early_stopping(3, verbose=False)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `eval_set`, which alone takes labels of text: `eval_y` must be numbers
        return model.fit(rows[:150], labels[:150], eval_set=[(rows[150:], labels[150:])], callbacks=stop), rows


def change_booster(how: str) -> Callable[[], Any]:
    """A booster that was refitted, trained on, cut out of the middle of another, or shuffled."""

    def train() -> Any:
        import lightgbm

        model, rows = booster({"objective": "multiclass", "num_class": 3}, three, rounds=9)()
        if how == "refitted":
            return model.refit(rows, (three(rows) + 1) % 3, decay_rate=0.5), rows
        if how == "continued":
            dataset = lightgbm.Dataset(rows, three(rows))
            return lightgbm.train(
                {**QUIET, "objective": "multiclass", "num_class": 3}, dataset, 4, init_model=model
            ), rows
        if how == "middle":
            return lightgbm.Booster(model_str=model.model_to_string(num_iteration=4, start_iteration=3)), rows
        return model.shuffle_models(), rows

    return train


def single_leaf() -> Any:
    """A constant target: LightGBM grows no splits."""
    return booster({"objective": "regression"}, lambda rows: np.full(ROWS, 3.5))()


def one_column() -> Any:
    """A single feature."""
    return numbers()[:, :1]


def large_categories(*numbers: int) -> Callable[[], Any]:
    """Categories that are large whole numbers."""

    def rows() -> Any:
        table = categories()[["age", "kind"]]
        return table.assign(kind=table["kind"].cat.rename_categories(list(numbers)))

    return rows


def codes() -> Any:
    """Integer codes for `categorical_feature`, some missing."""
    table = numbers()
    table[:, 4] = np.random.default_rng(2).integers(0, 40, ROWS)
    table[::23, 4] = np.nan
    return table


def objectives() -> Iterator[Case]:
    """Each objective."""
    plain = ["regression", "regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie"]
    for name in plain:
        yield Case(f"lgb {name}", booster({"objective": name}, positive), "txt")
    for name in ("cross_entropy", "cross_entropy_lambda"):
        yield Case(f"lgb {name}", booster({"objective": name}, share), "txt")
    yield Case("lgb reg_sqrt", booster({"objective": "regression", "reg_sqrt": True}, score), "txt")
    yield Case("lgb binary", booster({"objective": "binary"}, two), "txt")
    yield Case("lgb sigmoid 2.5", booster({"objective": "binary", "sigmoid": 2.5}, two), "txt")
    yield Case("lgb unbalanced", booster({"objective": "binary", "is_unbalance": True}, two), "txt")
    yield Case("lgb multiclass", booster({"objective": "multiclass", "num_class": 3}, three), "txt")
    yield Case("lgb ova", booster({"objective": "multiclassova", "num_class": 3, "sigmoid": 0.7}, three), "txt")
    for name in ("lambdarank", "rank_xendcg"):
        yield Case(f"lgb {name}", booster({"objective": name}, grades, group=[20] * (ROWS // 20)), "txt")
    yield Case("lgb custom", booster({"objective": own_loss}, score), "txt")
    yield Case("lgb custom 3 outputs", booster({"objective": own_loss_three, "num_class": 3}, three), "txt")


def own_loss_three(scores: Any, data: Any) -> Any:
    """A squared error towards one-hot targets."""
    one_hot = np.eye(3)[data.get_label().astype(int)]
    return scores - one_hot, np.ones_like(scores)


def modes() -> Iterator[Case]:
    """Each boosting mode and the settings that change how trees look."""
    for name in ("binary", "regression"):
        yield Case(f"lgb rf {name}", booster({"objective": name, **FOREST}, two), "txt")
    for name in ("multiclass", "multiclassova"):
        yield Case(f"lgb rf {name}", booster({"objective": name, "num_class": 3, **FOREST}, three), "txt")
    yield Case("lgb rf cross_entropy", booster({"objective": "cross_entropy", **FOREST}, share), "txt")
    yield Case("lgb dart", booster({"objective": "binary", "boosting": "dart"}, two), "txt")
    yield Case("lgb goss", booster({"objective": "binary", "data_sample_strategy": "goss"}, two), "txt")
    yield Case("lgb linear", booster({"objective": "regression", "linear_tree": True}, score), "txt")
    yield Case("lgb linear dart", booster({"objective": "binary", "linear_tree": True, "boosting": "dart"}, two), "txt")
    yield Case("lgb zero_as_missing", booster({"objective": "binary", "zero_as_missing": True}, two), "txt")
    yield Case("lgb no missing", booster({"objective": "binary", "use_missing": False}, two), "txt")
    yield Case("lgb no NaN seen", booster({"objective": "binary"}, two, rows=lambda: numbers(missing=False)), "txt")
    yield Case("lgb 3 bins", booster({"objective": "binary", "max_bin": 3}, two), "txt")
    monotone = {"objective": "regression", "monotone_constraints": [1, 0, 0, -1, 0]}
    yield Case("lgb monotone", booster(monotone, score), "txt")
    yield Case("lgb extra trees", booster({"objective": "regression", "extra_trees": True}, score), "txt")
    yield Case("lgb one tree", booster({"objective": "binary"}, two, rounds=1), "txt")
    yield Case("lgb stump", booster({"objective": "binary", "num_leaves": 2}, two, rounds=1), "txt")
    yield Case("lgb single leaf", single_leaf, "txt")
    yield Case("lgb single leaf binary", booster({"objective": "binary", "min_gain_to_split": 1e9}, two), "txt")
    yield Case("lgb one feature", booster({"objective": "regression"}, lambda r: r[:, 0] % 7, rows=one_column), "txt")
    yield Case("lgb deep", booster({"objective": "regression", "num_leaves": 60, "min_data_in_leaf": 1}, score), "txt")
    yield Case("lgb huge values", booster({"objective": "regression"}, lambda r: score(r) * 1e9), "txt")
    init = booster({"objective": "regression"}, score, init_score=np.linspace(0, 5, ROWS))
    yield Case("lgb init_score", init, "txt")
    for how in ("refitted", "continued", "middle", "shuffled"):
        yield Case(f"lgb {how}", change_booster(how), "txt")
    classes = {"objective": "multiclass", "num_class": 3, "linear_tree": True}
    yield Case("lgb linear classes", booster(classes, three), "txt")
    yield Case("lgb early stopping text", stop_early, "txt")
    yield Case("lgb early stopping pickle", stop_early, "pkl")
    yield Case("lgb early stopping wrapper", stop_wrapper_early, "joblib")


def columns() -> Iterator[Case]:
    """Categories, names and dtypes of columns."""
    yield Case("lgb categories", booster({"objective": "binary"}, two_of, rows=categories), "txt")
    yield Case("lgb categories wrapper", train_wrapper("LGBMClassifier", three_of, rows=categories), "joblib")
    onehot = {"objective": "regression", "max_cat_to_onehot": 100}
    yield Case("lgb categories one-hot", booster(onehot, score_of, rows=categories), "txt")
    only = {"objective": "binary", "min_data_per_group": 2, "cat_smooth": 1}
    for kind in ("city", "kind", "open"):
        rows = one_category(kind)
        yield Case(f"lgb category {kind}", booster(only, two_of, rows=rows), "txt")
    large = large_categories(2**40, 2**40 + 1, 7, -5)
    yield Case("lgb large categories", booster(only, two_of, rows=large), "txt")
    larger = large_categories(2**53, 2**53 + 1, 7, -5)
    yield Case("lgb categories beyond double", booster(only, two_of, rows=larger), "txt", True)
    yield Case("lgb accents", booster(only, two_of, rows=accented), "txt")
    yield Case(
        "lgb 500 categories",
        booster(only, lambda r: (r["age"] > 30).astype(int) ^ shops(r), rows=many_categories),
        "txt",
    )
    coded = {"objective": "binary", "min_data_per_group": 3, "cat_smooth": 1}
    yield Case("lgb codes", booster(coded, parity, rows=codes, categorical_feature=[4]), "txt")
    yield Case(
        "lgb codes one-hot",
        booster({**coded, "max_cat_to_onehot": 99}, parity, rows=codes, categorical_feature=[4, 0]),
        "txt",
    )
    yield Case(
        "lgb codes no missing",
        booster({**coded, "use_missing": False}, parity, rows=codes, categorical_feature=[4]),
        "txt",
    )
    spaced = ["two words", "größe", "日本", "dash-ed", "dot.ted"]
    yield Case("lgb spaces and unicode", booster({"objective": "binary"}, two, rows=strange_names(spaced)), "txt")
    turned = ["f11", "f3", "f2", "f1", "f0"]
    yield Case("lgb f11…f0", booster({"objective": "binary"}, two, rows=strange_names(turned)), "txt")
    yield Case("lgb named columns", booster({"objective": "binary"}, two, rows=frame), "txt")
    yield Case("lgb integer columns", booster({"objective": "binary"}, two, rows=whole), "txt")
    yield Case("lgb tied zeros", booster({"objective": "regression"}, score, rows=tiny), "txt")


def tiny() -> Any:
    """Values around LightGBM's zero."""
    random = np.random.default_rng(6)
    table = numbers()
    table[:, 3] = random.choice([0.0, 1e-35, -1e-35, 2e-35, -2e-35, 1e-20, -1e-20, 1.0], ROWS)
    table[:, 4] = random.choice([-1.0, 0.0, 1e-38, 1.0, np.nan], ROWS)
    return table


def parity(rows: Any) -> Any:
    """Whether the code is odd, with the numbers' own target."""
    return (np.nan_to_num(rows[:, 4]).astype(int) % 2) ^ (rows[:, 0] > 50)


def three_of(rows: Any) -> Any:
    """Three classes of it."""
    return np.array(["a", "b", "c"])[np.digitize(mixed_score(rows), [0.5, 1.5])]


def wrappers() -> Iterator[Case]:
    """Wrappers by label type and file format."""
    labels: dict[str, tuple[Any, ...]] = {
        "int": (3, 7),
        "negative int": (-1, 1),
        "bool": (False, True),
        "str": ("no", "yes"),
        "float": (1.0, 2.0),
        "three str": ("low", "mid", "höher"),
        "three int": (10, 20, 40),
        "three float": (1.0, 2.0, 3.0),
    }
    for i, (name, values) in enumerate(labels.items()):
        save = ("joblib", "pkl", "joblib-compressed")[i % 3]
        yield Case(f"lgb labels {name}", train_wrapper("LGBMClassifier", as_labels(*values)), save)
    yield Case("lgb regressor frame", train_wrapper("LGBMRegressor", score, rows=frame), "pkl")
    yield Case("lgb ranker", train_wrapper("LGBMRanker", grades, fit={"group": [26] * 10}), "joblib")
    yield Case(
        "lgb classifier rf", train_wrapper("LGBMClassifier", as_labels("a", "b", "c"), **wrapped_forest()), "joblib"
    )
    yield Case("lgb classifier xent", train_wrapper("LGBMClassifier", two, objective="cross_entropy"), "joblib")
    yield Case("lgb classifier balanced", train_wrapper("LGBMClassifier", three, class_weight="balanced"), "joblib")
    yield Case("lgb booster pickle", booster({"objective": "binary"}, two), "pkl")
    yield Case("lgb booster joblib", booster({"objective": "binary"}, two), "joblib")
    yield Case("lgb wrapper as text", train_wrapper("LGBMClassifier", as_labels("no", "yes"), rows=frame), "txt")
    yield Case(
        "lgb regressor named", train_wrapper("LGBMRegressor", score, rows=lambda: frame()[NAMES[::-1]]), "joblib"
    )


def wrapped_forest() -> dict[str, Any]:
    """A random forest's settings, as the wrapper calls them."""
    return {"boosting_type": "rf", "subsample_freq": 1, "subsample": 0.6}


def cases() -> Iterator[Case]:
    """All of them."""
    yield from objectives()
    yield from modes()
    yield from columns()
    yield from wrappers()
