"""Probe rows sit where a wrong conversion shows: on every split that a row can reach, and at the extremes."""

from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
import pytest

from infer_bench.model import Feature
from infer_bench.trees.ensemble import LEAF, LEQ, LT, MEMBER, Ensemble, make_nodes
from infer_bench.trees.evaluate import leaf_indices
from infer_bench.trees.paths import boxes
from infer_bench.trees.probes import decode_columns, probe_rows, visit_rows
from infer_bench.trees.readers.lightgbm import read_lightgbm
from tests.converters.onnx.test_writer import random_ensemble


def stump(threshold: float, mode: Any = LEQ) -> Ensemble:
    nodes = make_nodes(
        feature=[0, 0, 0], threshold=[threshold, 0, 0], left=[1, -1, -1], right=[2, -1, -1], value=[0, 1, 2], mode=mode
    )
    return Ensemble(
        family="sklearn",
        task="regression",
        features=(Feature("a"), Feature("b")),
        nodes=nodes,
        roots=np.array([0]),
        output=np.array([0]),
        base=np.zeros(1),
    )


def visited(ensemble: Ensemble, rows: Any) -> set[int]:
    """The inner nodes that some row passes, found from the leaves upwards."""
    nodes = ensemble.nodes
    passed_nodes: set[int] = set()
    parent = {int(c): int(i) for i in np.flatnonzero(nodes.mode != LEAF) for c in (nodes.left[i], nodes.right[i])}
    for node in np.unique(leaf_indices(ensemble, rows)).tolist():
        while node in parent:
            node = parent[node]
            passed_nodes.add(node)
    return passed_nodes


@pytest.mark.parametrize("seed", range(6))
def test_every_reachable_numeric_split_is_reached_at_its_threshold(seed: int) -> None:
    ensemble = random_ensemble(seed)
    nodes = replace(ensemble.nodes, mode=np.minimum(ensemble.nodes.mode, LEQ))
    ensemble = replace(ensemble, nodes=replace(nodes, zero_missing=nodes.zero_missing & False), zero_band=0.0)
    inner = np.flatnonzero(ensemble.nodes.mode != LEAF)
    reach = boxes(ensemble, inner)
    for node, low, high, reachable in zip(inner, reach.low, reach.high, reach.reachable, strict=True):
        if not reachable:
            continue
        row = np.clip(np.zeros(3), low, high)
        row[ensemble.nodes.feature[node]] = ensemble.nodes.threshold[node]
        assert int(node) in visited(ensemble, row[None, :])


@pytest.mark.parametrize("mode", [LEQ, LT])
def test_both_sides_of_a_threshold_in_both_dtypes(mode: Any) -> None:
    rows = probe_rows(stump(1 / 3, mode))["thresholds"][:, 0]
    single = np.float32(1 / 3)
    neighbours = {1 / 3, np.nextafter(1 / 3, 1), np.nextafter(1 / 3, 0), float(single)}
    neighbours |= {float(np.nextafter(single, np.float32(1))), float(np.nextafter(single, np.float32(0)))}
    assert neighbours <= set(rows.tolist())


def test_extremes_come_one_feature_at_a_time_and_together() -> None:
    ensemble = random_ensemble(1)
    groups = probe_rows(ensemble)
    missing = np.isnan(groups["nan"])
    assert missing.any(axis=0).tolist() == np.isin(np.arange(3), ensemble.nodes.feature).tolist() or missing.any()
    assert missing.sum(axis=1).min() == 1
    assert missing.all(axis=1).any()
    assert {np.inf, -np.inf} <= set(groups["infinity"][-1].tolist()) | set(groups["infinity"][0].tolist()) | {np.inf}
    assert np.isposinf(groups["infinity"]).any()
    assert np.isneginf(groups["infinity"]).any()
    assert {0.0, 1e-35, -1e-35, 1e-45} <= set(groups["zero"].ravel().tolist())
    assert np.isfinite(groups["ordinary"]).all()


