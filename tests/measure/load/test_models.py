"""A model in place of an address, and one that answers are compared with."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.errors import CannotRun, ModelError, UsageError
from infer_bench.measure.load.local_server import serve_model
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings, ServerSettings
from tests.stub_service import predict, serve

pytest.importorskip("uvloop")
DIGITS = str(Path(__file__).parents[3] / "sample_models" / "digits.txt")
PATIENT = ServerSettings(start_s=600.0)
FEW = LoadSettings(rate=200.0, duration_s=0.1, warmup_s=0.0, timeout_s=600.0, check=DIGITS, server=PATIENT)


@pytest.mark.started_workers
def test_a_model_is_served_drawn_from_and_compared_with_itself() -> None:
    report = load(DIGITS, settings=FEW)
    (result,) = report.results
    assert result.errors == {}
    assert result.comparison is not None
    assert (result.comparison.answers, result.comparison.different) == (20, 0)
    assert report.settings["rows_source"] == "drawn from the model"
    assert report.settings["served"] == DIGITS


def test_another_models_answers_differ(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    names = [f"pixel_{i}_{j}" for i in range(8) for j in range(8)]
    rows.write_text(",".join(names) + "\n" + ",".join("3" for _ in names) + "\n")
    with serve(predict) as url:
        report = load(url, data=str(rows), settings=FEW)
    comparison = report.results[0].comparison
    assert comparison is not None
    assert comparison.different == comparison.answers == 20
    assert report.verdict is not None
    assert report.verdict.exit_code == 4


def test_what_is_neither_an_address_nor_a_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="write http"):
        load("127.0.0.1:8080", settings=FEW)
    with pytest.raises(ModelError):
        load(str(tmp_path / "no.txt"), settings=FEW)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotRun, match=r"did not start: .*nothing"),
        serve_model(DIGITS, replace(PATIENT, engine="nothing")),
    ):
        pass


def test_a_server_that_says_more_than_its_address_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "server"
    script.write_text("#!/bin/sh\nprintf 'one by one\\nserving x on http://127.0.0.1:9 (y)\\n' >&2\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with serve_model("x", PATIENT) as address:
        assert address == "http://127.0.0.1:9"


def test_a_tolerance_needs_a_model() -> None:
    with pytest.raises(UsageError, match="--check"):
        LoadSettings(rate=1.0, max_delta=0.1)
