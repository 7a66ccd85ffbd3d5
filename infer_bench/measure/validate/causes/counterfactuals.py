"""What may go wrong with a model, each as a change that can be applied to a correct one. Pure.

A twist changes the rows before they are answered, the trees, or the answers. Twists of one `cause` exclude each other.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from infer_bench.measure.validate.causes.category_counterfactuals import category_twists
from infer_bench.measure.validate.causes.counterfactual import (
    AVERAGE,
    BASE_SCORE,
    COLUMNS,
    COMPARISON,
    INPUT_CAST,
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
from infer_bench.trees.ensemble import LEAF, LEQ, LT, MEMBER, Ensemble, Link, Nodes
from infer_bench.typing import Floats

__all__ = ["Counterfactual", "cast32", "on_predictions", "on_rows", "on_trees", "orders", "swapped", "truncated"]


def cast32(values: Floats) -> Floats:
    """Rounded to float32, in double."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


def on_rows(names: tuple[str, ...]) -> list[Counterfactual]:
    """Twists that need no structure: what a candidate may do to a row of these columns before it looks at it."""
    made = [
        Counterfactual(INPUT_CAST, "rows are rounded to float32", rows=cast32),
        Counterfactual(MISSING, "NaN is read as 0", rows=lambda x: np.where(np.isnan(x), 0.0, x)),
        Counterfactual(MISSING, "0 is read as missing", rows=lambda x: np.where(x == 0, np.nan, x)),
    ]
    made += [Counterfactual(COLUMNS, detail, rows=_permuted(order)) for detail, order in orders(names)]
    return made


def on_predictions() -> list[Counterfactual]:
    """Links that are missing or were added, told from the answers alone."""
    changes: dict[str, OnPredictions] = {
        "the sigmoid is missing": lambda p: np.log(p) - np.log1p(-p),
        "a sigmoid was added": lambda x: 1.0 / (1.0 + np.exp(-x)),
        "the exp is missing": np.log,
        "an exp was added": np.exp,
    }
    return [Counterfactual(LINK, said, predictions=_quietly(change)) for said, change in changes.items()]


