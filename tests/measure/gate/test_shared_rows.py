"""Which rows the two sides of a gate answer."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.errors import DataError, EngineError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.column_mapping import NO_ORDER, ColumnOrder
from infer_bench.measure.candidates.request_file import RequestFile, open_data
from infer_bench.measure.candidates.rows import Rows, read_rows_for
from infer_bench.measure.gate.shared_rows import SharedRows, match_columns, share_rows
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.measure.settings import Settings
from infer_bench.model import Feature, ModelSpec, TensorInput
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.request_choices import RequestChoices
from tests.measure.fake_layouts import SPEC, candidate


def columns(*names: str, value: float = 1.0) -> dict[str, np.ndarray]:
    return {name: np.full(3, value) for name in names}


def test_equal_rows_are_the_same_object_so_that_sessions_share_them() -> None:
    ours = columns("a", "b", value=np.nan)
    assert match_columns(ours, columns("a", "b", value=np.nan), of_file=True) is ours
    texts = {"a": np.array(["x", None], dtype=object)}
    assert match_columns(texts, {"a": np.array(["x", None], dtype=object)}, of_file=True) is texts


@pytest.mark.parametrize(
    "theirs",
    [
        columns("a", "b", value=2.0),
        columns("b", "a"),
        columns("a"),
        {"a": np.full(3, 1), "b": np.full(3, 1.0)},
        {"a": np.full(4, 1.0), "b": np.full(4, 1.0)},
    ],
)
def test_of_a_file_each_model_takes_its_own_columns(theirs: dict[str, np.ndarray]) -> None:
    assert match_columns(columns("a", "b"), theirs, of_file=True) is None


def test_drawn_rows_go_to_both_wherever_they_fit() -> None:
    ours = {"a": np.array([1.0]), "b": np.array([2.0])}
    assert match_columns(ours, columns("a", "b", value=9.0), of_file=False) is ours
    other_order = match_columns(ours, columns("b", "a"), of_file=False)
    assert other_order is not None
    assert list(other_order) == ["b", "a"]
    assert other_order["a"] is ours["a"]
    without_names = match_columns(ours, columns("x0", "x1"), of_file=False)
    assert without_names is not None
    assert without_names["x1"] is ours["b"]
    assert match_columns(ours, columns("a", "b", "c"), of_file=False) is None


def two_candidates(
    monkeypatch: pytest.MonkeyPatch, data: RequestFile | None, names: dict[str, tuple[str, ...]]
) -> SharedRows:
    """Two models against a third, each with its own number in its rows."""

    def rows(group: Sequence[Candidate], *_: object) -> Rows:
        path = group[0].model.path
        table = columns(*names[path], value=0.0 if data else float(len(path)))
        return Rows(table, table, "somewhere", SPEC)

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    base = candidate("base", "old")
    pairs = [Pair(candidate("new", path), base) for path in ("one", "second")]
    return share_rows(pairs, data, Settings())


def test_drawn_rows_are_not_matched_by_invented_names() -> None:
    ours, theirs = columns("f1", "f0"), columns("f0", "f1", value=9.0)
    specs = [ModelSpec("raw", tuple(Feature(n, invented=made) for n in ("f0", "f1")), ("y",)) for made in (False, True)]
    by_place = match_columns(ours, theirs, specs, of_file=False)
    assert by_place is not None
    assert by_place["f0"] is ours["f1"]
    by_name = match_columns(ours, theirs, specs[:1], of_file=False)
    assert by_name is not None
    assert by_name["f0"] is ours["f0"]


@pytest.mark.parametrize("fits", [True, False])
def test_of_a_file_a_model_without_names_takes_the_order_of_the_one_beside_it(
    fits: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whether the file could have been read without it or not: it may hold other columns."""
    spec = ModelSpec("raw", (Feature("f0", invented=True), Feature("f1", invented=True)), ("y",))
    orders: list[ColumnOrder] = []

    def rows(group: Sequence[Candidate], *context: Any) -> Rows:
        order = context[2] if len(context) > 2 else NO_ORDER
        if group[0].model.path == "old":
            return Rows(
                columns("b", "a"), columns("b", "a"), "rows", replace(SPEC, features=(Feature("b"), Feature("a")))
            )
        orders.append(order)
        if not fits and not order.names:
            raise DataError("the model does not name its columns: it takes 2, and the data has 3")
        return Rows(columns("f0", "f1"), columns("f0", "f1"), "rows", spec)

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    (tmp_path / "rows").write_text('[{"a": 1}]')
    pair = Pair(candidate("new", "new"), candidate("base", "old"))
    share_rows([pair], open_data(str(tmp_path / "rows")), Settings())
    assert orders == [NO_ORDER, ColumnOrder("old", ("b", "a"))]


