"""What every engine owes: the same canonical output, names before positions, and errors of the tree."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.errors import CannotRun, EngineError, OptionError
from infer_bench.model import ModelRef
from tests.engines import zoo
from tests.engines.zoo import Saved, answer, answers_one_by_one, opened, records

ENGINES = registry.names()
FEEDS = ("dataframe", "ndarray")


def test_every_engine_has_a_model_to_be_tested_on() -> None:
    assert set(ENGINES) == set(zoo.MAKERS)


@pytest.fixture(scope="module", params=ENGINES)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Saved:
    return zoo.MAKERS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def here(saved: Saved, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    if saved.engine == "callable":
        module = saved.model.path.partition(":")[0]
        folder = next(path.parent for path in tmp_path_factory.getbasetemp().rglob(f"{module}.py"))
        monkeypatch.chdir(folder)


def feeds(saved: Saved) -> list[dict[str, str]]:
    return [{"feed": feed} for feed in FEEDS] if "feed" in registry.get(saved.engine).options else [{}]


@pytest.mark.usefixtures("here")
def test_one_row_and_many_rows_give_what_the_library_gives_without_a_warning(saved: Saved) -> None:
    for options in feeds(saved):
        session = opened(saved.engine, saved.model, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            many = answer(session, saved.table)
            single = answers_one_by_one(session, saved.table)
        assert many.dtype == single.dtype == np.float64
        assert many.shape == (len(saved.expected), len(session.spec.outputs))
        np.testing.assert_allclose(many, saved.expected, rtol=0, atol=saved.tolerance)
        np.testing.assert_allclose(single, saved.expected, rtol=0, atol=max(saved.tolerance, 1e-7))


@pytest.mark.usefixtures("here")
def test_names_count_and_positions_do_not(saved: Saved) -> None:
    shuffled = {"stranger": 5.0, **dict(reversed(records(saved.table)[3].items()))}
    for options in feeds(saved):
        session = opened(saved.engine, saved.model, **options)
        np.testing.assert_allclose(answer(session, shuffled), saved.expected[3:4], atol=1e-6)
        columns = {"stranger": np.zeros(60), **dict(reversed(saved.table.items()))}
        np.testing.assert_allclose(answer(session, columns), saved.expected, atol=1e-6)


@pytest.mark.usefixtures("here")
def test_an_answer_depends_on_its_own_request_only(saved: Saved) -> None:
    first, *others = records(saved.table)[:5]
    for options in feeds(saved):
        session = opened(saved.engine, saved.model, **options)
        before = answer(session, first)
        for other in others:
            answer(session, other)
        np.testing.assert_array_equal(before, answer(session, first))


def test_a_missing_key_is_the_same_as_nan_or_zero_by_choice(saved: Saved) -> None:
    if saved.engine in ("callable",):
        pytest.skip("a user's function says for itself what a missing key means")
    name = next(iter(saved.table))
    record = {**records(saved.table)[2]}
    for feed in FEEDS:
        for fill, value in (("nan", float("nan")), ("zero", 0.0)):
            session = opened(saved.engine, saved.model, feed=feed, fill=fill)
            full = answer(session, {**record, name: value})
            short = {key: held for key, held in record.items() if key != name}
            np.testing.assert_array_equal(answer(session, short), full)
            lacking = {key: held for key, held in saved.table.items() if key != name}
            filled = {**saved.table, name: np.full(60, value)}
            np.testing.assert_array_equal(answer(session, lacking), answer(session, filled))
        if value == 0.0 and saved.engine != "onnxruntime":
            np.testing.assert_array_equal(
                answer(opened(saved.engine, saved.model, feed=feed), {**record, name: None}),
                answer(opened(saved.engine, saved.model, feed=feed), {**record, name: float("nan")}),
            )


def test_strange_keys_are_refused_on_request(saved: Saved) -> None:
    if "unknown" not in registry.get(saved.engine).options:
        pytest.skip("the function gets whatever the request holds")
    for feed in FEEDS:
        session = opened(saved.engine, saved.model, feed=feed, unknown="refuse")
        with pytest.raises(EngineError, match="stranger"):
            session.preprocess({**records(saved.table)[0], "stranger": 1.0})


def test_text_in_a_numeric_column_is_one_clear_line(saved: Saved) -> None:
    if saved.engine == "callable":
        pytest.skip("the function gets whatever the request holds")
    name = next(iter(saved.table))
    for feed in FEEDS:
        session = opened(saved.engine, saved.model, feed=feed)
        for request in (
            {**records(saved.table)[0], name: "abc"},
            {**saved.table, name: np.array(["abc"] * 60, dtype=object)},
        ):
            with pytest.raises(EngineError, match=name) as caught:
                answer(session, request)
            assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_labels_belong_to_the_classes(saved: Saved) -> None:
    session = opened(saved.engine, saved.model)
    labels = session.labels(saved.expected)
    if session.spec.classes:
        assert labels is not None
        assert labels.shape == (60,)
        assert set(labels.tolist()) <= set(session.spec.classes)
        assert len(set(labels.tolist())) > 1
    else:
        assert labels is None


@pytest.mark.usefixtures("here")
def test_the_domain_names_columns_and_finite_sorted_values(saved: Saved) -> None:
    domain = opened(saved.engine, saved.model).domain()
    assert set(domain.thresholds) <= set(saved.table)
    assert bool(domain.thresholds) == (saved.engine in ("lightgbm", "xgboost", "sklearn", "catboost"))
    for values in domain.thresholds.values():
        assert list(values) == sorted(set(values))
        assert np.isfinite(values).all()


def test_unknown_options_and_values_are_refused(saved: Saved) -> None:
    engine = registry.get(saved.engine)
    with pytest.raises(OptionError, match="no option 'wings'"):
        check_options(engine, {"wings": "two"})
    closed = [key for key, option in engine.options.items() if option.choices]
    with pytest.raises(OptionError, match="cannot be"):
        check_options(engine, {closed[0]: "wrong"})
    for option in engine.options.values():
        assert not option.choices or option.default in option.choices
        assert option.help


@pytest.mark.parametrize("content", [b"", b"\x00garbage\xff" * 20, b"{}", b"tree\nversion=v4\n"])
def test_a_broken_file_is_one_clear_line(saved: Saved, content: bytes, tmp_path: Path) -> None:
    if saved.engine == "callable":
        pytest.skip("a function is no file")
    path = tmp_path / "broken"
    path.write_bytes(content)
    model = ModelRef(str(path), saved.model.family, saved.model.format, "0" * 64, len(content))
    with pytest.raises(CannotRun) as caught:
        opened(saved.engine, model)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_an_absent_file_is_said_so(saved: Saved, tmp_path: Path) -> None:
    if saved.engine == "callable":
        pytest.skip("a function is no file")
    model = ModelRef(str(tmp_path / "gone"), saved.model.family, saved.model.format, "0" * 64, 0)
    with pytest.raises(CannotRun, match="No such file"):
        opened(saved.engine, model)


def test_threads_must_be_a_number(saved: Saved) -> None:
    if "threads" not in registry.get(saved.engine).options:
        pytest.skip("no threads to set")
    for wrong in ("many", "0", "-2", "1.5"):
        with pytest.raises(OptionError, match="threads"):
            opened(saved.engine, saved.model, threads=wrong)


@pytest.mark.usefixtures("here")
def test_a_closed_session_says_so_and_closes_twice(saved: Saved) -> None:
    session = opened(saved.engine, saved.model)
    inputs: Any = session.preprocess(records(saved.table)[0])
    session.close()
    session.close()
    with pytest.raises(EngineError, match="closed"):
        session.predict(inputs)


def test_packed_gives_the_same_and_refuses_what_it_cannot_pack(saved: Saved) -> None:
    if "feed" not in registry.get(saved.engine).options:
        pytest.skip("no feed to choose")
    packed, plain = (opened(saved.engine, saved.model, feed=feed) for feed in ("packed", "ndarray"))
    record = records(saved.table)[1]
    np.testing.assert_array_equal(answer(packed, record), answer(plain, record))
    np.testing.assert_array_equal(answer(packed, saved.table), answer(plain, saved.table))
    name = next(iter(record))
    with pytest.raises(EngineError, match=f"lacks '{name}'"):
        packed.preprocess({key: value for key, value in record.items() if key != name})
    with pytest.raises(EngineError, match="None"):
        packed.preprocess({**record, name: None})
