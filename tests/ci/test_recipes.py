"""Every recipe of README.md and docs/ci.md runs, in a repository with models, and ends as it is said to.

The recipes are run as they stand, but for the programs that `stand_in.py` replaces.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from infer_bench.measure.gate.settings import build_gate_settings
from infer_bench.project import project_table
from tests.ci.github import Job
from tests.ci.pages import BLOCK, FENCE, PAGES, recipes, text_of, yaml_of
from tests.ci.workshop import Workshop

PASS, REGRESSED, INCONCLUSIVE, CANNOT_RUN = 0, 1, 3, 6

SHORT = {"STAND_IN_BUDGET": "10s,10m"}
"""Starts included, so much tells models apart that lie far apart; where the machine is busy, more does."""
TOO_SHORT = {"STAND_IN_BUDGET": "1ms"}
"""One layout, which decides nothing: of a model against itself only that is sure on every machine."""


def steps(name: str) -> list[dict[str, Any]]:
    """The steps of a workflow of one job."""
    (job,) = yaml_of(name)["jobs"].values()
    entries: list[dict[str, Any]] = job["steps"]
    return entries


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, origin: Path) -> str:
    """The report of a gate, for what only renders one."""
    workshop = Workshop.at(tmp_path_factory.mktemp("report"), origin)
    process = workshop.bash(
        "infer-bench bench models/model.onnx --limit 'size<10MB' --budget 1s --json infer-bench.json"
    )
    assert process.returncode == 0, process.stderr
    return (workshop.folder / "infer-bench.json").read_text(encoding="utf-8")


def test_every_block_of_the_page_is_a_recipe() -> None:
    page = PAGES[1].read_text(encoding="utf-8")
    assert len(FENCE.findall(page)) == len(BLOCK.findall(page))


def test_every_recipe_is_run_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in recipes() if f'"{name}"' not in here] == []


@pytest.mark.parametrize("name", [name for name, (language, _) in recipes().items() if language == "yaml"])
def test_no_expression_stands_in_a_script(name: str) -> None:
    jobs = yaml_of(name).get("jobs", {})
    scripts = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    assert [script for script in scripts if "${{" in script] == []


def test_github_action_fails_on_a_slower_model_and_keeps_the_report(workshop: Workshop) -> None:
    job = Job(workshop.on("slower"), environment=SHORT).execute(steps("github-action"))
    assert job.code == REGRESSED, job.scripts[-1].stderr
    assert workshop.report()["verdict"]["status"] == "regressed"
    assert job.other_actions[-1] == ("actions/upload-artifact", {"name": "infer-bench", "path": "infer-bench.json"})
    assert job.value("steps.gate.outputs.status") == "regressed"


def test_github_action_leaves_a_summary_of_the_step(workshop: Workshop) -> None:
    step = {"uses": "OWNER/infer-bench@main", "with": {"model": "models/model.onnx", "limits": "size<1kB"}}
    job = Job(workshop, environment={"STAND_IN_BUDGET": "200ms"}).execute([step])
    assert job.code == REGRESSED
    assert "model.onnx" in (workshop.temp / "summary.md").read_text(encoding="utf-8")
    assert "::error" in job.scripts[-1].stderr


def test_action_compares_with_the_model_of_a_checkout(workshop: Workshop) -> None:
    Job(workshop.on("faster"), environment={"STAND_IN_BUDGET": "200ms"}).execute(steps("base-checkout"))
    assert workshop.report()["gate"]["baseline"]["model"].endswith("/base/models/model.onnx")


def test_a_pointer_of_git_lfs_is_refused(workshop: Workshop) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"
    (workshop.folder / "old.onnx").write_text(pointer, encoding="utf-8")
    process = workshop.bash("infer-bench bench models/model.onnx --against old.onnx")
    assert process.returncode == CANNOT_RUN
    assert "git-lfs" in process.stderr


def test_action_of_the_readme_cannot_run_without_a_model(workshop: Workshop) -> None:
    (workshop.on("faster").folder / "models/model.onnx").unlink()
    job = Job(workshop).execute(steps("readme"))
    assert job.code == CANNOT_RUN


def test_github_without_the_action_passes_a_faster_model(workshop: Workshop) -> None:
    job = Job(workshop.on("faster"), environment=SHORT).execute(steps("github"))
    assert job.code == PASS, job.scripts[-1].stderr
    assert workshop.report()["verdict"]["status"] == "pass"


def test_gitlab_fails_on_a_slower_model_and_keeps_what_it_names(workshop: Workshop) -> None:
    job = yaml_of("gitlab")["inference"]
    environment = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", **SHORT}
    script = "\n".join([*job["before_script"], *job["script"]])
    process = workshop.on("slower").bash(script, environment, ("-eo", "pipefail"))
    assert process.returncode == REGRESSED, process.stderr
    assert process.returncode not in job["allow_failure"]["exit_codes"]
    workshop.bash("\n".join(job["after_script"]), environment)
    artifacts = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]
    assert [name for name in artifacts if not (workshop.folder / name).is_file()] == []


def test_shell_passes_a_faster_model(workshop: Workshop) -> None:
    process = workshop.on("faster").bash(text_of("shell"), SHORT)
    assert process.returncode == PASS, process.stderr
    assert workshop.calls("python3") == [["python3", "-m", "venv", ".gate"]]
    assert len(workshop.installed()) == 1


def test_environments_are_told_apart(workshop: Workshop) -> None:
    process = workshop.bash(text_of("environments"), TOO_SHORT)
    assert process.returncode == INCONCLUSIVE, process.stderr
    assert workshop.report()["gate"]["mode"] == "processes"
    assert workshop.calls("python", "-P", "-m", "infer_bench.workers")


def test_limits_are_judged_without_a_baseline(workshop: Workshop) -> None:
    process = workshop.bash(text_of("limits"), SHORT)
    assert process.returncode == PASS, process.stderr


def test_the_project_keeps_limits_that_the_gate_reads(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text_of("pyproject"), encoding="utf-8")
    settings = build_gate_settings(project_table(tmp_path), against="old.onnx")
    assert settings.limits.shares == {"p50": 0.05, "p95": 0.05}
    assert {bound.metric for bound in settings.limits.bounds} == {"p50", "rss", "size"}


def test_a_test_suite_gates_the_model(workshop: Workshop) -> None:
    (workshop.folder / "test_model.py").write_text(text_of("pytest"), encoding="utf-8")
    process = workshop.bash("python -m pytest -q -p no:cacheprovider test_model.py")
    assert process.returncode == PASS, process.stdout
    assert "1 passed" in process.stdout


def test_inconclusive_is_tried_again_with_more_time(workshop: Workshop) -> None:
    (workshop.folder / "old.onnx").write_bytes((workshop.folder / "models/model.onnx").read_bytes())
    process = workshop.bash(text_of("inconclusive"), TOO_SHORT)
    assert process.returncode == INCONCLUSIVE, process.stderr
    budgets = [call[call.index("--budget") + 1] for call in workshop.calls("infer-bench", "bench")]
    assert budgets == ["20s", "2m"]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory, origin: Path) -> str:
    """The stored baseline of `main`'s model, of short runs."""
    workshop = Workshop.at(tmp_path_factory.mktemp("baseline"), origin)
    process = workshop.bash(shortened(text_of("save-baseline")))
    assert process.returncode == 0, process.stderr
    return (workshop.folder / "baseline.json").read_text(encoding="utf-8")


