"""scikit-learn's models of distances: support vector machines, nearest neighbours, k-means, Gaussian mixtures."""

from typing import Any

import numpy as np

from infer_bench.converters.onnx.graph import Frame, Graph
from infer_bench.converters.sklearn.linear import predict_by_likelihood
from infer_bench.converters.sklearn.registry import (
    Predictions,
    choose_by_threshold,
    predict_most_probable,
    register_predictor,
)
from infer_bench.errors import NotConvertible
from infer_bench.trees.readers.sklearn.estimators import get_class_name, get_classes
from infer_bench.typing import Array


def write_kernel(g: Graph, model: Any, x: str, points: Array) -> str:
    """The kernel of each row with each of `points`, (batch, points)."""
    if model.kernel not in ("linear", "poly", "rbf", "sigmoid"):
        raise NotConvertible(
            f"{get_class_name(model)} has the kernel {model.kernel!r}", "use linear, poly, rbf or sigmoid"
        )
    if model.kernel == "rbf":
        near = _sum_gaps(g, x, points, "euclidean") if points.shape[1] <= 64 else write_squared_distances(g, x, points)
        return g.op("Exp", g.op("Mul", near, g.const(-float(model._gamma))))
    product = g.matmul(x, points.T)
    if model.kernel == "linear":
        return product
    inner = g.op("Add", g.op("Mul", product, g.const(float(model._gamma))), g.const(float(model.coef0)))
    if model.kernel == "sigmoid":
        return g.op("Tanh", inner)
    return g.op("Pow", inner, g.const(float(model.degree)))


def write_squared_distances(g: Graph, x: str, points: Array) -> str:
    """|x - p|² as |x|² - 2 x·p + |p|², both moved to the points' mean, so that little cancels; (batch, points)."""
    centre = points.mean(axis=0)
    points = points - centre
    x = g.op("Sub", x, g.const(centre[None, :]))
    cross = g.matmul(x, -2.0 * points.T)
    whole = g.op("Add", g.op("Add", g.total(g.op("Mul", x, x)), cross), g.const((points**2).sum(axis=1)[None, :]))
    return g.op("Where", g.op("Less", whole, g.const(0.0)), g.const(0.0), whole)


def _to_dense(values: Any) -> Array:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values, dtype=np.float64)


def _write_decision(g: Graph, model: Any, frame: Frame) -> str:
    near = write_kernel(g, model, frame.numbers(g, get_class_name(model)), _to_dense(model.support_vectors_))
    return g.linear(near, _to_dense(model.dual_coef_), model.intercept_)


@register_predictor("SVR", "NuSVR")
def _write_regressor(g: Graph, model: Any, frame: Frame) -> Predictions:
    return Predictions(1, _write_decision(g, model, frame))


@register_predictor("OneClassSVM")
def _write_one_class(g: Graph, model: Any, frame: Frame) -> Predictions:
    scores = _write_decision(g, model, frame)
    return Predictions(2, None, (-1, 1), choose_by_threshold(g, scores), None, scores)


@register_predictor("SVC", "NuSVC")
def _write_classifier(g: Graph, model: Any, frame: Frame) -> Predictions:
    if model.probability is True:
        raise NotConvertible(
            f"{get_class_name(model)}(probability=True) couples its probabilities by iteration",
            "fit it with probability=False, or wrap it in CalibratedClassifierCV",
        )
    classes = get_classes(model)
    if len(classes) == 2:
        scores = _write_decision(g, model, frame)
        first = g.op("Less", scores, g.const([[0.0]]))  # libsvm gives a row with a score of 0 to the second class
        return Predictions(2, None, classes, g.flat(g.op("Cast", g.op("Not", first), to=7)), None, scores)
    return _vote_pairwise(g, model, frame, classes)


