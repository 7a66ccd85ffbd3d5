"""scikit-learn's estimators made of estimators: pipelines, column transformers, voting, stacking, searches, chains."""

from dataclasses import replace
from typing import Any, NoReturn

import numpy as np

from infer_bench.converters.onnx.graph import Block, Finiteness, Frame, Graph
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
from infer_bench.converters.sklearn.storage import stack_storage
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


def join_frames(frames: list[Frame], *, sparse: bool = False) -> Frame:
    """The columns of several frames, one after the other, in a sparse matrix or in an array."""
    blocks = tuple(block for frame in frames for block in frame.blocks)
    finiteness = min((frame.finiteness for frame in frames), default=Finiteness.FINITE)
    return Frame(blocks, (), finiteness, stack_storage(sparse))


@register_transformer("ColumnTransformer", guards=False, keeps=False)
def _write_columns(g: Graph, step: Any, frame: Frame) -> Frame:
    parts = []
    for name, inner, indices in iterate_transformers(step):
        if isinstance(inner, str) and inner == "drop":
            continue
        part = frame.select(g, indices)
        part = part if _is_identity(inner) else write_transformer(g, inner, part)
        parts.append(_weigh(g, part, (step.transformer_weights or {}).get(name)))
    return join_frames(parts, sparse=step.sparse_output_)


def _weigh(g: Graph, frame: Frame, weight: float | None) -> Frame:
    """The columns of a part times its weight, where it has one."""
    if weight is None or not frame.blocks:
        return frame
    weighed = g.op("Mul", frame.numbers(g, "a part with a weight"), g.const(float(weight)))
    support = None if frame.storage == "dense" else frame.support(g)
    finiteness = frame.finiteness if np.isfinite(weight) else Finiteness.UNKNOWN
    block = Block(weighed, frame.width, support=support, rounded_by=frame.rounded_by)
    return Frame((block,), (), finiteness, frame.storage)


@register_transformer("FeatureUnion", guards=False, keeps=False)
def _write_union(g: Graph, step: Any, frame: Frame) -> Frame:
    parts = []
    for name, inner in step.transformer_list:
        if not (isinstance(inner, str) and inner == "drop"):
            part = frame if _is_identity(inner) else write_transformer(g, inner, frame)
            parts.append(_weigh(g, part, (step.transformer_weights or {}).get(name)))
    return join_frames(parts, sparse=any(part.storage != "dense" for part in parts))


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
    predictions = write_predictor(g, estimator, frame)
    if scores_first and hasattr(estimator, "decision_function"):
        if predictions.scores is None:
            raise NotConvertible(f"the decision function of {get_class_name(estimator)} has no exact ONNX form here")
        return predictions.scores
    if predictions.probabilities is None:
        raise NotConvertible(f"{get_class_name(estimator)} gives no probabilities")
    return g.take(predictions.probabilities, [1]) if len(predictions.classes) == 2 else predictions.probabilities


@register_predictor("VotingRegressor", guards=False)
def _write_voting_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    parts = [_write_values(g, estimator, frame) for estimator in model.estimators_]
    return Predictions(1, write_mean(g, parts, model._weights_not_none))


def _write_values(g: Graph, estimator: Any, frame: Frame) -> str:
    predictions = write_predictor(g, estimator, frame)
    if predictions.values is None:
        raise NotConvertible(f"{get_class_name(estimator)} gives no number")
    return predictions.values


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
    members = [write_predictor(g, estimator, frame) for estimator in model.estimators_]
    if model.voting == "hard":
        return Predictions(len(classes), None, classes, g.argmax(_count_votes(g, members, len(classes), weights)))
    parts = [member.probabilities or _refuse_without_probabilities(model) for member in members]
    return predict_most_probable(g, model, write_mean(g, parts, weights))


def _refuse_without_probabilities(model: Any) -> NoReturn:
    raise NotConvertible(f"a part of {get_class_name(model)} gives no probabilities")


def _count_votes(g: Graph, members: list[Predictions], classes: int, weights: Any) -> str:
    """The weight of the votes for each class, summed in order."""
    total = ""
    for i, member in enumerate(members):
        weight = 1.0 if weights is None else float(weights[i])
        table = np.zeros((len(member.classes), classes))
        table[np.arange(len(member.classes)), np.asarray(member.classes, dtype=np.int64)] = weight
        vote = g.op("Gather", g.const(table), member.choice or _refuse_without_choice(), axis=0)
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
    sparse = model.passthrough and frame.storage != "dense"
    predictions = write_predictor(g, model.final_estimator_, join_frames(parts, sparse=sparse))
    return replace(predictions, classes=get_classes(model)) if predictions.classes else predictions


def _write_stack_member(g: Graph, estimator: Any, method: str, frame: Frame) -> Frame:
    if method == "predict_proba":
        column = write_response(g, estimator, frame, scores_first=False)
        return Frame.of(column, 1 if len(estimator.classes_) == 2 else len(estimator.classes_))
    predictions = write_predictor(g, estimator, frame)
    if method == "decision_function" and predictions.scores:
        return Frame.of(predictions.scores, 1 if len(predictions.classes) == 2 else len(predictions.classes))
    if method == "predict" and predictions.values:
        return Frame.of(predictions.values, predictions.width)
    if (
        method == "predict"
        and predictions.choice
        and all(isinstance(label, int | float) for label in predictions.classes)
    ):
        labels = g.const(np.array(predictions.classes, dtype=np.float64)[:, None])
        return Frame.of(g.op("Gather", labels, predictions.choice, axis=0), 1)
    raise NotConvertible(f"stacking on the {method} of {get_class_name(estimator)} has no exact ONNX form here")


