"""What a gate is told, by the command line and by the project."""

import json
from typing import Any

import pytest

from infer_bench.errors import UsageError
from infer_bench.measure.gate.settings import DEFAULT_BUDGET_S, GateSettings, gate_settings
from infer_bench.measure.settings import Settings
from tests.measure.fake_layouts import candidate

PROJECT = {"max-regression": "p50=7%", "limits": ["p99<5ms"], "max_delta": 1e-5}


def told(project: dict[str, Any] | None = None, **given: Any) -> GateSettings:
    return gate_settings(project or {}, **given)


def test_without_anything_to_judge_there_is_no_gate() -> None:
    assert not told().asked
    assert not told({"max-regression": "5%", "max-delta": 0.1}).asked


@pytest.mark.parametrize("option", ["against", "python", "baseline"])
def test_a_variable_that_is_not_set_names_no_baseline(option: str) -> None:
    with pytest.raises(UsageError, match="names nothing"):
        gate_settings({}, **{option: ""})  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["rss=3%", "p50=5%,rss=3%", "load=1%", "size=0%"])
def test_a_metric_that_a_stored_baseline_cannot_carry_is_said_before_how_narrow_it_is(limit: str) -> None:
    with pytest.raises(UsageError, match="judges percentiles only"):
        told(baseline="saved.json", max_regression=limit)


def test_the_usual_margins_hold_where_none_is_given() -> None:
    assert told(against="old.onnx").allowed.shares == {"p50": 0.02, "p95": 0.05}
    assert told(python="other/bin/python").allowed.shares == {"p50": 0.05, "p95": 0.05}
    assert told(baseline="saved.json").allowed.shares == {"p50": 0.05, "p95": 0.05}


def test_the_project_says_what_the_command_line_does_not() -> None:
    held = told(PROJECT, against="old.onnx").allowed
    assert held.shares == {"p50": 0.07}
    assert [bound.text for bound in held.bounds] == ["p99<5ms"]
    assert held.max_delta == 1e-5
    over = told(PROJECT, against="old", max_regression="3%", bounds=["p50<1ms"], max_delta=0.5).allowed
    assert over.shares == {"p50": 0.03, "p95": 0.03}
    assert [bound.text for bound in over.bounds] == ["p50<1ms"]
    assert over.max_delta == 0.5


def test_the_projects_limits_alone_make_a_gate_and_its_margins_wait_for_a_baseline() -> None:
    held = told(PROJECT)
    assert held.asked
    assert not held.paired
    assert held.allowed.shares == {}
    assert held.allowed.max_delta is None
    assert told({"limits": "p50<1ms"}).allowed.bounds
    assert not told(PROJECT, baseline="saved.json").allowed.bounds
    assert not told(PROJECT, plain=True).asked
    assert told(PROJECT, bounds=["p50<1ms"], plain=True).asked


@pytest.mark.parametrize(
    ("project", "words"),
    [
        ({"max-regression": 5}, "max-regression of [tool.infer-bench] in pyproject.toml is no text: 5"),
        ({"max-regression": "5"}, "per cent sign"),
        ({"limits": 5}, "no list of texts"),
        ({"limits": ["p50<1ms", 5]}, "no list of texts"),
        ({"limits": ["p50"]}, "no limit"),
        ({"max-delta": "1e-5"}, "no number"),
        ({"max-delta": True}, "no number"),
        ({"max-delta": -1}, "zero or more"),
        ({"max-delta": float("nan")}, "zero or more"),
        ({"max-delta": float("inf")}, "zero or more"),
    ],
)
def test_a_bad_value_in_the_project_is_named(project: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        told(project, against="old.onnx")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_regression": "5%"}, "needs something to compare with"),
        ({"max_delta": 0.1}, "needs something to compare with"),
        ({"max_regression": "", "against": "old"}, "no limit"),
        ({"against": "old", "baseline": "saved.json"}, "not both"),
        ({"against": "old", "alpha": 0.0}, "--alpha"),
        ({"against": "old", "alpha": 0.3}, "--alpha"),
        ({"against": "old", "alpha": float("nan")}, "--alpha"),
        ({"python": "other", "max_regression": "4%"}, "between environments"),
        ({"python": "other", "max_regression": "p50=6%,load=1%"}, "load=1%"),
        ({"baseline": "saved.json", "max_regression": "4%"}, "between environments"),
    ],
)
def test_what_cannot_be_judged_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        told(**given)
    assert words in str(refused.value)


def test_five_percent_are_enough_between_environments_and_a_file_may_be_as_large() -> None:
    held = told(python="other", max_regression="p50=5%,size=0%")
    assert held.allowed.shares == {"p50": 0.05, "size": 0.0}


def test_a_limit_that_concerns_nobody_is_refused_and_the_projects_is_noted_and_dropped() -> None:
    who = [candidate("fake:slope=2", "new.onnx")]
    for text in ("fake.p50<1ms", "fake:slope=2.p50<1ms", "new.onnx.p50<1ms", "p50<1ms"):
        held = told(bounds=[text])
        assert held.used(who) == (held, [])
    with pytest.raises(UsageError, match="concerns none of the candidates"):
        told(bounds=["p50<1ms", "fakes.p50<1ms"]).used(who)
    kept, (notice,) = told({"limits": ["fakes.p50<1ms"]}).used(who)
    assert notice.code == "limit-unused"
    assert not kept.asked


def test_a_projects_margin_is_as_wide_as_can_be_told_between_environments() -> None:
    project = {"max-regression": "p50=3%,p95=10%,size=0%"}
    assert told(project, python="other").allowed.shares == {"p50": 0.05, "p95": 0.1, "size": 0.0}
    assert told(project, baseline="saved.json").allowed.shares == {"p50": 0.05, "p95": 0.1}
    assert told(project, against="old.onnx").allowed.shares == {"p50": 0.03, "p95": 0.1, "size": 0.0}


def test_a_gate_has_a_budget_and_no_number_of_rounds() -> None:
    gate = told(against="old")
    assert gate.with_budget(Settings()).budget_s == DEFAULT_BUDGET_S
    assert gate.with_budget(Settings(budget_s=3.0)).budget_s == 3.0
    with pytest.raises(UsageError, match="as many rounds as it needs"):
        gate.with_budget(Settings(rounds=3))


def test_what_was_asked_for_can_be_written_down() -> None:
    described = told(PROJECT, against="old.onnx").described()
    assert json.loads(json.dumps(described)) == described
    assert described["max_regression"] == {"p50": 0.07}
    assert described["limits"] == ["p99<5ms"]
