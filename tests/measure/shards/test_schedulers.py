"""The examples of docs/distributed.md for other schedulers: each runs every part once, with a stand-in for the tool."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.ci.pages import parse_yaml

PAGE = (Path(__file__).parents[3] / "docs" / "distributed.md").read_text(encoding="utf-8")
STAND_IN = """#!/bin/sh
echo "$*" >> calls
while [ $# -gt 0 ]; do case "$1" in --json|-o) echo '{}' > "$2";; esac; shift; done
exit "${CODE:-0}"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tool = tmp_path / "bin" / "infer-bench"
    tool.parent.mkdir()
    tool.write_text(STAND_IN)
    tool.chmod(0o755)
    (tmp_path / "rows").mkdir()
    for name in ("old.txt", "new.onnx"):
        (tmp_path / name).touch()
    return tmp_path


def example(heading: str, language: str) -> str:
    """The first block of a language below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    match = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert match is not None
    return match[1]


def call(place: Path, *command: str, **variables: str) -> int:
    environment = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", **variables}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False).returncode


def parts_called(place: Path) -> list[str]:
    return sorted(re.findall(r"--shard (\S+)", (place / "calls").read_text()))


ALL_PARTS = [f"{i}/8" for i in range(1, 9)]


def test_make(place: Path) -> None:
    (place / "Makefile").write_text(example("With make", "make"))
    assert call(place, "make", "-j", "2", "-k", CODE="4") == 0
    assert parts_called(place) == ALL_PARTS
    assert "merge " + " ".join(f"part-{i}.json" for i in range(1, 9)) in (place / "calls").read_text()
    (place / "part-3.json").unlink()
    assert call(place, "make", CODE="6") != 0
    assert not (place / "part-3.json").exists()


def test_an_indexed_job_of_kubernetes(place: Path) -> None:
    job = parse_yaml(example("As an indexed Job of Kubernetes", "yaml"))
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    mounts: Mapping[str, str] = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert sorted(mounts) == sorted(volume["name"] for volume in pod["volumes"])
    assert container["command"] == ["sh", "-c"]
    (script,) = container["args"]
    paths = [path for path in re.findall(r"(?<=[ \"'])/[\w*./$-]+", script) if path != os.devnull]
    assert all(path.startswith(tuple(mounts.values())) for path in paths)
    script = script.replace("/out/", "")
    for index in range(job["spec"]["completions"]):
        assert call(place, "sh", "-c", script, JOB_COMPLETION_INDEX=str(index), CODE="4") == 0
    assert parts_called(place) == ALL_PARTS
    assert (place / "part-8.json").exists()
    assert call(place, "sh", "-c", script, JOB_COMPLETION_INDEX="0", CODE="6") != 0


def test_a_slurm_array(place: Path) -> None:
    script = example("As a SLURM array", "sh")
    (first, last) = re.findall(r"#SBATCH --array=(\d+)-(\d+)\n", script)[0]
    (place / "parts.sh").write_text(script)
    assert call(place, "sh", "-n", "parts.sh") == 0
    for index in range(int(first), int(last) + 1):
        assert call(place, "sh", "parts.sh", SLURM_ARRAY_TASK_ID=str(index)) == 0
    assert parts_called(place) == ALL_PARTS
    assert call(place, "sh", "parts.sh", SLURM_ARRAY_TASK_ID="1", CODE="6") != 0