def _vote_pairwise(g: Graph, model: Any, frame: Frame, classes: tuple[Any, ...]) -> Predictions:
    """One machine a pair of classes, then votes (Hsu and Lin 2002), as libsvm counts them."""
    near = write_kernel(g, model, frame.numbers(g, get_class_name(model)), _to_dense(model.support_vectors_))
    pairs = [(i, j) for i in range(len(classes)) for j in range(i + 1, len(classes))]
    decisions = g.linear(near, _unpack_pair_weights(model, pairs), model.intercept_)
    first = np.array([[float(c == i) for c in range(len(classes))] for i, _ in pairs])
    second = np.array([[float(c == j) for c in range(len(classes))] for _, j in pairs])
    wins = g.double(g.op("Greater", decisions, g.const(0.0)))
    votes = g.matmul(wins, first - second)
    votes = g.op("Add", votes, g.const(second.sum(axis=0)[None, :]))
    if model.decision_function_shape == "ovo":
        return Predictions(len(pairs), None, classes, g.argmax(votes), None, decisions)
    sums = g.matmul(decisions, first - second)
    below = g.op("Mul", g.op("Add", g.op("Abs", sums), g.const(1.0)), g.const(3.0))
    ties = g.matmul(g.double(g.op("Less", decisions, g.const(0.0))), second - first)
    points_won = g.op("Add", ties, g.const(first.sum(axis=0)[None, :]))
    scores = g.op("Add", points_won, g.op("Div", sums, below))
    choice = g.argmax(scores if model.break_ties else votes)
    return Predictions(len(classes), None, classes, choice, None, scores)


def _unpack_pair_weights(model: Any, pairs: list[tuple[int, int]]) -> Array:
    """libsvm's packed dual coefficients as one row of weights a pair of classes."""
    packed, ends = _to_dense(model.dual_coef_), np.cumsum(model.n_support_)
    starts = ends - model.n_support_
    weights = np.zeros((len(pairs), packed.shape[1]))
    for row, (i, j) in enumerate(pairs):
        weights[row, starts[i] : ends[i]] = packed[j - 1, starts[i] : ends[i]]
        weights[row, starts[j] : ends[j]] = packed[i, starts[j] : ends[j]]
    return weights


@register_predictor("KMeans", "MiniBatchKMeans")
def _write_means(g: Graph, model: Any, frame: Frame) -> Predictions:
    points = np.asarray(model.cluster_centers_, dtype=np.float64)
    x = frame.numbers(g, get_class_name(model))
    gaps = write_squared_distances(g, x, points)
    # As scikit-learn compares them, so that far away rows, all of whose distances are one number, get its cluster too.
    nearness = g.op("Sub", g.matmul(x, 2.0 * points.T), g.const((points**2).sum(axis=1)[None, :]))
    clusters, choice = tuple(range(len(points))), g.argmax(nearness)
    return Predictions(len(points), None, clusters, choice, None, g.op("Sqrt", gaps), len(points))


@register_predictor("GaussianMixture")
def _write_mixture(g: Graph, model: Any, frame: Frame) -> Predictions:
    x, parts = frame.numbers(g, get_class_name(model)), []
    width = model.means_.shape[1]
    for i, (mean, weight) in enumerate(zip(model.means_, model.weights_, strict=True)):
        root = _get_precision_root(model, i, width)
        turned = g.op("Sub", g.matmul(x, root), g.const((mean @ root)[None, :]))
        constant = np.log(np.diag(root)).sum() + np.log(weight) - 0.5 * width * np.log(2 * np.pi)
        half = g.op("Mul", g.total(g.op("Mul", turned, turned)), g.const(-0.5))
        parts.append(g.op("Add", half, g.const(constant)))
    return predict_by_likelihood(g, tuple(range(len(parts))), g.concat(parts))


def _get_precision_root(model: Any, index: int, width: int) -> Array:
    roots = model.precisions_cholesky_
    if model.covariance_type == "tied":
        return np.asarray(roots)
    if model.covariance_type == "full":
        return np.asarray(roots[index])
    return np.diag(np.broadcast_to(roots[index], width))


