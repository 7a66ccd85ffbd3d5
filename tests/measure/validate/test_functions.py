"""`validate` between users' functions: their text, and how many values they answer with."""

from pathlib import Path

import numpy as np
import pytest

from infer_bench import validate
from infer_bench.report.validate import ValidateReport

SOURCE = """
calls = 0
def number(r): return r["a"]
def three(r): return [r["a"], 1.0, 2.0]
def third_differs(r): return {"p": r["a"], "q": 1.0, "r": 2.5}
def ragged(r): return [1.0] * (1 if r["a"] < 0 else 3)
def yes(r): return "yes"
def no(r): return "no"
def nothing_said(r): return {"label": None}
def sign(r): return {"label": "up" if r["a"] > 0 else "down", "p": r["a"]}
def far(r): return {"label": "up" if r["a"] > 1 else "down", "p": r["a"]}
def counted(r):
    global calls
    calls += 1
    return {"request": f"no {calls}", "p": r["a"]}
"""


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "services.py").write_text(SOURCE)
    np.savez(tmp_path / "rows.npz", a=np.linspace(-2, 2, 41))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validated(ours: str, theirs: str) -> ValidateReport:
    return validate(f"services:{ours}", f"services:{theirs}", data="rows.npz", probes="off")


@pytest.mark.parametrize(
    ("ours", "theirs", "status", "failing"),
    [
        ("number", "number", "pass", 0),
        ("three", "three", "pass", 0),
        ("three", "third_differs", "different", 41),
        ("three", "number", "different", 41),
        ("number", "three", "different", 41),
        ("three", "ragged", "different", 41),
        ("ragged", "ragged", "pass", 0),
        ("yes", "yes", "pass", 0),
        ("yes", "no", "different", 41),
        ("yes", "nothing_said", "different", 41),
        ("sign", "sign", "pass", 0),
        ("sign", "far", "different", 10),
        ("counted", "counted", "pass", 0),
    ],
)
def test_functions_are_compared_by_all_that_they_answer(
    services: Path, ours: str, theirs: str, status: str, failing: int
) -> None:
    report = validated(ours, theirs)
    assert report.verdict is not None
    (group,) = report.results[0].groups
    assert (report.verdict.status, group.failing, group.rows) == (status, failing, 41)


def test_every_value_of_an_answer_has_its_line_in_the_report(services: Path) -> None:
    report = validated("three", "third_differs")
    (group,) = report.results[0].groups
    assert [one.max_abs_delta for one in group.outputs] == [0.0, 0.0, 0.5]
    assert len({one.output for one in group.outputs}) == 3


def test_no_cause_is_claimed_where_text_differs_beside_no_number(services: Path) -> None:
    result = validated("yes", "no").results[0]
    assert (result.causes, result.not_explained) == ((), 41)
