"""A run is found comparable, or not, before anything is measured."""

from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import NotComparable
from infer_bench.gates.baseline import check_comparable
from infer_bench.measure.api import run
from infer_bench.measure.schedule.scheduler import Scheduler
from infer_bench.measure.settings import Settings
from infer_bench.report.bench import BenchReport
from infer_bench.report.serialize import dump, load_report

MODULE = "def answer(record):\n    return 2.0 * record['a']\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "served_here.py").write_text(MODULE)
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def measure(ready: Any = None, *, data: str = "rows.csv", **settings: Any) -> BenchReport:
    plan = Settings(rounds=2, processes=2, **settings)
    return run(["served_here:answer"], data=data, candidates=(), settings=plan, ready=ready)


def test_a_plan_has_the_fingerprint_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    baseline = load_report(dump(measure()))
    plans: list[BenchReport] = []
    report = measure(lambda plan: plans.append(plan) or check_comparable(plan, baseline))  # type: ignore[func-returns-value]
    assert [result.failed for result in plans[0].results] == ["not measured"]
    assert {n.code for n in check_comparable(report, baseline)} <= {"baseline-load"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threads": 2}, "threads 2 here, 1"),
        ({"data": "other.csv"}, "rows' hash"),
        ({"batches": (1, 3)}, "batch sizes 1, 3 here, 1 in"),
    ],
)
def test_a_mismatch_costs_no_measuring(
    change: dict[str, Any], words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baseline = load_report(dump(measure()))
    (folder / "other.csv").write_text("a,b\n1,2\n3,4.5\n")

    def never(self: Scheduler, save: Any) -> None:
        raise AssertionError("it was measured")

    monkeypatch.setattr(Scheduler, "run", never)
    with pytest.raises(NotComparable, match=words):
        measure(lambda plan: check_comparable(plan, baseline), **change)


def test_the_rows_have_one_hash_wherever_they_are_read_from(folder: Path) -> None:
    (folder / "copy.csv").write_text("a,b\n1,2\n3,4\n")
    hashes = [measure(data=name).settings["rows_sha256"] for name in ("rows.csv", "copy.csv")]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 64


def test_a_report_is_saved_between_rounds_where_it_is_kept_and_at_the_end() -> None:
    calls: list[bool | None] = []

    def save(report: BenchReport) -> None:
        calls.append(report.complete)

    how: dict[str, Any] = {"data": "rows.csv", "candidates": (), "settings": Settings(rounds=2, processes=1)}
    run(["served_here:answer"], **how, save=save, meanwhile=lambda: calls.append(None))
    assert calls[0] is None
    assert calls[1] is False
    assert calls[-1] is True
    del calls[:]
    run(["served_here:answer"], **how, save=save, keeps_rounds=False)
    assert calls == [True]
