"""The probe test of a bench: who answers otherwise on rows that nobody tried is told, with the cause."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import bench
from infer_bench.data import Table
from infer_bench.measure.probe_test import run as probe_test
from infer_bench.measure.probe_test.rows import MOST_ROWS, MOST_VALUES, limit_rows, mix_probes
from infer_bench.measure.validate.probes.rows import Probe
from infer_bench.report.bench import BenchReport, ProbeTest
from infer_bench.typing import Array
from tests.engines import zoo

QUICK: dict[str, Any] = {"rounds": 1, "processes": 1}
LIGHTGBM = ["lightgbm"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(zoo.lightgbm(tmp_path_factory.mktemp("probe_test")).model.path)


@pytest.fixture(scope="module")
def rounded(model: Path) -> Path:
    """The model with its thresholds rounded to the nearest float32, as a careless converter does."""

    def round_line(match: re.Match[str]) -> str:
        return "threshold=" + " ".join(repr(float(np.float32(value))) for value in match[1].split())

    path = model.with_name("rounded.txt")
    text = re.sub(r"^threshold=(.*)$", round_line, model.read_text(), flags=re.MULTILINE)
    path.write_text(re.sub(r"tree_sizes=.*\n", "", text))
    return path


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("rows") / "rows.npz"
    save_rows(path)
    return str(path)


def save_rows(path: Path, **others: Array) -> None:
    arrays: dict[str, Any] = {**zoo.table(zoo.matrix(300)), **others}
    np.savez(path, **arrays)


def outcomes(report: BenchReport) -> list[ProbeTest | None]:
    return [result.probes for result in report.results]


def test_a_difference_that_no_row_of_the_users_shows_is_found_with_its_cause(
    model: Path, rounded: Path, rows: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_test, "LEAST_SEARCH_NS", 60_000_000_000)  # however busy the machine is
    first, second = bench([str(model), str(rounded)], data=rows, candidates=LIGHTGBM, **QUICK).results
    assert first.probes is None
    assert second.max_abs_delta == 0
    test = second.probes
    assert test is not None
    assert test.failed is None
    assert 0 < test.failing < test.rows
    assert "thresholds" in test.groups
    assert sum(test.groups.values()) == test.failing
    assert test.max_abs_delta > 1e-4
    assert [cause.name for cause in test.causes] == ["threshold cast"]


def test_engines_that_answer_alike_pass(model: Path, rows: str) -> None:
    own, other = outcomes(bench(str(model), data=rows, candidates=["lightgbm", "onnxruntime"], **QUICK))
    assert own is None
    assert other is not None
    assert (other.failing, other.failed, other.causes) == (0, None, ())
    assert other.rows > 32


def test_it_can_be_left_out(model: Path, rounded: Path, rows: str) -> None:
    report = bench([str(model), str(rounded)], data=rows, candidates=LIGHTGBM, probes=False, **QUICK)
    assert outcomes(report) == [None, None]


def test_a_budget_that_is_spent_leaves_no_time_for_it_and_that_is_said(model: Path, rounded: Path, rows: str) -> None:
    first, second = outcomes(bench([str(model), str(rounded)], data=rows, candidates=LIGHTGBM, budget_s=0.01))
    assert first is None
    assert second is not None
    assert (second.rows, second.failed) == (0, "no time was left of the budget")


def test_a_function_is_probed_where_it_is_handed_the_models_columns_alone(
    model: Path, rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "probed_service.py").write_text("def predict(record):\n    return {'score': 0.5}\n")
    wider = tmp_path / "wider.npz"
    save_rows(wider, stranger=np.zeros(300))
    candidates = ["lightgbm", "probed_service:predict"]
    with_all, without = (
        outcomes(bench(str(model), data=data, candidates=candidates, **QUICK))[1] for data in (rows, str(wider))
    )
    assert with_all is not None
    assert with_all.failing > 0
    assert without is None


def test_any_part_from_the_beginning_holds_each_kind() -> None:
    groups = [Probe(name, Table({"a": np.full(count, float(count))})) for name, count in (("x", 640), ("y", 64))]
    mixed = mix_probes([*groups, Probe("z", groups[0].table, singly=True)], seed=3)
    assert mixed.names == ("x", "y")
    assert len(mixed.kinds) == mixed.table.rows == 704
    assert np.bincount(mixed.kinds[:110]).tolist() == pytest.approx([100, 10], abs=1)
    assert (mixed.table.columns["a"] == np.where(mixed.kinds == 0, 640.0, 64.0)).all()


def test_wide_models_have_fewer_probes() -> None:
    assert limit_rows(4) == MOST_ROWS
    assert limit_rows(1_000) == MOST_VALUES // 1_000
    assert limit_rows(10_000_000) == 1
