"""`validate` at its edges: ties, and files and sides that go away while it runs."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from infer_bench import convert, validate


def test_a_tie_of_two_classes_goes_to_the_class_that_the_library_gives_it(tmp_path: Path) -> None:
    """Gradient boosting calls a raw score of 0 the second class, where the largest of 0.5 and 0.5 is the first."""
    from sklearn.ensemble import GradientBoostingClassifier

    rows = np.array([0.0, 0, 1, 1, 2, 2]).reshape(-1, 1)
    model = GradientBoostingClassifier(n_estimators=3).fit(rows, [0, 1, 0, 1, 0, 1])
    assert model.predict_proba(rows)[:, 1] == pytest.approx(0.5, abs=0)
    files = [str(tmp_path / name) for name in ("model.pkl", "exact.onnx", "rows.npy")]
    Path(files[0]).write_bytes(pickle.dumps(model))
    np.save(files[2], rows)
    convert(files[0], files[1], allow_pickle=True)
    report = validate(files[0], files[1], data=files[2], allow_pickle=True)
    assert report.verdict is not None
    assert (report.verdict.status, report.results[0].groups[0].label_changes) == ("pass", 0)