def shortened(recipe: str) -> str:
    return recipe.replace("--processes 9", "--processes 9 --rounds 9 -e onnxruntime:feed=ndarray")


def test_a_baseline_is_compared_with_while_nothing_changed(workshop: Workshop, baseline: str) -> None:
    (workshop.folder / "baseline.json").write_text(baseline, encoding="utf-8")
    roomy = text_of("baseline").replace("--max-regression 10%", "--max-regression 900%")
    process = workshop.bash(shortened(roomy))
    assert process.returncode == PASS, process.stderr
    assert workshop.report()["gate"]["mode"] == "stored"


def test_a_baseline_of_another_model_falls_back_on_a_measured_comparison(workshop: Workshop, baseline: str) -> None:
    (workshop.on("faster").folder / "baseline.json").write_text(baseline, encoding="utf-8")
    process = workshop.bash(shortened(text_of("baseline")), SHORT)
    assert process.returncode == PASS, process.stderr
    assert "baseline" in process.stderr
    assert workshop.report()["gate"]["mode"] != "stored"


def test_nightly_hands_its_numbers_on(workshop: Workshop) -> None:
    job = Job(workshop.on("faster"), environment=SHORT).execute(steps("nightly"))
    assert job.code == PASS, job.scripts[-1].stderr
    action, inputs = job.other_actions[-1]
    assert action == "benchmark-action/github-action-benchmark"
    assert {"name", "unit", "value"} <= workshop.report(inputs["output-file-path"])[0].keys()


def test_bencher_is_given_a_file_that_it_reads(workshop: Workshop, report: str) -> None:
    (workshop.folder / "infer-bench.json").write_text(report, encoding="utf-8")
    process = workshop.bash(text_of("bencher"))
    assert process.returncode == 0, process.stderr
    assert workshop.calls("bencher", "run")


def test_textfile_has_no_type_that_its_reader_refuses(workshop: Workshop, report: str) -> None:
    (workshop.folder / "infer-bench.json").write_text(report, encoding="utf-8")
    process = workshop.bash(text_of("textfile"), {"TEXTFILE_DIR": str(workshop.temp)})
    assert process.returncode == 0, process.stderr
    (metrics_file,) = workshop.temp.glob("*.prom*")
    lines = metrics_file.read_text(encoding="utf-8").splitlines()
    types = {line.rsplit(" ", 1)[1] for line in lines if line.startswith("# TYPE ")}
    assert types <= {"gauge", "counter", "summary", "histogram", "untyped"}
    assert any(line.startswith("infer_bench_") for line in lines)


def test_a_report_for_rendering_is_whole(report: str) -> None:
    assert json.loads(report)["verdict"]["status"] == "pass"
