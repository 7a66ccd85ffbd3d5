"""What may go wrong with a model, each as a change that can be applied to a correct one. Pure.

A counterfactual changes the rows before they are predicted, the trees, or the predictions. Those of one `cause` exclude
each other.
"""

from dataclasses import replace

import numpy as np

from infer_bench.measure.validate.causes.categories import category_counterfactuals
from infer_bench.measure.validate.causes.counterfactual import (
    AVERAGE,
    BASE_SCORE,
    COMPARISON,
    LINEAR,
    LINK,
    MISSING,
    REFUSED,
    THRESHOLD_CAST,
    Counterfactual,
    OnPredictions,
    OnRows,
    OnTrees,
)
from infer_bench.measure.validate.causes.row_changes import cast32
from infer_bench.trees.ensemble import LEAF, LEQ, LT, MEMBER, Ensemble, Link, Nodes
from infer_bench.typing import Bools, Floats

__all__ = ["Counterfactual", "on_predictions", "on_trees"]


def on_predictions() -> list[Counterfactual]:
    """Links that are missing or were added, told from the predictions alone."""
    links: dict[str, OnPredictions] = {
        "the sigmoid is missing": lambda p: np.log(p) - np.log1p(-p),
        "a sigmoid was added": lambda x: 1.0 / (1.0 + np.exp(-x)),
        "the exp is missing": np.log,
        "an exp was added": np.exp,
    }
    return [Counterfactual(LINK, detail, predictions=_quietly(change)) for detail, change in links.items()]


def _quietly(change: OnPredictions) -> OnPredictions:
    def quiet(predictions: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(change(predictions), dtype=np.float64)

    return quiet


def on_trees(ensemble: Ensemble, matrix: Floats) -> list[Counterfactual]:
    """Changes of the trees that apply to this ensemble on these rows (rows, features)."""
    nodes = ensemble.nodes
    inner = (nodes.mode == LEQ) | (nodes.mode == LT)
    changes: list[Counterfactual] = []
    if inner.any():
        changes += _casts(ensemble) + _comparisons(ensemble) + _missing(ensemble)
    if ensemble.refuses != "nothing":
        changes += _without_refusal(ensemble, [change for change in changes if change.cause == MISSING])
    if (nodes.mode == MEMBER).any():
        changes += category_counterfactuals(ensemble, matrix)
    if ensemble.zero_band:
        changes.append(
            Counterfactual(
                MISSING, "numbers within 1e-35 of 0 are not read as 0", trees=lambda e: replace(e, zero_band=0.0)
            )
        )
    if np.any(ensemble.base != 0):
        none = np.zeros_like(ensemble.base)
        changes.append(Counterfactual(BASE_SCORE, "the base score is left out", trees=lambda e: replace(e, base=none)))
    if ensemble.linear_leaves is not None:
        changes.append(
            Counterfactual(
                LINEAR, "the leaves' linear terms are dropped", trees=lambda e: replace(e, linear_leaves=None)
            )
        )
        changes.append(Counterfactual(LINEAR, "the leaves' constants stand alone", trees=_only_constants))
    return changes + _links(ensemble) + _averages(ensemble)


def _casts(ensemble: Ensemble) -> list[Counterfactual]:
    t = ensemble.nodes.threshold[ensemble.nodes.mode != LEAF]
    up, down = int((cast32(t) > t).sum()), int((cast32(t) < t).sum())
    changes = []
    if up or down:
        detail = " and ".join([f"{n:,} {w}" for n, w in ((up, "up"), (down, "down")) if n])
        changes.append(
            Counterfactual(THRESHOLD_CAST, f"thresholds are rounded to float32, {detail}", trees=_thresholds(cast32))
        )
    for digits in (6, 8):
        short = _short_decimals(digits)
        if not np.array_equal(short(t), t):
            changes.append(
                Counterfactual(THRESHOLD_CAST, f"thresholds are cut to {digits} digits", trees=_thresholds(short))
            )
    return changes


def _short_decimals(digits: int) -> OnRows:
    def short(values: Floats) -> Floats:
        return np.array([float(f"{v:.{digits}g}") for v in values.tolist()], dtype=np.float64)

    return short


def _thresholds(change: OnRows) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, threshold=change(e.nodes.threshold)))


def _comparisons(ensemble: Ensemble) -> list[Counterfactual]:
    opposite = {int(LEQ): LT, int(LT): LEQ}
    detail = "≤ became <" if (ensemble.nodes.mode == LEQ).any() else "< became ≤"

    def change(e: Ensemble) -> Ensemble:
        mode = e.nodes.mode.copy()
        for old, new in opposite.items():
            mode[e.nodes.mode == old] = new
        return replace(e, nodes=replace(e.nodes, mode=mode))

    return [Counterfactual(COMPARISON, detail, trees=change)]


