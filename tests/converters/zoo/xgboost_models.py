"""XGBoost: objectives, boosters, base scores, missing values, categories, label types, names and file formats."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.converters.zoo.case import ROWS, Case, frame, numbers, score, three, two
from tests.converters.zoo.shared import (
    accented,
    as_labels,
    categories_without_bool,
    censored,
    flags,
    many_categories,
    one_category,
    positive,
    score_of,
    share,
    shops,
    sparse_marker,
    strange_names,
    targets,
    times,
    two_of,
    whole,
    wrapper,
)

QUIET = {"nthread": 1, "max_depth": 3, "verbosity": 0, "seed": 1}
WRAPPER = {"n_estimators": 8, "max_depth": 3, "n_jobs": 1, "verbosity": 0}
train_wrapper = wrapper("xgboost", WRAPPER)


def booster(
    settings: dict[str, Any],
    target: Callable[[Any], Any],
    *,
    rows: Callable[[], Any] = numbers,
    rounds: int = 8,
    **data: Any,
) -> Callable[[], Any]:
    """Trains a booster."""

    def train() -> Any:
        import xgboost

        table = rows()
        labels = target(table)
        fields = {"label": labels} if not isinstance(labels, dict) else labels
        matrix = xgboost.DMatrix(table, nthread=1, enable_categorical=True, **fields, **data)
        return xgboost.train({**QUIET, **settings}, matrix, rounds), table

    return train


def own_loss(scores: Any, data: Any) -> Any:
    """A squared error of one's own, with its hessian."""
    return scores - data.get_label(), np.ones_like(scores)


def custom() -> Any:
    """A booster trained on a loss of one's own."""
    import xgboost

    rows = numbers()
    matrix = xgboost.DMatrix(rows, score(rows), nthread=1)
    return xgboost.train({**QUIET}, matrix, 8, obj=own_loss), rows


def stop_early() -> Any:
    """A booster with trees beyond its best iteration."""
    import xgboost

    rows = numbers()
    labels = np.random.default_rng(0).integers(0, 2, ROWS)
    matrix = xgboost.DMatrix(rows[:150], labels[:150], nthread=1)
    check = xgboost.DMatrix(rows[150:], labels[150:], nthread=1)
    settings = {**QUIET, "objective": "binary:logistic", "eta": 0.5}
    model = xgboost.train(settings, matrix, 40, evals=[(check, "v")], early_stopping_rounds=4, verbose_eval=False)
    return model, rows


def stop_wrapper_early(**settings: Any) -> Callable[[], Any]:
    """A classifier stopped early."""

    def train() -> Any:
        import xgboost

        rows = numbers()
        labels = np.random.default_rng(0).integers(0, 3, ROWS)
        model = xgboost.XGBClassifier(
            **{**WRAPPER, "n_estimators": 40, "learning_rate": 0.5, "early_stopping_rounds": 3, **settings}
        )
        return model.fit(rows[:150], labels[:150], eval_set=[(rows[150:], labels[150:])], verbose=False), rows

    return train


def change_booster(how: str) -> Callable[[], Any]:
    """A booster that was cut out of another, trained on, pruned or given new leaves."""

    def train() -> Any:
        import xgboost

        settings = {"objective": "multi:softprob", "num_class": 3, "max_depth": 5}
        model, rows = booster(settings, three, rounds=8)()
        if how == "slice":
            return model[2:6], rows
        matrix = xgboost.DMatrix(rows, (three(rows) + 1) % 3, nthread=1)
        if how == "continued":
            return xgboost.train({**QUIET, **settings}, matrix, 3, xgb_model=model), rows
        update = {"process_type": "update", "updater": "prune" if how == "pruned" else "refresh", "gamma": 2.0}
        return xgboost.train({**QUIET, **settings, **update}, matrix, 8, xgb_model=model), rows

    return train


