"""One model raced under two versions of onnxruntime, each in a virtual environment of its own."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infer_bench.report.serialize import load_report

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "sample_models" / "tumour_zipmap.onnx"
VERSIONS = ("1.22.1", "1.23.2")
INSTALL_S = 300

pytestmark = pytest.mark.skipif(
    bool(os.environ.get("CI")) and sys.version_info[:2] != (3, 11), reason="in CI on Python 3.11 alone: it installs"
)


CORE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


def environment(folder: Path, version: str, *packages: str) -> Path:
    """The interpreter of an environment with that onnxruntime; kept for the next run."""
    home = folder / f"{sys.version_info[0]}.{sys.version_info[1]}-{version}"
    python, whole = home / "bin" / "python", home / "whole"
    if whole.exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True, timeout=INSTALL_S)
    install = [str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "--disable-pip-version-check"]
    wanted = ["--only-binary", ":all:", f"onnxruntime=={version}", "numpy", *packages]
    done = subprocess.run([*install, *wanted], capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install onnxruntime {version}: {done.stderr.strip().splitlines()[-1][:200]}")
    whole.touch()
    return python


@pytest.fixture(scope="module")
def environments(pytestconfig: pytest.Config) -> tuple[Path, Path]:
    """One that can run the command, and one that can only be a worker: its engine and numpy."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("two-environments")
    return environment(folder, VERSIONS[0], *CORE), environment(folder, VERSIONS[1])


def test_one_model_under_two_versions_gets_a_verdict_that_names_both(
    environments: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = environments
    told = ["--max-regression", "p50=300%", "--max-delta", "1e-4", "--budget", "20s", "--json", "report.json"]
    done = subprocess.run(
        [ours, "-m", "infer_bench", "bench", str(MODEL), "--against-python", str(theirs), *told],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = load_report(tmp_path / "report.json")
    assert report.verdict is not None
    assert report.verdict.status == "pass"
    assert report.gate is not None
    assert report.gate.mode == "processes"
    assert report.gate.layouts >= 5
    (side,) = report.gate.sides
    for told_of, python, version in zip((side, report.gate.baseline), environments, VERSIONS, strict=True):
        assert told_of.executable == str(python)
        assert told_of.packages["onnxruntime"] == version
    for result in report.results:
        assert len(result.processes) == report.gate.layouts
    assert report.results[-1].max_abs_delta is not None
    assert report.results[-1].max_abs_delta <= 1e-4
