"""What a gate is to judge, by the command line and by the project."""

import json
from typing import Any

import pytest

from infer_bench.errors import UsageError
from infer_bench.measure.gate.settings import DEFAULT_BUDGET_S, GateSettings, build_gate_settings
from infer_bench.measure.settings import Settings
from tests.measure.fake_layouts import candidate

PROJECT = {"max-regression": "p50=7%", "limits": ["p99<5ms"], "max_delta": 1e-5}


def build(project: dict[str, Any] | None = None, **options: Any) -> GateSettings:
    return build_gate_settings(project or {}, **options)


def test_without_anything_to_judge_there_is_no_gate() -> None:
    assert not build().has_criteria
    assert not build({"max-regression": "5%", "max-delta": 0.1}).has_criteria


@pytest.mark.parametrize("option", ["against", "python", "baseline"])
def test_a_variable_that_is_not_set_names_no_baseline(option: str) -> None:
    with pytest.raises(UsageError, match="names nothing"):
        build_gate_settings({}, **{option: ""})  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", ["rss=3%", "p50=5%,rss=3%", "load=1%", "size=0%"])
def test_a_metric_that_a_stored_baseline_cannot_carry_is_said_before_how_narrow_it_is(limit: str) -> None:
    with pytest.raises(UsageError, match="judges percentiles only"):
        build(baseline="saved.json", max_regression=limit)


def test_the_usual_margins_hold_where_none_is_given() -> None:
    assert build(against="old.onnx").limits.shares == {"p50": 0.02, "p95": 0.05}
    assert build(python="other/bin/python").limits.shares == {"p50": 0.05, "p95": 0.05}
    assert build(baseline="saved.json").limits.shares == {"p50": 0.05, "p95": 0.05}


def test_the_project_says_what_the_command_line_does_not() -> None:
    limits = build(PROJECT, against="old.onnx").limits
    assert limits.shares == {"p50": 0.07}
    assert [bound.text for bound in limits.bounds] == ["p99<5ms"]
    assert limits.max_delta == 1e-5
    over = build(PROJECT, against="old", max_regression="3%", bounds=["p50<1ms"], max_delta=0.5).limits
    assert over.shares == {"p50": 0.03, "p95": 0.03}
    assert [bound.text for bound in over.bounds] == ["p50<1ms"]
    assert over.max_delta == 0.5


def test_the_projects_limits_alone_make_a_gate_and_its_margins_wait_for_a_baseline() -> None:
    gate = build(PROJECT)
    assert gate.has_criteria
    assert not gate.is_paired
    assert gate.limits.shares == {}
    assert gate.limits.max_delta is None
    assert build({"limits": "p50<1ms"}).limits.bounds
    assert not build(PROJECT, baseline="saved.json").limits.bounds
    assert not build(PROJECT, plain=True).has_criteria
    assert build(PROJECT, bounds=["p50<1ms"], plain=True).has_criteria


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
    with pytest.raises(UsageError) as error:
        build(project, against="old.onnx")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
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
def test_what_cannot_be_judged_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as error:
        build(**options)
    assert words in str(error.value)


def test_five_percent_are_enough_between_environments_and_a_file_may_be_as_large() -> None:
    gate = build(python="other", max_regression="p50=5%,size=0%")
    assert gate.limits.shares == {"p50": 0.05, "size": 0.0}


def test_a_limit_that_concerns_nobody_is_refused_and_the_projects_is_noted_and_dropped() -> None:
    who = [candidate("fake:slope=2", "new.onnx")]
    for text in ("fake.p50<1ms", "fake:slope=2.p50<1ms", "new.onnx.p50<1ms", "p50<1ms"):
        gate = build(bounds=[text])
        assert gate.drop_unused(who) == (gate, [])
    with pytest.raises(UsageError, match="concerns none of the candidates"):
        build(bounds=["p50<1ms", "fakes.p50<1ms"]).drop_unused(who)
    gate, (notice,) = build({"limits": ["fakes.p50<1ms"]}).drop_unused(who)
    assert notice.code == "limit-unused"
    assert not gate.has_criteria


def test_a_projects_margin_is_as_wide_as_can_be_told_between_environments() -> None:
    project = {"max-regression": "p50=3%,p95=10%,size=0%"}
    assert build(project, python="other").limits.shares == {"p50": 0.05, "p95": 0.1, "size": 0.0}
    assert build(project, baseline="saved.json").limits.shares == {"p50": 0.05, "p95": 0.1}
    assert build(project, against="old.onnx").limits.shares == {"p50": 0.03, "p95": 0.1, "size": 0.0}


def test_a_gate_has_a_budget_and_no_number_of_rounds() -> None:
    gate = build(against="old")
    assert gate.with_budget(Settings()).budget_s == DEFAULT_BUDGET_S
    assert gate.with_budget(Settings(budget_s=3.0)).budget_s == 3.0
    with pytest.raises(UsageError, match="as many rounds as it needs"):
        gate.with_budget(Settings(rounds=3))


def test_what_a_gate_is_to_judge_can_be_written_down() -> None:
    description = build(PROJECT, against="old.onnx").describe()
    assert json.loads(json.dumps(description)) == description
    assert description["max_regression"] == {"p50": 0.07}
    assert description["limits"] == ["p99<5ms"]