def objectives() -> Iterator[Case]:
    """Each objective."""
    yield Case("xgb binary", booster({"objective": "binary:logistic"}, two), "json")
    yield Case("xgb logitraw", booster({"objective": "binary:logitraw"}, two), "json")
    yield Case("xgb hinge", booster({"objective": "binary:hinge"}, two), "ubj")
    yield Case("xgb reg:logistic", booster({"objective": "reg:logistic"}, share), "json")
    plain = ["squarederror", "absoluteerror", "pseudohubererror", "squaredlogerror", "gamma", "tweedie"]
    for i, name in enumerate(plain):
        yield Case(f"xgb {name}", booster({"objective": f"reg:{name}"}, positive), ("json", "ubj")[i % 2])
    yield Case("xgb poisson", booster({"objective": "count:poisson"}, lambda r: np.round(positive(r))), "json")
    alphas = {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}
    yield Case("xgb quantiles", booster(alphas, score), "json")
    yield Case("xgb quantile", booster({"objective": "reg:quantileerror", "quantile_alpha": 0.3}, score), "json")
    yield Case("xgb softprob", booster({"objective": "multi:softprob", "num_class": 3}, three), "json")
    yield Case("xgb softmax", booster({"objective": "multi:softmax", "num_class": 3}, three), "ubj")
    for name in ("pairwise", "ndcg", "map"):
        grades = two if name == "map" else three
        yield Case(f"xgb rank {name}", booster({"objective": f"rank:{name}"}, grades, group=[26] * 10), "json")
    yield Case("xgb aft", booster({"objective": "survival:aft"}, times), "json")
    yield Case("xgb cox", booster({"objective": "survival:cox"}, censored), "json")
    yield Case("xgb targets", booster({"objective": "reg:squarederror"}, targets), "json")
    whole_tree = {"objective": "reg:squarederror", "multi_strategy": "multi_output_tree", "tree_method": "hist"}
    yield Case("xgb vector leaves", booster(whole_tree, targets), "json")
    yield Case("xgb multi-label", booster({"objective": "binary:logistic"}, flags), "json")
    yield Case("xgb custom", custom, "json")


def modes() -> Iterator[Case]:
    """Boosters and the settings that change what is stored."""
    dart = {"booster": "dart", "rate_drop": 0.5, "objective": "binary:logistic"}
    yield Case("xgb dart", booster(dart, two), "json")
    yield Case("xgb dart classes", booster({**dart, "objective": "multi:softprob", "num_class": 3}, three), "ubj")
    linear = {"booster": "gblinear", "objective": "reg:squarederror"}
    yield Case("xgb gblinear", booster(linear, score, rows=lambda: numbers(missing=False)), "json")
    softly = {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3}
    yield Case("xgb gblinear classes", booster(softly, three, rows=lambda: numbers(missing=False)), "json")
    forest = {"num_parallel_tree": 6, "subsample": 0.7, "colsample_bynode": 0.7, "eta": 1.0}
    yield Case("xgb forest", booster({"objective": "binary:logistic", **forest}, two, rounds=1), "json")
    yield Case(
        "xgb forest classes",
        booster({"objective": "multi:softprob", "num_class": 3, **forest}, three, rounds=2),
        "json",
    )
    for base in (0.0, 0.2, 0.9):
        yield Case(
            f"xgb base_score {base}", booster({"objective": "binary:logistic", "base_score": base or 1e-6}, two), "json"
        )
    yield Case("xgb base_score 5", booster({"objective": "reg:squarederror", "base_score": 5.0}, score), "ubj")
    for method in ("exact", "approx"):
        yield Case(f"xgb {method}", booster({"objective": "binary:logistic", "tree_method": method}, two), "json")
    lossguide = {"grow_policy": "lossguide", "max_leaves": 9, "max_depth": 0}
    yield Case("xgb lossguide", booster({"objective": "reg:squarederror", **lossguide}, score), "json")
    yield Case(
        "xgb monotone",
        booster({"objective": "reg:squarederror", "monotone_constraints": "(1,0,0,-1,0)"}, score),
        "json",
    )
    for how in ("slice", "continued", "pruned", "refreshed"):
        yield Case(f"xgb {how}", change_booster(how), "json")
    weighted = {"booster": "dart", "rate_drop": 0.5, "normalize_type": "forest", "sample_type": "weighted"}
    yield Case("xgb dart poisson", booster({**weighted, "objective": "count:poisson"}, positive), "ubj")
    apart = {"objective": "multi:softprob", "num_class": 3, "base_score": [0.2, 0.3, 0.5]}
    yield Case("xgb base_score vector", booster(apart, three), "json")
    beside = {"objective": "reg:quantileerror", "quantile_alpha": [0.2, 0.8], "num_parallel_tree": 3, "subsample": 0.5}
    yield Case("xgb quantile forest", booster(beside, score), "json")
    several = {"objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree"}
    yield Case("xgb vector classes", booster(several, three), "ubj")
    yield Case("xgb early stopping json", stop_early, "json")
    yield Case("xgb early stopping pickle", stop_early, "pkl")
    yield Case("xgb early stopping wrapper", stop_wrapper_early(), "joblib")
    yield Case("xgb early stopping forest", stop_wrapper_early(num_parallel_tree=3, subsample=0.6), "pkl")
    yield Case("xgb early stopping dart", stop_wrapper_early(booster="dart", rate_drop=0.3), "joblib")
    yield Case("xgb constant", booster({"objective": "reg:squarederror"}, lambda rows: np.full(ROWS, 2.5)), "json")
    yield Case("xgb one tree", booster({"objective": "binary:logistic", "max_depth": 1}, two, rounds=1), "json")
    yield Case("xgb no trees", booster({"objective": "binary:logistic"}, two, rounds=0), "json")
    yield Case("xgb pruned away", booster({"objective": "binary:logistic", "gamma": 1e9}, two), "json")
    yield Case(
        "xgb one feature",
        booster({"objective": "reg:squarederror"}, lambda r: r[:, 0] % 7, rows=lambda: numbers(missing=False)[:, :1]),
        "ubj",
    )


