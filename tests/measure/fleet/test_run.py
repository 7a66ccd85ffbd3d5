"""A fleet that is run: what has not changed is not run again, and what is broken stops nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.cli.main import run as run_command
from infer_bench.errors import OutputError
from infer_bench.measure.fleet import distribute
from infer_bench.measure.fleet.options import OptionKind
from infer_bench.measure.fleet.plan import FleetPlan, parse_plan
from infer_bench.measure.fleet.run import KeyedTask, run
from infer_bench.measure.fleet.task import Place
from infer_bench.report.common import Verdict
from infer_bench.report.fleet import FleetResult
from infer_bench.report.serialize import dump, load_report
from tests.measure.validate.causes.cases import lightgbm_text

TEXT = OptionKind()
KNOWN = {"convert": {"output": TEXT}, "validate": {"data": TEXT}, "bench": {"budget": TEXT}}


class Pretence:
    """Runs no task: each writes the report that is saved of its command; models called `bad` fail."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.machine = "one"

    def __call__(self, tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
        for task, key in reversed(tasks):
            self.models.append(task.model)
            saved = Path(__file__).parents[2] / "saved" / f"{task.command}.json"
            verdict = Verdict("failed", 6, ("it is broken",)) if "bad" in task.model else Verdict("pass", 0)
            if not verdict.exit_code:
                Path(place.results).mkdir(exist_ok=True)
                Path(place.report_file(key)).write_bytes(dump(replace(load_report(saved), verdict=verdict)))
            yield FleetResult(task.model, task.job, task.command, verdict, None, key, self.machine)


@pytest.fixture
def plan(tmp_path: Path) -> FleetPlan:
    for name in ("a.txt", "bad.txt", "c.txt"):
        (tmp_path / name).write_text(name)
    jobs = [{"command": "validate", "models": "*.txt"}, {"command": "bench", "models": "[ac].txt"}]
    return parse_plan({"jobs": jobs}, str(tmp_path), "fleet", KNOWN)


def test_what_has_not_changed_is_not_run_again(plan: FleetPlan, tmp_path: Path) -> None:
    first = Pretence()
    report = run(plan, run_all=first)
    assert len(first.models) == 5
    assert [(r.job, r.model) for r in report.results][:3] == [("validate", f"{n}.txt") for n in ("a", "bad", "c")]
    assert report.verdict == Verdict("failed", 6, ("bad.txt, validate: failed: it is broken",))
    second = Pretence()
    report = run(plan, run_all=second)
    assert second.models == ["bad.txt"]
    assert [result.reused for result in report.results] == [True, False, True, True, True]
    assert report.results[0].figures["rows"]
    (tmp_path / "c.txt").write_text("changed")
    third = Pretence()
    run(plan, run_all=third)
    assert sorted(third.models) == ["bad.txt", "c.txt", "c.txt"]
    everything = Pretence()
    run(plan, run_all=everything, again=True)
    assert len(everything.models) == 5


def test_a_damaged_result_is_none(plan: FleetPlan) -> None:
    run(plan, run_all=Pretence())
    for file in (Path(plan.folder) / plan.results).iterdir():
        file.write_text("{")
    again = Pretence()
    run(plan, run_all=again)
    assert len(again.models) == 5


def test_a_model_that_changed_while_its_job_ran_has_no_result(plan: FleetPlan, tmp_path: Path) -> None:
    class Changes(Pretence):
        def __call__(self, tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
            for result in super().__call__(tasks, place):
                if (result.model, result.job) == ("a.txt", "validate"):
                    (tmp_path / "a.txt").write_text("another model")
                yield result

    report = run(plan, run_all=Changes())
    (reason, _) = report.verdict.reasons if report.verdict else ("", "")
    assert reason == "a.txt, validate: failed: a file that it reads changed while it ran"
    again = Pretence()
    run(plan, run_all=again)
    assert sorted(again.models) == ["a.txt", "bad.txt"]


def test_where_results_cannot_be_kept_nothing_is_run(plan: FleetPlan, tmp_path: Path) -> None:
    (tmp_path / plan.results).write_text("a file")
    nothing = Pretence()
    with pytest.raises(OutputError, match="results cannot be kept in"):
        run(plan, run_all=nothing)
    assert nothing.models == []


def test_times_of_two_classes_of_machine_are_not_compared(plan: FleetPlan) -> None:
    class Machines(Pretence):
        def __call__(self, tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
            for i, one in enumerate(super().__call__(tasks, place)):
                yield replace(one, machine=f"class {i % 2}")

    (notice,) = run(plan, run_all=Machines()).notices
    assert notice.code == "machine-classes"
    assert "bench" in notice.message
    assert "validate" not in notice.message


def test_what_an_earlier_job_writes_is_found_by_a_later_one(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    jobs: list[dict[str, Any]] = [
        {"command": "convert", "models": "*.txt", "output": "out/{stem}.onnx"},
        {"command": "bench", "models": "out/*.onnx"},
    ]

    class Writes(Pretence):
        def __call__(self, tasks: Sequence[KeyedTask], place: Place) -> Iterator[FleetResult]:
            (tmp_path / "out").mkdir(exist_ok=True)
            (tmp_path / "out" / "a.onnx").write_text("onnx")
            yield from super().__call__(tasks, place)

    plan = parse_plan({"jobs": jobs}, str(tmp_path), "fleet", KNOWN)
    assert [result.model for result in run(plan, run_all=Writes()).results] == ["a.txt", "out/a.onnx"]
    (tmp_path / "out" / "a.onnx").unlink()
    report = run(plan, run_all=Pretence(), again=True)
    assert [result.verdict.exit_code for result in report.results] == [0, 6]
    assert report.results[1].verdict.reasons == ("no model matches out/*.onnx",)


def test_a_broken_model_does_not_stop_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In real processes; the converted file is written anew where it was lost."""
    (tmp_path / "broken.txt").write_text("tree\nversion=v4\n")
    (tmp_path / "sound.txt").write_text(lightgbm_text("binary"))
    (tmp_path / "fleet.toml").write_text(
        '[[jobs]]\ncommand = "convert"\nmodels = "*.txt"\noutput = "onnx/{stem}.onnx"\n'
    )
    arguments = ["fleet", str(tmp_path / "fleet.toml"), "--json", str(tmp_path / "fleet.json")]
    assert run_command(arguments) == 6
    broken, sound = load_report(tmp_path / "fleet.json").results
    assert (broken.verdict.exit_code, sound.verdict.exit_code) == (6, 0)
    assert "broken.txt" in broken.verdict.reasons[0]
    assert load_report(tmp_path / sound.report).results[0].output is not None
    assert "1 of 2 results on 2 models pass" in capsys.readouterr().out
    (tmp_path / "onnx" / "sound.onnx").unlink()
    assert run_command(arguments) == 6
    assert (tmp_path / "onnx" / "sound.onnx").exists()
    assert not load_report(tmp_path / "fleet.json").results[1].reused


def test_on_a_cluster_benches_stay_here_and_what_was_given_up_is_told(
    plan: FleetPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Pretence()

    def run_tasks(client: Any, function: Any, tasks: Any) -> Iterator[Any]:
        for number, (task, key, place, _) in tasks.items():
            (result,) = here([(task, key)], place)
            lost = task.model == "c.txt"
            yield number, None if lost else result, "it ended 3 workers" if lost else ""

    there = Pretence()
    monkeypatch.setattr(distribute, "run_tasks", run_tasks)
    monkeypatch.setattr(distribute, "run_here", there)
    report = run(plan, run_all=distribute.run_on(object()))
    assert (sorted(here.models), sorted(there.models)) == (["a.txt", "bad.txt", "c.txt"], ["a.txt", "c.txt"])
    assert [result.verdict.exit_code for result in report.results] == [0, 6, 6, 0, 0]
    assert report.results[2].verdict.reasons == ("it ended 3 workers",)
