"""One model raced under two versions of onnxruntime, each in a virtual environment of its own."""

import os
import subprocess
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest

from infer_bench.report.serialize import load_report

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "sample_models" / "tumour_zipmap.onnx"
VERSIONS = ("1.22.1", "1.23.2")
INSTALL_S = 300


def site_packages(home: Path) -> Path:
    return home / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def share_everything(home: Path) -> None:
    """Let an environment have what this one has, where it has no other version itself."""
    places = [place for place in sys.path if place.endswith("site-packages")]
    (site_packages(home) / "shared.pth").write_text("\n".join(places), encoding="utf-8")


def share_numpy(home: Path) -> None:
    """Let an environment have NumPy, and nothing else."""
    numpy = distribution("numpy")
    folders = {path.parts[0] for path in numpy.files or () if not path.parts[0].startswith("..")}
    for link in site_packages(home).glob("numpy*"):
        link.unlink()
    for folder in folders:
        (site_packages(home) / folder).symlink_to(Path(str(numpy.locate_file(folder))))


def make_environment(home: Path, version: str) -> Path:
    """The interpreter of an environment with that onnxruntime; kept for the next run."""
    python, mark = home / "bin" / "python", home / "whole"
    if not mark.exists():
        venv.create(home, clear=True, symlinks=True)
        options = ["--quiet", "--retries", "1", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps"]
        target = ["--no-compile", "--target", str(site_packages(home)), f"onnxruntime=={version}"]
        install = [sys.executable, "-m", "pip", "install", *options, *target]
        done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        if done.returncode:
            pytest.skip(f"pip cannot install onnxruntime {version}: {done.stderr.strip().splitlines()[-1][:200]}")
        mark.touch()
    return python


@pytest.fixture(scope="module")
def environments(pytestconfig: pytest.Config) -> tuple[Path, Path]:
    """One that can run the command, and one that can only be a worker: its engine and numpy."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("two-environments")
    ours, theirs = (folder / f"python{sys.version_info[0]}.{sys.version_info[1]}-{v}" for v in VERSIONS)
    pythons = make_environment(ours, VERSIONS[0]), make_environment(theirs, VERSIONS[1])
    share_everything(ours)
    share_numpy(theirs)
    return pythons


def test_one_model_under_two_versions_gets_a_verdict_that_names_both(
    environments: tuple[Path, Path], tmp_path: Path
) -> None:
    ours, theirs = environments
    limits = ["--max-regression", "p50=300%", "--max-delta", "1e-4", "--budget", "10m", "--json", "report.json"]
    done = subprocess.run(
        [ours, "-m", "infer_bench", "bench", str(MODEL), "--against-python", str(theirs), *limits],
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
    (candidate,) = report.gate.sides
    for measured, python, version in zip((candidate, report.gate.baseline), environments, VERSIONS, strict=True):
        assert measured.executable == str(python)
        assert measured.packages["onnxruntime"] == version
    for result in report.results:
        assert len(result.processes) == report.gate.layouts
    assert report.results[-1].max_abs_delta is not None
    assert report.results[-1].max_abs_delta <= 1e-4
