"""A fleet's file as tasks: what is run on which model, and what its result depends on."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import CannotRun, UsageError
from infer_bench.machine.environment import describe
from infer_bench.measure.fleet.keys import FileHashes, list_conditions, make_key
from infer_bench.measure.fleet.options import OptionKind
from infer_bench.measure.fleet.plan import FleetPlan, Task, find_models, list_tasks, parse_plan, read_plan
from infer_bench.measure.fleet.report import judge
from infer_bench.report.common import Verdict
from infer_bench.report.fleet import FleetResult

TEXT, MANY, NUMBER, FLAG = OptionKind(), OptionKind(repeats=True), OptionKind("float"), OptionKind("nothing")
KNOWN = {
    "bench": {"engine": MANY, "budget": TEXT, "json": TEXT, "batch": OptionKind("integer"), "html": TEXT},
    "convert": {"output": TEXT, "atol": NUMBER},
    "validate": {"data": TEXT, "atol": NUMBER, "strict": FLAG, "engine": MANY, "export-worst": TEXT},
}
CONVERT = {"command": "convert", "models": "*.txt", "output": "out/{stem}.onnx"}
VERSIONS = {"infer-bench": "1", "lightgbm": "4"}


def plan_of(*jobs: Any, folder: Path = Path(), **others: Any) -> FleetPlan:
    return parse_plan({"jobs": list(jobs), **others}, str(folder), "fleet", KNOWN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    for name in ("b.txt", "a.txt", "a.json"):
        (tmp_path / "models" / name).write_text(name)
    (tmp_path / "rows.csv").write_text("x\n1\n")
    return tmp_path


def test_every_job_is_put_to_every_model_in_order(folder: Path) -> None:
    validate = {"command": "validate", "candidates": "onnx/{stem}.onnx", "data": "rows.csv", "atol": 1e-6}
    plan = plan_of(validate | {"strict": True, "engine": ["x", "y"]}, models=["models/*.txt", "models/a.*"])
    tasks = list_tasks(plan.jobs[0], str(folder))
    assert [task.model for task in tasks] == ["models/a.json", "models/a.txt", "models/b.txt"]
    options = ("--data=rows.csv", "--atol=1e-06", "--strict", "--engine=x", "--engine=y")
    assert tasks[2].arguments == (*options, "--", "models/b.txt", "onnx/b.onnx")
    assert tasks[2].inputs == ("models/b.txt", "rows.csv")


def test_an_option_that_is_false_is_none_and_an_underscore_is_a_dash(folder: Path) -> None:
    plan = plan_of({"command": "validate", "models": "models/a.txt", "strict": False})
    assert list_tasks(plan.jobs[0], str(folder))[0].arguments == ("--", "models/a.txt")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "a fleet needs jobs"),
        ({"jobs": []}, "a fleet needs jobs"),
        ({"jobs": [CONVERT], "model": "x"}, "no key 'model'"),
        ({"jobs": [CONVERT], "results": 3}, "results is the name of a folder"),
        ({"jobs": [{"command": "serve"}]}, "cannot be 'serve'"),
        ({"jobs": [{"command": "bench"}]}, "has no models"),
        ({"jobs": [{"command": "bench", "models": 3}]}, "models is a path"),
        ({"jobs": [{"command": "bench", "models": "a", "bugdet": "1s"}]}, "no option 'bugdet'"),
        ({"jobs": [{"command": "bench", "models": "a", "json": "x"}]}, "no option 'json'"),
        ({"jobs": [{"command": "bench", "models": "a", "budget": {"s": 1}}]}, "budget in the job 'bench' is text"),
        ({"jobs": [{"command": "bench", "models": "a", "budget": True}]}, "is text or a number, not True"),
        ({"jobs": [{"command": "bench", "models": "a", "budget": ["1s"]}]}, "is given once"),
        ({"jobs": [{"command": "bench", "models": "a", "batch": 1.5}]}, "is a whole number, not 1.5"),
        ({"jobs": [{"command": "validate", "models": "a", "atol": "1e-6"}]}, "is a number, not '1e-6'"),
        ({"jobs": [{"command": "validate", "models": "a", "strict": 1}]}, "is true or false, not 1"),
        ({"jobs": [{"command": "validate", "models": "a", "engine": [True]}]}, "not True"),
        ({"jobs": [{"command": "validate", "models": "a", "export-worst": "a", "export_worst": "b"}]}, "twice"),
        ({"jobs": [{"command": "validate", "models": "a", "name": 3}]}, "name is a text"),
        ({"jobs": [{"command": "validate", "models": "a", "candidates": "{stam}.onnx"}]}, "in place of {stam}"),
        ({"jobs": [{"command": "validate", "models": "a\0b"}]}, "models is a path"),
        ({"jobs": [CONVERT | {"candidates": "b"}]}, "converts and has candidates"),
        ({"jobs": [CONVERT, CONVERT]}, "two jobs are called 'convert'"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(document: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_plan(document, ".", "fleet", KNOWN)


@pytest.mark.parametrize("content", [None, b"jobs = [", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotRun, match=r"fleet.toml"):
        read_plan(str(file), KNOWN)


def test_a_folder_in_place_of_a_plan_is_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"cannot be read: Is a directory$"):
        read_plan(str(tmp_path), KNOWN)


def test_two_models_are_not_written_to_one_file(folder: Path) -> None:
    pages = {"command": "bench", "models": "models/a.*", "html": "pages/./one.html"}
    with pytest.raises(UsageError, match=r"would both be written to pages/one.html"):
        list_tasks(plan_of(pages).jobs[0], str(folder))
    job = plan_of(CONVERT | {"models": "models/a.*"}).jobs[0]
    with pytest.raises(UsageError, match=r"models/a.json and models/a.txt would both be written to out/a.onnx"):
        list_tasks(job, str(folder))
    with pytest.raises(UsageError, match=r"would both be written to models/a.onnx"):
        list_tasks(plan_of({"command": "convert", "models": "models/a.*"}).jobs[0], str(folder))


def test_a_pattern_without_a_match_is_told_and_a_name_stands_for_itself(folder: Path) -> None:
    assert find_models(["service:predict", "models/a.txt"], str(folder)) == ["models/a.txt", "service:predict"]
    (folder / "models" / "a[1].txt").touch()
    names = ["./models/a.txt", "models/*.txt", "models/a[1].txt", str(folder / "models" / "b.txt")]
    assert find_models(names, str(folder)) == ["./models/a.txt", "models/a[1].txt", "models/b.txt"]
    with pytest.raises(CannotRun, match="no model matches"):
        find_models(["models/*.cbm"], str(folder))


def key_of(task: Task, folder: Path, versions: Any = VERSIONS, machine: str = "m") -> str:
    return make_key(task, str(folder), versions, machine, FileHashes())


def test_a_key_changes_with_all_that_a_result_depends_on(folder: Path) -> None:
    def tasks(**options: Any) -> list[Task]:
        return list_tasks(plan_of({"command": "validate", "models": "models/*.txt", **options}).jobs[0], str(folder))

    plain, other = tasks(data="rows.csv")
    keys = {key_of(plain, folder), key_of(other, folder), key_of(tasks(data="rows.csv", atol=1)[0], folder)}
    keys.add(key_of(plain, folder, VERSIONS | {"lightgbm": "5"}))
    (folder / "rows.csv").write_text("x\n2\n")
    keys.add(key_of(plain, folder))
    (folder / "models" / "a.txt").write_text("another")
    keys.add(key_of(plain, folder))
    assert len(keys) == 6
    assert key_of(plain, folder) == key_of(plain, folder)


def test_a_result_depends_on_folders_weights_beside_a_graph_and_the_project(folder: Path) -> None:
    (folder / "sets" / "one").mkdir(parents=True)
    (folder / "sets" / "one" / "input_0.pb").write_bytes(b"x")
    tensor = onnx.TensorProto(name="w", dims=[1], data_type=onnx.TensorProto.FLOAT, data_location=1)
    tensor.external_data.add(key="location", value="net.weights")
    graph = onnx.GraphProto(name="g", initializer=[tensor])
    (folder / "models" / "net.onnx").write_bytes(onnx.ModelProto(ir_version=9, graph=graph).SerializeToString())
    (folder / "models" / "net.weights").write_bytes(b"1234")
    job = {"command": "validate", "models": "models/net.onnx", "data": "sets"}
    (task,) = list_tasks(plan_of(job).jobs[0], str(folder))
    assert task.inputs == ("models/net.onnx", "models/net.weights", "sets/one/input_0.pb")
    environment = describe(())
    before = list_conditions(environment, str(folder))
    (folder / "pyproject.toml").write_text("[tool.infer-bench]\natol = 1e-3\n")
    assert list_conditions(environment, str(folder)) != before


def test_what_runs_code_or_asks_a_service_is_never_the_same_again(folder: Path) -> None:
    def is_repeatable(model: str, **options: Any) -> bool:
        job = {"command": "bench", "models": model, **options}
        return list_tasks(plan_of(job).jobs[0], str(folder))[0].is_repeatable

    assert is_repeatable("models/a.txt", engine=["lightgbm:feed=ndarray", "onnxruntime"])
    assert is_repeatable("rows.csv:x")
    assert not is_repeatable("service:predict")
    assert not is_repeatable("models/a.txt", engine=["package.service:predict"])
    assert not is_repeatable("models/a.txt", engine=["http:url=http://127.0.0.1:8080"])


def test_a_time_belongs_to_a_class_of_machine_and_a_comparison_to_none(folder: Path) -> None:
    bench, validate = (
        list_tasks(plan_of({"command": command, "models": "models/a.txt"}).jobs[0], str(folder))[0]
        for command in ("bench", "validate")
    )
    assert key_of(bench, folder, machine="a") != key_of(bench, folder, machine="b")
    assert key_of(validate, folder, machine="a") == key_of(validate, folder, machine="b")


def result(code: int, model: str = "a.txt") -> FleetResult:
    status: Any = {0: "pass", 1: "regressed", 3: "inconclusive", 4: "different", 5: "not-comparable"}.get(
        code, "failed"
    )
    verdict = Verdict(status, code, (f"because of {code}",) if code else ())
    return FleetResult(model, "job", "validate", verdict, None, "", "m")


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 70]), max_size=30))
def test_the_verdict_is_the_worst_in_any_order(codes: list[int]) -> None:
    verdict = judge([result(code, f"{i}.txt") for i, code in enumerate(codes)])
    assert verdict == judge([result(code, f"{i}.txt") for i, code in enumerate(codes)][::-1])
    assert verdict.exit_code in {*codes, 0}
    assert (verdict.exit_code == 0) == (not any(codes))
    if 4 in codes and 70 not in codes:
        assert verdict.exit_code == 4
    assert len(verdict.reasons) <= 21
