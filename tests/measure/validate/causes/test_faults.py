"""Each seeded fault gets its own cause, and no cause is claimed where nothing is wrong."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.errors import EngineError
from infer_bench.measure.validate.causes.changes import OUT_OF_TIME
from infer_bench.measure.validate.causes.explain import explain
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.reference import ReferenceAccess
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from tests.measure.validate.causes import cases
from tests.measure.validate.causes.cases import Case, lightgbm_case, xgboost_case


def explain_case(case: Case, structure: bool = True) -> Explanation:
    names = [feature.name for feature in case.ensemble.features]
    table = Table({name: case.rows[:, i].copy() for i, name in enumerate(names)})
    group = GroupComparison("thresholds", Limits(atol=case.atol))
    ours, theirs = (Predictions.unrefused(predict(case.rows)) for predict in (case.reference, case.candidate))
    group.add(ours, theirs, 0, table.take)
    assert group.examples is not None

    def ask(rows: Table) -> Any:
        return case.reference(np.stack([rows.columns[name] for name in names], axis=1))

    return explain(group.examples, ReferenceAccess(case.ensemble if structure else None, ask))


def test_a_search_that_has_no_time_left_claims_nothing() -> None:
    case = lightgbm_case("binary", casts)
    names = [feature.name for feature in case.ensemble.features]
    group = GroupComparison("thresholds", Limits(atol=case.atol))
    ours, theirs = (Predictions.unrefused(predict(case.rows)) for predict in (case.reference, case.candidate))
    group.add(ours, theirs, 0, Table({name: case.rows[:, i].copy() for i, name in enumerate(names)}).take)
    assert group.examples is not None
    explanation = explain(group.examples, ReferenceAccess(case.ensemble, until_ns=0))
    assert not explanation.causes
    assert explanation.not_explained == int(group.examples.differ.sum())
    assert explanation.why == OUT_OF_TIME


def casts(text: str) -> str:
    return cases.edited(text, lambda _, v: [repr(float(np.float32(x))) for x in v], "threshold")


def no_objective(text: str) -> str:
    return text.replace("objective=binary sigmoid:1", "objective=regression")


def truncate(text: str) -> str:
    import lightgbm

    return str(lightgbm.Booster(model_str=text).model_to_string(num_iteration=7))


def other_columns(text: str) -> str:
    return cases.edited(text, lambda _, v: [str(3 - int(x)) for x in v], "split_feature")


def two_swapped(text: str) -> str:
    order = {"0": "2", "2": "0"}
    return cases.edited(text, lambda _, v: [order.get(x, x) for x in v], "split_feature")


def other_missing(text: str) -> str:
    return cases.edited(text, lambda _, v: [str(int(x) ^ 2) for x in v], "decision_type")


def zero_counts(text: str) -> str:
    """Missing type NaN (8) becomes Zero (4)."""
    return cases.edited(text, lambda _, v: [str((int(x) & ~12) | 4) for x in v], "decision_type")


def flat_leaves(text: str) -> str:
    return text.replace("is_linear=1", "is_linear=0")


def summed(text: str) -> str:
    return text.replace("average_output\n", "")


def more_members(text: str) -> str:
    """The sets' words get the bits of categories that training never saw."""

    def change(key: str, values: list[str]) -> list[str]:
        return [str(int(x) | 0xFFFFFFC0) for x in values]

    return cases.edited(text, change, "cat_threshold")


def turned_classes(text: str) -> str:
    """The trees of class k become those of class k + 1."""
    head, _, rest = text.partition("\nTree=0")
    body, end, tail = ("\nTree=0" + rest).partition("\nend of trees")
    trees = body.split("\nTree=")[1:]
    bodies = [tree.partition("\n")[2] for tree in trees]
    turned = [bodies[i - i % 3 + (i + 1) % 3] for i in range(len(bodies))]
    text = "".join(f"\nTree={i}\n{tree}" for i, tree in enumerate(turned))
    return head + text + end + tail


def other_base(learner: Any) -> None:
    learner["learner_model_param"]["base_score"] = "[7E-1]"


def other_default(learner: Any) -> None:
    for tree in learner["gradient_booster"]["model"]["trees"]:
        tree["default_left"] = [1 - int(x) for x in tree["default_left"]]