def columns() -> Iterator[Case]:
    """Missing values, categories and names."""
    yield Case(
        "xgb missing -999", train_wrapper("XGBClassifier", two, rows=sparse_marker(-999.0), missing=-999.0), "joblib"
    )
    yield Case("xgb missing 0", train_wrapper("XGBRegressor", score, rows=sparse_marker(0.0), missing=0.0), "pkl")
    yield Case("xgb missing 0.1", train_wrapper("XGBRegressor", score, rows=sparse_marker(0.1), missing=0.1), "pkl")
    yield Case(
        "xgb categories", booster({"objective": "binary:logistic"}, two_of, rows=categories_without_bool), "json"
    )
    onehot = {"objective": "reg:squarederror", "max_cat_to_onehot": 100}
    yield Case("xgb categories one-hot", booster(onehot, score_of, rows=categories_without_bool), "ubj")
    for kind in ("city", "kind"):
        yield Case(
            f"xgb category {kind}",
            booster(
                {"objective": "binary:logistic", "max_cat_to_onehot": 1},
                two_of,
                rows=one_category(kind),
            ),
            "json",
        )
    yield Case(
        "xgb accents",
        booster({"objective": "binary:logistic", "max_cat_to_onehot": 1}, two_of, rows=accented),
        "json",
        True,
    )
    shop = {"objective": "binary:logistic", "max_cat_to_onehot": 1, "min_child_weight": 0}
    yield Case(
        "xgb 500 categories",
        booster(shop, lambda r: (r["age"] > 30).astype(int) ^ shops(r), rows=many_categories),
        "json",
    )
    yield Case(
        "xgb categories wrapper",
        train_wrapper("XGBClassifier", two_of, rows=categories_without_bool, enable_categorical=True),
        "joblib",
    )
    spaced = ["two words", "größe", "日本", "dash-ed", 'quo"ted']
    yield Case("xgb strange names", booster({"objective": "binary:logistic"}, two, rows=strange_names(spaced)), "json")
    turned = ["f11", "f3", "f2", "f1", "f0"]
    yield Case("xgb f11…f0", booster({"objective": "binary:logistic"}, two, rows=strange_names(turned)), "json")
    yield Case("xgb integer columns", booster({"objective": "binary:logistic"}, two, rows=whole), "json")
    yield Case("xgb feature types i", booster({"objective": "binary:logistic"}, two, rows=flagged), "json")


def flagged() -> Any:
    """Boolean and integer columns."""
    table = whole()
    return table.assign(flag=table["flag"] > 0)


def wrappers() -> Iterator[Case]:
    """Wrappers and file formats."""
    yield Case("xgb classifier", train_wrapper("XGBClassifier", two, rows=frame), "joblib")
    yield Case("xgb classifier bool", train_wrapper("XGBClassifier", as_labels(False, True)), "pkl")
    yield Case("xgb classifier three", train_wrapper("XGBClassifier", three), "joblib-compressed")
    yield Case("xgb classifier json", train_wrapper("XGBClassifier", three, rows=frame), "json")
    yield Case("xgb classifier ubj", train_wrapper("XGBClassifier", two), "ubj")
    yield Case("xgb regressor", train_wrapper("XGBRegressor", score, rows=frame), "pkl")
    yield Case("xgb rf classifier", train_wrapper("XGBRFClassifier", three), "joblib")
    yield Case("xgb rf regressor", train_wrapper("XGBRFRegressor", score), "joblib")
    yield Case("xgb ranker", train_wrapper("XGBRanker", three, fit={"group": [26] * 10}), "joblib")
    yield Case("xgb targets wrapper", train_wrapper("XGBRegressor", targets), "joblib")
    yield Case("xgb booster pickle", booster({"objective": "binary:logistic"}, two), "pkl")
    yield Case("xgb booster joblib", booster({"objective": "multi:softprob", "num_class": 3}, three), "joblib")
    yield Case(
        "xgb gblinear wrapper",
        train_wrapper("XGBClassifier", two, rows=lambda: numbers(missing=False), booster="gblinear"),
        "joblib",
    )
    yield Case("xgb softmax wrapper", train_wrapper("XGBClassifier", three, objective="multi:softmax"), "joblib")
    yield Case("xgb multi-label wrapper", train_wrapper("XGBClassifier", flags), "joblib")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from objectives()
    yield from modes()
    yield from columns()
    yield from wrappers()