@register_predictor("TunedThresholdClassifierCV", "FixedThresholdClassifier", guards=False)
def _write_threshold(g: Graph, model: Any, frame: Frame) -> Predictions:
    inner = getattr(model, "estimator_", model.estimator)
    predictions, method, positive = (
        write_predictor(g, inner, frame),
        model._get_response_method(),
        _get_positive_label(model),
    )
    methods = [method] if isinstance(method, str) else list(method)
    response = next((name for name in methods if hasattr(inner, name)), None)
    if response is None:
        raise NotConvertible(
            f"{get_class_name(inner)} has no {methods[0]}, which {get_class_name(model)} asks for",
            "change response_method",
        )
    tuned = get_class_name(model) == "TunedThresholdClassifierCV"
    threshold = model.best_threshold_ if tuned else model.threshold
    if threshold == "auto":
        threshold = 0.5 if response == "predict_proba" else 0.0
    index = 1 if positive is None else predictions.classes.index(positive)
    score = (
        g.take(predictions.probabilities, [index])
        if response == "predict_proba" and predictions.probabilities
        else predictions.scores
    )
    if score is None:
        raise NotConvertible(f"the {response} of {get_class_name(inner)} has no exact ONNX form here")
    if response != "predict_proba" and index == 0:
        score = g.op("Neg", score)
    above = g.flat(g.op("Cast", g.op("GreaterOrEqual", score, g.const([[float(threshold)]])), to=7))
    choice = above if index == 1 else g.op("Sub", g.ints(1), above)
    return replace(predictions, choice=choice)


def _get_positive_label(model: Any) -> Any:
    fixed = get_class_name(model) == "FixedThresholdClassifier"
    label = model.pos_label if fixed else model._curve_scorer._get_pos_label()
    return label.item() if isinstance(label, np.generic) else label


@register_predictor("OneVsRestClassifier", guards=False)
def _write_one_against_rest(g: Graph, model: Any, frame: Frame) -> Predictions:
    if model.multilabel_:
        raise NotConvertible("OneVsRestClassifier predicts several labels at once", "convert one model a label")
    if any(get_class_name(inner) == "_ConstantPredictor" for inner in model.estimators_):
        raise NotConvertible("OneVsRestClassifier holds a class that is always or never there", "fit it on more rows")
    members = [write_predictor(g, inner, frame) for inner in model.estimators_]
    classes, by_score = get_classes(model), hasattr(model.estimators_[0], "decision_function")
    ones = [g.take(member.probabilities, [1]) for member in members if member.probabilities]
    scores = [member.scores for member in members if member.scores] if by_score else ones
    if len(scores) != len(members):
        raise NotConvertible("a part of OneVsRestClassifier gives no scores")
    columns = g.concat(scores)
    proba = None
    if len(ones) == len(members):
        proba = pair_with_complement(g, ones[0]) if len(ones) == 1 else divide_by_totals(g, g.concat(ones))
    choice = choose_by_threshold(g, columns, 0.0 if by_score else 0.5) if len(scores) == 1 else g.argmax(columns)
    return Predictions(len(classes), None, classes, choice, proba, columns if by_score else None)


@register_predictor("MultiOutputRegressor", guards=False)
def _write_several_targets(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(
        len(model.estimators_), g.concat([_write_values(g, inner, frame) for inner in model.estimators_])
    )


@register_predictor("RegressorChain")
def _write_chain(g: Graph, model: Any, frame: Frame) -> Predictions:
    targets: list[str] = []
    for inner in model.estimators_:
        parts = [frame, *(Frame.of(tensor, 1, Finiteness.FINITE) for tensor in targets)]
        targets.append(_write_values(g, inner, join_frames(parts, sparse=frame.storage != "dense")))
    order = np.argsort(np.asarray(model.order_))
    return Predictions(len(targets), g.take(g.concat(targets), order))


@register_predictor("TransformedTargetRegressor", guards=False)
def _write_target(g: Graph, model: Any, frame: Frame) -> Predictions:
    predictions, back = write_predictor(g, model.regressor_, frame), model.transformer_
    raw = predictions.values or _refuse_without_choice()
    if get_class_name(back) == "FunctionTransformer":
        return replace(predictions, values=write_elementwise(g, raw, back.inverse_func))
    if get_class_name(back) == "StandardScaler":
        scale = back.scale_ if back.with_std else 1.0
        product = g.op("Mul", raw, g.const(np.atleast_2d(scale)))
        return replace(
            predictions, values=g.op("Add", product, g.const(np.atleast_2d(back.mean_ if back.with_mean else 0.0)))
        )
    if get_class_name(back) == "MinMaxScaler":
        gap = g.op("Sub", raw, g.const(np.atleast_2d(back.min_)))
        return replace(predictions, values=g.op("Div", gap, g.const(np.atleast_2d(back.scale_))))
    raise NotConvertible(
        f"the target's transformer {get_class_name(back)} has no exact ONNX inverse here",
        "use StandardScaler or numpy's log1p",
    )
