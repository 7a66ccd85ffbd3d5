"""scikit-learn's linear models, discriminants, naive Bayes, multi-layer perceptrons and dummies."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    normalise,
    pair_with_complement,
    predict_most_probable,
    register_predictor,
    register_transformer,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes

REGRESSORS = [
    "LinearRegression",
    "Ridge",
    "RidgeCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "ElasticNet",
    "ElasticNetCV",
    "Lars",
    "LarsCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "BayesianRidge",
    "ARDRegression",
    "HuberRegressor",
    "TheilSenRegressor",
    "QuantileRegressor",
    "SGDRegressor",
    "PassiveAggressiveRegressor",
    "LinearSVR",
]


def write_decision(g: Graph, model: Any, frame: Frame) -> str:
    """x @ coef_.T + intercept_, (batch, outputs)."""
    coefficients = model.coef_
    coefficients = coefficients.toarray() if hasattr(coefficients, "toarray") else coefficients
    return g.linear(frame.numbers(g, get_class_name(model)), coefficients, model.intercept_)


@register_predictor(*REGRESSORS)
def _write_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(len(np.atleast_2d(model.coef_)), write_decision(g, model, frame))


@register_predictor("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
def _write_generalized(g: Graph, model: Any, frame: Frame) -> Predictions:
    link = type(model._base_loss.link).__name__
    raw = write_decision(g, model, frame)
    if link not in ("LogLink", "IdentityLink"):
        raise NotConvertible(f"the link {link} of {get_class_name(model)} is not known")
    return Predictions(1, g.op("Exp", raw) if link == "LogLink" else raw)


@register_predictor("PLSRegression", "PLSCanonical", "CCA")
def _write_least_squares(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = g.op("Sub", frame.numbers(g, get_class_name(model)), g.const(model._x_mean[None, :]))
    return Predictions(len(model.coef_), g.linear(x, model.coef_, model.intercept_))


def predict_by_sign(g: Graph, model: Any, scores: str, probabilities: str | None = None) -> Predictions:
    """The class of a linear classifier: the sign of one score, or the first greatest of several."""
    classes = get_classes(model)
    choice = choose_by_threshold(g, scores) if len(classes) == 2 else g.argmax(scores)
    return Predictions(len(classes), None, classes, choice, probabilities, scores)


def write_one_against_rest(g: Graph, scores: str, classes: int) -> str:
    """Probabilities of one-against-rest logistic scores."""
    positive = g.expit(scores)
    return pair_with_complement(g, positive) if classes == 2 else normalise(g, positive, classes)


@register_predictor("LogisticRegression", "LogisticRegressionCV")
def _write_logistic(g: Graph, model: Any, frame: Frame) -> Predictions:
    scores, classes = write_decision(g, model, frame), len(model.classes_)
    one_against_rest = classes == 2 or getattr(model, "multi_class", "") == "ovr" or model.solver == "liblinear"
    proba = write_one_against_rest(g, scores, classes) if one_against_rest else g.op("Softmax", scores, axis=1)
    return predict_by_sign(g, model, scores, proba)


@register_predictor("LinearSVC", "RidgeClassifier", "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier")
def _write_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    binarizer = getattr(model, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        raise NotConvertible(f"{get_class_name(model)} predicts several labels at once", "convert one model a label")
    return predict_by_sign(g, model, write_decision(g, model, frame))


@register_predictor("SGDClassifier")
def _write_sgd(g: Graph, model: Any, frame: Frame) -> Predictions:
    scores, classes = write_decision(g, model, frame), len(model.classes_)
    if model.loss == "log_loss":
        return predict_by_sign(g, model, scores, write_one_against_rest(g, scores, classes))
    if model.loss != "modified_huber":
        return predict_by_sign(g, model, scores)
    half = g.op("Mul", g.op("Add", _clip_to_unit(g, scores), g.const(1.0)), g.const(0.5))
    return predict_by_sign(
        g, model, scores, pair_with_complement(g, half) if classes == 2 else normalise(g, half, classes)
    )


def _clip_to_unit(g: Graph, x: str) -> str:
    """Clipped to [-1, 1]."""
    return g.op("Max", g.op("Min", x, g.const(1.0)), g.const(-1.0))


@register_predictor("SGDOneClassSVM")
def _write_one_class(g: Graph, model: Any, frame: Frame) -> Predictions:
    scores = g.linear(frame.numbers(g, get_class_name(model)), model.coef_, -np.atleast_1d(model.offset_))
    choice = g.flat(g.op("Cast", g.op("GreaterOrEqual", scores, g.const([[0.0]])), to=7))
    return Predictions(2, None, (-1, 1), choice, None, scores)


@register_predictor("LinearDiscriminantAnalysis")
def _write_discriminant(g: Graph, model: Any, frame: Frame) -> Predictions:
    scores = write_decision(g, model, frame)
    binary = len(model.classes_) == 2
    proba = pair_with_complement(g, g.expit(scores)) if binary else g.op("Softmax", scores, axis=1)
    return predict_by_sign(g, model, scores, proba)


@register_transformer("LinearDiscriminantAnalysis")
def _write_discriminant_axes(g: Graph, model: Any, frame: Frame) -> Frame:
    x = frame.numbers(g, get_class_name(model))
    if model.solver == "svd":
        x = g.op("Sub", x, g.const(model.xbar_[None, :]))
    axes = model.scalings_[:, : model._max_components]
    return Frame.of(g.matmul(x, axes), axes.shape[1])


@register_predictor("QuadraticDiscriminantAnalysis")
def _write_quadratic(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = frame.numbers(g, get_class_name(model))
    parts = []
    for mean, rotation, scaling, prior in zip(
        model.means_, model.rotations_, model.scalings_, model.priors_, strict=True
    ):
        turned = g.matmul(g.op("Sub", x, g.const(mean[None, :])), rotation * scaling**-0.5)
        norm = g.total(g.op("Mul", turned, turned))
        both = g.op("Mul", g.op("Add", norm, g.const(np.log(scaling).sum())), g.const(-0.5))
        parts.append(g.op("Add", both, g.const(np.log(prior))))
    joint, classes = g.concat(parts), get_classes(model)
    return Predictions(len(classes), None, classes, g.argmax(joint), g.op("Softmax", joint, axis=1))


def predict_by_likelihood(g: Graph, classes: tuple[Any, ...], joint: str) -> Predictions:
    """A classifier that predicts the first greatest joint log likelihood (batch, classes).

    Probabilities are exp(x - log sum exp x) and no softmax: far from everything scikit-learn's do not sum to one.
    """
    top = g.op("ReduceMax", joint, g.ints(1), keepdims=1)
    total = g.op("Add", g.op("Log", g.total(g.op("Exp", g.op("Sub", joint, top)))), top)
    return Predictions(len(classes), None, classes, g.argmax(joint), g.op("Exp", g.op("Sub", joint, total)))


@register_predictor("GaussianNB")
def _write_gaussian_bayes(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = frame.numbers(g, get_class_name(model))
    parts = []
    for mean, variance, prior in zip(model.theta_, model.var_, model.class_prior_, strict=True):
        gap = g.op("Sub", x, g.const(mean[None, :]))
        distance = g.total(g.op("Div", g.op("Mul", gap, gap), g.const(variance[None, :])))
        constant = float(np.log(prior)) + float(-0.5 * np.log(2.0 * np.pi * variance).sum())  # each in its own dtype
        parts.append(g.op("Add", g.op("Mul", distance, g.const(-0.5)), g.const(constant)))
    return predict_by_likelihood(g, get_classes(model), g.concat(parts))


@register_predictor("MultinomialNB", "ComplementNB")
def _write_counting_bayes(g: Graph, model: Any, frame: Frame) -> Predictions:
    prior = model.class_log_prior_ if get_class_name(model) == "MultinomialNB" or len(model.classes_) == 1 else 0.0
    return predict_by_likelihood(
        g, get_classes(model), g.linear(frame.numbers(g, get_class_name(model)), model.feature_log_prob_, prior)
    )


@register_predictor("BernoulliNB")
def _write_bernoulli_bayes(g: Graph, model: Any, frame: Frame) -> Predictions:
    x = frame.numbers(g, get_class_name(model))
    if model.binarize is not None:
        x = g.double(g.op("Greater", x, g.const(float(model.binarize))))
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    joint = g.linear(x, model.feature_log_prob_ - absent, model.class_log_prior_ + absent.sum(axis=1))
    return predict_by_likelihood(g, get_classes(model), joint)


ACTIVATIONS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "logistic": "Sigmoid",
    "softmax": "Softmax",
    "identity": "",
    "exp": "Exp",
}


def _write_network(g: Graph, model: Any, frame: Frame) -> str:
    x = frame.numbers(g, get_class_name(model))
    last = len(model.coefs_) - 1
    for layer, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        x = g.op("Add", g.matmul(x, weights), g.const(bias))
        name = model.activation if layer < last else model.out_activation_
        if name not in ACTIVATIONS:
            raise NotConvertible(f"the activation {name} of {get_class_name(model)} is not known")
        if ACTIVATIONS[name]:
            x = g.op(ACTIVATIONS[name], x, **({"axis": 1} if name == "softmax" else {}))
    return x


@register_predictor("MLPRegressor")
def _write_mlp_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(model.n_outputs_, _write_network(g, model, frame))


@register_predictor("MLPClassifier")
def _write_mlp_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    if model._label_binarizer.y_type_.startswith("multilabel"):
        raise NotConvertible("MLPClassifier predicts several labels at once", "convert one model a label")
    out, classes = _write_network(g, model, frame), get_classes(model)
    if len(classes) == 2:
        return Predictions(2, None, classes, choose_by_threshold(g, out, 0.5), pair_with_complement(g, out))
    return predict_most_probable(g, model, out)


@register_predictor("DummyRegressor", "DummyClassifier", guards=False)
def _write_dummy(g: Graph, model: Any, frame: Frame) -> Predictions:
    first = frame.columns(g)[0].tensor
    rows = g.op("Shape", first, start=0, end=1)
    shape = g.op("Concat", rows, g.ints(1), axis=0)
    if get_class_name(model) == "DummyRegressor":
        constant = np.atleast_2d(model.constant_)
        return Predictions(constant.size, g.op("Expand", g.const(constant.reshape(1, -1)), shape))
    if model.strategy in ("stratified", "uniform"):
        raise NotConvertible(f"DummyClassifier(strategy={model.strategy!r}) answers at random", "use strategy='prior'")
    proba = model.predict_proba(np.zeros((1, 1)))
    return predict_most_probable(g, model, g.op("Expand", g.const(np.asarray(proba).reshape(1, -1)), shape))
