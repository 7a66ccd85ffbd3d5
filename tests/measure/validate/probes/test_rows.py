"""Probes: on every split and beside it, nothing that float32 cannot hold where a side takes float32."""

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.measure.validate.probes.rows import Probe, as_float32, probes
from infer_bench.model import Feature, ModelSpec

SPEC = ModelSpec(
    "binary",
    (
        Feature("a"),
        Feature("b"),
        Feature("count", "integer"),
        Feature("city", "category", ("x", "y")),
        Feature("code", "category", (0, 3)),
    ),
    ("output",),
)
THRESHOLDS = {"a": (0.1, 0.7, 1e300), "b": (1.0,)}


def groups_of(*, float32: bool = True, rows: Table | None = None) -> dict[str, Probe]:
    return {probe.name: probe for probe in probes(SPEC, THRESHOLDS, float32=float32, seed=1, rows=rows)}


def test_every_threshold_and_its_neighbours_are_visited() -> None:
    points = set(groups_of(float32=False)["thresholds"].table.columns["a"].tolist())
    for threshold in THRESHOLDS["a"]:
        assert {threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)} <= points
    single = np.float32(0.7)
    assert {
        float(single),
        float(np.nextafter(single, np.float32(1))),
        float(np.nextafter(single, np.float32(0))),
    } <= points


def test_in_float32_every_number_is_one_that_float32_holds() -> None:
    for probe in groups_of().values():
        for column in probe.table.columns.values():
            if column.dtype.kind == "f":
                with np.errstate(over="raise"):
                    assert np.array_equal(column.astype(np.float32).astype(np.float64), column, equal_nan=True)


def test_each_group_holds_what_it_is_called_after() -> None:
    groups = groups_of()
    assert np.isnan(groups["NaN"].table.columns["a"]).any()
    assert np.isinf(groups["infinite"].table.columns["b"]).any()
    assert (groups["zero"].table.columns["a"] == 0).any()
    assert "never seen" in groups["unseen categories"].table.columns["city"].tolist()
    assert max(groups["unseen categories"].table.columns["code"]) > 3
    assert (groups["fractional categories"].table.columns["code"] % 1 == 0.5).any()
    for name, probe in groups.items():
        counts = probe.table.columns["count"]
        assert (counts[np.isfinite(counts)] % 1 == 0).all()
        assert np.isfinite(counts).all() is np.bool_(name not in ("NaN", "infinite")), name
    assert groups["one at a time"].singly
    assert groups["shuffled columns"].shuffled


def test_rows_of_the_user_are_started_from() -> None:
    own = Table(
        {
            "a": np.array([42.0]),
            "b": np.array([43.0]),
            "count": np.array([7]),
            "city": np.array(["x"], dtype=object),
            "code": np.array([3.0]),
        }
    )
    points = groups_of(rows=own)["NaN"].table
    assert (points.columns["b"] == 43).any()
    assert (points.columns["b"] != 43).any()


@pytest.mark.parametrize("features", [(), (Feature("text", "string"),)])
def test_models_without_numbers_get_what_can_be_made(features: tuple[Feature, ...]) -> None:
    names = {p.name for p in probes(ModelSpec("raw", features, ("output",)), {}, float32=True, seed=0)}
    assert "thresholds" not in names
    assert ("drawn" in names) is bool(features)


def test_the_same_seed_gives_the_same_rows() -> None:
    one, other = groups_of()["thresholds"].table, groups_of()["thresholds"].table
    assert all(np.array_equal(one.columns[name], other.columns[name]) for name in ("a", "b"))


def test_what_is_beyond_float32_becomes_its_largest_number() -> None:
    column = as_float32(Table({"a": np.array([1e300, -1e300, np.inf, np.nan])})).columns["a"]
    largest = float(np.finfo(np.float32).max)
    assert column[:3].tolist() == [largest, -largest, np.inf]
    assert np.isnan(column[3])


def test_rows_that_the_model_has_kept_are_a_group_of_their_own() -> None:
    spec = ModelSpec("regression", (Feature("a"), Feature("b")), ("output",))
    training_rows = np.array([[0.1, 2.0], [3.0, 1e300]])
    for float32 in (False, True):
        groups = {p.name: p for p in probes(spec, {}, float32=float32, seed=0, training_rows=training_rows)}
        own = Table({"a": training_rows[:, 0], "b": training_rows[:, 1]})
        rows = groups["stored rows"].table
        assert rows.columns["a"].tolist() == (as_float32(own) if float32 else own).columns["a"].tolist()
        assert rows.rows == 2
    narrow = probes(spec, {}, float32=True, seed=0, training_rows=training_rows[:, :1])
    assert "stored rows" not in {probe.name for probe in narrow}


def test_a_group_is_made_when_the_one_before_has_been_taken() -> None:
    groups = probes(SPEC, THRESHOLDS, float32=False, seed=1)
    first = next(groups)
    whole = list(probes(SPEC, THRESHOLDS, float32=False, seed=1))
    assert first.name == "drawn"
    assert [probe.name for probe in groups] == [probe.name for probe in whole[1:]]
