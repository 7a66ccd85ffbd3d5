"""What may go wrong with categories that a model has not seen, as changes of a correct one. Pure."""

from dataclasses import replace

import numpy as np

from infer_bench.measure.validate.causes.counterfactual import CATEGORY, MISSING, Counterfactual, OnRows, OnTrees
from infer_bench.trees.ensemble import MEMBER, Ensemble
from infer_bench.trees.evaluate import rounded
from infer_bench.typing import Bools, Floats

_WORD = 32


def category_counterfactuals(ensemble: Ensemble, matrix: Floats) -> list[Counterfactual]:
    """Changes of an ensemble with sets of categories, on these rows (rows, features)."""
    members = ensemble.nodes.mode == MEMBER
    features = np.unique(ensemble.nodes.feature[members]).tolist()
    strange = {i: _strange(ensemble, matrix[:, i], i) for i in features}
    changes = [
        Counterfactual(CATEGORY, "an unseen category is read as missing", rows=_read_as(strange, np.nan)),
        Counterfactual(CATEGORY, "an unseen category is read as the first", rows=_read_as(strange, 0.0)),
        Counterfactual(MISSING, "a missing category takes the members' way", trees=_missing_left(members)),
    ]
    every = np.unique(np.concatenate(list(strange.values())))
    for detail, codes in (
        ("an unseen category takes the members' way", every),
        ("an unseen category takes the members' way, unless it is negative", every[every >= 0]),
        (
            "an unseen category within a set's last word takes the members' way",
            every[(every >= 0) & (every < _end(ensemble))],
        ),
    ):
        if len(codes):
            changes.append(Counterfactual(CATEGORY, detail, trees=_with_members(codes)))
    for rounding in ("none", "truncate", "floor"):
        if rounding != ensemble.rounding:
            changes.append(
                Counterfactual(CATEGORY, "a fractional category is rounded otherwise", trees=_rounding(rounding))
            )
    return changes


def _end(ensemble: Ensemble) -> float:
    """Where the bit sets end: the first code beyond their last word."""
    highest = float(ensemble.nodes.members.max(initial=0.0))
    return (highest // _WORD + 1) * _WORD


def _strange(ensemble: Ensemble, column: Floats, feature: int) -> Floats:
    """The codes among the rows that no set of the feature's splits holds."""
    nodes = ensemble.nodes
    splits = np.flatnonzero((nodes.mode == MEMBER) & (nodes.feature == feature))
    members = [nodes.members[nodes.member_start[i] : nodes.member_start[i + 1]] for i in splits]
    usual = np.unique(np.concatenate(members)) if members else np.zeros(0)
    codes = rounded(ensemble, column[np.isfinite(column)])
    return np.setdiff1d(codes, usual)


def _read_as(strange: dict[int, Floats], value: float) -> OnRows:
    def change(x: Floats) -> Floats:
        x = x.copy()
        for i, codes in strange.items():
            x[np.isin(np.trunc(x[:, i]), codes), i] = value
        return x

    return change


def _missing_left(members: Bools) -> OnTrees:
    return lambda e: replace(e, nodes=replace(e.nodes, missing_left=e.nodes.missing_left | members))


def _with_members(codes: Floats) -> OnTrees:
    """Every set holds these codes too."""

    def change(e: Ensemble) -> Ensemble:
        nodes = e.nodes
        parts, sizes = [], np.zeros(len(nodes), dtype=np.int64)
        for i in np.flatnonzero(nodes.mode == MEMBER):
            members = np.union1d(nodes.members[nodes.member_start[i] : nodes.member_start[i + 1]], codes)
            parts.append(members)
            sizes[i] = len(members)
        start = np.concatenate(([0], np.cumsum(sizes)))
        return replace(e, nodes=replace(nodes, member_start=start, members=np.concatenate(parts)))

    return change


def _rounding(rounding: str) -> OnTrees:
    return lambda e: replace(e, rounding=rounding)  # type: ignore[arg-type]
