"""Rows fitted to a model, or drawn from it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.data import Table, concat, conform, draw, match
from infer_bench.data.table import check_names, is_ragged, stack
from infer_bench.errors import DataError
from infer_bench.model import Feature, ModelSpec


def spec(*features: Feature | str) -> ModelSpec:
    whole = tuple(Feature(one) if isinstance(one, str) else one for one in features)
    return ModelSpec("regression", whole, ("y",))


def table(**columns: Any) -> Table:
    return Table({name: np.asarray(values) for name, values in columns.items()})


def words(*values: str | None) -> Any:
    return np.array(values, dtype=object)


def test_columns_are_matched_by_name() -> None:
    conformed = conform(table(c=[1], b=[2.0], a=[True], y=[0]), spec("a", "b", "c"))
    assert conformed.names == ("a", "b", "c")
    assert [column.dtype.kind for column in conformed.columns.values()] == ["b", "f", "i"]
    assert match(("c", "b", "a", "y"), spec("a", "b", "c")).extra == ("y",)


def test_unnamed_models_take_columns_by_position() -> None:
    rows = table(p=[1.0], q=[2.0])
    for names in (("f0", "f1"), ("Column_0", "Column_1"), ("0", "1")):
        assert conform(rows, spec(*names)).record(0) == dict(zip(names, (1.0, 2.0), strict=True))
        assert match(rows.names, spec(*names)).by_position
    assert not match(("f0", "f1"), spec("f0", "f1")).by_position


def test_a_category_of_unknown_values_may_mix_texts_and_numbers() -> None:
    rows = Table({"k": np.array(["x", 1, None, True], dtype=object)})
    assert conform(rows, spec(Feature("k", "category"))).columns["k"].tolist() == ["x", 1, None, True]
    with pytest.raises(DataError, match="holds text in some rows and numbers in others"):
        conform(rows, spec(Feature("k", "category", ("x", "y"))))


def places(*names: str) -> ModelSpec:
    """A model whose columns' names are invented."""
    return spec(*(Feature(name, invented=True) for name in names))


def test_an_invented_name_is_a_place_and_never_looked_for() -> None:
    rows = table(f2=[2.0], f0=[0.0], f1=[1.0])
    assert conform(rows, places("f0", "f1", "f2")).record(0) == {"f0": 2.0, "f1": 0.0, "f2": 1.0}
    column_match = match(rows.names, places("f0", "f1", "f2"))
    assert (column_match.by_position, column_match.misplaced) == (True, 0)
    assert conform(rows, spec("f0", "f1", "f2")).record(0) == {"f0": 0.0, "f1": 1.0, "f2": 2.0}


def test_names_that_say_the_same_as_the_places_need_no_word() -> None:
    assert match(("f0", "f1"), places("f0", "f1")) == match(("f0", "f1"), spec("f0", "f1"))
    beside = match(("id", "f0", "f1", "target"), places("f0", "f1"))
    assert (beside.columns, beside.extra, beside.by_position) == (("f0", "f1"), ("id", "target"), False)


def test_columns_without_names_belong_to_a_model_in_its_order() -> None:
    array = Table({"f0": np.array([0.0]), "f1": np.array([1.0])}, named=False)
    assert conform(array, spec("f1", "f0")).record(0) == {"f1": 0.0, "f0": 1.0}
    assert conform(array, spec("age", "debt")).record(0) == {"age": 0.0, "debt": 1.0}
    column_match = match(array.names, spec("f1", "f0"), named=False)
    assert (column_match.by_position, column_match.misplaced) == (True, None)
    for part in (array.slice(0, 1), array.take([0]), array.select(["f1"]), concat([array, array])):
        assert not part.named


