"""`action.yml` and its script: inputs stay data, outputs are written whatever the end, and exit codes are handed on."""

import re
import sys
from pathlib import Path

import pytest

from tests.ci import stand_in
from tests.ci.github import Job
from tests.ci.pages import ROOT, parse_yaml
from tests.ci.workshop import Workshop
from tests.test_docs import help_of, missing_options
from tools import action

ACTION = parse_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
HOSTILE = ["$(touch x)", "`touch x`", "'; touch x; '", '"; touch x; "', "a\ntouch x", "${IFS}", "--json=x", "-h", "ä b"]


def run_action(workshop: Workshop, environment: dict[str, str] | None = None, /, **inputs: str) -> Job:
    """The action with these inputs; `_` stands for `-` in their names."""
    inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
    step = {"id": "gate", "uses": "OWNER/infer-bench@main", "with": inputs}
    return Job(workshop, environment=environment or {}).execute([step])


def outputs(job: Job) -> dict[str, str]:
    return {name: job.value(f"steps.gate.outputs.{name}") for name in ACTION["outputs"]}


def test_structure() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(entry["description"] for entry in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])
    assert [name for name, entry in ACTION["inputs"].items() if entry.get("required")] == ["model"]
    assert all("default" in entry for name, entry in ACTION["inputs"].items() if name != "model")
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"])


def test_no_input_stands_in_a_script() -> None:
    assert [step["run"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]] == []