def test_categories_are_probed_beyond_what_was_seen() -> None:
    ensemble = replace(random_ensemble(4), features=tuple(Feature(n, "category") for n in "abc"))
    codes = probe_rows(ensemble)["categories"]
    assert (codes < 0).any()
    assert (codes != np.floor(codes)).any()
    assert (codes > 2**31).any()


def test_known_categories_hold_codes_or_nan_only() -> None:
    features = (Feature("a", "category", ("x", "y")), Feature("b"), Feature("c", "category", (10, 20, 30)))
    for rows in probe_rows(replace(random_ensemble(4), features=features)).values():
        assert set(rows[~np.isnan(rows[:, 0]), 0].tolist()) <= {0.0, 1.0}
        assert set(rows[~np.isnan(rows[:, 2]), 2].tolist()) <= {0.0, 1.0, 2.0}


def test_same_seed_same_rows_and_a_bounded_number() -> None:
    ensemble = random_ensemble(8)
    first, second, other = (probe_rows(ensemble, seed=seed, limit=300) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], second[name], equal_nan=True) for name in first)
    assert not np.array_equal(first["ordinary"], other["ordinary"])
    assert sum(len(rows) for rows in first.values()) <= 400


def test_codes_become_the_categories_that_they_stand_for() -> None:
    rows = np.array([[np.nan, 6.0], [np.nan, 7.0], [0.0, 5.0]])
    text = replace(stump(0.0), features=(Feature("a", "category", ("x", "unseen")), Feature("b")))
    columns = decode_columns(text, rows, unseen=False)
    assert columns["a"].tolist() == [None, None, "x"]
    assert columns["b"].tolist() == [6.0, 7.0, 5.0]
    strange = decode_columns(text, rows, unseen=True)["a"].tolist()
    assert strange[0] not in ("x", "unseen", None)
    assert strange[1:] == [None, "x"]
    numbers = replace(stump(0.0), features=(Feature("a", "category", (7, 9)), Feature("b")))
    np.testing.assert_array_equal(decode_columns(numbers, rows, unseen=False)["a"], [np.nan, np.nan, 7.0])
    np.testing.assert_array_equal(decode_columns(numbers, rows, unseen=True)["a"], [10.0, np.nan, 7.0])


def test_sets_on_the_way_are_honoured() -> None:
    nodes = make_nodes(
        feature=[1, 0, 0, 0, 0],
        threshold=[0, 0.5, 0, 0, 0],
        left=[1, 3, -1, -1, -1],
        right=[2, 4, -1, -1, -1],
        value=[0, 0, 1, 2, 3],
        mode=[MEMBER, LEQ, LEAF, LEAF, LEAF],
        member_start=[0, 2, 2, 2, 2, 2],
        members=[4, 6],
    )
    ensemble = replace(stump(0.0), nodes=nodes, features=(Feature("a"), Feature("b", "category")))
    rows = probe_rows(ensemble)["thresholds"]
    assert set(rows[:, 1].tolist()) <= {4.0, 6.0}
    assert visited(ensemble, rows) == {0, 1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_leaf_and_each_category_of_a_set_is_visited(dtype: Any) -> None:
    """The planted fault of a comparison may be in any one of them."""
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(size=(900, 3)), rng.integers(0, 40, 900)])
    score = np.sin(3 * rows[:, 0]) + rows[:, 1] * (rows[:, 3] % 3) + rng.normal(size=900) * 0.1
    settings = {"num_leaves": 31, "min_data_in_leaf": 2, "cat_smooth": 0, "cat_l2": 0, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, score, categorical_feature=[3]), 12)
    ensemble = read_lightgbm(booster)
    visits = visit_rows(ensemble, limit=8000).astype(dtype).astype(np.float64)
    leaves = np.flatnonzero(ensemble.nodes.mode == LEAF)
    assert len(np.setdiff1d(leaves, leaf_indices(ensemble, visits))) <= 0.02 * len(leaves)
    sets = np.flatnonzero(ensemble.nodes.mode == MEMBER)
    assert len(sets) > 5
    assert {float(code) for code in range(40)} <= set(visits[:, 3].tolist())


def test_a_limit_on_visits_is_kept() -> None:
    assert 0 < len(visit_rows(random_ensemble(2), limit=40)) <= 40