def first_values(shared: SharedRows) -> dict[str, float]:
    return {key[0]: float(next(iter(table.values()))[0]) for key, table in shared.columns.items()}


def test_of_several_candidates_all_answer_the_rows_of_their_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = two_candidates(monkeypatch, None, {"one": ("a",), "second": ("b",), "old": ("a",)})
    assert len(set(first_values(shared).values())) == 1
    assert not shared.apart
    assert not shared.notices


def test_only_the_candidate_with_other_inputs_is_set_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shared = two_candidates(monkeypatch, None, {"one": ("a",), "second": ("a", "b"), "old": ("a",)})
    assert shared.apart == {("second", "new")}
    assert [notice.code for notice in shared.notices] == ["own-rows"]
    assert first_values(shared)["one"] == first_values(shared)["old"]
    (tmp_path / "rows").write_text('[{"a": 1}]')
    names = {"one": ("a",), "second": ("a", "b"), "old": ("a",)}
    of_file = two_candidates(monkeypatch, open_data(str(tmp_path / "rows")), names)
    assert not of_file.apart


@pytest.mark.parametrize("turned", [False, True])
def test_drawn_rows_are_whole_numbers_where_either_side_takes_these(
    monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    kinds = {"old": Feature("a"), "new": Feature("x", "integer", dtype="uint8")}

    def rows(group: Sequence[Candidate], *_: object) -> Rows:
        feature = kinds[group[0].model.path]
        table = {feature.name: np.array([0.25, 2.6, 300.0])}
        return Rows(table, table, "drawn", ModelSpec("raw", (feature,), ("output",)))

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    sides = [candidate("one", "new"), candidate("other", "old")]
    shared = share_rows([Pair(*(reversed(sides) if turned else sides))], None, Settings())
    assert [next(iter(table.values())).tolist() for table in shared.columns.values()] == [[0, 3, 255]] * 2


def test_a_model_that_nobody_can_open_is_told_and_rows_that_do_not_fit_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(group: Sequence[Candidate], *_: object) -> Rows:
        if group[0].model.path == "bad":
            raise EngineError("cannot be opened")
        raise DataError("the data lacks 'a'")

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", refuses)
    bad, worse = candidate("new", "bad"), candidate("new", "worse")
    assert list(share_rows([Pair(bad, None)], None, Settings()).unfit) == [bad.key]
    with pytest.raises(DataError, match=r"lacks 'a' \(for worse\)"):
        share_rows([Pair(bad, worse)], None, Settings())
    with pytest.raises(DataError, match=r"lacks 'a'$"):
        share_rows([Pair(worse, None)], None, Settings())


@pytest.mark.parametrize("turned", [False, True])
def test_a_function_is_handed_what_is_drawn_for_the_model_beside_it(
    monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    def rows(group: Sequence[Candidate], *_: object) -> Rows:
        if group[0].model.family == "callable":
            raise DataError("there is nothing to draw rows from")
        return Rows(columns("a"), columns("a"), "drawn", SPEC, drawn_for="model")

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    model, function = candidate("one", "model"), candidate("other", "module:function")
    function = replace(function, model=replace(function.model, family="callable"))
    shared = share_rows([Pair(*((function, model) if turned else (model, function)))], None, Settings())
    assert shared.columns[function.key] is shared.columns[model.key]
    assert not shared.apart
    with pytest.raises(DataError, match="nothing to draw"):
        share_rows([Pair(function, None)], None, Settings())


def test_what_is_drawn_for_two_networks_alike_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = DrawnInput("new", "x", "float32", ((1, 16),), "uniform in [0, 1)", True)

    def rows(group: Sequence[Candidate], *_: object) -> Rows:
        path = group[0].model.path
        notices = (Notice("shape-drawn", path),)
        return Rows(columns("x"), columns("x"), "drawn", SPEC, notices, path, (replace(entry, model=path),))

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    shared = share_rows([Pair(candidate("one", "new"), candidate("other", "old"))], None, Settings())
    assert [(len(own.inputs), len(own.notices)) for own in shared.rows.values()] == [(1, 1), (0, 0)]


@pytest.mark.parametrize(("shape", "count"), [((), 5), ((1, 3, 4), 5), ((5, 3, 4), 0)])
def test_of_a_file_both_sides_answer_the_same_requests(
    shape: tuple[int, ...], count: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A network that does not say how many axes a request has would take the whole file for one."""
    inputs = {"old": TensorInput("x", "float32", ("n", 3, 4), 0), "new": TensorInput("x", "float32", None)}

    def rows(group: Sequence[Candidate], source: RequestFile, settings: Settings, *_: object) -> Rows:
        spec = ModelSpec("raw", (), ("y",), inputs=(inputs[group[0].model.path],))
        return read_rows_for(group, spec, source, settings)

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    np.savez(tmp_path / "rows.npz", x=np.ones((5, 3, 4), np.float32))
    pair = Pair(candidate("new", "new"), candidate("base", "old"))
    choices = RequestChoices(shapes={"x": (shape,)} if shape else {})
    settings, data = Settings(requests=choices), open_data(str(tmp_path / "rows.npz"))
    if count:
        shared = share_rows([pair], data, settings)
        assert [table["x"].shape for table in shared.columns.values()] == [(count, 1, 3, 4)] * 2
        assert not [notice for part in shared.rows.values() for notice in part.notices]
    else:
        with pytest.raises(DataError, match="new would answer x:5x3x4 where old answers x:1x3x4"):
            share_rows([pair], data, settings)


def test_a_function_beside_a_network_answers_its_requests_of_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inputs = {"old": (TensorInput("x", "float32", ("n", 3, 4), 0),), "new": ()}

    def rows(group: Sequence[Candidate], source: RequestFile, settings: Settings, *_: object) -> Rows:
        spec = ModelSpec("raw", (), ("y",), inputs=inputs[group[0].model.path])
        return read_rows_for(group, spec, source, settings)

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    np.savez(tmp_path / "rows.npz", x=np.ones((5, 3, 4), np.float32))
    pair = Pair(candidate("new", "new"), candidate("base", "old"))
    shared = share_rows([pair], open_data(str(tmp_path / "rows.npz")), Settings())
    assert [table["x"].shape for table in shared.columns.values()] == [(5, 1, 3, 4)] * 2


def test_a_column_of_a_file_that_the_candidate_lacks_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = {"old": ("a", "b"), "new": ("a",)}

    def rows(group: Sequence[Candidate], source: RequestFile, settings: Settings, *_: object) -> Rows:
        features = tuple(Feature(name) for name in names[group[0].model.path])
        return read_rows_for(group, ModelSpec("raw", features, ("y",)), source, settings)

    monkeypatch.setattr("infer_bench.measure.gate.shared_rows.load_rows", rows)
    (tmp_path / "rows.json").write_text('[{"a": 1, "b": 2}]')
    pair = Pair(candidate("new", "new"), candidate("base", "old"))
    (notice,) = share_rows([pair], open_data(str(tmp_path / "rows.json")), Settings()).notices
    assert notice.message == "new takes 1 of old's 2 columns, and not 'b': what stands there changes nothing for it"