def other_order(learner: Any) -> None:
    for tree in learner["gradient_booster"]["model"]["trees"]:
        tree["split_indices"] = [3 - x for x in tree["split_indices"]]


def or_equal(learner: Any) -> None:
    """x < t becomes x <= t: the next number up takes the threshold's place."""
    for tree in learner["gradient_booster"]["model"]["trees"]:
        inner = [child >= 0 for child in tree["left_children"]]
        up = [float(np.nextafter(np.float32(t), np.float32(np.inf))) for t in tree["split_conditions"]]
        tree["split_conditions"] = [u if i else t for u, t, i in zip(up, tree["split_conditions"], inner, strict=True)]


def raw(learner: Any) -> None:
    learner["objective"] = {"name": "binary:logitraw", "reg_loss_param": {"scale_pos_weight": "1"}}


def timestamps() -> Any:
    return cases.table("binary", shift=1.7e9)[0][:400]


def turned_trees(learner: Any) -> None:
    """The trees of class k become those of class k + 1; the classes' base scores stay."""
    model = learner["gradient_booster"]["model"]
    model["tree_info"] = [(i + 1) % 3 for i in model["tree_info"]]
    learner["learner_model_param"]["base_score"] = "[2E-1,3E-1,-4E-1]"


def uneven(learner: Any) -> None:
    learner["learner_model_param"]["base_score"] = "[2E-1,3E-1,-4E-1]"


def other_missing_of_numbers(text: str) -> str:
    """Categories (1) keep their way."""
    return cases.edited(text, lambda _, v: [x if int(x) & 1 else str(int(x) ^ 2) for x in v], "decision_type")


