"""Every script of benchmarks/ runs from a clone as its page says, at a setting that costs seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking import START

ROOT = Path(__file__).resolve().parent.parent
LEAN = ("lightgbm:feed=ndarray", "lightgbm:feed=packed")
SMALLEST = {
    "claims.py threads": ("--rounds", "1"),
    "convert_speed.py": (
        *("--trees", "12", "--sizes", "12", "--small", "4", "--loads", "1", "--blocks", "1", "--commands", "1"),
    ),
    "convert_zoo.py": ("--only", "lgb one tree", "--jobs", "1"),
    "engines.py": ("--only", "sklearn", "--trees", "4", "--budget", "1"),
    "function_gates.py": ("1", "1", "5%", "0"),
    "growth.py": ("--only", "convert:rows", "--rows", "100,200"),
    "intervals.py": ("--repeats", "1", "--hogs", "0", "--rounds", "12", "--candidates", *LEAN),
    "load_stall.py": ("--duration", "0.4", "--rate", "200", "--stall", "0.1"),
    "loop.py": ("--rounds", "10"),
    "network_request.py": ("--rounds", "40"),
    "profile_cost.py": ("--runs", "1", "--rounds", "2", "--requests", "10", "--pairs", "2"),
    "quantize_digits.py": ("--network", "full", "--untimed"),
    "serve_random_bytes.py": ("--requests", "40"),
    "serve_cost.py": ("--rounds", "1", "--requests", "20"),
    "serve_batches.py": ("--rounds", "1", "--requests", "64", "--connections", "8"),
    "shards.py": ("--rows", "2000", "--features", "4", "--trees", "3", "--merged", "10", "--parts", "2"),
    "startup.py": ("--rounds", "1"),
    "stored_verdicts.py": ("--trials", "2"),
    "table_time.py": ("--rounds", "1", "--processes", "1", "--engine", "lightgbm:feed=ndarray"),
    "replay_gates.py": ("2",),
    "tail_limits.py": ("2",),
    "validate_throughput.py": ("--rows", "2000", "--features", "4", "--trees", "3", "--pairs", "0"),
    "validate_zoo.py": ("--only", "lgb one tree", "--jobs", "1"),
}
WAITS_BY_NUMBER = {"growth.py", "shards.py", "table_time.py", "validate_throughput.py"}
"""A process that was forked for them would not be their child; whether one is, hangs on the tests before."""


def test_every_script_has_a_smallest_setting() -> None:
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    assert {command.split()[0] for command in SMALLEST} == scripts
    assert {name for name in scripts if "wait4(" in (ROOT / "benchmarks" / name).read_text()} <= WAITS_BY_NUMBER


def test_every_script_is_on_the_page_and_says_itself_how_it_is_run() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "benchmarks").glob("*.py"):
        assert f"`python benchmarks/{path.name}" in page
        assert f"    python benchmarks/{path.name}" in path.read_text(encoding="utf-8")


def test_the_page_of_engines_is_what_its_script_makes_of_the_results() -> None:
    page = (ROOT / "docs" / "engines.md").read_bytes()
    command = [sys.executable, "benchmarks/engines.py", "--print"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=600, check=True)
    assert process.stdout == page


@pytest.mark.parametrize("command", SMALLEST)
def test_a_script_runs(command: str, tmp_path: Path) -> None:
    script, *words = command.split()
    start = [] if script == "startup.py" else [START]  # which says how long starts take
    start += ["--own-children"] if script in WAITS_BY_NUMBER else []
    process = subprocess.run(
        [sys.executable, *start, f"benchmarks/{script}", *words, *SMALLEST[command]],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert "Traceback" not in process.stderr
    assert process.stdout
    if script not in ("shards.py", "validate_throughput.py"):  # whose ratios, on so few rows, are those of starts
        assert process.returncode == 0, process.stderr