def _missing(ensemble: Ensemble) -> list[Counterfactual]:
    nodes = ensemble.nodes
    splits = nodes.mode != LEAF
    changes = []
    for detail, way in (("right", False), ("left", True)):
        if (nodes.missing_left[splits] != way).any():
            changes.append(
                Counterfactual(MISSING, f"NaN always goes {detail}", trees=_missing_goes(np.where(splits, way, False)))
            )
    changes.append(Counterfactual(MISSING, "NaN goes the other way", trees=_missing_goes(splits & ~nodes.missing_left)))
    changes += _missing_numbers(nodes) if (nodes.mode == MEMBER).any() else []
    if nodes.zero_missing.any():
        changes.append(
            Counterfactual(MISSING, "zero is no longer missing", trees=_zero(np.zeros_like(nodes.zero_missing)))
        )
    else:
        changes.append(Counterfactual(MISSING, "zero is read as missing", trees=_zero(splits)))
    return changes


def _missing_numbers(nodes: Nodes) -> list[Counterfactual]:
    """As beside sets of categories, which keep their way: a threshold of -inf is an empty set, too."""
    number = ((nodes.mode == LEQ) | (nodes.mode == LT)) & (nodes.threshold > -np.inf)
    ways = {"the other way": ~nodes.missing_left, "right": np.zeros_like(number), "left": np.ones_like(number)}
    return [
        Counterfactual(
            MISSING,
            f"NaN goes {detail} at splits of numbers",
            trees=_missing_goes(np.where(number, way, nodes.missing_left)),
        )
        for detail, way in ways.items()
        if (nodes.missing_left[number] != way[number]).any()
    ]


def _without_refusal(ensemble: Ensemble, routes: list[Counterfactual]) -> list[Counterfactual]:
    """Rows that the library refuses get a prediction; those with NaN go the trees' way, or another of the `routes`."""

    def unrefusing(e: Ensemble) -> Ensemble:
        return replace(e, refuses="nothing")

    if ensemble.refuses == "infinite":
        return [Counterfactual(REFUSED, "rows with an infinity are answered, not refused", trees=unrefusing)]
    detail = "rows with missing values are answered, not refused"
    changes = [Counterfactual(MISSING, detail, trees=unrefusing)]
    for change in routes:
        if change.trees is not None:
            changes.append(Counterfactual(MISSING, f"{detail}: {change.detail}", trees=_then(change.trees, unrefusing)))
    return changes


def _then(first: OnTrees, second: OnTrees) -> OnTrees:
    return lambda e: second(first(e))


def _missing_goes(way: Bools) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, missing_left=way))


def _zero(flags: Bools) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, zero_missing=flags))


def _only_constants(e: Ensemble) -> Ensemble:
    leaves = e.linear_leaves
    assert leaves is not None
    return replace(e, linear_leaves=replace(leaves, coefficient=np.zeros_like(leaves.coefficient)))


def _links(ensemble: Ensemble) -> list[Counterfactual]:
    """Other links than the model's own: none, or another one."""
    links = ensemble.links
    others: list[tuple[str, tuple[Link, ...]]] = []
    if links:
        others.append((f"the {links[0].kind} is missing", ()))
    for kind in ("sigmoid", "exp", "softmax") if ensemble.outputs > 1 else ("sigmoid", "exp"):
        detail = f"{kind} in place of {links[0].kind}" if links else f"a {kind} was added"
        link = Link(kind)
        if not links or links[0].kind != kind:
            others.append((detail, (link,)))
    if links and links[0].kind == "sigmoid" and ensemble.outputs > 1:
        others.append(("the classes are normalised to sum to 1", (*links, Link("normalise"))))
    if len(links) > 1:
        others.append((f"the {links[-1].kind} is missing", links[:-1]))
    if links and links[0].kind == "sigmoid" and links[0].a != 1:
        others.append((f"the sigmoid's factor {links[0].a:g} is dropped", (replace(links[0], a=1.0), *links[1:])))
    return [Counterfactual(LINK, detail, trees=_with_links(other)) for detail, other in others]


def _with_links(links: tuple[Link, ...]) -> OnTrees:
    return lambda e: replace(e, links=links)


def _averages(ensemble: Ensemble) -> list[Counterfactual]:
    rounds = max(1, ensemble.trees // max(1, ensemble.outputs))
    options = {1.0: "trees are summed, not averaged", float(rounds): "trees are averaged, not summed"}
    options[100.0] = "the sum is divided by 100"
    return [
        Counterfactual(AVERAGE, detail, trees=_with_divisor(by))
        for by, detail in options.items()
        if by != ensemble.divisor and rounds > 1
    ]


def _with_divisor(by: float) -> OnTrees:
    return lambda e: replace(e, divisor=by)