FAULTS: dict[str, tuple[Callable[[], Case], set[str]]] = {
    "thresholds rounded": (lambda: lightgbm_case("binary", casts), {"threshold cast"}),
    "rows rounded": (lambda: lightgbm_case("binary", str, narrow=True, rows=timestamps(), shift=1.7e9), {"input cast"}),
    "both rounded": (
        lambda: lightgbm_case("binary", casts, narrow=True, rows=timestamps(), shift=1.7e9),
        {"input cast", "threshold cast"},
    ),
    "< for <=": (lambda: xgboost_case(or_equal), {"comparison"}),
    "missing the other way": (lambda: lightgbm_case("binary", other_missing), {"missing handling"}),
    "default direction": (lambda: xgboost_case(other_default), {"missing handling"}),
    "zero as missing": (lambda: lightgbm_case("binary", zero_counts), {"missing handling"}),
    "unseen category": (lambda: lightgbm_case("binary", more_members, categories=True), {"unseen category"}),
    "base score": (lambda: xgboost_case(other_base), {"base_score"}),
    "no sigmoid": (lambda: lightgbm_case("binary", no_objective), {"missing link"}),
    "raw margin": (lambda: xgboost_case(raw), {"missing link", "base_score"}),
    "linear terms dropped": (lambda: lightgbm_case("regression", flat_leaves, linear_tree=True), {"linear leaves"}),
    "seven iterations": (lambda: lightgbm_case("binary", truncate), {"truncated iterations"}),
    "columns reversed": (lambda: lightgbm_case("binary", other_columns), {"column order"}),
    "columns reversed (XGBoost)": (lambda: xgboost_case(other_order), {"column order"}),
    "two columns swapped": (lambda: lightgbm_case("binary", two_swapped), {"column order"}),
    "classes turned": (lambda: lightgbm_case("multiclass", turned_classes), {"class order"}),
    "trees of other classes": (lambda: xgboost_case(turned_trees, "multi:softprob", uneven), {"class order"}),
    "missing numbers the other way": (
        lambda: lightgbm_case("binary", other_missing_of_numbers, categories=True),
        {"missing handling"},
    ),
    "forest summed": (
        lambda: lightgbm_case("regression", summed, boosting="rf", bagging_freq=1, bagging_fraction=0.7),
        {"averaging"},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_named(name: str) -> None:
    make, causes = FAULTS[name]
    explanation = explain_case(make())
    assert {cause.name for cause in explanation.causes} == causes, explanation
    assert explanation.not_explained == 0
    assert all(0 < cause.rows_explained <= cause.rows_examined for cause in explanation.causes)


CLEAN: dict[str, Callable[[], Case]] = {
    f"{task}-{seed}": partial(lightgbm_case, task, str, seed=seed)
    for task in ("binary", "multiclass", "regression")
    for seed in range(3)
}


def disturbed(objective: str, share: float) -> Case:
    """A candidate that answers the same but for float32 arithmetic."""
    case = xgboost_case(lambda learner: None, objective)
    return replace(case, candidate=lambda rows: case.reference(rows) * (1 + share))


CLEAN |= {
    f"{objective}-{share}": partial(disturbed, objective, share)
    for objective in ("binary:logistic", "reg:squarederror", "count:poisson")
    for share in (0.0, 1e-7, -1e-7, 1e-6)
}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_claimed_of_a_clean_pair(name: str) -> None:
    case = CLEAN[name]()
    explanation = explain_case(replace(case, atol=1e-4))
    assert explanation == Explanation()


def test_rounding_alone_is_called_accumulation() -> None:
    explanation = explain_case(replace(disturbed("binary:logistic", 1e-6), atol=1e-9))
    assert {cause.name for cause in explanation.causes} == {"accumulation"}


@pytest.mark.parametrize("structure", [True, False])
def test_noise_is_not_explained(structure: bool) -> None:
    """Answers that no known fault gives: nothing is claimed, and every row is counted."""
    random = np.random.default_rng(0)
    case = lightgbm_case("binary", str)
    noisy = replace(
        case, candidate=lambda rows: np.clip(case.reference(rows) + random.normal(0, 0.2, (len(rows), 1)), 0, 1)
    )
    explanation = explain_case(noisy, structure)
    assert explanation.causes == ()
    assert explanation.not_explained > 100
    assert explanation.why.startswith("not explained")


@pytest.mark.parametrize(
    ("name", "causes"),
    [
        ("columns reversed", "column order"),
        ("no sigmoid", "missing link"),
        ("rows rounded", "input cast"),
        ("base score", "base_score"),
    ],
)
def test_some_causes_are_told_without_any_structure(name: str, causes: str) -> None:
    assert {cause.name for cause in explain_case(FAULTS[name][0](), structure=False).causes} == {causes}


def test_a_change_that_the_library_refuses_leaves_the_others_to_be_tried() -> None:
    """Zeros read as missing are refused, and the candidate's reversed columns are found nevertheless."""
    rows = np.random.default_rng(0).integers(0, 5, size=(200, 3)).astype(np.float64)
    names = ["a", "b", "c"]

    def ask(table: Table) -> Any:
        matrix = np.stack([table.columns[name] for name in names], axis=1)
        if np.isnan(matrix).any():
            raise EngineError("no missing values, please")
        return matrix @ np.array([[1.0], [10.0], [100.0]])

    table = Table({name: rows[:, i] for i, name in enumerate(names)})
    turned = Table({name: rows[:, 2 - i] for i, name in enumerate(names)})
    group = GroupComparison("data", Limits())
    group.add(Predictions.unrefused(ask(table)), Predictions.unrefused(ask(turned)), 0, table.take)
    assert group.examples is not None
    explanation = explain(group.examples, ReferenceAccess(predict=ask))
    assert {cause.name for cause in explanation.causes} == {"column order"}, explanation
    assert explanation.not_explained == 0


def test_the_first_decision_is_the_one_that_was_changed() -> None:
    """One split of the third tree gets another threshold by one rounding to float32."""
    text = cases.lightgbm_text("binary")
    head, mark, rest = text.partition("\nTree=2\n")
    spoilt = head + mark + casts(rest.partition("\nTree=3\n")[0]) + "\nTree=3\n" + rest.partition("\nTree=3\n")[2]
    case = lightgbm_case("binary", lambda _: spoilt)
    explanation = explain_case(case)
    first = next((cause for cause in explanation.causes if cause.tree is not None), None)
    assert first is None or first.tree == 2
    assert explanation.causes == () or explanation.not_explained == 0


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("structure", [True, False])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_of_0_and_1_are_no_reason_for_a_warning(task: str, structure: bool) -> None:
    case = lightgbm_case(task, str)
    explain_case(replace(case, candidate=lambda rows: np.round(case.reference(rows))), structure)
    explain_case(replace(case, reference=lambda rows: np.round(case.reference(rows))), structure)
