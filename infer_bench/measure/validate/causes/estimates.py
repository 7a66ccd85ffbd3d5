"""Changes whose size is read off the candidate's predictions: an offset, a class order, the number of trees. Pure."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from infer_bench.measure.validate.causes.counterfactual import BASE_SCORE, CLASSES, TRUNCATED, Counterfactual
from infer_bench.measure.validate.causes.reference import Reference, ReferenceTrees, canonical
from infer_bench.measure.validate.causes.tree_counts import truncate
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.evaluate import apply_links, leaf_indices, leaf_values, prepare
from infer_bench.typing import Floats, Indices

FEW = 24


def estimates(
    reference: Reference, changes: Sequence[Counterfactual], now: Floats, candidate: Floats, rows: Indices
) -> list[Counterfactual]:
    """Changes that would bring the predictions `now` (rows, outputs) to the candidate's, beside those in force."""
    counterfactuals = [*_classes(now, candidate)]
    if isinstance(reference, ReferenceTrees):
        counterfactuals += _offset(reference.with_changes(changes), now, candidate)
        counterfactuals += _truncation(reference, changes, candidate, rows)
        counterfactuals += _tree_order(reference, changes, candidate, rows)
    else:
        counterfactuals += _shift(now, candidate)
    return counterfactuals


def _classes(now: Floats, candidate: Floats) -> list[Counterfactual]:
    """Another order of the classes: the permutation of columns that comes nearest."""
    width = now.shape[1]
    if width == 1:
        if not np.isfinite(now).any():
            return []
        if np.nanmin(now) < 0 or np.nanmax(now) > 1:
            return [Counterfactual(CLASSES, "the scores have the other sign", predictions=lambda x: -x)]
        return [Counterfactual(CLASSES, "the two classes changed places", predictions=lambda x: 1.0 - x)]
    with np.errstate(all="ignore"):
        gaps = np.array([[_typical(now[:, j] - candidate[:, i]) for j in range(width)] for i in range(width)])
    order = gaps.argmin(axis=1)
    if len(set(order.tolist())) < width or np.array_equal(order, np.arange(width)):
        return []
    text = ", ".join(map(str, order.tolist()))
    return [Counterfactual(CLASSES, f"the classes stand in the order {text}", predictions=lambda x: x[:, order])]


def _typical(gap: Floats) -> float:
    sizes = np.abs(gap[np.isfinite(gap)])
    return float(np.mean(sizes)) if len(sizes) else np.inf


def _offset(ensemble: Ensemble, now: Floats, candidate: Floats) -> list[Counterfactual]:
    """A constant added to the raw scores."""
    kinds = {link.kind for link in ensemble.links}
    if len(ensemble.links) > 1 or not kinds <= {"sigmoid", "exp", "softmax"}:
        return []
    if "softmax" in kinds:
        return _softmax_offset(now, candidate)
    factor = ensemble.links[0].a if ensemble.links else 1.0
    kind = ensemble.links[0].kind if ensemble.links else ""
    if now.shape[1] != ensemble.outputs:
        return []
    with np.errstate(all="ignore"):
        gap = (_raw(candidate, kind) - _raw(now, kind)) / factor
    by = _medians(gap)
    return [_offset_base(by)] if by is not None else []


def _raw(predictions: Floats, kind: str) -> Floats:
    with np.errstate(all="ignore"):
        if kind == "sigmoid":
            return np.asarray(np.log(predictions) - np.log1p(-predictions))
        return np.asarray(np.log(predictions)) if kind == "exp" else predictions


def _softmax_offset(now: Floats, candidate: Floats) -> list[Counterfactual]:
    with np.errstate(all="ignore"):
        gap = np.log(candidate) - np.log(now)
        by = _medians(gap - gap[:, :1])
    return [_offset_base(by)] if by is not None else []


def _medians(gap: Floats) -> Floats | None:
    finite = gap[np.isfinite(gap).all(axis=1)]
    if not len(finite):
        return None
    by: Floats = np.median(finite, axis=0)
    return by if np.abs(by).max() > 1e-9 else None


def _offset_base(by: Floats) -> Counterfactual:
    text = ", ".join(f"{value:.6g}" for value in by[:4]) + (", …" if len(by) > 4 else "")
    return Counterfactual(BASE_SCORE, f"raw scores are offset by {text}", trees=lambda e: replace(e, base=e.base + by))


