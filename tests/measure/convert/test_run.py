"""The orchestration of a conversion: what is written when, and what is not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas
import pytest

from infer_bench import convert
from infer_bench.converters.base import ConvertOptions
from infer_bench.errors import CannotRun, DataError, ModelError, NotConvertible, OutputError, UsageError
from infer_bench.formats.identify import identify
from infer_bench.measure.convert import cache


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A booster whose split on `when` (a timestamp) float32 cannot hold."""
    generator = np.random.default_rng(0)
    rows = np.column_stack([generator.normal(size=400), 1.7e9 + np.arange(400)])
    target = (rows[:, 1] > 1.7e9 + 201.5) ^ (rows[:, 0] > 0)
    data = lightgbm.Dataset(rows, target, feature_name=["x", "when"], params={"verbose": -1})
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1, "min_data": 5}, data, 20)
    path = tmp_path / "model.txt"
    booster.save_model(path)
    return path


def rows_file(path: Path) -> str:
    frame = pandas.DataFrame({"x": np.linspace(-1, 1, 400), "when": 1.7e9 + np.arange(400)})
    frame.to_parquet(path)
    return str(path)


def test_a_file_that_agrees_appears_and_says_what_it_was_checked_on(model: Path, tmp_path: Path) -> None:
    report = convert(str(model), str(tmp_path / "out.onnx"))
    result = report.results[0]
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    assert result.input_dtype == "float32"
    assert {"ordinary", "thresholds", "empty"} <= {group.name for group in result.groups}
    assert max(group.max_abs_delta for group in result.groups) <= 1e-12
    assert result.output is not None
    assert identify(str(tmp_path / "out.onnx")).sha256 == result.output.sha256


def test_rows_that_float32_cannot_hold_get_a_float64_input_and_a_note(model: Path, tmp_path: Path) -> None:
    report = convert(str(model), str(tmp_path / "out.onnx"), data=rows_file(tmp_path / "rows.parquet"))
    assert report.results[0].input_dtype == "float64"
    assert report.results[0].groups[0].name == "data"
    assert "float64" in report.notices[0].message


def test_the_wide_input_is_not_taken_where_float32_was_asked_for(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    report = convert(
        str(model), str(target), data=rows_file(tmp_path / "rows.parquet"), options=ConvertOptions(precision="float32")
    )
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    assert report.results[0].output is None
    assert "data rows" in (report.results[0].failed or "")
    assert not target.exists()


def test_an_older_file_survives_a_conversion_that_fails(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.onnx"
    target.write_bytes(b"precious")
    convert(
        str(model), str(target), data=rows_file(tmp_path / "rows.parquet"), options=ConvertOptions(precision="float32")
    )
    assert target.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.txt", "out.onnx", "rows.parquet"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"output": "nowhere/out.onnx"}, OutputError),
        ({"output": "."}, OutputError),
        ({"output": "model.txt"}, OutputError),
        ({"data": "missing.parquet"}, DataError),
        ({"time_limit_s": 1e-3}, CannotRun),
    ],
)
def test_what_stands_in_the_way_is_raised_and_nothing_is_left(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], error: type[Exception]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        convert(str(model), **arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["model.txt"]


def test_onnx_and_functions_are_not_converted(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="a function"):
        convert("package.module:function")


def test_the_cache_is_keyed_by_the_model_and_the_rows(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = cache.cached_onnx(identify(str(model)), False)
    written_ns = Path(first.path).stat().st_mtime_ns
    assert cache.cached_onnx(identify(str(model)), False) == first
    assert Path(first.path).stat().st_mtime_ns == written_ns
    with monkeypatch.context() as patch:
        patch.setattr(cache, "_hash_writers", lambda: "other code")
        assert cache.cached_onnx(identify(str(model)), False) != first
    assert cache.cached_onnx(identify(str(model)), False, has_time=lambda: False) == first
    with pytest.raises(NotConvertible, match="no time to convert"):
        cache.cached_onnx(identify(str(model)), False, rows_file(tmp_path / "few.parquet"), has_time=lambda: False)
    other = cache.cached_onnx(identify(str(model)), False, rows_file(tmp_path / "rows.parquet"))
    assert other.path != first.path


def test_a_home_that_cannot_be_written_is_no_obstacle(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache.cached_onnx(identify(str(model)), False).family == "onnx"


def metadata_of(path: Path) -> dict[str, Any]:
    import onnx

    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return dict(json.loads(props["infer_bench.check"]))


def test_a_tolerance_given_decides_and_stands_in_the_file(model: Path, tmp_path: Path) -> None:
    result = convert(str(model), str(tmp_path / "usual.onnx")).results[0]
    assert (result.criterion, metadata_of(tmp_path / "usual.onnx")["relative"]) == ("relative", 1e-12)
    options = ConvertOptions(precision="float32", atol=1e-3, rtol=1e-4)
    result = convert(str(model), str(tmp_path / "loose.onnx"), options=options).results[0]
    assert (result.criterion, result.tolerance, result.rtol, result.failed) == ("given", 1e-3, 1e-4, None)
    metadata = metadata_of(tmp_path / "loose.onnx")
    assert (metadata["criterion"], metadata["atol"], metadata["rtol"]) == ("given", 1e-3, 1e-4)
    strict = convert(str(model), str(tmp_path / "no.onnx"), options=replace(options, atol=0.0, rtol=0.0)).results[0]
    assert "max |Δ|" in str(strict.failed)
    assert not (tmp_path / "no.onnx").exists()


def test_a_tolerance_is_a_number_from_0_on() -> None:
    with pytest.raises(UsageError, match="atol is a number from 0 on, not -1"):
        ConvertOptions(atol=-1.0)
    with pytest.raises(UsageError, match="rtol is a number from 0 on, not inf"):
        ConvertOptions(rtol=float("inf"))
