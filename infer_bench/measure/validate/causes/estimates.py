"""Twists whose size is read off the candidate's answers: an offset, a class order, the number of trees. Pure."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from infer_bench.measure.validate.causes.counterfactual import BASE_SCORE, CLASSES, TRUNCATED, Counterfactual
from infer_bench.measure.validate.causes.counterfactuals import truncated
from infer_bench.measure.validate.causes.oracle import Oracle, TreeOracle, canonical
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.evaluate import apply_links, leaf_indices, leaf_values, prepare
from infer_bench.typing import Floats

Rows = npt.NDArray[np.intp]

FEW = 24
_LOG_LIKE = frozenset({"sigmoid", "exp"})


def estimates(
    oracle: Oracle, changes: Sequence[Counterfactual], now: Floats, wanted: Floats, rows: Rows
) -> list[Counterfactual]:
    """Twists that would bring the answers `now` (rows, outputs) to the `wanted` ones, given those applied already."""
    made = [*_classes(now, wanted)]
    if isinstance(oracle, TreeOracle):
        made += _offset(oracle.twisted(changes), now, wanted)
        made += _truncation(oracle, changes, wanted, rows)
        made += _turned(oracle, changes, wanted, rows)
    else:
        made += _shift(now, wanted)
    return made


def _classes(now: Floats, wanted: Floats) -> list[Counterfactual]:
    """Another order of the classes: the permutation of columns that comes nearest."""
    width = now.shape[1]
    if width == 1:
        bounded = bool(np.nanmin(now) >= 0 and np.nanmax(now) <= 1) if np.isfinite(now).any() else False
        return (
            [Counterfactual(CLASSES, "the two classes changed places", predictions=lambda x: 1.0 - x)]
            if bounded
            else []
        )
    with np.errstate(all="ignore"):
        gaps = np.array([[_typical(now[:, j] - wanted[:, i]) for j in range(width)] for i in range(width)])
    order = gaps.argmin(axis=1)
    if len(set(order.tolist())) < width or np.array_equal(order, np.arange(width)):
        return []
    shown = ", ".join(map(str, order.tolist()))
    return [Counterfactual(CLASSES, f"the classes stand in the order {shown}", predictions=lambda x: x[:, order])]


def _typical(gap: Floats) -> float:
    known = np.abs(gap[np.isfinite(gap)])
    return float(np.mean(known)) if len(known) else np.inf


def _offset(ensemble: Ensemble, now: Floats, wanted: Floats) -> list[Counterfactual]:
    """A constant added to the raw scores."""
    kinds = {link.kind for link in ensemble.links}
    if len(ensemble.links) > 1 or not kinds <= {"sigmoid", "exp", "softmax"}:
        return []
    if "softmax" in kinds:
        return _softmax_offset(now, wanted)
    factor = ensemble.links[0].a if ensemble.links else 1.0
    kind = ensemble.links[0].kind if ensemble.links else ""
    if now.shape[1] != ensemble.outputs:
        return []
    with np.errstate(all="ignore"):
        gap = (_raw(wanted, kind) - _raw(now, kind)) / factor
    by = _medians(gap)
    return [_added(by)] if by is not None else []


def _raw(predictions: Floats, kind: str) -> Floats:
    with np.errstate(all="ignore"):
        if kind == "sigmoid":
            return np.asarray(np.log(predictions) - np.log1p(-predictions))
        return np.asarray(np.log(predictions)) if kind == "exp" else predictions


def _softmax_offset(now: Floats, wanted: Floats) -> list[Counterfactual]:
    with np.errstate(all="ignore"):
        gap = np.log(wanted) - np.log(now)
        by = _medians(gap - gap[:, :1])
    return [_added(by)] if by is not None else []


def _medians(gap: Floats) -> Floats | None:
    known = gap[np.isfinite(gap).all(axis=1)]
    if not len(known):
        return None
    by: Floats = np.median(known, axis=0)
    return by if np.abs(by).max() > 1e-9 else None


def _added(by: Floats) -> Counterfactual:
    shown = ", ".join(f"{value:.6g}" for value in by[:4]) + (", …" if len(by) > 4 else "")
    return Counterfactual(BASE_SCORE, f"raw scores are offset by {shown}", trees=lambda e: replace(e, base=e.base + by))


def _shift(now: Floats, wanted: Floats) -> list[Counterfactual]:
    """Without trees: an offset of the answers themselves, or of their log-odds."""
    made = []
    by = _medians(wanted - now)
    if by is not None:
        shown = ", ".join(f"{value:.6g}" for value in by[:4])
        made.append(Counterfactual(BASE_SCORE, f"answers are offset by {shown}", predictions=lambda x: x + by))
    if np.isfinite(now).any() and np.nanmin(now) > 0 and np.nanmax(now) < 1 and now.shape[1] == 1:
        with np.errstate(all="ignore"):
            odds = _medians(_raw(wanted, "sigmoid") - _raw(now, "sigmoid"))
        if odds is not None:
            detail = f"log-odds are offset by {float(odds[0]):.6g}"
            made.append(Counterfactual(BASE_SCORE, detail, predictions=lambda x: _expit(_raw(x, "sigmoid") + odds)))
    return made


def _expit(x: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


def _turned(oracle: TreeOracle, changes: Sequence[Counterfactual], wanted: Floats, rows: Rows) -> list[Counterfactual]:
    """Whose class each tree adds to: the order of outputs that comes nearest, where each has a base score of its own.

    The base scores stay in their order, so that turning the answers is something else.
    """
    ensemble = oracle.twisted(changes)
    count = ensemble.outputs
    if count < 2 or np.all(ensemble.base == ensemble.base[0]) or np.any(ensemble.output < 0):
        return []
    if ensemble.linear is not None:
        return []
    chosen = np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(np.intp)
    sums = _running(ensemble, oracle.twisted_rows(changes, rows[chosen]))[-1]
    gaps = {order: _gap(ensemble, sums[:, order], wanted[chosen], ensemble.trees) for order in _orders(count)}
    best = min(gaps, key=lambda order: gaps[order])
    if not np.isfinite(gaps[best]):
        return []
    place = np.argsort(best)
    said = f"the trees of the classes stand in the order {', '.join(map(str, best))}, the base scores do not"
    return [Counterfactual(CLASSES, said, trees=lambda e: replace(e, output=place[e.output]))]


def _orders(count: int) -> list[tuple[int, ...]]:
    """Every order of a few outputs; of many those that are rotated, reversed, or have two changed places."""
    own = tuple(range(count))
    if count <= 4:
        return [order for order in itertools.permutations(own) if order != own]
    found = [own[i:] + own[:i] for i in range(1, count)] + [own[::-1]]
    if count <= 12:
        for i, j in itertools.combinations(own, 2):
            listed = list(own)
            listed[i], listed[j] = j, i
            found.append(tuple(listed))
    return list(dict.fromkeys(found))


def _truncation(
    oracle: TreeOracle, changes: Sequence[Counterfactual], wanted: Floats, rows: Rows
) -> list[Counterfactual]:
    """How many of the trees, from the first on, give the wanted answers."""
    ensemble = oracle.twisted(changes)
    if ensemble.trees < 2 or ensemble.linear is not None:
        return []
    chosen = np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(np.intp)
    scores = _running(ensemble, oracle.twisted_rows(changes, rows[chosen]))
    counts = np.arange(1, ensemble.trees)
    with np.errstate(all="ignore"):
        gaps = np.array([_gap(ensemble, scores[k], wanted[chosen], int(k)) for k in counts])
    best = int(counts[gaps.argmin()])
    if not np.isfinite(gaps.min()):
        return []
    rounds = max(1, ensemble.outputs)
    said = (
        f"{best // rounds:,} of {ensemble.trees // rounds:,} iterations are used"
        if best % rounds == 0
        else (f"{best:,} of {ensemble.trees:,} trees are used")
    )
    return [Counterfactual(TRUNCATED, said, trees=lambda e: truncated(e, best))]


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


def _gap(ensemble: Ensemble, sums: Floats, wanted: Floats, trees: int) -> float:
    """How far the answers of the first trees are from the wanted ones: the median row's largest gap."""
    divisor = ensemble.divisor if ensemble.divisor == 1 else ensemble.divisor * trees / ensemble.trees
    found = canonical(ensemble, apply_links(ensemble.links, ensemble.base + sums / divisor))
    if found.shape != wanted.shape:
        return float("inf")
    gaps = np.abs(found - wanted).max(axis=1)
    known = gaps[np.isfinite(gaps)]
    return float(np.median(known)) if len(known) else float("inf")
