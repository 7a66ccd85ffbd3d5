"""scikit-learn's estimators made of estimators: pipelines, column transformers, voting, stacking, searches, chains."""

from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from infer_bench.converters.onnx.graph import Finiteness, Frame, Graph
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    divide_by_totals,
    pair_with_complement,
    predict_most_probable,
    register_predictor,
    register_transformer,
    write_predictor,
    write_transformer,
)
from infer_bench.converters.sklearn.scalers import write_elementwise
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes, iterate_transformers

SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


def _is_identity(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


@register_transformer("Pipeline", guards=False, keeps=False)
def _write_pipeline_transform(g: Graph, pipeline: Any, frame: Frame) -> Frame:
    for _, step in pipeline.steps:
        frame = frame if _is_identity(step) else write_transformer(g, step, frame)
    return frame


@register_predictor("Pipeline", guards=False)
def _write_pipeline(g: Graph, pipeline: Any, frame: Frame) -> Predictions:
    for _, step in pipeline.steps[:-1]:
        frame = frame if _is_identity(step) else write_transformer(g, step, frame)
    return write_predictor(g, pipeline.steps[-1][1], frame)


def join_frames(frames: list[Frame]) -> Frame:
    """The columns of several frames, one after the other."""
    blocks = tuple(block for frame in frames for block in frame.blocks)
    return Frame(blocks, (), min((frame.finiteness for frame in frames), default=Finiteness.FINITE))


@register_transformer("ColumnTransformer", guards=False, keeps=False)
def _write_columns(g: Graph, step: Any, frame: Frame) -> Frame:
    parts = []
    for name, inner, indices in iterate_transformers(step):
        if isinstance(inner, str) and inner == "drop":
            continue
        chosen = frame.select(g, indices)
        made = chosen if _is_identity(inner) else write_transformer(g, inner, chosen)
        parts.append(_weigh(g, made, (step.transformer_weights or {}).get(name)))
    return join_frames(parts)


def _weigh(g: Graph, frame: Frame, weight: float | None) -> Frame:
    """The columns of a part times its weight, where it has one."""
    if weight is None or not frame.blocks:
        return frame
    weighed = g.op("Mul", frame.numbers(g, "a part with a weight"), g.const(float(weight)))
    return Frame.of(weighed, frame.width, frame.finiteness if np.isfinite(weight) else Finiteness.UNKNOWN)


@register_transformer("FeatureUnion", guards=False, keeps=False)
def _write_union(g: Graph, step: Any, frame: Frame) -> Frame:
    parts = []
    for name, inner in step.transformer_list:
        if not (isinstance(inner, str) and inner == "drop"):
            made = frame if _is_identity(inner) else write_transformer(g, inner, frame)
            parts.append(_weigh(g, made, (step.transformer_weights or {}).get(name)))
    return join_frames(parts)


@register_predictor(*SEARCHES, guards=False)
def _write_search(g: Graph, model: Any, frame: Frame) -> Predictions:
    return write_predictor(g, model.best_estimator_, frame)


@register_transformer(*SEARCHES, guards=False, keeps=False)
def _write_search_transform(g: Graph, model: Any, frame: Frame) -> Frame:
    return write_transformer(g, model.best_estimator_, frame)


@register_predictor("FrozenEstimator", guards=False)
def _write_frozen(g: Graph, model: Any, frame: Frame) -> Predictions:
    return write_predictor(g, model.estimator, frame)


@register_predictor("RANSACRegressor", "SelfTrainingClassifier", guards=False)
def _write_fitted_inside(g: Graph, model: Any, frame: Frame) -> Predictions:
    return write_predictor(g, model.estimator_, frame)


def write_response(g: Graph, estimator: Any, frame: Frame, *, scores_first: bool = True) -> str:
    """The score that scikit-learn takes of a classifier: its decision function if it has one, else probabilities.

    One column (of the second class) for two classes, else one a class.
    """
    found = write_predictor(g, estimator, frame)
    if scores_first and hasattr(estimator, "decision_function"):
        if found.scores is None:
            raise NotConvertible(f"the decision function of {get_class_name(estimator)} has no exact ONNX form here")
        return found.scores
    if found.probabilities is None:
        raise NotConvertible(f"{get_class_name(estimator)} gives no probabilities")
    return g.take(found.probabilities, [1]) if len(found.classes) == 2 else found.probabilities


@register_predictor("VotingRegressor", guards=False)
def _write_voting_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    parts = [_write_values(g, estimator, frame) for estimator in model.estimators_]
    return Predictions(1, write_mean(g, parts, model._weights_not_none))


def _write_values(g: Graph, estimator: Any, frame: Frame) -> str:
    found = write_predictor(g, estimator, frame)
    if found.values is None:
        raise NotConvertible(f"{get_class_name(estimator)} gives no number")
    return found.values


def write_mean(g: Graph, parts: list[str], weights: Any = None) -> str:
    """The (weighted) mean, summed in order as numpy does."""
    if weights is not None:
        parts = [g.op("Mul", part, g.const(float(w))) for part, w in zip(parts, weights, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        total = g.op("Add", total, part)
    return g.op("Div", total, g.const(float(np.sum(weights) if weights is not None else len(parts))))


@register_predictor("VotingClassifier", guards=False)
def _write_voting_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    classes, weights = get_classes(model), model._weights_not_none
    predictions = [write_predictor(g, estimator, frame) for estimator in model.estimators_]
    if model.voting == "hard":
        return Predictions(len(classes), None, classes, g.argmax(_count_votes(g, predictions, len(classes), weights)))
    parts = [found.probabilities or _refuse_without_probabilities(model) for found in predictions]
    return predict_most_probable(g, model, write_mean(g, parts, weights))


def _refuse_without_probabilities(model: Any) -> NoReturn:
    raise NotConvertible(f"a part of {get_class_name(model)} gives no probabilities")


def _count_votes(g: Graph, predictions: list[Predictions], classes: int, weights: Any) -> str:
    """The weight of the votes for each class, summed in order."""
    total = ""
    for i, found in enumerate(predictions):
        weight = 1.0 if weights is None else float(weights[i])
        table = np.zeros((len(found.classes), classes))
        table[np.arange(len(found.classes)), np.asarray(found.classes, dtype=np.int64)] = weight
        vote = g.op("Gather", g.const(table), found.choice or _refuse_without_choice(), axis=0)
        total = g.op("Add", total, vote) if total else vote
    return total


def _refuse_without_choice() -> NoReturn:
    raise NotConvertible("a part of the vote is not a classifier")


@register_predictor("StackingClassifier", "StackingRegressor", guards=False)
def _write_stacking(g: Graph, model: Any, frame: Frame) -> Predictions:
    parts = []
    for estimator, method in zip(model.estimators_, model.stack_method_, strict=False):
        parts.append(_write_stack_member(g, estimator, method, frame))
    if model.passthrough:
        parts.append(frame)
    found = write_predictor(g, model.final_estimator_, join_frames(parts))
    return replace(found, classes=get_classes(model)) if found.classes else found


def _write_stack_member(g: Graph, estimator: Any, method: str, frame: Frame) -> Frame:
    if method == "predict_proba":
        column = write_response(g, estimator, frame, scores_first=False)
        return Frame.of(column, 1 if len(estimator.classes_) == 2 else len(estimator.classes_))
    found = write_predictor(g, estimator, frame)
    if method == "decision_function" and found.scores:
        return Frame.of(found.scores, 1 if len(found.classes) == 2 else len(found.classes))
    if method == "predict" and found.values:
        return Frame.of(found.values, found.width)
    if method == "predict" and found.choice and all(isinstance(label, int | float) for label in found.classes):
        labels = g.const(np.array(found.classes, dtype=np.float64)[:, None])
        return Frame.of(g.op("Gather", labels, found.choice, axis=0), 1)
    raise NotConvertible(f"stacking on the {method} of {get_class_name(estimator)} has no exact ONNX form here")


@register_predictor("TunedThresholdClassifierCV", "FixedThresholdClassifier", guards=False)
def _write_threshold(g: Graph, model: Any, frame: Frame) -> Predictions:
    inner = getattr(model, "estimator_", model.estimator)
    found, method, positive = write_predictor(g, inner, frame), model._get_response_method(), _get_positive_label(model)
    wanted = [method] if isinstance(method, str) else list(method)
    used = next((name for name in wanted if hasattr(inner, name)), None)
    if used is None:
        raise NotConvertible(
            f"{get_class_name(inner)} has no {wanted[0]}, which {get_class_name(model)} asks for",
            "change response_method",
        )
    tuned = get_class_name(model) == "TunedThresholdClassifierCV"
    threshold = model.best_threshold_ if tuned else model.threshold
    if threshold == "auto":
        threshold = 0.5 if used == "predict_proba" else 0.0
    index = 1 if positive is None else found.classes.index(positive)
    score = g.take(found.probabilities, [index]) if used == "predict_proba" and found.probabilities else found.scores
    if score is None:
        raise NotConvertible(f"the {used} of {get_class_name(inner)} has no exact ONNX form here")
    if used != "predict_proba" and index == 0:
        score = g.op("Neg", score)
    reached = g.flat(g.op("Cast", g.op("GreaterOrEqual", score, g.const([[float(threshold)]])), to=7))
    choice = reached if index == 1 else g.op("Sub", g.ints(1), reached)
    return replace(found, choice=choice)


def _get_positive_label(model: Any) -> Any:
    fixed = get_class_name(model) == "FixedThresholdClassifier"
    found = model.pos_label if fixed else model._curve_scorer._get_pos_label()
    return found.item() if isinstance(found, np.generic) else found


@register_predictor("OneVsRestClassifier", guards=False)
def _write_one_against_rest(g: Graph, model: Any, frame: Frame) -> Predictions:
    if model.multilabel_:
        raise NotConvertible("OneVsRestClassifier predicts several labels at once", "convert one model a label")
    if any(get_class_name(inner) == "_ConstantPredictor" for inner in model.estimators_):
        raise NotConvertible("OneVsRestClassifier holds a class that is always or never there", "fit it on more rows")
    predictions = [write_predictor(g, inner, frame) for inner in model.estimators_]
    classes, by_score = get_classes(model), hasattr(model.estimators_[0], "decision_function")
    ones = [g.take(found.probabilities, [1]) for found in predictions if found.probabilities]
    scores = [found.scores for found in predictions if found.scores] if by_score else ones
    if len(scores) != len(predictions):
        raise NotConvertible("a part of OneVsRestClassifier gives no scores")
    joined = g.concat(scores)
    proba = None
    if len(ones) == len(predictions):
        proba = pair_with_complement(g, ones[0]) if len(ones) == 1 else divide_by_totals(g, g.concat(ones))
    choice = choose_by_threshold(g, joined, 0.0 if by_score else 0.5) if len(scores) == 1 else g.argmax(joined)
    return Predictions(len(classes), None, classes, choice, proba, joined if by_score else None)


@register_predictor("MultiOutputRegressor", guards=False)
def _write_several_targets(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(
        len(model.estimators_), g.concat([_write_values(g, inner, frame) for inner in model.estimators_])
    )


@register_predictor("RegressorChain", guards=False)
def _write_chain(g: Graph, model: Any, frame: Frame) -> Predictions:
    done: list[str] = []
    for inner in model.estimators_:
        done.append(
            _write_values(g, inner, join_frames([frame, *(Frame.of(tensor, 1, Finiteness.FINITE) for tensor in done)]))
        )
    order = np.argsort(np.asarray(model.order_))
    return Predictions(len(done), g.take(g.concat(done), order))


@register_predictor("TransformedTargetRegressor", guards=False)
def _write_target(g: Graph, model: Any, frame: Frame) -> Predictions:
    found, back = write_predictor(g, model.regressor_, frame), model.transformer_
    raw = found.values or _refuse_without_choice()
    if get_class_name(back) == "FunctionTransformer":
        return replace(found, values=write_elementwise(g, raw, back.inverse_func))
    if get_class_name(back) == "StandardScaler":
        scale = back.scale_ if back.with_std else 1.0
        scaled = g.op("Mul", raw, g.const(np.atleast_2d(scale)))
        return replace(found, values=g.op("Add", scaled, g.const(np.atleast_2d(back.mean_ if back.with_mean else 0.0))))
    if get_class_name(back) == "MinMaxScaler":
        shifted = g.op("Sub", raw, g.const(np.atleast_2d(back.min_)))
        return replace(found, values=g.op("Div", shifted, g.const(np.atleast_2d(back.scale_))))
    raise NotConvertible(
        f"the target's transformer {get_class_name(back)} has no exact ONNX inverse here",
        "use StandardScaler or numpy's log1p",
    )
