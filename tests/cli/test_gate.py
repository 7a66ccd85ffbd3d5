"""`infer-bench bench --against` on fake engines in real workers: verdicts, limits and reports."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import infer_bench
from infer_bench.cli.main import run
from infer_bench.errors import UsageError
from infer_bench.workers.template.process import can_fork_workers
from tests.cli.gating import (
    BUDGETS,
    ONNX,
    ROOMY,
    SAMPLES,
    TO_FILE,
    WIDE,
    load_saved,
    model,
    processes,
    sessions,
    until_decided,
)

pytestmark = pytest.mark.usefixtures("fake_engines")


def bench(*arguments: str) -> int:
    return run(["bench", *arguments])


def keys(value: Any) -> Any:
    """The shape of a JSON document: names and nesting, without values; of a list, what its first entry looks like."""
    if isinstance(value, dict):
        return {name: keys(item) for name, item in value.items() if name not in ("packages", "options", "settings")}
    return [keys(value[0])] if isinstance(value, list) and value else None


def test_both_modes_pass_what_is_equal_and_write_reports_of_one_shape(
    rows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shapes = []
    apart = "forks" if can_fork_workers() else "processes"
    for gate, mode in ((processes, apart), (sessions, "sessions")):
        ours, theirs, budgets = ("fake", "fake:slope=1.5", ROOMY) if gate is processes else ("new", "old", BUDGETS)
        assert until_decided(gate, rows, ours, theirs, *WIDE, *TO_FILE, budgets=budgets) == 0, capsys.readouterr()
        report = load_saved()
        assert report.gate is not None
        assert report.gate.mode == mode
        assert report.verdict is not None
        assert report.verdict.status == "pass"
        assert report.gate.layouts >= 8
        assert report.gate.baseline.executable == sys.executable
        assert "numpy" in report.gate.sides[0].packages
        p50, _ = report.gate.checks
        assert (p50.metric, p50.outcome) == ("p50", "pass")
        assert p50.would_see is not None
        assert run(["show", "report.json"]) == 0
        shapes.append(keys(json.loads(Path("report.json").read_text())))
    assert shapes[0] == shapes[1]


def test_other_answers_are_shown_and_fail_only_where_a_difference_is_limited(rows: str) -> None:
    options = [*WIDE, "--budget", "1s", *TO_FILE]
    assert processes(rows, "fake:slope=1.5", "fake", *options) in (0, 3)
    assert load_saved().results[-1].max_abs_delta == pytest.approx(0.1, abs=0.1)
    assert processes(rows, "fake:slope=1.5", "fake", *options, "--max-delta", "1e-6") == 4
    verdict = load_saved().verdict
    assert verdict is not None
    assert verdict.status == "different"


def test_an_absolute_limit_needs_no_baseline(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["--limit", "fake.p50<1s", "--limit", "p50<1ns"]
    assert until_decided(bench, "tests.fakes:do", "-d", rows, "-e", "fake", *limits, *TO_FILE) == 1
    assert "beyond its limit" in capsys.readouterr().err
    gate = load_saved().gate
    assert gate is not None
    assert gate.mode == "absolute"
    assert [check.outcome for check in gate.checks] == ["pass", "regressed"]


@pytest.mark.parametrize(("choice", "code"), [("3", 3), ("pass", 0), ("fail", 1)])
def test_a_budget_that_cannot_tell_is_inconclusive(rows: str, choice: str, code: int) -> None:
    assert sessions(rows, "new", "old", "--budget", "10ms", "--inconclusive", choice, *TO_FILE) == code
    verdict = load_saved().verdict
    assert verdict is not None
    assert verdict.status == "inconclusive"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rounds", "3"], "as many rounds"),
        (["--processes", "3"], "as many rounds"),
        (["--reference", "fake"], "--reference does not go"),
        (["--max-regression", "0%"], "never so small"),
        (["--limit", "p50"], "no limit"),
        (["--limit", "fakes.p50<1ms"], "concerns none of the candidates: fake"),
        (["--inconclusive", "maybe"], "one of: 3, pass, fail"),
        (["--budget", "0s"], "no time"),
        (["--against-python", sys.executable, "--max-regression", "1%"], "between environments"),
    ],
)
def test_what_makes_no_sense_is_refused(
    rows: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert processes(rows, "fake", "fake:slope=2.0", *arguments) == 2
    assert all(word in capsys.readouterr().err for word in words.split(": ")[:1])


def test_the_project_holds_limits(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text('[tool.infer-bench]\nlimits = ["fake.p50<1ns", "lightgbm.p50<1ms"]\n')
    assert until_decided(bench, "tests.fakes:do", "-d", rows, "-e", "fake") == 1
    assert "lightgbm.p50<1ms" in capsys.readouterr().out
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake", "--rounds", "3", *TO_FILE]) == 0
    assert load_saved().gate is None
    Path("pyproject.toml").write_text("[tool.infer-bench")
    assert run(["bench", "tests.fakes:do", "-d", rows, "-e", "fake"]) == 2


def test_models_of_different_inputs_are_timed_and_their_answers_not_compared(
    capsys: pytest.CaptureFixture[str],
) -> None:
    against = ["--against", str(SAMPLES / "digits.txt"), "--budget", "10ms"]
    assert run(["bench", str(ONNX), *against, *TO_FILE]) == 3
    report = load_saved()
    assert report.results[-1].max_abs_delta is None
    assert report.results[-1].delta_note == "its baseline answered other rows"
    assert "own-rows" in [notice.code for notice in report.notices]
    assert run(["bench", str(ONNX), *against, "--max-delta", "0"]) == 2
    assert "--data" in capsys.readouterr().err


def test_notebooks_can_gate_too(rows: str) -> None:
    report = infer_bench.bench(
        [model("new")],
        data=rows,
        candidates=["filed"],
        against=model("old"),
        max_regression="400%",
        limits="p50<1s",
        max_delta=0.0,
        budget_s=600.0,
    )
    assert report.verdict is not None
    assert report.verdict.status == "pass"
    assert report.gate is not None
    assert [check.kind for check in report.gate.checks] == ["regression", "regression", "limit", "delta"]
    with pytest.raises(UsageError, match="something to compare with"):
        infer_bench.bench([model("new")], max_regression="5%")


def test_a_quick_look_has_a_budget_of_its_own(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain = ["bench", "tests.fakes:do", "-d", rows, "-e", "fake", "--quick"]
    for option in (["--budget", "1s"], ["--rounds", "3"], ["--processes", "2"]):
        assert run([*plain, *option]) == 2
    assert "--quick is a budget" in capsys.readouterr().err
    assert run([*plain, "--rows", "same", *TO_FILE]) == 0
    assert "plan: 1 candidate × 1 process" in capsys.readouterr().err
    settings = load_saved().settings
    assert (settings["budget_s"], settings["processes"]) == (10.0, 1)