@pytest.mark.parametrize(
    ("columns", "named", "reason"),
    [
        (("a", "b", "c"), True, "the model does not name its columns: it takes 2, and the data has 3"),
        (("f1", "f0", "f2"), True, "the model does not name its columns: it takes 2, and the data has 3"),
        (("f0", "f1", "f2"), False, "the data does not name its columns: it has 3, and the model takes 2"),
        (("f0",), False, "the data does not name its columns: it has 1, and the model takes 2"),
    ],
)
def test_places_are_not_guessed_among_other_columns(columns: tuple[str, ...], named: bool, reason: str) -> None:
    with pytest.raises(DataError, match=reason) as refusal:
        match(columns, places("f0", "f1"), named=named)
    assert refusal.value.hint == "give the columns of the training alone, in its order"


def test_another_model_s_names_tell_the_order_of_places() -> None:
    names = ("debt", "age")
    column_match = match(("id", "age", "debt"), places("f0", "f1"), order=names)
    assert (column_match.columns, column_match.extra, column_match.by_position) == (names, ("id",), True)
    assert match(("x", "y"), places("f0", "f1"), order=names).columns == ("x", "y")
    assert match(("age", "debt"), spec("age", "debt"), order=names).columns == ("age", "debt")


def test_of_named_and_unnamed_columns_the_named_ones_are_found_first() -> None:
    mixed = spec(Feature("rest_0", invented=True), "age", Feature("rest_1", invented=True))
    assert match(("debt", "years", "age"), mixed).columns == ("debt", "age", "years")
    with pytest.raises(DataError, match="lacks"):
        match(("debt", "years", "Age"), mixed)


def test_blanks_in_a_column_s_name_are_the_underscores_that_lightgbm_makes_of_them() -> None:
    names = spec("mean_radius", "worst_area", "id")
    column_match = match(("worst area", "label", "id", "mean radius"), names)
    in_order = ("mean radius", "worst area", "id")
    assert (column_match.columns, column_match.extra, column_match.by_position) == (in_order, ("label",), False)
    fitted = conform(table(**{"id": [1], "mean radius": [2], "worst area": [3]}), names)
    assert list(fitted.columns.values()) == [2, 3, 1]
    with pytest.raises(DataError, match="lacks 'mean_radius', 'worst_area'"):
        match(("worst area", "worst_area_", "id", "x y", "x_y", "mean radius"), names)


class CountedName(str):
    """A name that counts how often any is compared with another."""

    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        CountedName.comparisons += 1
        return str.__eq__(self, other)