def _quietly(change: OnPredictions) -> OnPredictions:
    def quiet(predictions: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(change(predictions), dtype=np.float64)

    return quiet


def orders(names: tuple[str, ...]) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """Orders in which columns get mixed up: (detail, positions), those that change nothing left out."""
    count = len(names)
    numbered = [f"f{i}" for i in range(count)]
    listed = {
        "the columns are reversed": np.arange(count)[::-1],
        "the columns are sorted by name": np.argsort(np.array(names, dtype=object), kind="stable"),
        "the columns are sorted as text (f0, f1, f10, …)": np.argsort(np.array(numbered, dtype=object), kind="stable"),
        "the columns are shifted by one": np.roll(np.arange(count), 1),
        "the columns are shifted back by one": np.roll(np.arange(count), -1),
    }
    found: dict[bytes, tuple[str, npt.NDArray[np.intp]]] = {}
    for detail, order in listed.items():
        for said, way in ((detail, order), (detail, np.argsort(order))):
            if not np.array_equal(way, np.arange(count)):
                found.setdefault(np.asarray(way, dtype=np.intp).tobytes(), (said, way))
    return list(found.values())


def swapped(names: tuple[str, ...], i: int, j: int) -> Counterfactual:
    """Two columns stand in each other's place."""
    order = np.arange(len(names))
    order[[i, j]] = order[[j, i]]
    return Counterfactual(COLUMNS, f"{names[i]} and {names[j]} are swapped", rows=_permuted(order))


def _permuted(order: npt.NDArray[np.intp]) -> OnRows:
    return lambda x: x[:, order]


def on_trees(ensemble: Ensemble, matrix: Floats) -> list[Counterfactual]:
    """Twists of the trees that apply to this ensemble on these rows (rows, features)."""
    nodes = ensemble.nodes
    inner = (nodes.mode == LEQ) | (nodes.mode == LT)
    made: list[Counterfactual] = []
    if inner.any():
        made += _casts(ensemble) + _comparisons(ensemble) + _missing(ensemble)
    if ensemble.refuses != "nothing":
        made += _answered(ensemble, [change for change in made if change.cause == MISSING])
    if (nodes.mode == MEMBER).any():
        made += category_twists(ensemble, matrix)
    if ensemble.zero_band:
        made.append(
            Counterfactual(
                MISSING, "numbers within 1e-35 of 0 are not read as 0", trees=lambda e: replace(e, zero_band=0.0)
            )
        )
    if np.any(ensemble.base != 0):
        none = np.zeros_like(ensemble.base)
        made.append(Counterfactual(BASE_SCORE, "the base score is left out", trees=lambda e: replace(e, base=none)))
    if ensemble.linear_leaves is not None:
        made.append(
            Counterfactual(
                LINEAR, "the leaves' linear terms are dropped", trees=lambda e: replace(e, linear_leaves=None)
            )
        )
        made.append(Counterfactual(LINEAR, "the leaves' constants stand alone", trees=_only_constants))
    return made + _links(ensemble) + _averages(ensemble)


def _casts(ensemble: Ensemble) -> list[Counterfactual]:
    t = ensemble.nodes.threshold[ensemble.nodes.mode != LEAF]
    up, down = int((cast32(t) > t).sum()), int((cast32(t) < t).sum())
    made = []
    if up or down:
        said = " and ".join([f"{n:,} {w}" for n, w in ((up, "up"), (down, "down")) if n])
        made.append(
            Counterfactual(THRESHOLD_CAST, f"thresholds are rounded to float32, {said}", trees=_thresholds(cast32))
        )
    for digits in (6, 8):
        short = _shortened(digits)
        if not np.array_equal(short(t), t):
            made.append(
                Counterfactual(THRESHOLD_CAST, f"thresholds are cut to {digits} digits", trees=_thresholds(short))
            )
    return made


def _shortened(digits: int) -> OnRows:
    def short(values: Floats) -> Floats:
        return np.array([float(f"{v:.{digits}g}") for v in values.tolist()], dtype=np.float64)

    return short


def _thresholds(change: OnRows) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, threshold=change(e.nodes.threshold)))


def _comparisons(ensemble: Ensemble) -> list[Counterfactual]:
    swap = {int(LEQ): LT, int(LT): LEQ}
    said = "≤ became <" if (ensemble.nodes.mode == LEQ).any() else "< became ≤"

    def change(e: Ensemble) -> Ensemble:
        mode = e.nodes.mode.copy()
        for old, new in swap.items():
            mode[e.nodes.mode == old] = new
        return replace(e, nodes=replace(e.nodes, mode=mode))

    return [Counterfactual(COMPARISON, said, trees=change)]


def _missing(ensemble: Ensemble) -> list[Counterfactual]:
    nodes = ensemble.nodes
    split = nodes.mode != LEAF
    made = []
    for said, way in (("right", False), ("left", True)):
        if (nodes.missing_left[split] != way).any():
            made.append(Counterfactual(MISSING, f"NaN always goes {said}", trees=_routed(np.where(split, way, False))))
    made.append(Counterfactual(MISSING, "NaN goes the other way", trees=_routed(split & ~nodes.missing_left)))
    made += _missing_numbers(nodes) if (nodes.mode == MEMBER).any() else []
    if nodes.zero_missing.any():
        made.append(
            Counterfactual(MISSING, "zero is no longer missing", trees=_zero(np.zeros_like(nodes.zero_missing)))
        )
    else:
        made.append(Counterfactual(MISSING, "zero is read as missing", trees=_zero(split)))
    return made


