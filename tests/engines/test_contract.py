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
from tests.engines.zoo import SavedModel, answer, answer_one_by_one, open_session, records

ENGINES = registry.names()


def test_every_engine_has_a_model_to_be_tested_on() -> None:
    assert set(ENGINES) == set(zoo.MAKERS)


@pytest.fixture(scope="module", params=ENGINES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SavedModel:
    return zoo.MAKERS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def here(sample: SavedModel, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    if sample.is_function:
        module = sample.model.path.partition(":")[0]
        folder = next(path.parent for path in tmp_path_factory.getbasetemp().rglob(f"{module}.py"))
        monkeypatch.chdir(folder)


def feeds(sample: SavedModel) -> list[dict[str, str]]:
    """The options that choose each feed; `packed` takes complete records only, and has a test of its own."""
    option = registry.get(sample.engine).options.get("feed")
    return [{"feed": feed} for feed in option.choices if feed != "packed"] if option else [{}]


def require_option(sample: SavedModel, name: str, value: str = "") -> None:
    """Skip the test for an engine without the option, or without that value."""
    option = registry.get(sample.engine).options.get(name)
    if option is None or (value and value not in option.choices):
        pytest.skip(f"no such option of the engine: {name} {value}")


@pytest.mark.usefixtures("here")
def test_one_row_and_many_rows_give_what_the_library_gives_without_a_warning(sample: SavedModel) -> None:
    for options in feeds(sample):
        session = open_session(sample.engine, sample.model, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            many = answer(session, sample.table)
            single = answer_one_by_one(session, sample.table)
        assert many.dtype == single.dtype == np.float64
        assert many.shape == (len(sample.output), len(session.spec.outputs))
        np.testing.assert_allclose(many, sample.output, rtol=0, atol=sample.tolerance)
        np.testing.assert_allclose(single, sample.output, rtol=0, atol=max(sample.tolerance, 1e-7))


@pytest.mark.usefixtures("here")
def test_names_count_and_positions_do_not(sample: SavedModel) -> None:
    shuffled = {"stranger": 5.0, **dict(reversed(records(sample.table)[3].items()))}
    for options in feeds(sample):
        session = open_session(sample.engine, sample.model, **options)
        np.testing.assert_allclose(answer(session, shuffled), sample.output[3:4], atol=1e-6)
        columns = {"stranger": np.zeros(60), **dict(reversed(sample.table.items()))}
        np.testing.assert_allclose(answer(session, columns), sample.output, atol=1e-6)


@pytest.mark.usefixtures("here")
def test_an_answer_depends_on_its_own_request_only(sample: SavedModel) -> None:
    first, *others = records(sample.table)[:5]
    for options in feeds(sample):
        session = open_session(sample.engine, sample.model, **options)
        before = answer(session, first)
        for other in others:
            answer(session, other)
        np.testing.assert_array_equal(before, answer(session, first))


def test_a_missing_key_is_the_same_as_nan_or_zero_by_choice(sample: SavedModel) -> None:
    require_option(sample, "fill")
    name, record = next(iter(sample.table)), records(sample.table)[2]
    for options in feeds(sample):
        for fill, value in (("nan", float("nan")), ("zero", 0.0)):
            session = open_session(sample.engine, sample.model, fill=fill, **options)
            complete, short = {**record, name: value}, {key: record[key] for key in record if key != name}
            np.testing.assert_array_equal(answer(session, short), answer(session, complete))
            columns = {key: column for key, column in sample.table.items() if key != name}
            complete_table = {**sample.table, name: np.full(60, value)}
            np.testing.assert_array_equal(answer(session, columns), answer(session, complete_table))
        session = open_session(sample.engine, sample.model, **options)
        nan, none = ({**record, name: value} for value in (float("nan"), None))
        np.testing.assert_array_equal(answer(session, none), answer(session, nan))


def test_strange_keys_are_refused_on_request(sample: SavedModel) -> None:
    require_option(sample, "unknown", "refuse")
    for options in feeds(sample):
        session = open_session(sample.engine, sample.model, unknown="refuse", **options)
        with pytest.raises(EngineError, match="stranger"):
            session.preprocess({**records(sample.table)[0], "stranger": 1.0})


def test_text_in_a_numeric_column_is_one_clear_line(sample: SavedModel) -> None:
    if sample.is_function:
        pytest.skip("the function gets whatever the request holds")
    name = next(iter(sample.table))
    record = {**records(sample.table)[0], name: "abc"}
    columns = {**sample.table, name: np.array(["abc"] * 60, dtype=object)}
    for options in feeds(sample):
        session = open_session(sample.engine, sample.model, **options)
        for request in (record, columns):
            with pytest.raises(EngineError, match=name) as caught:
                answer(session, request)
            assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("here")
def test_labels_belong_to_the_classes(sample: SavedModel) -> None:
    session = open_session(sample.engine, sample.model)
    labels = session.labels(sample.output)
    if session.spec.classes:
        assert labels is not None
        assert labels.shape == (60,)
        assert set(labels.tolist()) <= set(session.spec.classes)
        assert len(set(labels.tolist())) > 1
    else:
        assert labels is None


@pytest.mark.usefixtures("here")
def test_the_domain_names_columns_and_finite_sorted_values(sample: SavedModel) -> None:
    domain = open_session(sample.engine, sample.model).domain()
    assert set(domain.thresholds) <= set(sample.table)
    assert bool(domain.thresholds) == sample.splits
    for values in domain.thresholds.values():
        assert list(values) == sorted(set(values))
        assert np.isfinite(values).all()


def test_unknown_options_and_values_are_refused(sample: SavedModel) -> None:
    engine = registry.get(sample.engine)
    with pytest.raises(OptionError, match="no option 'wings'"):
        check_options(engine, {"wings": "two"})
    for key, option in engine.options.items():
        if option.choices:
            with pytest.raises(OptionError, match="cannot be"):
                check_options(engine, {key: "wrong"})
        assert not option.choices or option.default in option.choices
        assert option.help


@pytest.mark.parametrize("content", [b"", b"\x00garbage\xff" * 20, b"{}", b"tree\nversion=v4\n"])
def test_a_broken_file_is_one_clear_line(sample: SavedModel, content: bytes, tmp_path: Path) -> None:
    if sample.is_function or sample.is_service:
        pytest.skip(f"a {'function' if sample.is_function else 'service'} is no file")
    path = tmp_path / "broken"
    path.write_bytes(content)
    model = ModelRef(str(path), sample.model.family, sample.model.format, "0" * 64, len(content))
    with pytest.raises(CannotRun) as caught:
        open_session(sample.engine, model)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_an_absent_file_is_said_so(sample: SavedModel, tmp_path: Path) -> None:
    if sample.is_function or sample.is_service:
        pytest.skip(f"a {'function' if sample.is_function else 'service'} is no file")
    model = ModelRef(str(tmp_path / "gone"), sample.model.family, sample.model.format, "0" * 64, 0)
    with pytest.raises(CannotRun, match="No such file"):
        open_session(sample.engine, model)


def test_threads_must_be_a_number(sample: SavedModel) -> None:
    require_option(sample, "threads")
    for wrong in ("many", "0", "-2", "1.5"):
        with pytest.raises(OptionError, match="threads"):
            open_session(sample.engine, sample.model, threads=wrong)


@pytest.mark.usefixtures("here")
def test_a_closed_session_says_so_and_closes_twice(sample: SavedModel) -> None:
    session = open_session(sample.engine, sample.model)
    inputs: Any = session.preprocess(records(sample.table)[0])
    session.close()
    session.close()
    with pytest.raises(EngineError, match="closed"):
        session.predict(inputs)


def test_packed_gives_the_same_and_refuses_what_it_cannot_pack(sample: SavedModel) -> None:
    require_option(sample, "feed", "packed")
    packed, plain = (open_session(sample.engine, sample.model, feed=feed) for feed in ("packed", "ndarray"))
    record = records(sample.table)[1]
    np.testing.assert_array_equal(answer(packed, record), answer(plain, record))
    np.testing.assert_array_equal(answer(packed, sample.table), answer(plain, sample.table))
    name = next(iter(record))
    with pytest.raises(EngineError, match=f"lacks '{name}'"):
        packed.preprocess({key: value for key, value in record.items() if key != name})
    with pytest.raises(EngineError, match="None"):
        packed.preprocess({**record, name: None})