@register_predictor("KNeighborsClassifier", "KNeighborsRegressor")
def _write_neighbours(g: Graph, model: Any, frame: Frame) -> Predictions:
    points, targets = _to_dense(model._fit_X), np.asarray(model._y)
    _refuse_ties(model, points, targets)
    gaps = _write_gaps(g, model, frame.numbers(g, get_class_name(model)), points)
    k = int(model.n_neighbors)
    nearest, indices = _find_nearest(g, gaps, k, len(points))
    weights = _weigh(g, model, nearest)
    if get_class_name(model) == "KNeighborsClassifier":
        classes = get_classes(model)
        hot = g.op("Gather", g.const(np.eye(len(classes))[targets.ravel()]), indices, axis=0)
        votes = g.op("ReduceSum", g.op("Mul", hot, weights), g.ints(1), keepdims=0)
        return predict_most_probable(g, model, g.op("Div", votes, g.total(votes)))
    table = targets.reshape(len(points), -1).astype(np.float64)
    picked = g.op("Mul", g.op("Gather", g.const(table), indices, axis=0), weights)
    total = g.op("ReduceSum", picked, g.ints(1), keepdims=0)
    return Predictions(table.shape[1], g.op("Div", total, g.op("ReduceSum", weights, g.ints(1), keepdims=0)))


def _find_nearest(g: Graph, gaps: str, k: int, points: int) -> tuple[str, str]:
    """The k least gaps and where they are; NaN for a row whose k-th and next neighbour are equally far."""
    more = min(k + 1, points)
    nearest, indices = g.ops("TopK", 2, gaps, g.ints(more), axis=1, largest=0, sorted=1)
    if more == k:
        return nearest, indices
    tie = g.op("Equal", g.take(nearest, [k - 1]), g.take(nearest, [k]))
    first = list(range(k))
    return g.op("Where", tie, g.const(np.float64(np.nan)), g.take(nearest, first)), g.take(indices, first)


def _refuse_ties(model: Any, points: Array, targets: Array) -> None:
    if len(points) * points.shape[1] > 5_000_000 or points.shape[1] > 64:
        raise NotConvertible(
            f"{get_class_name(model)} keeps {len(points)} × {points.shape[1]} numbers", "reduce its dimensions"
        )
    if np.isnan(points).any() or model.weights not in ("uniform", "distance"):
        raise NotConvertible(f"{get_class_name(model)} measures distances in a way of its own", "use weights='uniform'")
    if np.array_equal(points, np.round(points)) or len(np.unique(points, axis=0)) < len(points):
        raise NotConvertible(
            f"{get_class_name(model)} holds equal or whole-numbered rows: "
            "at equal distances it picks neighbours in no set order",
            "serve it with scikit-learn itself",
        )


def _write_gaps(g: Graph, model: Any, x: str, points: Array) -> str:
    """The distance of each row to each point, summed feature by feature as scikit-learn's trees do."""
    metric, p = model.effective_metric_, model.effective_metric_params_.get("p", 2)
    if "w" in model.effective_metric_params_:
        raise NotConvertible(
            f"{get_class_name(model)} weighs its columns (metric_params)", "scale them in a step before"
        )
    if metric == "minkowski" and p in (1, 2):
        metric = "manhattan" if p == 1 else "euclidean"
    if metric not in ("euclidean", "manhattan", "chebyshev"):
        raise NotConvertible(f"{get_class_name(model)} has the metric {metric!r}", "use euclidean or manhattan")
    total = _sum_gaps(g, x, points, metric)
    return g.op("Sqrt", total) if metric == "euclidean" else total


def _sum_gaps(g: Graph, x: str, points: Array, metric: str) -> str:
    """Sums (or maxima) of the gaps of each row to each point, feature by feature: no cancellation; (batch, points)."""
    total = ""
    for i, column in enumerate(points.T):
        gap = g.op("Sub", g.take(x, [i]), g.const(column[None, :]))
        gap = g.op("Mul", gap, gap) if metric == "euclidean" else g.op("Abs", gap)
        total = g.op("Max" if metric == "chebyshev" else "Add", total, gap) if total else gap
    return total


def _weigh(g: Graph, model: Any, nearest: str) -> str:
    """The weight of each neighbour, (batch, neighbours, 1); a neighbour at distance 0 leaves the others none."""
    if model.weights == "uniform":
        weights = g.op("Add", g.op("Mul", nearest, g.const(0.0)), g.const(1.0))
    else:
        zero = g.op("Equal", nearest, g.const(0.0))
        at_zero = g.op("Greater", g.total(g.double(zero)), g.const(0.0))
        inverse = g.op("Div", g.const(1.0), g.op("Where", zero, g.const(1.0), nearest))
        weights = g.op("Where", at_zero, g.double(zero), inverse)
    return g.op("Unsqueeze", weights, g.ints(2))
