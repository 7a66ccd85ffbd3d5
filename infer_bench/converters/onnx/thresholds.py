"""Thresholds that decide alike in another dtype, and the other rewritings that leave every decision as it was."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.errors import NotConvertible
from infer_bench.trees.ensemble import LEAF, LEQ, LT, MEMBER, Ensemble, Nodes, make_nodes
from infer_bench.typing import Array, Floats, Ints


def fold(ensemble: Ensemble, dtype: npt.DTypeLike) -> Array:
    """Thresholds (nodes,) in `dtype`, with which every row of that dtype goes where it went.

    x <= t keeps its meaning with the largest number of the dtype that is <= t, x < t with the smallest that is >= t.
    A library that reads |x| <= band as 0 compares 0 for all of these: t in [0, band] becomes the band's upper end, and
    t in [-band, 0) the next number below its lower end.
    """
    nodes = ensemble.nodes
    target: Any = np.dtype(dtype).type
    exact = nodes.threshold
    if np.isnan(exact).any():
        raise NotConvertible("a tree splits at NaN", "train the model again")
    with np.errstate(over="ignore", under="ignore"):
        near = exact.astype(dtype)
        down, up = np.nextafter(near, target(-np.inf)), np.nextafter(near, target(np.inf))
    threshold = np.where(nodes.mode == LT, np.where(near < exact, up, near), np.where(near > exact, down, near))
    return (
        _move_beyond_band(ensemble, threshold.astype(dtype), target) if ensemble.zero_band else threshold.astype(dtype)
    )


def _move_beyond_band(ensemble: Ensemble, threshold: Array, target: Any) -> Array:
    exact, band = ensemble.nodes.threshold, ensemble.zero_band
    if np.any((ensemble.nodes.mode == LT) & (np.abs(exact) <= band)):
        raise NotConvertible("a tree compares x < t for a t next to zero")
    upper = target(band) if target(band) <= band else np.nextafter(target(band), target(0))
    lower = np.nextafter(-upper, target(-np.inf))
    inside = (np.abs(exact) <= band) & (ensemble.nodes.mode == LEQ)
    return np.where(inside, np.where(exact < 0, lower, upper), threshold).astype(threshold.dtype)


def drop_unreachable_members(ensemble: Ensemble, dtype: npt.DTypeLike) -> Ensemble:
    """Without the members that no row of `dtype` can equal: rounded, they would be taken for another category."""
    nodes = ensemble.nodes
    exact = nodes.members.astype(dtype).astype(np.float64) == nodes.members
    if exact.all():
        return ensemble
    counts = np.concatenate(([0], np.cumsum(exact)))
    return replace(
        ensemble, nodes=replace(nodes, members=nodes.members[exact], member_start=counts[nodes.member_start])
    )


def drop_empty_sets(ensemble: Ensemble) -> Ensemble:
    """Nodes whose set of members is empty never hold: x < -inf says so without a set."""
    nodes = ensemble.nodes
    empty = (nodes.mode == MEMBER) & (np.diff(nodes.member_start) == 0)
    if not empty.any():
        return ensemble
    mode = np.where(empty, LT, nodes.mode)
    return replace(ensemble, nodes=replace(nodes, mode=mode, threshold=np.where(empty, -np.inf, nodes.threshold)))


def split_outputs(ensemble: Ensemble) -> Ensemble:
    """Trees whose leaves hold a value for each output, as one tree an output."""
    vector = ensemble.output < 0
    if not vector.any():
        return ensemble
    if not vector.all():
        raise NotConvertible("some trees answer one output and some all of them")
    nodes, count, outputs = ensemble.nodes, len(ensemble.nodes), ensemble.outputs
    shift = np.repeat(np.arange(outputs) * count, count)

    def child(index: Ints) -> Ints:
        tiled = np.tile(index, outputs)
        return np.where(tiled < 0, -1, tiled + shift)

    copies = _tile(nodes, outputs, child(nodes.left), child(nodes.right))
    roots = (ensemble.roots[None, :] + (np.arange(outputs) * count)[:, None]).ravel()
    return replace(ensemble, nodes=copies, roots=roots, output=np.repeat(np.arange(outputs), ensemble.trees))


def _tile(nodes: Nodes, outputs: int, left: Ints, right: Ints) -> Nodes:
    sizes = np.tile(np.diff(nodes.member_start), outputs)
    return make_nodes(
        feature=np.tile(nodes.feature, outputs),
        threshold=np.tile(nodes.threshold, outputs),
        left=left,
        right=right,
        value=nodes.value.T.ravel(),
        mode=np.tile(nodes.mode, outputs),
        missing_left=np.tile(nodes.missing_left, outputs),
        zero_missing=np.tile(nodes.zero_missing, outputs),
        member_start=np.concatenate(([0], np.cumsum(sizes))),
        members=np.tile(nodes.members, outputs),
    )


def slice_trees(ensemble: Ensemble, first: int, last: int) -> tuple[Ensemble, slice]:
    """Trees `first` up to `last` without the base scores, and where their nodes lie in the whole."""
    nodes = ensemble.nodes
    starts = np.append(ensemble.roots, len(nodes))
    begin, end = int(starts[first]), int(starts[min(last, ensemble.trees)])
    here, sets = slice(begin, end), nodes.member_start[begin : end + 1]
    part = make_nodes(
        feature=nodes.feature[here],
        threshold=nodes.threshold[here],
        left=np.where(nodes.left[here] < 0, -1, nodes.left[here] - begin),
        right=nodes.right[here] - begin,
        value=nodes.value[here],
        mode=nodes.mode[here],
        missing_left=nodes.missing_left[here],
        zero_missing=nodes.zero_missing[here],
        member_start=sets - sets[0],
        members=nodes.members[sets[0] : sets[-1]],
    )
    roots, output = ensemble.roots[first:last] - begin, ensemble.output[first:last]
    return replace(ensemble, nodes=part, roots=roots, output=output, base=np.zeros(ensemble.outputs)), here


def reverse_trees(ensemble: Ensemble) -> tuple[Ensemble, Ints]:
    """The trees in reverse order, and which node of the ensemble each of the new one's nodes is."""
    nodes = ensemble.nodes
    sizes = np.diff(np.append(ensemble.roots, len(nodes)))[::-1]
    roots = np.cumsum(sizes) - sizes
    source = np.arange(len(nodes)) + np.repeat(ensemble.roots[::-1] - roots, sizes)
    place = np.empty_like(source)
    place[source] = np.arange(len(nodes))
    members = np.diff(nodes.member_start)[source]
    starts = np.concatenate(([0], np.cumsum(members)))
    reordered = make_nodes(
        feature=nodes.feature[source],
        threshold=nodes.threshold[source],
        left=np.where(nodes.left[source] < 0, -1, place[nodes.left[source]]),
        right=place[nodes.right[source]],
        value=nodes.value[source],
        mode=nodes.mode[source],
        missing_left=nodes.missing_left[source],
        zero_missing=nodes.zero_missing[source],
        member_start=starts,
        members=nodes.members[np.arange(starts[-1]) + np.repeat(nodes.member_start[source] - starts[:-1], members)],
    )
    return replace(ensemble, nodes=reordered, roots=roots, output=ensemble.output[::-1]), source


def add_base_to_leaves(ensemble: Ensemble) -> Ensemble:
    """The base scores added to the leaves of each output's first tree, as a float32 library adds them: base first."""
    if not ensemble.base.any() or ensemble.divisor != 1.0 or ensemble.score_dtype != "float32":
        return ensemble
    value = ensemble.nodes.value.copy()
    ends = np.append(ensemble.roots[1:], len(ensemble.nodes))
    for output in np.flatnonzero(ensemble.base):
        first = np.flatnonzero(ensemble.output == output)
        if len(first) == 0:
            return ensemble
        part = slice(int(ensemble.roots[first[0]]), int(ends[first[0]]))
        leaf = ensemble.nodes.mode[part] == LEAF
        value[part, 0] += np.where(leaf, ensemble.base[output], 0.0)
    rounded: Floats = value.astype(np.float32).astype(np.float64)
    return replace(ensemble, nodes=replace(ensemble.nodes, value=rounded), base=np.zeros(ensemble.outputs))