def _missing_numbers(nodes: Nodes) -> list[Counterfactual]:
    """As beside sets of categories, which keep their way: a threshold of -inf is an empty set, too."""
    number = ((nodes.mode == LEQ) | (nodes.mode == LT)) & (nodes.threshold > -np.inf)
    ways = {"the other way": ~nodes.missing_left, "right": np.zeros_like(number), "left": np.ones_like(number)}
    return [
        Counterfactual(
            MISSING, f"NaN goes {said} at splits of numbers", trees=_routed(np.where(number, way, nodes.missing_left))
        )
        for said, way in ways.items()
        if (nodes.missing_left[number] != way[number]).any()
    ]


def _answered(ensemble: Ensemble, routes: list[Counterfactual]) -> list[Counterfactual]:
    """Rows that the library refuses get an answer; those with NaN go the trees' way, or another of the `routes`."""

    def dropped(e: Ensemble) -> Ensemble:
        return replace(e, refuses="nothing")

    if ensemble.refuses == "infinite":
        return [Counterfactual(REFUSED, "rows with an infinity are answered, not refused", trees=dropped)]
    said = "rows with missing values are answered, not refused"
    made = [Counterfactual(MISSING, said, trees=dropped)]
    for change in routes:
        if change.trees is not None:
            made.append(Counterfactual(MISSING, f"{said}: {change.detail}", trees=_then(change.trees, dropped)))
    return made


def _then(first: OnTrees, second: OnTrees) -> OnTrees:
    return lambda e: second(first(e))


def _routed(left: npt.NDArray[np.bool_]) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, missing_left=left))


def _zero(flags: npt.NDArray[np.bool_]) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, zero_missing=flags))


def _only_constants(e: Ensemble) -> Ensemble:
    leaves = e.linear_leaves
    assert leaves is not None
    return replace(e, linear_leaves=replace(leaves, coefficient=np.zeros_like(leaves.coefficient)))


def _links(ensemble: Ensemble) -> list[Counterfactual]:
    """Other links than the model's own: none, or another one."""
    held = ensemble.links
    others: list[tuple[str, tuple[Link, ...]]] = []
    if held:
        others.append((f"the {held[0].kind} is missing", ()))
    for kind in ("sigmoid", "exp", "softmax") if ensemble.outputs > 1 else ("sigmoid", "exp"):
        said = f"{kind} in place of {held[0].kind}" if held else f"a {kind} was added"
        link = Link(kind)
        if not held or held[0].kind != kind:
            others.append((said, (link,)))
    if held and held[0].kind == "sigmoid" and ensemble.outputs > 1:
        others.append(("the classes are normalised to sum to 1", (*held, Link("normalise"))))
    if len(held) > 1:
        others.append((f"the {held[-1].kind} is missing", held[:-1]))
    if held and held[0].kind == "sigmoid" and held[0].a != 1:
        others.append((f"the sigmoid's factor {held[0].a:g} is dropped", (replace(held[0], a=1.0), *held[1:])))
    return [Counterfactual(LINK, said, trees=_linked(links)) for said, links in others]


def _linked(links: tuple[Link, ...]) -> OnTrees:
    return lambda e: replace(e, links=links)


def _averages(ensemble: Ensemble) -> list[Counterfactual]:
    rounds = max(1, ensemble.trees // max(1, ensemble.outputs))
    options = {1.0: "trees are summed, not averaged", float(rounds): "trees are averaged, not summed"}
    options[100.0] = "the sum is divided by 100"
    return [
        Counterfactual(AVERAGE, said, trees=_divided(by))
        for by, said in options.items()
        if by != ensemble.divisor and rounds > 1
    ]


def _divided(by: float) -> OnTrees:
    return lambda e: replace(e, divisor=by)


def truncated(ensemble: Ensemble, trees: int) -> Ensemble:
    """The first `trees` trees only; an average stays one over those that are left."""
    share = trees / max(1, ensemble.trees)
    divisor = ensemble.divisor if ensemble.divisor == 1 else ensemble.divisor * share
    return replace(ensemble, roots=ensemble.roots[:trees], output=ensemble.output[:trees], divisor=divisor)