@pytest.mark.parametrize("kind", ["by name", "by place", "with blanks"])
def test_names_of_wide_tables_are_not_all_compared_with_each_other(kind: str) -> None:
    columns = [CountedName(f"column {place}") for place in range(1000)]
    names = {
        "by name": columns[::-1],
        "by place": [CountedName(f"f{place}") for place in range(1000)],
        "with blanks": [CountedName(name.replace(" ", "_")) for name in columns],
    }
    CountedName.comparisons = 0
    match(columns, places(*names[kind]) if kind == "by place" else spec(*names[kind]))
    check_names(Path("wide.csv"), columns)
    assert CountedName.comparisons < 30 * len(columns)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("age", "income", "f2"), "'income'.*close to 'Incomes'"),
        (("a1x", "a2x", "a3x", "a4x", "a5x"), "'a1x', 'a2x', 'a3x' and 2 more"),
        (("f0", "f1"), "lacks 'f0', 'f1'"),
    ],
)
def test_missing_columns_are_named(names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        conform(table(age=[1], Incomes=[2], f2=[3]), spec(*names))


def test_kinds() -> None:
    with pytest.raises(DataError, match="column 'a' holds text \\('x'\\)"):
        conform(table(a=words(None, "x")), spec("a"))
    with pytest.raises(DataError, match="column 'a' holds text \\('n/k'\\)"):
        conform(table(a=words("14.81", None, "n/k", "x")), spec("a"))
    with pytest.raises(DataError, match=r"column 'a' holds text \('14\.81'\)"):
        conform(table(a=words("14.81", "2")), spec("a"))
    assert np.isnan(conform(table(a=words(None, None)), spec("a")).columns["a"]).all()
    letters = Feature("a", "category", ("u", "v"))
    assert conform(table(a=words("u")), spec(letters)).record(0) == {"a": "u"}
    assert conform(table(a=[np.nan]), spec(letters)).record(0) == {"a": None}
    with pytest.raises(DataError, match="holds numbers where the model takes text"):
        conform(table(a=[1.5]), spec(letters))
    assert conform(table(a=[1, 2]), spec(Feature("a", "category", ("1", "2")))).record(1) == {"a": "2"}
    assert conform(table(a=[1, 2]), spec(Feature("a", "category", (1, 2)))).record(1) == {"a": 2}


def test_table() -> None:
    rows = table(a=[1.0, 2.0, 3.0], s=words("x", None, "z"))
    assert rows.take([2, 2, 0]).records() == [{"a": 3.0, "s": "z"}, {"a": 3.0, "s": "z"}, {"a": 1.0, "s": "x"}]
    assert rows.slice(1, 2).record(0) == {"a": 2.0, "s": None}
    assert type(rows.record(0)["a"]) is float
    assert concat([rows, rows.slice(0, 1)]).rows == 4
    assert Table({}).rows == 0
    with pytest.raises(DataError, match="differ in length"):
        table(a=[1], b=[1, 2])


def test_a_table_of_tensors() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    requests = Table({"images": images, "rate": np.array([8000, 16000])})
    assert requests.rows == 2
    record = requests.record(1)
    assert record["rate"] == 16000
    assert record["images"].dtype == np.uint8
    assert np.array_equal(record["images"], images[1])
    assert [one["images"].shape for one in requests.records()] == [(3, 4), (3, 4)]
    assert requests.take([1, 1, 0]).columns["images"].shape == (3, 3, 4)
    with pytest.raises(DataError, match="differ in length"):
        Table({"scalar": np.array(3.0)})


def test_requests_of_several_shapes_are_an_array_each() -> None:
    short, long = np.zeros((1, 2), np.float32), np.ones((1, 5), np.float32)
    ragged = stack([short, long])
    assert is_ragged(ragged)
    assert not is_ragged(stack([short, short]))
    both = concat([Table({"x": stack([short, short])}), Table({"x": ragged})])
    assert [value.shape for value in both.columns["x"]] == [(1, 2), (1, 2), (1, 2), (1, 5)]
    assert concat([Table({"x": stack([short])})] * 2).columns["x"].shape == (2, 1, 2)
    assert both.slice(3, 4).record(0)["x"] is long


cuts = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8)


@given(thresholds=cuts, seed=st.integers(0, 9))
def test_both_sides_of_every_threshold_are_visited(thresholds: list[float], seed: int) -> None:
    values = draw(spec("a"), {"a": thresholds}, 400, seed).columns["a"]
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    for threshold in thresholds:
        if abs(threshold) < 1e38:
            assert (values <= threshold).any()
            assert (values >= threshold).any()


def test_drawing_is_repeatable_and_of_the_right_kinds() -> None:
    model = spec(
        "plain",
        Feature("whole", "integer"),
        Feature("flag", "boolean"),
        Feature("letter", "category", ("u", "v")),
        Feature("code", "category", (3, 5)),
        Feature("unknown", "category"),
        Feature("text", "string"),
    )
    one, two, other = (draw(model, {"whole": (10.5, 20.5)}, 200, seed) for seed in (1, 1, 2))
    assert one.records() == two.records() != other.records()
    assert [column.dtype.kind for column in one.columns.values()] == ["f", "i", "b", "O", "i", "i", "O"]
    assert set(one.columns["letter"]) == {"u", "v"}
    assert set(one.columns["code"].tolist()) == {3, 5}
    assert conform(one, model).rows == 200


def test_infinite_thresholds_do_not_reach_the_rows() -> None:
    values = draw(spec("a"), {"a": (-np.inf, 0.0, np.inf, 1.7e308)}, 100, 0).columns["a"]
    assert np.isfinite(values).all()
