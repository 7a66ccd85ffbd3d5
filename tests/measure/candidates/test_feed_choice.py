"""A candidate that names no feed takes one that works."""

from collections.abc import Sequence

import numpy as np
import pytest

from infer_bench.errors import EngineError, MissingDependency
from infer_bench.measure.candidates import feed_choice
from infer_bench.measure.candidates.candidates import Candidate, plan_candidates
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.report.common import Notice

PIPE = ModelRef("/m/text.joblib", "sklearn", "joblib", "bb", 9)
TEXT = EngineError("text.joblib reads text in column 'text', which no float array holds")


def candidates(*texts: str) -> list[Candidate]:
    return [plan.build(lambda model: model) for plan in plan_candidates([PIPE], texts, 1)]


def choose(
    monkeypatch: pytest.MonkeyPatch, errors: dict[str, EngineError], *texts: str
) -> tuple[list[Candidate], Sequence[Notice], list[str]]:
    """With workers that fail for some feeds; also which feeds were tried."""
    tried: list[str] = []

    class Worker:
        def __init__(self, job: object, **_: object) -> None:
            self.feed = job.options["feed"]  # type: ignore[attr-defined]

        def __enter__(self) -> "Worker":
            tried.append(self.feed)
            return self

        def __exit__(self, *_: object) -> None: ...

        def open(self) -> None:
            if self.feed in errors:
                raise errors[self.feed]

        def ask(self, request: object) -> None: ...

    monkeypatch.setattr(feed_choice, "Worker", Worker)
    entries = candidates(*texts)
    columns = {entry.key: {"text": np.array(["a"], dtype=object)} for entry in entries}
    chosen, notices = feed_choice.choose_feeds(entries, columns, Settings())
    return chosen, notices, tried


def test_the_usual_feed_is_taken_where_the_default_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    (candidate,), (notice,), _ = choose(monkeypatch, {"ndarray": TEXT}, "sklearn")
    assert candidate.options["feed"] == "dataframe"
    assert candidate.label == "sklearn"
    assert notice.message == f"sklearn is fed a DataFrame: {TEXT.message}"


@pytest.mark.parametrize(
    "errors",
    [{}, {"ndarray": TEXT, "dataframe": TEXT}, {"ndarray": MissingDependency("scikit-learn", "sklearn")}],
)
def test_a_feed_that_works_and_a_fault_that_no_feed_mends_change_nothing(
    monkeypatch: pytest.MonkeyPatch, errors: dict[str, EngineError]
) -> None:
    (candidate,), notices, _ = choose(monkeypatch, errors, "sklearn")
    assert candidate.options["feed"] == "ndarray"
    assert not notices


def test_nothing_is_tried_where_a_feed_was_named_or_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    named, onnx = choose(monkeypatch, {"ndarray": TEXT}, "sklearn:feed=ndarray", "onnxruntime")[0]
    assert named.options["feed"] == onnx.options["feed"] == "ndarray"
    assert choose(monkeypatch, {"ndarray": TEXT}, "sklearn:feed=ndarray", "onnxruntime")[2] == []
