"""The self-test of the gate, on a real model in real workers: added work arrives, and every trial is counted."""

from pathlib import Path

import pytest

from infer_bench.errors import UsageError
from infer_bench.formats.identify import identify
from infer_bench.measure.gate import selftest, trial_gate
from infer_bench.measure.gate.cpu_load import keep_busy
from infer_bench.measure.gate.trials import TrialKind
from infer_bench.measure.settings import Settings
from infer_bench.progress import Silent
from infer_bench.report.selftest import SelfTestReport
from infer_bench.report.serialize import dump, load_report
from tests.formats.conftest import save_onnx


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets that hold a few layouts, one trial of two kinds, and an added part that stands out of any noise."""
    monkeypatch.setattr(trial_gate, "PROBE_SHARE", 2.0)
    monkeypatch.setattr(trial_gate, "CALIBRATION_S", 0.5)
    monkeypatch.setattr(trial_gate, "CALIBRATIONS", 1)
    monkeypatch.setattr(selftest, "plan_kinds", lambda shares: [TrialKind("p50", 0.02), TrialKind("p50", 0.02, 2.0)])


def run_selftest(reports: list[SelfTestReport], **options: object) -> SelfTestReport:
    how: dict[str, object] = {"data": None, "candidates": (), "trials": 1, "cpu_loads": (0,), "jobs": 2, **options}
    models = how.pop("models", ())
    return selftest.run(models, settings=Settings(budget_s=3.0), progress=Silent(), save=reports.append, **how)  # type: ignore[arg-type]


@pytest.mark.usefixtures("brief")
def test_trials_are_made_counted_and_kept_and_tripling_the_work_is_seen() -> None:
    reports: list[SelfTestReport] = []
    report = run_selftest(reports)
    nothing, much = report.results
    assert (nothing.trials, much.trials) == (1, 1)
    assert nothing.measured is not None
    assert much.measured is not None
    assert much.measured > nothing.measured + 0.5
    assert [one.complete for one in reports][-1]
    assert not reports[0].complete
    assert load_report(dump(report)) == report


@pytest.mark.parametrize(
    "options",
    [
        {"trials": 0},
        {"cpu_loads": (-1,)},
        {"jobs": 0},
        {"shares": {"size": 0.1}},
        {"models": ("a.onnx", "b.onnx")},
        {"candidates": ("onnxruntime", "lightgbm")},
        {"models": ("tests.fakes:do",)},
    ],
)
def test_what_makes_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        run_selftest([], **options)


def test_busy_processes_end_with_what_they_disturb() -> None:
    with keep_busy(2) as pids:
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_copy_has_the_weights_that_lie_beside_the_model(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(bytes(12))
    save_onnx(tmp_path / "net.onnx", "data/w.bin")
    model = identify(tmp_path / "net.onnx")
    copy = selftest.copy_model(model, tmp_path / "data")
    assert (identify(copy).sha256, copy.name) == (model.sha256, "copy-of-net.onnx")
