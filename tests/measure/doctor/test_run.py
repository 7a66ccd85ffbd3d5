"""What the doctor looks at: the clock, fixed work in workers, and libraries that may be broken."""

import itertools
import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from infer_bench.errors import WorkerHung
from infer_bench.measure.doctor import noise, providers
from infer_bench.measure.doctor import run as doctor
from infer_bench.progress import Silent
from infer_bench.report.doctor import Timer


def clock_of(*steps: int) -> Any:
    """A clock that goes on by these steps, again and again."""
    moments = itertools.accumulate(itertools.cycle(steps))
    return lambda: next(moments)


def test_the_smallest_step_that_moves_and_the_cost_of_a_reading() -> None:
    outcome = noise.measure_timer(clock_of(0, 40, 80))
    assert outcome.step_ns == 40
    assert outcome.cost_ns in (0, 40, 80)


def test_a_clock_that_stands_still_has_no_step() -> None:
    assert noise.measure_timer(lambda: 5) == Timer(0, 0)


def test_pauses_are_gaps_beyond_what_a_reading_takes() -> None:
    longest, share = noise.measure_pauses(clock_of(*[1_000] * 98, 30_000, 72_000), spin_ns=2_000_000)
    assert longest == 72_000
    assert share == pytest.approx(0.51, abs=0.02)
    assert noise.measure_pauses(clock_of(1_000), spin_ns=1_000_000) == (0, 0.0)


def test_fixed_work_is_looked_at_in_fresh_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "PROCESSES", 2)
    monkeypatch.setattr(noise, "BLOCKS", 3)
    monkeypatch.setattr(noise, "measure_pauses", lambda: (7, 0.5))
    outcome = noise.measure_noise(Silent())
    assert (outcome.processes, outcome.blocks, outcome.longest_pause_ns) == (2, 3, 7)
    assert outcome.request_ns > 0
    assert outcome.resolvable > 0


@pytest.mark.parametrize("error", [WorkerHung("no answer"), OSError(12, "Cannot allocate memory")])
def test_noise_that_cannot_be_measured_breaks_nothing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(progress: Any) -> Any:
        raise error

    monkeypatch.setattr(doctor, "measure_noise", broken)
    monkeypatch.setattr(doctor, "ask_providers", lambda: None)
    outcome = doctor.examine()
    assert outcome.noise is None
    assert outcome.noise_problem
    assert {finding.code: finding.mark for finding in outcome.findings}["noise"] == "problem"


PRESENT = pytest.mark.skipif(not find_spec("onnxruntime"), reason="onnxruntime is not installed")


@PRESENT
@pytest.mark.parametrize(
    ("code", "names", "problem"),
    [
        ("print('a banner'); print('[\"CPUExecutionProvider\"]')", ("CPUExecutionProvider",), ""),
        ("raise ImportError('no libgomp.so.1')", (), "no libgomp.so.1"),
        ("import os; os.abort()", (), "killed by signal 6"),
        ("raise SystemExit(3)", (), "exited with code 3"),
        ("print('hello')", (), "no list"),
        ("pass", (), "no list"),
    ],
)
def test_a_runtime_that_fails_to_import_is_told(code: str, names: tuple[str, ...], problem: str) -> None:
    outcome = providers.ask_providers(code)
    assert outcome is not None
    assert outcome.names == names
    assert problem in outcome.problem
    assert bool(problem) == bool(outcome.problem)


@pytest.mark.parametrize(
    ("error", "words"),
    [(subprocess.TimeoutExpired("python", 30.0), "more than 30 s"), (OSError(11, "Try again"), "Try again")],
)
def test_a_runtime_that_hangs_is_told(error: Exception, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(providers, "find_spec", lambda name: True)
    monkeypatch.setattr(subprocess, "run", run)
    outcome = providers.ask_providers()
    assert outcome is not None
    assert words in outcome.problem


def test_a_runtime_that_is_absent_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "find_spec", lambda name: None)
    assert providers.ask_providers() is None


def test_the_command_writes_json_alone_and_imports_no_engine() -> None:
    code = (
        "import sys; from infer_bench.cli.main import run; code = run(['doctor', '--quick', '--json', '-']);"
        "print(sorted({'onnxruntime', 'lightgbm', 'pandas'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    document = json.loads(process.stdout)
    assert (process.returncode, document["command"], document["noise"]) == (0, "doctor", None)
    assert process.stderr.strip().endswith("[]")