def test_every_input_reaches_the_script() -> None:
    (step,) = ACTION["runs"]["steps"]
    environment = {f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    assert step["env"] == {"ACTION_PATH": "${{ github.action_path }}", **environment}
    script = (ROOT / "tools/action.py").read_text(encoding="utf-8")
    assert [name for name in ACTION["inputs"] if f'"{name}"' not in script] == []


def test_every_option_of_the_script_exists() -> None:
    assert not missing_options([*action.VALUES.values(), *action.LISTS.values(), "--json"], help_of("bench"))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_one_argument(value: str) -> None:
    inputs = {"INPUT_MODEL": value, "INPUT_AGAINST": value, "INPUT_REPORT": value}
    assert action.arguments(inputs) == ["bench", f"--against={value}", f"--json={value}", "--", value]


def test_lists_hold_one_value_a_line_and_args_are_split_as_in_a_shell() -> None:
    inputs = {"INPUT_MODEL": "m", "INPUT_LIMITS": "p99<5ms\n\n  size<1MB \n", "INPUT_ARGS": "--batch 1 --seed='7'"}
    assert action.arguments(inputs) == [
        *("bench", "--limit=p99<5ms", "--limit=size<1MB", "--batch", "1", "--seed=7"),
        *("--json=infer-bench.json", "--", "m"),
    ]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_inputs_run_nothing_and_the_outputs_say_so(workshop: Workshop, value: str) -> None:
    names = ("model", "against", "data", "max_regression", "limits", "max_delta", "engines", "args", "report", "junit")
    job = run_action(workshop, **dict.fromkeys(names, value))
    assert job.code in (2, 6), job.scripts[-1].stderr
    assert outputs(job) == {"status": {2: "usage", 6: "failed"}[job.code], "exit-code": str(job.code), "report": ""}
    assert list(workshop.temp.parent.rglob("x")) == []


@pytest.mark.parametrize("value", [value for value in HOSTILE if value != "-h"])
def test_extras_are_names_or_nothing_is_installed(workshop: Workshop, value: str) -> None:
    job = run_action(workshop, model="models/model.onnx", extras=f"cpu{value}")
    assert (job.code, outputs(job)["status"]) == (2, "usage")
    assert workshop.installed() == []


@pytest.mark.parametrize("value", ["$(touch x)", "no such python", "a\nb"])
def test_an_interpreter_that_is_none_runs_nothing(workshop: Workshop, value: str) -> None:
    job = run_action(workshop, model="models/model.onnx", python=value)
    assert job.code not in (0, 1, 4)
    assert not (workshop.folder / "x").exists()


def test_an_interpreter_that_is_too_old_cannot_run_and_says_so(workshop: Workshop) -> None:
    older = 'import sys; sys.version_info = (3, 10, 9); exec(sys.argv[2] if sys.argv[1] == "-c" else "raise TypeError")'
    old = workshop.folder / "old-python"
    old.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{older}' \"$@\"\n", encoding="utf-8")
    old.chmod(0o755)
    job = run_action(workshop, model="models/model.onnx", python="./old-python")
    assert outputs(job) == {"status": "failed", "exit-code": "6", "report": ""}
    assert job.code == 6
    (line,) = job.scripts[-1].stdout.splitlines()
    assert re.fullmatch(r"::error title=infer-bench::.* Python 3\.11 or later", line)
    assert job.scripts[-1].stderr == ""


def test_an_interpreter_may_lie_in_the_jobs_folder(workshop: Workshop) -> None:
    stand_in.place(workshop.folder / "own/bin")
    assert run_action(workshop, model="none.onnx", python="own/bin/python").code == 6
    assert workshop.installed() == [".[cpu]"]


def test_odd_paths_are_judged(workshop: Workshop) -> None:
    odd = workshop.on("faster").folder / "a 'b' $(touch x) \"c\""
    odd.mkdir()
    (workshop.folder / "models/model.onnx").rename(odd / "new.onnx")
    limits = "size<1MB\nonnxruntime.p50<1s\n"
    job = run_action(workshop, model=f"{odd}/new.onnx", limits=limits, report=f"{odd}/r.json")
    assert outputs(job) == {"status": "pass", "exit-code": "0", "report": f"{odd}/r.json"}, job.scripts[-1].stderr
    assert not (workshop.folder / "x").exists()


def test_a_command_that_judges_nothing_is_no_pass(workshop: Workshop) -> None:
    job = run_action(workshop, model="models/model.onnx", args="--help")
    assert outputs(job) == {"status": "failed", "exit-code": "6", "report": ""}


def test_a_second_gate_of_a_job_installs_nothing(workshop: Workshop) -> None:
    for _ in range(2):
        assert run_action(workshop, model="none.onnx").code == 6
    assert workshop.installed() == [".[cpu]"]
    run_action(workshop, model="none.onnx", extras="onnxruntime")
    run_action(workshop, model="none.onnx", extras="")
    assert workshop.installed() == [".[cpu]", ".[onnxruntime]", "."]


def test_an_installation_that_fails_is_no_regression(workshop: Workshop) -> None:
    job = run_action(workshop, {"STAND_IN_PIP": "1"}, model="models/model.onnx")
    assert outputs(job) == {"status": "failed", "exit-code": "6", "report": ""}
    assert re.search(r"^::error title=infer-bench::the installation failed", job.scripts[-1].stdout, re.MULTILINE)
    assert run_action(workshop, model="none.onnx").code == 6
    assert len(workshop.installed()) == 2


def test_a_report_of_an_earlier_run_is_not_taken_for_this_ones(workshop: Workshop) -> None:
    old = '{"verdict": {"status": "pass", "exit_code": 6}}'
    (workshop.folder / "infer-bench.json").write_text(old, encoding="utf-8")
    job = run_action(workshop, model="none.onnx")
    assert outputs(job) == {"status": "failed", "exit-code": "6", "report": ""}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"verdict": {"status": "inconclusive", "exit_code": 0}}', "inconclusive"),
        ('{"verdict": {"status": "regressed", "exit_code": 1}}', "pass"),
        ('{"verdict": {"status": "a\\nb=c", "exit_code": 0}}', "pass"),
        ('{"verdict": null}', "pass"),
        ("[]", "pass"),
        ("{", "pass"),
    ],
)
def test_status_is_the_verdicts_where_it_belongs_to_the_exit_code(tmp_path: Path, text: str, status: str) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    assert action.status_of(0, tmp_path / "r.json") == status


def test_an_output_cannot_begin_another(tmp_path: Path) -> None:
    action.write_outputs({"GITHUB_OUTPUT": str(tmp_path / "out")}, {"report": "a\nstatus=pass\nEOF\nstatus<<EOF"})
    first, *_, last, end = (tmp_path / "out").read_text(encoding="utf-8").split("\n")
    assert first == f"report<<{last}"
    assert not end


@pytest.mark.parametrize(("exit_code", "code"), [(0, 6), (1, 1), (3, 3)])
@pytest.mark.parametrize(("place", "report"), [("/dev/full", "r.json"), ("none/out", "r.json"), ("out", "\udcff")])
def test_outputs_that_cannot_be_written_are_no_regression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, report: str, exit_code: int, code: int
) -> None:
    monkeypatch.setattr(action, "gate", lambda _: (exit_code, Path(report)))
    assert action.main({"GITHUB_OUTPUT": str(tmp_path / place)}) == code


def test_an_annotation_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    action.annotate("error", "100 %\r\n::warning::no")
    assert capsys.readouterr().out == "::error title=infer-bench::100 %25%0D%0A::warning::no\n"
