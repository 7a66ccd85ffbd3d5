"""`validate` at its edges: ties, and files and models that go away while it runs."""

import pickle
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench import convert, validate
from infer_bench.data import Table
from infer_bench.data.file_digest import Digest
from infer_bench.errors import EngineError
from infer_bench.measure.validate import find_causes
from infer_bench.measure.validate.fan_out import FanOut, PendingBatch
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.validation import CandidateState
from infer_bench.model import ModelSpec
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions

ROWS = np.array([0.0, 0, 1, 1, 2, 2]).reshape(-1, 1)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A model whose answers are all ties, its exact conversion, and rows."""
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(n_estimators=3).fit(ROWS, [0, 1, 0, 1, 0, 1])
    assert model.predict_proba(ROWS)[:, 1] == pytest.approx(0.5, abs=0)
    paths = [str(tmp_path / name) for name in ("model.pkl", "exact.onnx", "rows.npy")]
    Path(paths[0]).write_bytes(pickle.dumps(model))
    np.save(paths[2], ROWS)
    convert(paths[0], paths[1], allow_pickle=True)
    return paths


def test_a_tie_of_two_classes_goes_to_the_class_that_the_library_gives_it(files: list[str]) -> None:
    """Gradient boosting calls a raw score of 0 the second class, where the largest of 0.5 and 0.5 is the first."""
    report = validate(files[0], files[1], data=files[2], allow_pickle=True)
    assert report.verdict is not None
    assert (report.verdict.status, report.results[0].groups[0].label_changes) == ("pass", 0)


def test_rows_that_went_away_after_they_were_read_cost_only_their_hash(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Digest, "start", lambda _: None)
    monkeypatch.setattr(find_causes, "explain_candidates", lambda *_: Path(files[2]).unlink())
    report = validate(files[0], files[1], data=files[2], probes="off", allow_pickle=True)
    assert report.verdict is not None
    assert (report.verdict.status, report.results[0].groups[0].rows) == ("pass", len(ROWS))
    assert report.settings["data_sha256"] is None
    assert [notice.code for notice in report.notices if notice.code == "data-gone"]


def test_nothing_is_counted_of_a_candidate_beyond_the_batch_at_which_it_failed() -> None:
    predictor: Any = SimpleNamespace(shared_tables=())
    candidate = CandidateState(predictor, {"data": GroupComparison("data", Limits())})
    fan_out = FanOut(predictor, ModelSpec("raw", (), ("output",)), [candidate])
    predictions = Predictions.unrefused(np.zeros((2, 1)))
    for i in range(3):
        ours: Future[Predictions] = Future()
        theirs: Future[Predictions] = Future()
        ours.set_result(predictions)
        if i == 1:
            theirs.set_exception(EngineError("not these"))
        else:
            theirs.set_result(predictions)
        fan_out.finish(PendingBatch(Table({"a": np.zeros(2)}), 2 * i, False, ours, {0: theirs}), "data")
    fan_out.close()
    assert candidate.groups["data"].comparison.rows == 2
    assert str(candidate.error) == "not these"


@pytest.mark.parametrize(("kind", "turned"), [("Gradient", False), ("Gradient", True), ("forest", False)])
def test_an_export_that_answers_rows_with_missing_values_is_told_by_a_graph_that_does_not(
    tmp_path: Path, kind: str, turned: bool
) -> None:
    """An exact conversion says NaN to a row that the library refuses; a plain export sends it somewhere.

    Boosting refuses NaN, a forest infinities alone.
    """
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    estimator = GradientBoostingClassifier if kind == "Gradient" else RandomForestClassifier
    model = estimator(n_estimators=5, random_state=0).fit(rows, rows[:, 0] + rows[:, 1] > 0)
    pickled, exact, plain = (tmp_path / name for name in ("model.pkl", "exact.onnx", "plain.onnx"))
    pickled.write_bytes(pickle.dumps(model))
    convert(str(pickled), str(exact), allow_pickle=True)
    plain.write_bytes(to_onnx(model, rows[:1], options={id(model): {"zipmap": False}}).SerializeToString())
    (result,) = validate(*map(str, (plain, exact) if turned else (exact, plain))).results
    assert result.different
    causes = {"missing handling"} if kind == "Gradient" else {"missing handling", "refused rows"}
    assert {cause.name for cause in result.causes} == causes, result
    assert result.not_explained == 0, result