def _shift(now: Floats, candidate: Floats) -> list[Counterfactual]:
    """Without trees: an offset of the predictions themselves, or of their log-odds."""
    counterfactuals = []
    with np.errstate(invalid="ignore"):  # infinite on both sides
        by = _medians(candidate - now)
    if by is not None:
        text = ", ".join(f"{value:.6g}" for value in by[:4])
        counterfactuals.append(
            Counterfactual(BASE_SCORE, f"answers are offset by {text}", predictions=lambda x: x + by)
        )
    if np.isfinite(now).any() and np.nanmin(now) > 0 and np.nanmax(now) < 1 and now.shape[1] == 1:
        with np.errstate(all="ignore"):
            odds = _medians(_raw(candidate, "sigmoid") - _raw(now, "sigmoid"))
        if odds is not None:
            detail = f"log-odds are offset by {float(odds[0]):.6g}"
            counterfactuals.append(
                Counterfactual(BASE_SCORE, detail, predictions=lambda x: _expit(_raw(x, "sigmoid") + odds))
            )
    return counterfactuals


def _expit(x: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _tree_order(
    reference: ReferenceTrees, changes: Sequence[Counterfactual], candidate: Floats, rows: Indices
) -> list[Counterfactual]:
    """Whose class each tree adds to: the order of outputs that comes nearest, where each has a base score of its own.

    The base scores stay in their order, so that reordering the predictions is something else.
    """
    ensemble = reference.with_changes(changes)
    count = ensemble.outputs
    if count < 2 or np.all(ensemble.base == ensemble.base[0]) or np.any(ensemble.output < 0):
        return []
    if ensemble.linear is not None:
        return []
    sample = np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(np.intp)
    sums = _running(ensemble, reference.rows_with_changes(changes, rows[sample]))[-1]
    gaps = {order: _gap(ensemble, sums[:, order], candidate[sample], ensemble.trees) for order in _orders(count)}
    best = min(gaps, key=lambda order: gaps[order])
    if not np.isfinite(gaps[best]):
        return []
    place = np.argsort(best)
    detail = f"the trees of the classes stand in the order {', '.join(map(str, best))}, the base scores do not"
    return [Counterfactual(CLASSES, detail, trees=lambda e: replace(e, output=place[e.output]))]


def _orders(count: int) -> list[tuple[int, ...]]:
    """Every order of a few outputs; of many those that are rotated, reversed, or have two changed places."""
    own = tuple(range(count))
    if count <= 4:
        return [order for order in itertools.permutations(own) if order != own]
    orders = [own[i:] + own[:i] for i in range(1, count)] + [own[::-1]]
    if count <= 12:
        for i, j in itertools.combinations(own, 2):
            order = list(own)
            order[i], order[j] = j, i
            orders.append(tuple(order))
    return list(dict.fromkeys(orders))


def _truncation(
    reference: ReferenceTrees, changes: Sequence[Counterfactual], candidate: Floats, rows: Indices
) -> list[Counterfactual]:
    """How many of the trees, from the first on, give the candidate's predictions."""
    ensemble = reference.with_changes(changes)
    if ensemble.trees < 2 or ensemble.linear is not None:
        return []
    sample = np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(np.intp)
    scores = _running(ensemble, reference.rows_with_changes(changes, rows[sample]))
    counts = np.arange(1, ensemble.trees)
    with np.errstate(all="ignore"):
        gaps = np.array([_gap(ensemble, scores[k], candidate[sample], int(k)) for k in counts])
    best = int(counts[gaps.argmin()])
    if not np.isfinite(gaps.min()):
        return []
    rounds = max(1, ensemble.outputs)
    detail = (
        f"{best // rounds:,} of {ensemble.trees // rounds:,} iterations are used"
        if best % rounds == 0
        else (f"{best:,} of {ensemble.trees:,} trees are used")
    )
    return [Counterfactual(TRUNCATED, detail, trees=lambda e: truncate(e, best))]


def _running(ensemble: Ensemble, matrix: Floats) -> Floats:
    """Sums after each tree, (trees + 1, rows, outputs), without the base."""
    leaves, ready = leaf_indices(ensemble, matrix), prepare(ensemble, matrix)
    sums = np.zeros((ensemble.trees + 1, len(matrix), ensemble.outputs))
    for tree in range(ensemble.trees):
        sums[tree + 1] = sums[tree]
        value = leaf_values(ensemble, ready, leaves[:, tree])
        output = ensemble.output[tree]
        if output < 0:
            sums[tree + 1] += value
        else:
            sums[tree + 1, :, output] += value[:, 0]
    return sums


def _gap(ensemble: Ensemble, sums: Floats, candidate: Floats, trees: int) -> float:
    """How far the predictions of the first trees are from the candidate's: the median row's largest gap."""
    divisor = ensemble.divisor if ensemble.divisor == 1 else ensemble.divisor * trees / ensemble.trees
    predictions = canonical(ensemble, apply_links(ensemble.links, ensemble.base + sums / divisor))
    if predictions.shape != candidate.shape:
        return float("inf")
    gaps = np.abs(predictions - candidate).max(axis=1)
    finite = gaps[np.isfinite(gaps)]
    return float(np.median(finite)) if len(finite) else float("inf")
