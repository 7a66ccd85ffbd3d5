"""`.ci/run` runs every check on every supported Python, and ends at once where an interpreter is missing."""

import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from tests.ci.pages import ROOT, parse_yaml

CLASSIFIERS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
SUPPORTED = [text.rsplit(" ", 1)[1] for text in CLASSIFIERS if "Python :: 3." in text]
OLDEST = SUPPORTED[0]
DEFAULT = f"{sys.version_info[0]}.{sys.version_info[1]}"


def place(script: Path, line: str) -> None:
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    script.chmod(0o755)


def fake_python(script: Path, version: str) -> None:
    """One that says its version, and knows nothing else."""
    place(script, f"echo {version}")


def run_checks(folder: Path, make: str = 'echo "$@"', **environment: str) -> subprocess.CompletedProcess[str]:
    """`.ci/run` with a `make` that prints what it is asked for, and a `python3` of the tests' own version."""
    place(folder / "bin" / "make", make)
    fake_python(folder / "bin" / "python3", DEFAULT)
    env = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "PYENV_ROOT": str(folder / "pyenv"), "HOME": str(folder)}
    return subprocess.run(
        [ROOT / ".ci" / "run"], env={**env, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def hide_missing(folder: Path) -> None:
    """A shim for each version that stands for none, as pyenv leaves them."""
    for version in SUPPORTED:
        place(folder / "bin" / f"python{version}", "exit 127")


def test_every_python_runs_every_check_from_the_path_or_from_pyenv(tmp_path: Path) -> None:
    hide_missing(tmp_path)
    others = [version for version in SUPPORTED if version != DEFAULT]
    first, *rest = others
    fake_python(tmp_path / "bin" / f"python{first}", first)
    for version in rest:
        fake_python(tmp_path / "pyenv" / "versions" / f"{version}.4" / "bin" / "python", version)
    places = {first: f"python{first}"} | {v: f"{tmp_path}/pyenv/versions/{v}.4/bin/python" for v in rest}
    process = run_checks(tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    ends = (SUPPORTED[0], SUPPORTED[-1])
    targets = {v: ("lint" if v in ends else "install", "test") for v in others}
    checks = [[f"{target} PYTHON={places[v]} VENV=.venv-{v}" for target in targets[v]] for v in others]
    assert process.stdout.splitlines() == [
        *("wheel PYTHON=python3", "dist PYTHON=python3", "lint PYTHON=python3", "test PYTHON=python3"),
        "check-core PYTHON=python3",
        f"check-oldest PYTHON={({DEFAULT: 'python3'} | places)[OLDEST]}",
        *chain.from_iterable(checks),
    ]


def test_a_python_that_is_missing_fails_before_anything_runs(tmp_path: Path) -> None:
    hide_missing(tmp_path)
    process = run_checks(tmp_path)
    missing = next(version for version in SUPPORTED if version != DEFAULT)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(f"Python {missing} with venv and pip: not on the PATH")


@pytest.mark.parametrize("name", ["3.99", "/no/such/python"])
def test_a_python_that_was_named_must_exist(tmp_path: Path, name: str) -> None:
    process = run_checks(tmp_path, PYTHONS=name)
    assert (process.returncode, process.stdout) == (1, "")
    assert name in process.stderr


def test_pythons_can_be_named_by_version_and_by_path(tmp_path: Path) -> None:
    fake_python(tmp_path / "mine", "3.98")
    fake_python(tmp_path / "bin" / "python3.99", "3.99")
    process = run_checks(tmp_path, PYTHONS=f"3.99 {tmp_path / 'mine'}")
    assert [line for line in process.stdout.splitlines() if "VENV=" in line] == [
        f"install PYTHON={tmp_path / 'mine'} VENV=.venv-3.98",
        f"test PYTHON={tmp_path / 'mine'} VENV=.venv-3.98",
        "lint PYTHON=python3.99 VENV=.venv-3.99",
        "test PYTHON=python3.99 VENV=.venv-3.99",
    ]


@pytest.mark.parametrize(
    "step", ["wheel", "dist", "lint", "test", "check-core", "check-oldest", "lint VENV", "install VENV", "test VENV"]
)
def test_a_step_that_fails_fails_the_run_and_is_shown(tmp_path: Path, step: str) -> None:
    """Whether it runs by itself or beside the tests."""
    hide_missing(tmp_path)
    versions = [*SUPPORTED, "3.99"]  # whichever is the default, one of the others lies between two
    for version in versions:
        fake_python(tmp_path / "pyenv" / "versions" / f"{version}.4" / "bin" / "python", version)
    name, _, place = step.partition(" ")
    fails = f'case "$*" in "{name} "*"{place}"*) echo "$1 is broken"; exit 2 ;; esac'
    process = run_checks(tmp_path, make=f'echo "$@"; {fails}', PYTHONS=" ".join(versions))
    assert process.returncode == 2
    assert process.stdout.splitlines()[-1] == f"{name} is broken"


def test_the_workflow_names_the_same_pythons_and_targets() -> None:
    jobs = parse_yaml((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert jobs["check"]["strategy"]["matrix"]["python"] == SUPPORTED
    steps = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert steps == ["make check", "make check-core", "make check-oldest"]
